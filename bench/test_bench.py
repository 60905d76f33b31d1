#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_bench.py WASM-BENCH: the tool itself, on engines that are shell scripts and know the answer."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.dom.minidom

TOOL = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
results = []


def check(name, good, detail=""):
    results.append(bool(good))
    if not good:
        print(f"FAILED {name} {detail}")


def bench(*args):
    run = subprocess.run([TOOL, *args], capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def rows():
    with open(os.path.join(HERE, "workloads.list"), encoding="utf-8") as file:
        return [line.split() for line in file if line.strip() and not line.startswith("#")]


def programs():
    """What is built of bench/workloads."""
    def sources(folder, suffix=".c"):
        names = os.listdir(os.path.join(HERE, "workloads", folder))
        return {os.path.splitext(name)[0] for name in names if name.endswith(suffix)}
    twice = [(name, "-scalar") for name in sources("simd")] + \
        [(name, "-legacy") for name in (sources("exceptions") | sources("exceptions", ".cc")) - {"sjlj"}]
    return [*sources("") - {"main"}, *sources("atomics") - {"start"},
            *(name + suffix for name, other in twice for suffix in ("", other))]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def answers(folder):
    """An engine that knows every checksum: SCRIPT MODULE SIZE."""
    cases = "".join(f"  {row[1]}.wasm-{row[i]}) echo {row[i + 1]} ;;\n"
                    for row in rows() if len(row) == 6 for i in (2, 4) if i == 2 or row[2] != row[4])
    return write(os.path.join(folder, "right"), f"#!/bin/sh\ncase ${{1##*/}}-$2 in\n{cases}esac\n")


def test_table():
    sets = {name: [row for row in rows() if row[0] == name] for name in ("training", "validation", "fixed")}
    check("training has 10", len(sets["training"]) >= 10)
    check("validation has 8", len(sets["validation"]) >= 8)
    check("fixed has 6", len(sets["fixed"]) == 6)
    names = sorted(row[1] for row in rows() if len(row) == 6)
    check("every program is in the table once", names == sorted(programs()), set(names) ^ set(programs()))
    answer = {row[1]: row[2:] for row in rows() if len(row) == 6}
    for group in ("training", "validation"):
        for kind, others in (("simd", "scalar"), ("exceptions", "exceptions")):
            builds = [row[1] for row in rows() if row[0] == f"{group}-{kind}" and not row[1].endswith("-legacy")]
            suffix = "-scalar" if kind == "simd" else "-legacy"
            check(f"{group} has {kind}", builds)
            for name in builds:
                check(f"{name}: both builds print the same", answer[name] == answer.get(name + suffix))
                check(f"{name}: both builds are for {group}",
                      [f"{group}-{others}", name + suffix] in [row[:2] for row in rows()])
        check(f"{group} has atomics", any(row[0] == group + "-atomics" for row in rows()))
    check("no row is tiny only", all(row[2] != row[4] for row in rows() if len(row) == 6))


def test_inputs(folder):
    """The generator always writes the same, and everything that fixed.json names."""
    listings = []
    for name in ("one", "two"):
        out = os.path.join(folder, name)
        subprocess.run([sys.executable, os.path.join(HERE, "fixed.py"), out], check=True)
        listings.append({os.path.relpath(os.path.join(base, file), out): open(os.path.join(base, file), "rb").read()
                         for base, _, files in os.walk(out) for file in files})
    check("inputs are reproducible", listings[0] == listings[1])
    with open(os.path.join(HERE, "fixed.json"), encoding="utf-8") as file:
        runs = [run for module in json.load(file)["modules"] for run in module["runs"]]
    names = [path for run in runs for path in [run.get("stdin"), *run.get("dirs", {}).values()] if path]
    for name in names:
        check("input " + name, name.startswith("corpus:") or os.path.exists(os.path.join(folder, "one", name)))
    check("expected output is known", all(len(run["expect"]["stdout_sha256"]) == 64 for run in runs))


def test_run(folder, programs):
    right = answers(folder)
    wrong = write(os.path.join(folder, "wrong"), "#!/bin/sh\necho 0\n")
    fails = write(os.path.join(folder, "fails"), "#!/bin/sh\necho no such thing >&2\nexit 3\n")
    out = os.path.join(folder, "out.json")
    page = os.path.join(folder, "page.html")
    base = ["--programs", programs, "--own", right + " {module} {args}", "--rounds", "2"]
    code, text, _ = bench(*base, "--check")
    count = sum(len(row) == 6 for row in rows())
    check("check passes", code == 0 and f"{count} passed, 0 failed, 0 skipped" in text, text)
    code, text, _ = bench(*base, "--list")
    check("all sets are listed", all(re.search(rf"^{row[0]} +{re.escape(row[1])}$", text, re.M)
                                     for row in rows() if len(row) == 6), text)
    code, text, _ = bench("--programs", programs, "--own", wrong + " {module} {args}", "--check", "fib")
    check("check sees a wrong checksum", code == 1 and "0 passed, 1 failed" in text, text)
    code, text, _ = bench(*base, "--set", "validation", "--label", "<first>", "--json", out, "--html", page,
                          "--peer", f"same={right} {{module}} {{args}}", "--peer-base", "same=true")
    check("a run ends well", code == 0 and "geomean" in text, text)
    with open(out, encoding="utf-8") as file:
        run = json.load(file)
    check("only one set", {row["set"] for row in run["workloads"].values()} == {"validation"})
    check("two rounds", all(len(cell["cpu_ms"]) == 2 for row in run["workloads"].values()
                            for cell in row["engines"].values()))
    check("the base is there", run["engines"][1]["base"]["cpu_ms"] and "base" not in run["engines"][0])
    code, text, _ = bench(*base, "fib", "--peer", f"wrong={wrong} {{module}} {{args}}", "--peer",
                          f"fails={fails} {{module}}")
    check("failures are said", code == 1 and "FAILED fib on wrong: wrong checksum" in text and
          "FAILED fib on fails: exit 3, not 0: no such thing" in text, text)
    if shutil.which("valgrind"):
        code, text, _ = bench(*base, "fib", "--instructions", "--json", os.path.join(folder, "count.json"))
        with open(os.path.join(folder, "count.json"), encoding="utf-8") as file:
            counts = json.load(file)["workloads"]["fib"]["engines"]["wasmrun"]["million_instructions"]
        check("instructions are counted", code == 0 and len(counts) == 2 and min(counts) > 0, text)
    return out, page


def svgs(path):
    with open(path, encoding="utf-8") as file:
        return [xml.dom.minidom.parseString(svg) for svg in re.findall(r"<svg.*?</svg>", file.read(), re.S)]


def test_report(folder, out, page):
    """Two later runs that are half as slow each: the lines must say so."""
    check("bars of one run", len(svgs(page)) == 2)
    files = []
    for step in range(3):
        with open(out, encoding="utf-8") as file:
            run = json.load(file)
        for row in run["workloads"].values():
            for name, time in (("wasmrun", 1000 / 2 ** step), ("same", 4000)):
                row["engines"][name]["cpu_ms_median"] = time
        run["engines"][1].pop("base")
        run["time_over_first"]["validation"]["same"] = {"geomean_of_medians": 4 * 2 ** step}
        files.append(write(os.path.join(folder, f"{step}.json"), json.dumps(run)))
    code, _, _ = bench("--report", "--html", page, *files)
    charts = svgs(page)
    check("bars and lines", code == 0 and len(charts) == 4)
    points = [[float(title.firstChild.data) for title in chart.getElementsByTagName("title")] for chart in charts[1:3]]
    check("time over the oldest", points[0] == [1, 0.5, 0.25], points)
    check("time over the peer", points[1] == [0.25, 0.125, 0.062] or points[1] == [0.25, 0.125, 0.063], points)
    with open(page, encoding="utf-8") as file:
        check("labels are escaped", "&lt;first&gt;" in file.read())
    check("a page needs results", bench("--report", "--html", page, os.path.join(HERE, "fixed.json"))[0] == 2)


def test_simd(folder, programs):
    """simd.py on shell scripts: an engine that is as slow with SIMD as without must not pass."""
    page = os.path.join(folder, "simd.json")
    run = subprocess.run([sys.executable, os.path.join(HERE, "simd.py"), "--tool", TOOL, "--programs", programs, "--own",
                          answers(folder) + " {module} {args}", "--rounds", "1", "--json", page],
                         capture_output=True, text=True, env={**os.environ, "WASMRUN_NODE": answers(folder)})
    with open(page, encoding="utf-8") as file:
        written = json.load(file)
    kernels = {row[1] for row in rows() if row[0].endswith("-simd")}
    check("simd: all kernels", set(written["kernels"]) == kernels and written["measures"] == "simd")
    check("simd: the bar is judged", run.returncode == 1 and f"of {len(kernels)}, not " in run.stdout, run.stdout)


def test_simd_ratios():
    """The arithmetic of simd.py, on figures that are easy to see."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, HERE)
    import simd
    def cell(*times):
        return {"cpu_ms": list(times)}
    run = {"engines": [{"name": "wasmrun"}, {"name": "liftoff", "base": cell(50, 60, 70)}],
           "workloads": {"a": {"set": "training-simd", "engines": {"wasmrun": cell(100, 110, 120), "liftoff": cell(110, 115, 160)}},
                         "a-scalar": {"set": "training-scalar", "engines": {"wasmrun": cell(500, 440, 400)}},
                         "b": {"set": "validation-simd", "engines": {"wasmrun": cell(90, 90, 90), "liftoff": {"problem": "x", "cpu_ms": []}}},
                         "b-scalar": {"set": "validation-scalar", "engines": {"wasmrun": cell(90, 90, 90)}}}}
    result = simd.compare(run)
    check("simd: scalar over SIMD", result["kernels"]["a"]["scalar_over_simd"] == {"median": 4, "minimum": 4}, result)
    check("simd: the start is subtracted", result["kernels"]["a"]["over_liftoff"] == {"median": 2, "minimum": round(100 / 60, 3)}, result)
    check("simd: means", result["geomean"]["all"]["scalar_over_simd"]["median"] == 2 and
          result["geomean"]["all"]["over_liftoff"]["of"] == 1 and result["geomean"]["validation"]["over_liftoff"]["of"] == 0, result)
    check("simd: bars need all kernels", not simd.judge(result, "liftoff"))


def test_usage(folder):
    for args in (["--set", "none"], ["none"], ["--rounds", "0"], ["--peer", "x"], ["--peer-base", "x=true"], ["--report"]):
        code, _, error = bench(*args)
        check("usage " + " ".join(args), code == 2 and error, error)
    code, text, error = bench("--check", "--programs", os.path.join(folder, "empty"))
    check("no programs: skipped, loudly", code == 77 and "SKIPPED fib" in error and text.startswith("0 passed, 0 failed"))
    code, _, error = bench("--list", "--corpus", folder)
    check("no corpus: said", code == 0 and "SKIPPED: no corpus" in error)


with tempfile.TemporaryDirectory() as scratch:
    modules = os.path.join(scratch, "programs")
    os.mkdir(modules)
    for table_row in rows():
        write(os.path.join(modules, table_row[1] + ".wasm"), "") if len(table_row) == 6 else None
    test_table()
    test_inputs(scratch)
    test_report(scratch, *test_run(scratch, modules))
    test_simd(scratch, modules)
    test_simd_ratios()
    test_usage(scratch)
print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
sys.exit(0 if all(results) else 1)
