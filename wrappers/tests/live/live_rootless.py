#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The OCI runtime as root of a user namespace only, which is where podman calls it for ordinary users:
no control groups, states in $XDG_RUNTIME_DIR, devices borrowed from the host."""
import json
import os
import subprocess
import sys

import harness
import machine
from bundles import Oci, read
from harness import case, wait_for
from shims import gone

FIRST, COUNT = 100000, 65536  # of the host's numbers


class Rootless(Oci):
    """All commands are run in a user and a mount namespace; a with-statement."""

    def __enter__(self):
        super().__enter__()
        self.states = f"{self.home}/runtime/wasmrun-oci"
        os.makedirs(f"{self.home}/runtime")
        self.holder = subprocess.Popen(["unshare", "--user", "--mount", "sleep", "100000"])
        wait_for("its namespaces", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/user") != os.readlink("/proc/self/ns/user"))
        for name in ("uid_map", "gid_map"):
            with open(f"/proc/{self.holder.pid}/{name}", "w", encoding="ascii") as file:
                file.write(f"0 {FIRST} {COUNT}")
        for folder, folders, names in os.walk(self.home):
            for name in [".", *folders, *names]:
                os.chown(f"{folder}/{name}", FIRST, FIRST, follow_symlinks=False)
        return self

    def __exit__(self, *words):
        self.holder.kill()
        self.holder.wait()
        super().__exit__(*words)

    def argv(self, *words):
        return ["nsenter", "-t", str(self.holder.pid), "-U", "-m", "env", f"XDG_RUNTIME_DIR={self.home}/runtime",
                *super().argv(*words)]

    def small(self, words, **members):
        """A bundle as podman makes them for ordinary users: no group of its own."""
        def change(spec):
            del spec["linux"]["cgroupsPath"]
            spec["linux"]["namespaces"] = [row for row in spec["linux"]["namespaces"] if row["type"] != "network"]
            spec["linux"].update(members)
        ident = self.bundle(words, change=change)
        os.chown(self.path(ident), FIRST, FIRST)
        return ident


def nothing_left(oci):
    left = machine.leftovers(ignore=[oci.holder.pid])
    assert not left and not os.listdir(oci.states), (left, os.listdir(oci.states))


@case
def exit_codes_are_the_guests(oci):
    for words, code in ((["/exit.wasm", "0"], 0), (["/exit.wasm", "3"], 3), (["/exit.wasm", "143"], 143),
                        (["/hostile.wasm", "trap"], 134)):
        ident = oci.small(words)
        done = oci.call("run", "-b", oci.path(ident), ident)
        assert done.returncode == code, done
        oci.drop(ident)
    nothing_left(oci)


@case
def a_life_in_steps(oci):
    for how in ("TERM", "KILL"):
        ident = oci.small(["/sleeper.wasm"])
        out = f"{oci.path(ident)}/out"
        oci.create(ident, out=out)
        assert os.listdir(oci.states) == [ident] and oci.status(ident) == "created"
        oci.ok("start", ident)
        wait_for("its words", lambda: "up" in read(out))
        done = oci.call("exec", ident, "/hello.wasm", "x")
        assert (done.returncode, done.stdout) == (0, b"hello world x\n"), done
        assert oci.call("exec", ident, "/exit.wasm", "7").returncode == 7
        assert [row["id"] for row in json.loads(oci.ok("list", "-f", "json"))] == [ident]
        for words in (["pause", ident], ["events", "--stats", ident], ["ps", ident], ["update", "--memory", "64m", ident]):
            oci.refused(*words, word="no control group")
        oci.ok("kill", "--all", ident, how)
        oci.wait_status(ident, "stopped")
        oci.ok("delete", ident)
        oci.drop(ident)
    ident = oci.small(["/sleeper.wasm"])
    pid = oci.create(ident)
    oci.ok("delete", "--force", ident)
    wait_for("its end", lambda: gone(pid))
    oci.drop(ident)
    nothing_left(oci)


@case
def what_takes_privilege_is_refused(oci):
    ident = oci.small(["/hello.wasm"], resources={"memory": {"limit": 64 << 20}})
    oci.refused("create", "-b", oci.path(ident), ident, word="limits")
    oci.drop(ident)
    ident = oci.small(["/hello.wasm"], cgroupsPath=f"/{machine.group()}/x")
    oci.refused("create", "-b", oci.path(ident), ident, word="cgroup")
    oci.drop(ident)
    nothing_left(oci)


if __name__ == "__main__":
    sys.argv += [] if "--runtime" in sys.argv else ["--runtime", "wasmrun-oci"]
    sys.exit(harness.main(__doc__, Rootless, controllers=()))
