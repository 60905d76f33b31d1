#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--sandbox of bin/wasmrun: guests under it, the process as the kernel sees it, kernels that lack a
part. The program is the first argument, or $WASMRUN. Last line: 'N passed, N failed, N skipped'."""
import ctypes
import platform
import struct

import test_cli
from test_cli import *  # noqa: F403

test_cli.TESTS.clear()  # those of test_cli.py itself
LANDLOCK, SECCOMP = 444, {"x86_64": 317, "aarch64": 277}[platform.machine()]
ENOSYS, EINVAL = 38, 22
libc = ctypes.CDLL(None, use_errno=True)


def without(number, errno):
    """For preexec_fn: from here on system call `number` fails with `errno`."""
    words = ((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | errno), (0x06, 0, 0, 0x7FFF0000))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *word) for word in words))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(words), ctypes.addressof(code)))

    def install():
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
            os._exit(99)
    install.keep = (code, program)
    return install


def run_without(number, errno, *words):
    done = subprocess.run([WASMRUN, *words], capture_output=True, timeout=60, preexec_fn=without(number, errno))
    assert done.returncode != 99, "no filter can be installed here"
    return Result(done)


def need_kernel():
    if b"does not need (off)" in run("run", "--help").out:
        raise Skip("a build with sanitizers or coverage, whose runtime needs what the sandbox takes")
    if libc.syscall(LANDLOCK, None, 0, 1) < 1:
        raise Skip("the kernel has no Landlock")


def status_of(*words):
    """The lines of /proc/PID/status of every thread of a run that sleeps."""
    process = subprocess.Popen([WASMRUN, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with open(f"/proc/{process.pid}/wchan", encoding="ascii", errors="replace") as file:
                waits = "poll" in file.read() or time.monotonic() > deadline
            with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
                waits = waits or file.read().split()[0] in {"271", "73", "230", "35", "115"}  # ppoll, nanosleep
            if waits:
                break
            time.sleep(0.02)
        found = []
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{thread}/status", encoding="ascii") as file:
                found.append(dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line))
        return found
    finally:
        process.kill()
        process.wait()


@test
def every_thread_is_confined():
    need_kernel()
    file = write("sleep.wasm", sleep_module(30))
    for mode in (["--sandbox=strict"], []):
        threads = status_of(*mode, "--timeout", "25", file)
        assert len(threads) == 2, threads
        for thread in threads:
            assert thread["NoNewPrivs"] == "1" and thread["Seccomp"] == "2", thread
    for thread in status_of("--sandbox=off", "--timeout", "25", file):
        assert thread["NoNewPrivs"] == "0" and thread["Seccomp"] == "0", thread


@test
def guests_work():
    need_kernel()
    for name in ("w", "r"):
        os.makedirs(name, exist_ok=True)
    run("--sandbox=strict", write("hello.wasm", hello_module())).want(0).prints("hello\n")
    run("--sandbox=strict", "-", stdin=hello_module()).want(0).prints("hello\n")
    create = write("create.wasm", create_module())
    run("--sandbox=strict", "--dir", "w", create).want(0)
    assert os.path.exists("w/new")
    assert run("--sandbox=strict", "--dir", "r:ro", create).code not in (0, 126)
    assert not os.path.exists("r/new")
    run("--sandbox=strict", "--timeout", "300ms", write("sleep.wasm", sleep_module(30))).want(124, "timed out")
    run("--sandbox=strict", write("trap.wasm", main_module(UNREACHABLE))).want(134, "trap: unreachable", "#0 ")
    run("--sandbox=strict", "--profile=p.svg", "--stats", "hello.wasm").want(0, "stats").prints("hello\n")
    assert os.path.getsize("p.svg") > 0
    deep = write("deep.wasm", deep_module())
    for memory in ("guard", "explicit"):
        run("--sandbox=strict", "--memory", memory, deep).want(134, "call stack exhausted")
        fault = Module()
        fault.mem(1)
        fault.func(i32(-1) + LOAD32 + DROP, export="_start")
        run("--sandbox=strict", "--memory", memory, write("fault.wasm", fault.bytes())).want(134, "out of bounds")


@test
def own_memory_is_not_written():
    """A guest that is given / gets no way to write /proc/self/mem, whatever the sandbox lets the host ask."""
    need_kernel()
    module = Module()
    path_open = module.imp("wasi_snapshot_preview1", "path_open", [I32] * 5 + [I64, I64, I32, I32], [I32])
    leave = module.imp("wasi_snapshot_preview1", "proc_exit", [I32])
    module.mem(1)
    module.data(100, b"proc/self/mem")
    write_right = b"\x42\xc0\x00"  # i64.const 64: fd_write
    module.func(i32(3) + i32(0) + i32(100) + i32(13) + i32(0) + write_right + b"\x42\x00" + i32(0) + i32(200)
                + call(path_open) + call(leave), export="_start")
    file = write("mem.wasm", module.bytes())
    for mode in ("off", "auto", "strict"):
        run("--sandbox=" + mode, "--dir", "/", file).want(63)


@test
def a_kernel_without_landlock():
    need_kernel()
    file = write("hello.wasm", hello_module())
    run_without(LANDLOCK, ENOSYS, file).want(0, "the sandbox lacks Landlock: Function not implemented").prints("hello\n")
    run_without(LANDLOCK, ENOSYS, "--sandbox=strict", file).want(126, "--sandbox: Landlock").prints("")
    assert run_without(LANDLOCK, ENOSYS, "--sandbox=off", file).want(0).prints("hello\n").err == ""


@test
def a_kernel_without_seccomp():
    need_kernel()
    file = write("hello.wasm", hello_module())
    for errno in (ENOSYS, EINVAL):
        run_without(SECCOMP, errno, file).want(0, "the sandbox lacks seccomp").prints("hello\n")
        run_without(SECCOMP, errno, "--sandbox=strict", file).want(126, "--sandbox: seccomp").prints("")


@test
def sandbox_words():
    run("--sandbox=soft", write("hello.wasm", hello_module())).want(125, "none of auto, strict, off")


if __name__ == "__main__":
    sys.exit(main())
