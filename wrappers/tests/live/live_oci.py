#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The OCI runtime by its command line alone: the life of containers, exec, terminals, hooks, limits,
Linux containers that are passed on, bad input, and SIGKILL at each system call of a create."""
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import harness
import machine
from bundles import Oci, read, receive_terminal
from harness import Skip, case, wait_for
from shims import gone, process_of


def nothing_left(oci):
    left = machine.leftovers()
    for path in glob.glob("/run/wasmrun-oci/*") if left else ():  # for the cases that follow
        subprocess.run([oci.program, "delete", "--force", os.path.basename(path)],
                       stderr=subprocess.DEVNULL, timeout=20)
    assert not left, left


# ---------------------------------------------------------------- life

@case
def create_start_state_kill_delete(oci):
    ident = oci.bundle(["/sleeper.wasm"], annotations={"a.b": "c"})
    out = f"{oci.path(ident)}/out"
    pid = oci.create(ident, out=out)
    state = json.loads(oci.ok("state", ident))
    assert state["status"] == "created" and state["pid"] == pid and state["annotations"] == {"a.b": "c"}, state
    assert state["bundle"] == oci.path(ident) and state["id"] == ident and state["ociVersion"], state
    time.sleep(0.1)
    assert read(out) == "" and not gone(pid)
    oci.ok("start", ident)
    wait_for("its words", lambda: "up" in read(out))
    assert oci.status(ident) == "running"
    oci.refused("start", ident, word="running")
    oci.refused("delete", ident, word="not stopped")
    oci.ok("kill", ident, "KILL")
    oci.wait_status(ident, "stopped")
    assert json.loads(oci.ok("state", ident))["pid"] == 0
    oci.refused("kill", ident, word="not running")
    oci.ok("kill", "--all", ident, "KILL")
    oci.ok("delete", ident)
    oci.refused("state", ident, word="does not exist")
    oci.drop(ident)
    nothing_left(oci)


@case
def run_gives_the_exit_code(oci):
    for words, code in ((["/hello.wasm", "a"], 0), (["/exit.wasm", "3"], 3), (["/exit.wasm", "137"], 137),
                        (["/exit.wasm", "143"], 143), (["/exit.wasm", "255"], 255)):
        ident = oci.bundle(words)
        done = oci.call("run", "--bundle", oci.path(ident), ident)
        assert done.returncode == code, (words, done)
        oci.drop(ident)
    nothing_left(oci)


@case
def run_ends_by_signals(oci):
    for number, code, how in (("TERM", 143, "kill"), ("9", 137, "kill"), ("SIGKILL", 137, "kill"),
                              ("TERM", 143, "self"), ("INT", 130, "self")):
        ident = oci.bundle(["/sleeper.wasm"])
        child = subprocess.Popen(oci.argv("run", "--bundle", oci.path(ident), ident), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"up\n"
        if how == "kill":
            oci.ok("kill", ident, number)
        else:
            child.send_signal(getattr(signal, "SIG" + number))
        assert child.wait(10) == code, (number, how, child.returncode)
        child.stdout.close()
        oci.drop(ident)
    nothing_left(oci)


@case
def run_detached_and_kept(oci):
    ident = oci.bundle(["/sleeper.wasm"])
    with open(f"{oci.path(ident)}/out", "wb") as out:
        subprocess.run(oci.argv("run", "-d", "--pid-file", f"{oci.path(ident)}/pid", "-b", oci.path(ident), ident),
                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True, timeout=30)
    assert oci.status(ident) == "running"
    assert not gone(int(read(f"{oci.path(ident)}/pid")))
    oci.clean(ident)
    ident = oci.bundle(["/exit.wasm", "4"])
    assert oci.call("run", "--keep", "-b", oci.path(ident), ident).returncode == 4
    assert oci.status(ident) == "stopped"
    oci.clean(ident)
    nothing_left(oci)


@case
def what_was_created_is_killed_before_its_start(oci):
    ident = oci.bundle(["/sleeper.wasm"])
    pid = oci.create(ident)
    oci.ok("kill", ident, "TERM")
    wait_for("its end", lambda: gone(pid))
    oci.refused("start", ident, word="stopped")
    oci.ok("delete", ident)
    ident = oci.bundle(["/sleeper.wasm"])
    oci.create(ident)
    oci.clean(ident)
    nothing_left(oci)


@case
def names_are_used_once(oci):
    ident = oci.bundle(["/sleeper.wasm"])
    oci.create(ident)
    oci.refused("create", "-b", oci.path(ident), ident, word="exists")
    assert oci.status(ident) == "created"
    oci.clean(ident)
    oci.ok("delete", "--force", "never-there")
    oci.refused("delete", "never-there", word="does not exist")
    nothing_left(oci)


@case
def execs(oci):
    ident = oci.bundle(["/sleeper.wasm"])
    oci.create(ident)
    oci.ok("start", ident)
    done = oci.call("exec", "--env", "WHO=exec", ident, "/hello.wasm", "x")
    assert (done.returncode, done.stdout) == (0, b"hello exec x\n"), done
    assert oci.call("exec", ident, "/exit.wasm", "6").returncode == 6
    assert oci.call("exec", ident, "/echo.wasm", stdin=b"some\n").stdout == b"some\neof 5\n"
    path = f"{oci.path(ident)}/process.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(process_of(["/sleeper.wasm"]), file)
    pid_file = f"{oci.path(ident)}/exec.pid"
    with open(f"{oci.path(ident)}/exec.out", "wb") as out:
        done = subprocess.run(oci.argv("exec", "--process", path, "--detach", "--pid-file", pid_file, ident),
                              stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=30)
    assert done.returncode == 0, read(f"{oci.path(ident)}/exec.out")
    pid = int(read(pid_file))
    wait_for("its words", lambda: "up" in read(f"{oci.path(ident)}/exec.out"))
    pids = json.loads(oci.ok("ps", "--format", "json", ident))
    assert pid in pids and len(pids) == 2, pids
    oci.refused("exec", ident, "/nothing.wasm", word="nothing.wasm")
    oci.refused("exec", ident, "/data", word="Linux program")
    oci.refused("exec", ident)
    oci.clean(ident)
    wait_for("the exec's end", lambda: gone(pid))
    nothing_left(oci)


@case
def pause_resume_update_events_ps_list(oci):
    ident = oci.bundle(["/ticker.wasm"])
    out = f"{oci.path(ident)}/out"
    pid = oci.create(ident, out=out)
    oci.ok("start", ident)
    wait_for("ticks", lambda: "3" in read(out))
    try:
        oci.ok("pause", ident)
    except AssertionError as problem:
        oci.clean(ident)
        raise Skip(f"groups can't be frozen here: {problem}") from None
    size = len(read(out))
    assert oci.status(ident) == "paused"
    time.sleep(0.2)
    assert len(read(out)) == size
    oci.refused("exec", ident, "/hello.wasm", word="paused")
    oci.refused("pause", ident, word="paused")
    oci.ok("resume", ident)
    wait_for("more ticks", lambda: len(read(out)) > size)
    assert oci.status(ident) == "running"
    rows = json.loads(oci.ok("list", "--format", "json"))
    assert [row["id"] for row in rows] == [ident] and rows[0]["pid"] == pid, rows
    assert ident in oci.ok("list") and oci.ok("list", "-q").split() == [ident]
    assert str(pid) in oci.ok("ps", ident)
    event = json.loads(oci.ok("events", "--stats", ident))
    assert (event["type"], event["id"]) == ("stats", ident) and "usage" in event["data"]["cpu"], event
    if machine.view() == "v1":
        file = f"/sys/fs/cgroup/memory/{machine.group()}/{ident}/memory.limit_in_bytes"
        oci.ok("update", "--memory", "64m", ident)
        assert int(read(file)) == 64 << 20
        oci.ok("update", "--resources", "-", ident, stdin=json.dumps({"memory": {"limit": 32 << 20}}).encode())
        assert int(read(file)) == 32 << 20
    oci.refused("update", "--resources", "-", ident, stdin=b"{")
    oci.refused("update", "--memory", "much", ident)
    oci.refused("update", "--cpu-share", "1", ident, word="minimum is 2")
    oci.ok("pause", ident)
    oci.ok("kill", ident, "KILL")
    wait_for("its end", lambda: gone(pid))
    oci.ok("delete", ident)
    oci.refused("events", "--stats", ident)
    oci.drop(ident)
    nothing_left(oci)


@case
def events_end_with_the_container(oci):
    ident = oci.bundle(["/sleeper.wasm", "0.5"])
    oci.create(ident)
    oci.ok("start", ident)
    lines = oci.ok("events", "--interval", "100ms", ident).splitlines()
    assert lines and all(json.loads(line)["type"] == "stats" for line in lines), lines
    oci.clean(ident)
    nothing_left(oci)


# What Go leaves out when it is zero or empty, and rows of the kernel's own files.
SPARE = {"usage", "max", "total", "cache", "current", "limit", "periods", "throttledPeriods", "throttledTime",
         "ioServiceBytesRecursive", "ioServicedRecursive"}


def shape(value, path=""):
    """Paths of all members."""
    if isinstance(value, list):
        return set()
    if not isinstance(value, dict):
        return {path}
    rows = set().union({path}, *(shape(item, f"{path}/{key}") for key, item in value.items()))
    return {row for row in rows if row.rsplit("/", 1)[-1] not in SPARE}


@case
def events_have_the_members_of_runc(oci):
    if machine.view() == "v2" and not machine.v2_controllers():
        raise Skip("runc needs controllers")
    seen = []
    for words, root in ((["/sleeper.wasm"], "guests"), (["/bin/sleep", "1000"], "busybox")):
        ident = oci.bundle(words, root=root)
        oci.create(ident)
        oci.ok("start", ident)
        seen.append(json.loads(oci.ok("events", "--stats", ident))["data"])
        oci.clean(ident)
    ours, runcs = seen
    assert ours.pop("wasm")
    assert shape(ours) == shape(runcs), shape(ours) ^ shape(runcs)
    assert ours["cpuset"] == runcs["cpuset"] and len(ours["cpu"]["usage"].get("percpu", ())) == len(
        runcs["cpu"]["usage"].get("percpu", ())), seen
    nothing_left(oci)


@case
def memory_of_a_guest_is_seen_growing(oci):
    ident = oci.bundle(["/grower.wasm"])
    child = subprocess.Popen(oci.argv("run", "--bundle", oci.path(ident), ident), stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
    seen = []
    for _ in range(3):
        pages = int(child.stdout.readline())
        held = json.loads(oci.ok("events", "--stats", ident))["data"]["wasm"]
        assert held["memory"] == {"usage": pages << 16, "limit": 1 << 32} and held["tableElements"] >= 0, held
        seen.append(pages)
        child.stdin.write(b"\n")
        child.stdin.flush()
    assert seen == [seen[0], seen[0] + 16, seen[0] + 32], seen
    child.stdout.readline()
    child.stdin.close()
    assert child.wait(10) == 0
    child.stdout.close()
    oci.drop(ident)
    nothing_left(oci)


# ---------------------------------------------------------------- terminals, hooks

@case
def a_terminal_is_sent_to_the_console_socket(oci):
    ident = oci.bundle(["/sleeper.wasm"], terminal=True)
    folder = os.open(oci.path(ident), os.O_PATH)
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"/proc/self/fd/{folder}/tty.sock")
    server.listen(2)
    path = f"{oci.path(ident)}/tty.sock"
    oci.refused("create", "-b", oci.path(ident), ident, word="--console-socket")
    oci.create(ident, "--console-socket", path)
    master = receive_terminal(server)
    oci.ok("start", ident)
    assert b"up\r\n" in os.read(master, 100)
    process = f"{oci.path(ident)}/process.json"
    with open(process, "w", encoding="utf-8") as file:
        json.dump(process_of(["/hello.wasm"], terminal=True), file)
    oci.ok("exec", "--process", process, "--console-socket", path, "--detach", ident)  # its streams: the terminal
    other = receive_terminal(server)
    assert b"hello world\r\n" in os.read(other, 100)
    for fd in (master, other, folder):
        os.close(fd)
    server.close()
    oci.clean(ident)
    ident = oci.bundle(["/hello.wasm"], terminal=True)
    done = oci.call("run", "-b", oci.path(ident), ident)
    assert (done.returncode, done.stdout) == (0, b"hello world\r\n"), done
    ident = oci.bundle(["/hello.wasm"])
    oci.refused("create", "-b", oci.path(ident), "--console-socket", "/nonexistent", ident, word="terminal")
    nothing_left(oci)


@case
def hooks_run_in_their_order(oci):
    log = f"{oci.home}/hooks.log"
    script = f"{oci.home}/hook.sh"
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho \"$1 $(cat | tr -d '\\n')\" >>{log}\n[ \"$1\" != \"$FAIL\" ]\n")
    os.chmod(script, 0o755)
    stages = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")

    def hooks(fail=""):
        def change(spec):
            spec["hooks"] = {stage: [{"path": script, "args": ["hook", stage], "env": [f"FAIL={fail}", "PATH=/bin:/usr/bin"]}]
                             for stage in stages}
        return change

    def seen():
        rows = [line.split(" ", 1) for line in read(log).splitlines()]
        os.unlink(log)
        return [(stage, json.loads(text)["status"], json.loads(text)["pid"] > 0) for stage, text in rows]
    ident = oci.bundle(["/hello.wasm"], change=hooks())
    oci.create(ident)
    oci.ok("start", ident)
    oci.wait_status(ident, "stopped")
    oci.ok("delete", ident)
    assert seen() == [("prestart", "creating", True), ("createRuntime", "creating", True),
                      ("createContainer", "creating", True), ("startContainer", "created", True),
                      ("poststart", "running", True), ("poststop", "stopped", False)]
    ident = oci.bundle(["/hello.wasm"], change=hooks())
    assert oci.call("run", "-b", oci.path(ident), ident).returncode == 0
    assert [row[0] for row in seen()] == list(stages)
    ident = oci.bundle(["/hello.wasm"], change=hooks("createRuntime"))
    oci.refused("create", "-b", oci.path(ident), ident, word="hook")
    assert [row[0] for row in seen()] == ["prestart", "createRuntime"]
    nothing_left(oci)


# ---------------------------------------------------------------- Linux containers

@case
def linux_containers_are_passed_on(oci):
    if machine.view() == "v2" and not machine.v2_controllers():
        raise Skip("runc needs controllers")
    words = ["/bin/sh", "-c", "echo linux; exit 5"]
    ident = oci.bundle(words, root="busybox")
    done = oci.call("run", "-b", oci.path(ident), ident)
    assert (done.returncode, done.stdout) == (5, b"linux\n"), done
    ident = oci.bundle(["/bin/sleep", "1000"], root="busybox")
    wasm = oci.bundle(["/sleeper.wasm"])
    oci.create(ident)
    oci.create(wasm)
    assert oci.status(ident) == "created"
    oci.ok("start", ident)
    oci.ok("start", wasm)
    assert oci.status(ident) == "running"
    assert sorted(oci.ok("list", "-q").split()) == sorted([ident, wasm])
    assert oci.ok("exec", ident, "/bin/echo", "more") == "more\n"
    oci.ok("kill", ident, "KILL")
    oci.wait_status(ident, "stopped")
    oci.ok("delete", ident)
    oci.clean(wasm)
    nothing_left(oci)


@case
def a_linux_program_in_a_volume_is_passed_on(oci):
    if machine.view() == "v2" and not machine.v2_controllers():
        raise Skip("runc needs controllers")

    def change(spec):
        spec["mounts"].append({"destination": "/volume", "type": "bind", "source": f"{oci.home}/busybox/bin",
                               "options": ["rbind", "ro"]})
    ident = oci.bundle(["/volume/busybox", "echo", "volume"], root="busybox", change=change)
    done = oci.call("run", "-b", oci.path(ident), ident)
    assert (done.returncode, done.stdout) == (0, b"volume\n"), done
    nothing_left(oci)


@case
def without_a_linux_runtime(oci):
    env = dict(os.environ, WASMRUN_OCI_LINUX_RUNTIME="/nonexistent/runc")
    ident = oci.bundle(["/bin/sleep", "1"], root="busybox")
    oci.refused("run", "-b", oci.path(ident), ident, word="/nonexistent/runc", env=env)
    oci.refused("state", ident, word="does not exist", env=env)
    oci.ok("delete", "--force", ident, env=env)
    env["WASMRUN_OCI_LINUX_RUNTIME"] = oci.program
    oci.refused("run", "-b", oci.path(ident), ident, word="this program", env=env)
    nothing_left(oci)


# ---------------------------------------------------------------- bad input

@case
def configurations_that_are_refused(oci):
    changes = {
        "root": lambda s: s.pop("root"),
        "args": lambda s: s["process"].update(args=[]),
        "cwd": lambda s: s["process"].update(cwd="relative"),
        "process": lambda s: s.pop("process"),
        "nothing.wasm": lambda s: s["process"].update(args=["/nothing.wasm"]),
        "bad.wasm": lambda s: s["process"].update(args=["/bad.wasm"]),
        "nothing": lambda s: s["process"].update(args=["/hello.wasm#nothing"]),
        "namespace": lambda s: s["linux"]["namespaces"].append({"type": "galaxy"}),
        "/nonexistent": lambda s: s["linux"]["namespaces"].append({"type": "cgroup", "path": "/nonexistent"}),
        "seccomp": lambda s: s["linux"].update(seccomp={"defaultAction": "SCMP_ACT_SOMETHING"}),
        "mount": lambda s: s["mounts"].append({"destination": "/x", "type": "nofs", "source": "nofs"}),
        "variant": lambda s: s.update(annotations={"module.wasm.image/variant": "other"}),
        "intelRdt": lambda s: s["linux"].update(intelRdt={"closID": "x"}),
        "cgroup": lambda s: s["linux"].update(cgroupsPath="../../x"),
        "hook": lambda s: s.update(hooks={"createRuntime": [{"path": "/nonexistent/hook"}]}),
        "ociVersion": lambda s: s.update(ociVersion="2.0.0"),
    }
    for word, change in changes.items():
        ident = oci.bundle(["/hello.wasm"], change=change)
        for command in ("create", "run"):
            if os.path.exists(f"{oci.home}/log"):
                os.unlink(f"{oci.home}/log")
            text = oci.refused(command, "-b", oci.path(ident), ident)
            assert word.lower() in text.lower(), (word, text)
            row = json.loads(read(f"{oci.home}/log").splitlines()[-1])
            assert row["level"] == "error" and word.lower() in row["msg"].lower() and row["time"], row
        oci.drop(ident)
        nothing_left(oci)
    for text in ("", "{", "[]", "null", "\0", "{}" * 5, '{"ociVersion":"1.0.0"}', "x" * (5 << 20)):
        ident = oci.bundle([], text=text)
        oci.refused("create", "-b", oci.path(ident), ident, word="config.json")
        oci.drop(ident)
    nothing_left(oci)


@case
def bad_command_lines(oci):
    ident = oci.bundle(["/hello.wasm"])
    for words in (["nothing"], ["create"], ["create", "a", "b"], ["create", "--nothing", "x"], ["--root"], ["state"],
                  ["--root", "relative", "state", "x"], ["--log-format", "xml", "list"], ["create", "-b", "/nonexistent", "x"],
                  ["create", "-b", oci.path(ident), "../x"], ["create", "-b", oci.path(ident), "a/b"],
                  ["create", "-b", oci.path(ident), ""], ["create", "-b", oci.path(ident), "x" * 300],
                  ["run", "--preserve-fds", "many", "-b", oci.path(ident), ident], ["list", "-f", "xml"],
                  ["create", "-b", oci.path(ident), "--pid-file", "/nonexistent/pid", ident], ["state", ".."]):
        done = oci.call(*words)
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1, (words, done)
    assert oci.call().returncode == 1
    assert oci.ok("--help").startswith("usage:") and oci.ok("create", "--help").startswith("usage:")
    assert "spec: 1." in oci.ok("--version") and "spec: 1." in subprocess.run([oci.program, "-v"], capture_output=True, text=True).stdout
    assert "linux" in json.loads(oci.ok("features"))
    oci.drop(ident)
    nothing_left(oci)


@case
def spec_writes_what_run_takes(oci):
    folder = f"{oci.home}/bundles/spec"
    os.makedirs(f"{folder}/rootfs/tmp")
    shutil.copy(f"{oci.home}/guests/hello.wasm", f"{folder}/rootfs/main.wasm")
    oci.ok("spec", "--bundle", folder)
    oci.refused("spec", "--bundle", folder, word="exists")
    done = oci.call("run", "-b", folder, "from-spec")
    assert (done.returncode, done.stdout) == (0, b"hello world\n"), done
    machine.remove_tree(folder)
    nothing_left(oci)


@case
def a_group_of_others_is_left_alone(oci):
    other = subprocess.Popen(["sleep", "1000"])
    folders = [f"{root}/{machine.group()}/others" for root in machine.hierarchies()]
    for folder in folders:
        os.makedirs(folder)
        try:
            with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(other.pid))
        except OSError:
            pass  # a cpuset without CPUs
    ident = oci.bundle(["/hello.wasm"], change=lambda s: s["linux"].update(cgroupsPath=f"/{machine.group()}/others"))
    oci.refused("create", "-b", oci.path(ident), ident, word="holds processes")
    oci.ok("delete", "--force", ident)
    assert other.poll() is None
    other.kill()
    other.wait()
    for folder in folders:
        os.rmdir(folder)
    oci.drop(ident)
    nothing_left(oci)


# ---------------------------------------------------------------- crashes

def calls_of(oci, command, wanted=0):
    """System calls of a command by strace, in order: (name, how often it was made by then)."""
    trace = f"{oci.home}/trace"
    done = subprocess.run(["strace", "-q", "-o", trace, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60)
    if done.returncode != wanted:
        raise Skip("processes can't be traced here")
    seen, points = {}, []
    for line in read(trace).splitlines():
        match = re.match(r"^(\w+)\(", line)
        if match:
            seen[match.group(1)] = seen.get(match.group(1), 0) + 1
            points.append((match.group(1), seen[match.group(1)]))
    return points


def killed_at(command, name, number):
    subprocess.run(["strace", "-q", "-o", "/dev/null", "-e", f"trace={name}", "-e",
                    f"inject={name}:signal=KILL:when={number}", *command], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


@case(slow=True)
def the_command_dies_at_each_call_of_a_create(oci):
    ident = oci.bundle(["/sleeper.wasm"])
    command = oci.argv("create", "-b", oci.path(ident), "--pid-file", f"{oci.path(ident)}/pid", ident)
    points = calls_of(oci, command)
    oci.ok("delete", "--force", ident)
    print(f"      {len(points)} calls")
    for name, number in points:
        killed_at(command, name, number)
        oci.ok("delete", "--force", ident)
        left = machine.leftovers()
        assert not left, f"killed at {name} {number}: {left}"
    oci.drop(ident)


@case(slow=True)
def the_command_dies_at_each_call_of_a_delete(oci):
    ident = oci.bundle(["/sleeper.wasm"])
    command = oci.argv("delete", "--force", ident)
    oci.create(ident)
    points = calls_of(oci, command)
    print(f"      {len(points)} calls")
    for name, number in points:
        oci.create(ident)
        killed_at(command, name, number)
        oci.ok("delete", "--force", ident)
        left = machine.leftovers()
        assert not left, f"killed at {name} {number}: {left}"
    oci.drop(ident)


@case(slow=True)
def the_command_dies_at_each_call_of_a_start(oci):
    """Then it runs or it can be started again."""
    ident = oci.bundle(["/sleeper.wasm"])
    command = oci.argv("start", ident)
    oci.create(ident)
    points = calls_of(oci, command)
    oci.ok("delete", "--force", ident)
    for name, number in points:
        out = f"{oci.path(ident)}/out"
        oci.create(ident, out=out)
        killed_at(command, name, number)
        if "up" not in read(out):
            oci.call("start", ident)
        wait_for(f"the guest after a death at {name} {number}", lambda: "up" in read(out))
        oci.ok("delete", "--force", ident)
    oci.drop(ident)
    nothing_left(oci)


SAMPLED = 100  # the usual --cycles


def dies_everywhere(oci, words, prepare, wanted=0):
    """`words` is killed at its calls, in a state that `prepare` makes anew: others can go on, and `delete
    --force` leaves nothing. At one in four, since that takes minutes; with --cycles 101 and more at each."""
    ident = oci.bundle(["/sleeper.wasm"] if words[0] != "run" else ["/exit.wasm", str(wanted)])
    command = oci.argv(*[oci.path(ident) if word == "BUNDLE" else ident if word == "ID" else word for word in words])
    prepare(ident)
    points = calls_of(oci, command, wanted)
    step = 1 if oci.options.cycles > SAMPLED else 4
    print(f"      {words[0]}: one in {step} of {len(points)} calls", flush=True)
    for name, number in points[oci.count % step::step]:
        oci.ok("delete", "--force", ident)
        prepare(ident)
        killed_at(command, name, number)
        assert oci.call("list").returncode == 0
        oci.ok("delete", "--force", ident)
        left = machine.leftovers()
        assert not left, f"{words[0]} killed at {name} {number}: {left}"
    oci.ok("delete", "--force", ident)
    oci.drop(ident)


@case(slow=True)
def the_command_dies_at_each_call_of_others(oci):
    def started(ident):
        oci.create(ident)
        oci.ok("start", ident)

    def paused(ident):
        started(ident)
        oci.ok("pause", ident)
    dies_everywhere(oci, ["run", "-b", "BUNDLE", "ID"], lambda ident: None, 3)
    dies_everywhere(oci, ["exec", "ID", "/exit.wasm", "4"], started, 4)
    started_once = oci.bundle(["/sleeper.wasm"])
    started(started_once)
    frozen = oci.call("pause", started_once).returncode == 0
    oci.clean(started_once)
    for command, prepare in ((["pause", "ID"], started), (["resume", "ID"], paused)) if frozen else ():
        dies_everywhere(oci, command, prepare)
    if machine.view() == "v1":
        dies_everywhere(oci, ["update", "--memory", "64m", "ID"], started)
    nothing_left(oci)


@case(slow=True)
def many_lives(oci):
    for _ in range(oci.options.cycles):
        ident = oci.bundle(["/exit.wasm", "3"])
        pid = oci.create(ident)
        oci.ok("start", ident)
        wait_for("its end", lambda: gone(pid))
        oci.ok("delete", ident)
        oci.drop(ident)
    nothing_left(oci)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, Oci, controllers=()))
