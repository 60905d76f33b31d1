#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What exceptions cost: `./dev bench --exceptions`. Modules are made here, each in the standard's
encoding and in the legacy one, and run as whole processes that take turns:

  throw    through 10 frames to a handler; with a handler of another tag in each frame; with a
           cleanup in each that throws on (ten throws, so no bar); the calls without a throw
  loop     arithmetic, loads, calls: the loop inside a try block beside the same loop outside;
           a try block inside the loop beside the loop without
"""
import argparse
import json
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FRAMES, NS_BAR, LOOP_BAR = 10, 1000, 1.02

# ---------------------------------------------------------------- modules

VOID, I32, EXNREF = b"\x40", b"\x7f", b"\x69"
BLOCK, LOOP, TRY, CATCH, RETHROW, CATCH_ALL = b"\x02", b"\x03", b"\x06", b"\x07", b"\x09", b"\x19"
THROW, THROW_REF, END, BR, BR_IF, TRY_TABLE = b"\x08", b"\x0a", b"\x0b", b"\x0c", b"\x0d", b"\x1f"
CALL, DROP, UNREACHABLE, IF = b"\x10", b"\x1a", b"\0", b"\x04"
ADD, SUB, NE, XOR, SHL, AND, LOAD = b"\x6a", b"\x6b", b"\x47", b"\x73", b"\x74", b"\x71", b"\x28\2\0"
TAG, OTHER_TAG = b"\0", b"\1"


def leb(value):
    """Unsigned."""
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def const(value):
    """i32.const of a number that is not negative: a last byte may not look like a sign."""
    low = leb(value)
    return b"\x41" + (low if low[-1] < 0x40 else low[:-1] + bytes([low[-1] | 0x80, 0]))


def get(local):
    return b"\x20" + leb(local)


def put(local):
    return b"\x21" + leb(local)


def tee(local):
    return b"\x22" + leb(local)


def sized(data):
    return leb(len(data)) + data


def vector(items):
    return leb(len(items)) + b"".join(items)


def section(kind, items):
    return bytes([kind]) + sized(vector(items))


def function(code, count=4):
    """Of `count` locals, parameters among them or not: they are i32."""
    return sized(leb(1) + leb(count) + I32 + code + END)


def module(functions):
    """(type, code)…, the first is _start. Types: 0 () -> (), 1 (i32) -> i32, 2 () -> i32 exnref,
    3 (i32) -> (). Tags carry an i32. A memory of a page."""
    types = [b"\x60\0\0", b"\x60\1\x7f\1\x7f", b"\x60\0\2\x7f\x69", b"\x60\1\x7f\0"]
    return b"\0asm\1\0\0\0" + section(1, types) + section(3, [leb(kind) for kind, _ in functions]) + \
        section(5, [b"\0\1"]) + section(13, [b"\0\3", b"\0\3"]) + \
        section(7, [b"\6_start\0\0", b"\6memory\2\0"]) + section(10, [code for _, code in functions])


def catching(body, tag, legacy):
    """A try block; i32: the exception's value. The body leaves an i32, too."""
    if legacy:
        return TRY + I32 + body + CATCH + tag + END
    return BLOCK + I32 + TRY_TABLE + I32 + b"\1\0" + tag + b"\0" + body + END + END


def cleaning(body, legacy):
    """A block that counts in local 1 and throws on; local 2 is an exnref in the standard's."""
    count = get(1) + const(1) + ADD + put(1)
    if legacy:
        return TRY + I32 + body + CATCH_ALL + count + RETHROW + b"\0" + END
    return BLOCK + I32 + BLOCK + EXNREF + TRY_TABLE + I32 + b"\1\3\0" + body + END + BR + b"\1" + END + \
        put(2) + count + get(2) + THROW_REF + END


def counted(times, body):
    """A loop; local 0 counts down. `body` must leave the stack as it was."""
    return const(times) + put(0) + LOOP + VOID + body + get(0) + const(1) + SUB + tee(0) + BR_IF + b"\0" + END


def sum_is(local, expected):
    return get(local) + const(expected) + NE + IF + VOID + UNREACHABLE + END


