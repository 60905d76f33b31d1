#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs bin/wasmrun (the first argument, or $WASMRUN) on small modules made here: every exit code,
the messages, what the guest sees. Last line: 'N passed, N failed, N skipped'."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from wasm_asm import *  # noqa: E402,F403

WASMRUN = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("WASMRUN", "wasmrun"))
WASI = "wasi_snapshot_preview1"
BACKENDS = os.environ.get("WASMRUN_BACKENDS", "tail loop").split()  # what this build has
TESTS = []


class Skip(Exception):
    """This build or machine cannot do what the test needs."""


def test(function):
    TESTS.append(function)
    return function


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def want(self, code, *texts):
        assert self.code == code, f"exit {self.code}, not {code}; stderr: {self.err!r}"
        for text in texts:
            assert text in self.err, f"{text!r} is not in stderr: {self.err!r}"
        return self

    def prints(self, out):
        raw = out.encode() if isinstance(out, str) else out
        assert self.out == raw, f"stdout {self.out!r}, not {raw!r}; stderr: {self.err!r}"
        return self


def run(*words, stdin=b"", env=None, timeout=60):
    done = subprocess.run([WASMRUN, *words], input=stdin, capture_output=True, timeout=timeout, env=env)
    return Result(done)


def write(path, raw):
    with open(path, "wb") as file:
        file.write(raw)
    return path


# ---------------------------------------------------------------- modules

def exit_module(code):
    module = Module()
    leave = module.imp(WASI, "proc_exit", [I32])
    module.func(i32(code) + call(leave), export="_start")
    return module.bytes()


def list_module(what):
    """Writes the whole buffer of args_get or environ_get to stdout."""
    module = Module()
    sizes = module.imp(WASI, f"{what}_sizes_get", [I32, I32], [I32])
    get = module.imp(WASI, f"{what}_get", [I32, I32], [I32])
    put = module.imp(WASI, "fd_write", [I32, I32, I32, I32], [I32])
    module.mem(2)
    module.func(i32(0) + i32(4) + call(sizes) + DROP + i32(1024) + i32(4096) + call(get) + DROP +
                i32(8) + i32(4096) + STORE32 + i32(12) + i32(4) + LOAD32 + STORE32 +
                i32(1) + i32(8) + i32(1) + i32(16) + call(put) + DROP, export="_start")
    return module.bytes()


def hello_module(text=b"hello\n"):
    """Exits with the errno of fd_write."""
    module = Module()
    put = module.imp(WASI, "fd_write", [I32, I32, I32, I32], [I32])
    leave = module.imp(WASI, "proc_exit", [I32])
    module.mem(1)
    module.data(0, (16).to_bytes(4, "little") + len(text).to_bytes(4, "little"))
    module.data(16, text)
    module.func(i32(1) + i32(0) + i32(1) + i32(8) + call(put) + call(leave), export="_start")
    return module.bytes()


def preopen_module():
    """Writes the name of directory 3; exits with the errno of fd_prestat_get."""
    module = Module()
    get = module.imp(WASI, "fd_prestat_get", [I32, I32], [I32])
    dir_name = module.imp(WASI, "fd_prestat_dir_name", [I32, I32, I32], [I32])
    put = module.imp(WASI, "fd_write", [I32, I32, I32, I32], [I32])
    leave = module.imp(WASI, "proc_exit", [I32])
    module.mem(1)
    module.func(i32(3) + i32(0) + call(get) + b"\x22\x00" + b"\x04\x40" + local_get(0) + call(leave) +
                END + i32(3) + i32(64) + i32(4) + LOAD32 + call(dir_name) + DROP +
                i32(8) + i32(64) + STORE32 + i32(12) + i32(4) + LOAD32 + STORE32 +
                i32(1) + i32(8) + i32(1) + i32(16) + call(put) + DROP,
                locals_=[I32], export="_start")
    return module.bytes()


