#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""podman with our OCI runtime, or (--runtime crun) with crun and our handler: run, logs, exec,
stop, kill, pause, rm; guests and Linux programs."""
import glob
import subprocess
import sys

import harness
import machine
from harness import case
from podmans import BUSYBOX, Podman, available


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
def an_image_that_wasmrun_has_packed(podman):
    """podman hands the annotation of the manifest on to the runtime."""
    path, build = f"{podman.home}/packed.tar", podman.options.build
    subprocess.run([podman.options.binary("wasmrun"), "pack", f"{build}/live/hello.wasm", "--ref", "localhost/packed:1",
                    "-o", path, "--", "packed"], check=True)
    podman.ok("load", "-i", path, "--signature-policy", f"{podman.home}/policy.json", timeout=120)
    done = podman.call(*podman.run_words("--rm", image="localhost/packed:1"))
    assert (done.returncode, done.stdout) == (0, b"hello world packed\n"), done
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
    if not available():
        print("SKIPPED: live_podman.py: not installed: podman\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    sys.exit(harness.main(__doc__, Podman))
