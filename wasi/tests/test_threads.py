#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests with threads (guests/threads), run by the command: what they write together, descriptors
that one closes while another waits for them, the end of all threads whatever they are doing, numbers
and limits of threads. Nothing here depends on how long anything takes, but that it ends."""
import os
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_test  # noqa: E402
from guest_test import case, expect, main  # noqa: E402

WRITERS, LINES, LINE = 8, 200, 64
STATES = range(6)  # busy, atomic.wait, read, poll, clock, write
SOON = 100  # seconds for what is immediate, on a machine that is busy
TRAP, TIMED_OUT = 134, 124


class Streams:
    """A standard input that nobody writes to, an output that nobody reads."""

    def __enter__(self):
        self.input, self.output = os.pipe(), os.pipe()
        return self

    def __exit__(self, *_):
        for end in (*self.input, *self.output):
            os.close(end)


def run(setup, words, flags=(), stdout=None, guest='threaded'):
    """Runs a case to its end; (code, stderr)."""
    with Streams() as streams:
        child = subprocess.Popen(
            [*setup.cli, *flags, setup.wasm(f'threads/{guest}'), *map(str, words)],
            stdin=streams.input[0], stdout=stdout or streams.output[1], stderr=subprocess.PIPE)
        try:
            err = child.communicate(timeout=SOON)[1].decode()
        except subprocess.TimeoutExpired:
            child.kill()
            raise AssertionError(f'{words}: still there: {child.communicate()[1]!r}') from None
        return child.returncode, err


def ends(setup, words, code=0, flags=(), **more):
    got, err = run(setup, words, flags, **more)
    expect((got, err if got == 1 else ''), (code, ''), ' '.join(map(str, words)))
    return err


class Directory:
    """A directory of the guest's, with a pipe and a file in it."""

    def __enter__(self):
        self.scratch = tempfile.TemporaryDirectory()
        os.mkfifo(self.path('fifo'))
        with open(self.path('other'), 'wb') as file:
            file.write(b'y' * 1000)
        self.flags = [f'--dir={self.scratch.name}::/']
        return self

    def __exit__(self, *_):
        self.scratch.cleanup()

    def path(self, name):
        return os.path.join(self.scratch.name, name)


def judge_lines(data):
    """All lines of all writers, none of them cut."""
    want = sorted(bytes([ord('a') + i]) * (LINE - 1) for i in range(WRITERS)) * LINES
    expect(sorted(data.split(b'\n')[:-1]) == sorted(want), True, 'all lines are whole')


# ---------------------------------------------------------------- writing together

@case
def lines_appended_by_many_threads_are_whole(setup):
    with Directory() as scratch:
        ends(setup, ['append'], flags=scratch.flags)
        with open(scratch.path('out'), 'rb') as file:
            judge_lines(file.read())


@case
def one_position_serves_many_threads(setup):
    with Directory() as scratch:
        ends(setup, ['position'], flags=scratch.flags)
        with open(scratch.path('out'), 'rb') as file:
            judge_lines(file.read())


@case
def lines_of_many_threads_in_a_pipe_are_whole(setup):
    read, write = os.pipe()
    got = []

    def take():
        with os.fdopen(read, 'rb') as file:
            got.append(file.read())

    reader = threading.Thread(target=take)
    reader.start()
    try:
        ends(setup, ['pipe'], stdout=write)
    finally:
        os.close(write)
        reader.join()
    judge_lines(got[0])


@case
def everything_at_once(setup):
    with Directory() as scratch:
        ends(setup, ['mixed'], flags=scratch.flags)


# ---------------------------------------------------------------- closing under a wait

@case
def closing_standard_input_ends_a_read_and_a_poll_of_it(setup):
    ends(setup, ['close_stdin_read'])
    ends(setup, ['close_stdin_poll'])


@case
def closing_a_descriptor_under_a_wait_never_leads_to_its_successor(setup):
    with Directory() as scratch:
        ends(setup, ['close_fifo'], flags=scratch.flags)


@case
def a_descriptor_that_is_replaced_ends_the_wait_for_it(setup):
    with Directory() as scratch:
        ends(setup, ['renumber'], flags=scratch.flags)


@case
def a_byte_in_a_pipe_wakes_one_of_two_readers(setup):
    with Directory() as scratch:
        ends(setup, ['fifo'], flags=scratch.flags)


# ---------------------------------------------------------------- the end of all

@case
def an_end_of_the_main_thread_ends_all(setup):
    ends(setup, ['exit_main'], 33)
    ends(setup, ['return_main'], 0)
    ends(setup, ['trap_main'], TRAP)


@case
def an_exit_of_a_thread_ends_all_whatever_the_main_one_does(setup):
    for state in STATES:
        ends(setup, ['exit_child', state], 33)


@case
def a_trap_of_a_thread_is_reported_with_its_backtrace(setup):
    for state in STATES:
        err = ends(setup, ['trap_child', state], TRAP)
        for text in ('trap: unreachable', 'trapping', 'wasi_thread_start'):
            expect(text in err, True, f'{text} in {err!r}')
        expect(err.count('trap:'), 1, 'one report')


@case
def a_thread_outside_of_its_memory_traps(setup):
    for memory in ('guard', 'explicit'):
        err = ends(setup, ['fault_child', 1], TRAP, [f'--memory={memory}'])
        expect('out of bounds memory access' in err and 'reaching' in err, True, err)