def create_module():
    """Creates the file `new` in directory 3; exits with the errno."""
    module = Module()
    path_open = module.imp(WASI, "path_open", [I32, I32, I32, I32, I32, I64, I64, I32, I32], [I32])
    leave = module.imp(WASI, "proc_exit", [I32])
    module.mem(1)
    module.data(0, b"new")
    module.func(i32(3) + i32(0) + i32(0) + i32(3) + i32(1) + i64(0x40) + i64(0) + i32(0) + i32(16) +
                call(path_open) + call(leave), export="_start")
    return module.bytes()


def sleep_module(seconds):
    module = Module()
    poll = module.imp(WASI, "poll_oneoff", [I32, I32, I32, I32], [I32])
    module.mem(1)
    subscription = bytearray(48)
    subscription[16] = 1  # the monotonic clock
    subscription[24:32] = (seconds * 10**9).to_bytes(8, "little")
    module.data(0, bytes(subscription))
    module.func(i32(0) + i32(64) + i32(1) + i32(128) + call(poll) + DROP, export="_start")
    return module.bytes()


def math_module():
    module = Module()
    module.func(local_get(0) + local_get(1) + b"\x6a", [I32, I32], [I32], export="add")
    for kind, word in ((I32, "i32"), (I64, "i64"), (F32, "f32"), (F64, "f64")):
        module.func(local_get(0), [kind], [kind], export=f"same_{word}")
    module.func(local_get(1) + local_get(0), [I32, I64], [I64, I32], export="swap")
    module.func(local_get(0), [EXTERNREF], [EXTERNREF], export="same_ref")
    module.func(b"", export="nothing")
    return module.bytes()


def deep_module():
    module = Module()
    module.func(local_get(0) + i32(1) + b"\x6a" + call(0) + i32(1) + b"\x6a", [I32], [I32], label="dive")
    module.func(i32(0) + call(0) + DROP, export="_start")
    return module.bytes()


# ---------------------------------------------------------------- help and usage

@test
def help_texts():
    run("--help").want(0)
    run("help").want(0)
    for command, word in (("run", b"--dir HOST[::GUEST][:ro]"), ("inspect", b"--json"), ("validate", b"--help")):
        for words in ((command, "--help"), (command, "-h"), ("help", command)):
            assert word in run(*words).want(0).out
    assert b"--timeout" in run("run", "--help").out
    assert re.fullmatch(rb"wasmrun \d+\.\d+\.\d+\n", run("--version").want(0).out)
    run().want(125, "usage:")
    run("help", "nonsense").want(125)


@test
def usage_errors():
    file = write("ok.wasm", main_module(b""))
    table = (
        (["--dirr", ".", file], "unknown option '--dirr'; did you mean '--dir'?"),
        (["--max-mem", "1", file], "did you mean '--max-memory'?"),
        (["--qqqqqqqq", file], "unknown option '--qqqqqqqq'"),
        (["-x", file], "unknown option '-x'"),
        (["--dir"], "'--dir' needs a value"),
        (["--dir=", file], "must not be empty"),
        (["--dir", "::/x", file], "must not be empty"),
        (["--env", "=v", file], "no name before"),
        (["--timeout", "soon", file], "'soon' is not a time"),
        (["--timeout", "0", file], "is not a time"),
        (["--max-memory", "1x", file], "'1x' is not a size"),
        (["--max-stack=-1", file], "is not a size"),
        (["--backend", "jit", file], "none of auto, tail, loop"),
        (["--memory", "none", file], "none of auto, guard, explicit"),
        (["--help=yes", file], "takes no value"),
        (["run"], "no FILE given"),
        (["validate"], "no FILE given"),
        (["inspect"], "no FILE given"),
        (["inspect", file, file], "more than one FILE"),
        (["inspect", "--jsno", file], "did you mean '--json'?"),
    )
    for words, text in table:
        run(*words).want(125, text, "--help'")


@test
def missing_directory_says_what_was_parsed():
    file = write("ok.wasm", main_module(b""))
    run("--dir", "no/such::/guest:ro", file).want(125, "host 'no/such'", "guest '/guest'", "read-only")


@test
def missing_file():
    run("no-such.wasm").want(127, "wasmrun: no-such.wasm: ")
    run("validate", "no-such.wasm").want(127, "no-such.wasm")
    run("inspect", "no-such.wasm").want(127, "no-such.wasm")


