#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIMD builds of the kernels beside their scalar builds and beside V8's Liftoff, in one run:
`./dev bench --simd`. The timing is wasm-bench's; this names the builds and sets them side by side.

What is subtracted from V8's times is all of its start: the same script with a program that does nothing.
"""
import argparse
import json
import math
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "release")
SETS = [f"{group}-{kind}" for group in ("training", "validation") for kind in ("simd", "scalar")]
FASTER, SLOWER = 2, 3  # the bars: than scalar, each kernel; than Liftoff, geometric mean


def find_node():
    """As in .ci/checks/v8."""
    local = os.path.join(ROOT, "build", "node", "node_modules", ".bin", "node")
    for node in (os.environ.get("WASMRUN_NODE"), local, "node"):
        try:
            version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True) if node else None
        except (OSError, subprocess.CalledProcessError):
            continue
        if version:
            return node, version.stdout.strip()
    return None, None


def measure(options, node, path):
    command = [options.tool, "--rounds", str(options.rounds), "--json", path]
    command += [word for name in SETS for word in ("--set", name)]
    if options.own:
        command += ["--own", options.own]
    if options.programs:
        command += ["--programs", options.programs]
    if node:
        script = f"{shlex.quote(node)} --no-warnings --liftoff-only --no-wasm-tier-up " \
                 f"{shlex.quote(os.path.join(ROOT, 'bench', 'v8.mjs'))}"
        nothing = os.path.join(options.programs or os.path.join(BUILD, "bench", "programs"), "fib.wasm")
        command += ["--peer", f"liftoff={script} {{module}} {{args}}",
                    "--peer-base", f"liftoff={script} {shlex.quote(nothing)} 1"]
    return subprocess.run(command, check=False).returncode


def both(run, workload, engine):
    """Median and minimum of an engine's ms, its base subtracted; None where a run failed."""
    cell = run["workloads"].get(workload, {"engines": {}})["engines"].get(engine)
    if not cell or "problem" in cell or not cell["cpu_ms"]:
        return None
    base = next((row.get("base", {}) for row in run["engines"] if row["name"] == engine), {})
    less = base.get("cpu_ms") or [0]
    times = {"median": statistics.median(cell["cpu_ms"]) - statistics.median(less),
             "minimum": min(cell["cpu_ms"]) - min(less)}
    return times if min(times.values()) > 0 else None


def ratio(above, below):
    return {key: round(above[key] / below[key], 3) for key in above} if above and below else None


def mean(ratios, key):
    return round(math.exp(statistics.fmean(math.log(one[key]) for one in ratios)), 3) if ratios else None


def compare(run):
    """{kernel: its set and ratios}, geometric means by set and over all."""
    own, peers = run["engines"][0]["name"], [row["name"] for row in run["engines"][1:]]
    kernels = {}
    for name, row in run["workloads"].items():
        if row["set"].endswith("-simd"):
            ours, scalar = both(run, name, own), both(run, name + "-scalar", own)
            kernels[name] = {"set": row["set"][:-len("-simd")], "ms": ours, "scalar_ms": scalar,
                             "scalar_over_simd": ratio(scalar, ours)}
            for peer in peers:
                kernels[name][f"{peer}_ms"] = both(run, name, peer)
                kernels[name][f"over_{peer}"] = ratio(ours, kernels[name][f"{peer}_ms"])
    means = {}
    for group in (*dict.fromkeys(row["set"] for row in kernels.values()), "all"):
        rows = [row for row in kernels.values() if group in (row["set"], "all")]
        for key in ("scalar_over_simd", *(f"over_{peer}" for peer in peers)):
            found = [row[key] for row in rows if row[key]]
            means.setdefault(group, {})[key] = {"of": len(found), "median": mean(found, "median"),
                                                "minimum": mean(found, "minimum")}
    return {"kernels": kernels, "geomean": means}


def show(result, peer):
    def text(pair, digits=2):
        return f"{pair['median']:8.{digits}f} ({pair['minimum']:.{digits}f})" if pair else "       - (-)"

    over = f"over_{peer}"
    print(f"\n{'medians (minima)':<18}{'SIMD ms':>18}{'scalar ms':>18}{'scalar/SIMD':>18}{'V8 SIMD ms':>18}{'ours/V8':>18}")
    for name, row in result["kernels"].items():
        print(f"{name:<18}{text(row['ms'], 0):>18}{text(row['scalar_ms'], 0):>18}{text(row['scalar_over_simd']):>18}"
              f"{text(row.get(peer + '_ms'), 0):>18}{text(row.get(over)):>18}")
    for group, row in result["geomean"].items():
        pairs = [row.get(key) or {"of": 0} for key in ("scalar_over_simd", over)]
        texts = [text(pair if pair["of"] else None) for pair in pairs]
        print(f"{group + ': geomean':<54}{texts[0]:>18}{'':>18}{texts[1]:>18}")


def judge(result, peer):
    """Lines about the bars; True when they are met."""
    slow = [name for name, row in result["kernels"].items()
            if not row["scalar_over_simd"] or row["scalar_over_simd"]["median"] < FASTER]
    total = result["geomean"]["all"].get(f"over_{peer}", {"of": 0})
    count = len(result["kernels"])
    near = total["of"] == count and total["median"] <= SLOWER
    print(f"at least {FASTER}x faster than scalar: {count - len(slow)} of {count}"
          f"{', not ' + ', '.join(slow) if slow else ''}")
    print(f"at most {SLOWER}x the time of V8's Liftoff, geometric mean of {total['of']} of {count}: {'yes' if near else 'no'}")
    return not slow and near


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--own", metavar="COMMAND", help="instead of build/release/bin/wasmrun")
    parser.add_argument("--tool", default=os.path.join(BUILD, "bin", "wasm-bench"), metavar="FILE")
    parser.add_argument("--programs", metavar="DIR", help="where the compiled programs are")
    options = parser.parse_args()
    node, version = find_node()
    if not node:
        print("SKIPPED: V8: no node; install it (npm install --prefix build/node node) or set WASMRUN_NODE")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "run.json")
        code = measure(options, node, path)
        if not os.path.exists(path):
            return code or 2
        with open(path, encoding="utf-8") as file:
            run = json.load(file)
    result = compare(run)
    show(result, "liftoff")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({**run, "measures": "simd", "node": version, **result}, file, indent=1)
            file.write("\n")
    return 0 if judge(result, "liftoff") and not code else 1


if __name__ == "__main__":
    sys.exit(main())
