# SPDX-License-Identifier: Apache-2.0
"""A containerd of our own: folders, sockets and configuration below machine.BASE, the runtimes runc,
crun and wasmrun, `ctr`, and what containerd says of events."""
import json
import os
import re
import signal
import subprocess
import threading

import images
import machine
from harness import wait_for

RUNTIMES = {"wasmrun": "io.containerd.wasmrun.v1", "wasmrun-oci": "io.containerd.runc.v2",
            "runc": "io.containerd.runc.v2", "crun": "io.containerd.runc.v2"}
ANNOTATIONS = '["module.wasm.image/*", "run.oci.handler", "io.wasmrun/*"]'

CONFIG = """version = 2
root = "{home}/root"
state = "{home}/state"
disabled_plugins = [{disabled}]
[grpc]
  address = "{home}/c.sock"
[ttrpc]
  address = "{home}/c.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{home}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{home}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
"""
RUNTIME = """    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}]
      runtime_type = "{kind}"
      pod_annotations = {annotations}
      container_annotations = {annotations}
"""
OPTIONS = """      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{name}.options]
        BinaryName = "{binary}"
"""
DISABLED = ("snapshotter.v1.aufs", "snapshotter.v1.btrfs", "snapshotter.v1.devmapper", "snapshotter.v1.zfs",
            "tracing.processor.v1.otlp", "internal.v1.tracing")
NETWORK = {"cniVersion": "0.4.0", "name": "live", "plugins": [
    {"type": "ptp", "ipMasq": False, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.7.0/24"}]],
                                              "routes": [{"dst": "0.0.0.0/0"}]}}]}


def overlay_works():
    """Whether overlays can be mounted on the file system of our folders."""
    base = f"{machine.BASE}/probe"
    for part in ("a", "b", "up", "work", "on"):
        os.makedirs(f"{base}/{part}")
    done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                           f"lowerdir={base}/a:{base}/b,upperdir={base}/up,workdir={base}/work", f"{base}/on"],
                          capture_output=True)
    if done.returncode == 0:
        subprocess.run(["umount", f"{base}/on"], check=True)
    machine.remove_tree(base)
    return done.returncode == 0