# ---------------------------------------------------------------- exits

@test
def exit_codes():
    for code, seen in ((0, 0), (1, 1), (7, 7), (125, 125), (255, 255), (256 + 3, 3), (-1, 255)):
        run(write("exit.wasm", exit_module(code))).want(seen).prints("")
    run(write("return.wasm", main_module(b""))).want(0).prints("")


@test
def exit_from_start_section():
    module = Module()
    leave = module.imp(WASI, "proc_exit", [I32])
    module.start = module.func(i32(9) + call(leave))
    module.func(UNREACHABLE, export="_start")
    run(write("start.wasm", module.bytes())).want(9)


@test
def malformed_module():
    run(write("bad.wasm", b"")).want(126, "wasmrun: bad.wasm: malformed module: ", "empty")
    for raw in (b"\0asm", b"not wasm at all", MAGIC + b"\x01\x05\x01", b"\0asm\x0d\0\x01\0"):
        result = run(write("bad.wasm", raw)).want(126, "wasmrun: bad.wasm: ")
        assert "offset" in result.err, result.err
        assert result.err.count("bad.wasm") == 1, result.err


@test
def invalid_module_names_function_and_offset():
    raw = main_module(i32(1))
    run(write("inv.wasm", raw)).want(126, "wasmrun: inv.wasm: invalid module: type mismatch", "function 0",
                                     "offset 0x")
    run("validate", "inv.wasm").want(126, "inv.wasm", "type mismatch")
    run("inspect", "inv.wasm").want(126, "inv.wasm", "type mismatch")


@test
def missing_imports_all_at_once():
    module = Module()
    module.imp("env", "first", [I32], [])
    module.imp(WASI, "fd_wrte", [I32, I32, I32, I32], [I32])
    module.imp(WASI, "proc_exit", [I64], [])
    module.imp(WASI, "fd_close", [I32], [I32])
    module.func(b"", export="_start")
    result = run(write("miss.wasm", module.bytes()))
    result.want(126, "3 imports", "env.first", "(param i32)", "fd_wrte", "fd_write", "proc_exit", "(param i64)")
    assert "fd_close" not in result.err, result.err


@test
def no_entry():
    file = write("lib.wasm", math_module())
    run(file).want(125, "no _start", "add", "(param i32 i32)")
    module = Module()
    module.func(b"", export="_initialize")
    run(write("reactor.wasm", module.bytes())).want(125, "_initialize", "--invoke")
    run(write("empty.wasm", MAGIC)).want(125, "exports no func")


@test
def entry_with_parameters():
    run(write("params.wasm", main_module(b"", params=[I32]))).want(126)


# ---------------------------------------------------------------- traps

@test
def traps():
    table = (
        (UNREACHABLE, "unreachable"),
        (i32(-1) + LOAD32 + DROP, "out of bounds memory access"),
        (i32(1) + i32(0) + b"\x6d" + DROP, "integer divide by zero"),
        (i32(-2**31) + i32(-1) + b"\x6d" + DROP, "integer overflow"),
    )
    for body, text in table:
        module = Module()
        module.mem(1)
        inner = module.func(body, label="inner")
        module.func(call(inner), export="_start", label="outer")
        for mode in ("guard", "explicit"):
            result = run("--memory", mode, write("trap.wasm", module.bytes()))
            result.want(134, f"wasmrun: trap.wasm: trap: {text}\n")
            assert re.search(r"^  #0 0x[0-9a-f]+ inner\n  #1 0x[0-9a-f]+ outer$", result.err, re.M), result.err


@test
def trap_offsets_point_at_the_instruction():
    raw = main_module(UNREACHABLE)
    at = raw.rindex(b"\x00\x0b")
    run(write("at.wasm", raw)).want(134, f"  #0 {at:#x} _start")


@test
def trap_in_start_section():
    module = Module()
    module.start = module.func(UNREACHABLE, label="early")
    module.func(b"", export="_start")
    run(write("start.wasm", module.bytes())).want(134, "trap: unreachable", "early")


