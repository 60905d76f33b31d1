#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What WASI costs beside native programs: `./dev bench --wasi`. Each part is a bar of its own:

  calls    clock_time_get and fd_write of a byte beside the system calls, one after the other
  files    reading and writing a file in pieces of 64 KiB beside the same native program
  parked   10,000 guests in poll_oneoff on one thread: memory, mappings, lateness of wake-ups
  hello    from process start to output and end, with the sandbox and without
  http     with --http MODULE (a server on port 8080): wrk with 1,000 connections, an idle
           connection, and a native epoll server. Needs wrk and 3,000 file descriptors.

With --json FILE the parts measured replace those in the file.
"""
import argparse
import contextlib
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

KEEP_ALIVE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def build_dir():
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build", "release")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return {"cpu": model.group(1) if model else "unknown", "processors": os.cpu_count(),
            "architecture": platform.machine(), "system": "Linux"}


def both(values):
    """Rounds with what readers want of them."""
    return {"median": round(statistics.median(values), 4), "minimum": round(min(values), 4),
            "maximum": round(max(values), 4), "rounds": [round(value, 4) for value in values]}


@contextlib.contextmanager
def one_processor():
    """All that is started meanwhile stays on the last processor: moving shows in loops of 30 ns."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run(command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True,
                          **{"stdin": subprocess.DEVNULL, **options})


class Bench:
    def __init__(self, args):
        self.rounds = args.rounds
        self.build = args.build
        self.module = args.http
        self.seconds = args.seconds
        self.guests = args.guests
        self.scratch = args.scratch
        self.wasmrun = os.path.join(self.build, "bin", "wasmrun")

    def program(self, name):
        return os.path.join(self.build, "bench", "wasi", name)

    def engines(self, name):
        """The native program, then the guest without and with the sandbox."""
        guest = self.program(name + ".wasm")
        return {"native": [self.program(name)],
                "wasmrun": [self.wasmrun, "run", "--sandbox=off"],
                "wasmrun_sandbox": [self.wasmrun, "run", "--sandbox=auto"]}, guest

    # ------------------------------------------------------------ calls

    def calls(self):
        engines, guest = self.engines("hostcalls")
        figures = {}
        with open(os.devnull, "wb") as null, one_processor():
            for _ in range(self.rounds):
                for name, command in engines.items():
                    if name != "native":
                        command = [*command, guest]
                    text = subprocess.run(command, check=True, stdout=null, stderr=subprocess.PIPE, text=True).stderr
                    for key, value in re.findall(r"(\w+) ([0-9.]+)", text):
                        figures.setdefault(key, {}).setdefault(name, []).append(float(value))
        out = {"unit": "ns a call"}
        for key, by_engine in figures.items():
            out[key] = {name: both(values) for name, values in by_engine.items()}
            for name in list(by_engine)[1:]:
                more = [a - b for a, b in zip(by_engine[name], by_engine["native"])]
                out[key][name + "_more"] = both(more)
        return out

    # ------------------------------------------------------------ files

    def files(self):
        engines, guest = self.engines("files")
        figures = {"write": {}, "read": {}}
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder, one_processor():
            for _ in range(self.rounds):
                for name, command in engines.items():
                    path = os.path.join(folder, "file")
                    words = [*command, path, "64"]
                    if name != "native":
                        words = [*command, f"--dir={folder}::/d", guest, "/d/file", "64"]
                    for key, value in re.findall(r"(\w+) ([0-9.]+)", run(words).stdout):
                        figures[key].setdefault(name, []).append(float(value))
        out = {"unit": "MiB a second", "file_mib": 64, "piece_bytes": 65536}
        for key, by_engine in figures.items():
            out[key] = {name: both(values) for name, values in by_engine.items()}
            for name in list(by_engine)[1:]:
                out[key][name + "_part_of_native"] = round(max(by_engine[name]) / max(by_engine["native"]), 4)
                out[key][name + "_part_of_native_medians"] = round(
                    statistics.median(by_engine[name]) / statistics.median(by_engine["native"]), 4)
        return out

    # ------------------------------------------------------------ parked

    def parked(self):
        rounds = [json.loads(run([self.program("parked"), self.program("sleeper.wasm"), str(self.guests),
                                  "1000", str(self.seconds)]).stdout) for _ in range(min(self.rounds, 3))]
        return {"wakes_a_second": 1000, "seconds": self.seconds, "rounds": rounds,
                "own_kib_each": max(r["own_kib_each"] for r in rounds),
                "late_ms_p99": max(r["late_ms_p99"] for r in rounds)}

    # ------------------------------------------------------------ hello

    def hello(self):
        engines, guest = self.engines("hello")
        del engines["native"]
        engines["sh_builtin"] = ["/bin/sh", "-c", "echo hello"]
        figures = {}
        for _ in range(self.rounds):
            for name, command in engines.items():
                words = command if name == "sh_builtin" else [*command, guest]
                lines = run([self.program("started"), "20", *words]).stdout.split("\n")
                for line in lines[:-1]:
                    first, end = line.split()
                    for key, value in (("output", first), ("end", end)):
                        figures.setdefault(name, {}).setdefault(key, []).append(float(value))
        out = {"unit": "microseconds from process start", "runs_each": self.rounds * 20}
        for name, by_end in figures.items():
            out[name] = {}
            for key, values in by_end.items():
                out[name][key] = {"median": statistics.median(values), "minimum": min(values),
                                  "p95": statistics.quantiles(values, n=20)[-1]}
        for key in ("output", "end"):
            out["sandbox_costs_" + key] = round(out["wasmrun_sandbox"][key]["median"] -
                                                out["wasmrun"][key]["median"], 1)
        return out

    # ------------------------------------------------------------ http

    def http(self):
        servers = {"native_epoll": ([self.program("epoll"), "8081"], 8081),
                   "wasmrun": ([self.wasmrun, "run", "--sandbox=off", "--net=inherit", self.module], 8080),
                   "wasmrun_sandbox": ([self.wasmrun, "run", "--net=inherit", self.module], 8080)}
        rates = {name: [] for name in servers}
        out = {"module": os.path.basename(self.module), "connections": 1000, "seconds": self.seconds,
               "processors": "server on the last, wrk on the first", "errors": 0, "idle_cpu_percent": {}}
        for number in range(min(self.rounds, 3)):
            for name, (command, port) in servers.items():
                with Server(command, port) as server:
                    if number == 0:
                        out["idle_cpu_percent"][name] = round(server.idle(self.seconds) * 100, 3)
                    rate, errors = server.load(self.seconds)
                    rates[name].append(rate)
                    out["errors"] += errors
        out["requests_a_second"] = {name: both(values) for name, values in rates.items()}
        for name in list(rates)[1:]:
            out[name + "_part_of_native"] = round(statistics.median(rates[name]) /
                                                  statistics.median(rates["native_epoll"]), 4)
        return out


