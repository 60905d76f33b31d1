#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stranger's test: commands of docs/, as printed, from a clean state. What `cmake --install` installs
is laid over /usr of a machine of its own; each page's blocks that are marked `<!-- live: ROAD -->` are run
in their order by one shell's folder, and have to print what the text block behind them shows."""
import os
import re
import shutil
import subprocess
import sys

import harness
import images
import machine
from harness import Skip, case
from node import Node

DOCS = os.path.join(os.path.dirname(images.HERE), "..", "..", "docs")
PAGES = ("kubernetes/tutorials.md", "containers.md")
MARKED = re.compile(r"^<!-- live: (\w+) -->\n```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)


def blocks(page):
    """(line, road, commands, what they print) in their order."""
    with open(os.path.join(DOCS, page), encoding="utf-8") as file:
        text = file.read()
    found = [(text[:match.start()].count("\n") + 1, *match.groups()) for match in MARKED.finditer(text)]
    assert len(found) == text.count("<!-- live:"), f"{page}: a mark without its block"
    return found


class InstalledNode(Node):
    """containerd that knows nothing of our build folder."""

    def start(self):
        build, self.options.build = self.options.build, "/nonexistent"
        try:
            super().start()
        finally:
            self.options.build = build


class Stranger:
    """A machine with our programs installed, containerd and podman with their own folders."""

    def __init__(self, options):
        self.options, self.home = options, f"{machine.BASE}/stranger"
        self.folder, self.installed, self.over = f"{self.home}/work", f"{self.home}/installed", []
        self.node = InstalledNode(options)
        self.env = {}

    def __enter__(self):
        os.makedirs(self.folder)
        self.install()
        self.node.__enter__()
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.folder,
                    "TMPDIR": self.home, "LC_ALL": "C.UTF-8", "CONTAINERD_ADDRESS": self.node.socket,
                    "CONTAINERD_NAMESPACE": self.node.namespace, "CONTAINERD_SNAPSHOTTER": self.node.snapshotter}
        self.env.update(self.podman())
        return self

    def __exit__(self, *words):
        self.node.__exit__(*words)
        for path in [path for path in machine.mounts() if path.startswith(self.home)][::-1]:
            subprocess.run(["umount", "-l", path], check=False)
        for path in self.over[::-1]:
            subprocess.run(["umount", "-l", path], check=False)
        for path in [f"{root}/libpod_parent{part}" for root in machine.hierarchies() for part in ("/conmon", "")]:
            try:
                os.rmdir(path)  # podman's; one that another podman uses stays
            except OSError:
                pass
        machine.remove_tree(self.home)

    def lay_over(self, upper, path):
        done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir={upper}:{path}", path],
                              capture_output=True, text=True)
        assert done.returncode == 0, f"overlay on {path}: {done.stderr}"
        self.over.append(path)

    def install(self):
        with open(f"{self.home}/install.log", "w+", encoding="utf-8") as log:
            done = subprocess.run(["cmake", "--install", self.options.build, "--prefix", "/usr"], stdout=log, stderr=log,
                                  env=dict(os.environ, DESTDIR=self.installed), timeout=300)
            log.seek(0)
            assert done.returncode == 0, f"cmake --install: {log.read()[-500:]}"
        self.lay_over(f"{self.installed}/usr", "/usr")
        policy = f"{self.home}/etc/containers"  # a podman without a policy takes no image
        os.makedirs(policy)
        with open(f"{policy}/policy.json", "w", encoding="ascii") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.lay_over(f"{self.home}/etc/containers", "/etc/containers") if os.path.isdir("/etc/containers") else None

    def podman(self):
        """Files of podman's that say what a page can't: where it may write here, and this root's limits."""
        files = {"CONTAINERS_CONF": '[containers]\nnetns = "host"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
                                    f'[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "{self.home}/podman/tmp"\n',
                 "CONTAINERS_STORAGE_CONF": f'[storage]\ndriver = "vfs"\ngraphroot = "{self.home}/podman/root"\n'
                                            f'runroot = "{self.home}/podman/run"\n'}
        for name, text in files.items():
            with open(f"{self.home}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        return {name: f"{self.home}/{name}" for name in files}

    def shell(self, text):
        """Standard output and error of commands, as they come; all must succeed."""
        done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", text], cwd=self.folder, env=self.env, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"exit code {done.returncode}: {out}"
        return out

    def has(self, *words):
        try:
            return subprocess.run(words, env=self.env, capture_output=True, timeout=60).returncode == 0
        except OSError:
            return False

    # ------------------------------------------------------------ what a road needs

    def need(self, road):
        """Raises Skip when this machine can't go the road."""
        if road in ("podman", "static") and not shutil.which("podman"):
            raise Skip("not installed: podman")
        if road == "module" and not shutil.which("clang-19"):
            raise Skip("not installed: clang-19")
        if road == "crun" and not (shutil.which("podman") and b"wasmrun" in subprocess.run(
                ["crun", "--version"], env=self.env, capture_output=True, timeout=60).stdout):
            raise Skip("crun has no handler wasmrun, or no podman")
        if road in ("pack", "portable") and not self.has("wasmrun", "pack", "--help"):
            raise Skip("wasmrun has no pack")
        for name, program in (("node", "wasmrun-node"), ("static", "wasmrun-static")):
            if road == name and not self.has(program, "--help"):
                raise Skip(f"no {program}")

    def image(self):
        """hello.tar for the blocks behind that of `pack`, where that could not be run."""
        path = f"{self.folder}/hello.tar"
        if not os.path.exists(path):
            with open(f"{self.folder}/hello.wasm", "rb") as file:
                images.write_archive(path, "localhost/hello:1", [("hello.wasm", file.read(), 0o755)], ["/hello.wasm"])


def run_block(stranger, label, road, commands, wanted):
    stranger.need(road)
    if road in ("ctr", "podman", "crun"):
        stranger.image()
    out = stranger.shell(commands)
    if road in ("ctr", "portable"):  # what importing says is containerd's matter
        out = re.sub(r"^unpacking .*\n", "", out, flags=re.M)
    if road in ("podman", "crun", "static"):
        left = subprocess.run(["podman", "ps", "-aq"], env=stranger.env, capture_output=True, timeout=60).stdout
        assert not left, f"{label}: containers are left: {left}"
    if wanted is not None:
        assert out == wanted, f"printed\n{out}instead of\n{wanted}"


def register():
    """A case for each block."""
    for page in PAGES:
        for line, road, commands, wanted in blocks(page):
            label = f"{os.path.basename(page)}:{line} {road}"

            def test(stranger, row=(label, road, commands, wanted)):
                run_block(stranger, *row)
            test.__name__ = label
            case(test)


@case(wasm=True)
def programs_are_the_installed_ones(stranger):
    for name in ("wasmrun", "wasmrun-oci", "containerd-shim-wasmrun-v1"):
        with open(f"/usr/bin/{name}", "rb") as one, open(f"{stranger.installed}/usr/bin/{name}", "rb") as other:
            assert one.read() == other.read(), name
        assert shutil.which(name, path=stranger.env["PATH"]) == f"/usr/bin/{name}"


if __name__ == "__main__":
    register()
    sys.exit(harness.main(__doc__, Stranger))
