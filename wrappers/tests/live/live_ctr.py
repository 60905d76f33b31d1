#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `ctr` does with the runtime on a containerd of our own: run, streams, terminals, exec,
signals, pause, update, metrics, events."""
import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import harness
import images
from harness import Skip, case, wait_for
from node import Events, Node


def read_all(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


@case
def run_prints_and_ends_with_0(node):
    done = node.run("hello", "one", "two words", options=("--env", "WHO=ctr"))
    assert (done.returncode, done.stdout) == (0, b"hello ctr one two words\n"), done


@case(wasm=True)
def run_uses_the_entrypoint_of_an_image_from_scratch(node):
    done = node.ctr(*node.run_words("--rm"), node.name())
    assert (done.returncode, done.stdout) == (0, b"hello world\n"), done


@case(wasm=True)
def an_image_for_the_platform_wasm(node):
    """As images of the field have it: wasip1/wasm."""
    path, name = f"{node.home}/wasm.tar", "localhost/wasm:1"
    entries = [row for row in images.guest_entries(node.options.build, False) if row[0] == "hello.wasm"]
    images.write_archive(path, name, entries, ["/hello.wasm"], ("wasip1", "wasm"))
    node.ok("images", "import", "--all-platforms", "--no-unpack", path)
    done = node.ctr(*node.run_words("--rm", "--platform", "wasip1/wasm", image=name), node.name())
    assert (done.returncode, done.stdout) == (0, b"hello world\n"), done


@case(wasm=True)
def an_image_that_wasmrun_has_packed(node):
    for platform, options in (("linux/" + images.machine_arch(), ()), ("wasip1/wasm", ("--all-platforms", "--no-unpack"))):
        path, name = f"{node.home}/packed.tar", f"localhost/packed:{platform.split('/')[1]}"
        subprocess.run([node.options.binary("wasmrun"), "pack", f"{node.options.build}/live/environ.wasm",
                        f"{node.options.build}/live/hello.wasm", "--entrypoint", "/hello.wasm", "--env", "WHO=pack",
                        "--platform", platform, "--ref", name, "-o", path, "--", "a", "b c"], check=True)
        node.ok("images", "import", "--snapshotter", node.snapshotter, *options, path)
        done = node.ctr(*node.run_words("--rm", "--platform", platform, image=name), node.name())
        assert (done.returncode, done.stdout) == (0, b"hello pack a b c\n"), (platform, done)


@case
def exit_codes_are_the_guests(node):
    for code in (0, 1, 3, 42, 126, 255):
        done = node.run("exit", str(code))
        assert done.returncode == code, (code, done)
        assert done.stderr == b"exit %d\n" % code, done.stderr


@case
def standard_input_comes_and_ends(node):
    data = b"".join(b"line %d\n" % i for i in range(20000))
    done = node.run("echo", stdin=data)
    assert done.returncode == 0, done
    assert done.stdout == data + b"eof %d\n" % len(data), (len(done.stdout), done.stdout[-80:])


@case
def a_program_that_is_missing_is_an_error_that_names_it(node):
    done = node.run("nothing-of-that-name")
    assert done.returncode != 0 and b"nothing-of-that-name" in done.stderr, done


@case(wasm=True)
def a_module_that_is_malformed_is_an_error(node):
    done = node.ctr(*node.run_words("--rm"), node.name(), "/bad.wasm")
    assert done.returncode != 0 and b"bad.wasm" in done.stderr + done.stdout, done


@case(wasm=True)
def another_function_of_a_module(node):
    done = node.ctr(*node.run_words("--rm"), node.name(), "/hello.wasm#nothing")
    assert done.returncode != 0 and b"nothing" in done.stderr, done


@case(wasm=True)
def linux_programs_are_delegated(node):
    done = node.ctr(*node.run_words("--rm", image=images.BUSYBOX), node.name(), "/bin/sh", "-c", "echo linux; exit 5")
    assert (done.returncode, done.stdout) == (5, b"linux\n"), done


@case(wasm=True)
def annotations_choose(node):
    for text, good in (("module.wasm.image/variant=compat", True), ("module.wasm.image/variant=compat-smart", True),
                       ("run.oci.handler=wasm", True), ("module.wasm.image/variant=other", False)):
        done = node.run("hello", options=("--annotation", text))
        assert (done.returncode == 0) == good, (text, done)


def answer_names(server):
    """DNS for a while: every question of an IPv4 address is answered with 10.4.5.6."""
    while True:
        try:
            asked, peer = server.recvfrom(512)
        except OSError:
            return  # it was shut down
        if len(asked) > 12:
            server.sendto(asked[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + asked[12:asked.index(b"\0", 12) + 5] +
                          struct.pack(">3HIH4B", 0xc00c, 1, 1, 60, 4, 10, 4, 5, 6), peer)


@case(wasm=True)
def names_are_looked_up_whatever_the_image_says_of_services(node):
    """Files and DNS: a shared library of the image is never asked, nor does it stand in the way."""
    other = b"hosts: other [UNAVAIL=return]\nservices: other [UNAVAIL=return]\n"
    rows = [row for row in images.guest_entries(node.options.build, False) if row[0] == "http.wasm"] + [
        ("etc", None, 0o755), ("etc/hosts", b"10.1.2.3 known.example\n", 0o644),
        ("etc/services", b"http 80/tcp\n", 0o644), ("etc/resolv.conf", b"nameserver 127.0.0.53\n", 0o644)]
    own = f"network:/proc/{os.getpid()}/ns/net"  # --net-host would mount the files of the host
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.53", 53))
    threading.Thread(target=answer_names, args=(server,), daemon=True).start()
    for image, more in (("localhost/names:1", []), ("localhost/names:2", [("etc/nsswitch.conf", other, 0o644)])):
        node.import_image(image, rows + more, ["/http.wasm"])
        for name, said in (("known.example", b"10.1.2.3 80\n"), ("asked.example", b"10.4.5.6 80\n")):
            done = node.ctr(*node.run_words("--rm", "--with-ns", own, image=image), node.name(), "/http.wasm",
                            "name", name)
            assert (done.returncode, done.stdout) == (0, said), (image, done)
    server.close()


@case
def a_signal_ends_it_with_its_code(node):
    for name, code in (("SIGKILL", 137), ("SIGTERM", 143)):
        if code == 143 and not node.options.runtime.startswith("wasmrun"):
            continue  # the first process of a pid namespace takes no TERM by default
        ident, out = node.detach("sleeper")
        wait_for("up", lambda: "up" in read_all(out))
        node.ok("tasks", "kill", "-s", name, ident)
        node.wait_status(ident, "STOPPED")
        assert node.deleted(ident) == code, name


@case(wasm=True)
def a_guest_that_spins_ends_at_a_term(node):
    ident, out = node.detach("hostile", "spin")
    wait_for("spin", lambda: "spin" in read_all(out))
    node.ok("tasks", "kill", "-s", "SIGTERM", ident)
    node.wait_status(ident, "STOPPED")
    assert node.deleted(ident) == 143


@case
def ctr_passes_its_own_signals_on(node):
    name = node.name()
    child = node.popen(*node.run_words("--rm"), name, node.program("sleeper"), stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"up\n"
    time.sleep(0.3)  # ctr listens for signals after the start
    child.send_signal(signal.SIGINT if node.options.runtime.startswith("wasmrun") else signal.SIGTERM)
    if not node.options.runtime.startswith("wasmrun"):
        node.ok("tasks", "kill", "-s", "SIGKILL", name)
    assert child.wait(20) in (130, 137), child.returncode


@case
def pause_and_resume(node):
    ident, out = node.detach("ticker")
    wait_for("ticks", lambda: len(read_all(out)) > 10)
    node.ok("tasks", "pause", ident)
    assert node.tasks()[ident][1] == "PAUSED", node.tasks()
    time.sleep(0.1)
    before = len(read_all(out))
    time.sleep(0.3)
    assert len(read_all(out)) == before
    node.ok("tasks", "resume", ident)
    assert node.tasks()[ident][1] == "RUNNING"
    wait_for("more ticks", lambda: len(read_all(out)) > before)
    node.remove(ident)


@case
def a_paused_guest_can_be_killed(node):
    ident, _ = node.detach("ticker")
    node.ok("tasks", "pause", ident)
    node.ok("tasks", "kill", "-s", "SIGKILL", ident)
    node.wait_status(ident, "STOPPED")
    node.remove(ident)


@case
def processes_and_metrics(node):
    ident, _ = node.detach("sleeper")
    pid = node.tasks()[ident][0]
    rows = [line.split()[0] for line in node.ok("tasks", "ps", ident).splitlines()[1:]]
    assert str(pid) in rows, rows
    text = node.ok("tasks", "metrics", ident)
    assert ident in text, text
    if os.path.isdir("/sys/fs/cgroup/memory"):
        value = re.search(r"memory\.usage_in_bytes\s+(\d+)", text)
        assert value and int(value.group(1)) > 0, text
    node.remove(ident)


@case
def limits_are_set_and_seen(node):
    if not os.path.isdir("/sys/fs/cgroup/memory"):
        raise Skip("this view has no memory controller")
    ident, _ = node.detach("sleeper", options=("--memory-limit", str(64 << 20)))
    path = f"/sys/fs/cgroup/memory/{node.namespace}/{ident}/memory.limit_in_bytes"
    assert int(read_all(path)) == 64 << 20
    node.remove(ident)


@case
def exec_runs_beside(node):
    ident, _ = node.detach("sleeper")
    done = node.ctr("tasks", "exec", "--exec-id", "e1", ident, node.program("hello"), "there")
    assert (done.returncode, done.stdout) == (0, b"hello world there\n"), done
    done = node.ctr("tasks", "exec", "--exec-id", "e2", ident, node.program("exit"), "7")
    assert done.returncode == 7, done
    done = node.ctr("tasks", "exec", "--exec-id", "e3", ident, node.program("echo"), stdin=b"in\n")
    assert done.stdout == b"in\neof 3\n", done
    done = node.ctr("tasks", "exec", "--exec-id", "e4", ident, "/nothing")
    assert done.returncode != 0 and b"nothing" in done.stderr, done
    assert node.tasks()[ident][1] == "RUNNING"
    node.remove(ident)


def on_terminal(node, words, size=(24, 80)):
    """A child on a pseudo-terminal and the master's descriptor."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def own():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    child = subprocess.Popen(node.argv(*words), stdin=slave, stdout=slave, stderr=slave, preexec_fn=own)
    # Until ctr has made this terminal raw, it would echo as well.
    wait_for("a raw terminal", lambda: not termios.tcgetattr(slave)[3] & termios.ECHO)
    os.close(slave)
    return child, master


