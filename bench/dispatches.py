#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Dispatches for each WebAssembly instruction run, and bytes of code for each byte of it, for every
workload: `./dev bench --dispatches`. Counts, not times: the machine does not matter.

Internal instructions are counted by the preset profile, WebAssembly's by --stats under --fuel.
"""
import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def workloads(corpus, fetched):
    """(set, name, arguments of wasmrun, standard input) of all that is there."""
    programs = os.path.join(ROOT, "build", "release", "bench", "programs")
    inputs = os.path.join(ROOT, "build", "release", "bench", "inputs")
    with open(os.path.join(ROOT, "bench", "workloads.list"), encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip() and line[0] != "#"]
    for group, name, *rest in rows:
        if group != "fixed":
            yield group, name, [os.path.join(programs, name + ".wasm"), rest[0]], None
    with open(os.path.join(ROOT, "bench", "fixed.json"), encoding="utf-8") as file:
        modules = json.load(file)["modules"]

    def place(path):
        return os.path.join(corpus, path[7:]) if path.startswith("corpus:") else os.path.join(inputs, path)

    for module in modules:
        file = os.path.join(corpus, module["file"]) if "file" in module else \
            os.path.join(fetched, module["name"] + ".wasm")
        for run in module["runs"]:
            options = [f"--dir={place(host)}::{guest}" for guest, host in run.get("dirs", {}).items()]
            options += [f"--env={key}={value}" for key, value in run.get("env", {}).items()]
            stdin = place(run["stdin"]) if "stdin" in run else None
            yield "fixed", f"{module['name']}:{run['id']}", [*options, file, *run["args"]], stdin


def run(binary, options, stdin, counts=None):
    with open(stdin or os.devnull, "rb") as source:
        child = subprocess.run([binary, "--sandbox=off", *options], stdin=source, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, check=True,
                               env={**os.environ, **({"WASMRUN_COUNTS": counts} if counts else {})})
    return child.stderr.decode(errors="replace")


def counted(options, stdin):
    """What the preset profile writes when it runs that: the fields of each line (vm/interp/profile.c)."""
    with tempfile.TemporaryDirectory() as scratch:
        counts = os.path.join(scratch, "counts")
        run(os.path.join(ROOT, "build/profile/bin/wasmrun"), options, stdin, counts)
        with open(counts, encoding="utf-8") as file:
            return [line.split() for line in file]


def executions(options, stdin):
    """How often each internal instruction ran, by its name."""
    return {fields[1]: int(fields[0]) for fields in counted(options, stdin) if len(fields) == 2}


def measure(options, stdin):
    stats = run(os.path.join(ROOT, "build/release/bin/wasmrun"), ["--stats", f"--fuel={2**62}", *options], stdin)
    code, body = map(int, re.search(r"^ +code +(\d+) bytes, from (\d+) bytes", stats, re.M).groups())
    instructions = int(re.search(r"^ +instructions +(\d+) ", stats, re.M).group(1))
    dispatches = sum(executions(options, stdin).values())
    return {"instructions": instructions, "dispatches": dispatches,
            "dispatches_per_instruction": round(dispatches / instructions, 4),
            "code_bytes_per_byte": round(code / body, 3)}


def command_line(about, without):
    """What scripts that count over the workloads take; `without` are those of a run that names none."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write the counts there, too")
    parser.add_argument("--corpus", default=os.path.join(ROOT, "..", "shared", "corpus"), metavar="DIR")
    parser.add_argument("--modules", default=os.path.join(ROOT, "build", "corpus"), metavar="DIR",
                        help="where corpus modules too large for it are")
    parser.add_argument("name", nargs="*", help=f"workloads; {without} without")
    return parser


def module_of(group, name, arguments, stdin):
    """The workload's module; None, and a line that says so, when it or its input is missing."""
    module = next(argument for argument in arguments if argument.endswith(".wasm"))
    if os.path.exists(module) and not (stdin and not os.path.exists(stdin)):
        return module
    print(f"{group:<11}{name:<18}SKIPPED: {module} or its input is not there")
    return None


def main():
    options = command_line(__doc__, "all of them").parse_args()
    results, shares, missing = {}, {}, 0
    for group, name, arguments, stdin in workloads(options.corpus, options.modules):
        if options.name and name not in options.name:
            continue
        if not module_of(group, name, arguments, stdin):
            missing += 1
            continue
        row = measure(arguments, stdin)
        results[name] = {"set": group, **row}
        shares.setdefault(group, []).append(row["dispatches_per_instruction"])
        print(f"{group:<11}{name:<18}{row['dispatches'] / 1e6:10.1f} M dispatches"
              f"{row['dispatches_per_instruction']:8.3f} an instruction"
              f"{row['code_bytes_per_byte']:7.2f} bytes of code a byte", flush=True)
    means = {group: round(math.exp(sum(map(math.log, values)) / len(values)), 4)
             for group, values in shares.items()}
    print("dispatches an instruction, geometric means:", *(f"{group} {mean:.3f}" for group, mean in means.items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"measures": "dispatches", "geomean": means, "workloads": results}, file, indent=1)
            file.write("\n")
    return 0 if results and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
