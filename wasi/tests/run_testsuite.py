#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the WASI preview1 test programs: every NAME.wasm below a directory, as its NAME.json says.

usage: run_testsuite.py [--engine 'wasmrun {dirs} {envs} {wasm} {args}'] [--only REGEX] [--threads]
                        DIRECTORY

{dirs} becomes one --dir HOST::/ where a test wants a directory (a fresh copy each time), {envs}
the --env K=V of the test, {args} its arguments. Prints a line for each test; the last line is
'N passed, N failed, N skipped'. The programs of wasi-threads need --threads, an engine that gives
them some; their standard input is a pipe in which nothing ever comes."""
import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

DEFAULTS = {'args': [], 'root': None, 'env': {}, 'exit_code': 0}


def expand(engine, wasm, spec, root):
    """The command line of one test."""
    words = []
    for word in shlex.split(engine):
        if word == '{dirs}':
            words += [f'--dir={root}::/'] if root else []
        elif word == '{envs}':
            words += [f'--env={k}={v}' for k, v in spec['env'].items()]
        elif word == '{args}':
            words += spec['args']
        else:
            words.append(word.replace('{wasm}', wasm))
    return words


def judge(spec, done):
    """What is wrong with a finished run, or ''."""
    wrong = []
    if done.returncode != spec['exit_code']:
        wrong.append(f"exit {done.returncode}, want {spec['exit_code']}")
    for stream in ('stdout', 'stderr'):
        got = getattr(done, stream)
        if stream in spec and got != spec[stream].encode():
            wrong.append(f'{stream} {got[:60]!r}, want {spec[stream]!r}')
    if wrong and done.stderr:
        wrong.append(done.stderr.decode(errors='replace').strip()[-300:].replace('\n', ' | '))
    return '; '.join(wrong)


def start(words, silent, timeout):
    """Runs a command; `silent`: its standard input never ends."""
    ends = os.pipe() if silent else (subprocess.DEVNULL, None)
    try:
        return subprocess.run(words, stdin=ends[0], capture_output=True, timeout=timeout, check=False)
    finally:
        for end in ends if silent else ():
            os.close(end)


def run(engine, wasm, timeout):
    """'' when the test passes, else why not."""
    spec = dict(DEFAULTS)
    beside = wasm[:-len('.wasm')] + '.json'
    if os.path.exists(beside):
        with open(beside, encoding='utf-8') as file:
            spec.update(json.load(file))
    with tempfile.TemporaryDirectory() as scratch:
        root = None
        if spec['root']:
            root = os.path.join(scratch, 'root')
            shutil.copytree(os.path.join(os.path.dirname(wasm), spec['root']), root)
        try:
            done = start(expand(engine, wasm, spec, root), 'wasi-threads' in wasm, timeout)
        except subprocess.TimeoutExpired:
            return f'still running after {timeout} s'
        return judge(spec, done)


def find(directory):
    for folder, dirs, files in os.walk(directory):
        dirs.sort()
        for name in sorted(files):
            if name.endswith('.wasm'):
                yield os.path.join(folder, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('directory')
    parser.add_argument('--engine', default='wasmrun {dirs} {envs} {wasm} {args}')
    parser.add_argument('--only', default='')
    parser.add_argument('--threads', action='store_true')
    parser.add_argument('--timeout', type=float, default=60)
    options = parser.parse_args()
    passed = failed = skipped = 0
    for wasm in find(os.path.abspath(options.directory)):
        name = os.path.relpath(wasm, options.directory)
        if not re.search(options.only, name):
            continue
        if 'wasi-threads' in name and not options.threads:
            skipped += 1
            print('SKIP', name, '(threads)')
            continue
        wrong = run(options.engine, wasm, options.timeout)
        passed += not wrong
        failed += bool(wrong)
        print('FAIL' if wrong else 'ok  ', name, wrong)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