@test
def stack_exhaustion():
    for backend in BACKENDS:
        result = run("--backend", backend, write("deep.wasm", deep_module()))
        if "backend" in result.err and result.code == 126:
            raise Skip(result.err.strip())
        result.want(134, "trap: call stack exhausted", "#0 ", "dive", "frames left out", "_start")
        assert len(result.err.splitlines()) < 80, result.err


@test
def control_characters_of_names_are_escaped():
    module = Module()
    module.func(UNREACHABLE, export="_start", label="a\x1b[31m\nb")
    result = run(write("name.wasm", module.bytes())).want(134, "a\\x1b[31m\\x0ab")
    assert "\x1b" not in result.err


@test
def what_is_no_module_is_not_read_to_its_end():
    run("/dev/zero", timeout=20).want(126, "magic header not detected")
    big = write("big.wasm", b"\0asm\1\0\0\0")
    os.truncate(big, 100 << 30)
    run(big, timeout=20).want(126, "larger than 1 GiB")


@test
def components_are_called_so():
    path = write("component.wasm", b"\0asm\x0d\0\1\0")
    for words in ([path], ["validate", path], ["inspect", path], ["explore", path]):
        run(*words).want(126, "is a component, not a core module")
    write("core.wasm", b"\0asm\x0d\0\0\0")
    result = run("validate", "core.wasm").want(126, "unknown binary version")
    assert "component" not in result.err, result.err


# ---------------------------------------------------------------- limits

@test
def timeouts():
    for raw in (main_module(LOOP_FOREVER), sleep_module(100)):
        for backend in BACKENDS:
            begun = time.monotonic()
            run("--backend", backend, "--timeout", "300ms", write("long.wasm", raw)).want(124, "timed out")
            assert time.monotonic() - begun < 1.9, "the guest did not stop by itself"
    module = Module()
    module.start = module.func(LOOP_FOREVER)
    module.func(b"", export="_start")
    run("--timeout=0.2s", write("start.wasm", module.bytes())).want(124, "timed out")
    run("--timeout", "20", write("quick.wasm", main_module(b""))).want(0)
    run("--fuel", "1000", write("long.wasm", main_module(LOOP_FOREVER))).want(124, "out of fuel")
    run("--fuel", "1000", write("quick.wasm", main_module(b""))).want(0)
    run("--fuel", "many", write("quick.wasm", main_module(b""))).want(125, "'many' is not a number")


@test
def features_are_switched():
    bytewise = write("bytewise.wasm", b"\0asm\1\0\0\0" + bytes([5, 4, 1, 8, 1, 0]))
    vector = write("vector.wasm", b"\0asm\1\0\0\0" + bytes([1, 5, 1, 0x60, 1, 0x7b, 0]))
    for command in ("validate", "inspect", "explore"):
        run(command, bytewise).want(126, "memory with a page size (0) needs feature custom-page-sizes "
                                    "(--features +custom-page-sizes)", "offset 0xa")
        run(command, "--features", "+custom-page-sizes", bytewise).want(0)
        run(command, "--features=all", bytewise).want(0)
        run(command, "--features=mvp", vector).want(126, "needs feature simd")
        run(command, "--features=all,-simd", vector).want(126, "needs feature simd")
        run(command, "--features", "-gc", "--features", "mvp,+simd", vector).want(0)
        run(command, "--features", "smid", vector).want(125, "no feature 'smid'", "simd", "threads", "wasm-2.0")
    good = exit_module(7)
    run("--features", "mvp", write("good.wasm", good)).want(7)
    run("run", "--features", "-simd", write("both.wasm", open(vector, "rb").read())).want(126, "needs feature simd")
    run(bytewise).want(126, "needs feature custom-page-sizes")
    config = write("features.json", b'{"module": "good.wasm", "features": "mvp"}')
    run("--config", config).want(7)
    config = write("features.json", b'{"module": "bytewise.wasm", "features": ["-gc", "-simd"]}')
    run("--config", config).want(126, "needs feature custom-page-sizes")


