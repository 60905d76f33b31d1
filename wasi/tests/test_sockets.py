#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sockets of both extensions and of preview1, without a loop, in one, and with every call parked."""
import os
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest_test  # noqa: E402
from guest_test import at_most, case, expect, main, report  # noqa: E402

CALM = 0.3  # seconds for a guest to get to where it waits


def every_way(setup, flags, *words):
    """Runs a guest by the command line tool, in a loop, and with every call parked."""
    for name, run, more in (('cli', setup.run_cli, []), ('loop', setup.run_host, []),
                            ('park', setup.run_host, ['--park'])):
        code, out, err = run([*more, *flags], *words)
        expect((code, out), (0, ''), f'{name} {words} {err}')


def start(command, **more):
    return guest_test.start(command, stdout=subprocess.PIPE, **more)


def request(port, times=1):
    """Asks the server; what it answered."""
    with socket.create_connection(('127.0.0.1', port), timeout=20) as conn:
        for _ in range(times):
            conn.sendall(b'GET / HTTP/1.1\r\nhost: x\r\n\r\n')
            got = b''
            while not got.endswith(b'World!'):
                more = conn.recv(4096)
                if not more:
                    return got
                got += more
    return got


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def cpu_seconds(pid):
    """Of all threads that there are, to the nanosecond."""
    total = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/schedstat', encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total / 1e9


@case
def wasmedge_tcp_and_udp(setup):
    for what in ('tcp4', 'tcp6', 'udp4', 'udp6'):
        every_way(setup, ['--net=inherit'], 'we_test', what)


@case
def wasmedge_options_and_timeouts(setup):
    every_way(setup, ['--net=inherit'], 'we_test', 'options')


@case
def wasmedge_unix_sockets_stay_beneath_preopens(setup):
    for run, more in ((setup.run_cli, []), (setup.run_host, ['--park'])):
        for net in ('inherit', 'allow=unix'):
            with tempfile.TemporaryDirectory() as scratch:
                inside = os.path.join(scratch, 'inside')
                os.mkdir(inside)
                flags = [*more, f'--net={net}', f'--dir={inside}::/u']
                code, out, _ = run(flags, 'we_test', 'unix', '/u/sock')
                expect((code, out), (0, ''), net)
                expect((os.listdir(scratch), os.listdir(inside)), (['inside'], ['sock']))


@case
def wasmedge_names(setup):
    every_way(setup, ['--allow-resolve'], 'we_test', 'names')


@case
def wasmedge_edge_triggered_polling(setup):
    every_way(setup, ['--net=inherit'], 'we_test', 'edge')


@case
def wamr_everything(setup):
    for what in ('tcp4', 'tcp6', 'udp', 'options'):
        every_way(setup, ['--net=inherit'], 'wamr_test', what)
    every_way(setup, ['--allow-resolve'], 'wamr_test', 'names')


@case
def no_network_unless_asked_for(setup):
    every_way(setup, [], 'wamr_test', 'denied')
    every_way(setup, ['--net=none'], 'wamr_test', 'denied')


@case
def the_policy_holds_for_every_address(setup):
    every_way(setup, ['--net=allow=127.0.0.1'], 'we_test', 'denied')


@case
def a_socket_that_only_sent_hears_only_who_is_allowed(setup):
    for command in (setup.cli, setup.host, setup.host + ['--park']):
        child = start([*command, '--net=allow=127.0.0.1', setup.wasm('we_test'), 'unbound'])
        port = int(child.stdout.readline())
        with socket.socket(type=socket.SOCK_DGRAM) as bad, \
                socket.socket(type=socket.SOCK_DGRAM) as good:
            bad.bind(('127.0.0.2', 0))
            for _ in range(200):
                bad.sendto(b'evil', ('127.0.0.1', port))
            good.bind(('127.0.0.1', 0))
            good.sendto(b'kind', ('127.0.0.1', port))
        out, _ = child.communicate(timeout=20)
        expect(out, b'kind from 127.0.0.1\n')


@case
def bad_network_options_are_told(setup):
    for flag in ('--net=some', '--net=allow=', '--net=allow=1.2.3', '--net=allow=1.2.3.4/33',
                 '--net=allow=1.2.3.4:0', '--net=allow=1.2.3.4:70000', '--listen=8080',
                 '--listen=localhost:80', '--listen-fds'):
        code, out, err = setup.run_cli([flag], 'we_test', 'tcp4')
        expect((code, out, flag.split('=', maxsplit=1)[0][2:] in err), (125, '', True), flag)


