#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's crun with our handler: which containers it takes, exit codes, exec, terminals, what is
locked, Linux containers beside it, bad input. The handlers' folder is ours in this mount namespace
alone."""
import copy
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys

import cri
import harness
import images
import machine
from bundles import read, receive_terminal
from handlers import ENGINE, Handlers
from harness import Skip, case, wait_for
from shims import gone, process_of

COMPAT = {"module.wasm.image/variant": "compat"}
SMART = {"module.wasm.image/variant": "compat-smart"}
HANDLER = {"run.oci.handler": "wasm"}


class Crun(Handlers):
    def run(self, words, annotations=None, program=None, **options):
        """`crun run` of a bundle that is gone afterwards."""
        ident = self.bundle(words, annotations=annotations if annotations is not None else COMPAT, **options)
        done = subprocess.run([program or self.program, "run", "--bundle", self.path(ident), ident],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        self.drop(ident)
        return done

    def started(self, words, annotations=None, **options):
        """A running container that has said "up"."""
        ident = self.bundle(words, annotations=annotations if annotations is not None else COMPAT, **options)
        out = f"{self.path(ident)}/out"
        self.create(ident, out=out)
        self.ok("start", ident)
        wait_for("its words", lambda: "up" in read(out))
        return ident

    def refused(self, done, code, *words):
        """One line with these words, and this exit code."""
        text = done.stderr.decode()
        assert done.returncode == code and text.count("\n") == 1, done
        assert all(word in text for word in words), text


def nothing_left(crun):
    left = machine.leftovers()
    for ident in os.listdir("/run/crun") if left and os.path.exists("/run/crun") else ():
        crun.call("delete", "--force", ident)
    assert not left, left


# ---------------------------------------------------------------- which containers

@case
def crun_knows_the_handler(crun):
    assert "+WASM:wasmrun" in crun.ok("--version")


@case
def annotations_select(crun):
    for annotations in (COMPAT, SMART, HANDLER, {"run.oci.handler": "wasmrun"}, {"run.oci.handler": "wasm-smart"}):
        done = crun.run(["/hello.wasm", "a", "b"], annotations, env=["WHO=crun"])
        assert (done.returncode, done.stdout) == (0, b"hello crun a b\n"), (annotations, done)
    done = crun.run(["/hello.wasm"], {})
    assert done.returncode == 1 and b"format" in done.stderr, done
    nothing_left(crun)


@case
def compat_smart_leaves_linux_to_crun(crun):
    done = crun.run(["/bin/sh", "-c", "echo linux $0; exit 5"], SMART, root="busybox")
    assert (done.returncode, done.stdout) == (5, b"linux /bin/sh\n"), done
    done = crun.run(["/bin/sh", "-c", "exit 5"], COMPAT, root="busybox")
    crun.refused(done, 126, "not a WebAssembly module")
    nothing_left(crun)


@case
def a_module_in_a_volume(crun):
    def change(spec):
        spec["mounts"].append({"destination": "/volume", "type": "bind", "source": f"{crun.home}/guests",
                               "options": ["rbind", "ro"]})
    for annotations in (COMPAT, SMART):
        done = crun.run(["/volume/hello.wasm"], annotations, root="busybox", change=change)
        assert (done.returncode, done.stdout) == (0, b"hello world\n"), done
    nothing_left(crun)


@case
def by_the_name_of_the_program(crun):
    program = f"{crun.home}/crun-wasmrun"
    done = crun.run(["/exit.wasm", "3"], {}, program=program)
    assert done.returncode == 3, done
    done = crun.run(["/bin/sh", "-c", "echo sidecar; exit 4"], {}, program=program, root="busybox")
    assert (done.returncode, done.stdout) == (4, b"sidecar\n"), done
    done = crun.run(["/hello.wasm"], HANDLER, program=program)
    assert done.returncode == 1 and b"already configured" in done.stderr, done
    for folder in machine.groups_below(machine.group())[:-1]:
        os.rmdir(folder) if machine.view() == "v2" else None  # crun itself leaves it
    done = crun.run(["/bin/sh", "-c", "exit 6"], {"io.kubernetes.cri.container-type": "sandbox"}, program=program,
                    root="busybox")
    assert done.returncode == 6, done
    nothing_left(crun)


def opened_by(crun, words, annotations, **options):
    """Names of files below our folders that a run opens."""
    ident = crun.bundle(words, annotations=annotations, **options)
    log = f"{crun.home}/strace"
    command = crun.argv("run", "-b", crun.path(ident), ident)
    subprocess.run(["strace", "-f", "-o", log, "-e", "trace=open,openat", "--", *command],
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    crun.drop(ident)
    return {os.path.basename(path) for path in re.findall(r'"([^"]+\.so)"', read(log)) if "wasmrun" in path}


@case
def the_engine_stays_closed_for_others(crun):
    assert opened_by(crun, ["/bin/true"], {}, root="busybox") == {"wasmrun.so"}
    assert opened_by(crun, ["/bin/true"], {"a": "b"}, root="busybox") == {"wasmrun.so"}
    assert opened_by(crun, ["/hello.wasm"], COMPAT) == {"wasmrun.so", ENGINE}
    nothing_left(crun)


@case
def another_file_than_config_json(crun):
    ident = crun.bundle(["/exit.wasm", "3"], annotations=COMPAT)
    folder = crun.path(ident)
    os.rename(f"{folder}/config.json", f"{folder}/other.json")
    for words in (("-f", "other.json"), ("--config=other.json",), ("--config", f"{folder}/other.json")):
        done = subprocess.run(crun.argv("run", *words, ident), stdin=subprocess.DEVNULL, capture_output=True,
                              cwd=folder, timeout=30)
        assert done.returncode == 3, (words, done)
    crun.drop(ident)
    nothing_left(crun)


# ---------------------------------------------------------------- ends

@case
def exit_codes_are_the_guests(crun):
    for code in (0, 3, 134, 137, 143, 255):
        done = crun.run(["/exit.wasm", str(code)])
        assert (done.returncode, done.stderr) == (code, b"exit %d\n" % code), done
    done = crun.run(["/hostile.wasm", "trap"])
    assert done.returncode == 134 and b"wasmrun: /hostile.wasm: trap: unreachable\n" in done.stderr, done
    done = crun.run(["/nothing.wasm"])
    crun.refused(done, 127, "nothing.wasm")
    done = crun.run(["/bad.wasm"])
    crun.refused(done, 126, "/bad.wasm: ")
    done = crun.run(["/hello.wasm#nope"])
    crun.refused(done, 127, "nope")
    done = crun.run(["/hello.wasm#_start"])
    assert done.stdout == b"hello world\n", done
    nothing_left(crun)


@case
def signals_end_it(crun):
    for number, code in (("TERM", 143), ("KILL", 137), ("INT", 130), ("USR1", 138), ("HUP", 129)):
        ident = crun.bundle(["/sleeper.wasm"], annotations=COMPAT)
        child = subprocess.Popen(crun.argv("run", "--bundle", crun.path(ident), ident), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"up\n"
        crun.ok("kill", ident, number)
        assert child.wait(10) == code, (number, child.returncode)
        child.stdout.close()
        crun.drop(ident)
    nothing_left(crun)


@case
def create_start_kill_delete(crun):
    ident = crun.bundle(["/sleeper.wasm"], annotations=HANDLER)
    out = f"{crun.path(ident)}/out"
    pid = crun.create(ident, out=out)
    assert crun.status(ident) == "created" and read(out) == ""
    crun.ok("start", ident)
    wait_for("its words", lambda: "up" in read(out))
    assert crun.status(ident) == "running"
    crun.ok("kill", ident, "TERM")
    wait_for("its end", lambda: gone(pid))
    crun.wait_status(ident, "stopped")
    crun.ok("delete", ident)
    crun.drop(ident)
    nothing_left(crun)


# ---------------------------------------------------------------- exec, update

@case
def execs(crun):
    for annotations in (COMPAT, HANDLER):
        ident = crun.started(["/sleeper.wasm"], annotations)
        done = crun.call("exec", "--env", "WHO=exec", ident, "/hello.wasm", "x")
        assert (done.returncode, done.stdout) == (0, b"hello exec x\n"), done
        assert crun.call("exec", "-e", "A=b", "--cwd=/tmp", ident, "/exit.wasm", "6").returncode == 6
        assert crun.call("exec", ident, "/exit.wasm", "137").returncode == 137
        assert crun.call("exec", ident, "/hostile.wasm", "trap").returncode == 134
        assert crun.call("exec", ident, "/echo.wasm", stdin=b"some\n").stdout == b"some\neof 5\n"
        assert crun.call("exec", ident, "/nothing.wasm").returncode != 0
        crun.clean(ident)
    nothing_left(crun)


@case
def an_exec_in_the_background(crun):
    ident = crun.started(["/sleeper.wasm"])
    path, pid_file, out = (f"{crun.path(ident)}/{name}" for name in ("process.json", "exec.pid", "exec.out"))
    with open(path, "w", encoding="utf-8") as file:
        json.dump(process_of(["/sleeper.wasm"]), file)
    with open(out, "wb") as to:
        done = subprocess.run(crun.argv("--root", "/run/crun", "exec", "--process", path, "--detach", "--pid-file",
                                        pid_file, ident), stdin=subprocess.DEVNULL, stdout=to, stderr=to, timeout=30)
    assert done.returncode == 0, read(out)
    pid = int(read(pid_file))
    wait_for("its words", lambda: "up" in read(out))
    assert locks_of(pid)["Seccomp"] == "2"
    crun.ok("kill", ident, "KILL")
    wait_for("the exec's end", lambda: gone(pid))
    crun.clean(ident)
    nothing_left(crun)


@case
def execs_of_linux_programs(crun):
    def change(spec):
        spec["mounts"].append({"destination": "/tools", "type": "bind", "source": f"{crun.home}/busybox/bin",
                               "options": ["rbind", "ro"]})
    ident = crun.started(["/sleeper.wasm"], COMPAT, change=change)
    crun.refused(crun.call("exec", ident, "/tools/true"), 126, "a Linux program in a Wasm container")
    crun.clean(ident)
    ident = crun.started(["/sleeper.wasm"], SMART, change=change)
    assert crun.ok("exec", ident, "/tools/echo", "linux") == "linux\n"
    assert crun.ok("exec", ident, "/hello.wasm") == "hello world\n"
    crun.clean(ident)
    ident = crun.started(["/bin/sh", "-c", "echo up; sleep 1000"], SMART, root="busybox")
    assert crun.ok("exec", ident, "/bin/echo", "linux") == "linux\n"
    crun.clean(ident)
    nothing_left(crun)


@case
def updates(crun):
    ident = crun.started(["/sleeper.wasm"], HANDLER)
    if machine.view() != "v1":
        crun.clean(ident)
        raise Skip("no memory controller")
    crun.ok("update", "--memory", "67108864", ident)
    assert int(read(f"/sys/fs/cgroup/memory/{machine.group()}/{ident}/memory.limit_in_bytes")) == 64 << 20
    crun.clean(ident)
    nothing_left(crun)


# ---------------------------------------------------------------- terminals

@case
def a_terminal_of_run(crun):
    ident = crun.bundle(["/echo.wasm"], annotations=COMPAT, terminal=True)
    master, slave = pty.openpty()
    child = subprocess.Popen(crun.argv("run", "-b", crun.path(ident), ident), stdin=slave, stdout=slave, stderr=slave,
                             start_new_session=True)
    os.close(slave)
    seen = b""
    os.write(master, b"typed\n")
    while seen.count(b"typed") < 2:  # its echo, and the guest's
        seen += os.read(master, 100)
    os.write(master, b"\4")
    while b"eof 6" not in seen:
        seen += os.read(master, 100)
    assert child.wait(10) == 0, seen
    os.close(master)
    crun.drop(ident)
    nothing_left(crun)


@case
def a_terminal_by_the_console_socket(crun):
    ident = crun.bundle(["/sleeper.wasm"], annotations=COMPAT, terminal=True)
    server = socket.socket(socket.AF_UNIX)
    path = f"{machine.BASE}/tty.sock"
    server.bind(path)
    server.listen(2)
    server.settimeout(10)
    crun.create(ident, "--console-socket", path)
    master = receive_terminal(server)
    crun.ok("start", ident)
    assert b"up\r\n" in os.read(master, 100)
    crun.ok("exec", "--tty", "--console-socket", path, "--detach", ident, "/hello.wasm")
    other = receive_terminal(server)
    assert b"hello world\r\n" in os.read(other, 100)
    crun.clean(ident)
    for fd in (master, other):
        os.close(fd)
    server.close()
    os.unlink(path)
    nothing_left(crun)


# ---------------------------------------------------------------- locks

def locks_of(pid):
    return dict(re.findall(r"^(\w+):\s*(.*)$", read(f"/proc/{pid}/status"), re.M))


@case
def what_is_taken_from_it(crun):
    def change(spec):
        spec["process"].update(user={"uid": 1000, "gid": 1000}, noNewPrivileges=False)
        spec["process"]["capabilities"]["ambient"] = []
    for alter, capabilities in ((None, (1 << 1) | (1 << 3) | (1 << 10)), (change, 0)):
        ident = crun.started(["/sleeper.wasm"], change=alter)
        pid = json.loads(crun.ok("state", ident))["pid"]
        locks = locks_of(pid)
        assert (locks["NoNewPrivs"], locks["Seccomp"]) == ("1", "2"), locks
        assert int(locks["CapEff"], 16) == int(locks["CapPrm"], 16) == capabilities, locks
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd") if int(fd) > 2]
        assert not any(link.startswith("/") for link in links if link != "/"), links
        assert ENGINE in read(f"/proc/{pid}/maps") and read(f"/proc/{pid}/comm") == "wasmrun\n"
        crun.clean(ident)
    nothing_left(crun)


@case
def files_are_the_containers(crun):
    volume = f"{crun.home}/volume"
    os.makedirs(volume)

    def change(spec):
        spec["mounts"] += [{"destination": where, "type": "bind", "source": volume, "options": ["rbind", how]}
                           for where, how in (("/rw", "rw"), ("/ro", "ro"))]
    done = crun.run(["/files.wasm", "write", "/rw/a", "/ro/b", "/c", "/proc/self/mem", "/proc/sys/kernel/domainname"],
                    change=change, readonly=True)
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "/rw/a: written" and read(f"{volume}/a") == "guest\n", lines
    assert all(": error" in line for line in lines[1:]) and len(lines) == 5, lines
    done = crun.run(["/files.wasm", "write", "/tmp/x"])
    assert done.stdout == b"/tmp/x: written\n", done
    done = crun.run(["/files.wasm", "write", "/proc/self/mem", "/proc/1/mem"])
    assert done.stdout.count(b": error") == 2, done
    done = crun.run(["/files.wasm", "read", "/data", "/links/abs", "/links/host", "/links/up"])
    assert b"/data: read in the image\n" in done.stdout and b"root:" not in done.stdout, done
    machine.remove_tree(volume)
    nothing_left(crun)


@case
def nothing_of_the_host_is_seen(crun):
    os.environ["HOST_SECRET"] = "of the host"
    try:
        ident = crun.started(["/sleeper.wasm"])
        pid = json.loads(crun.ok("state", ident))["pid"]
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert b"HOST_SECRET" not in file.read()
        crun.clean(ident)
        done = crun.run(["/environ.wasm"], env=["WHO=me"])
        assert b"HOST_SECRET" not in done.stdout and b"WHO=me\n" in done.stdout, done
    finally:
        del os.environ["HOST_SECRET"]
    done = crun.run(["/files.wasm", "read", "/proc/self/environ", "/proc/self/mem", "/proc/cpuinfo", "/proc/1/maps"])
    assert done.stdout.count(b": error") == 4, done
    nothing_left(crun)


def profile(*left_out):
    """An allow list like the usual ones, without some calls."""
    names = """accept accept4 access arch_prctl bind brk capget capset chdir clock_getres clock_gettime clock_nanosleep
