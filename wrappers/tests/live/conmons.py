# SPDX-License-Identifier: Apache-2.0
"""conmon with our OCI runtime as CRI-O calls them: a synchronous pipe for the pid, exit files in a
folder, logs in the CRI's form, exec through a second conmon."""
import json
import os
import select
import shutil
import subprocess

import machine
from bundles import Oci, read
from harness import wait_for
from shims import process_of


def available():
    return bool(shutil.which("conmon"))


class Answers:
    """The pipe that conmon answers through; a with-statement."""

    def __enter__(self):
        self.ends = os.pipe()
        self.rest = b""
        return self

    def __exit__(self, *_):
        os.close(self.ends[0])

    def call(self, argv):
        """conmon becomes two: the first ends, and its answers come from the other."""
        env = dict(os.environ, _OCI_SYNCPIPE=str(self.ends[1]))
        done = subprocess.run(argv, env=env, pass_fds=[self.ends[1]], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30)
        os.close(self.ends[1])
        assert done.returncode == 0, done

    def next(self, patience=30):
        """A line of JSON; None at the end."""
        while b"\n" not in self.rest:
            assert select.select([self.ends[0]], [], [], patience)[0], "conmon says nothing"
            part = os.read(self.ends[0], 4096)
            if not part:
                return json.loads(self.rest) if self.rest else None
            self.rest += part
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)


class Conmon(Oci):
    """Bundles and their containers; a with-statement."""

    def __init__(self, options):
        super().__init__(options)
        self.exits, self.sockets = f"{self.home}/exits", f"{self.home}/sockets"

    def __enter__(self):
        super().__enter__()
        os.makedirs(self.exits)
        os.makedirs(self.sockets)
        return self

    def conmon(self, ident, name, *words):
        return ["conmon", "-c", ident, "-n", name, "-r", self.program, "--runtime-arg", f"--log={self.home}/log",
                "--runtime-arg", "--log-format=json", "--socket-dir-path", self.sockets, "--log-level", "info", *words]

    def make(self, words, root="guests", **options):
        """A container that waits for its start; its id."""
        ident = self.bundle(words, root, **options)
        folder = self.path(ident)
        with Answers() as answers:
            answers.call(self.conmon(ident, f"k8s_{ident}", "-b", folder, "-u", ident, "--exit-dir", self.exits, "-l",
                                     f"{folder}/log", "-P", f"{folder}/conmon.pid", "-p", f"{folder}/pid",
                                     "--persist-dir", folder))
            answer = answers.next()
        pid = answer.get("pid", answer.get("data"))
        if pid < 0:
            self.drop(ident)
            raise AssertionError(answer.get("message", answer))
        assert pid == int(read(f"{folder}/pid")), answer
        return ident

    def drop(self, ident):
        """And conmon's folder of its attach socket, which is its caller's to remove."""
        path = f"{self.sockets}/{ident}"
        os.unlink(path) if os.path.islink(path) else machine.remove_tree(path)
        super().drop(ident)

    def text(self, ident):
        """What the log has: the CRI's form without its first three words."""
        path = f"{self.path(ident)}/log"
        rows = [line.split(" ", 3) for line in read(path).splitlines()] if os.path.exists(path) else []
        assert all(len(row) == 4 and row[1] in ("stdout", "stderr") and row[2] in "FP" for row in rows), rows
        return "\n".join(row[3] for row in rows)

    def exec(self, ident, words):
        """(exit code, output)"""
        folder = self.path(ident)
        files = [f"{folder}/exec.{name}" for name in ("json", "pid", "log")]
        with open(files[0], "w", encoding="utf-8") as file:
            json.dump(process_of(words), file)
        with Answers() as answers:
            answers.call(self.conmon(ident, f"k8s_{ident}", "-b", folder, "-u", ident, "-e", "--exec-process-spec", files[0],
                                     "-p", files[1], "-l", files[2], "-T", "10"))
            rows = []
            while (row := answers.next()) is not None:
                rows.append(row)
        code = rows[-1].get("exit_code", rows[-1].get("data"))
        text = "\n".join(line.split(" ", 3)[3] for line in read(files[2]).splitlines())
        for path in files:
            os.path.exists(path) and os.unlink(path)
        return code, text

    def exit_code(self, ident):
        """Of the file that conmon writes when all is over."""
        path = f"{self.exits}/{ident}"
        code = int(wait_for("the exit file", lambda: os.path.exists(path) and read(path)))
        conmon = int(read(f"{self.path(ident)}/conmon.pid"))
        wait_for("conmon's end", lambda: conmon not in [row[0] for row in machine.processes() if row[2] != "Z"])
        os.unlink(path)
        return code
