#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shim alone with a client of ours in containerd's place: every bootstrap from 1.6 to 2.3, task
v2 and v3, Sandbox v1, events while containerd is away, malformed input."""
import glob
import json
import os
import shutil
import socket
import struct
import subprocess
import sys

import harness
import machine
import wire
from harness import Skip, case, wait_for
from shims import CREATED, PAUSED, RESOURCES_TYPE, RUNNING, SANDBOX, STOPPED, TASK_V2, TASK_V3, Lab, Stream, gone

NOT_FOUND, EXISTS, PRECONDITION, UNIMPLEMENTED, INVALID, UNKNOWN, INTERNAL = 5, 6, 9, 12, 3, 2, 13
CANCELLED, DENIED, EXHAUSTED, UNAVAILABLE = 1, 7, 8, 14


def refused(code, function, *args, **options):
    """The error that a call must end in; `code`: one or several."""
    try:
        function(*args, **options)
    except wire.Refused as problem:
        codes = code if isinstance(code, tuple) else (code,)
        assert problem.code in codes, problem
        return str(problem)
    raise AssertionError("it was not refused")


# ---------------------------------------------------------------- bootstraps

@case
def the_plain_bootstrap_of_1_6(lab):
    shim = lab.shim()
    assert shim.answer.startswith(b"unix:///run/containerd/s/"), shim.answer
    with open(f"{lab.home}/bundles/{shim.id}/address", encoding="utf-8") as file:
        assert file.read() == shim.address
    mode = os.stat(shim.address[7:]).st_mode & 0o777
    assert mode & 0o077 == 0, oct(mode)
    shim.kill()


@case(wasm=True)
def bootstraps_of_1_7_and_2(lab):
    for version, params, service in ((2, False, TASK_V2), (3, False, TASK_V3), (3, True, TASK_V3)):
        shim = lab.shim(version=version, params=params)
        assert shim.service == service, (version, params, shim.answer)
        task = shim.task()
        task.start()
        task.says("up")
        assert task.finish() == 137
        shim.end()


@case(wasm=True)
def one_shim_for_a_group(lab):
    for key in ("io.containerd.runc.v2.group", "io.kubernetes.cri.sandbox-id"):
        first = lab.shim(annotations={key: "group"})
        second = lab.name()
        lab.bundle(second, [lab.program("hello")], annotations={key: "group"})
        done = first.command("start", second)
        assert done.returncode == 0 and done.stdout.decode().strip() == first.address, done
        task = first.task(ident=second)
        task.start()
        assert task.finish(0) == 0
        first.kill()


@case(wasm=True)
def versions_and_info(lab):
    out = harness.run(lab.binary, "-v")
    assert "wasmrun" in out, out
    for stdin in (b"", wire.peer("Any")(type_url="containerd.runc.v1.Options").SerializeToString()):
        done = subprocess.run([lab.binary, "-info"], input=stdin, capture_output=True, timeout=10)
        assert done.returncode == 0, done
        info = wire.peer("RuntimeInfo").FromString(done.stdout)
        assert info.name == "io.containerd.wasmrun.v1" and info.version.version, info


@case(wasm=True)
def start_without_a_configuration_is_an_error(lab):
    shim = lab.shim()
    ident = lab.name()
    os.makedirs(f"{lab.home}/bundles/{ident}/rootfs")
    for text in (None, "", "{", "[]", '{"ociVersion": 1}', '{"annotations": {"a": 1}}'):
        if text is not None:
            with open(f"{lab.home}/bundles/{ident}/config.json", "w", encoding="utf-8") as file:
                file.write(text)
        done = shim.command("start", ident)
        if done.returncode == 0:  # then Create must be what refuses
            address = done.stdout.decode().strip()
            client = wire.Client(address)
            request = wire.task("CreateTaskRequest")(id=ident, bundle=f"{lab.home}/bundles/{ident}")
            refused((INVALID, NOT_FOUND, UNKNOWN, PRECONDITION), client.call, TASK_V2, "Create",
                    request.SerializeToString())
            client.call(TASK_V2, "Shutdown", wire.task("ShutdownRequest")(id=ident).SerializeToString())
            client.close()
            wait_for("its end", lambda: not os.path.exists(address[7:]))
        else:
            assert done.stderr, "an error without a word"
    shim.clean(ident)
    shim.kill()


# ---------------------------------------------------------------- tasks

@case
def a_life(lab):
    shim = lab.shim([lab.program("sleeper"), "0.2"])
    task = shim.task()
    state = task.state()
    assert (state.status, state.pid, state.bundle) == (CREATED, task.pid, f"{lab.home}/bundles/{shim.id}"), state
    assert task.start() == task.pid
    assert task.state().status == RUNNING
    task.says("up")
    waiting = task.wait()
    assert waiting.exit_status == 0 and waiting.exited_at.seconds > 0, waiting
    state = task.state()
    assert (state.status, state.exit_status) == (STOPPED, 0), state
    assert state.exited_at == waiting.exited_at
    deleted = task.delete()
    assert (deleted.pid, deleted.exit_status, deleted.exited_at) == (task.pid, 0, waiting.exited_at), deleted
    task.says("done")
    task.close()
    refused(NOT_FOUND, task.state)
    shim.end()
    order = wait_for("events", lambda: [word for word, _ in lab.events.of(shim.id)][3:] and lab.events.of(shim.id))
    assert [word for word, _ in order] == ["create", "start", "exit", "delete"], order
    assert all(event.pid == task.pid for _, event in order), order


@case
def exit_codes(lab):
    shim = lab.shim()
    rows = [(["exit", "0"], 0, 0), (["exit", "3"], 0, 3), (["sleeper"], 9, 137)]
    rows += [(["sleeper"], 15, 143), (["hostile", "trap"], 0, 134), (["hostile", "recurse"], 0, 134),
             (["sleeper"], 2, 130), (["hostile", "spin"], 15, 143), (["hostile", "spin"], 9, 137)] if lab.ours else []
    for words, number, code in rows:
        task = shim.task([lab.program(words[0]), *words[1:]], ident=lab.name())
        task.start()
        if number:
            task.says("up" if words[0] == "sleeper" else words[1])
        got = task.finish(number)
        assert got == code, (words, number, got, task.err.read())
        events = wait_for("delete", lambda: [e for w, e in lab.events.of(task.id) if w == "delete"])
        exits = [e for w, e in lab.events.of(task.id) if w == "exit"]
        assert events[0].exit_status == code and exits[0].exit_status == code, (events, exits)
    shim.end()


@case(wasm=True)
def no_such_module(lab):
    """Create refuses with NOT_FOUND and the name, or the task ends with 127: never anything else."""
    shim = lab.shim()
    try:
        task = shim.task(["/nothing.wasm"], ident=lab.name())
        task.start()
        assert task.finish(0) == 127
    except wire.Refused as problem:
        assert problem.code == NOT_FOUND and "nothing.wasm" in str(problem), problem
    ident = f"s{lab.count}"
    refused(NOT_FOUND, shim.call, "State", "StateResponse", "StateRequest", id=ident)
    shim.clean(ident)
    shim.end()


@case(wasm=True)
def a_trap_says_where(lab):
    shim = lab.shim([lab.program("hostile"), "trap"])
    task = shim.task()
    task.start()
    assert task.wait().exit_status == 134
    text = task.err.read().decode()
    assert "unreachable" in text and "main" in text, text
    task.finish(0)
    shim.end()


@case
def wrong_orders_are_refused(lab):
    shim = lab.shim()
    task = shim.task()
    refused(EXISTS if lab.ours else (EXISTS, UNKNOWN), lambda: shim.call(
        "Create", "CreateTaskResponse", "CreateTaskRequest", id=shim.id, bundle=f"{lab.home}/bundles/{shim.id}",
        rootfs=lab.rootfs(shim.id)))
    task.start()
    if lab.ours:
        refused(PRECONDITION, task.start)
        refused(PRECONDITION, task.delete)
        refused(PRECONDITION, task.call, "ResizePty", None, "ResizePtyRequest", width=80, height=24)
        refused((NOT_FOUND, PRECONDITION), task.start, "nothing")
        refused(UNIMPLEMENTED, task.call, "Checkpoint")
        refused(INVALID, task.kill, 4096)
    assert task.finish() == 137
    for method, request in (("State", "StateRequest"), ("Start", "StartRequest"), ("Kill", "KillRequest"),
                            ("Delete", "DeleteRequest"), ("Wait", "WaitRequest"), ("Pids", "IdRequest"),
                            ("Pause", "IdRequest"), ("Stats", "IdRequest")) if lab.ours else ():
        text = refused(NOT_FOUND, shim.call, method, None, request, id="nobody")
        assert "nobody" in text, text
    refused(UNIMPLEMENTED, shim.client.call, shim.service, "Nothing")
    refused(UNIMPLEMENTED, shim.client.call, "no.such.Service", "Nothing")
    shim.end()


@case
def a_kill_of_what_has_ended(lab):
    shim = lab.shim([lab.program("exit"), "5"])
    task = shim.task()
    task.start()
    assert task.wait().exit_status == 5
    refused((NOT_FOUND, PRECONDITION), task.kill)
    assert task.finish(0) == 5
    shim.end()


@case
def a_task_that_never_starts(lab):
    shim = lab.shim()
    task = shim.task()
    task.kill()
    assert task.wait().exit_status == 137
    assert task.finish(0) == 137
    task = shim.task(ident=lab.name())
    deleted = task.delete() if lab.ours else None
    if not deleted:
        task.kill()
        task.wait()
        task.delete()
    task.close()
    task.forget()
    shim.end()


@case
def waiting_does_not_hold_up_others(lab):
    shim = lab.shim()
    task = shim.task()
    task.start()
    waits = [shim.send("Wait", "WaitRequest", id=task.id) for _ in range(50)]
    assert task.state().status == RUNNING
    task.kill()
    codes = {wire.task("WaitResponse").FromString(shim.client.answer(ident)).exit_status for ident in waits}
    assert codes == {137}, codes
    task.finish(0)
    shim.end()


@case
def pids_stats_pause_update(lab):
    shim = lab.shim([lab.program("ticker")])
    task = shim.task()
    task.start()
    task.says("3")
    pids = task.call("Pids", "PidsResponse")
    assert [row.pid for row in pids.processes] == [task.pid], pids
    stats = task.call("Stats", "StatsResponse").stats
    wanted = f"io.containerd.cgroups.{machine.view()}.Metrics"
    assert stats.type_url.rsplit("/", 1)[-1] == wanted and stats.value, stats
    task.call("Pause")
    assert task.state().status == PAUSED
    task.call("Resume")
    assert task.state().status == RUNNING
    if machine.view() == "v1":
        limit = {"type_url": RESOURCES_TYPE, "value": json.dumps({"memory": {"limit": 64 << 20}}).encode()}
        task.call("Update", None, "UpdateTaskRequest", resources=limit)
        with open(f"/sys/fs/cgroup/memory/{machine.group()}/{task.id}/memory.limit_in_bytes", encoding="ascii") as file:
            assert int(file.read()) == 64 << 20
    if lab.ours:
        for bad in (b"", b"{", b'{"memory": {"limit": "much"}}', b"[]"):
            refused((INVALID, UNKNOWN), task.call, "Update", None, "UpdateTaskRequest",
                    resources={"type_url": RESOURCES_TYPE, "value": bad})
    assert task.finish() == 137
    shim.end()
    words = [word for word, _ in lab.events.of(shim.id)]
    assert words == ["create", "start", "paused", "resumed", "exit", "delete"], words


@case
def memory_of_a_guest_is_seen_growing(lab):
    if not lab.ours:
        raise Skip("runc's shim knows nothing of guests")
    shim = lab.shim(["/grower.wasm"])
    path = f"{lab.home}/{shim.id}.in"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)
    task = shim.task(stdin=path)
    task.start()
    def held():
        value = task.call("Stats", "StatsResponse").stats.value
        return wire.peer("GuestMetrics").FromString(value).guest
    wait_for("its first word", lambda: b"\n" in task.out.read())
    first = int(task.out.read())
    assert (held().memory_usage, held().memory_limit) == (first << 16, 1 << 32), held()
    for more in (16, 32):
        os.write(keep, b"\n")
        wait_for("growth", lambda: held().memory_usage == first + more << 16)  # noqa: B023
    task.kill()
    task.wait()
    assert held().memory_usage == first + 32 << 16, "also of one that has ended"
    task.finish(0)
    os.close(keep)
    os.unlink(path)
    shim.end()


@case
def standard_input_until_it_is_closed(lab):
    shim = lab.shim([lab.program("echo")])
    path = f"{lab.home}/{shim.id}.in"
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)
    task = shim.task(stdin=path)
    task.start()
    os.write(keep, b"some bytes\n")
    task.says("some bytes")
    os.close(keep)
    task.call("CloseIO", None, "CloseIORequest", stdin=True)
    assert task.wait().exit_status == 0
    task.says("eof 11")
    task.finish(0)
    os.unlink(path)
    shim.end()


@case
def a_terminal_and_its_size(lab):
    shim = lab.shim([lab.program("sleeper")], terminal=True)
    task = shim.task(terminal=True)
    task.start()
    task.call("ResizePty", None, "ResizePtyRequest", width=101, height=33)
    task.says("up\r\n")
    assert task.state().terminal
    assert task.finish() == 137
    shim.end()


@case
def execs(lab):
    shim = lab.shim()
    task = shim.task()
    task.start()
    for number, (words, code) in enumerate(((["hello", "x"], 0), (["exit", "6"], 6))):
        ident = f"e{number}"
        out, err = (Stream(f"{lab.home}/{shim.id}.{ident}.{word}") for word in ("out", "err"))
        task.exec(ident, [lab.program(words[0]), *words[1:]], stdout=out.path, stderr=err.path)
        refused(EXISTS if lab.ours else (EXISTS, UNKNOWN, NOT_FOUND), task.exec, ident, ["/x"])
        pid = task.start(ident)
        waited = task.wait(ident)
        assert waited.exit_status == code, (words, waited)
        state = task.state(ident)
        assert (state.status, state.pid) == (STOPPED, pid) and ident in (state.id, state.exec_id), state
        assert task.delete(ident).exit_status == code
        if words[0] == "hello":
            wait_for("its words", lambda: out.read() == b"hello world x\n")
        out.close()
        err.close()
        refused(NOT_FOUND, task.state, ident)
    task.exec("long", [lab.program("sleeper")])
    task.start("long")
    task.kill(9, "long")
    assert task.wait("long").exit_status == 137
    assert task.delete("long").exit_status == 137
    task.exec("left", [lab.program("sleeper")])
    task.start("left")  # the container ends with it inside
    assert task.finish() == 137
    shim.end()
    words = [word for word, _ in lab.events.of(shim.id)]
    assert words[:5] == ["create", "start", "exec-added", "exec-started", "exit"], words
    assert words.count("exec-added") == 4 and words[-1] == "delete", words


@case(wasm=True)
def trace_context_reaches_the_guest(lab):
    shim = lab.shim([lab.program("environ")])
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    task = shim.task(metadata={"traceparent": parent, "tracestate": "a=1"})
    task.start()
    assert task.wait().exit_status == 0
    task.says("TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-")
    task.says("TRACESTATE=a=1")
    task.finish(0)
    shim.end()


@case(wasm=True)
def linux_containers_are_delegated(lab):
    shim = lab.shim()
    task = shim.task(["/bin/sh", "-c", "echo linux; read x; exit 4"], ident=lab.name(), root="busybox")
    task.start()
    task.says("linux")
    assert task.wait().exit_status == 4
    assert task.finish(0) == 4
    shim.end()
    words = [word for word, _ in lab.events.of(task.id)]
    assert words == ["create", "start", "exit", "delete"], words


def runc_options(binary):
    """containerd.runc.v1.Options{binary_name}"""
    raw = binary.encode()
    return {"type_url": "containerd.runc.v1.Options", "value": b"\x32" + bytes([len(raw)]) + raw}


@case(wasm=True)
def options_choose_the_linux_runtime(lab):
    if not shutil.which("crun"):
        raise Skip("crun is not installed")
    shim = lab.shim()
    task = shim.task(["/bin/sh", "-c", "echo linux; exec sleep 1000"], ident=lab.name(), root="busybox",
                     extra={"options": runc_options(shutil.which("crun"))})
    task.start()
    task.says("linux")
    state = [path for path in glob.glob("/run/**/status", recursive=True) if task.id in path]
    assert state, "crun keeps a file of this name, runc does not"
    assert task.finish() == 137
    ident = lab.name()
    text = refused(NOT_FOUND, shim.task, ["/bin/sh"], ident=ident, root="busybox",
                   extra={"options": runc_options("/nonexistent/runtime")})
    assert "/nonexistent/runtime" in text, text
    shim.clean(ident)
    ident = lab.name()
    refused(INVALID, shim.task, ident=ident, extra={"options": {"type_url": "something.else", "value": b"\1"}})
    shim.clean(ident)
    shim.end()


# ---------------------------------------------------------------- sandboxes

@case(wasm=True)
def a_sandbox_by_its_own_service(lab):
    shim = lab.shim(["/pause"], version=3, annotations={"io.kubernetes.cri.container-type": "sandbox",
                                                        "io.kubernetes.cri.sandbox-id": f"s{lab.count + 1}"})
    me = {"sandbox_id": shim.id}
    bundle = f"{lab.home}/bundles/{shim.id}"
    shim.sandbox("CreateSandbox", None, "CreateSandboxRequest", bundle_path=bundle,
                 rootfs=lab.rootfs(shim.id, "pause"), **me)
    started = shim.sandbox("StartSandbox", "StartSandboxResponse", **me)
    assert started.pid > 0 and started.created_at.seconds > 0, started
    platform = shim.sandbox("Platform", "PlatformResponse", **me).platform
    assert platform.os == "linux" and platform.architecture, platform
    shim.sandbox("PingSandbox", None, **me)
    status = shim.sandbox("SandboxStatus", "SandboxStatusResponse", "SandboxStatusRequest", verbose=True, **me)
    assert status.pid == started.pid and status.state == "SANDBOX_READY", status
    shim.sandbox("SandboxMetrics", "SandboxMetricsResponse", **me)
    refused((NOT_FOUND, INVALID), shim.sandbox, "SandboxStatus", None, "SandboxStatusRequest", sandbox_id="other")
    task = shim.task([lab.program("hello")], ident=lab.name(), annotations={
        "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": shim.id})
    task.start()
    assert task.finish(0) == 0
    waiting = shim.client.send(SANDBOX, "WaitSandbox", wire.peer("SandboxId")(**me).SerializeToString())
    shim.sandbox("StopSandbox", None, "StopSandboxRequest", timeout_secs=5, **me)
    waited = wire.peer("WaitSandboxResponse").FromString(shim.client.answer(waiting))
    assert waited.exited_at.seconds > 0, waited
    status = shim.sandbox("SandboxStatus", "SandboxStatusResponse", "SandboxStatusRequest", **me)
    assert status.state == "SANDBOX_NOTREADY", status
    shim.sandbox("ShutdownSandbox", None, **me)
    wait_for("the shim's end", lambda: gone(shim.pid))
    shim.kill()


# ---------------------------------------------------------------- events

@case(wasm=True)
def events_are_kept_while_containerd_is_away(lab):
    shim = lab.shim([lab.program("sleeper"), "0.3"])
    task = shim.task()
    wait_for("create", lambda: lab.events.of(shim.id))
    lab.events.close()
    task.start()
    assert task.wait().exit_status == 0
    lab.events.listen()
    wait_for("the exit", lambda: [word for word, _ in lab.events.of(shim.id)][-1] == "exit", 30)
    task.finish(0)
    shim.end()
    words = lab.events.order(shim.id)
    assert words == ["create", "start", "exit", "delete"], words


# ---------------------------------------------------------------- malformed input

def survives(lab, shim, raw, answered=None):
    """Sends bytes on a connection of their own; the shim then still answers on another."""
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(10)
    stream.connect(shim.address[7:])
    try:
        stream.sendall(raw)
        if answered:
            ident, kind, payload = wire.read_frame(stream)
            status = wire.peer("Response").FromString(payload).status
            assert kind == wire.RESPONSE and status.code in answered, (ident, kind, status)
    except (BrokenPipeError, ConnectionError):
        assert not answered
    finally:
        stream.close()
    shim.connect()
    assert shim.call("State", "StateResponse", "StateRequest", id=shim.id).status == RUNNING


@case(wasm=True)
def malformed_frames(lab):
    shim = lab.shim()
    task = shim.task()
    task.start()
    good = wire.peer("Request")(service=TASK_V2, method="State",
                                payload=wire.task("StateRequest")(id=shim.id).SerializeToString()).SerializeToString()
    for raw in (b"", b"\0", b"\0" * 9, b"\xff" * 10, struct.pack(">IIBB", (4 << 20) + 1, 1, 1, 0),
                struct.pack(">IIBB", 100, 1, 1, 0) + b"short", wire.frame(0, 1, good), wire.frame(2, 1, good),
                wire.frame(1, 0, good), wire.frame(1, 99, good), wire.frame(1, 2, good), wire.frame(1, 3, good),
                wire.frame(1, 1, good, 0xff), wire.frame(1, 1, good) * 2, b"GET / HTTP/1.0\r\n\r\n",
                os.urandom(4096)):
        survives(lab, shim, raw)
    assert task.finish() == 137
    shim.end()


@case(wasm=True)
def malformed_messages(lab):
    shim = lab.shim()
    task = shim.task()
    task.start()
    request = wire.peer("Request")
    for payload in (b"\xff" * 40, b"\x0a\xff\xff\xff\xff\x0f", b"\x08\x01", b"\x0a\x05ab"):
        survives(lab, shim, wire.frame(1, 1, payload), None)
        for method in ("Create", "State", "Exec", "Kill", "Update", "Wait"):
            text = request(service=TASK_V2, method=method, payload=payload).SerializeToString()
            if payload != b"\x08\x01":
                survives(lab, shim, wire.frame(1, 1, text), (INVALID, INTERNAL))
    deep = b""
    for _ in range(2000):
        deep = b"\x52" + varint(len(deep)) + deep
    survives(lab, shim, wire.frame(1, 1, request(service=TASK_V2, method="Create", payload=deep).SerializeToString()))
    many = b"\x1a\x00" * 1000000  # a million mounts
    survives(lab, shim, wire.frame(1, 1, request(service=TASK_V2, method="Create", payload=many).SerializeToString()))
    assert machine.pss_kib(shim.pid) < 40000
    assert task.finish() == 137
    shim.end()


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


@case(wasm=True)
def hostile_names(lab):
    shim = lab.shim()
    for ident in ("", "../x", "a/b", "x" * 5000, "a\nb", "\u00e4" * 300):
        refused((INVALID, NOT_FOUND), shim.call, "Create", "CreateTaskResponse", "CreateTaskRequest", id=ident,
                bundle=f"{lab.home}/bundles/{shim.id}")
    for bundle in ("", "relative", "/nonexistent", "/etc/passwd", "/" + "x" * 6000):
        refused((INVALID, NOT_FOUND, UNKNOWN, PRECONDITION), shim.call, "Create", "CreateTaskResponse",
                "CreateTaskRequest", id=lab.name(), bundle=bundle)
    shim.kill()


@case(wasm=True)
def configurations_that_are_refused(lab):
    """Each with a word about why, and nothing is left of any."""
    from shims import spec_of
    shim = lab.shim()
    changes = {
        "root": lambda s: s.pop("root"),
        "args": lambda s: s["process"].update(args=[]),
        "cwd": lambda s: s["process"].update(cwd="relative"),
        "namespace": lambda s: s["linux"]["namespaces"].append({"type": "galaxy"}),
        "/nonexistent": lambda s: s["linux"]["namespaces"].append({"type": "cgroup", "path": "/nonexistent"}),
        "seccomp": lambda s: s["linux"].update(seccomp={"defaultAction": "SCMP_ACT_SOMETHING"}),
        "mount": lambda s: s["mounts"].append({"destination": "/x", "type": "nofs", "source": "nofs"}),
        "source": lambda s: s["mounts"].append({"destination": "/x", "type": "bind", "source": "/nonexistent",
                                                "options": ["bind"]}),
        "variant": lambda s: s.update(annotations={"module.wasm.image/variant": "other"}),
        "intelRdt": lambda s: s["linux"].update(intelRdt={"closID": "x"}),
    }
    for word, change in changes.items():
        ident = lab.name()
        spec = spec_of([lab.program("hello")], ident, "rootfs")
        change(spec)
        lab.bundle(ident, [], spec=json.dumps(spec))
        try:
            task = shim.task(ident=ident)
            raise AssertionError(f"{word}: was made, pid {task.pid}")
        except wire.Refused as problem:
            print(f"      {word}: {str(problem)[:150]}")
        shim.clean(ident)
    assert not machine.container_groups(), machine.container_groups()
    shim.kill()


# ---------------------------------------------------------------- artifacts

FETCHES = (("wrong-bytes", INVALID, "have the digest"), ("short", INVALID, "ends before"), ("long", INVALID, "other bytes"),
           ("huge", EXHAUSTED, "too many"), ("endless", INVALID, "other bytes"), ("two", UNIMPLEMENTED, "2 Wasm layers"),
           ("bad-json", INVALID, "not JSON"), ("bad-message", INTERNAL, "malformed"), ("denied", DENIED, "100% denied"),
           ("none", NOT_FOUND, "No such file"), ("no-container", NOT_FOUND, "No such file"))


@case(wasm=True)
def a_containerd_that_answers_wrongly_about_an_artifact(lab):
    """Create ends in one error that names the program and what is wrong; the shim goes on."""
    folder, link = f"{lab.home}/fake", f"{lab.home}/grpc"
    os.makedirs(folder)
    script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fake_containerd.py")
    fake = subprocess.Popen([sys.executable, script, folder, machine.group()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    shim = lab.shim()
    try:
        assert fake.stdout.readline() == b"ready\n"
        for path in (f"{folder}/grpc.sock", f"{folder}/raw-garbage.sock", f"{folder}/raw-hangup.sock"):
            os.symlink(path, link)
            for name, code, text in FETCHES if "raw" not in path else (("x", (UNAVAILABLE, INTERNAL), "artifact"),):
                said = refused(code, shim.task, words=["/no-such.wasm"], ident=name)
                assert text in said and "/no-such.wasm" in said and "\n" not in said, said
                shim.clean(name)
            os.unlink(link)
        os.symlink(f"{folder}/grpc.sock", link)  # and while one waits, others do not
        lab.bundle("silent", ["/no-such.wasm"])
        waiting = shim.send("Create", "CreateTaskRequest", id="silent", bundle=f"{lab.home}/bundles/silent",
                            rootfs=lab.rootfs("silent"))
        task = shim.task()
        task.start()
        task.says("up")
        assert task.finish() == 137
        refused((NOT_FOUND, CANCELLED), shim.call, "Delete", "DeleteResponse", "DeleteRequest", id="silent")
        refused((NOT_FOUND, CANCELLED), shim.client.answer, waiting)
        shim.clean("silent")
    finally:
        fake.stdin.close()
        fake.wait()
        shutil.rmtree(folder)
        if os.path.islink(link):
            os.unlink(link)
    shim.end()


sys.exit(harness.main(__doc__, Lab, controllers=()))
