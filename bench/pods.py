#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers and pods on this runtime beside runc and crun: `./dev bench --pods [PART…]`, as root.
All runtimes take turns in each round; minimum and median of the rounds. Guests are one C source,
compiled for WebAssembly and, for the others, as a static program. Parts:

  create   Create -> first instruction of the guest over ttrpc alone, on each view of cgroups; with the
           CRI's seccomp profile, namespaces, masked paths; tasks a second with Wait and Delete
  cri      RunPodSandbox, CreateContainer, StartContainer, their end, by the CRI
  ctr      `ctr run --rm` as a whole
  oci      `run` of the OCI runtimes' own command lines: wasmrun-oci with a guest, crun and runc with a
           static program
  memory   proportional set sizes: an idle shim, a pod; then many pods at once
  crun     crun alone: a static program, the same as a guest by our handler for crun, and the former
           without the handler

With --json FILE the parts measured replace those in the file. Everything runs in namespaces of its
own, in memory, on a containerd of its own: wrappers/tests/live.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, os.pardir, "wrappers", "tests", "live"))
import cri  # noqa: E402
import harness  # noqa: E402
import images  # noqa: E402
import machine  # noqa: E402
import shims  # noqa: E402
import wire  # noqa: E402
from handlers import Handlers  # noqa: E402
from harness import wait_for  # noqa: E402
from node import Node  # noqa: E402

SCRATCH = "WASMRUN_LIVE_SCRATCH"  # a folder of the host that all parts see
RUNTIMES = ("wasmrun", "crun", "runc")
BURST = 20  # tasks in a row, then it is another runtime's turn
NODE_PARTS = ("cri", "ctr", "memory")  # need a containerd
PARTS = (*NODE_PARTS, "create", "crun", "oci")
IDLE_S = 2  # until what is kept for the next task is given back
# Not measured here: what runwasi's CI publishes, on its hardware.
PUBLISHED = {"tasks_per_second": {"runwasi": 330, "runc with wasmtime in the image": 85, "wamr": 95, "wasmedge": 85,
                                  "wasmtime": 16}}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--build", default=os.path.join(HERE, os.pardir, "build", "release"))
    parser.add_argument("--rounds", type=int, default=15, help="of the CRI and ctr")
    parser.add_argument("--tasks", type=int, default=200, help="tasks of create for each runtime; others a fifth")
    parser.add_argument("--pods", type=int, default=200, help="pods at once; a quarter of it for the others")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    args.parts = args.parts or list(PARTS)
    args.runtime, args.only, args.quick = "wasmrun", "", False
    args.shim = os.path.join(args.build, "bin", "containerd-shim-wasmrun-v1")
    args.binary = lambda runtime: harness.binary(args.build, runtime)
    if not set(args.parts) <= set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    return args


def both(values):
    return {"minimum": round(min(values), 3), "median": round(statistics.median(values), 3), "rounds": len(values)}


def show(label, figures):
    print(f"  {label:44} min {figures['minimum']:9.3f}  median {figures['median']:9.3f}", flush=True)


def add_shares(result, ours):
    """What of crun's time ours is."""
    for key in ("minimum", "median"):
        result[f"{key}_of_crun"] = round(result[ours][key] / result["crun"][key], 3)
    print(f"  of crun's: {result['minimum_of_crun']} (minimum), {result['median_of_crun']} (median)", flush=True)


# ---------------------------------------------------------------- create

def runc_options(binary):
    """containerd.runc.v1.Options{binary_name}"""
    raw = binary.encode()
    return {"type_url": "containerd.runc.v1.Options", "value": b"\x32" + bytes([len(raw)]) + raw}


