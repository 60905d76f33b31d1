#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runtime inside a container: an image of wasmrun-static and a module, nothing else, run by plain
runc and crun as they run any Linux program."""
import glob
import os
import re
import shutil
import subprocess
import sys

import harness
import images
import machine
from harness import Skip, case, wait_for
from node import Node

IMAGE, MORE, USERS = "localhost/static:1", "localhost/static-more:1", "localhost/static-users:1"
ENTRY = ["/wasmrun", "/app.wasm"]
# (module (func (export "_start") unreachable))
TRAP = bytes.fromhex("0061736d010000000104016000000302010007" "0a01065f737461727400000a05010300000b")
RUNTIMES = ("runc", "crun")
PAGE = os.path.join(images.HERE, *[os.pardir] * 3, "docs", "containers.md")


class Bare(Node):
    """A node with an image of the static program and a module, and one with all guests beside it."""

    def __enter__(self):
        super().__enter__()
        with open(os.path.join(self.options.build, "stripped", "wasmrun-static"), "rb") as file:
            program = ("wasmrun", file.read(), 0o755)
        guests = images.guest_files(self.options.build, False) + [("trap.wasm", TRAP)]
        self.import_image(IMAGE, [program, ("app.wasm", dict(guests)["hello.wasm"], 0o644)], ENTRY)
        rows = [program] + [(name, raw, 0o644) for name, raw in guests]
        self.import_image(MORE, rows, ENTRY)
        self.import_image(USERS, rows, ENTRY, User="1000:1000")
        return self

    def words(self, runtime, guest, *args, options=(), flags=(), image=MORE):
        """`run` of a guest; `flags` are wasmrun's own."""
        return [*self.run_words("--rm", *options, image=image, runtime=runtime), self.name(), ENTRY[0], *flags,
                f"/{guest}.wasm", *args]

    def inside(self, runtime, guest, *args, stdin=b"", **how):
        return self.ctr(*self.words(runtime, guest, *args, **how), stdin=stdin)


@case
def the_entry_point_alone(node):
    for runtime in RUNTIMES:
        done = node.ctr(*node.run_words("--rm", image=IMAGE, runtime=runtime), node.name())
        assert (done.returncode, done.stdout) == (0, b"hello world\n"), (runtime, done)


@case
def exit_codes_are_the_guests(node):
    for runtime in RUNTIMES:
        for code in (0, 3, 137, 143, 255):
            done = node.inside(runtime, "exit", str(code))
            assert (done.returncode, done.stderr) == (code, b"exit %d\n" % code), (runtime, done)


@case
def a_trap_is_134_and_says_where(node):
    for runtime in RUNTIMES:
        done = node.inside(runtime, "trap")
        assert done.returncode == 134 and b"unreachable" in done.stderr, (runtime, done)


@case
def arguments_environment_and_streams(node):
    data = b"".join(b"line %d\n" % i for i in range(20000))
    for runtime in RUNTIMES:
        done = node.inside(runtime, "hello", "one", "two words", flags=("--env", "WHO=inside"))
        assert (done.returncode, done.stdout) == (0, b"hello inside one two words\n"), (runtime, done)
        done = node.inside(runtime, "hello", "x", flags=("--env-inherit",), options=("--env", "WHO=outside"))
        assert (done.returncode, done.stdout) == (0, b"hello outside x\n"), (runtime, done)
        done = node.inside(runtime, "echo", stdin=data)
        assert (done.returncode, done.stdout) == (0, data + b"eof %d\n" % len(data)), (runtime, done.returncode)


@case
def as_narrow_as_containers_get(node):
    """A read-only root, another user, no capability, the default seccomp profile; the sandbox that
    wasmrun makes itself has to stand in all of that (strict)."""
    drop = [f"--cap-drop=CAP_{name}" for name in (
        "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
        "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")]
    narrow = {"options": ("--read-only", "--seccomp", *drop), "image": USERS}
    for runtime in RUNTIMES:
        done = node.inside(runtime, "hello", **narrow)
        assert (done.returncode, done.stdout) == (0, b"hello world\n"), (runtime, done)
        done = node.inside(runtime, "exit", "3", flags=("--sandbox=strict",), **narrow)
        assert (done.returncode, done.stderr) == (3, b"exit 3\n"), (runtime, done)
        done = node.inside(runtime, "trap", **narrow)
        assert done.returncode == 134, (runtime, done)


