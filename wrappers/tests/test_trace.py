#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backtraces of bin/wasmrun: names demangled, files, lines and inlined functions, compared with
llvm-symbolizer on programs that clang-19 compiles here; then DWARF with bytes changed at random. The
program is the first argument, or $WASMRUN. Last line: 'N passed, N failed, N skipped'."""
import random
import shutil

import test_cli
from test_cli import *  # noqa: F403

test_cli.TESTS.clear()  # those of test_cli.py itself

SOURCE = b"""
template <class T> struct Box {
    T value;
    __attribute__((always_inline)) T half(T by) {
        return value
            / by;
    }
};
namespace app {
struct Shop { int cakes; int share(int people); };
__attribute__((noinline)) int Shop::share(int people) {
    Box<int> box{cakes};
    return box.half(people);
}
static inline __attribute__((always_inline)) int twice(int (*f)(int), int n) {
    return f(n) + f(n - 1);
}
}
__attribute__((noinline)) static int one(int n) {
    app::Shop shop{12};
    return shop.share(n);
}
extern "C" int go(int n) {
    return app::twice(one, n);
}
volatile int zero;
extern "C" int plain(int n) {
    for (int i = 0; i < n; i++) {
        zero += i;
        if (i == 3)
            __builtin_trap();
    }
    return zero;
}
"""


def compile_it(name, *flags):
    if not shutil.which("clang-19"):
        raise Skip("no clang-19 here")
    write("trace.cpp", SOURCE)
    subprocess.run(["clang-19", "-x", "c++", "--target=wasm32", "-nostdlib", "-fno-exceptions", "-fno-rtti",
                    "-Wl,--no-entry", "-Wl,--export=go", "-Wl,--export=plain", *flags, "-o", name, "trace.cpp"],
                   check=True, timeout=120, capture_output=True)
    return name


VARIANTS = [(f"-gdwarf-{version}", level) for version in (4, 5) for level in ("-O0", "-O1", "-O2")]


def frames_of(file, *words):
    result = run("--error-format=json", "--invoke", *words[:1], file, *words[1:]).want(134)
    return json.loads(result.err)["frames"]


def code_offset(file):
    sections = json.loads(run("inspect", "--json", file).want(0).out)["sections"]
    return next(part["offset"] for part in sections if part["id"] == 10)


def symbolized(file, address):
    done = subprocess.run(["llvm-symbolizer-19", f"--obj={file}", "--inlines", "--output-style=JSON", hex(address)],
                          capture_output=True, check=True, timeout=60)
    found = json.loads(done.stdout)[0]["Symbol"]
    return [(s["FunctionName"], s["FileName"], s["Line"], s["Column"]) for s in found]


@test
def lines_are_those_of_llvm_symbolizer():
    if not shutil.which("llvm-symbolizer-19"):
        raise Skip("no llvm-symbolizer-19 here")
    compared = 0
    for flags in VARIANTS:
        file = compile_it("trace.wasm", *flags)
        code = code_offset(file)
        for words in (("go", "0"), ("go", "1"), ("plain", "9")):
            for frame in frames_of(file, *words):
                ours = [(s["function"], s["file"], s["line"], s["column"]) for s in frame["source"]]
                theirs = symbolized(file, frame["offset"] - code)
                # It takes the outermost name from a table of symbols, and not always the right one.
                theirs[-1] = (frame["function"], *theirs[-1][1:])
                assert ours == theirs, (flags, words, ours, theirs)
                compared += len(ours)
    assert compared > 40, compared


@test
def text_has_files_lines_and_inlined_functions():
    file = compile_it("trace.wasm", "-g", "-O2")
    result = run("--invoke", "go", file, "0").want(134, "trap: integer divide by zero")
    here = re.escape(os.getcwd())
    for line in (r"  #0 0x[0-9a-f]+ Box<int>::half\(int\) at %s/trace\.cpp:6:13 \(inlined\)",
                 r"  #0 0x[0-9a-f]+ app::Shop::share\(int\) at %s/trace\.cpp:13:16",
                 r"  #\d 0x[0-9a-f]+ app::twice\(int \(\*\)\(int\), int\) at %s/trace\.cpp:16:12 \(inlined\)",
                 r"  #\d 0x[0-9a-f]+ go at %s/trace\.cpp:24:12"):
        assert re.search("^" + line % here + "$", result.err, re.M), (line, result.err)


@test
def names_are_demangled():
    for flags in (["-Wl,--no-demangle"], []):
        file = compile_it("trace.wasm", "-O1", *flags)
        run("--invoke", "go", file, "0").want(134, " app::Shop::share(int)\n")
    rust = Module()
    inner = rust.func(UNREACHABLE, label="_RNvNtCs1234_7mycrate3foo3bar")
    legacy = rust.func(call(inner), label="_ZN7mycrate5inner17h0123456789abcdefE")
    odd = rust.func(call(legacy), label="_ZN")
    rust.func(call(odd), export="_start")
    run(write("rust.wasm", rust.bytes())).want(134, " mycrate::foo::bar\n", " mycrate::inner\n", " _ZN\n")


@test
def no_dwarf_no_lines():
    file = compile_it("trace.wasm", "-O1")
    assert " at " not in run("--invoke", "go", file, "0").want(134).err


@test
def hostile_dwarf():
    chance = random.Random(5)
    for flags in (VARIANTS[2], VARIANTS[5]):
        file = compile_it("trace.wasm", *flags)
        parts = [p for p in json.loads(run("inspect", "--json", file).out)["sections"]
                 if p["id"] == 0 and p["name"].startswith(".debug_")]
        with open(file, "rb") as opened:
            good = opened.read()
        for _ in range(150):
            bad = bytearray(good)
            for _ in range(chance.choice((1, 4, 30))):
                part = chance.choice(parts)
                bad[part["offset"] + chance.randrange(part["size"])] = chance.choice((0, 1, 0x7F, 0x80, 0xFF,
                                                                                     chance.randrange(256)))
            write("bad.wasm", bytes(bad))
            run("--invoke", "go", "bad.wasm", "0", timeout=20).want(134, "trap: integer divide by zero", "#0 ")


@test
def names_that_stand_for_endless_ones():
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    label = "_Z1f1AIiiES_IS0_S0_E" + "".join(f"S_IS{d}_S{d}_E" for d in digits[1:35])
    module = Module()
    module.func(UNREACHABLE, export="_start", label=label)
    begun = time.monotonic()
    run(write("endless.wasm", module.bytes()), timeout=30).want(134, "#0 ", "_Z1f1AIiiE")
    assert time.monotonic() - begun < 10


if __name__ == "__main__":
    sys.exit(main())