def read_until(master, text, patience=15):
    """Reads until it has come; carriage returns, of which each terminal adds one, are left out."""
    data, until = b"", time.monotonic() + patience
    while text not in data:
        if not select.select([master], [], [], max(0, until - time.monotonic()))[0]:
            raise AssertionError(f"{text!r} is not in {data!r}")
        try:
            part = os.read(master, 65536)
        except OSError:
            part = b""
        if not part:
            raise AssertionError(f"the terminal ended: {data!r}")
        data += part.replace(b"\r", b"")
    return data


@case
def a_terminal(node):
    child, master = on_terminal(node, node.run_words("--rm", "-t") + [node.name(), node.program("echo")])
    os.write(master, b"typed\n")
    read_until(master, b"typed\ntyped\n")
    os.write(master, b"\x04")
    read_until(master, b"eof 6\n")
    assert child.wait(20) == 0
    os.close(master)


@case
def a_terminal_is_resized(node):
    words = node.run_words("--rm", "-t", image=images.BUSYBOX)
    child, master = on_terminal(node, words + [node.name(), "/bin/sh", "-c", "read x; stty size; read x; stty size"],
                                (30, 90))
    time.sleep(0.5)  # the first size arrives after the start
    os.write(master, b"\n")
    read_until(master, b"30 90")
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 120, 0, 0))
    child.send_signal(signal.SIGWINCH)
    time.sleep(0.5)
    os.write(master, b"\n")
    read_until(master, b"44 120")
    assert child.wait(20) == 0
    os.close(master)


