# SPDX-License-Identifier: Apache-2.0
"""What the tests over real guests share: the command line, running programs, counting results."""
import argparse
import os
import resource
import shlex
import subprocess
import sys
import traceback

CASES = []


def case(function):
    """Marks a test: it gets the Setup and raises when something is wrong."""
    CASES.append(function)
    return function


class Setup:
    def __init__(self, options):
        self.host = shlex.split(options.host)
        self.cli = shlex.split(options.cli)
        self.preload = options.preload
        self.plain = options.plain  # what is told is judged by what is shipped
        self.guests = options.guests

    def wasm(self, name):
        return os.path.join(self.guests, name + '.wasm')

    def run_host(self, flags, guest, *words, stdin=subprocess.DEVNULL, timeout=60):
        """Runs a guest in the loop host; (exit code, stdout, stderr)."""
        return run(self.host + [*map(str, flags)] + [self.wasm(guest), *map(str, words)], stdin, timeout)

    def run_cli(self, flags, guest, *words, stdin=subprocess.DEVNULL, timeout=60):
        return run(self.cli + list(flags) + [self.wasm(guest), *map(str, words)], stdin, timeout)


STARTED = []


def start(command, **more):
    """Starts a process; it is killed at the end of the test, should it still be there."""
    child = subprocess.Popen(command, **more)  # pylint: disable=consider-using-with
    STARTED.append(child)
    return child


def run(command, stdin=subprocess.DEVNULL, timeout=60):
    give = {'input': stdin} if isinstance(stdin, bytes) else {'stdin': stdin}
    done = subprocess.run(command, capture_output=True, timeout=timeout, check=False, **give)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def report(text):
    """The numbers of loop_host's --report line."""
    words = text.strip().splitlines()[-1].split()
    return dict(zip(words[0::2], map(int, words[1::2])))


def many(wanted):
    """How many guests there may be: each holds a descriptor. All that the system lets us have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most - 100)


def expect(got, want, what=''):
    if got != want:
        raise AssertionError(f'{what}: got {got!r}, want {want!r}')


def at_most(got, most, what):
    if got > most:
        raise AssertionError(f'{what}: {got} is more than {most}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--host', required=True)
    parser.add_argument('--cli', required=True)
    parser.add_argument('--only', default='')
    parser.add_argument('--preload', default='')
    parser.add_argument('--plain', action='store_true')
    parser.add_argument('guests')
    options = parser.parse_args()
    setup = Setup(options)
    passed = failed = 0
    for test in CASES:
        if options.only not in test.__name__:
            continue
        try:
            test(setup)
            passed += 1
            print('ok  ', test.__name__)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print('FAIL', test.__name__)
            traceback.print_exc()
        for child in STARTED:
            if child.poll() is None:
                child.kill()
                child.wait()
        STARTED.clear()
        sys.stdout.flush()
    print(f'{passed} passed, {failed} failed, 0 skipped')
    sys.exit(1 if failed else 0)
