#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Containers made, started, ended and removed by the thousand (--cycles N, --seed S) while shims and
containerd are killed at random: every exit code must be right, every container's events in order, and
in the end nothing may be left."""
import contextlib
import os
import random
import signal
import sys
import time

import harness
import machine
import wire
from cri import cluster
from harness import case, wait_for
from node import Events
from shims import Lab

ORDER = ["create", "start", "exit", "delete"]
PODS, BATCH = 3, 4
UNKNOWN = 3


class Churn:
    def __init__(self, cluster, seed):
        self.cluster, self.node = cluster, cluster.node
        self.random = random.Random(seed)
        self.pods, self.problems, self.seen = [], [], {}
        self.done = self.shim_kills = self.node_kills = self.unknown = 0
        self.listener = None

    # ------------------------------------------------------------ pods and events

    def listen(self):
        self.node_namespace, self.node.namespace = self.node.namespace, "k8s.io"
        self.listener = Events(self.node)
        try:
            self.listener.__enter__()
        finally:
            self.node.namespace = self.node_namespace

    def collect(self):
        """Takes over what was heard; containers may go on in the next listener."""
        for topic, data in self.listener.rows:
            ident = data.get("container_id")
            if topic.startswith("/tasks/") and ident:
                self.seen.setdefault(ident, []).append(topic.rsplit("/", 1)[1])
        self.listener.rows = []

    def pod(self):
        while len(self.pods) < PODS:
            pod = self.cluster.pod()
            pod.__enter__()
            self.pods.append(pod)
        return self.random.choice(self.pods)

    def drop(self, pod):
        self.pods.remove(pod)
        for _ in range(2):  # a pod whose shim was killed may need a second try
            try:
                pod.__exit__(None)
                return
            except Exception as problem:
                last = problem
                time.sleep(0.2)
        self.problems.append(f"a pod can't be removed: {last.details()}")

    # ------------------------------------------------------------ one batch

    def begin(self, pod):
        """(container, kind, the exit codes that are right)"""
        kind = self.random.choice(["exit", "exit", "term", "kill"])
        if kind == "exit":
            code = self.random.choice([0, 1, 3, 42, 137, 255, self.random.randrange(256)])
            return pod.start([self.cluster.program("exit"), str(code)]), kind, {code}
        guest = pod.start([self.cluster.program("sleeper")])
        term = {143} if self.cluster.handler == "wasmrun" else {137}
        return guest, kind, term if kind == "term" else {137}

    def end(self, guest, kind):
        if kind == "term":
            guest.stop(1)
        elif kind == "kill":
            os.kill(guest.info()["pid"], signal.SIGKILL)

    def check(self, guest, codes, what, racing=False):
        """`racing`: containerd was killed while the guest ended. It removes the FIFOs, deletes the task
        and only then writes the exit code down: in between the code is lost to it, whatever the runtime,
        and it says so: Unknown."""
        if racing and guest.status().state == UNKNOWN:
            guest.stop(1)
        status = guest.exited(30)
        if racing and (status.exit_code, status.reason) == (255, "Unknown"):
            self.unknown += 1
        elif status.exit_code not in codes:
            self.problems.append(f"{what}: exit code {status.exit_code}, not {codes} ({status.reason})")
        guest.remove()
        self.done += 1
        events = self.seen.setdefault(guest.id, [])
        events.append("removed")

    def batch(self):
        running = [self.begin(self.pod()) for _ in range(BATCH)]
        self.random.shuffle(running)
        for guest, kind, codes in running:
            self.end(guest, kind)
            self.check(guest, codes, kind)

    # ------------------------------------------------------------ disasters

    def kill_shim(self):
        """Its containers end with it: 137, or their own code when they were faster."""
        pod = self.pod()
        running = [self.begin(pod) for _ in range(2)]
        pid = pod.info()["pid"]
        shim = self.node.shim_of(pid)
        os.kill(shim, signal.SIGKILL)
        self.shim_kills += 1
        for guest, kind, codes in running:
            self.check(guest, codes | {137, 255} if kind == "exit" else {137, 255}, "shim killed, " + kind)
            self.seen[guest.id].append("broken")
        self.drop(pod)

    def kill_node(self):
        """containerd comes back; nothing happened to the containers."""
        running = [self.begin(self.pod()) for _ in range(BATCH)]
        self.collect()
        self.listener.__exit__()
        self.node.stop(signal.SIGKILL)
        self.node_kills += 1
        self.node.start()
        wait_for("the CRI", self.answers, 30)
        self.listen()
        for guest, kind, codes in running:
            self.end(guest, kind)
            self.check(guest, codes, "containerd killed, " + kind, kind == "exit")
            self.seen[guest.id].append("broken")

    def answers(self):
        try:
            return self.cluster.runtime.Status().status.conditions[0].status
        except Exception:
            return False

    # ------------------------------------------------------------ all of it

    def run(self, cycles):
        self.listen()
        while self.done < cycles:
            fate = self.random.randrange(100)
            if fate < 12:
                self.kill_shim()
            elif fate < 16:
                self.kill_node()
            elif fate < 21:
                self.drop(self.pod())
            else:
                self.batch()
            if len(self.problems) > 20:
                break
        while self.pods:
            self.drop(self.pods[0])
        wait_for("the last events", lambda: (self.collect(), all(
            "delete" in words or "broken" in words for words in self.seen.values() if "removed" in words))[1])
        self.listener.__exit__()

    def orders(self):
        """Containers whose events were not create, start, exit, delete; where a kill came between,
        some may be missing but none may be out of order. What follows a delete there is containerd's
        own: it tells exit and delete of bundles that it had not removed when it was killed."""
        for ident, words in self.seen.items():
            if "removed" not in words:
                continue
            events = [word for word in words if word in ORDER]
            if "broken" in words and "delete" in events:
                events = events[:events.index("delete") + 1]
            places = [ORDER.index(word) for word in events]
            good = places == sorted(places) if "broken" in words else events == ORDER
            if not good:
                yield f"{ident[:12]}: {' '.join(words)}"


@case
def churn(cluster):
    options = cluster.options
    seed = options.seed or random.SystemRandom().randrange(1 << 30)
    begun = time.monotonic()
    made = Churn(cluster, seed)
    print(f"      {options.cycles} cycles, seed {seed}", flush=True)
    made.run(options.cycles)
    print(f"      {made.done} containers, {made.shim_kills} shims and {made.node_kills} containerds killed, "
          f"{made.unknown} codes that containerd lost, {time.monotonic() - begun:.0f} s", flush=True)
    wrong = list(made.orders())
    assert not made.problems, made.problems
    assert not wrong, wrong
    left = machine.leftovers(ignore=[cluster.node.child.pid], patience=15)
    assert not left, left


@case(wasm=True)
def events_of_the_shim_alone(cluster):
    """Without containerd between, which is away now and then: each task's events in order."""
    chance = random.Random(cluster.options.seed or None)
    with Lab(cluster.options) as lab:
        shim, tasks = lab.shim(), []
        for number in range(cluster.options.cycles):
            task = shim.task([lab.program("exit"), str(number % 256)], ident=lab.name())
            fate = chance.randrange(20)
            if fate == 0:
                lab.events.close()
            task.start()
            if fate == 1:
                with contextlib.suppress(wire.Refused):  # it has ended already
                    task.kill()
            code = task.wait().exit_status
            assert code == number % 256 or fate == 1 and code == 137, (code, number)
            if fate == 0:
                lab.events.listen()
            task.finish(0)
            tasks.append(task.id)
        shim.end(30)
        for ident in tasks:
            words = wait_for(ident, lambda: lab.events.order(ident), 30)
            assert words == ORDER, (ident, words)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, cluster))
