#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the translator could still save at most: `./dev bench --bounds [NAME…]`. Counts, not times: the machine
does not matter. Executions of places are counted by the preset profile; what stands there, and which slots it
reads, says `wasmrun explore`.

Locals in registers: how often slots are read for each internal instruction that runs, and the shares of those
reads that the integer locals (1, 2, 4) and float locals (1, 2) of each function would take over that are
read most. What all reads cost is measured by builds that make each of them twice, one behind the other
(CMAKE_C_FLAGS=-DVM_READ_TWICE=1, 2); with --times, the JSON of a run of wasm-bench with these as peers `reads`
and `freads`, the share of the time that so many registers could save at most is shown, too.

Expressions once more: the share of the parts that run whose value the same basic block has computed
before, from the same values (loads: with no store or call between), and of instructions that consist of
such parts alone.
"""
import collections
import json
import math
import os
import re
import subprocess
import sys

import dispatches

ROOT = dispatches.ROOT
INTEGERS, FLOATS = (1, 2, 4), (1, 2)
PINS = (1, 0), (2, 1), (4, 2)  # integers, floats
INSTRUCTION = re.compile(r"\| +(\d+)  (\w+)(?:  (.*))?$")
OFFSET = re.compile(r"  ([0-9a-f]{6,}) ")
SLOT = re.compile(r"\b[ls]\d+\b")
FORM = re.compile(r"(\w+)_([sctak]{1,3})$")  # a part and where its inputs come from
EFFECT = re.compile(r"call|enter|br|ret|unreachable|fuel|global_set|memory|table|\w*(store|atomic)")

Instruction = collections.namedtuple("Instruction", "word name operands count")


def executions(options, stdin):
    """How often what begins at an offset of the module ran."""
    at = collections.Counter()
    for mark, count, offset in (fields for fields in dispatches.counted(options, stdin) if len(fields) == 3):
        if mark == "@":
            at[int(offset)] += int(count)
    return at


def functions(module, at):
    """The instructions of each function, with their executions; entries have none, which are not told apart."""
    code, offset = [], 0
    explore = [os.path.join(ROOT, "build/release/bin/wasmrun"), "explore", module]
    with subprocess.Popen(explore, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as child:
        for line in child.stdout:
            if line.startswith("func "):
                yield code
                code, offset = [], 0
                continue
            place, found = OFFSET.match(line), INSTRUCTION.search(line.rstrip())
            offset = int(place.group(1), 16) if place else offset
            if found:
                word, name, operands = found.groups("")
                code.append(Instruction(int(word), name, operands, at[offset] if offset else 0))
    yield code
    if child.returncode != 0:
        raise subprocess.CalledProcessError(child.returncode, explore)


def parts_of(instruction):
    """(part, its sources, its result's slot or "") of each."""
    groups = instruction.operands.split("; ")
    for i, part in enumerate(re.split(r"_[nk]__|__", instruction.name)):
        sources, _, result = (groups[i] if i < len(groups) else "").partition("->")
        slot = SLOT.search(result)
        yield part, sources, slot.group() if slot else ""


def is_float(part):
    return part.startswith(("f32_", "f64_")) and "_convert_" not in part


class Repeats:
    """Values by number, in one basic block: those of slots, of the accumulator, and of expressions."""

    def __init__(self):
        self.parts = self.again = self.all_again = 0
        self.numbers = 0
        self.forget()

    def new(self):
        self.numbers += 1
        return self.numbers

    def forget(self):
        self.slots, self.expressions, self.memory = {}, {}, 0
        self.accumulator = self.new()

    def value(self, part, sources, before):
        """(number, was it there?) of a part without effects."""
        name, form = (FORM.match(part) or re.match("(.*)()$", part)).groups()
        words, inputs = sources.split(), []
        for source in form:
            if source == "t":
                inputs.append(before)
                continue
            word = words.pop(0) if words else ""
            if source == "s":
                inputs.append(self.slots.setdefault(word, self.new()))
            else:
                inputs.append(self.accumulator if source == "a" else word)
        if name == "mov":
            return inputs[0], False
        age = self.memory if "load" in name or "global" in name else 0
        key = (name, *inputs, *words, age)
        if key in self.expressions:
            return self.expressions[key], not name.startswith("const")
        return self.expressions.setdefault(key, self.new()), False

    def instruction(self, instruction):
        number, all_again = self.new(), True
        for part, sources, slot in parts_of(instruction):
            self.parts += instruction.count
            if EFFECT.match(part):
                self.memory += 1
                all_again = False
                continue
            number, again = self.value(part, sources, number)
            self.again += instruction.count * again
            all_again &= again
            if not is_float(part):
                self.accumulator = number
            if slot:
                self.slots[slot] = number
        self.all_again += instruction.count * all_again
        if "call" in instruction.name or instruction.name.startswith("enter"):
            self.forget()

    def function(self, code):
        targets = {int(word) for instruction in code for word in re.findall(r"@(\d+)", instruction.operands)}
        self.forget()
        for instruction in code:
            if instruction.word in targets:
                self.forget()
            self.instruction(instruction)


def covered(reads, pins):
    """By so many locals of each function; `reads`: of (function, local)."""
    by_function = collections.defaultdict(list)
    for (function, _), count in reads.items():
        by_function[function].append(count)
    return sum(sum(sorted(counts)[-pins:]) for counts in by_function.values())


def measure(module, options, stdin):
    at, repeats = executions(options, stdin), Repeats()
    integers, floats, stack = collections.Counter(), collections.Counter(), 0
    for function, code in enumerate(functions(module, at)):
        repeats.function(code)
        for instruction in code:
            for part, sources, _ in parts_of(instruction) if instruction.count else ():
                for slot in SLOT.findall(sources):
                    if slot[0] == "s":
                        stack += instruction.count
                    else:
                        (floats if is_float(part) else integers)[function, slot] += instruction.count
    whole, fwhole, ran = sum(integers.values()) + stack, sum(floats.values()), sum(at.values())
    return {"reads_per_dispatch": round((whole + fwhole) / ran, 3),
            "of_floats": round(fwhole / (whole + fwhole), 3),
            **{f"integer_{pins}": round(covered(integers, pins) / whole, 3) for pins in INTEGERS},
            **{f"float_{pins}": round(covered(floats, pins) / fwhole, 3) if fwhole else 0 for pins in FLOATS},
            "parts_again": round(repeats.again / repeats.parts, 3),
            "dispatches_again": round(repeats.all_again / ran, 3)}


def saved(row, engines):
    """Shares of the time, by registers: a read costs what one more does, and the registers nothing."""
    own = engines["wasmrun"]["cpu_ms_median"]
    cost, fcost = (max(0, engines[name]["cpu_ms_median"] / own - 1) for name in ("reads", "freads"))
    return {f"saved_{pins}_{fpins}": round(row[f"integer_{pins}"] * cost + row.get(f"float_{fpins}", 0) * fcost, 3)
            for pins, fpins in PINS}


def main():
    parser = dispatches.command_line(__doc__, "those of training, validation and fixed")
    parser.add_argument("--times", metavar="FILE", help="times of builds that read twice")
    options = parser.parse_args()
    results, means, missing, times = {}, {}, 0, {}
    if options.times:
        with open(options.times, encoding="utf-8") as file:
            times = json.load(file)["workloads"]
    print(f"{'':<29}   reads  floats {'integers in':>20} {'floats in':>13} {'computed again':>14}\n"
          f"{'':<29}  /insn.    of it "
          f"{''.join(f'{pins:>7}' for pins in (*INTEGERS, *FLOATS))}  parts insns."
          f"{'; saved by 1, 2 and 1, 4 and 2' if times else ''}")
    for group, name, arguments, stdin in dispatches.workloads(options.corpus, options.modules):
        if name not in options.name if options.name else "-" in group:
            continue
        module = dispatches.module_of(group, name, arguments, stdin)
        if not module:
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
            json.dump({"measures": "bounds", "time_at_least": least, "workloads": results}, file, indent=1)
            file.write("\n")
    return 0 if results and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
