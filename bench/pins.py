#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What locals in registers could save: `./dev bench --pins [NAME…]`. How often slots are read for each
internal instruction that runs, and how many of those reads the integer locals (1, 2, 4) and float locals
(1, 2) of each function that are read most would take over. Counts, not times: the machine does not matter.

Executions of places are counted by the preset profile; which slots an instruction reads, `wasmrun explore`
says. What all reads cost is measured by builds that make each of them twice, one behind the other
(CMAKE_C_FLAGS=-DVM_READ_TWICE=1, 2); with --times, the JSON of a run of wasm-bench with these as peers
`reads` and `freads`, the share of the time that so many registers could save at most is shown, too.
"""
import argparse
import collections
import json
import math
import os
import re
import subprocess
import sys
import tempfile

import dispatches

ROOT = dispatches.ROOT
INTEGERS, FLOATS = (1, 2, 4), (1, 2)
PINS = (1, 0), (2, 1), (4, 2)  # integers, floats
INSTRUCTION = re.compile(r"\| +\d+  (\w+)(?:  (.*))?$")
OFFSET = re.compile(r"  ([0-9a-f]{6,}) ")


def executions(options, stdin):
    """How often what begins at an offset of the module ran."""
    at = collections.Counter()
    with tempfile.TemporaryDirectory() as scratch:
        counts = os.path.join(scratch, "counts")
        dispatches.run(os.path.join(ROOT, "build/profile/bin/wasmrun"), options, stdin, counts)
        with open(counts, encoding="utf-8") as file:
            for line in file:
                if line.startswith("@ "):
                    _, count, offset = line.split()
                    at[int(offset)] += int(count)
    return at


def reads_of(name, operands):
    """(is a float's, local or slot) of each read of an instruction."""
    parts = re.split(r"_[nk]__|__", name)
    for part, group in zip(parts, operands.split("; ")):
        for slot in re.findall(r"\b[ls]\d+\b", group.split("->")[0]):
            yield part.startswith(("f32_", "f64_")) and "_convert_" not in part, slot


def covered(reads, pins):
    """By so many locals of each function; `reads`: of (function, local)."""
    functions = collections.defaultdict(list)
    for (function, _), count in reads.items():
        functions[function].append(count)
    return sum(sum(sorted(counts)[-pins:]) for counts in functions.values())


def measure(module, options, stdin):
    at = executions(options, stdin)
    integers, floats = collections.Counter(), collections.Counter()
    function, offset, stack = "", 0, 0
    explore = [os.path.join(ROOT, "build/release/bin/wasmrun"), "explore", module]
    with subprocess.Popen(explore, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as child:
        for line in child.stdout:
            if line.startswith("func "):
                function, offset = line.split()[1], 0
                continue
            place, found = OFFSET.match(line), INSTRUCTION.search(line.rstrip())
            offset = int(place.group(1), 16) if place else offset
            count = at[offset] if found and offset else 0  # entries are counted, but not by function
            for is_float, slot in reads_of(*found.groups("")) if count else ():
                if slot[0] == "s":
                    stack += count
                else:
                    (floats if is_float else integers)[function, slot] += count
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, explore)
    whole, fwhole = sum(integers.values()) + stack, sum(floats.values())
    return {"reads_per_dispatch": round((whole + fwhole) / sum(at.values()), 3),
            "of_floats": round(fwhole / (whole + fwhole), 3),
            **{f"integer_{pins}": round(covered(integers, pins) / whole, 3) for pins in INTEGERS},
            **{f"float_{pins}": round(covered(floats, pins) / fwhole, 3) if fwhole else 0 for pins in FLOATS}}


def saved(row, engines):
    """Shares of the time, by registers: a read costs what one more does, and the registers nothing."""
    own = engines["wasmrun"]["cpu_ms_median"]
    cost, fcost = (max(0, engines[name]["cpu_ms_median"] / own - 1) for name in ("reads", "freads"))
    return {f"saved_{pins}_{fpins}": round(row[f"integer_{pins}"] * cost + row.get(f"float_{fpins}", 0) * fcost, 3)
            for pins, fpins in PINS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the counts there, too")
    parser.add_argument("--corpus", default=os.path.join(ROOT, "..", "shared", "corpus"), metavar="DIR")
    parser.add_argument("--modules", default=os.path.join(ROOT, "build", "corpus"), metavar="DIR",
                        help="where corpus modules too large for it are")
    parser.add_argument("--times", metavar="FILE", help="times of builds that read twice")
    parser.add_argument("name", nargs="*", help="workloads; those of training, validation and fixed without")
    options = parser.parse_args()
    results, means, missing, times = {}, {}, 0, {}
    if options.times:
        with open(options.times, encoding="utf-8") as file:
            times = json.load(file)["workloads"]
    print(f"{'':<29}   reads  floats {'integers in':>20} {'floats in':>13}\n{'':<29}  /insn.    of it "
          f"{''.join(f'{pins:>7}' for pins in (*INTEGERS, *FLOATS))} registers"
          f"{'; saved by 1, 2 and 1, 4 and 2' if times else ''}")
    for group, name, arguments, stdin in dispatches.workloads(options.corpus, options.modules):
        if name not in options.name if options.name else "-" in group:
            continue
        module = next(argument for argument in arguments if argument.endswith(".wasm"))
        if not os.path.exists(module) or (stdin and not os.path.exists(stdin)):
            print(f"{group:<11}{name:<18}SKIPPED: {module} or its input is not there")
            missing += 1
            continue
        row = measure(module, arguments, stdin)
        if name in times:
            row.update(saved(row, times[name]["engines"]))
            for pins in PINS:
                means.setdefault(group, {}).setdefault(pins, []).append(1 - row[f"saved_{pins[0]}_{pins[1]}"])
        results[name] = {"set": group, **row}
        print(f"{group:<11}{name:<18}{''.join(f'{value:8.2f}' for value in list(row.values())[:2])} "
              f"{''.join(f'{value:7.2f}' for value in list(row.values())[2:])}", flush=True)
    least = {group: {"{}_{}".format(*pins): round(math.prod(values) ** (1 / len(values)), 3)
                     for pins, values in columns.items()} for group, columns in means.items()}
    for group, columns in least.items():
        print(f"{group}: of the time at least", "; ".join(
            "{} with {} integers and {} floats".format(value, *pins.split("_")) for pins, value in columns.items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"measures": "pins", "time_at_least": least, "workloads": results}, file, indent=1)
            file.write("\n")
    return 0 if results and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
