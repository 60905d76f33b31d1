#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every road that leads to the OCI runtime: its own command line, `ctr run --runc-binary`, pods of the
CRI with BinaryName, podman, and conmon as CRI-O calls it. On each, containers live and end in every way
(--cycles N of them, --road NAME): exit codes must be right, exec, logs and figures work, Linux programs
pass through, and in the end nothing may be left: no process, zombie, mount, group, network, file."""
import contextlib
import os
import sys
import time

import conmons
import images
import machine
from bundles import Oci, read
from cri import cluster
from harness import Skip, case, main, wait_for
from node import Node
from podmans import BUSYBOX, Podman, available
from shims import gone

# Of what may be left, beside files, network devices and memory files.
KINDS = ("processes", "zombies", "mounts", "cgroups", "sockets", "bundles", "states")
STUBBORN = "localhost/stubborn:1"  # its stop signal ends nobody
# Of a guest: its words, how it is ended, the exit code that is right.
WASM = (
    (["exit", "0"], None, 0),
    (["exit", "3"], None, 3),
    (["sleeper"], "TERM", 143),
    (["sleeper"], "KILL", 137),
    (["hostile", "trap"], None, 134),
    (["exit", "137"], None, 137),
    (["exit", "143"], None, 143),
)
LINUX = ((["/bin/sh", "-c", "echo linux; exit 5"], None, 5), (["/bin/sh", "-c", "echo up; sleep 1000"], "KILL", 137))
SAYS = {"hello": "hello world", "exit": "exit ", "hostile": "trap: unreachable", "/bin/sh": "linux"}


def expect(got, wanted, what):
    assert got == wanted, f"{what}: {got}, not {wanted}"


class Road:
    """What travel() asks of a road, beside run, begin, text, exec and end."""
    home = ""

    def own(self):
        """Processes that stay."""
        return []

    def renew(self):
        """Makes what is to last."""

    def leave(self):
        """Removes it."""

    def size(self):
        """Figures of it that must not grow."""
        return {}


class Direct(Road, Oci):
    """create, start, state, delete, as the runc shim and CRI-O call them, and `run`."""

    def run(self, words, linux=False):
        ident = self.bundle(words, "busybox" if linux else "guests")
        done = self.call("run", "-b", self.path(ident), ident)
        self.drop(ident)
        return done.returncode, (done.stdout + done.stderr).decode()

    def begin(self, words, linux=False):
        ident = self.bundle(words, "busybox" if linux else "guests")
        self.create(ident, out=f"{self.path(ident)}/out")
        expect(self.status(ident), "created", ident)
        self.ok("start", ident)
        return ident

    def text(self, ident):
        return read(f"{self.path(ident)}/out")

    def exec(self, ident, words):
        done = self.call("exec", ident, *words)
        return done.returncode, (done.stdout + done.stderr).decode()

    def end(self, ident, how):
        """Without a parent that would be told the exit code: that it ends."""
        pid = int(read(f"{self.path(ident)}/pid"))
        self.ok("kill", ident, how)
        wait_for("its end", lambda: gone(pid))
        self.wait_status(ident, "stopped")
        self.ok("delete", ident)
        self.drop(ident)
        return None


class Ctr(Road):
    """`ctr run --runc-binary`: containerd's runc shim."""

    def __init__(self, options):
        self.node = Node(options, "ctr", native=True)
        self.home = self.node.home

    def __enter__(self):
        self.node.__enter__()
        return self

    def __exit__(self, *words):
        self.node.__exit__(*words)

    def own(self):
        return [self.node.child.pid]

    def run(self, words, linux=False):
        image = images.BUSYBOX if linux else images.GUESTS
        done = self.node.ctr(*self.node.run_words("--rm", image=image), self.node.name(), *words)
        return done.returncode, (done.stdout + done.stderr).decode()

    def begin(self, words, linux=False):
        name = self.node.name()
        image = images.BUSYBOX if linux else images.GUESTS
        self.node.ok(*self.node.run_words("-d", "--log-uri", f"file://{self.log(name)}", image=image), name, *words)
        return name

    def log(self, name):
        return f"{self.node.home}/{name}.log"

    def text(self, name):
        return read(self.log(name)) if os.path.exists(self.log(name)) else ""

    def exec(self, name, words):
        done = self.node.ctr("tasks", "exec", "--exec-id", self.node.name("e"), name, *words)
        return done.returncode, (done.stdout + done.stderr).decode()

    def end(self, name, how):
        assert self.node.ok("tasks", "metrics", name)
        self.node.ok("tasks", "kill", "-s", "SIG" + how, name)
        self.node.wait_status(name, "STOPPED")
        code = self.node.deleted(name)
        os.unlink(self.log(name))
        return code