@case(wasm=True)
def a_guests_terminal_is_resized(node):
    name = node.name()
    child, master = on_terminal(node, node.run_words("-t") + [name, "/sleeper.wasm"], (30, 90))
    read_until(master, b"up")
    pid = node.tasks()[name][0]

    def size():
        with open(f"/proc/{pid}/fd/1", "rb", buffering=0) as file:
            return struct.unpack("HHHH", fcntl.ioctl(file, termios.TIOCGWINSZ, b"\0" * 8))[:2]
    wait_for("30x90", lambda: size() == (30, 90))
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 120, 0, 0))
    child.send_signal(signal.SIGWINCH)
    wait_for("44x120", lambda: size() == (44, 120))
    node.ok("tasks", "kill", "-s", "SIGKILL", name)
    child.wait(20)
    os.close(master)
    node.remove(name)


@case
def events_come_in_order(node):
    with Events(node) as events:
        name = node.name("ev")
        node.ok(*node.run_words("--rm"), name, node.program("hello"))
        order = wait_for("the events", lambda: events.of(name) if "delete" in events.of(name) else None)
        assert order == ["create", "start", "exit", "delete"], order
        ident, _ = node.detach("sleeper")
        node.ok("tasks", "exec", "--exec-id", "x1", ident, node.program("hello"))
        node.ok("tasks", "pause", ident)
        node.ok("tasks", "resume", ident)
        node.remove(ident)
        order = wait_for("the events", lambda: events.of(ident) if events.of(ident).count("exit") == 2 and
                         events.of(ident)[-1] == "delete" else None)
        wanted = ["create", "start", "exec-added", "exec-started", "exit", "paused", "resumed", "exit", "delete"]
        assert [word for i, word in enumerate(order) if word != "delete" or i == len(order) - 1] == wanted, order


@case
def a_name_can_be_used_again(node):
    for _ in range(3):
        done = node.ctr(*node.run_words("--rm"), "again", node.program("hello"))
        assert done.returncode == 0, done


@case
def twenty_at_once(node):
    children = [node.popen(*node.run_words("--rm"), node.name("many"), node.program("exit"), str(i),
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for i in range(20)]
    codes = [child.wait(60) for child in children]
    assert codes == list(range(20)), (codes, [child.stderr.read() for child in children])


sys.exit(harness.main(__doc__, Node))