def throw_module(kind, legacy, times):
    """_start calls through frames 1 to FRAMES; the last throws 3 or, not thrown, returns it."""
    call_first = const(3) + CALL + b"\1"
    handler = call_first if kind == "calls" else catching(call_first, TAG, legacy)
    # a caught 3 is added to local 1; what overflows is cut in the same way in the expectation
    start = counted(times, handler + get(1) + ADD + const(0x3ffffff) + AND + put(1))
    functions = [(0, function(start + sum_is(1, 3 * times & 0x3ffffff)))]
    for frame in range(1, FRAMES):
        body = get(0) + CALL + leb(frame + 1)
        if kind == "handlers":
            body = catching(body, OTHER_TAG, legacy)
        elif kind == "cleanups":
            body = cleaning(body, legacy)
        code = body + const(0x3ffffff) + AND  # no tail position
        if kind == "cleanups":
            functions.append((1, sized(b"\2\1" + I32 + b"\1" + (I32 if legacy else EXNREF) + code + END)))
        else:
            functions.append((1, function(code, 1)))
    functions.append((1, function(get(0) + (b"" if kind == "calls" else THROW + TAG), 1)))
    return module(functions)


LOOPS = {
    "arithmetic": get(1) + const(5) + SHL + get(0) + XOR + get(1) + ADD + put(1),
    "loads": get(1) + const(0xfffc) + AND + LOAD + get(1) + ADD + get(0) + XOR + put(1),
    "calls": get(1) + CALL + b"\1" + get(0) + XOR + put(1),
}


def loop_module(kind, where, legacy, times):
    """where: 'outside' any try block, 'inside' of one, 'around': a try block in each step."""
    step = LOOPS[kind]
    if where == "around":
        step = (TRY + VOID + step + CATCH_ALL + UNREACHABLE + END) if legacy else \
            BLOCK + VOID + TRY_TABLE + VOID + b"\1\2\0" + step + END + END
    body = counted(times, step)
    if where == "inside":
        body = TRY + VOID + body + CATCH_ALL + UNREACHABLE + END if legacy else \
            BLOCK + VOID + TRY_TABLE + VOID + b"\1\2\0" + body + END + END
    return module([(0, function(body)), (1, function(get(0) + const(7) + ADD, 1))])


def all_modules(scale):
    """(name, times, bytes): every one ends by itself, with exit 0."""
    throws, steps = max(1, int(1_000_000 * scale)), max(1, int(200_000_000 * scale))
    yield "calls", throws, throw_module("calls", False, throws)
    for kind in ("frames", "handlers", "cleanups"):
        for legacy in (False, True):
            yield f"throw-{kind}" + ("-legacy" if legacy else ""), throws, throw_module(kind, legacy, throws)
    for kind in LOOPS:
        yield f"{kind}-outside", steps, loop_module(kind, "outside", False, steps)
        for where in ("inside", "around"):
            for legacy in (False, True):
                name = f"{kind}-{where}" + ("-legacy" if legacy else "")
                yield name, steps, loop_module(kind, where, legacy, steps)


# ---------------------------------------------------------------- measuring

