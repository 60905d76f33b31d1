# SPDX-License-Identifier: Apache-2.0
"""A machine inside this one: mounts, processes and network of its own, /run and /tmp in memory, a
chosen view of control groups. When its first process ends all of it is gone; control groups, which
no namespace takes along, are removed by the process outside. And: what containers left behind."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

CGROUPS = "/sys/fs/cgroup"
BASE = "/run/w"  # everything of a test; sockets want short paths
MARK = "WASMRUN_LIVE"  # view and name of the groups, for the process inside
PREFIX = "wasmrun-live-"
INHERITED = set()  # mounts of the host, some hidden behind ours
IGNORED = set()  # kinds of leftovers that a runtime is known for


def views():
    """The views of control groups that this host can give, v1 first."""
    found = []
    if glob.glob(f"{CGROUPS}/memory/cgroup.procs"):
        found.append("v1")
    with open("/proc/mounts", encoding="utf-8") as file:
        if " cgroup2 " in file.read():
            found.append("v2")
    return found


def v2_controllers():
    """What the unified hierarchy of this host limits: on a hybrid one next to nothing."""
    for root in (CGROUPS, f"{CGROUPS}/unified"):
        try:
            with open(f"{root}/cgroup.controllers", encoding="ascii") as file:
                return file.read().split()
        except OSError:
            pass
    return []


def view():
    return os.environ[MARK].split()[0]


def group():
    """The name of the folder that all groups of this run are in, and of containerd's namespace."""
    return os.environ[MARK].split()[1]


def is_inside():
    return MARK in os.environ and os.getpid() == 1


def hierarchies():
    """Folders that hold groups: of v2, or of each controller and the unified one."""
    roots = [CGROUPS] if os.path.exists(f"{CGROUPS}/cgroup.procs") else glob.glob(f"{CGROUPS}/*")
    return [root for root in roots if os.path.ismount(root) and not os.path.islink(root)]


def tidy():
    """Where the unified hierarchy is not mounted crun makes plain folders and files."""
    hidden = f"{CGROUPS}/unified"
    if not os.path.ismount(hidden):
        remove_tree(f"{hidden}/{group()}")


def groups_below(name):
    """All folders of control groups of `name`, the deepest first."""
    found = []
    for root in hierarchies():
        for folder, _, _ in os.walk(os.path.join(root, name), topdown=False):
            found.append(folder)
    return found


def remove_groups(name):
    """Kills what is in the groups of `name`, then removes them."""
    for _ in range(100):
        folders = groups_below(name)
        if not folders:
            return
        for folder in folders:
            for file, text in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                try:
                    with open(os.path.join(folder, file), "w", encoding="ascii") as out:
                        out.write(text)
                except OSError:
                    pass
            try:
                with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as file:
                    for pid in file.read().split():
                        os.kill(int(pid), signal.SIGKILL) if pid != "0" else None
                os.rmdir(folder)
            except OSError:
                pass
        time.sleep(0.02)
    print(f"note: groups of {name} could not be removed")


def sweep():
    """Groups of earlier runs that were killed."""
    for root in hierarchies():
        for folder in glob.glob(f"{root}/{PREFIX}*"):
            name = os.path.basename(folder)
            pid = re.sub(r"\D", "", name[len(PREFIX):].split("-")[0])
            if not os.path.exists(f"/proc/{pid}"):
                remove_groups(name)


def run_inside(which):
    """This program again, inside; its exit code and its output, which is also printed."""
    sweep()
    name = f"{PREFIX}{os.getpid()}-{which}"
    env = dict(os.environ, **{MARK: f"{which} {name}", "PYTHONUNBUFFERED": "1",
                              "PYTHONDONTWRITEBYTECODE": "1"})
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--mount-proc",
               "--propagation", "private", sys.executable, *sys.argv]
    out = []
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                             text=True, errors="replace")
    stop = lambda *_: (child.kill(), sys.exit(1))  # noqa: E731
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        for line in child.stdout:
            out.append(line)
            if not line.startswith("counts "):
                print(line, end="", flush=True)
        code = child.wait()
    finally:
        child.kill()
        child.wait()
        remove_groups(name)
    return code, "".join(out)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def enter():
    """Once, first of all, in the process inside: mounts and the loopback device."""
    names = b""
    for file in ("/etc/resolv.conf",):
        if os.path.exists(file):
            with open(file, "rb") as text:
                names = text.read()
    INHERITED.update(mounts())
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for folder in (BASE, "/run/netns", "/run/lock"):
        os.makedirs(folder)
    if not os.path.exists("/etc/resolv.conf") and os.path.lexists("/etc/resolv.conf"):
        target = os.path.realpath("/etc/resolv.conf")
        if target.startswith("/run/"):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as text:
                text.write(names)
    if view() == "v2" and not os.path.exists(f"{CGROUPS}/cgroup.procs"):
        subprocess.run(["umount", "-R", CGROUPS], check=True)
        mount("-t", "cgroup2", "cgroup2", CGROUPS)
    elif view() == "v1" and os.path.ismount(f"{CGROUPS}/unified"):
        subprocess.run(["umount", f"{CGROUPS}/unified"], check=True)  # crun would take it for v2
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ["TMPDIR"] = BASE
    threading.Thread(target=reap, daemon=True).start()