@test
def max_memory():
    module = Module()
    module.mem(1)
    module.func(local_get(0) + b"\x40\x00", [I32], [I32], export="grow")
    file = write("grow.wasm", module.bytes())
    run("--invoke", "grow", "--max-memory", "128k", file, "1").want(0).prints("1\n")
    run("--invoke", "grow", "--max-memory", "128k", file, "2").want(0).prints("-1\n")
    run("--invoke", "grow", file, "2").want(0).prints("1\n")
    run("--max-memory", "1k", "--invoke", "grow", file, "0").want(126)


@test
def max_stack():
    file = write("dive.wasm", Module.bytes(counted_dive()))
    depths = []
    for size in ("1m", "64m"):
        result = run("--max-stack", size, "--invoke", "depth", file).want(0)
        depths.append(int(result.out))
    assert depths[0] == depths[1] == 5000, depths
    run("--max-stack", "64k", "--invoke", "depth", file).want(134, "call stack exhausted")


def counted_dive():
    """depth(): 5000 calls deep."""
    module = Module()
    module.func(local_get(0) + b"\x45\x04\x7f" + i32(0) + b"\x05" + local_get(0) + i32(1) + b"\x6b" +
                call(0) + i32(1) + b"\x6a" + END, [I32], [I32])
    module.func(i32(5000) + call(0), results=[I32], export="depth")
    return module


# ---------------------------------------------------------------- what the guest sees

@test
def arguments_are_verbatim():
    file = write("args.wasm", list_module("args"))
    run(file, "--help", "-x", "", "two words", "--").want(0).prints("args\0--help\0-x\0\0two words\0--\0")
    run("--argv0", "me", file, "--dir").want(0).prints("me\0--dir\0")
    run("run", "--", file, "a").want(0).prints("args\0a\0")
    run("./args.wasm").want(0).prints("args\0")
    run("-", "x", stdin=list_module("args")).want(0).prints("-\0x\0")


@test
def environment_is_empty_unless_asked_for():
    file = write("env.wasm", list_module("environ"))
    env = dict(os.environ, SEEN="from host")
    run(file, env=env).want(0).prints("")
    run("--env", "A=1", "--env=B=x=y", "--env", "C=", file, env=env).want(0).prints("A=1\0B=x=y\0C=\0")
    run("--env", "SEEN", "--env", "NOT_SET_ANYWHERE", file, env=env).want(0).prints("SEEN=from host\0")


@test
def directories():
    file = write("pre.wasm", preopen_module())
    os.makedirs("d", exist_ok=True)
    run(file).want(8)  # badf: no directory unless asked for
    run("--dir", "d", file).want(0).prints("d")
    run("--dir=d::/guest", file).want(0).prints("/guest")
    run("--dir", "d::/guest:ro", file).want(0).prints("/guest")
    run("--dir", "d:ro", file).want(0).prints("d")
    run("--dir", "d::ro", file).want(0).prints("ro")
    run("--dir", "d::ro:ro", file).want(0).prints("ro")
    run("--dir", "d::a::b:ro", file).want(0).prints("a::b")
    for value in ("", ":ro", "::", "::x", "d::", "d:::ro"):
        run("--dir", value, file).want(125, "must not be empty")
    run("--dir", "hello.wasm", file).want(125, "hello.wasm")


@test
def read_only_directories():
    file = write("create.wasm", create_module())
    os.makedirs("w", exist_ok=True)
    assert run("--dir", "w:ro", file).code != 0
    assert not os.path.exists("w/new")
    run("--dir", "w", file).want(0)
    assert os.path.exists("w/new")


@test
def output():
    run(write("hello.wasm", hello_module())).want(0).prints("hello\n")
    run("run", "hello.wasm").want(0).prints("hello\n")
    run("-", stdin=hello_module()).want(0).prints("hello\n")
    run("-", stdin=b"junk").want(126, "<stdin>")


@test
def a_closed_pipe_is_an_error_for_the_guest():
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([WASMRUN, write("hello.wasm", hello_module())], stdout=write_end, timeout=60)
    os.close(write_end)
    assert done.returncode == 64, done.returncode  # errno pipe


