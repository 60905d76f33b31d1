#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the OCI runtime says to bad configurations, bundles, command lines and states: one line on
standard error, the same as JSON in --log, exit code 1, and nothing half-made left; and what it makes of
states that are broken and of commands that were killed."""
import glob
import json
import os
import subprocess
import sys
import tempfile

import harness
import machine
from bundles import Oci, read
from harness import case, wait_for
from shims import gone, process_of

HUGE = 1 << 62
# A component: the layer of its version is 1.
COMPONENT = b"\0asm\x0d\0\1\0"


def seen():
    """States, groups, processes."""
    return machine.snapshot(), sorted(glob.glob("/run/runc/*"))


class Answers:
    """Counts calls and collects what is wrong with their answers; a with-statement."""

    def __init__(self, oci):
        self.oci, self.before, self.count, self.wrong = oci, seen(), 0, []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        print(f"      {self.count} calls")
        assert kind or not self.wrong, "\n      " + "\n      ".join(self.wrong)

    def refused(self, words, expected, logged=True, input=b""):
        """One line that names what is wrong, on standard error and in the log; exit code 1; all is as
        it was."""
        log = f"{self.oci.home}/log"
        if os.path.exists(log):
            os.unlink(log)
        with tempfile.TemporaryFile() as file:  # no pipe: a guest that is made in error keeps it open
            done = subprocess.run(self.oci.argv(*words), stdout=file, stderr=file, timeout=20, input=input)
            file.seek(0)
            text = file.read().decode(errors="replace")
        if done.returncode == 0 and words[0] in ("create", "run"):
            self.oci.call("delete", "--force", words[-1])
        rows = [json.loads(line) for line in read(log).splitlines()] if os.path.exists(log) else []
        self.count += 1
        good = done.returncode == 1 and text.count("\n") == 1 and text.endswith("\n") and \
            expected.lower() in text.lower()
        good = good and (not logged or len(rows) == 1 and rows[0]["level"] == "error" and bool(rows[0]["time"]) and
                         expected.lower() in rows[0]["msg"].lower())
        if not good:
            self.wrong.append(f"{' '.join(words)[-150:]!r} ({expected}): {done.returncode} {text[:300]!r} {rows}")
        try:
            if seen() != self.before:
                wait_for("nothing new", lambda: seen() == self.before, 3)
        except AssertionError:
            self.wrong.append(f"{' '.join(words)[-150:]!r} ({expected}) leaves {seen()}")
            self.before = seen()


# ---------------------------------------------------------------- configurations

def at(path, value):
    """A change of one place in config.json."""
    def change(spec):
        *folders, last = path.split(".")
        for name in folders:
            spec = spec[int(name)] if isinstance(spec, list) else spec.setdefault(name, {})
        if value is None:
            spec.pop(last)
        else:
            spec[last] = value
    return change


def mount(**members):
    return lambda spec: spec["mounts"].append({"destination": "/x", **members})


def limits(**members):
    return at("linux.resources", members)


CONFIGS = [  # what is changed, a word of the answer
    (at("root", None), "root"), (at("root", "/"), "root"), (at("root.path", ""), "root"), (at("root.path", 7), "root"),
    (at("root.path", "/nonexistent"), "nonexistent"), (at("root.path", "x" * 5000), "root"),
    (at("ociVersion", None), "ociVersion"), (at("ociVersion", 1), "ociVersion"), (at("ociVersion", "3.0.0"), "ociVersion"),
    (at("process", None), "process"), (at("process", []), "process"), (at("process.args", None), "args"),
    (at("process.args", []), "args"), (at("process.args", "hello"), "args"), (at("process.args", [7]), "args"),
    (at("process.args", [""]), "args"), (at("process.args", ["/nothing.wasm"]), "nothing.wasm"),
    (at("process.args", ["/bad.wasm"]), "bad.wasm"), (at("process.args", ["/component.wasm"]), "component"),
    (at("process.args", ["/text.wasm"]), "text"), (at("process.args", ["/hello.wasm#nothing"]), "nothing"),
    (at("process.args", ["/etc"]), "/etc"), (at("process.args", ["/links/abs"]), "/links/abs"),
    (at("process.cwd", "relative"), "cwd"), (at("process.cwd", ""), "cwd"), (at("process.env", {}), "env"),
    (at("process.env", [1]), "env"), (at("process.user", "root"), "user"), (at("process.user.uid", -1), "uid"),
    (at("process.user.uid", HUGE), "uid"), (at("process.user.additionalGids", [-1]), "gid"),
    (at("process.rlimits", [{"type": "RLIMIT_X", "hard": 1, "soft": 1}]), "RLIMIT_X"),
    (at("process.rlimits", [{"type": "RLIMIT_NOFILE", "hard": 1, "soft": 2}]), "rlimit"),
    (at("process.oomScoreAdj", 5000), "oomScoreAdj"),
    (at("process.terminal", "yes"), "terminal"), (at("mounts", {}), "mounts"), (mount(type="nofs", source="x"), "mount"),
    (mount(destination="", type="tmpfs"), "mount"),
    (mount(type="bind", source="/nonexistent", options=["bind"]), "nonexistent"),
    (mount(type="tmpfs", source="x", options=["colour=blue"]), "/x"), (at("hostname", 7), "hostname"),
    (at("hostname", "x" * 300), "hostname"), (at("annotations", []), "annotations"),
    (at("annotations", {"module.wasm.image/variant": "other"}), "variant"),
    (at("annotations", {"io.wasmrun/net": "everything"}), "net"), (at("linux", []), "linux"),
    (at("linux.namespaces", [{"type": "galaxy"}]), "namespace"), (at("linux.namespaces", [{}]), "namespace"),
    (at("linux.namespaces", [{"type": "pid"}, {"type": "pid"}]), "namespace"),
    (at("linux.namespaces", [{"type": "mount"}, {"type": "network", "path": "/nonexistent"}]), "nonexistent"),
    (at("linux.cgroupsPath", "../../x"), "cgroup"), (at("linux.cgroupsPath", 5), "cgroupsPath"),
    (at("linux.cgroupsPath", "/" + "x" * 300), "cgroup"), (limits(memory={"limit": "much"}), "memory"),
    (limits(memory={"limit": -5}), "memory"), (limits(cpu={"quota": 1.5}), "quota"), (limits(cpu=[]), "cpu"),
    (limits(cpu={"cpus": "all"}), "cpus"), (limits(pids={"limit": "x"}), "pids"), (limits(devices={}), "devices"),
    (at("linux.seccomp", {"defaultAction": "SCMP_ACT_SOMETHING"}), "seccomp"), (at("linux.seccomp", []), "seccomp"),
    (at("linux.devices", [{"path": "/dev/x", "type": "q"}]), "device"), (at("linux.maskedPaths", [0]), "maskedPaths"),
    (at("linux.sysctl", {"kernel.x": 1}), "sysctl"), (at("linux.uidMappings", [{"containerID": -1}]), "Mapping"),
    (at("linux.intelRdt", {"closID": "x"}), "intelRdt"), (at("hooks", []), "hooks"),
    (at("hooks", {"createRuntime": [{"path": "relative"}]}), "hook"),
    (at("hooks", {"createRuntime": [{"path": "/nonexistent/hook"}]}), "hook"),
    (at("hooks", {"prestart": [{"path": "/bin/false"}]}), "hook"),
]
TEXTS = ["", " ", "{", "[]", "null", "7", '"x"', "\0", "{}" * 5, '{"ociVersion":"1.0.0"}', "\xff\xfe{}", "[" * 100000,
         '{"a":1,"a":2}', "x" * (5 << 20), '{"ociVersion": 1e999}']


@case
def configurations_are_refused(oci):
    root = f"{oci.home}/guests"
    for name, raw in (("component.wasm", COMPONENT), ("text.wasm", b"(module)\n")):
        with open(f"{root}/{name}", "wb") as file:
            file.write(raw)
    wasm = {"module.wasm.image/variant": "compat"}
    with Answers(oci) as answers:
        for change, word in CONFIGS:
            for command in ("create", "run"):
                ident = oci.bundle(["/hello.wasm"], annotations=wasm, change=change)
                answers.refused([command, "-b", oci.path(ident), ident], word)
                oci.drop(ident)
        for text in TEXTS:
            ident = oci.bundle([], text=text)
            answers.refused(["create", "-b", oci.path(ident), ident], "config.json")
            oci.drop(ident)


@case
def bundles_are_refused(oci):
    folder = f"{oci.home}/bundles/odd"
    with Answers(oci) as answers:
        for make in (lambda path: None, os.mkdir, os.mkfifo, lambda path: os.symlink("config.json", path),
                     lambda path: os.symlink("/dev/zero", path)):
            os.makedirs(folder)
            make(f"{folder}/config.json")
            for command in ("create", "run"):
                answers.refused([command, "--bundle", folder, "odd"], "config.json")
            machine.remove_tree(folder)
        for path in ("/nonexistent", "/etc/passwd", "", "x" * 5000, "/proc/self/fd/99"):
            answers.refused(["create", "--bundle", path, "odd"], "config.json" if path == "/etc/passwd" else "bundle")


# ---------------------------------------------------------------- command lines

def four(oci):
    """Containers that were created, run, are paused and have stopped."""
    made = {}
    for status in ("created", "running", "paused", "stopped"):
        made[status] = ident = oci.bundle(["/sleeper.wasm"])
        pid = oci.create(ident)
        if status != "created":
            oci.ok("start", ident)
        if status == "paused":
            try:
                oci.ok("pause", ident)
            except AssertionError:  # groups can't be frozen here
                oci.clean(made.pop("paused"))
        if status == "stopped":
            oci.ok("kill", ident, "KILL")
            wait_for("its end", lambda: gone(pid))
    return made


@case
def command_lines_are_refused(oci):
    made = four(oci)
    ident = oci.bundle(["/hello.wasm"])
    tty = oci.bundle(["/hello.wasm"], terminal=True)
    linux = oci.bundle(["/bin/sleep", "1"], root="busybox")
    path, running, stopped, created = oci.path(ident), made["running"], made["stopped"], made["created"]
    files = {}
    for name, text in (("process", json.dumps(process_of(["/hello.wasm"]))), ("none", json.dumps(process_of([]))),
                       ("odd", "{"), ("list", "[]"), ("limits", '{"memory":{"limit":"x"}}')):
        files[name] = f"{oci.home}/{name}.json"
        with open(files[name], "w", encoding="utf-8") as file:
            file.write(text)
    rows = [
        ([], "command"), (["nothing"], "nothing"), (["create"], "missing"), (["create", "a", "b"], "too many"),
        (["create", "--nothing", "x"], "nothing"), (["--root"], "root"), (["state"], "missing"), (["state", ".."], "invalid"),
        (["--root", "relative", "list"], "root"), (["--log-format", "xml", "list"], "xml"), (["list", "-f", "xml"], "xml"),
        (["list", "x"], "too many"), (["create", "-b", path, "../x"], "invalid"), (["create", "-b", path, "a/b"], "invalid"),
        (["create", "-b", path, ""], "invalid"), (["create", "-b", path, "x" * 256], "invalid"), (["create", "-b", path, "a\nb"], "invalid"),
        (["create", "-b", path, "."], "invalid"), (["create", "-b", path, created], "exists"), (["run", "-b", path, stopped], "exists"),
        (["create", "-b", path, "--preserve-fds", "many", ident], "many"), (["create", "-b", path, "--pid-file", "/nonexistent/p", ident], "pid file"),
        (["create", "-b", path, "--pid-file", path, ident], "pid file"), (["create", "-b", path, "--pid-file", "x" * 5000, ident], "pid"),
        (["run", "-b", path, "--pid-file", "/nonexistent/p", ident], "pid file"),
        (["create", "-b", path, "--console-socket", "/nonexistent", ident], "terminal"), (["create", "-b", oci.path(tty), tty], "--console-socket"),
        (["create", "-b", oci.path(tty), "--console-socket", "/nonexistent", tty], "console socket"),
        (["create", "-b", oci.path(tty), "--console-socket", "/" + "x" * 5000, tty], "console socket"),
        (["run", "-b", oci.path(tty), "--console-socket", "/nonexistent", tty], "--console-socket"),
        (["run", "-d", "-b", oci.path(tty), tty], "--console-socket"), (["start", running], "running"), (["start", stopped], "stopped"),
        (["kill", running, "NOTHING"], "signal"), (["kill", running, "0"], "signal"), (["kill", running, "-9"], "-9"),
        (["kill", running, "65"], "signal"), (["kill", running, "99999999999"], "signal"), (["kill", running, ""], "signal"),
        (["kill", running, "TERM", "x"], "too many"), (["kill", stopped], "not running"), (["delete", running], "not stopped"),
        (["delete", created], "not stopped"), (["exec", stopped, "/hello.wasm"], "stopped"), (["exec", running], "--process"),
        (["exec", running, "/nothing.wasm"], "nothing.wasm"), (["exec", running, "/bad.wasm"], "bad.wasm"), (["exec", running, "/data"], "Linux program"),
        (["exec", running, ""], "args"), (["exec", "--process", "/nonexistent", running], "/nonexistent"), (["exec", "--process", files["odd"], running], "odd.json"),
        (["exec", "--process", files["list"], running], "process"), (["exec", "--process", files["none"], running], "args"), (["exec", "--process", "/", running], "/"),
        (["exec", "--user", "root", running, "/hello.wasm"], "root"), (["exec", "--user", "1:", running, "/hello.wasm"], "1:"),
        (["exec", "--user", "99999999999", running, "/hello.wasm"], "99999999999"), (["exec", "--cwd", "relative", running, "/hello.wasm"], "cwd"),
        (["exec", "--additional-gids", "x", running, "/hello.wasm"], "x"),
        (["exec", "--env", "", "--cgroup", "x", running, "/hello.wasm"], "--cgroup"), (["exec", "-t", "-d", running, "/hello.wasm"], "--console-socket"),
        (["exec", "--console-socket", "/nonexistent", running, "/hello.wasm"], "--console-socket"),
        (["exec", "--pid-file", "/nonexistent/p", running, "/hello.wasm"], "pid file"), (["resume", running], "resume"),
        (["pause", stopped], "pause"), (["events", "--stats", stopped], "not running"), (["events", "--interval", "soon", running], "soon"),
        (["update", "--memory", "much", running], "memory"), (["update", "--cpu-quota", "1.5", running], "cpu-quota"),
        (["update", "--resources", "/nonexistent", running], "/nonexistent"), (["update", "--resources", files["odd"], running], "resources"),
        (["update", "--resources", files["list"], running], "resources"), (["update", "--resources", files["limits"], running], "memory"),
        (["update", "--cpuset-cpus", "x", running], "cpus"), (["update", "--memory", "64m", stopped], "not running"),
        (["ps", "-f", "xml", running], "xml"), (["ps", running, "-o", "comm"], "PID"), (["features", "x"], "too many"),
        (["spec", "--bundle", "/nonexistent"], "/nonexistent"), (["completion", "csh"], "csh"),
    ] + [([command, "never-there"], "does not exist") for command in ("state", "start", "kill", "delete", "pause", "resume", "ps", "events", "update")]
    if "paused" in made:
        rows += [(["exec", made["paused"], "/hello.wasm"], "paused"), (["pause", made["paused"]], "paused"), (["start", made["paused"]], "paused"),
                 (["delete", made["paused"]], "not stopped")]
    with Answers(oci) as answers:
        for words, expected in rows:  # of the first two the log's own options are not read yet
            answers.refused(words, expected, logged=words[:1] not in (["--root"], ["--log-format"]))
        answers.refused(["update", "--resources", "-", running], "resources", input=b"{")
    for name in made.values():
        oci.clean(name)
    for name in (ident, tty, linux):
        oci.drop(name)


@case
def logs_that_cannot_be_written_do_no_harm(oci):
    ident = oci.bundle(["/exit.wasm", "3"])
    for log in ("/nonexistent/log", "/", ""):
        for form in ("json", "text"):
            oci.log = ["--log", log, "--log-format", form]
            assert oci.call("run", "-b", oci.path(ident), ident).returncode == 3
            done = oci.call("start", "a/b")
            assert done.returncode == 1 and b"invalid" in done.stderr, done
    oci.log = None
    oci.drop(ident)


# ---------------------------------------------------------------- states

def spoil_text(text):
    def spoil(path):
        with open(path, "wb") as file:
            file.write(text)
    return spoil


def spoil_half(path):
    os.truncate(path, os.path.getsize(path) // 2)


def replace(make):
    def spoil(path):
        os.unlink(path)
        make(path)
    return spoil


def sparse(path):
    with open(path, "wb") as file:
        file.truncate(100 << 20)


SPOILS = [spoil_half, spoil_text(b""), spoil_text(b"[]"), spoil_text(b"{}{"), spoil_text(b"\xff" * 99), spoil_text(b"[" * 99999),
          spoil_text(b'{"pid":1,"pid":2}'), replace(os.mkdir), replace(os.mkfifo), replace(lambda path: os.symlink("/dev/zero", path)),
          replace(lambda path: os.symlink("wasmrun.json", path)), replace(sparse)]


@case
def states_that_are_broken(oci):
    """Each command says so, `list` goes on with the others, and delete --force finds what was there."""
    other = oci.bundle(["/sleeper.wasm"])
    oci.create(other)
    for number, spoil in enumerate(SPOILS):
        before = seen()
        ident = oci.bundle(["/sleeper.wasm"])
        pid = oci.create(ident)
        oci.ok("start", ident)
        spoil(f"/run/wasmrun-oci/{ident}/wasmrun.json")
        for words in (["state", ident], ["start", ident], ["kill", ident, "KILL"], ["delete", ident], ["exec", ident, "/hello.wasm"],
                      ["pause", ident], ["events", "--stats", ident], ["update", "--memory", "64m", ident], ["ps", ident]):
            oci.refused(*words, word=ident)
        done = oci.call("list", "-q")
        assert done.returncode == 0 and done.stdout.decode().split() == [other] and ident.encode() in done.stderr, done
        oci.ok("delete", "--force", ident)
        wait_for("its end", lambda: gone(pid))
        oci.drop(ident)
        assert seen() == before, (number, seen())
    oci.clean(other)


@case
def states_of_others(oci):
    """Folders that another user has put there, and links, are not followed."""
    ident = oci.bundle(["/hello.wasm"])
    victim = subprocess.Popen(["sleep", "1000"])
    folder = f"/run/wasmrun-oci/{ident}"
    os.makedirs(folder)
    with open(f"/proc/{victim.pid}/stat", encoding="ascii") as file:
        started = int(file.read().rsplit(")", 1)[1].split()[19])
    with open(f"{folder}/wasmrun.json", "w", encoding="utf-8") as file:
        json.dump({"id": ident, "pid": victim.pid, "started": started, "cgroup": "/"}, file)
    os.chown(folder, 1000, 1000)
    for words in (["state", ident], ["kill", ident, "KILL"], ["delete", "--force", ident]):
        oci.refused(*words, word="another user")
    oci.refused("create", "-b", oci.path(ident), ident, word="exists")
    assert oci.ok("list", "-q") == "" and victim.poll() is None
    os.rename(folder, f"{oci.home}/elsewhere")
    os.symlink(f"{oci.home}/elsewhere", folder)
    oci.refused("state", ident, word="does not exist")
    oci.refused("create", "-b", oci.path(ident), ident, word="exists")
    assert victim.poll() is None
    victim.kill()
    victim.wait()
    os.unlink(folder)
    machine.remove_tree(f"{oci.home}/elsewhere")
    oci.drop(ident)


if __name__ == "__main__":
    sys.argv += [] if "--runtime" in sys.argv else ["--runtime", "wasmrun-oci"]
    sys.exit(harness.main(__doc__, Oci, controllers=()))
