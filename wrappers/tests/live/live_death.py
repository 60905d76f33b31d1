#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shim without containerd, and SIGKILL at each system call of a Create, for the shim and for the
child that it makes: what `delete` then has to clean, it cleans."""
import os
import re
import signal
import subprocess
import sys

import harness
import machine
import wire
from harness import Skip, case, wait_for
from shims import Lab, gone

POINTS = int(os.environ.get("WASMRUN_LIVE_POINTS", "60"))  # of a child's death in a Create; 0: all


@case(wasm=True)
def delete_is_idempotent(lab):
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
    """System calls from Create to READY by strace, in order: (name, how often it was made by then) of
    the shim, and of its child those that the shim does not reach."""
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
    seen, points = {}, {True: [], False: []}
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"^(\d+) +(\w+)\(", line)
            if match:
                key = (match.group(1) == str(shim.pid), match.group(2))
                seen[key] = seen.get(key, 0) + 1
                points[key[0]].append((key[1], seen[key]))
    return points[True], [point for point in points[False] if point[1] > seen.get((True, point[0]), 0)]


def attach(pid, *options):
    """strace on a running process and what it forks; waits until it has taken hold."""
    tracer = subprocess.Popen(["strace", "-f", "-q", *options, "-p", str(pid)], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)

    def held():
        if gone(pid):
            return True  # it was hit at once
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
    """One Create; whoever makes the `number`th call of `name` is killed there. Then `delete`."""
    shim = lab.shim()
    tracer = attach(shim.pid, "-o", "/dev/null", "-e", f"trace={name}", "-e",
                    f"inject={name}:signal=KILL:when={number}")
    try:
        task = shim.task()
        task.close()
        task.start()
        code = task.wait().exit_status if not gone(task.pid) else 137
        assert code == 137, f"{name} {number}: exit code {code}"
    except wire.Refused as problem:
        assert str(problem)
    except OSError:
        wait_for(f"an answer or the end at {name} {number}", lambda: gone(shim.pid), 5)
    finally:
        tracer.terminate()
        tracer.wait()
        shim.kill()
    left = machine.leftovers()
    assert not left, f"killed at {name} {number}: {left}"


@case(wasm=True, slow=True)
def the_shim_dies_at_each_call_of_a_create(lab):
    points, _ = calls_of_a_create(lab)
    print(f"      {len(points)} calls")
    for name, number in points:
        die_at(lab, name, number)


@case(wasm=True, slow=True)
def the_child_dies_at_calls_of_a_create(lab):
    """Some of its calls, evenly spread; Create or Start ends in an error, or Wait tells the SIGKILL."""
    _, points = calls_of_a_create(lab)
    chosen = points[::max(1, len(points) // POINTS)] if POINTS else points
    print(f"      {len(chosen)} of {len(points)} calls")
    for name, number in chosen:
        die_at(lab, name, number)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, Lab, controllers=()))
