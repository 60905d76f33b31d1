#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pods as a kubelet makes them, by containerd's CRI: sandbox, guest and Linux sidecar, exec, logs,
stats, update, stop, remove; a network of its own; running out of memory."""
import contextlib
import os
import sys
import time

import cri
import harness
import images
import machine
from cri import cluster
from harness import case, wait_for


@case
def a_pod_from_run_to_remove(cluster):
    with cluster.pod() as pod:
        guest = pod.create([cluster.program("sleeper")])
        assert guest.status().state == 0
        guest.start()
        guest.says("up")
        status = guest.status()
        assert (status.state, status.started_at > 0) == (1, True), status
        guest.stop(1)
        status = guest.status()
        assert status.state == 2 and status.exit_code in (137, 143), status
        assert status.finished_at >= status.started_at, status
        guest.remove()
    left = machine.container_groups()
    assert not left, left


@case
def exit_codes_and_reasons(cluster):
    with cluster.pod() as pod:
        for code, reason in ((0, "Completed"), (3, "Error"), (137, "Error")):
            guest = pod.start([cluster.program("exit"), str(code)])
            status = guest.exited()
            assert (status.exit_code, status.reason) == (code, reason), status
            guest.remove()


@case
def a_missing_program_is_a_start_error(cluster):
    with cluster.pod() as pod:
        guest = pod.create(["/nothing.wasm"])
        try:
            guest.start()
        except Exception as problem:
            assert "nothing.wasm" in problem.details(), problem.details()
        status = guest.exited()
        assert status.exit_code != 0 and status.reason in ("StartError", "ContainerCannotRun", "Error"), status
        assert "nothing.wasm" in status.message or status.reason == "Error", status


@case
def a_guest_and_a_sidecar_share_a_pod(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("sleeper")])
        sidecar = pod.start(["/bin/sh", "-c", "echo side; exec sleep 1000"], image=images.BUSYBOX)
        guest.says("up")
        sidecar.says("side")
        got = sidecar.exec("/bin/sh", "-c", "echo out; echo err >&2; exit 3")
        assert (got.stdout, got.stderr, got.exit_code) == (b"out\n", b"err\n", 3), got
        got = guest.exec(cluster.program("hello"), "exec")
        assert (got.stdout, got.exit_code) == (b"hello world exec\n", 0), got
        got = guest.exec(cluster.program("exit"), "9")
        assert (got.stderr, got.exit_code) == (b"exit 9\n", 9), got
        if cluster.handler == "wasmrun":
            shims = cluster.node.shims()
            assert len(shims) == 1, f"{len(shims)} shims for one pod"
        for container in (guest, sidecar):
            assert container.stats().memory.timestamp > 0
        sidecar.stop(1)
        assert sidecar.status().exit_code in (137, 143), sidecar.status()
        assert guest.status().state == 1, "the guest goes on without its sidecar"


@case(wasm=True)
def an_exec_that_is_no_module_is_refused(cluster):
    with cluster.pod() as pod:
        guest = pod.start(["/sleeper.wasm"])
        for words in (["/bin/sh"], ["/data"]):
            try:
                got = guest.exec(*words)
                assert got.exit_code in (126, 127), got
            except Exception as problem:
                assert words[0] in problem.details(), problem.details()
        assert guest.status().state == 1


@case
def an_exec_that_takes_too_long_is_ended(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("sleeper")])
        guest.says("up")
        begun = time.monotonic()
        try:
            guest.exec(cluster.program("sleeper"), timeout=1)
            raise AssertionError("it went on")
        except Exception as problem:
            assert "DEADLINE" in str(problem.code()) or "timed out" in problem.details() or \
                "timeout" in problem.details(), problem
        assert time.monotonic() - begun < 20
        assert guest.status().state == 1
        pid = guest.info()["pid"]
        group = cgroup_of(pid)
        wait_for("one process", lambda: processes_of(group) == [pid])


@case
def logs_are_in_their_form(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("hello"), "log"], envs=[{"key": "WHO", "value": b"pod"}])
        guest.exited()
        wait_for("the line", guest.lines)
        assert guest.lines() == [("stdout", "F", "hello pod log")], guest.lines()
        other = pod.start([cluster.program("exit"), "4"])
        other.exited()
        wait_for("the line", other.lines)
        assert other.lines() == [("stderr", "F", "exit 4")], other.lines()


@case
def a_log_is_reopened(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("ticker")])
        guest.says("5")
        path = f"{pod.logs}/{guest.name}.log"
        os.rename(path, path + ".1")
        pod.runtime.ReopenContainerLog(container_id=guest.id)
        wait_for("a new log", lambda: os.path.exists(path) and os.path.getsize(path) > 0)


@case
def stats_and_update(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("ticker")], resources={
            "memory_limit_in_bytes": 64 << 20, "cpu_shares": 512, "cpu_quota": 50000, "cpu_period": 100000})
        guest.says("5")
        stats = guest.stats()
        assert stats.memory.working_set_bytes.value > 0 and stats.cpu.usage_core_nano_seconds.value > 0, stats
        pod.runtime.UpdateContainerResources(container_id=guest.id, linux={
            "memory_limit_in_bytes": 96 << 20, "cpu_shares": 256})
        folder = f"{pod.config['linux']['cgroup_parent']}/{guest.id}"
        if machine.view() == "v1":
            assert number(f"/sys/fs/cgroup/memory{folder}/memory.limit_in_bytes") == 96 << 20
            assert number(f"/sys/fs/cgroup/cpu{folder}/cpu.shares") == 256
        else:
            assert number(f"/sys/fs/cgroup{folder}/memory.max") == 96 << 20
        assert pod.runtime.PodSandboxStats(pod_sandbox_id=pod.id).stats.linux.memory.timestamp > 0


def number(path):
    with open(path, encoding="ascii") as file:
        return int(file.read())


def cgroup_of(pid):
    """The folder of a process's control group."""
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        rows = [line.strip().split(":", 2) for line in file]
    if machine.view() == "v2":
        return "/sys/fs/cgroup" + next(path for number, _, path in rows if number == "0")
    return "/sys/fs/cgroup/pids" + next(path for _, names, path in rows if names == "pids")