class Server:
    """A server process for as long as the block lasts."""

    def __init__(self, command, port):
        self.command, self.port, self.process = command, port, None

    def __enter__(self):
        last = max(os.sched_getaffinity(0))
        self.process = subprocess.Popen(["taskset", "-c", str(last), *self.command], stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                if self.process.poll() is not None:  # it was somebody else's server
                    break
                return self
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"no server on port {self.port}: {' '.join(self.command)}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def cpu_seconds(self):
        total = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def idle(self, seconds):
        """CPU seconds a second with one connection that has had an answer and stays open."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(KEEP_ALIVE)
            connection.settimeout(10)
            text = b""
            while not text.endswith(b"Hello, World!"):
                piece = connection.recv(4096)
                if not piece:
                    raise SystemExit(f"the server does not say Hello, World! but {text}")
                text += piece
            time.sleep(0.5)
            begin, cpu = time.monotonic(), self.cpu_seconds()
            time.sleep(seconds)
            return (self.cpu_seconds() - cpu) / (time.monotonic() - begin)

    def load(self, seconds):
        """Requests a second of wrk, and its errors of all kinds."""
        first = min(os.sched_getaffinity(0))
        text = run(["taskset", "-c", str(first), "wrk", "-t1", "-c1000", f"-d{seconds}s", "--timeout", "10s",
                    f"http://127.0.0.1:{self.port}/"]).stdout
        socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        others = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        errors = sum(map(int, socket_errors.groups())) if socket_errors else 0
        errors += int(others.group(1)) if others else 0
        return float(re.search(r"Requests/sec:\s*([0-9.]+)", text).group(1)), errors


def main():
    parts = ["calls", "files", "parked", "hello", "http"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="which of them (all that can be measured)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, engines interleaved (5; parked and http: at most 3)")
    parser.add_argument("--seconds", type=int, default=10, help="of parked and http, each round (10)")
    parser.add_argument("--guests", type=int, default=10000, help="of parked (10000)")
    parser.add_argument("--http", metavar="MODULE", help="the server for http")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--scratch", metavar="DIR", help="where files are written (TMPDIR)")
    parser.add_argument("--build", metavar="DIR", default=build_dir(), help="build folder (build/release)")
    args = parser.parse_args()
    wanted = args.parts or [part for part in parts if part != "http" or args.http]
    if [part for part in wanted if part not in parts] or ("http" in wanted and not args.http):
        parser.error("no such part, or http without --http MODULE")
    bench, results = Bench(args), {}
    for part in wanted:
        load = round(os.getloadavg()[0], 2)
        results[part] = {**getattr(bench, part)(), "load_before": load}
        print(json.dumps({part: results[part]}, indent=1))
    if args.json:
        known = {}
        if os.path.exists(args.json):
            with open(args.json, encoding="utf-8") as file:
                known = json.load(file)
        known = {"measures": "WASI beside native programs", "machine": machine(),
                 **{key: value for key, value in known.items() if key in parts}, **results}
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(known, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