class Cri(Road):
    """Pods by the CRI, with a RuntimeClass's handler: every other container has one of its own, the
    others share one that lasts, whose shim must not grow."""

    def __init__(self, options):
        self.options, self.count = options, 0

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.cluster = self.stack.enter_context(cluster(self.options))
        self.home = self.cluster.node.home
        self.cluster.node.import_image(STUBBORN, images.guest_entries(self.options.build, False), ["/hello.wasm"],
                                       StopSignal="SIGURG")
        self.lasting = None
        self.renew()
        return self

    def __exit__(self, *words):
        self.leave()
        self.stack.__exit__(*words)

    def own(self):
        return [self.cluster.node.child.pid]

    def renew(self):
        self.leave()
        self.lasting = self.cluster.pod()
        self.lasting.__enter__()

    def leave(self):
        """The lasting pod goes too, before what is left is counted."""
        if self.lasting:
            self.lasting.__exit__(None)
        self.lasting = None

    def size(self):
        """Descriptors and threads of the shim of the pod that lasts."""
        shim = self.cluster.node.shim_of(self.lasting.info()["pid"])
        wait_for("rest", lambda: len(machine.descendants(shim)) == 1)
        return {"descriptors": len(os.listdir(f"/proc/{shim}/fd"))}

    def pod(self):
        self.count += 1
        return self.cluster.pod(network=self.count % 8 == 1).__enter__() if self.count % 2 else self.lasting

    def image(self, linux, how):
        return images.BUSYBOX if linux else STUBBORN if how == "KILL" else images.GUESTS

    def run(self, words, linux=False):
        pod = self.pod()
        guest = pod.start(words, image=self.image(linux, None))
        status = guest.exited()
        expect(status.reason, "Error" if status.exit_code else "Completed", words)
        text = wait_for(f"the log of {words}", guest.text)
        self.drop(pod, guest)
        return status.exit_code, text

    def begin(self, words, linux=False, how=None):
        pod = self.pod()
        return pod, pod.start(words, image=self.image(linux, how))

    def text(self, guest):
        return guest[1].text()

    def exec(self, guest, words):
        done = guest[1].exec(*words)
        return done.exit_code, (done.stdout + done.stderr).decode()

    def end(self, guest, how):
        """KILL: after the stop signal has done nothing for a second."""
        pod, container = guest
        assert container.stats().memory.working_set_bytes.value > 0
        container.stop(10 if how == "TERM" else 1)
        code = container.exited().exit_code
        self.drop(pod, container)
        return code

    def drop(self, pod, guest):
        guest.remove()
        os.unlink(f"{pod.logs}/{guest.name}.log")
        if pod is not self.lasting:
            pod.__exit__(None)


class Podmans(Road, Podman):
    """`podman --runtime`."""

    def run(self, words, linux=False):
        done = self.call(*self.run_words("--rm", **({"image": BUSYBOX} if linux else {})), *words)
        return done.returncode, (done.stdout + done.stderr).decode()

    def begin(self, words, linux=False):
        name = self.name()
        self.ok(*self.run_words("-d", "--name", name, **({"image": BUSYBOX} if linux else {})), *words)
        return name

    def text(self, name):
        return self.ok("logs", name)

    def exec(self, name, words):
        done = self.call("exec", name, *words)
        return done.returncode, (done.stdout + done.stderr).decode()

    def end(self, name, how):
        self.ok(*(["stop", "-t", "10", name] if how == "TERM" else ["kill", name]))
        code = self.exit_code(name)
        self.ok("rm", name)
        return code


class Crio(Road, conmons.Conmon):
    """conmon, which CRI-O runs for each container and for each exec."""

    def run(self, words, linux=False):
        ident = self.begin(words, linux)
        return self.over(ident)

    def over(self, ident):
        code = self.exit_code(ident)
        text = self.text(ident)
        expect(self.status(ident), "stopped", ident)
        self.ok("delete", "--force", ident)
        self.drop(ident)
        return code, text

    def begin(self, words, linux=False):
        ident = self.make(words, "busybox" if linux else "guests")
        expect(self.status(ident), "created", ident)
        self.ok("start", ident)
        return ident

    def end(self, ident, how):
        self.ok("kill", ident, how)
        return self.over(ident)[0]


# ---------------------------------------------------------------- one life, many lives

def guest_words(words):
    return [f"/{words[0]}.wasm", *words[1:]]