class Direct:
    """Tasks of a runtime, a shim for each burst: what a process finds in memory differs by 10 %."""

    def __init__(self, args, runtime, space, seccomp):
        import copy
        self.args = copy.copy(args)
        self.args.runtime, self.runtime = runtime, runtime
        self.lab = shims.Lab(self.args, wire.EventSink)
        self.lab.home = f"{machine.BASE}/{runtime}"
        self.space, self.seccomp = space, seccomp
        self.delays, self.creates, self.whole, self.rates = [], [], [], []

    def __enter__(self):
        self.lab.__enter__()
        return self

    def __exit__(self, *_):
        self.lab.__exit__()
        self.lab.events.close()

    def bundle(self, ident, overlay):
        """A pod's container: namespaces joined but for its own, limits, profile, user."""
        root = "rootfs" if overlay else f"{self.lab.home}/guests"
        spec = shims.spec_of([self.lab.program("clock")], ident, root, readonly=True)
        spec["linux"]["namespaces"] = [{"type": "pid"}, {"type": "mount"}] + [
            {"type": kind, "path": f"/proc/{self.space}/ns/{name}"}
            for kind, name in (("ipc", "ipc"), ("uts", "uts"), ("network", "net"))]
        spec["linux"]["seccomp"] = self.seccomp
        spec["linux"]["cgroupsPath"] = f"/{machine.group()}/podbench/{ident}"
        if machine.view() == "v1":
            spec["linux"]["resources"] = {"memory": {"limit": 64 << 20}, "cpu": {"shares": 512, "quota": 100000,
                                                                               "period": 100000},
                                          "devices": [{"allow": False, "access": "rwm"}]}
        spec["process"]["user"] = {"uid": 1000, "gid": 1000}
        spec["process"]["capabilities"] = {}
        return self.lab.bundle(ident, [], spec=json.dumps(spec))

    def once(self, overlay=True):
        """One task; times in ms. All calls are written before the first one is sent, by calls.c."""
        ident = self.lab.name("b")
        bundle = self.bundle(ident, overlay)
        out = shims.Stream(f"{self.lab.home}/{ident}.out")
        extra = {} if self.runtime == "wasmrun" else {"options": runc_options(f"/usr/bin/{self.runtime}"
                                                      if self.runtime == "crun" else "runc"), "stderr": out.path}
        mounts = self.lab.rootfs(ident) if overlay else []
        prepare = self.shim.prepare
        begun, answers = self.caller.run([
            prepare("Create", "CreateTaskRequest", id=ident, bundle=bundle, stdout=out.path, rootfs=mounts, **extra),
            *(prepare(method, method + "Request", id=ident) for method in ("Start", "Wait", "Delete"))])
        code = wire.task("WaitResponse").FromString(answers[2][1]).exit_status
        text = wait_for("the guest's clock", out.read, 5)
        assert code == 0, (code, text)
        out.close()
        machine.remove_tree(bundle)
        machine.remove_tree(f"{self.lab.home}/over/{ident}")
        self.delays.append((int(text) - begun) / 1e6)
        self.creates.append(answers[0][0] / 1e6)
        self.whole.append(answers[3][0] / 1e6)

    def burst(self, overlay, count):
        """Tasks one after the other in a new shim; after one that only wakes things up."""
        self.shim = self.lab.shim(["/hello"])
        self.caller = wire.Caller(self.shim.address)
        self.once(overlay)
        for rows in (self.delays, self.creates, self.whole):
            rows.pop()
        for _ in range(count):
            self.once(overlay)
        self.rates.append(count / sum(self.whole[-count:]) * 1e3)
        self.caller.close()
        self.shim.kill()
        self.lab.shims.remove(self.shim)

    def result(self):
        found = {"first_instruction_ms": both(self.delays), "create_call_ms": both(self.creates),
                 "whole_task_ms": both(self.whole),
                 "tasks_per_second": {"median": round(statistics.median(self.rates), 1),
                                      "maximum": round(max(self.rates), 1), "bursts": len(self.rates)}}
        self.delays, self.creates, self.whole, self.rates = [], [], [], []
        return found