def closing(fds, *words):
    """Runs wasmrun with these standard streams closed from the start."""
    def close_them():
        for fd in fds:
            os.close(fd)
    streams = {0: "stdin", 1: "stdout", 2: "stderr"}
    pipes = {name: subprocess.PIPE for fd, name in streams.items() if fd not in fds}
    return subprocess.run([WASMRUN, *words], preexec_fn=close_them, timeout=60, close_fds=True, **pipes)


def stream_module():
    """Exits with 16 * errno of fd_fdstat_get(0) + errno of fd_fdstat_get(1)."""
    module = Module()
    get = module.imp(WASI, "fd_fdstat_get", [I32, I32], [I32])
    leave = module.imp(WASI, "proc_exit", [I32])
    module.mem(1)
    module.func(i32(0) + i32(0) + call(get) + i32(4) + b"\x74" + i32(1) + i32(0) + call(get) + b"\x72" +
                call(leave), export="_start")
    return module.bytes()


def open_and_trap_module():
    """Creates the file `new` in directory 3, keeps it open and traps."""
    module = Module()
    path_open = module.imp(WASI, "path_open", [I32, I32, I32, I32, I32, I64, I64, I32, I32], [I32])
    module.mem(1)
    module.data(0, b"new")
    module.func(i32(3) + i32(0) + i32(0) + i32(3) + i32(1) + i64(0x40) + i64(0) + i32(0) + i32(16) +
                call(path_open) + DROP + UNREACHABLE, export="_start")
    return module.bytes()


@test
def closed_streams_are_closed_for_the_guest():
    file = write("stream.wasm", stream_module())
    badf = 8
    for fds, code in (((), 0), ((0,), badf * 16), ((1,), badf), ((0, 1), badf * 17), ((0, 1, 2), badf * 17)):
        done = closing(fds, "--timeout", "20", file)
        assert done.returncode == code, (fds, done)


@test
def messages_never_go_to_a_file_of_the_guest():
    file = write("open_trap.wasm", open_and_trap_module())
    for fds in ((2,), (1, 2), (0, 1, 2)):
        os.makedirs("own", exist_ok=True)
        done = closing(fds, "--dir", "own", file)
        assert done.returncode == 134, (fds, done)
        with open("own/new", "rb") as made:
            assert made.read() == b"", fds
        os.remove("own/new")