def cpu_ms(command):
    """Of one process; None when it fails."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return (usage.ru_utime + usage.ru_stime) * 1e3 if child.returncode == 0 else None


def instructions(command):
    """Million instructions, counted by cachegrind; None without it, or where it fails."""
    if not shutil.which("valgrind"):
        return None
    run = subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--branch-sim=no",
                          "--cachegrind-out-file=/dev/null", *command], capture_output=True, text=True, check=False)
    found = re.search(r"I\s+refs:\s+([\d,]+)", run.stderr)
    return int(found.group(1).replace(",", "")) / 1e6 if found and run.returncode == 0 else None


def write_modules(folder, scale):
    paths = {}
    for name, times, data in all_modules(scale):
        paths[name] = (os.path.join(folder, f"{name}-{times}.wasm"), times)
        with open(paths[name][0], "wb") as file:
            file.write(data)
    return paths


def check(own, folder):
    """Each module once, tiny."""
    failed = 0
    paths = write_modules(folder, 1e-5)
    for name, (path, _) in paths.items():
        if cpu_ms([*own, path]) is None:
            print(f"FAILED {name}")
            failed += 1
    print(f"{len(paths) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def measure(own, folder, rounds):
    """{name: ms of each round, times, million instructions of a run of a 200th}."""
    paths = write_modules(folder, 1)
    rows = {name: {"times": times, "cpu_ms": []} for name, (_, times) in paths.items()}
    names = list(paths)
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            time = cpu_ms([*own, paths[name][0]]) if name in rows else None
            if time is not None:
                rows[name]["cpu_ms"].append(round(time, 3))
            elif rows.pop(name, None):
                print(f"FAILED {name}")
    for name, (path, times) in write_modules(folder, 1 / 200).items():
        if name in rows and not name.startswith(("throw", "calls")):
            rows[name]["million_instructions"] = instructions([*own, path])
            rows[name]["instructions_times"] = times
    return rows


def evaluate(rows):
    """ns for each throw; loops inside over outside."""
    throws, loops = {}, {}
    for name, row in rows.items():
        values = row["cpu_ms"]
        if name.startswith("throw") or name == "calls":
            throws[name] = {key: round(of(values) * 1e6 / row["times"], 1)
                            for key, of in (("median", statistics.median), ("minimum", min))}
            continue
        kind, where = name.split("-", 1)
        outside = rows.get(kind + "-outside")
        if where == "outside" or not outside:
            continue
        loops[name] = {key: round(of(values) / of(outside["cpu_ms"]), 4)
                       for key, of in (("median", statistics.median), ("minimum", min))}
        if row.get("million_instructions") and outside.get("million_instructions"):
            loops[name]["instructions"] = round(row["million_instructions"] / outside["million_instructions"], 4)
    return {"ns_per_throw": throws, "over_outside": loops}


def report(result):
    print(f"\n{'ns each, through ' + str(FRAMES) + ' frames':<32}{'median':>10}{'minimum':>10}")
    for name, row in result["ns_per_throw"].items():
        print(f"{name:<32}{row['median']:>10.1f}{row['minimum']:>10.1f}")
    print(f"\n{'time over the loop outside':<32}{'median':>10}{'minimum':>10}{'instr.':>10}")
    for name, row in result["over_outside"].items():
        count = f"{row['instructions']:.3f}" if "instructions" in row else "-"
        print(f"{name:<32}{row['median']:>10.3f}{row['minimum']:>10.3f}{count:>10}")
    slow = [name for name, row in result["ns_per_throw"].items()
            if "cleanups" not in name and row["median"] >= NS_BAR]
    late = [name for name, row in result["over_outside"].items()
            if "-inside" in name and min(row["median"], row["minimum"]) > LOOP_BAR]
    print(f"\nthrow and catch under {NS_BAR} ns: {'yes' if not slow else 'not ' + ', '.join(slow)}")
    print(f"loops in a try block within {LOOP_BAR} of those outside, by medians or minima: "
          f"{'yes' if not late else 'not ' + ', '.join(late)}")
    return 0 if not slow and not late else 1


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return {"cpu": model.group(1) if model else "unknown", "processors": os.cpu_count(),
            "architecture": platform.machine(), "system": "Linux"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--own", default=os.path.join(ROOT, "build", "release", "bin", "wasmrun"), metavar="COMMAND")
    parser.add_argument("--check", action="store_true", help="only run each module once, tiny")
    options = parser.parse_args()
    own = shlex.split(options.own)
    with tempfile.TemporaryDirectory() as folder:
        if options.check:
            return check(own, folder)
        rows = measure(own, folder, options.rounds)
    result = evaluate(rows)
    code = report(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"measures": "exceptions", "machine": machine(), "frames": FRAMES, "rounds": options.rounds,
                       **result, "runs": rows}, file, indent=1)
            file.write("\n")
    return 1 if len(rows) < sum(1 for _ in all_modules(1e-5)) else code


if __name__ == "__main__":
    sys.exit(main())