class Node:
    """Use it in a with-statement: containerd runs inside of it, and at the end all is stopped."""

    def __init__(self, options, name="n", native=False):
        self.options, self.native = options, native or options.runtime != "wasmrun"
        self.home = f"{machine.BASE}/{name}"
        self.namespace = machine.group()
        self.socket = f"{self.home}/c.sock"
        self.log_path = f"{self.home}/containerd.log"
        self.child = None
        self.count = 0
        self.snapshotter = "native"

    def __enter__(self):
        os.makedirs(f"{self.home}/cni")
        self.snapshotter = "overlayfs" if overlay_works() else "native"
        text = CONFIG.format(home=self.home, pause=images.PAUSE, snapshotter=self.snapshotter,
                             cni=os.environ.get("CNI_PATH", "/usr/lib/cni"),
                             disabled=", ".join(f'"io.containerd.{name}"' for name in DISABLED))
        for name, kind in RUNTIMES.items():
            text += RUNTIME.format(name=name, kind=kind, annotations=ANNOTATIONS)
            if kind.endswith("runc.v2"):
                text += OPTIONS.format(name=name, binary=self.options.binary(name))
        with open(f"{self.home}/config.toml", "w", encoding="utf-8") as file:
            file.write(text)
        network = dict(NETWORK)
        network["plugins"][0]["ipam"]["dataDir"] = f"{self.home}/ipam"
        with open(f"{self.home}/cni/10-live.conflist", "w", encoding="utf-8") as file:
            json.dump(network, file)
        self.start()
        self.import_image(images.GUESTS, images.guest_entries(self.options.build, self.native), ["/hello.wasm"])
        self.import_image(images.BUSYBOX, images.busybox_entries(), ["/bin/sh"])
        self.import_image(images.PAUSE, images.pause_entries(machine.BASE), ["/pause"])
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGTERM)
        for _, name in enumerate(("containerd-shim-wasmrun-v1", "containerd-shim-runc-v2")):
            for pid in machine.named(name):
                os.kill(pid, signal.SIGKILL)

    def path(self):
        """Where containerd looks for shims."""
        return f"{self.options.build}/bin:{os.environ['PATH']}"

    def start(self):
        env = dict(os.environ, PATH=self.path())
        with open(self.log_path, "a", encoding="utf-8") as log:
            self.child = subprocess.Popen(["containerd", "-c", f"{self.home}/config.toml"], env=env,
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("containerd", lambda: subprocess.run(["ctr", "-a", self.socket, "version"], capture_output=True)
                 .returncode == 0, 30)

    def stop(self, number=signal.SIGTERM):
        if self.child and self.child.poll() is None:
            self.child.send_signal(number)
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ------------------------------------------------------------ ctr

    def argv(self, *words):
        return ["ctr", "-a", self.socket, "-n", self.namespace, *words]

    def ctr(self, *words, stdin=b"", timeout=60):
        """CompletedProcess with bytes."""
        return subprocess.run(self.argv(*words), input=stdin, capture_output=True, timeout=timeout)

    def ok(self, *words, **options):
        """Standard output of a command that must succeed."""
        done = self.ctr(*words, **options)
        assert done.returncode == 0, f"ctr {' '.join(words)}: {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode(errors="replace")

    def popen(self, *words, **options):
        return subprocess.Popen(self.argv(*words), **options)

    def name(self, word="t"):
        self.count += 1
        return f"{word}{self.count}"

    def run_words(self, *options, image=images.GUESTS, runtime=None):
        """`run` with the runtime and its options."""
        runtime = runtime or self.options.runtime
        words = ["run", "--runtime", RUNTIMES[runtime], "--snapshotter", self.snapshotter, *options]
        if runtime in ("crun", "wasmrun-oci"):
            words += ["--runc-binary", self.options.binary(runtime)]
        return words + [image]

    def program(self, name):
        """The path of a guest in its image, for the runtime under test."""
        return f"/{name}.wasm" if self.options.runtime.startswith("wasmrun") else f"/{name}"

    def run(self, program, *args, options=(), stdin=b"", timeout=60):
        """`ctr run --rm` of a guest."""
        return self.ctr(*self.run_words("--rm", *options), self.name(), self.program(program), *args,
                        stdin=stdin, timeout=timeout)

    def detach(self, program, *args, options=()):
        """`ctr run -d` with its output in a file; (id, path of the output)."""
        name = self.name()
        out = f"{self.home}/{name}.log"
        self.ok(*self.run_words("-d", "--log-uri", f"file://{out}", *options), name, self.program(program), *args)
        return name, out

    def tasks(self):
        """{id: (pid, status)}"""
        rows = [line.split() for line in self.ok("tasks", "ls").splitlines()[1:]]
        return {row[0]: (int(row[1]), row[2]) for row in rows}

    def wait_status(self, name, status, patience=15):
        wait_for(f"{name} {status}", lambda: self.tasks().get(name, (0, ""))[1] == status, patience)

    def deleted(self, name):
        """Deletes a task that has ended and its container; the exit code that ctr tells."""
        done = self.ctr("tasks", "delete", name)
        assert done.returncode == 0, done
        self.ok("containers", "delete", name)
        code = re.search(rb"exit code (\d+)", done.stderr)
        return int(code.group(1)) if code else 0

    def remove(self, name):
        """Whatever state it is in."""
        self.ctr("tasks", "kill", "-s", "SIGKILL", name)
        self.ctr("tasks", "delete", "-f", name)
        self.ctr("containers", "delete", name)

    def import_image(self, name, entries, entrypoint, **config):
        path = f"{self.home}/image.tar"
        images.write_archive(path, name, entries, entrypoint, **config)
        for namespace in (self.namespace, "k8s.io"):
            done = subprocess.run(["ctr", "-a", self.socket, "-n", namespace, "images", "import",
                                   "--snapshotter", self.snapshotter, path], capture_output=True, text=True)
            assert done.returncode == 0, f"import of {name}: {done.stderr}"
        os.unlink(path)

    def shim_of(self, pid):
        """The process that a container's first process is a child of."""
        for child, parent, _, _ in machine.processes():
            if child == pid:
                return parent
        return 0

    def shims(self):
        name = "containerd-shim-wasmrun-v1" if self.options.runtime == "wasmrun" else "containerd-shim-runc-v2"
        found = machine.named(name)
        return [pid for pid, parent, _, _ in machine.processes() if pid in found and parent not in found]


class Events:
    """`ctr events` while the with-statement lasts: rows of (topic, data)."""

    def __init__(self, node):
        self.node, self.rows, self.child = node, [], None

    def __enter__(self):
        self.child = self.node.popen("events", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        # It says nothing when it is ready: an event that we cause ourselves does.
        self.node.count += 1
        mark = f"mark{self.node.count}"
        wait_for("events", lambda: (self.node.ok("images", "label", images.PAUSE, f"{mark}=1"),
                                    self.rows)[1])
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()

    def read(self):
        for line in self.child.stdout:
            words = line.split(" ", 6)
            topic = next((word for word in words if word.startswith("/")), "")
            if "{" in line:
                try:
                    self.rows.append((topic, json.loads(line[line.index("{"):])))
                except ValueError:
                    pass

    def of(self, name):
        """Last words of the topics of a container, in order."""
        return [topic.rsplit("/", 1)[1] for topic, data in list(self.rows)
                if topic.startswith("/tasks/") and name in (data.get("container_id"), data.get("id"))]
