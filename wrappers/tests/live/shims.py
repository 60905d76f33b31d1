# SPDX-License-Identifier: Apache-2.0
"""A shim driven without containerd: bundles written by us, its command line, the task and sandbox
services over ttrpc, and a server for its events. This is how the protocols of containerd 1.7 and 2.x
are tested, which Debian does not have."""
import json
import os
import shutil
import subprocess

import images
import machine
import wire
from harness import wait_for

TASK_V2, TASK_V3 = "containerd.task.v2.Task", "containerd.task.v3.Task"
SANDBOX = "containerd.runtime.sandbox.v1.Sandbox"
MOUNTS = [
    ("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]),
    ("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
    ("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
    ("/run", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
]
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
                "CAP_NET_BIND_SERVICE"]
PROCESS_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Process"
RESOURCES_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
CREATED, RUNNING, STOPPED, PAUSED = 1, 2, 3, 4


def process_of(words, env=(), terminal=False):
    return {"terminal": terminal, "user": {"uid": 0, "gid": 0}, "args": words, "env": ["PATH=/bin", *env],
            "cwd": "/", "noNewPrivileges": True,
            "capabilities": {name: CAPABILITIES for name in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]}


def spec_of(words, ident, root, **options):
    """A config.json as containerd makes them, without limits: those depend on the host."""
    mounts = [{"destination": where, "type": kind, "source": source, "options": flags}
              for where, kind, source, flags in MOUNTS]
    spaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]
    return {"ociVersion": "1.0.2", "process": process_of(words, options.get("env", ()), options.get("terminal", False)),
            "root": {"path": root, "readonly": options.get("readonly", False)}, "mounts": mounts,
            "annotations": options.get("annotations", {}),
            "linux": {"cgroupsPath": f"/{machine.group()}/{ident}", "namespaces": spaces,
                      "resources": options.get("resources", {}),
                      "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
                      "readonlyPaths": ["/proc/sys", "/proc/bus"]}}


class Stream:
    """A FIFO as containerd makes them for a process; read without waiting for a writer."""

    def __init__(self, path):
        self.path, self.data = path, b""
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self):
        """All that has come so far."""
        try:
            while True:
                part = os.read(self.fd, 1 << 20)
                if not part:
                    break
                self.data += part
        except BlockingIOError:
            pass
        return self.data

    def close(self):
        os.close(self.fd)
        os.unlink(self.path)


class Lab:
    """Root file systems, bundles and one event server; a with-statement."""

    def __init__(self, options, events=wire.EventServer):
        self.options, self.server = options, events
        self.home = f"{machine.BASE}/lab"
        self.ours = options.runtime == "wasmrun"
        self.count, self.shims, self.logs = 0, [], {}
        self.events = None

    def __enter__(self):
        os.makedirs(f"{self.home}/bundles")
        for name, entries in (("guests", images.guest_entries(self.options.build, not self.ours)),
                              ("busybox", images.busybox_entries()), ("pause", images.pause_entries(machine.BASE))):
            os.makedirs(f"{self.home}/{name}")
            images.unpack(entries, f"{self.home}/{name}")
        self.events = self.server(f"{self.home}/events")
        return self

    def __exit__(self, *_):
        for shim in self.shims:
            shim.kill()
        if self.events.problems:
            print("note: events that could not be read:", self.events.problems[:5])

    def program(self, name):
        return f"/{name}.wasm" if self.ours else f"/{name}"

    def name(self, word="s"):
        self.count += 1
        return f"{word}{self.count}"

    @property
    def binary(self):
        return self.options.shim if self.ours else shutil.which("containerd-shim-runc-v2")

    def bundle(self, ident, words, root="guests", spec=None, **options):
        """Writes a bundle; its path. The image below the root is not copied: an overlay over it,
        made by the shim from Create's mounts."""
        folder = f"{self.home}/bundles/{ident}"
        os.makedirs(folder + "/rootfs")
        for part in ("upper", "work"):
            os.makedirs(f"{self.home}/over/{ident}/{part}", exist_ok=True)
        text = spec if spec is not None else json.dumps(spec_of(words, ident, "rootfs", **options))
        with open(folder + "/config.json", "w", encoding="utf-8") as file:
            file.write(text)
        os.mkfifo(folder + "/log")
        self.logs[ident] = os.open(folder + "/log", os.O_RDWR | os.O_NONBLOCK)
        return folder

    def said(self, ident):
        """What a shim has written into its log."""
        text = b""
        try:
            while True:
                text += os.read(self.logs[ident], 1 << 16)
        except BlockingIOError:
            return text.decode(errors="replace")

    def rootfs(self, ident, root="guests"):
        """Mounts for Create."""
        over = f"{self.home}/over/{ident}"
        return [{"type": "overlay", "source": "overlay", "options": [
            f"lowerdir={self.home}/{root}", f"upperdir={over}/upper", f"workdir={over}/work"]}]

    def shim(self, words=None, ident=None, **options):
        """A started shim with a bundle of its own id."""
        made = Shim(self, ident or self.name())
        made.begin(words or [self.program("sleeper")], **options)
        return made


class Shim:
    """One shim process and a connection to it."""

    def __init__(self, lab, ident):
        self.lab, self.id = lab, ident
        self.address, self.client, self.pid, self.answer = "", None, 0, b""
        self.service = TASK_V2
        lab.shims.append(self)

    # ------------------------------------------------------------ command line

    def command(self, word, ident=None, bundle=None, stdin=b"", env=None, wrap=(), timeout=30):
        """`shim start` or `delete`, as containerd calls it."""
        ident = ident or self.id
        bundle = bundle or f"{self.lab.home}/bundles/{ident}"
        words = [*wrap, self.lab.binary, "-namespace", machine.group(), "-id", ident, "-address",
                 f"{self.lab.home}/grpc", "-publish-binary", "/bin/true"]
        words += ["-bundle", bundle] if word == "delete" else []
        full = dict(os.environ, TTRPC_ADDRESS=self.lab.events.path, GRPC_ADDRESS=f"{self.lab.home}/grpc",
                    NAMESPACE=machine.group(), PATH=f"{self.lab.options.build}/bin:{os.environ['PATH']}", **(env or {}))
        cwd = bundle if os.path.isdir(bundle) else self.lab.home
        return subprocess.run([*words, word], cwd=cwd, input=stdin, capture_output=True, env=full, timeout=timeout)

    def begin(self, words, version=None, params=False, wrap=(), environment=None, **options):
        """Writes the bundle, starts the shim, connects. `version`: what containerd says it knows;
        `params`: as 2.3 does, by a message on standard input; `environment`: containerd's own, more
        of it."""
        self.lab.bundle(self.id, words, **options)
        stdin = b""
        if params:
            stdin = wire.peer("BootstrapParams")(
                instance_id=self.id, namespace=machine.group(), containerd_version="2.3.0",
                ttrpc_address=self.lab.events.path, grpc_address=f"{self.lab.home}/grpc",
                binary="/usr/bin/containerd").SerializeToString()
        env = dict(environment or {}, **({"MAX_SHIM_VERSION": str(version)} if version else {}))
        done = self.command("start", stdin=stdin, env=env, wrap=wrap)
        assert done.returncode == 0, f"shim start: {done.returncode}: {done.stderr.decode()}"
        self.answer = done.stdout
        self.address = self.read_answer(done.stdout, params)
        self.connect()

    def read_answer(self, out, params):
        """The address, whatever dialect it is in; the service version goes with it."""
        if out.startswith(b"unix://"):
            return out.decode().strip()
        if out.lstrip().startswith(b"{"):
            data = json.loads(out)
            assert data["protocol"] == "ttrpc", data
            version, address = data["version"], data["address"]
        else:
            assert params, f"neither an address nor JSON: {out!r}"
            result = wire.peer("BootstrapResult").FromString(out)
            assert result.protocol == "ttrpc", result
            version, address = result.version, result.address
        self.service = TASK_V3 if version >= 3 else TASK_V2
        return address

    def connect(self):
        if self.client:
            self.client.close()
        self.client = wire.Client(self.address)
        answer = self.call("Connect", "ConnectResponse", "IdRequest", id=self.id) if self.lab.ours else None
        self.pid = answer.shim_pid if answer else machine.with_words("-id", self.id)

    def kill(self):
        """Whatever state it is in, until nothing of it is left."""
        if self.client:
            self.client.close()
            self.client = None
        if self.pid and os.path.exists(f"/proc/{self.pid}"):
            try:
                os.kill(self.pid, 9)
            except ProcessLookupError:
                pass
        wait_for("the shim's end", lambda: not self.pid or gone(self.pid))
        self.clean()

    def clean(self, ident=None):
        """What containerd does after a shim's end: `delete`, then its own part of a bundle."""
        ident = ident or self.id
        folder = f"{self.lab.home}/bundles/{ident}"
        done = self.command("delete", ident) if os.path.isdir(folder) else None
        subprocess.run(["umount", "-l", folder + "/rootfs"], capture_output=True)
        for path in (folder, f"{self.lab.home}/over/{ident}"):
            machine.remove_tree(path)
        return done

    def end(self, patience=10):
        """A normal end: Shutdown, and containerd's cleanup after it."""
        self.call("Shutdown", None, "ShutdownRequest", id=self.id)
        if self.pid:
            wait_for("the shim's end", lambda: gone(self.pid), patience)
        self.client.close()
        self.client = None
        self.clean()

    # ------------------------------------------------------------ services

    def call(self, method, answer, request, metadata=None, **members):
        """One task method; `answer`, `request`: names of messages."""
        payload = self.client.call(self.service, method, wire.task(request)(**members).SerializeToString(), metadata)
        return wire.task(answer).FromString(payload) if answer else payload

    def send(self, method, request, **members):
        """The same without waiting; for client.answer."""
        return self.client.post(self.prepare(method, request, **members))

    def prepare(self, method, request, **members):
        """The same without sending; for client.post."""
        return self.client.prepare(self.service, method, wire.task(request)(**members).SerializeToString())

    def sandbox(self, method, answer=None, request="SandboxId", **members):
        payload = self.client.call(SANDBOX, method, wire.peer(request)(**members).SerializeToString())
        return wire.peer(answer).FromString(payload) if answer else payload

    def task(self, words=None, ident=None, root="guests", metadata=None, terminal=False, stdin=None, extra=None,
             **options):
        """Create of a task, of the shim's own bundle or of another one that is made now."""
        ident = ident or self.id
        if not os.path.isdir(f"{self.lab.home}/bundles/{ident}"):
            self.lab.bundle(ident, words or [self.lab.program("sleeper")], terminal=terminal, **options)
        return Task(self, ident, root, metadata, terminal, {"stdin": stdin or "", **(extra or {})})


class Task:
    """A created task with its streams."""

    def __init__(self, shim, ident, root, metadata, terminal, extra):
        self.shim, self.id, self.lab = shim, ident, shim.lab
        base = f"{self.lab.home}/{ident}"
        self.out = Stream(base + ".out")
        self.err = None if terminal else Stream(base + ".err")
        try:
            self.pid = shim.call("Create", "CreateTaskResponse", "CreateTaskRequest", metadata, id=ident,
                                 bundle=f"{self.lab.home}/bundles/{ident}", rootfs=self.lab.rootfs(ident, root),
                                 terminal=terminal, stdout=self.out.path,
                                 stderr=self.err.path if self.err else "", **extra).pid
        except BaseException:
            self.close()
            raise

    def close(self):
        self.out.close()
        if self.err:
            self.err.close()

    def call(self, method, answer=None, request="IdRequest", **members):
        return self.shim.call(method, answer, request, id=self.id, **members)

    def start(self, exec_id=""):
        return self.call("Start", "StartResponse", "StartRequest", exec_id=exec_id).pid

    def state(self, exec_id=""):
        return self.call("State", "StateResponse", "StateRequest", exec_id=exec_id)

    def wait(self, exec_id=""):
        return self.call("Wait", "WaitResponse", "WaitRequest", exec_id=exec_id)

    def kill(self, number=9, exec_id="", everyone=False):
        self.call("Kill", None, "KillRequest", signal=number, exec_id=exec_id, all=everyone)

    def exec(self, exec_id, words, **members):
        process = json.dumps(process_of(words)).encode()
        self.call("Exec", None, "ExecProcessRequest", exec_id=exec_id,
                  spec={"type_url": PROCESS_TYPE, "value": process}, **members)

    def delete(self, exec_id=""):
        return self.call("Delete", "DeleteResponse", "DeleteRequest", exec_id=exec_id)

    def says(self, text, patience=15):
        raw = text.encode()
        wait_for(f"{text!r} from {self.id}", lambda: raw in self.out.read(), patience)

    def finish(self, number=9):
        """Kill if it must be, Wait, Delete; its exit code."""
        if number and self.state().status != STOPPED:
            self.kill(number)
        code = self.wait().exit_status
        assert self.delete().exit_status == code
        self.close()
        if self.id != self.shim.id:
            self.forget()
        return code

    def forget(self):
        """The bundle, as containerd removes it after Delete."""
        folder = f"{self.lab.home}/bundles/{self.id}"
        assert not os.path.ismount(folder + "/rootfs"), "the root file system is still mounted"
        for path in (folder, f"{self.lab.home}/over/{self.id}"):
            machine.remove_tree(path)


def gone(pid):
    """No such process, or one that is dead and waits for its parent."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True
