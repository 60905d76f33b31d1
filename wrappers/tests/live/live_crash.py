#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL for containerd and for the shim at bad moments: containerd finds its containers again with
the right exit codes, and of a shim that died nothing is left."""
import os
import re
import signal
import sys
import time

import harness
import images
import machine
from harness import case, wait_for
from node import Node
from shims import gone

def nothing_left(node, patience=15):
    left = machine.leftovers(ignore=[node.child.pid], patience=patience)
    assert not left, left


@case
def containerd_dies_and_finds_its_containers(node):
    running, out = node.detach("ticker")
    ending, _ = node.detach("sleeper", "1.5")
    failing = node.name()
    node.ok(*node.run_words("-d"), failing, node.program("exit"), "3")
    killed, _ = node.detach("sleeper")
    node.wait_status(failing, "STOPPED")
    pid = node.tasks()[running][0]
    node.stop(signal.SIGKILL)
    assert not gone(pid), "the guest lives on"
    size = os.path.getsize(out)
    wait_for("more ticks", lambda: os.path.getsize(out) > size)
    os.kill(first_process(killed), signal.SIGKILL)  # one ends while nobody is there
    time.sleep(1.5)
    node.start()
    tasks = node.tasks()
    assert tasks[running] == (pid, "RUNNING"), tasks
    codes = {}
    for ident in (ending, failing, killed):
        node.wait_status(ident, "STOPPED")
        done = node.ctr("tasks", "delete", ident)
        code = re.search(rb"exit code (\d+)", done.stderr)
        codes[ident] = int(code.group(1)) if code else 0
        node.ctr("containers", "delete", ident)
    assert codes == {ending: 0, failing: 3, killed: 137}, codes
    done = node.ctr("tasks", "exec", "--exec-id", "after", running, node.program("hello"))
    assert done.stdout == b"hello world\n", done
    node.ok("tasks", "kill", "-s", "SIGKILL", running)
    node.wait_status(running, "STOPPED")
    node.remove(running)
    nothing_left(node)


def first_process(ident):
    """The first process of a container, by its control group, without containerd."""
    for root in machine.hierarchies():
        try:
            with open(f"{root}/{machine.group()}/{ident}/cgroup.procs", encoding="ascii") as file:
                pids = file.read().split()
            if pids:
                return int(pids[0])
        except OSError:
            pass
    raise AssertionError(f"no process of {ident}")


@case
def the_shim_dies_with_a_running_guest(node):
    for _ in range(3):
        ident, out = node.detach("ticker")
        pid = node.tasks()[ident][0]
        shim = node.shims()[0]
        os.kill(shim, signal.SIGKILL)
        if node.options.runtime == "wasmrun":
            wait_for("the guest's end", lambda: gone(pid), 5)
        wait_for("containerd to see it", lambda: node.tasks().get(ident, (0, ""))[1] in ("", "UNKNOWN", "STOPPED"), 15)
        node.remove(ident)
    nothing_left(node)


@case(wasm=True)
def the_shim_dies_with_a_linux_container(node):
    ident = node.name()
    node.ok(*node.run_words("-d", image=images.BUSYBOX), ident, "/bin/sleep", "1000")
    pid = node.tasks()[ident][0]
    os.kill(node.shims()[0], signal.SIGKILL)
    wait_for("its end", lambda: gone(pid), 15)
    node.remove(ident)
    nothing_left(node)


@case
def both_die(node):
    ident, _ = node.detach("ticker")
    shim = node.shims()[0]
    node.stop(signal.SIGKILL)
    os.kill(shim, signal.SIGKILL)
    time.sleep(0.2)
    node.start()
    wait_for("the task's end", lambda: node.tasks().get(ident, (0, "STOPPED"))[1] in ("STOPPED", "UNKNOWN"), 15)
    node.remove(ident)
    nothing_left(node)


@case
def the_guest_is_killed_from_outside(node):
    ident, _ = node.detach("ticker")
    os.kill(node.tasks()[ident][0], signal.SIGKILL)
    node.wait_status(ident, "STOPPED")
    node.remove(ident)
    nothing_left(node)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, Node))