OWN = set()  # pids that somebody here waits for, by subprocess or otherwise


def reap():
    """As the first process: whatever was left to us and nobody here waits for."""
    before = set()
    while True:
        dead = {pid for pid, parent, state, _ in processes() if state == "Z" and parent == 1}
        for pid in dead & before:  # one that has just ended may be a Popen's that does not know it yet
            if pid not in OWN and not waited_for(pid):
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
        before = dead
        time.sleep(0.2)


def waited_for(pid):
    """Children of subprocess.Popen that still lives here are its own."""
    import gc
    return any(isinstance(o, subprocess.Popen) and o.pid == pid for o in gc.get_objects())


def processes():
    """(pid, parent, state, name) of all but this one."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or entry == "1":
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        found.append((int(entry), int(rest[1]), rest[0], name))
    return found


def named(word):
    """Pids of processes whose command line's first word ends so; zombies have none."""
    found = []
    for pid, _, state, name in processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                first = file.read().split(b"\0")[0].decode(errors="replace")
        except OSError:
            continue
        if state != "Z" and (first.endswith(word) or name == word[:15]):
            found.append(pid)
    return found


def with_words(*words):
    """The pid of a process that was started with these words one after the other; 0: none."""
    wanted = b"\0".join(word.encode() for word in ("", *words, ""))
    for pid, _, _, _ in processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if wanted in file.read():
                    return pid
        except OSError:
            pass
    return 0


def descendants(pid):
    """All processes below `pid`."""
    tree, found, todo = {}, [], [pid]
    for child, parent, _, _ in processes():
        tree.setdefault(parent, []).append(child)
    while todo:
        for child in tree.get(todo.pop(), []):
            found.append(child)
            todo.append(child)
    return found


def pss_kib(pid):
    """Proportional set size of a process, KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))


def mounts():
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return [line.split()[1] for line in file]


def container_groups():
    """Groups of containers: below ours, but for folders of pods, which are their maker's."""
    found = set()
    for folder in groups_below(group()):
        rest = folder.split(group(), 1)[1].strip("/").split("/")
        if rest != [""] and not (len(rest) == 1 and rest[0].startswith("pod")):
            found.add("/".join(rest))
    return sorted(found)


def snapshot(ignore=()):
    """What containers leave when they are not cleaned up; a dictionary without empty rows."""
    here = {
        "processes": [f"{pid} {name}" for pid, _, state, name in processes()
                      if state != "Z" and pid not in ignore],
        "zombies": [f"{pid} {name} of {parent}" for pid, parent, state, name in processes()
                    if state == "Z" and parent != 1],
        "mounts": [path for path in mounts() if path not in INHERITED and
                   path.startswith((BASE + "/", "/run/netns/", "/run/containerd/"))],
        "cgroups": container_groups(),
        "sockets": glob.glob("/run/containerd/s/*"),
        "bundles": glob.glob(f"{BASE}/*/state/io.containerd.runtime.v2.task/*/*") +
        glob.glob(f"{BASE}/*/bundles/*"),
        "states": glob.glob("/run/containerd/runc/*/*") + glob.glob("/run/crun/*") +
        glob.glob("/run/runc/*") + glob.glob("/run/wasmrun-oci/*") +
        [path for path in glob.glob("/run/wasmrun/*/*") if "/seccomp/" not in path],
    }
    return {key: value for key, value in here.items() if value and key not in IGNORED}


def leftovers(ignore=(), patience=5.0):
    """The snapshot, once it is empty or patience is at its end."""
    until = time.monotonic() + patience
    while True:
        left = snapshot(ignore)
        if not left or time.monotonic() > until:
            return {key: rows[:3] + ([f"and {len(rows) - 3} more"] if len(rows) > 3 else [])
                    for key, rows in left.items()}
        time.sleep(0.05)


def remove_tree(folder):
    shutil.rmtree(folder, ignore_errors=True)
