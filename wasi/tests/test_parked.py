#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests that are ended while parked, in every operation that parks: killed, stopped and woken in a
loop, timed out and terminated in the command line tool. Right codes, at once, nothing left behind
(the sanitizer of the asan preset says so at exit)."""
import concurrent.futures
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_test  # noqa: E402
from guest_test import at_most, case, expect, main  # noqa: E402

STREAMS = ('read', 'write', 'poll_read', 'poll_write')
SLOW = ('names', 'names_wamr', 'sync')  # the host takes its time: nobody ends that
SLOW_MS = 900  # for the command, which waits for it; a loop has other things to do
LOOP_SLOW_MS = 2000
TURNS = ('yield', 'random')  # never waits, but gives others their turn
PLAIN = ('accept', 'accept_v2', 'connect', 'connect_wamr', 'connect_unix', 'recv', 'recv_v2',
         'recv_all', 'recv_from', 'recv_from_v2', 'recv_from_wamr', 'send', 'send_v2', 'send_to',
         'poll_clock', 'poll_socket', 'epoll')
CANCELED, INTR = 11, 27
KILLED = 124
SOON = 20  # seconds for what is immediate, on a machine that is busy
AFTER_MS = 400  # when it comes: the guest is parked by then


class Ends:
    """Both ends of a stream of a guest; those of ours do nothing."""

    def __init__(self, kind):
        if kind == 'pipe':
            self.ends = os.pipe()
        elif kind == 'tty':
            self.ends = pty.openpty()
        else:
            left, right = socket.socketpair()
            self.ends = left.detach(), right.detach()
        self.kind = kind

    def of_guest(self, writes):
        """A pipe is read from its first end and written to its second; of a pair the last is its."""
        return self.ends[0] if self.kind == 'pipe' and not writes else self.ends[1]

    def close(self):
        for end in self.ends:
            os.close(end)


def run(setup, command, what, kind, expected, env=None):
    """Runs a guest to its end, which comes from outside; what is wrong, or ''."""
    ends = Ends(kind)
    writes = what in ('write', 'poll_write')
    with tempfile.TemporaryDirectory() as scratch:
        words = [*command, '--net=inherit', '--allow-resolve', f'--dir={scratch}::/',
                 setup.wasm('parked'), what]
        begun = time.monotonic()
        child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL if writes else ends.of_guest(False),
            stdout=ends.of_guest(True) if writes else subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})})
        if expected == -signal.SIGTERM:
            first = child.stderr.readline()
            time.sleep(AFTER_MS / 1000)
            child.send_signal(signal.SIGTERM)
        else:
            first = b''
        try:
            err = (first + child.communicate(timeout=100)[1]).decode()
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            err = 'still there'
        took = time.monotonic() - begun
    ends.close()
    told = f'errno {expected}\n' in err
    right = child.returncode == expected and err.startswith('ready\n') and \
        told == (expected in (CANCELED, INTR)) and ('errno' in err) == told
    if right and took < SOON and 'did not stop' not in err:
        return ''
    return f'{what} on a {kind}, {" ".join(command)}: code {child.returncode} {err!r} {took:.1f} s'


def all_of(jobs):
    """Runs those many side by side: they only wait."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = [w for w in pool.map(lambda job: run(*job), jobs) if w]
    print(f'     {len(jobs)} guests')
    expect(wrong, [])


def operations(setup, slow_ms=SLOW_MS):
    """Each operation, what its stream is, and what of the environment it wants."""
    for what in PLAIN + TURNS:
        yield what, 'pipe', {}
    for what in STREAMS:
        for kind in ('pipe', 'tty', 'socket'):
            yield what, kind, {}
    if len(setup.host) == 1:  # an emulator preloads into itself
        for what in SLOW:
            yield what, 'pipe', {'LD_PRELOAD': setup.preload, 'SLOW_MS': str(slow_ms)}


def in_a_loop(setup, flags, code):
    return [(setup, [*setup.host, *more, *flags], what, kind, code, env)
            for what, kind, env in operations(setup, LOOP_SLOW_MS) for more in ([], ['--park'])]


@case
def killed_in_every_operation(setup):
    all_of(in_a_loop(setup, [f'--kill-ms={AFTER_MS}'], KILLED))


@case
def stopped_in_every_operation(setup):
    """One that gives turns does not wait and goes on until the grace is over."""
    jobs = in_a_loop(setup, [f'--stop-ms={AFTER_MS}', '--grace-ms=2500'], CANCELED)
    all_of([(*job[:4], KILLED, job[5]) if job[2] in TURNS else job for job in jobs])


@case
def woken_in_every_operation(setup):
    """A wake is one: where something was moved that is told first, and the next wait is another."""
    jobs = in_a_loop(setup, [f'--wake-ms={AFTER_MS}'], INTR)
    told = TURNS + ('recv_all', 'send', 'send_v2', 'write')
    all_of([job for job in jobs
            if job[2] not in told and job[2:4] != ('poll_write', 'tty')])  # room comes and goes


@case
def timed_out_in_every_operation(setup):
    all_of([(setup, [*setup.cli, f'--timeout={AFTER_MS}ms'], what, kind, KILLED, env)
            for what, kind, env in operations(setup)])


@case
def terminated_in_every_operation(setup):
    all_of([(setup, setup.cli, what, kind, -signal.SIGTERM, env)
            for what, kind, env in operations(setup)])


if __name__ == '__main__':
    main()
