#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A containerd that knows no wasmrun, and bin/wasmrun-node: installed on the running system, used by
a pod, taken away again; also from a pod's place, another mount namespace."""
import contextlib
import os
import subprocess
import sys
import threading

import cri
import harness
import images
import machine
import node as nodes
from harness import case, wait_for

nodes.RUNTIMES.clear()  # what containerd has by itself: runc
CONFIG = "/etc/containerd/config.toml"
BIN, IN_PATH = f"{machine.BASE}/bin", "/usr/local/sbin"
STUB = """#!/bin/sh
# systemctl for one service, whose manager is at the other end of two pipes
case $1 in
is-active) exec ctr -a {home}/c.sock version >/dev/null ;;
restart) echo restart >{home}/ask; read -r answer <{home}/answer; [ "$answer" = done ] ;;
esac
"""


class Node(nodes.Node):
    """Its configuration is where a distribution has it, in folders of /etc and /var of its own."""

    def __enter__(self):
        subprocess.run(["cp", "-a", "/etc", f"{machine.BASE}/etc"], check=True)
        machine.mount("--bind", f"{machine.BASE}/etc", "/etc")
        for folder in ("/var/lib", IN_PATH):
            machine.mount("-t", "tmpfs", "tmpfs", folder)
        os.makedirs(os.path.dirname(CONFIG), exist_ok=True)
        os.makedirs(self.home)
        os.makedirs(BIN)
        os.symlink(CONFIG, f"{self.home}/config.toml")
        self.systemctl = f"{self.home}/systemctl"
        with open(self.systemctl, "w", encoding="utf-8") as file:
            file.write(STUB.format(home=self.home))
        os.chmod(self.systemctl, 0o755)
        for pipe in ("ask", "answer"):
            os.mkfifo(f"{self.home}/{pipe}")
        self.restarts = 0
        threading.Thread(target=self.manage, daemon=True).start()
        super().__enter__()
        with open(CONFIG, "rb") as file:
            self.original = file.read()
        return self

    def manage(self):
        while True:
            with open(f"{self.home}/ask", encoding="ascii") as file:
                file.read()
            self.stop()
            self.restarts += 1
            try:
                self.start()
                answer = "done"
            except Exception:
                answer = "failed"
            with open(f"{self.home}/answer", "w", encoding="ascii") as file:
                file.write(answer + "\n")

    def path(self):
        return f"{IN_PATH}:{os.environ['PATH']}"  # without the build's shim

    def program(self, name):
        return f"/{name}.wasm"

    def installer(self, command, *words, before=()):
        done = subprocess.run([*before, f"{self.options.build}/bin/wasmrun-node", command, *words],
                              capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr

    def install(self, *words, before=()):
        return self.installer("install", "--bin-dir", BIN, "--distro", "containerd", "--systemctl", self.systemctl,
                              *words, before=before)

    def uninstall(self, *words):
        return self.installer("uninstall", "--systemctl", self.systemctl, *words)

    def state(self):
        return self.installer("status", "--bin-dir", BIN, "--distro", "containerd")


class Cluster(cri.Cluster):
    def pod(self, handler="wasmrun", **options):
        return cri.Pod(self.runtime, handler, **options)

    def ready(self):
        def answers():
            try:
                return self.runtime.Status().status.conditions[0].status
            except Exception:  # the connection to the one before
                return False
        wait_for("the CRI", answers, 30)

    def runtimes(self):
        """As the containerd that runs has read them."""
        done = subprocess.run(["containerd", "-c", CONFIG, "config", "dump"], capture_output=True, text=True, check=True)
        mark = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.'
        names = {line.strip()[len(mark):-1] for line in done.stdout.splitlines() if line.strip().startswith(mark)}
        return {name for name in names if "." not in name}

    def refuses(self, handler):
        try:
            with self.pod(handler):
                return ""
        except Exception as problem:
            return problem.details()


@contextlib.contextmanager
def cluster(options):
    with Node(options) as node:
        made = Cluster(node)
        made.ready()
        yield made
        made.runtime.close()


@case
def a_pod_by_a_runtime_that_was_installed(cluster):
    node = cluster.node
    assert 'no runtime for "wasmrun" is configured' in cluster.refuses("wasmrun")
    code, text = node.install()
    assert code == 0 and "restarting containerd" in text and node.restarts == 1, text
    cluster.ready()
    assert cluster.runtimes() == {"runc", "wasmrun"}, cluster.runtimes()
    code, text = node.state()
    assert code == 0 and text.startswith("installed: yes\n"), text
    with cluster.pod() as pod:
        guest = pod.start(["/exit.wasm", "3"])
        assert guest.exited().exit_code == 3, guest.status()
        sleeper = pod.start(["/sleeper.wasm"])
        sleeper.says("up")
        exe = os.readlink(f"/proc/{node.shims()[0]}/exe")
        assert exe == f"{BIN}/containerd-shim-wasmrun-v1", exe
        code, text = node.install()
        assert (code, node.restarts) == (0, 1) and "nothing changed, nothing restarted" in text, text
        code, text = node.uninstall()
        assert code == 1 and "containers of ours are running" in text and node.restarts == 1, text
        sleeper.stop(1)
    with cluster.pod("runc") as pod:
        assert pod.start(["/bin/sh", "-c", "exit 5"], image=images.BUSYBOX).exited().exit_code == 5
    with cluster.pod("") as pod:  # the default one
        assert pod.start(["/bin/sh", "-c", "exit 6"], image=images.BUSYBOX).exited().exit_code == 6


@case
def and_taken_away(cluster):
    node = cluster.node
    node.install()
    wait_for("the end of the shims", lambda: not node.shims())
    restarts = node.restarts
    code, text = node.uninstall()
    assert code == 0 and node.restarts == restarts + 1, text
    cluster.ready()
    with open(CONFIG, "rb") as file:
        assert file.read() == node.original
    assert os.listdir(BIN) == [] and not os.path.exists("/var/lib/wasmrun-node")
    assert 'no runtime for "wasmrun" is configured' in cluster.refuses("wasmrun")
    with cluster.pod("") as pod:
        assert pod.start(["/bin/sh", "-c", "exit 6"], image=images.BUSYBOX).exited().exit_code == 6


@case
def from_the_place_of_a_pod(cluster):
    """In another mount namespace with the node's root at /host, as a DaemonSet has it: the node's own
    systemctl is called by setns."""
    node = cluster.node
    os.makedirs("/run/systemd/system", exist_ok=True)
    fake = f"{machine.BASE}/fake-systemctl"
    with open(fake, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nreadlink /proc/self/ns/mnt >{node.home}/ns\nexec {node.systemctl} "$@"\n')
    os.chmod(fake, 0o755)
    put = "/usr/bin/systemctl" if os.path.exists("/usr/bin/systemctl") else "/bin/systemctl"
    if not os.path.exists(put):
        raise harness.Skip("no systemctl here that a stand-in could cover")
    machine.mount("--bind", fake, put)
    try:
        host = f"{machine.BASE}/host"
        os.makedirs(host, exist_ok=True)
        script = f'mount --rbind / {host} && exec "$@"'
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
        restarts = node.restarts
        code, text = node.installer("install", "--root", host, "--bin-dir", IN_PATH, "--distro", "containerd",
                                    before=words)
        assert code == 0 and "restarting containerd" in text and node.restarts == restarts + 1, text
        with open(f"{node.home}/ns", encoding="ascii") as file:
            assert file.read().strip() == os.readlink("/proc/self/ns/mnt"), "not in the node's mount namespace"
        cluster.ready()
        with cluster.pod() as pod:
            assert pod.start(["/exit.wasm", "4"]).exited().exit_code == 4
        wait_for("the end of the shims", lambda: not node.shims())
        code, text = node.installer("uninstall", "--root", host, before=words)
        assert code == 0, text
        cluster.ready()
    finally:
        subprocess.run(["umount", put], check=True)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, cluster))