clone clone3 close close_range connect dup dup2 dup3 epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd2
execve exit exit_group faccessat faccessat2 fchdir fcntl fork fstat fstatfs futex getcwd getdents64 getegid
geteuid getgid getpid getppid getrandom getsockname getsockopt gettid getuid ioctl landlock_add_rule
landlock_create_ruleset landlock_restrict_self listen lseek lstat madvise mmap mprotect mremap munmap
nanosleep newfstatat open openat openat2 pipe2 poll ppoll prctl pread64 preadv2 prlimit64 pselect6 pwrite64
pwritev2 read readlink readlinkat readv rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity
sched_yield seccomp select sendto set_robust_list set_tid_address setgid setgroups setresgid setresuid
setsid setsockopt setuid sigaltstack socket stat statx tgkill timerfd_create timerfd_settime umask uname
wait4 write writev""".split()
    return {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
            "syscalls": [{"names": [name for name in names if name not in left_out], "action": "SCMP_ACT_ALLOW"}]}


@case
def profiles_stand_beside_ours(crun):
    def change(left_out, early):
        def alter(spec):
            spec["linux"]["seccomp"] = profile(*left_out)
            spec["process"]["noNewPrivileges"] = not early
        return alter
    landlock = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
    for left_out, said in (((), b""), (landlock, b"Landlock"), (("seccomp",), b"seccomp"),
                           ((*landlock, "seccomp", "close_range"), b"seccomp")):
        for early in (False, True):
            done = crun.run(["/hello.wasm"], change=change(left_out, early))
            assert (done.returncode, done.stdout) == (0, b"hello world\n"), (left_out, early, done)
            assert said in done.stderr and done.stderr.count(b"\n") == (1 if said else 0), (left_out, early, done)
    done = crun.run(["/hello.wasm"], change=change(("capset",), False))
    crun.refused(done, 126, "capabilities")
    nothing_left(crun)


@case
def user_namespaces_and_threads(crun):
    def change(spec):
        spec["linux"]["namespaces"].append({"type": "user"})
        for kind in ("uid", "gid"):
            spec["linux"][kind + "Mappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        del spec["linux"]["resources"]
    done = crun.run(["/hello.wasm"], change=change)
    assert (done.returncode, done.stdout) == (0, b"hello world\n"), done
    done = crun.run(["/files.wasm", "write", "/proc/self/mem", "/data"], change=change)
    assert done.stdout.count(b": error") == 2, done
    done = crun.run(["/threads.wasm"])
    assert done.returncode == 0, done
    nothing_left(crun)


@case
def the_folder_and_the_environment(crun):
    def change(spec):
        spec["process"]["cwd"] = "/tmp"
    done = crun.run(["/environ.wasm"], change=change, env=["A=b"])
    lines = done.stdout.decode().splitlines()
    assert {"A=b", "PWD=/tmp", "PATH=/bin"} <= set(lines), lines
    done = crun.run(["../hello.wasm"], change=change)
    assert done.stdout == b"hello world\n", done
    nothing_left(crun)


@case
def limits_do_not_break_it(crun):
    def change(spec):
        spec["process"]["rlimits"] += [{"type": "RLIMIT_AS", "hard": 256 << 20, "soft": 256 << 20}]
        spec["linux"]["resources"] = {"memory": {"limit": 32 << 20}} if machine.view() == "v1" else {}
    done = crun.run(["/hello.wasm"], change=change)
    assert (done.returncode, done.stdout) == (0, b"hello world\n"), done
    done = crun.run(["/hostile.wasm", "memory"], change=change)
    assert done.returncode not in (0, 139), done
    nothing_left(crun)


# ---------------------------------------------------------------- others, bad input

@case
def linux_containers_beside_are_unchanged(crun):
    wasm = crun.started(["/sleeper.wasm"])
    linux = crun.started(["/bin/sh", "-c", "echo up; exec sleep 1000"], {}, root="busybox")
    pid = json.loads(crun.ok("state", linux))["pid"]
    assert locks_of(pid)["Seccomp"] == "0" and "wasmrun" not in read(f"/proc/{pid}/maps")
    assert crun.ok("exec", linux, "/bin/echo", "more") == "more\n"
    crun.clean(linux)
    crun.clean(wasm)
    nothing_left(crun)


@case
def annotations_that_are_wrong(crun):
    done = crun.run(["/hello.wasm"], {"module.wasm.image/variant": "other"})
    crun.refused(done, 1, "module.wasm.image/variant", "other")
    done = crun.run(["/hello.wasm"], {**COMPAT, "io.wasmrun/net": "nonsense"})
    crun.refused(done, 126, "io.wasmrun/net")
    done = crun.run(["/bin/true"], {"note": "module.wasm.image/variant"}, root="busybox")
    assert (done.returncode, done.stderr) == (0, b""), done
    nothing_left(crun)


@case
def without_its_engine(crun):
    os.unlink(crun.engine)
    try:
        for annotations in (COMPAT, HANDLER):
            crun.refused(crun.run(["/hello.wasm"], annotations), 1, "wasmrun", ENGINE)
        done = crun.run(["/bin/true"], {}, root="busybox")
        assert (done.returncode, done.stderr) == (0, b""), done
        with open(crun.engine, "wb") as file:
            file.write(b"\x7fELF" + bytes(100))
        crun.refused(crun.run(["/hello.wasm"]), 1, "wasmrun", ENGINE)
        ident = crun.bundle(["/hello.wasm"], annotations=COMPAT)  # the fork of create reads the error
        done = crun.call("create", "-b", crun.path(ident), ident)
        assert done.returncode == 1 and ENGINE in done.stderr.decode(), done
        crun.drop(ident)
    finally:
        crun.install()
    nothing_left(crun)


@case(slow=True)
def pods_of_the_cri(crun):
    """containerd, runc's shim and crun: a guest and a Linux program in one pod."""
    if machine.view() != "v1":
        raise Skip("containerd asks for limits of cgroup v1 here")
    options = copy.copy(crun.options)
    options.runtime = "crun"
    with cri.cluster(options) as cluster, cluster.pod(annotations=SMART) as pod:
        guest = pod.start(["/sleeper.wasm"], annotations=SMART)
        linux = pod.start(["/bin/sleep", "1000"], image=images.BUSYBOX, annotations=SMART)
        guest.says("up")
        assert guest.exec("/hello.wasm", "x").stdout == b"hello world x\n"
        assert guest.exec("/exit.wasm", "3").exit_code == 3
        assert linux.exec("/bin/echo", "linux").stdout == b"linux\n"
        pid = guest.info()["pid"]
        assert locks_of(pid)["Seccomp_filters"] == "2" and read(f"/proc/{pid}/comm") == "wasmrun\n"
        assert guest.text("stderr") == "", guest.lines()
        guest.stop(5)
        assert guest.exited().exit_code == 143
        for code in (0, 3, 137):
            assert pod.start(["/exit.wasm", str(code)], annotations=SMART).exited().exit_code == code
        trap = pod.start(["/hostile.wasm", "trap"], annotations=SMART)
        assert trap.exited().exit_code == 134
        trap.says("unreachable")
    machine.IGNORED.add("sockets")  # runc's shim leaves them
    nothing_left(crun)


@case(slow=True)
def many_lives(crun):
    """Every other one with an exec."""
    for number in range(crun.options.cycles):
        annotations = (COMPAT, HANDLER, SMART)[number % 3]
        if number % 2:
            ident = crun.started(["/sleeper.wasm"], annotations)
            assert crun.call("exec", ident, "/exit.wasm", "3").returncode == 3
            crun.ok("kill", ident, "TERM" if number % 4 == 1 else "KILL")
            crun.wait_status(ident, "stopped")
            crun.ok("delete", ident)
            crun.drop(ident)
        else:
            code = (0, 3, 137, 143)[number // 2 % 4]
            assert crun.run(["/exit.wasm", str(code)], annotations).returncode == code
    nothing_left(crun)


if __name__ == "__main__":
    if not shutil.which("crun"):
        print("SKIPPED: live_crun.py: crun is not installed\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    sys.exit(harness.main(__doc__, Crun, controllers=()))