def part_create(args):
    with open(os.path.join(os.environ[SCRATCH], "seccomp.json"), encoding="utf-8") as file:
        seccomp = json.load(file)
    holder = subprocess.Popen(["unshare", "--net", "--ipc", "--uts", "sleep", "100000"])
    names = RUNTIMES if "cpu" in machine.v2_controllers() or machine.view() == "v1" else ("wasmrun", "runc")
    result = {}
    try:
        wait_for("its namespaces", lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != os.readlink("/proc/1/ns/net"))
        ready = [Direct(args, name, holder.pid, seccomp).__enter__() for name in names]
        for overlay, label in ((True, "overlay"), (False, "directory")):
            for _ in range(max(1, args.tasks // BURST)):
                for one in ready:
                    one.burst(overlay, BURST if one.runtime == "wasmrun" else BURST // 5)
            result[label] = {one.runtime: one.result() for one in ready}
            for name, row in result[label].items():
                show(f"{name}, {label}: first instruction ms", row["first_instruction_ms"])
                rate = row["tasks_per_second"]
                print(f"  {'':44} max {rate['maximum']:9.1f}  median {rate['median']:9.1f} tasks a second", flush=True)
        for one in ready:
            one.__exit__()
    finally:
        holder.kill()
        holder.wait()
    return result


# ---------------------------------------------------------------- cri, ctr

def words(runtime, name):
    return [f"/{name}.wasm" if runtime == "wasmrun" else f"/{name}"]


def one_pod(runtime, client, times):
    clock = time.perf_counter
    pod = cri.Pod(client, runtime)
    begun = clock()
    pod.__enter__()
    made = clock()
    guest = pod.create(words(runtime, "sleeper"), resources={"memory_limit_in_bytes": 64 << 20, "cpu_shares": 512})
    created = clock()
    guest.start()
    started = clock()
    guest.says("up")
    guest.stop(1)
    guest.remove()
    stopped = clock()
    pod.__exit__(None)
    removed = clock()
    for key, span in (("run_pod", made - begun), ("create_container", created - made),
                      ("start_container", started - created), ("remove_pod", removed - stopped)):
        times[runtime].setdefault(key, []).append(span * 1e3)


def part_cri(args, node, client):
    times = {name: {} for name in RUNTIMES}
    for number in range(args.rounds + 1):
        for name in RUNTIMES:
            one_pod(name, client, times)
        if number == 0:
            times = {name: {} for name in RUNTIMES}  # the first round warms caches up
    result = {name: {key: both(values) for key, values in rows.items()} for name, rows in times.items()}
    for key in ("run_pod", "create_container", "start_container", "remove_pod"):
        for name in RUNTIMES:
            show(f"{name}: {key} ms", result[name][key])
    ours, theirs = (result[name]["start_container"]["median"] for name in ("wasmrun", "crun"))
    result["start_container_median_of_crun"] = round(ours / theirs, 3)
    print(f"  StartContainer: {ours / theirs:.2f} of crun's median", flush=True)
    return result


def part_ctr(args, node, client):
    times = {name: [] for name in RUNTIMES}
    for number in range(args.rounds + 1):
        for name in RUNTIMES:
            argv = [*node.run_words("--rm", runtime=name), node.name(), *words(name, "exit")]
            begun = time.perf_counter()
            done = node.ctr(*argv)
            span = (time.perf_counter() - begun) * 1e3
            assert done.returncode == 0, done
            if number:
                times[name].append(span)
    result = {name: both(values) for name, values in times.items()}
    for name in RUNTIMES:
        show(f"{name}: ctr run --rm ms", result[name])
    add_shares(result, "wasmrun")
    return result


# ---------------------------------------------------------------- oci

def part_oci(args):
    """One bundle for each, used again and again; the process as a whole."""
    programs = {"wasmrun-oci": os.path.join(args.build, "bin", "wasmrun-oci"), "crun": "crun", "runc": "runc"}
    times = {name: [] for name in programs}
    home = f"{machine.BASE}/oci"
    os.makedirs(f"{home}/root")
    images.unpack(images.guest_entries(args.build, True), f"{home}/root")
    for name in programs:
        words = ["/exit.wasm" if name == "wasmrun-oci" else "/exit", "0"]
        os.makedirs(f"{home}/{name}")
        with open(f"{home}/{name}/config.json", "w", encoding="utf-8") as file:
            json.dump(shims.spec_of(words, f"oci-{name}", f"{home}/root", readonly=True), file)
    for number in range(args.rounds * 4 + 2):
        for name, program in programs.items():
            argv = [program, "run", "--bundle", f"{home}/{name}", f"b-{name}"]
            begun = time.perf_counter()
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            span = (time.perf_counter() - begun) * 1e3
            assert (done.returncode, done.stderr) == (0, b"exit 0\n"), done
            if number > 1:  # the first ones warm caches up
                times[name].append(span)
    result = {name: both(values) for name, values in times.items()}
    for name in programs:
        show(f"{name}: run ms", result[name])
    add_shares(result, "wasmrun-oci")
    machine.remove_tree(home)
    return result


def seccomp_of_the_cri(client):
    """The profile that containerd writes for RuntimeDefault."""
    with cri.Pod(client, "runc") as pod:
        guest = pod.create(["/sleeper"])
        spec = guest.info()["runtimeSpec"]
    assert "seccomp" in spec["linux"], "no profile"
    return spec["linux"]["seccomp"]


# ---------------------------------------------------------------- crun

def part_crun(args):
    """`crun run` as a whole, ms; the three take turns."""
    times = {"linux": [], "wasm": [], "linux_without_handler": []}
    with Handlers(args) as crun:
        images.unpack([(name, raw, 0o755) for name, raw in images.guest_files(args.build, True) if name == "clock"],
                      f"{crun.home}/guests")
        bundles = {name: crun.path(crun.bundle([f"/clock{'.wasm' if name == 'wasm' else ''}"], annotations=(
            {"module.wasm.image/variant": "compat"} if name == "wasm" else {}))) for name in times}
        for number in range(10 * args.rounds + 1):
            for name, path in bundles.items():
                hidden = name == "linux_without_handler"
                if hidden:
                    os.rename(crun.handlers, crun.handlers + ".off")
                begun = time.perf_counter()
                done = subprocess.run(crun.argv("run", "--bundle", path, "bench"), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE)
                span = (time.perf_counter() - begun) * 1e3
                if hidden:
                    os.rename(crun.handlers + ".off", crun.handlers)
                assert done.returncode == 0 and int(done.stdout) > 0, done
                if number:
                    times[name].append(span)
    result = {name: both(values) for name, values in times.items()}
    for name in times:
        show(f"crun run ms, {name.replace('_', ' ')}", result[name])
    return result


# ---------------------------------------------------------------- memory

def available_kib():
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(re.search(r"^MemAvailable:\s+(\d+)", file.read(), re.M).group(1))


def sizes(node, pod, guest):
    """(shim, all of the pod) in KiB."""
    pids = [pod.info()["pid"], guest.info()["pid"]]
    shim = node.shim_of(pids[0])
    pids += machine.descendants(pids[0]) + machine.descendants(pids[1])
    return machine.pss_kib(shim), machine.pss_kib(shim) + sum(machine.pss_kib(pid) for pid in set(pids))


def parts_of(pid):
    """Proportional set size in KiB: all, memory of its own, files (the program's pages)."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        rows = dict(re.findall(r"^(Pss\w*):\s+(\d+)", file.read(), re.M))
    return {"pss": int(rows["Pss"]), "anonymous": int(rows["Pss_Anon"]), "files": int(rows["Pss_File"])}


def idle(args):
    """A shim that has no task yet: alone, then one of twenty that share their program's pages."""
    with shims.Lab(args) as lab:
        shim = lab.shim()
        time.sleep(IDLE_S)
        alone = parts_of(shim.pid)
        others = [lab.shim() for _ in range(19)]
        time.sleep(IDLE_S)
        return {"alone": alone, "of_twenty": parts_of(others[-1].pid)}


def part_memory(args, node, client):
    result = {"idle_shim_kib": idle(args), "published": PUBLISHED}
    print(f"  idle shim, KiB: {json.dumps(result['idle_shim_kib'])}", flush=True)
    for name in RUNTIMES:
        count = args.pods if name == "wasmrun" else max(1, args.pods // 4)
        with cri.Pod(client, name) as pod:
            guest = pod.start(words(name, "sleeper"))
            guest.says("up")
            time.sleep(IDLE_S)
            alone = sizes(node, pod, guest)
        before, begun, pods = available_kib(), time.monotonic(), []
        try:
            for _ in range(count):
                pods.append(cri.Pod(client, name).__enter__())
                pods[-1].start(words(name, "sleeper"))
            seconds = time.monotonic() - begun
            for pod in pods:
                pod.containers[0].says("up")
            time.sleep(IDLE_S)
            rows = [sizes(node, pod, pod.containers[0]) for pod in pods[:: max(1, count // 20)]]
            taken = (before - available_kib()) / count
        finally:
            for pod in pods:
                pod.__exit__(None)
        result[name] = {"alone": {"shim_pss_kib": alone[0], "pod_pss_kib": alone[1]}, "pods": count,
                        "seconds": round(seconds, 1),
                        "shim_pss_kib": round(statistics.mean(row[0] for row in rows), 1),
                        "pod_pss_kib": round(statistics.mean(row[1] for row in rows), 1),
                        "available_less_kib_each": round(taken, 1)}
        print(f"  {name}: {json.dumps(result[name])}", flush=True)
    return result


# ---------------------------------------------------------------- all of it

def inside(args):
    """In the namespaces of one view; results go to the scratch folder."""
    machine.enter()
    found, scratch = {}, os.environ[SCRATCH]
    if "oci" in args.parts and machine.view() == machine.views()[0]:
        print("oci:", flush=True)
        found["oci"] = part_oci(args)
    needs_node = set(args.parts) & {*NODE_PARTS, "create"}
    if needs_node and (machine.view() == "v1" or not os.path.exists(f"{scratch}/seccomp.json")):
        with Node(args, native=True) as node:
            client = cri.connect(node.socket)
            wait_for("the CRI", lambda: client.Status().status.conditions[0].status, 30)
            with open(f"{scratch}/seccomp.json", "w", encoding="utf-8") as file:
                json.dump(seccomp_of_the_cri(client), file)
            for part, measure in (("cri", part_cri), ("ctr", part_ctr), ("memory", part_memory)):
                if part in args.parts:
                    print(f"{part}:", flush=True)
                    found[part] = measure(args, node, client)
    if "crun" in args.parts and machine.view() == machine.views()[0]:
        print("crun:", flush=True)
        found["crun"] = part_crun(args)
    if "create" in args.parts:
        print(f"create, cgroup {machine.view()}:", flush=True)
        found[f"create_{machine.view()}"] = part_create(args)
    machine.tidy()
    with open(f"{scratch}/{machine.view()}.json", "w", encoding="utf-8") as file:
        json.dump(found, file)


def conditions():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    versions = {name: harness.run(name, "--version").split("\n")[0] for name in ("containerd", "runc", "crun")}
    return {"cpu": model.group(1) if model else "unknown", "processors": os.cpu_count(),
            "architecture": platform.machine(), "kernel": platform.release(), "load_before": os.getloadavg()[0],
            **versions}


def main():
    args = arguments()
    if machine.is_inside():
        inside(args)
        return 0
    reason = harness.missing(args)
    if reason:
        print(f"bench/pods.py: {reason}", file=sys.stderr)
        return 1
    figures = {"machine": conditions()}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[SCRATCH] = scratch
        for view in machine.views():
            if view != machine.views()[0] and "create" not in args.parts:
                continue
            code, _ = machine.run_inside(view)
            if code:
                return 1
            with open(f"{scratch}/{view}.json", encoding="utf-8") as file:
                figures.update(json.load(file))
    if args.json:
        old = {}
        if os.path.exists(args.json):
            with open(args.json, encoding="utf-8") as file:
                old = json.load(file)
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({**old, **figures}, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
