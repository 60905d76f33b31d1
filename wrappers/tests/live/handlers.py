# SPDX-License-Identifier: Apache-2.0
"""The folder of crun's handlers, laid over the real one, with ours in it."""
import os
import re
import shutil
import subprocess

import machine
from bundles import Bundles

ENGINE = "crun-engine.so"


def handlers_folder():
    """Where this crun looks, as its program has it."""
    with open(shutil.which("crun"), "rb") as file:
        found = re.search(rb"(/[\w./-]+)/handlers\0", file.read())
    return found.group(1).decode() + "/handlers" if found else ""


class Handlers(Bundles):
    """crun, with our handler in its folder for this mount namespace alone; a with-statement."""

    def __init__(self, options):
        super().__init__(options, "crun", shutil.which("crun"))
        self.handlers = handlers_folder()
        self.engine = os.path.normpath(f"{self.handlers}/../../wasmrun/{ENGINE}")

    def __enter__(self):
        super().__enter__()
        library = os.path.dirname(os.path.dirname(self.handlers))
        for part in ("up", "work"):
            os.makedirs(f"{machine.BASE}/over/{part}")
        machine.mount("-t", "overlay", "overlay", "-o", f"lowerdir={library},upperdir={machine.BASE}/over/up,"
                      f"workdir={machine.BASE}/over/work", library)
        os.makedirs(self.handlers, exist_ok=True)
        os.makedirs(os.path.dirname(self.engine), exist_ok=True)
        self.install()
        os.symlink(self.program, f"{self.home}/crun-wasmrun")
        return self

    def __exit__(self, *_):
        super().__exit__()
        subprocess.run(["umount", "-l", os.path.dirname(os.path.dirname(self.handlers))], check=True)
        machine.remove_tree(f"{machine.BASE}/over")

    def install(self):
        shutil.copy(f"{self.options.build}/lib/crun/handlers/wasmrun.so", self.handlers)
        shutil.copy(f"{self.options.build}/lib/wasmrun/{ENGINE}", self.engine)

    def argv(self, *words):
        return [self.program, *words]
