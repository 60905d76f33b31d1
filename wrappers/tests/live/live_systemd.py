#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The OCI runtime with --systemd-cgroup: a bus, and a systemd that is not real but makes scopes as the
real one does (tests/fake_systemd.py). Lives and ends, exec, update, pause, kills in between."""
import os
import shutil
import subprocess
import sys

import harness
import machine
from bundles import Oci, read
from harness import Skip, case, wait_for
from shims import gone

HERE = os.path.dirname(os.path.abspath(__file__))
BUS = "/run/dbus/system_bus_socket"
POLICY = f"""<busconfig><listen>unix:path={BUS}</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""


class Systemd(Oci):
    """Bundles whose groups are scopes of a slice of ours; a with-statement."""

    def __enter__(self):
        super().__enter__()
        self.slice = "wasmrunlive" + "".join(c for c in machine.group() if c.isalnum()) + ".slice"
        self.calls = f"{self.home}/calls"
        self.log = ["--systemd-cgroup", "--log", f"{self.home}/log", "--log-format", "json"]
        self.children = []
        self.why = self.begin()
        return self

    def begin(self):
        """Starts both; why not, or ""."""
        trees = [root for root in machine.hierarchies() if root.endswith("/systemd") or machine.view() == "v2"]
        absent = [tool for tool in ("busctl", "dbus-daemon") if not shutil.which(tool)]
        if absent or not trees:
            return "not installed: " + " ".join(absent) if absent else "no hierarchy name=systemd"
        os.makedirs(os.path.dirname(BUS))
        with open(f"{self.home}/bus.conf", "w", encoding="utf-8") as file:
            file.write(POLICY)
        for argv in (["dbus-daemon", f"--config-file={self.home}/bus.conf", "--nofork", "--print-address"],
                     [sys.executable, os.path.join(HERE, os.pardir, "fake_systemd.py"), trees[0], self.calls]):
            child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.children.append(child)
            if not child.stdout.readline():  # both say something when they are ready
                return "no dbus and gi for this interpreter"
        return ""

    def __exit__(self, *words):
        for child in self.children[::-1]:
            child.kill()
            child.wait()
            child.stdout.close()
        for root in machine.hierarchies():
            for folder, _, _ in os.walk(f"{root}/{self.slice}", topdown=False):
                os.rmdir(folder)
        machine.remove_tree(os.path.dirname(BUS))
        super().__exit__(*words)

    def scope(self, words, **options):
        """A bundle in a scope of the slice."""
        if self.why:
            raise Skip(self.why)

        def change(spec):
            spec["linux"]["cgroupsPath"] = f"{self.slice}:cri:{os.path.basename(spec['linux']['cgroupsPath'])}"
        return self.bundle(words, change=change, **options)

    def said(self):
        return read(self.calls) if os.path.exists(self.calls) else ""

    def folders(self):
        return [f"{root}/{self.slice}/{name}" for root in machine.hierarchies() if os.path.isdir(f"{root}/{self.slice}")
                for name in os.listdir(f"{root}/{self.slice}") if name.endswith(".scope")]


def nothing_left(oci):
    own = [child.pid for child in oci.children]
    left = machine.leftovers(ignore=own)
    assert not left and not oci.folders(), (left, oci.folders())


@case
def lives_and_ends_in_scopes(oci):
    for words, code in ((["/exit.wasm", "0"], 0), (["/exit.wasm", "3"], 3), (["/hostile.wasm", "trap"], 134)):
        ident = oci.scope(words)
        done = oci.call("run", "-b", oci.path(ident), ident)
        assert done.returncode == code, done
        assert f"start cri-{ident}.scope" in oci.said() and f"stop cri-{ident}.scope" in oci.said(), oci.said()
        oci.drop(ident)
    nothing_left(oci)


@case
def exec_update_and_pause_in_a_scope(oci):
    limits = {"resources": {"memory": {"limit": 64 << 20}, "cpu": {"shares": 512}}} if machine.view() == "v1" else {}
    ident = oci.scope(["/sleeper.wasm"], **limits)
    pid = oci.create(ident)
    with open(f"/proc/{pid}/cgroup", encoding="ascii") as file:
        assert f"/{oci.slice}/cri-{ident}.scope" in file.read()
    oci.ok("start", ident)
    assert oci.call("exec", ident, "/exit.wasm", "7").returncode == 7
    if machine.view() == "v1":
        oci.ok("update", "--memory", "32m", ident)
        assert f"set cri-{ident}.scope" in oci.said(), oci.said()
        path = f"/sys/fs/cgroup/memory/{oci.slice}/cri-{ident}.scope/memory.limit_in_bytes"
        assert int(read(path)) == 32 << 20
    try:
        oci.ok("pause", ident)
        assert oci.status(ident) == "paused"
        oci.ok("resume", ident)
    except AssertionError as problem:
        assert "freez" in str(problem), problem  # groups can't be frozen here
    pids = oci.ok("ps", "-f", "json", ident)
    assert pids == f"[{pid}]\n", pids
    oci.ok("kill", ident, "TERM")
    wait_for("its end", lambda: gone(pid))
    oci.ok("delete", ident)
    oci.drop(ident)
    nothing_left(oci)


@case
def names_that_are_no_scopes_are_refused(oci):
    for path in ("a/b", "x.slice", "x.slice:y", "x.slice:y:z:w", "x:y:z", "../x.slice:y:z", "x.slice::", "-x-.slice:y:z"):
        ident = oci.scope(["/hello.wasm"])
        with open(f"{oci.path(ident)}/config.json", encoding="utf-8") as file:
            text = file.read().replace(f"{oci.slice}:cri:{ident}", path)
        with open(f"{oci.path(ident)}/config.json", "w", encoding="utf-8") as file:
            file.write(text)
        oci.refused("create", "-b", oci.path(ident), ident, word="cgroup")
        oci.drop(ident)
    nothing_left(oci)


@case
def a_broken_state_and_its_scope(oci):
    ident = oci.scope(["/sleeper.wasm"])
    pid = oci.create(ident)
    with open(f"/run/wasmrun-oci/{ident}/wasmrun.json", "w", encoding="ascii") as file:
        file.write("{")
    oci.ok("delete", "--force", ident)
    wait_for("its end", lambda: gone(pid))
    oci.drop(ident)
    nothing_left(oci)


@case
def without_a_bus(oci):
    ident = oci.scope(["/hello.wasm"])
    os.rename(BUS, BUS + ".away")
    oci.refused("create", "-b", oci.path(ident), ident, word="systemd")
    os.rename(BUS + ".away", BUS)
    oci.drop(ident)
    nothing_left(oci)


if __name__ == "__main__":
    sys.argv += [] if "--runtime" in sys.argv else ["--runtime", "wasmrun-oci"]
    sys.exit(harness.main(__doc__, Systemd, controllers=()))
