#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_wasi.py BUILD: bench/wasi.py measures all parts that need nothing from outside, and what does
not depend on how busy the machine is keeps its bar. Times are only looked at for being there."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
GUESTS, OWN_KIB, MAPPINGS = 2000, 24, 65530 / 10000
results = []


def check(name, good, detail=""):
    results.append(bool(good))
    if not good:
        print(f"FAILED {name} {detail}")


def measure(*args):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.json")
        run = subprocess.run([sys.executable, os.path.join(HERE, "wasi.py"), "--build", sys.argv[1], "--json", path,
                              "--rounds", "1", "--seconds", "1", "--guests", str(GUESTS), *args],
                             capture_output=True, text=True)
        if run.returncode:
            print(run.stderr)
            return None
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def main():
    figures = measure("calls", "files", "hello", "parked")
    check("all parts are measured", figures)
    if figures:
        for call in ("clock", "libc_clock", "write"):
            check(call + " takes time", figures["calls"][call]["wasmrun"]["minimum"] > 0)
        for way in ("read", "write"):
            check(way + " moves bytes", figures["files"][way]["wasmrun_sandbox"]["minimum"] > 0)
        check("hello says so", figures["hello"]["wasmrun_sandbox"]["output"]["minimum"] > 0)
        parked = figures["parked"]["rounds"][0]
        check("parked guests are small", parked["own_kib_each"] <= OWN_KIB, parked)
        check("parked guests have few mappings", parked["mappings"] / GUESTS <= MAPPINGS, parked)
        check("they wake", parked["wakes"] >= 200, parked)
    check("no such part", measure("nothing") is None)
    good = sum(results)
    print(f"{good} passed, {len(results) - good} failed")
    return good < len(results)


if __name__ == "__main__":
    sys.exit(main())