@case
def many_threads_exit_at_once(setup):
    for _ in range(10):
        ends(setup, ['exit_race'], 33)


@case
def a_timeout_ends_all(setup):
    err = ends(setup, ['all_wait'], TIMED_OUT, ['--timeout=1s'])
    expect('did not stop' in err, False, err)


@case
def fuel_ends_all(setup):
    err = ends(setup, ['all_wait'], TIMED_OUT, ['--fuel=10000000'])
    expect('fuel' in err, True, err)


@case
def a_trap_of_a_thread_leaves_a_core_dump_of_it(setup):
    with tempfile.TemporaryDirectory() as scratch:
        core = os.path.join(scratch, 'core')
        ends(setup, ['trap_child', 1], TRAP, [f'--coredump={core}'])
        with open(core, 'rb') as file:
            expect(file.read(4), b'\0asm')


# ---------------------------------------------------------------- sockets

@case
def threads_serve_and_connect(setup):
    ends(setup, ['echo'], flags=['--net=allow=127.0.0.1'], guest='sockets')


@case
def closing_a_socket_ends_the_wait_for_it(setup):
    ends(setup, ['closing'], flags=['--net=allow=127.0.0.1'], guest='sockets')


@case
def an_exit_ends_waits_for_sockets(setup):
    ends(setup, ['exiting'], 33, ['--net=allow=127.0.0.1'], guest='sockets')


@case
def threads_look_names_up(setup):
    ends(setup, ['names'], flags=['--allow-resolve'], guest='sockets')


# ---------------------------------------------------------------- start functions

SPAWN, EXIT = 0, 1  # indices of functions


def section(number, *items):
    body = bytes([len(items)]) + b''.join(items)
    return bytes([number, len(body)]) + body


def name(text):
    return bytes([len(text)]) + text.encode()


def code(*words):
    body = b'\0' + bytes(words) + b'\x0b'
    return bytes([len(body)]) + body


def starting(action):
    """A module whose start function does something in all instances but the first. The program makes
    a thread and exits with 3 when it can't."""
    imports = [name('wasi') + name('thread-spawn') + b'\0\0',
               name('wasi_snapshot_preview1') + name('proc_exit') + b'\0\1',
               name('env') + name('memory') + b'\2\3\1\1']
    first = [0x41, 0, 0x41, 1, 0xfe, 0x1e, 2, 0, 0x45, 0x04, 0x40, 0x0f, 0x0b]
    program = [0x41, 5, 0x10, SPAWN, 0x41, 0, 0x4c, 0x41, 3, 0x6c, 0x10, EXIT]
    exports = [name('_start') + b'\0\3', name('wasi_thread_start') + b'\0\4']
    return b'\0asm\1\0\0\0' + \
        section(1, b'\x60\1\x7f\1\x7f', b'\x60\1\x7f\0', b'\x60\0\0', b'\x60\2\x7f\x7f\0') + \
        section(2, *imports) + section(3, b'\2', b'\2', b'\3') + section(13, b'\0\2') + \
        section(7, *exports) + b'\x08\1\2' + section(10, code(*first, *action), code(*program), code())


ACTIONS = {
    'returns': ([], 0),
    'traps': ([0x00], TRAP),
    'throws': ([0x08, 0x00], TRAP),
    'exits': ([0x41, 44, 0x10, EXIT], 44),
    'is busy': ([0x03, 0x40, 0x0c, 0, 0x0b], TIMED_OUT),
    'waits': ([0x41, 4, 0x41, 0, 0x42, 0x7f, 0xfe, 0x01, 2, 0, 0x1a], TIMED_OUT),
    'makes the next, up to 20': ([0x41, 0, 0xfe, 0x10, 2, 0, 0x41, 20, 0x48, 0x04, 0x40,
                                  0x41, 5, 0x10, SPAWN, 0x1a, 0x0b], 0),
}


@case
def a_start_function_runs_on_the_new_thread_and_ends_all_like_it(setup):
    for what, (action, want) in ACTIONS.items():
        with tempfile.NamedTemporaryFile(suffix='.wasm') as file:
            file.write(starting(action))
            file.flush()
            limit = ['--timeout=1s'] if want == TIMED_OUT else []
            got, _, err = guest_test.run([*setup.cli, *limit, file.name], timeout=SOON)
        expect((got, 'did not stop' in err), (want, False), f'{what}: {err}')


# ---------------------------------------------------------------- numbers and limits

@case
def threads_have_numbers_of_their_own(setup):
    ends(setup, ['numbers'])


@case
def threads_are_limited_at_a_time(setup):
    ends(setup, ['limit'], flags=['--max-threads=4'])
    ends(setup, ['forbidden'], flags=['--max-threads=0'])
    code, err = run(setup, ['forbidden'], ['--max-threads=many'])
    expect((code, 'is not a number from 0' in err), (125, True))


@case
def threads_come_and_go_by_the_hundred(setup):
    ends(setup, ['storm'])


@case
def a_module_without_an_entry_for_threads_makes_none(setup):
    code, _, err = setup.run_cli([], 'threads/no_entry')
    expect((code, 'trap' in err), (7, False))


if __name__ == '__main__':
    main()
