#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machine instructions for each dispatch, and the handlers' text: `./dev bench --handlers [NAME…]`. Counts, not
times: the machine does not matter.

How often each internal instruction runs is counted by the preset profile, its handler disassembled from the
presets release (the baseline's table; guard pages) and, if it is built, aarch64. Counted is what stands before
the first jump to the next handler: a branch that stops or goes the other way is not taken.
"""
import collections
import json
import os
import re
import subprocess
import sys

import dispatches

SETS = "training", "validation", "fixed"
OBJECT = "build/{}/vm/CMakeFiles/vm_interp.dir/interp/tail.c.o"
HEAD = re.compile(r"^([0-9a-f]+) <(\w+)>:$")
INSTRUCTION = re.compile(r"^ *[0-9a-f]+:\s+(.*)$")
JUMP = re.compile(r"jmpq?\t\*|br\tx")
VECTOR = re.compile(r"[a-z]128|\dx\d|permute")
EXPLICIT = re.compile(r"(load|store)\w*_x_|atomic")

Handler = collections.namedtuple("Handler", "before_jump bytes")


def handlers(path):
    """By name; their bytes are those up to the next one."""
    text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", path], check=True, capture_output=True,
                          encoding="utf-8").stdout
    found, name, count, begin, jumped = {}, "", 0, 0, True
    for line in text.splitlines():
        head, instruction = HEAD.match(line), INSTRUCTION.match(line)
        if head:
            place = int(head.group(1), 16)
            if name.startswith("handle_"):
                found[name[7:]] = Handler(count, place - begin)
            name, count, begin, jumped = head.group(2), 0, place, False
        elif instruction and not jumped:
            count += 1
            jumped = bool(JUMP.match(instruction.group(1)))
    return found


def mean(table, counts):
    known = [(count, table[name].before_jump) for name, count in counts.items() if name in table]
    return sum(count * length for count, length in known) / sum(count for count, _ in known)


def kib(table, without):
    return sum(handler.bytes for name, handler in table.items() if not without(name)) / 1024


def main():
    options = dispatches.command_line(__doc__, "those of " + ", ".join(SETS)).parse_args()
    tables, results, rows, missing = {}, {}, collections.defaultdict(list), 0
    for preset in "release", "aarch64":
        path = os.path.join(dispatches.ROOT, OBJECT.format(preset))
        if os.path.exists(path):
            tables[preset] = handlers(path)
        else:
            print(f"SKIPPED: {preset}, which is not built")
    text = {preset: {"all": round(kib(table, lambda name: False)),
                     "without_vectors_and_explicit": round(kib(table, lambda name: VECTOR.search(name) or
                                                               EXPLICIT.search(name)))}
            for preset, table in tables.items()}
    for preset, sizes in text.items():
        print(f"{preset}: {len(tables[preset])} handlers, {sizes['all']} KiB of text, "
              f"{sizes['without_vectors_and_explicit']} KiB without vectors and explicit checks")
    for group, name, arguments, stdin in dispatches.workloads(options.corpus, options.modules):
        if name not in options.name if options.name else group not in SETS:
            continue
        if not dispatches.module_of(group, name, arguments, stdin):
            missing += 1
            continue
        counts = dispatches.executions(arguments, stdin)
        row = {preset: round(mean(table, counts), 2) for preset, table in tables.items()}
        results[name] = {"set": group, **row}
        rows[group].append(row)
        print(f"{group:<11}{name:<18}", *(f"{preset} {value:6.2f}" for preset, value in row.items()), flush=True)
    means = {group: {preset: round(sum(row[preset] for row in values) / len(values), 2) for preset in tables}
             for group, values in rows.items()}
    for group, values in means.items():
        print(f"{group}: instructions a dispatch, means:", *(f"{preset} {value:.1f}" for preset, value in values.items()))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"measures": "handlers", "text_kib": text, "mean": means, "workloads": results}, file, indent=1)
            file.write("\n")
    return 0 if results and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
