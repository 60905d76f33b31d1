# SPDX-License-Identifier: Apache-2.0
"""An installation of podman of its own, with our OCI runtime, or (--runtime crun) with crun and our
handler."""
import glob
import json
import os
import shutil
import subprocess

import images
import machine
from handlers import Handlers
from harness import wait_for

IMAGE, BUSYBOX = "localhost/podman-guests:1", "localhost/podman-busybox:1"


def available():
    return bool(shutil.which("podman"))


class Podman:
    """An installation of its own below machine.BASE; a with-statement."""

    def __init__(self, options):
        self.options, self.count = options, 0
        self.home = f"{machine.BASE}/podman"
        self.crun = Handlers(options) if options.runtime == "crun" else None

    def __enter__(self):
        os.makedirs(self.home)
        if self.crun:
            self.crun.__enter__()
        policy = f"{self.home}/policy.json"
        with open(policy, "w", encoding="utf-8") as file:
            json.dump({"default": [{"type": "insecureAcceptAnything"}]}, file)
        for name, entries in ((IMAGE, images.guest_entries(self.options.build, False)),
                              (BUSYBOX, images.busybox_entries())):
            images.write_archive(f"{self.home}/image.tar", name, entries, [])
            self.ok("load", "-i", f"{self.home}/image.tar", "--signature-policy", policy, timeout=120)
        return self

    def __exit__(self, *_):
        self.call("rm", "-f", "-a", "-t", "0")
        for folder in glob.glob(f"/sys/fs/cgroup/*/{machine.group()}/*conmon*"):
            os.rmdir(folder)  # podman's own
        for path in [path for path in machine.mounts() if path.startswith(self.home)][::-1]:
            subprocess.run(["umount", "-l", path], check=False)
        machine.remove_tree(self.home)
        if self.crun:
            self.crun.__exit__()

    def argv(self, *words):
        program = self.crun.program if self.crun else self.options.binary("wasmrun-oci")
        return ["podman", "--root", f"{self.home}/root", "--runroot", f"{self.home}/run", "--tmpdir",
                f"{self.home}/tmp", "--runtime", program, "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs",
                "--events-backend", "file", *words]

    def call(self, *words, timeout=60, stdin=b""):
        return subprocess.run(self.argv(*words), input=stdin, capture_output=True, timeout=timeout)

    def ok(self, *words, **options):
        done = self.call(*words, **options)
        assert done.returncode == 0, f"podman {' '.join(words)}: {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode()

    def name(self):
        self.count += 1
        return f"p{self.count}"

    def run_words(self, *options, image=IMAGE):
        # The hard limits of this machine's root cannot be raised.
        smart = ["--annotation", "module.wasm.image/variant=compat-smart"] if self.crun else []
        return ["run", *smart, *options, "--network", "host", "--cgroup-parent", f"/{machine.group()}", "--ulimit",
                "nofile=1024:1024", "--ulimit", "nproc=1000:1000", image]

    def detach(self, *words):
        name = self.name()
        self.ok(*self.run_words("-d", "--name", name), *words)
        wait_for("its words", lambda: "up" in self.ok("logs", name))
        return name

    def exit_code(self, name):
        wait_for("its end", lambda: self.ok("inspect", name, "--format", "{{.State.Status}}").strip() == "exited")
        return int(self.ok("inspect", name, "--format", "{{.State.ExitCode}}"))
