# SPDX-License-Identifier: Apache-2.0
"""Bundles, root file systems, and the OCI runtime called as its callers do it."""
import array
import json
import os
import socket
import subprocess

import images
import machine
from harness import wait_for
from shims import spec_of


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def receive_terminal(server):
    """The descriptor that a runtime sends to its console socket."""
    peer, _ = server.accept()
    _, rights, _, _ = peer.recvmsg(256, socket.CMSG_SPACE(4))
    peer.close()
    fds = array.array("i")
    fds.frombytes(rights[0][2][:4])
    return fds[0]


class Bundles:
    """Root file systems of the guests and of busybox, bundles over them and the command that runs them; a
    with-statement."""

    def __init__(self, options, name, program):
        self.options, self.count = options, 0
        machine.IGNORED.add("bundles")  # our own
        self.name, self.program = name, program
        self.home = f"{machine.BASE}/{name}"
        self.log = None  # other options before the command than the usual ones

    def __enter__(self):
        os.makedirs(f"{self.home}/bundles")
        for name, entries in (("guests", images.guest_entries(self.options.build, False)),
                              ("busybox", images.busybox_entries())):
            os.makedirs(f"{self.home}/{name}")
            images.unpack(entries, f"{self.home}/{name}")
        return self

    def __exit__(self, *_):
        machine.remove_tree(self.home)

    def bundle(self, words, root="guests", change=None, text=None, **options):
        """A bundle of its own id, which is returned."""
        self.count += 1
        ident = f"{self.name[0]}{self.count}"
        os.makedirs(self.path(ident))
        spec = spec_of(words, ident, f"{self.home}/{root}", **options)
        if change:
            change(spec)
        with open(f"{self.path(ident)}/config.json", "w", encoding="utf-8") as file:
            file.write(json.dumps(spec) if text is None else text)
        return ident

    def path(self, ident):
        return f"{self.home}/bundles/{ident}"

    def drop(self, ident):
        machine.remove_tree(self.path(ident))

    def argv(self, *words):
        return [self.program, *(self.log or ["--log", f"{self.home}/log", "--log-format", "json"]), *words]

    def call(self, *words, stdin=b"", timeout=10, **options):
        return subprocess.run(self.argv(*words), input=stdin, capture_output=True, timeout=timeout, **options)

    def ok(self, *words, **options):
        done = self.call(*words, **options)
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}: {done.stderr.decode()}"
        return done.stdout.decode()

    def refused(self, *words, word="", **options):
        """Ends with 1 and one line, which is returned."""
        done = self.call(*words, **options)
        text = done.stderr.decode()
        assert done.returncode == 1 and text.count("\n") == 1 and word in text, f"{' '.join(words)}: {done}"
        return text

    def create(self, ident, *options, out=None):
        """`create` as its callers do it, with files for streams; the pid."""
        errors = f"{self.path(ident)}/err"  # no pipe: the guest keeps it open
        with open(out or os.devnull, "wb") as to, open(errors, "wb") as err:
            done = subprocess.run(self.argv("create", "--bundle", self.path(ident), "--pid-file",
                                            f"{self.path(ident)}/pid", *options, ident), stdin=subprocess.DEVNULL,
                                  stdout=to, stderr=err, timeout=10)
        assert done.returncode == 0, read(errors)
        with open(f"{self.path(ident)}/pid", encoding="ascii") as file:
            return int(file.read())

    def status(self, ident):
        return json.loads(self.ok("state", ident))["status"]

    def wait_status(self, ident, status):
        wait_for(f"{ident} {status}", lambda: self.status(ident) == status)

    def clean(self, ident):
        self.ok("delete", "--force", ident)
        self.drop(ident)


class Oci(Bundles):
    """With our OCI runtime."""

    def __init__(self, options):
        super().__init__(options, "oci", options.binary("wasmrun-oci"))
