#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests that try to get out or to take everything: each is contained, with a clear status and
reason in the CRI, and its pod goes on."""
import os
import re
import sys
import time

import harness
import images
import machine
from cri import cluster
from harness import case, wait_for


def goes_on(pod, sidecar):
    """Both halves of a pod still answer."""
    assert sidecar.status().state == 1
    assert sidecar.exec("/bin/echo", "there").stdout == b"there\n"
    after = pod.start(["/hello.wasm"])
    assert after.exited().exit_code == 0
    after.remove()


class Victim:
    """A pod with a sidecar that must not notice anything."""

    def __init__(self, cluster, **options):
        self.pod = cluster.pod(**options)

    def __enter__(self):
        self.pod.__enter__()
        self.sidecar = self.pod.start(["/bin/sh", "-c", "exec sleep 1000"], image=images.BUSYBOX)
        return self

    def __exit__(self, *problem):
        try:
            if problem[0] is None:
                goes_on(self.pod, self.sidecar)
        finally:
            self.pod.__exit__(*problem)


def refusals(text, paths):
    for path in paths:
        assert re.search(rf"^{re.escape(path)}: error ", text, re.M), f"{path} was not refused: {text}"


@case(wasm=True)
def proc_and_sys_say_nothing_of_the_host(cluster):
    paths = ["/proc/1/environ", "/proc/1/maps", "/proc/1/mem", "/proc/kcore", "/proc/keys", "/proc/sysrq-trigger",
             "/sys/kernel/debug", "/sys/firmware", "/proc/self/root/etc/shadow", "/proc/1/root/etc/shadow",
             "/dev/mem", "/dev/sda", "/dev/vda"]
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/files.wasm", "read", *paths])
        assert guest.exited().exit_code == 0
        guest.says(paths[-1])
        text = guest.text()
        for path in paths:
            row = re.search(rf"^{re.escape(path)}: (.*)$", text, re.M)
            assert row and (row.group(1).startswith("error ") or row.group(1).strip() == "read"), row or text
        writes = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/oom_score_adj", "/proc/1/mem",
                  "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/power/state"]
        guest = victim.pod.start(["/files.wasm", "write", *writes])
        assert guest.exited().exit_code == 0
        guest.says(writes[-1])
        refusals(guest.text(), writes)
        guest = victim.pod.start(["/files.wasm", "list", "/proc", "/sys", "/proc/self/fd", "/proc/1/task"])
        assert guest.exited().exit_code == 0


@case(wasm=True)
def links_do_not_lead_out(cluster):
    inside = "/etc/shadow-of-the-host"
    with Victim(cluster) as victim:
        paths = [f"/links/{name}" for name in ("out", "up", "abs", "host")]
        paths += ["/../../../etc/shadow", "../../../../etc/shadow", "/links/../../../../etc/shadow", inside]
        guest = victim.pod.start(["/files.wasm", "read", *paths])
        assert guest.exited().exit_code == 0
        guest.says(inside)
        refusals(guest.text(), paths)


@case(wasm=True)
def volumes_end_where_they_end(cluster):
    """A guest makes links in a volume; neither way leads out of it."""
    base = f"{machine.BASE}/vol{time.monotonic_ns()}"
    os.makedirs(f"{base}/volume")
    for name, target in (("abs", f"{base}/secret"), ("rel", "../secret"), ("proc", "/proc/1/environ")):
        os.symlink(target, f"{base}/volume/{name}")
    with open(f"{base}/secret", "w", encoding="ascii") as file:
        file.write("secret\n")
    with Victim(cluster) as victim:
        paths = ["/vol/abs", "/vol/rel", "/vol/proc", "/vol/../secret", "/vol/./../../secret"]
        guest = victim.pod.start(["/files.wasm", "read", *paths],
                                 mounts=[{"container_path": "/vol", "host_path": f"{base}/volume"}])
        assert guest.exited().exit_code == 0
        guest.says(paths[-1])
        refusals(guest.text(), paths)
        assert "secret\n" not in guest.text()


@case(wasm=True)
def sockets_need_permission(cluster):
    with Victim(cluster) as victim:
        closed = {"io.wasmrun/net": "none"}
        guest = victim.pod.start(["/http.wasm", "open"], annotations=closed)
        status = guest.exited()
        assert (status.exit_code, status.reason) == (1, "Error"), status
        guest.says("open: errno")
        guest = victim.pod.start(["/http.wasm", "get", "127.0.0.1", "1"], annotations=closed)
        assert guest.exited().exit_code != 0


@case(wasm=True)
def memory_ends_at_the_limit(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/hostile.wasm", "memory"], resources={"memory_limit_in_bytes": 32 << 20})
        status = guest.exited(30)
        assert (status.exit_code, status.reason) == (137, "OOMKilled"), status


@case(wasm=True)
def descriptors_end_at_the_limit(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/hostile.wasm", "fds", "/data"])
        status = guest.exited()
        assert (status.exit_code, status.reason) == (0, "Completed"), (status, guest.text())
        guest.says("opened ")


@case(wasm=True)
def threads_end_at_a_limit(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/threads.wasm"])
        status = guest.exited(30)  # it was refused one, and its exit ends those it has
        assert (status.exit_code, status.reason) == (0, "Completed"), (status, guest.text())


@case(wasm=True)
def a_flood_of_lines_is_held_up_not_kept(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/hostile.wasm", "flood"])
        path = f"{victim.pod.logs}/{guest.name}.log"
        wait_for("some lines", lambda: os.path.exists(path) and os.path.getsize(path) > 4 << 20)
        for pid in cluster.node.shims():
            assert machine.pss_kib(pid) < 8 << 10, machine.pss_kib(pid)
        guest.stop(1)
        status = guest.status()
        assert status.exit_code in (137, 143), status
        guest.remove()
        os.unlink(path)


@case(wasm=True)
def a_log_of_a_known_size_is_complete(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/hostile.wasm", "flood", "2000"])
        assert guest.exited().exit_code == 0
        wait_for("all lines", lambda: len(guest.lines()) == 2001)
        assert all(len(text) == 1023 for _, _, text in guest.lines()[1:])


@case(wasm=True)
def a_loop_that_asks_for_nothing_is_stopped(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/hostile.wasm", "spin"])
        guest.says("spin")
        begun = time.monotonic()
        guest.stop(10)
        assert time.monotonic() - begun < 9, "it was not the TERM that ended it"
        assert guest.status().exit_code == 143, guest.status()


@case(wasm=True)
def traps_are_told(cluster):
    with Victim(cluster) as victim:
        for what, word in (("trap", "trap: unreachable"), ("recurse", "trap: ")):
            guest = victim.pod.start(["/hostile.wasm", what])
            status = guest.exited()
            assert (status.exit_code, status.reason) == (134, "Error"), status
            guest.says(word)


@case(wasm=True)
def the_reason_is_in_the_termination_log(cluster):
    """Where a kubelet reads a container's last words."""
    path = f"{machine.BASE}/last{time.monotonic_ns()}"
    with open(path, "w", encoding="ascii"):
        os.chmod(path, 0o666)
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/hostile.wasm", "trap"],
                                 mounts=[{"container_path": "/dev/termination-log", "host_path": path}],
                                 annotations={"io.kubernetes.container.terminationMessagePath": "/dev/termination-log"})
        assert guest.exited().exit_code == 134
        with open(path, encoding="utf-8") as file:
            assert "unreachable" in file.read()


