#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL for containerd and for the shim at bad moments: containerd finds its containers again with
the right exit codes, and of a shim that died nothing is left; also when it dies at any one system
call of a Create."""
import os
import re
import signal
import subprocess
import sys
import time

import harness
import machine
import wire
from harness import Skip, case, wait_for
from node import Node
from shims import Lab, gone

POINTS = int(os.environ.get("WASMRUN_LIVE_POINTS", "40"))  # of death in a Create


class Both:
    """A node, and a lab beside it."""

    def __init__(self, options):
        self.options, self.node, self.lab = options, Node(options), Lab(options)

    def __enter__(self):
        self.node.__enter__()
        self.lab.__enter__()
        return self

    def __exit__(self, *problem):
        self.lab.__exit__(*problem)
        self.node.__exit__(*problem)


def nothing_left(node, patience=15):
    left = machine.leftovers(ignore=[node.child.pid], patience=patience)
    assert not left, left


@case
def containerd_dies_and_finds_its_containers(both):
    node = both.node
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
    os.kill(node_pid(both, killed), signal.SIGKILL)  # one ends while nobody is there
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


def node_pid(both, ident):
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
def the_shim_dies_with_a_running_guest(both):
    node = both.node
    for _ in range(3):
        ident, out = node.detach("ticker")
        pid = node.tasks()[ident][0]
        shim = node.shims()[0]
        os.kill(shim, signal.SIGKILL)
        if both.options.runtime == "wasmrun":
            wait_for("the guest's end", lambda: gone(pid), 5)
        wait_for("containerd to see it", lambda: node.tasks().get(ident, (0, ""))[1] in ("", "UNKNOWN", "STOPPED"), 15)
        node.remove(ident)
    nothing_left(node)


@case(wasm=True)
def the_shim_dies_with_a_linux_container(both):
    import images
    node = both.node
    ident = node.name()
    node.ok(*node.run_words("-d", image=images.BUSYBOX), ident, "/bin/sleep", "1000")
    pid = node.tasks()[ident][0]
    os.kill(node.shims()[0], signal.SIGKILL)
    wait_for("its end", lambda: gone(pid), 15)
    node.remove(ident)
    nothing_left(node)


@case
def both_die(both):
    node = both.node
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
def the_guest_is_killed_from_outside(both):
    node = both.node
    ident, _ = node.detach("ticker")
    os.kill(node.tasks()[ident][0], signal.SIGKILL)
    node.wait_status(ident, "STOPPED")
    node.remove(ident)
    nothing_left(node)


@case(wasm=True)
def delete_is_idempotent(both):
    lab = both.lab
    shim = lab.shim()
    task = shim.task()
    task.start()
    task.says("up")
    os.kill(shim.pid, signal.SIGKILL)
    wait_for("its end", lambda: gone(shim.pid))
    wait_for("the guest's end", lambda: gone(task.pid), 5)
    for _ in range(3):
        done = shim.command("delete")
        assert done.returncode == 0, done
        answer = wire.task("DeleteResponse").FromString(done.stdout)
        assert answer.exit_status == 137 and answer.exited_at.seconds > 0, answer
    task.close()
    shim.kill()
    done = shim.command("delete", "never-there", f"{lab.home}/bundles/never-there")
    assert done.returncode == 0, done


def calls_of_a_create(lab):
    """How many system calls the shim and its child make from Create to READY, by strace."""
    trace = f"{machine.BASE}/create.trace"
    shim = lab.shim()
    tracer = attach(shim.pid, "-o", trace)
    task = shim.task()
    tracer.terminate()
    tracer.wait()
    task.kill()
    task.wait()
    task.delete()
    task.close()
    shim.end()
    with open(trace, encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if re.match(r"^\d+ +\w+\(", line)]
    own = [line for line in lines if line.split()[0] == str(shim.pid)]
    names = [re.match(r"^\d+ +(\w+)\(", line).group(1) for line in own]
    return names, len(lines) - len(own)


def attach(pid, *options):
    """strace on a running process and what it forks; waits until it has taken hold."""
    tracer = subprocess.Popen(["strace", "-f", "-q", *options, "-p", str(pid)], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)

    def held():
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return re.search(r"^TracerPid:\t0$", file.read(), re.M) is None
    try:
        wait_for("strace", held, 5)
    except AssertionError:
        tracer.kill()
        tracer.wait()
        raise Skip("processes can't be traced here") from None
    return tracer


def die_at(lab, name, number):
    """One Create, the shim is killed at the `number`th call of `name`; then `delete` and a look."""
    shim = lab.shim()
    tracer = attach(shim.pid, "-o", "/dev/null", "-e", f"trace={name}", "-e",
                    f"inject={name}:signal=KILL:when={number}")
    try:
        task = shim.task()
        task.close()
    except (wire.Refused, ConnectionError, OSError, AssertionError):
        pass
    tracer.terminate()
    tracer.wait()
    shim.kill()
    left = machine.leftovers(ignore=[lab.keep], patience=5)
    assert not left, f"killed at {name} {number}: {left}"


@case(wasm=True, slow=True)
def the_shim_dies_at_each_call_of_a_create(both):
    """At most POINTS of them, spread evenly; the child's calls are hit as well: strace counts for
    each process by itself."""
    lab = both.lab
    lab.keep = both.node.child.pid
    names, childs = calls_of_a_create(lab)
    points, seen = [], {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        points.append((name, seen[name]))
    step = max(1, len(points) // POINTS)
    chosen = points[::step]
    print(f"      {len(names)} calls of the shim, {childs} of the child; killed at {len(chosen)}")
    for name, number in chosen:
        die_at(lab, name, number)


@case(wasm=True)
def the_child_dies_before_it_is_ready(both):
    """The child alone is killed at calls that only it makes: Create ends in an error."""
    lab = both.lab
    lab.keep = both.node.child.pid
    for name in ("pivot_root", "mount", "setns", "prctl", "landlock_restrict_self", "seccomp"):
        shim = lab.shim()
        tracer = attach(shim.pid, "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when=1")
        try:
            task = shim.task()
            task.start()
            code = task.wait().exit_status  # the call was not made in this build
            assert code in (0, 137), (name, code)
            task.delete()
            task.close()
        except wire.Refused as problem:
            assert str(problem), name
        except (ConnectionError, OSError):
            pass  # the shim makes that call, too
        tracer.terminate()
        tracer.wait()
        shim.kill()
        left = machine.leftovers(ignore=[lab.keep])
        assert not left, (name, left)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, Both))
