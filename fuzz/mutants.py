#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs truncated, bit-flipped, spliced and random modules through wasmrun.

mutants.py WASMRUN [--count N] [--seed N] [--jobs N] SEED_MODULE_OR_FOLDER...

Each mutant must be refused (exit 126) or run as a valid module (any exit, under --timeout). A
signal, a hang or a sanitizer's report is a failure; the mutant is then kept in ./mutant-N.wasm.
The same seed number makes the same mutants."""
import argparse
import concurrent.futures
import os
import random
import subprocess
import sys
import tempfile

MAX_SEED_BYTES = 400_000
HANG_SECONDS = 30
REPORTS = (b"AddressSanitizer", b"LeakSanitizer", b"runtime error:", b"ThreadSanitizer")


def collect(paths):
    files = []
    for path in paths:
        if os.path.isfile(path):
            files.append(path)
        for folder, _, names in os.walk(path):
            files += [os.path.join(folder, name) for name in names if name.endswith(".wasm")]
    return sorted(file for file in files if os.path.getsize(file) <= MAX_SEED_BYTES)


def truncate(rng, data, _):
    return data[:rng.randrange(len(data) + 1)]


def flip_bits(rng, data, _):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def poke(rng, data, _):
    """Bytes that matter to LEB128 readers and to opcodes."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        out[rng.randrange(len(out))] = rng.choice((0, 1, 0x0b, 0x40, 0x7f, 0x80, 0xfc, 0xfd, 0xff))
    return bytes(out)


def splice(rng, data, other):
    start, end = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    return data[:start] + other[end:]


def delete(rng, data, _):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 1, 2, 5, 40)):]


def noise(rng, _, __):
    return b"\0asm\1\0\0\0" + rng.randbytes(rng.randrange(200))


def plain_noise(rng, _, __):
    return rng.randbytes(rng.randrange(200))


KINDS = (truncate, flip_bits, flip_bits, flip_bits, poke, poke, splice, delete, noise, plain_noise)


def make(seed, number, files):
    rng = random.Random(f"{seed}-{number}")
    with open(rng.choice(files), "rb") as file:
        data = file.read() or b"\0"
    with open(rng.choice(files), "rb") as file:
        other = file.read() or b"\0"
    return rng.choice(KINDS)(rng, data, other)


def run(args, number, files, folder):
    """None, or why the mutant is a failure; and its exit code."""
    path = os.path.join(folder, f"mutant-{number}.wasm")
    data = make(args.seed, number, files)
    with open(path, "wb") as file:
        file.write(data)
    command = [args.wasmrun, "run", "--timeout", "500ms", "--max-memory", "256m", path]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=HANG_SECONDS)
        why = None
        if done.returncode < 0:
            why = f"signal {-done.returncode}"
        elif any(report in done.stderr for report in REPORTS):
            why = "sanitizer report"
        code = done.returncode
        text = done.stderr[-2000:].decode(errors="replace") if why else ""
    except subprocess.TimeoutExpired:
        why, code, text = "hang", None, ""
    os.remove(path)
    if why:
        with open(f"mutant-{args.seed}-{number}.wasm", "wb") as file:
            file.write(data)
        print(f"FAIL mutant-{args.seed}-{number}.wasm: {why}\n{text}", flush=True)
    return why, code


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wasmrun")
    parser.add_argument("seeds", nargs="+")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    files = collect(args.seeds)
    if not files:
        print(f"SKIPPED: no seed modules in {' '.join(args.seeds)}")
        return 77
    good, bad, refused = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = (pool.submit(run, args, number, files, folder) for number in range(args.count))
        for done in list(jobs):
            why, code = done.result()
            good += why is None
            bad += why is not None
            refused += code == 126
    print(f"{refused} refused, {good - refused} ran, of {len(files)} seed modules")
    print(f"{good} passed, {bad} failed, 0 skipped")
    return bad > 0


sys.exit(main())