@case(wasm=True)
def a_malformed_module_is_a_start_error(cluster):
    with Victim(cluster) as victim:
        guest = victim.pod.create(["/bad.wasm"])
        try:
            guest.start()
        except Exception as problem:
            assert "bad.wasm" in problem.details(), problem.details()
        status = guest.exited()
        assert status.exit_code != 0 and status.reason in ("StartError", "ContainerCannotRun", "Error"), status


@case(wasm=True)
def no_way_to_be_root_elsewhere(cluster):
    """What the kernel says of a running guest."""
    with Victim(cluster) as victim:
        guest = victim.pod.start(["/sleeper.wasm"], security={"run_as_user": {"value": 1000}})
        guest.says("up")
        pid = guest.info()["pid"]
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            rows = dict(line.rstrip("\n").split(":\t", 1) for line in file)
        assert rows["NoNewPrivs"] == "1" and rows["Seccomp"] == "2", rows
        assert int(rows["CapEff"], 16) == 0 and int(rows["CapPrm"], 16) == 0, rows
        assert rows["Uid"].split() == ["1000"] * 4, rows["Uid"]
        with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as file:
            for line in file:
                assert "rwx" not in line.split()[1], line
        for space in ("pid", "mnt", "ipc"):  # the rest is the node's in this pod
            assert os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/1/ns/{space}"), space
        kept = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        others = [name for fd, name in kept.items() if fd > 2]
        assert not [name for name in others if name.startswith("/") and name != "/"], kept
        assert not [name for name in others if name.startswith("socket:")], kept


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, cluster))
