#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looking inside with bin/wasmrun: explore, --profile, --stats. The program is the first argument,
or $WASMRUN. Last line: 'N passed, N failed, N skipped'."""
import signal
import xml.dom.minidom

import test_cli
from test_cli import *  # noqa: F403

test_cli.TESTS.clear()  # those of test_cli.py itself
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")


def busy_module(end=b"", rounds=20_000_000, label="hot<&\">;\n"):
    """_start calls `middle`, which calls the function where the time goes, then does `end`."""
    module = Module()
    leave = module.imp(WASI, "proc_exit", [I32])
    loop = (i32(rounds) + b"\x21\x00" + b"\x03\x40" + local_get(0) + i32(1) + b"\x6b\x22\x00" +
            b"\x0d\x00" + END)  # local.set 0, loop, sub, local.tee 0, br_if 0
    hot = module.func(loop, locals_=[I32], label=label)
    middle = module.func(call(hot), label="middle")
    module.mem(3)
    module.func(call(middle) + end.replace(b"LEAVE", i32(7) + call(leave)), export="_start")
    return write("busy.wasm", module.bytes())


def folded(*words, code=0, path="out.folded"):
    run(f"--profile={path}", *words).want(code)
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert all(re.fullmatch(r"[^;]+(;[^;]+)* [0-9]+", line) for line in lines), lines
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in lines}


# ---------------------------------------------------------------- explore

def sample_module():
    module = Module()
    module.imp("env", "host", [I32])
    module.mem(1)
    module.func(local_get(0) + LOAD32 + i32(1) + b"\x6a", [I32], [I32], export="peek")
    module.func(b"", export="bad\x1b[31m\n")
    module.func(i32(0) + call(1) + DROP, label="inner")
    return write("sample.wasm", module.bytes())


@test
def explore_shows_both_sides():
    out = run("explore", sample_module()).want(0).out.decode()
    for text in ("func 1 peek  (func (param i32) (result i32))", "i32.load", "i32_load", "i32.add",
                 "i32_add", "func 3 inner", "call 1 peek", "backend ", "3 functions", "wasm instructions"):
        assert text in out, (text, out)
    assert "no known instruction" not in out, out


@test
def explore_takes_an_export_a_name_or_an_index():
    file = sample_module()
    for word in ("inner", "3"):
        out = run("explore", file, word).want(0).out.decode()
        assert "func 3 inner" in out and "func 1 peek " not in out, out
    assert b"func 1 peek" in run("explore", file, "peek").want(0).out


@test
def explore_escapes_names():
    out = run("explore", sample_module(), "2").want(0).out
    assert b"bad\\x1b[31m\\x0a" in out and not CONTROL.search(out), out


@test
def explore_without_such_a_function():
    file = sample_module()
    run("explore", file, "nosuch").want(125, "no function 'nosuch'").prints("")
    run("explore", file, "99").want(125, "no function '99'")
    run("explore", file, "0").want(125, "function '0' is imported")


@test
def explore_usage_and_files():
    run("explore").want(125, "no FILE given")
    run("explore", sample_module(), "1", "2").want(125, "more than FILE and FUNC")
    run("explore", "absent.wasm").want(127)
    run("explore", write("no.wasm", b"no")).want(126)
    run("explore", "-", stdin=main_module(b"")).want(0)
    assert b"FILE|- [FUNC]" in run("explore", "--help").want(0).out


@test
def explore_of_what_cannot_be_executed():
    vector = b"\xfd\x0c" + bytes(16) + DROP  # v128.const
    out = run("explore", write("simd.wasm", main_module(vector))).want(0).out.decode()
    assert "func 0 _start" in out and ("v128.const" in out), out


# ---------------------------------------------------------------- --profile

@test
def profile_names_the_hot_function():
    stacks = folded(busy_module())
    hot = max(stacks, key=stacks.get)
    assert hot == "_start;middle;hot<&\">:\\x0a", stacks
    assert stacks[hot] >= 5, stacks


@test
def profile_as_a_flame_graph():
    run("--profile=out.svg", busy_module()).want(0)
    tree = xml.dom.minidom.parse("out.svg")
    titles = [node.firstChild.data for node in tree.getElementsByTagName("title")]
    for name in ("all (", "_start (", "middle (", "hot<&\">;\\x0a ("):
        assert any(title.startswith(name) for title in titles), (name, titles)
    assert not tree.getElementsByTagName("script")
    widths = [float(node.getAttribute("width")) for node in tree.getElementsByTagName("rect")[1:]]
    assert max(widths) <= 1200 and min(widths) > 0, widths


@test
def profile_whatever_the_end():
    assert folded(busy_module(b"LEAVE"), code=7)
    assert folded(busy_module(UNREACHABLE), code=134)
    assert folded("--fuel=200000000", busy_module(rounds=1_000_000_000), code=124)
    assert folded("--timeout=300ms", busy_module(LOOP_FOREVER), code=124)
    assert folded("--backend=loop", busy_module())
    assert folded("--invoke=_start", busy_module())


@test
def profile_after_a_signal():
    file = busy_module(LOOP_FOREVER)
    for number in (signal.SIGTERM, signal.SIGINT):
        guest = subprocess.Popen([WASMRUN, "--profile=sig.folded", file], stderr=subprocess.PIPE)
        time.sleep(0.5)
        guest.send_signal(number)
        guest.communicate(timeout=30)
        assert guest.returncode == -number, guest.returncode
        with open("sig.folded", encoding="utf-8") as out:
            assert "_start" in out.read()


@test
def profile_of_deep_recursion():
    module = Module()
    down = (local_get(0) + b"\x45\x04\x40" + i32(10_000_000) + b"\x21\x00\x03\x40" + local_get(0) + i32(1) +
            b"\x6b\x22\x00\x0d\x00" + END + b"\x05" + local_get(0) + i32(1) + b"\x6b" + call(0) + END)
    module.func(down, [I32], label="down")  # calls itself, then spins
    module.func(i32(2000) + call(0), export="_start")
    stacks = folded(write("deep.wasm", module.bytes()))
    deepest = max(stacks, key=stacks.get)
    assert deepest.startswith("[callers left out];down;down"), deepest
    assert deepest.count(";") == 512, deepest.count(";")
    run("--profile=deep.svg", "deep.wasm").want(0)
    xml.dom.minidom.parse("deep.svg")


@test
def profile_of_almost_nothing():
    file = write("nothing.wasm", main_module(b""))
    folded(file)
    run("--profile=none.svg", file).want(0)
    xml.dom.minidom.parse("none.svg")


@test
def profile_needs_a_known_suffix():
    file = write("nothing.wasm", main_module(b""))
    for path in ("out.txt", "svg", ".svg", "out.svg.gz", ""):
        run(f"--profile={path}", file).want(125, ".folded")
    run("--profile=absent/out.svg", file).want(125, "--profile: absent/out.svg: ")


@test
def profile_that_cannot_be_written():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    os.symlink("/dev/full", "full.svg")
    run("--profile=full.svg", busy_module()).want(125, "--profile: full.svg: ")
    run("--profile=full.svg", busy_module(b"LEAVE")).want(7, "--profile: full.svg: ")


# ---------------------------------------------------------------- --stats

@test
def stats_lines():
    err = run("--stats", busy_module(b"LEAVE")).want(7).err
    for pattern in (r"wasmrun: busy.wasm: stats\n", r"load and validate +[0-9.]+ ms\n",
                    r"instantiate +[0-9.]+ ms\n", r"run +[0-9.]+ ms\n",
                    r"functions +3 of 3 translated\n", r"code +[1-9][0-9]* bytes, from [1-9]",
                    r"linear memory +196608 bytes", r"process +[1-9][0-9]* KiB"):
        assert re.search(pattern, err), (pattern, err)


@test
def stats_count_what_fuel_counts():
    five = write("five.wasm", main_module(b"\x41\x00\x1a" * 5))  # i32.const; drop is free
    err = run("--stats", "--fuel", "100", five).want(0).err
    assert re.search("instructions +5 of WebAssembly run", err), err
    assert "instructions" not in run("--stats", five).want(0).err
    lines = run("--stats", "--fuel", "100", "--error-format", "json", five).want(0).err
    assert '"instructions":5' in lines, lines


@test
def stats_of_what_does_not_run():
    run("--stats", write("trap.wasm", main_module(UNREACHABLE))).want(134, "functions", "run ")
    missing = Module()
    missing.imp("env", "absent")
    missing.func(b"", export="_start")
    run("--stats", write("miss.wasm", missing.bytes())).want(126, "functions")
    assert "stats" not in run("--stats", write("bad.wasm", b"bad")).want(126).err


if __name__ == "__main__":
    sys.exit(main())