@case
def blocked_calls_end_when_killed_or_stopped(setup):
    for what in ('accept', 'recv', 'send'):
        for flags in ([], ['--park']):
            code, _, _ = setup.run_host([*flags, '--net=inherit', '--kill-ms=300'], 'we_test',
                                        'blocked', what)
            expect(code, 124, f'kill {what}')
            code, _, _ = setup.run_host([*flags, '--net=inherit', '--stop-ms=300'], 'we_test',
                                        'blocked', what)
            expect(code, 11, f'stop {what}')
        code, _, _ = setup.run_cli(['--net=inherit', '--timeout=500ms'], 'we_test', 'blocked', what)
        expect(code, 124, f'timeout {what}')


@case
def a_given_listener_needs_no_network(setup):
    port = free_port()
    child = start([*setup.cli, f'--listen=127.0.0.1:{port}', setup.wasm('server'), 'fd', '3'])
    expect(child.stdout.readline(), b'ready\n')
    expect(request(port, 3)[-13:], b'Hello, World!')
    child.terminate()
    child.communicate()


@case
def listeners_come_after_directories(setup):
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        child = start([*setup.cli, f'--listen=127.0.0.1:{port}', f'--dir={scratch}::/',
                       setup.wasm('server'), 'fd', '4'])
        expect(child.stdout.readline(), b'ready\n')
        expect(request(port)[-13:], b'Hello, World!')
        child.terminate()
        child.communicate()


@case
def sockets_of_a_service_manager(setup):
    """LISTEN_PID must be the process itself: a shell becomes it."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(8)
        port = listener.getsockname()[1]
        saved = os.dup(listener.fileno())

        def become():
            os.dup2(saved, 3)

        words = ' '.join([*setup.cli, '--listen-fds', setup.wasm('server'), 'fd', '3'])
        script = f'LISTEN_PID=$$ LISTEN_FDS=1 exec {words}'
        child = start(['sh', '-c', script], preexec_fn=become, close_fds=False)
        expect(child.stdout.readline(), b'ready\n')
        expect(request(port)[-13:], b'Hello, World!')
        child.terminate()
        child.communicate()
        os.close(saved)


@case
def an_idle_connection_lets_the_guest_sleep(setup):
    """It spins without the hold on stale readiness to write; bench/wasi.py has the exact figure."""
    for command in (setup.cli, setup.host):
        port = free_port()
        child = start([*command, '--net=allow=127.0.0.1', setup.wasm('server'), 'port', str(port)])
        expect(child.stdout.readline(), b'ready\n')
        with socket.create_connection(('127.0.0.1', port)) as conn:
            conn.sendall(b'GET / HTTP/1.1\r\n\r\n')
            conn.recv(1000)
            time.sleep(CALM)
            before = cpu_seconds(child.pid)
            time.sleep(3)
            used = cpu_seconds(child.pid) - before
            print(f'     CPU: {used / 3:.2%}')
            at_most(used / 3, 0.05 if setup.plain else 0.2, 'of a core')
        child.terminate()
        child.communicate()


@case
def a_thousand_connections(setup):
    count = guest_test.many(1000)
    print(f'     {count} at once, three requests each')
    for command in (setup.cli, setup.host):
        port = free_port()
        child = start([*command, '--net=allow=127.0.0.1', setup.wasm('server'), 'port', str(port)])
        expect(child.stdout.readline(), b'ready\n')
        conns = [socket.create_connection(('127.0.0.1', port), timeout=30)
                 for _ in range(count)]
        for _ in range(3):
            for conn in conns:
                conn.sendall(b'GET / HTTP/1.1\r\n\r\n')
            for conn in conns:
                got = b''
                while not got.endswith(b'World!'):
                    got += conn.recv(1000) or b'closed World!'
                expect(got[:15], b'HTTP/1.1 200 OK')
        for conn in conns:
            conn.close()
        child.terminate()
        child.communicate()


@case
def guests_in_one_loop_talk_for_themselves(setup):
    code, out, _ = setup.run_host(['--copies=30', '--net=inherit', '--report'], 'we_test', 'tcp4')
    expect((code, report(out)['exited']), (0, 30))


if __name__ == '__main__':
    main()
