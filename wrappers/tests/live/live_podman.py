#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""podman with our OCI runtime, or (--runtime crun) with crun and our handler: run, logs, exec,
stop, kill, pause, rm; guests and Linux programs."""
import glob
import json
import os
import shutil
import subprocess
import sys

import harness
import images
import machine
from handlers import Handlers
from harness import case, wait_for

IMAGE, BUSYBOX = "localhost/podman-guests:1", "localhost/podman-busybox:1"


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


def nothing_left():
    assert not glob.glob("/run/wasmrun-oci/*") and not glob.glob("/run/runc/*") and not glob.glob("/run/crun/*")
    groups = [name for name in machine.container_groups() if "conmon" not in name]
    assert not groups, groups


@case
def exit_codes_are_the_guests(podman):
    for code in (0, 3, 137, 143):
        done = podman.call(*podman.run_words("--rm"), "/exit.wasm", str(code))
        assert done.returncode == code and done.stderr == b"exit %d\n" % code, done
    done = podman.call(*podman.run_words("--rm", "--env", "WHO=podman"), "/hello.wasm", "a")
    assert (done.returncode, done.stdout) == (0, b"hello podman a\n"), done
    nothing_left()


@case
def logs_exec_stop_rm(podman):
    name = podman.detach("/sleeper.wasm")
    done = podman.call("exec", name, "/hello.wasm", "x")
    assert (done.returncode, done.stdout) == (0, b"hello world x\n"), done
    assert podman.call("exec", name, "/exit.wasm", "7").returncode == 7
    podman.ok("stop", "-t", "5", name)
    assert podman.exit_code(name) == 143
    podman.ok("rm", name)
    nothing_left()


@case
def kill_pause_and_force(podman):
    name = podman.detach("/sleeper.wasm")
    podman.ok("pause", name)
    assert podman.ok("inspect", name, "--format", "{{.State.Status}}").strip() == "paused"
    podman.ok("unpause", name)
    podman.ok("kill", name)
    assert podman.exit_code(name) == 137
    podman.ok("start", name)
    podman.ok("rm", "-f", "-t", "0", name)
    nothing_left()


@case
def a_terminal(podman):
    done = podman.call(*podman.run_words("--rm", "-t"), "/hello.wasm")
    assert (done.returncode, done.stdout) == (0, b"hello world\r\n"), done
    nothing_left()


@case
def standard_input(podman):
    done = podman.call(*podman.run_words("--rm", "-i"), "/echo.wasm", stdin=b"some bytes\n")
    assert (done.returncode, done.stdout) == (0, b"some bytes\neof 11\n"), done
    nothing_left()


@case
def annotations_and_errors(podman):
    for text, good in (("module.wasm.image/variant=compat", True), ("run.oci.handler=wasm", True),
                       ("module.wasm.image/variant=other", False)):
        done = podman.call(*podman.run_words("--rm", "--annotation", text), "/hello.wasm")
        assert (done.returncode == 0) == good, (text, done)
    done = podman.call(*podman.run_words("--rm"), "/nothing.wasm")
    assert done.returncode in (126, 127) and b"nothing.wasm" in done.stderr, done
    nothing_left()


@case
def linux_programs_are_passed_on(podman):
    done = podman.call(*podman.run_words("--rm", image=BUSYBOX), "/bin/sh", "-c", "echo linux; exit 5")
    assert (done.returncode, done.stdout) == (5, b"linux\n"), done
    nothing_left()


@case(slow=True)
def many_lives(podman):
    for _ in range(podman.options.cycles // 4):
        assert podman.call(*podman.run_words("--rm"), "/exit.wasm", "3").returncode == 3
    nothing_left()


if __name__ == "__main__":
    if not shutil.which("podman"):
        print("SKIPPED: live_podman.py: not installed: podman\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    sys.exit(harness.main(__doc__, Podman))