def life(road, words, how, code, linux):
    """One container from its birth to its end."""
    argv = words if linux else guest_words(words)
    if how is None:
        got, text = road.run(argv, linux)
        expect(got, code, argv)
        assert SAYS[words[0]] in text, (argv, text)
        return
    extra = {"how": how} if isinstance(road, Cri) else {}
    guest = road.begin(argv, linux, **extra)
    wait_for("its words", lambda: "up" in road.text(guest))
    for exec_words, exec_code, said in (((["/bin/echo", "more"], 0, "more"),) if linux else
                                        ((["/hello.wasm", "x"], 0, "hello world x"), (["/exit.wasm", "7"], 7, "exit 7"))):
        got, text = road.exec(guest, exec_words)
        expect(got, exec_code, exec_words)
        assert said in text, (exec_words, text)
    got = road.end(guest, how)
    assert got == code or got is None, f"{argv}, {how}: {got}, not {code}"


def files_of(road):
    """Everything below /run but for what the stack above keeps for itself: its stores, its logs."""
    kept = tuple(f"{road.home}/{name}" for name in ("root", "log", "containerd.log", "ipam"))
    kept += (f"{machine.BASE}/logs",)  # of pods: the kubelet's to remove
    found = set()
    for folder, folders, names in os.walk("/run"):
        found.update(path for path in (f"{folder}/{name}" for name in folders + names) if not path.startswith(kept))
    return found


def census(road):
    """What there is once all is quiet, as sets of lines."""
    found = machine.snapshot(road.own())
    rows = {name: set(found.get(name, ())) for name in KINDS}
    rows["files"] = files_of(road)
    rows["network"] = set(os.listdir("/sys/class/net")) | set(os.listdir("/run/netns"))
    rows["memory files"] = set(os.listdir("/dev/shm"))
    return rows


def more_than(before, road, patience=15):
    """What there is now and was not before; empty when all has gone in time."""
    until = time.monotonic() + patience
    while True:
        left = {name: sorted(rows - before.get(name, set())) for name, rows in census(road).items()}
        left = {name: rows[:4] + [f"{len(rows)} in all"] for name, rows in left.items() if rows}
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


def travel(options, make):
    """One round to warm up, which makes what the stack keeps; then as many lives as wanted."""
    lives = [(*row, False) for row in WASM] + [(*row, True) for row in LINUX]
    if machine.view() == "v2" and not machine.v2_controllers():
        lives = [row for row in lives if not row[3]]  # runc needs controllers
    machine.IGNORED.discard("sockets")  # no shim is killed here
    with make(options) as road:
        for row in lives:
            life(road, *row)
        road.leave()
        wait_for("rest", lambda: not [p for p in machine.processes() if p[2] != "Z" and "shim" in p[3]])
        before = census(road)
        road.renew()
        size = road.size()
        begun = time.monotonic()
        for number in range(options.cycles):
            life(road, *lives[number % len(lives)])
        seconds = time.monotonic() - begun
        grown = road.size()
        road.leave()
        left = more_than(before, road)
        print(f"      {options.cycles} lives, {seconds:.1f} s; checked: {', '.join(before)}"
              f"{''.join(f'; {name} of the shim {size[name]}, then {grown[name]}' for name in size)}", flush=True)
    assert not left, left
    for name, figure in size.items():  # its collector closes some late
        assert grown[name] <= figure + 3, f"{name} of the shim: {figure}, then {grown[name]}"


def road_case(name, make, need=lambda: ""):
    def test(options):
        if options.road not in ("", name):
            raise Skip("another road was wanted")
        if need():
            raise Skip(need())
        travel(options, make)
    test.__name__ = f"road_{name}"
    case(test)


def needs_controllers():
    absent = [one for one in ("cpu", "memory") if one not in machine.v2_controllers()] if machine.view() == "v2" else []
    return f"this host has no {' and no '.join(absent)} there" if absent else ""


road_case("direct", Direct)
road_case("ctr", Ctr, needs_controllers)
road_case("cri", Cri, needs_controllers)
road_case("podman", Podmans, lambda: needs_controllers() or ("" if available() else "not installed: podman"))
road_case("crio", Crio, lambda: "" if conmons.available() else "not installed: conmon")


@contextlib.contextmanager
def roads(options):
    options.runtime = "wasmrun-oci"
    machine.mount("-t", "tmpfs", "tmpfs", "/dev/shm")  # else it is the whole host's
    yield options


if __name__ == "__main__":
    sys.argv += [] if "--runtime" in sys.argv else ["--runtime", "wasmrun-oci"]
    sys.exit(main(__doc__, roads, controllers=(), cycles=10))
