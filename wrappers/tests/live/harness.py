# SPDX-License-Identifier: Apache-2.0
"""The live tests' frame: registered cases, a line for each, 'N passed, N failed, N skipped' at the
end. Each program runs in namespaces of its own (machine.py), once for each view of cgroups."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import traceback

import machine

CASES = []


class Skip(Exception):
    """This machine or this runtime has nothing to test here."""


def case(function=None, wasm=False, slow=False):
    """Registers a test. `wasm`: of our runtimes alone, the others are passed over; `slow`: left out
    of a --quick run."""
    def register(test):
        CASES.append((test, wasm, slow))
        return test
    return register(function) if function else register


class Options:
    """What the command line says, the same for all programs."""

    def __init__(self, doc, cycles):
        parser = argparse.ArgumentParser(description=doc)
        parser.add_argument("--build", default=os.environ.get("WASMRUN_BUILD", "build/release"),
                            help="build folder with bin/containerd-shim-wasmrun-v1 and live/*.wasm")
        parser.add_argument("--runtime", default="wasmrun", help="wasmrun, wasmrun-oci, runc or crun")
        parser.add_argument("--view", default="", help="v1 or v2: only that view of cgroups")
        parser.add_argument("--only", default="", help="cases whose names match")
        parser.add_argument("--quick", action="store_true", help="without the slow cases")
        parser.add_argument("--keep-going", action="store_true", help=argparse.SUPPRESS)
        parser.add_argument("--cycles", type=int, default=cycles, help="of churn, and of each road")
        parser.add_argument("--road", default="", help="only that road")
        parser.add_argument("--seed", type=int, default=0, help="of churn; 0: another each time")
        parser.parse_args(namespace=self)
        self.build = os.path.abspath(self.build)

    @property
    def shim(self):
        return os.path.join(self.build, "bin", "containerd-shim-wasmrun-v1")

    def binary(self, runtime):
        return binary(self.build, runtime)


def binary(build, runtime):
    """The program of a runtime that runc's shim calls."""
    own = os.path.join(build, "bin", runtime)
    return own if os.path.exists(own) else shutil.which(runtime) or runtime


def missing(options):
    """Why nothing can run here, "" when all is there."""
    if os.geteuid() != 0:
        return "needs root"
    tools = ["unshare", "protoc", "cc", "ctr", "containerd", "runc", "busybox", "ip", "strace"]
    absent = [tool for tool in tools if not shutil.which(tool)]
    try:
        import grpc  # noqa: F401
    except ImportError:
        absent.append("python3-grpcio")
    if absent:
        return "not installed: " + " ".join(absent)
    if not machine.views():
        return "no control groups"
    if options.runtime == "wasmrun" and not os.path.exists(options.shim):
        return "containerd-shim-wasmrun-v1 is not built"
    if options.runtime == "wasmrun-oci" and not os.path.exists(options.binary("wasmrun-oci")):
        return "wasmrun-oci is not built"
    if not os.path.exists(os.path.join(options.build, "live", "hello.wasm")):
        return "the guests are not built"
    return ""


def wait_for(what, condition, patience=10.0):
    """Polls until `condition` is true and returns what it gave. A turn counts as a second at most: while this
    process or the whole machine stands still, so does what is waited for, and both go on together."""
    begun = before = time.monotonic()
    left = patience
    while True:
        got = condition()
        if got:
            return got
        now = time.monotonic()
        left, before = left - min(now - before, 1.0), now
        if left < 0:
            raise AssertionError(f"in vain waited {patience:g} s ({now - begun:.1f} by the clock) for {what}")
        time.sleep(0.01)


def run_case(test, options, fixture):
    """'ok', 'FAIL' or 'SKIP', and prints the line."""
    label, begun = test.__name__.replace("_", " "), time.monotonic()
    try:
        test(fixture)
        print(f"ok    {label} ({time.monotonic() - begun:.1f} s)")
        return "ok"
    except Skip as reason:
        print(f"SKIP  {label}: {reason}")
        return "SKIP"
    except Exception as problem:  # a case that ends in any way but well has failed
        trace = traceback.extract_tb(problem.__traceback__)
        lines = ", ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in trace
                          if os.path.dirname(f.filename) == os.path.dirname(__file__))
        text = getattr(problem, "details", lambda: str(problem))()
        print(f"FAIL  {label} ({lines}): {type(problem).__name__}: {text}")
        return "FAIL"


def inside(options, fixture):
    """In the namespaces: all cases with one fixture, then whether anything is left."""
    counts = {"ok": 0, "FAIL": 0, "SKIP": 0}
    if options.runtime != "wasmrun":
        machine.IGNORED.add("sockets")  # runc's shim leaves them when it is killed
    with fixture(options) as ready:
        for test, wasm, slow in CASES:
            if not re.search(options.only, test.__name__):
                continue
            if wasm and not options.runtime.startswith("wasmrun") or slow and options.quick:
                counts["SKIP"] += 1
                continue
            counts[run_case(test, options, ready)] += 1
            sys.stdout.flush()
    left = machine.leftovers()
    machine.tidy()
    if left:
        print(f"FAIL  nothing is left behind: {left}")
    counts["FAIL" if left else "ok"] += 1
    print("counts", counts["ok"], counts["FAIL"], counts["SKIP"])
    return 0


def usable(view, controllers):
    """Whether containers with the usual limits can be made in a view."""
    absent = [name for name in controllers if name not in machine.v2_controllers()] if view == "v2" else []
    if absent:
        print(f"SKIPPED: cgroup {view}: this host has no {' and no '.join(absent)} there")
    return not absent


def main(doc, fixture, controllers=("cpu", "memory"), cycles=100):
    """`fixture(options)`: a context manager that gives the cases their argument; `controllers`:
    without them a view of cgroup v2 is passed over (containerd always asks for shares); `cycles`:
    of those that count them, unless told otherwise."""
    options = Options(doc, cycles)
    if machine.is_inside():
        machine.enter()
        return inside(options, fixture)
    reason = missing(options)
    if reason:
        print(f"SKIPPED: {os.path.basename(sys.argv[0])}: {reason}")
        print("0 passed, 0 failed, 1 skipped")
        return 77
    total = [0, 0, 0]
    for view in machine.views():
        if options.view and view != options.view:
            continue
        if not usable(view, controllers):
            total[2] += 1
            continue
        print(f"-- {options.runtime}, cgroup {view}", flush=True)
        code, out = machine.run_inside(view)
        match = re.search(r"^counts (\d+) (\d+) (\d+)$", out, re.M)
        if not match or code != 0:
            print(f"FAIL  ended with {code} and no count")
            total[1] += 1
        if match:
            total = [a + int(b) for a, b in zip(total, match.groups())]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] else 0


def run(*words, **options):
    """A command's result; its failure is an assertion with what it said."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=options.pop("timeout", 60),
                          **options)
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}: {done.stderr or done.stdout}"
    return done.stdout
