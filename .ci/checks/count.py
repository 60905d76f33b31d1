#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts test cases. Each tool prints cmocka's summary or a line 'N passed, N failed[, N skipped]'.

count.py PRESET JUNIT.xml        one line 'PRESET P F S' from ctest's report; a table on stderr
count.py --log NAME LOG STATUS   one line from a tool's output and its exit status
count.py --sum FILE              adds such lines up; prints the closing line; exit 1 on failures
"""
import re
import sys
import xml.etree.ElementTree as ET

PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) ?\s*\] (\d+) test\(s\)", re.M)


def count(text, ok, skipped):
    """Cases in one tool's output; a tool that counts nothing is one case."""
    total = [0, 0, 0]
    for kind, number in CMOCKA.findall(text):
        total[("PASSED", "FAILED", "SKIPPED").index(kind)] += int(number)
    lines = PLAIN.findall(text)
    if lines:
        total = [a + int(b or 0) for a, b in zip(total, lines[-1])]
    if skipped and total[2] == 0:
        total[2] = 1
    elif not ok and not skipped and total[1] == 0:
        total[1] = 1
    elif sum(total) == 0:
        total[0] = 1
    return total


def from_junit(preset, path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "?", file.read())
        cases = ET.fromstring(text).iter("testcase")
    except (OSError, ET.ParseError) as error:
        print(f"count.py: {path}: {error}", file=sys.stderr)
        return [0, 1, 0]
    total = [0, 0, 0]
    for case in cases:
        # A test whose program was not built is "notrun" as well: that is a failure.
        skip = case.find("skipped")
        skipped = skip is not None and "SKIP_RETURN_CODE" in (skip.get("message") or "")
        part = count(case.findtext("system-out") or "", case.get("status") == "run", skipped)
        print(f"{preset:8} {case.get('name'):28} {part[0]:6} passed {part[1]:4} failed "
              f"{part[2]:5} skipped {float(case.get('time') or 0):7.1f} s", file=sys.stderr)
        total = [a + b for a, b in zip(total, part)]
    return total


def main(args):
    if args[0] == "--sum":
        total = [0, 0, 0]
        with open(args[1], encoding="utf-8") as file:
            for line in file:
                name, *numbers = line.split()
                print(f"{name}: {numbers[0]} passed, {numbers[1]} failed, {numbers[2]} skipped")
                total = [a + int(b) for a, b in zip(total, numbers)]
        print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped", flush=True)
        return 1 if total[1] or not total[0] else 0
    if args[0] == "--log":
        with open(args[2], encoding="utf-8", errors="replace") as file:
            part = count(file.read(), args[3] in ("0", "77"), args[3] == "77")
        print(args[1], *part)
    else:
        print(args[0], *from_junit(args[0], args[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