@case
def directories_are_those_of_the_container(node):
    """A volume and the read-only root; nothing without --dir."""
    folder = f"{node.home}/volume"
    os.makedirs(folder)
    with open(f"{folder}/data", "wb") as file:
        file.write(b"outside\n")
    bind = ("--read-only", "--mount", f"type=bind,src={folder},dst=/data,options=rbind:rw")
    for runtime in RUNTIMES:
        done = node.inside(runtime, "files", "read", "/data/data", flags=("--dir", "/data"), options=bind)
        assert done.stdout == b"/data/data: read outside\n", (runtime, done)
        done = node.inside(runtime, "files", "write", f"/data/{runtime}", "/new", flags=("--dir", "/data", "--dir", "/"),
                           options=bind)
        assert b": written\n/new: error Read-only file system\n" in done.stdout, (runtime, done)
        assert os.path.getsize(f"{folder}/{runtime}") == 6
        done = node.inside(runtime, "files", "read", "/data/data", options=bind)
        assert b"error" in done.stdout and b"outside" not in done.stdout, (runtime, done)


@case
def signals_end_the_first_process_of_a_container(node):
    for runtime in RUNTIMES:
        for number, code in (("SIGTERM", 143), ("SIGINT", 130), ("SIGKILL", 137)):
            name = node.name()
            words = node.run_words("-d", "--log-uri", f"file://{node.home}/{name}.log", image=MORE, runtime=runtime)
            node.ok(*words, name, ENTRY[0], "/sleeper.wasm")
            wait_for("its words", lambda: b"up" in open(f"{node.home}/{name}.log", "rb").read())  # noqa: B023
            node.ok("tasks", "kill", "-s", number, name)
            node.wait_status(name, "STOPPED")
            done = node.ctr("tasks", "delete", name)
            found = re.search(rb"exit code (\d+)", done.stderr)
            assert found and int(found.group(1)) == code, (runtime, number, done)
            node.ok("containers", "delete", name)


class Builder:
    """podman with plain runc, a folder with the two files; a with-statement."""

    def __init__(self, options):
        self.home = f"{machine.BASE}/builder"
        self.context = f"{self.home}/context"
        os.makedirs(self.context)
        with open(f"{self.home}/policy.json", "w", encoding="utf-8") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        for source, name in (("stripped/wasmrun-static", "wasmrun-static"), ("live/hello.wasm", "app.wasm")):
            shutil.copy(os.path.join(options.build, source), f"{self.context}/{name}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for path in [path for path in machine.mounts() if path.startswith(self.home)][::-1]:
            subprocess.run(["umount", "-l", path], check=False)
        for folder in glob.glob(f"/sys/fs/cgroup/*/{machine.group()}/*conmon*"):
            os.rmdir(folder)  # podman's own
        machine.remove_tree(self.home)

    def argv(self, *words):
        return ["podman", "--root", f"{self.home}/root", "--runroot", f"{self.home}/run", "--tmpdir", f"{self.home}/tmp",
                "--runtime", shutil.which("runc"), "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs",
                "--events-backend", "file", *words]

    def run(self, image, *words):
        """Read-only; the hard limits of a test machine's root may be low."""
        return subprocess.run(self.argv(
            "run", "--rm", "--read-only", "--env", "WHO=page", "--network", "host", "--cgroup-parent",
            f"/{machine.group()}", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000", image, *words),
            capture_output=True, stdin=subprocess.DEVNULL, timeout=60)


def recipe(kind, word):
    """The block of the page that has a word in it."""
    with open(PAGE, encoding="utf-8") as file:
        found = [text for text in re.findall(rf"^```{kind}\n(.*?)^```", file.read(), re.M | re.S) if word in text]
    assert len(found) == 1, found
    return found[0]


@case
def recipes_of_the_page(node):
    if not shutil.which("podman"):
        raise Skip("not installed: podman")
    with Builder(node.options) as podman:
        with open(f"{podman.context}/Dockerfile", "w", encoding="utf-8") as file:
            file.write(recipe("dockerfile", "FROM scratch"))
        harness.run(*podman.argv("build", "--signature-policy", f"{podman.home}/policy.json", "-t", "app:0",
                                 podman.context))
        steps = recipe("sh", "podman import").replace("podman import", " ".join(podman.argv("import")))
        harness.run("sh", "-ec", steps, cwd=podman.context)
        for image in ("app:0", "app:1"):
            done = podman.run(image, "a", "b c")
            assert (done.returncode, done.stdout) == (0, b"hello page a b c\n"), (image, done)


if __name__ == "__main__":
    sys.exit(harness.main(__doc__, Bare))