def processes_of(folder):
    with open(f"{folder}/cgroup.procs", encoding="ascii") as file:
        return [int(line) for line in file]


@case
def out_of_memory_is_told(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("hostile"), "memory"], resources={"memory_limit_in_bytes": 32 << 20})
        status = guest.exited()
        assert (status.exit_code, status.reason) == (137, "OOMKilled"), status
        other = pod.start([cluster.program("hello")])
        assert other.exited().exit_code == 0, "the pod goes on"


@case
def files_of_a_pod(cluster):
    """Mounts with their flags, a root that is read only, users."""
    volume = f"{machine.BASE}/volume{os.getpid()}{time.monotonic_ns()}"
    os.makedirs(volume)
    with open(f"{volume}/file", "w", encoding="ascii") as file:
        file.write("of the host\n")
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("files"), "read", "/vol/file", "/ro/file", "/data", "/etc/hostname"],
                          mounts=[{"container_path": "/vol", "host_path": volume},
                                  {"container_path": "/ro", "host_path": volume, "readonly": True}])
        assert guest.exited().exit_code == 0
        guest.says("/data: read in the image")
        text = guest.text()
        assert "/vol/file: read of the host" in text and "/ro/file: read of the host" in text, text
        writer = pod.start([cluster.program("files"), "write", "/vol/new", "/ro/new", "/new", "/tmp/new"],
                           mounts=[{"container_path": "/vol", "host_path": volume},
                                   {"container_path": "/ro", "host_path": volume, "readonly": True}],
                           security={"readonly_rootfs": True, "run_as_user": {"value": 0}})
        assert writer.exited().exit_code == 0
        writer.says("/tmp/new:")
        text = writer.text()
        assert "/vol/new: written" in text, text
        for name in ("/ro/new", "/new", "/tmp/new"):
            assert f"{name}: error" in text, text
        assert os.listdir(volume).count("new") == 1
        user = pod.start([cluster.program("files"), "write", "/vol/user"],
                         mounts=[{"container_path": "/vol", "host_path": volume}],
                         security={"run_as_user": {"value": 1000}, "run_as_group": {"value": 1000}})
        assert user.exited().exit_code == 0
        user.says("/vol/user: error")