@test
def a_full_disk_is_an_error():
    file = write("hello.wasm", hello_module())
    math = write("math.wasm", math_module())
    nospc = 51
    table = ((("--version",), 125), (("--help",), 125), (("run", "--help"), 125), (("inspect", file), 125),
             (("inspect", "--json", file), 125), (("inspect", "none.wasm"), 127), ((file,), nospc),
             (("--invoke", "add", math, "1", "2"), 134))
    for words, code in table:
        with open("/dev/full", "wb") as full:
            done = subprocess.run([WASMRUN, *words], stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == code, (words, done)
        assert done.stderr.count(b"cannot write") == (code in (125, 134)), (words, done)


# ---------------------------------------------------------------- --invoke

@test
def invoke_values():
    file = write("math.wasm", math_module())
    table = (
        (("add", "2", "3"), "5\n"),
        (("add", "-1", "0x10"), "15\n"),
        (("same_i32", "4294967295"), "-1\n"),
        (("same_i32", "-2147483648"), "-2147483648\n"),
        (("same_i64", "0xffffffffffffffff"), "-1\n"),
        (("same_i64", "-9223372036854775808"), "-9223372036854775808\n"),
        (("same_f32", "0.1"), "0.1\n"),
        (("same_f32", "-0"), "-0\n"),
        (("same_f64", "0.1"), "0.1\n"),
        (("same_f64", "1e308"), "1e+308\n"),
        (("same_f64", "inf"), "inf\n"),
        (("same_f64", "nan"), "nan\n"),
        (("same_f64", "0x1p-1074"), "4.94065645841247e-324\n"),
        (("swap", "1", "2"), "2\n1\n"),
        (("same_ref", "null"), "null\n"),
        (("nothing",), ""),
    )
    for words, out in table:
        for backend in BACKENDS:
            run("--backend", backend, "--invoke", words[0], file, *words[1:]).want(0).prints(out)


@test
def invoke_errors():
    file = write("math.wasm", math_module())
    table = (
        (("add", "1"), "takes 2 arguments, 1 given", "add i32 i32 -> i32"),
        (("add", "1", "2", "3"), "takes 2 arguments, 3 given"),
        (("add", "1", "x"), "argument 2 of 'add' must be of type i32, got 'x'"),
        (("same_i32", "4294967296"), "must be of type i32"),
        (("same_i32", "-2147483649"), "must be of type i32"),
        (("same_i32", ""), "must be of type i32"),
        (("same_i32", "0x"), "must be of type i32"),
        (("same_i32", " 1"), "must be of type i32"),
        (("same_i64", "18446744073709551616"), "must be of type i64"),
        (("same_f32", "1e39"), "must be of type f32"),
        (("same_f64", "1.0.0"), "must be of type f64"),
        (("same_ref", "1"), "must be of type externref"),
        (("nosuch",), "no exported function 'nosuch'", "add"),
    )
    for words, *texts in table:
        run("--invoke", words[0], file, *words[1:]).want(125, *texts)


@test
def invoke_calls_initialize_first():
    module = Module()
    value = module.mutable_i32(1)
    module.func(i32(42) + b"\x24" + uleb(value), export="_initialize")
    module.func(b"\x23" + uleb(value), results=[I32], export="get")
    run("--invoke", "get", write("init.wasm", module.bytes())).want(0).prints("42\n")


@test
def invoke_trap():
    module = Module()
    module.func(UNREACHABLE, export="go")
    run("--invoke", "go", write("go.wasm", module.bytes())).want(134, "trap: unreachable", "#0 ", "go")


# ---------------------------------------------------------------- validate, inspect

@test
def validate():
    good, bad = write("good.wasm", hello_module()), write("bad.wasm", b"bad")
    run("validate", good).want(0).prints("")
    run("validate", good, good).want(0)
    run("validate", good, bad, "no-such.wasm").want(126, "bad.wasm", "no-such.wasm")
    run("validate", "-", stdin=hello_module()).want(0)


@test
def inspect_text():
    module = Module()
    module.imp("env", "host", [I32], [I64])
    module.mem(2, 5)
    module.func(b"", export="_start", label="main")
    out = run("inspect", write("look.wasm", module.bytes())).want(0).out.decode()
    for text in ("look.wasm", "env.host", "(func (param i32) (result i64))", "(memory 2 5)", "_start", "code",
                 '"name"'):
        assert text in out, (text, out)


@test
def inspect_json():
    module = Module()
    module.imp("env", "a\"b\\c\n", [I32], [])
    module.mem(1, export="mem")
    module.func(b"", export="_start")
    raw = module.bytes()
    data = json.loads(run("inspect", "--json", write("look.wasm", raw)).want(0).out)
    assert data["bytes"] == len(raw), data
    assert data["memories"] == ["(memory 1)"] and data["tables"] == [], data
    assert data["imports"] == [{"module": "env", "name": "a\"b\\c\n", "kind": "func", "type": "(func (param i32))"}]
    assert [(e["name"], e["kind"], e["type"]) for e in data["exports"]] == [
        ("mem", "memory", "(memory 1)"), ("_start", "func", "(func)")], data
    assert [s["id"] for s in data["sections"]] == [1, 2, 3, 5, 7, 10], data
    for part in data["sections"]:
        assert raw[part["offset"] - 1] in (part["size"], part["size"] & 0x7F), part


# ---------------------------------------------------------------- running the tests

def main():
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for function in TESTS:
            label = function.__name__.replace("_", " ")
            try:
                function()
                passed += 1
                print(f"ok    {label}")
            except Skip as reason:
                skipped += 1
                print(f"SKIP  {label}: {reason}")
            except (AssertionError, subprocess.TimeoutExpired, ValueError, OSError) as problem:
                failed += 1
                where = traceback.extract_tb(problem.__traceback__)
                lines = ", ".join(str(f.lineno) for f in where if f.filename == os.path.abspath(__file__))
                print(f"FAIL  {label} (line {lines}): {problem}")
        os.chdir("/")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