@case
def a_read_only_user_container_with_limits(cluster):
    """All that careful people write into a manifest at once."""
    resources = {"memory_limit_in_bytes": 64 << 20, "cpu_shares": 512, "cpu_quota": 50000, "cpu_period": 100000,
                 "oom_score_adj": 500}
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("hello")], resources=resources, security={
            "readonly_rootfs": True, "run_as_user": {"value": 1000}, "run_as_group": {"value": 1000},
            "capabilities": {"drop_capabilities": ["ALL"]}})
        assert guest.exited().exit_code == 0, guest.status()
        guest.says("hello world")


@case(wasm=True)
def manifests_of_the_tutorials(cluster):
    """The annotations that published pods have, on the pod or on the container; our handler."""
    variants = ("compat", "compat-smart")
    rows = [{"module.wasm.image/variant": value} for value in variants] + [{"run.oci.handler": "wasm"}]
    for annotations in rows:
        with cluster.pod(annotations=annotations) as pod:
            guest = pod.start(["/hello.wasm"], annotations=annotations)
            assert guest.exited().exit_code == 0, (annotations, guest.status())
            if annotations.get("module.wasm.image/variant") == "compat-smart":
                linux = pod.start(["/bin/sh", "-c", "echo linux"], image=images.BUSYBOX, annotations=annotations)
                assert linux.exited().exit_code == 0
                linux.says("linux")


@case
def a_terminal_in_a_pod(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("hello"), "tty"], tty=True)
        assert guest.exited().exit_code == 0
        guest.says("hello world tty")


@case(wasm=True)
def http_over_the_pods_network(cluster):
    with cluster.pod(network=True) as pod:
        address = pod.ip()
        assert address.startswith("10.88.7."), address
        server = pod.start(["/http.wasm", "serve", "8080"])
        server.says("ready")
        sidecar = pod.start(["/bin/sh", "-c", "exec sleep 1000"], image=images.BUSYBOX)
        assert cri.fetch(address, 8080) == "from a guest"
        assert "from a guest" in cri.fetch_from(sidecar, "127.0.0.1", 8080)
        asking = pod.start(["/http.wasm", "get", "127.0.0.1", "8080"])
        assert asking.exited().exit_code == 0, asking.text()
        asking.says("from a guest")
        with cluster.pod(network=True) as other:
            asking = other.start(["/http.wasm", "get"] + [address, "8080"])
            assert asking.exited().exit_code == 0, asking.text()
            asking.says("from a guest")
            away = other.start(["/http.wasm", "get", "127.0.0.1", "8080"])
            assert away.exited().exit_code != 0, "another pod's loopback device is another"
        closed = pod.start(["/http.wasm", "open"], annotations={"io.wasmrun/net": "none"})
        assert closed.exited().exit_code == 1, closed.text()


@case
def the_network_of_a_linux_pod(cluster):
    with cluster.pod(network=True) as pod:
        sidecar = pod.start(["/bin/sh", "-c", "hostname; exec sleep 1000"], image=images.BUSYBOX)
        sidecar.says(pod.config["hostname"])
        got = sidecar.exec("/bin/busybox", "ip", "-4", "-o", "addr")
        assert pod.ip().encode() in got.stdout, got


@case
def ten_pods_at_once(cluster):
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(cluster.pod()) for _ in range(10)]
        guests = [pod.start([cluster.program("sleeper")]) for pod in pods]
        for guest in guests:
            guest.says("up")
        assert all(guest.status().state == 1 for guest in guests)


@case
def a_stop_that_waits_for_nothing_twice(cluster):
    with cluster.pod() as pod:
        guest = pod.start([cluster.program("sleeper")])
        guest.stop(1)
        guest.stop(1)
        assert guest.status().state == 2
        guest.remove()
        pod.runtime.StopPodSandbox(pod_sandbox_id=pod.id)
        pod.runtime.StopPodSandbox(pod_sandbox_id=pod.id)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, cluster))
