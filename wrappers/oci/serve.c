/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - the parent in the foreground: sends signals on, serves a terminal, waits. */
#include "oci/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { BUFFER = 16384, KILLED = 137 };

static struct termios before;
static bool is_raw;

static void restore(void)
{
    if (is_raw) tcsetattr(STDIN_FILENO, TCSANOW, &before);
    is_raw = false;
}

/* Those that mean us, or that say nothing to a container. */
static void signals_of(sigset_t *out)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGPIPE, SIGURG};
    sigfillset(out);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) sigdelset(out, own[i]);
}

bool wrap_oci_serve_prepare(struct wrap_error *err)
{
    sigset_t set;
    signals_of(&set);
    return sigprocmask(SIG_BLOCK, &set, NULL) == 0 || wrap_fail_errno(err, errno, "signals");
}

/* ---------------------------------------------------------------- the terminal */

static void copy_size(int master)
{
    struct winsize size;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) (void)ioctl(master, TIOCSWINSZ, &size);
}

static void make_raw(int master)
{
    struct termios raw;
    if (tcgetattr(STDIN_FILENO, &before) != 0) return;
    raw = before;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    if (is_raw) atexit(restore);
    copy_size(master);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t done = write(fd, bytes, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

/* One piece; false: this direction is over. */
static bool move(int from, int to)
{
    char bytes[BUFFER];
    ssize_t got = read(from, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    return got > 0 && write_all(to, bytes, (size_t)got);
}

/* What the process wrote last; nobody else writes any more. */
static void drain(int master)
{
    struct pollfd ready = {.fd = master, .events = POLLIN};
    while (poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) && move(master, STDOUT_FILENO)) {
    }
}

/* ---------------------------------------------------------------- the wait */

static bool has_ended(pid_t pid, int *code)
{
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) != pid) return false;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

/* Signals that have come; true: the process has ended. */
static bool take_signals(int fd, const struct wrap_oci_running *running, int *code)
{
    struct signalfd_siginfo info;
    bool ended = false;
    while (!ended && read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            ended = has_ended(running->child.pid, code);
        } else if (info.ssi_signo == SIGWINCH) {
            if (running->master >= 0) copy_size(running->master);
        } else {
            kill(running->child.pid, (int)info.ssi_signo);
        }
    }
    return ended;
}

int wrap_oci_serve(struct wrap_oci_running *running)
{
    enum { SIGNALS, OUTPUT, INPUT, COUNT };
    sigset_t set;
    int code = KILLED;
    signals_of(&set);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd waits[COUNT] = {
        {.fd = fd, .events = POLLIN},
        {.fd = running->master, .events = POLLIN},
        {.fd = running->master >= 0 ? STDIN_FILENO : -1, .events = POLLIN}};
    if (running->master >= 0) make_raw(running->master);
    while (!has_ended(running->child.pid, &code)) { /* also before any signal came */
        if (poll(waits, COUNT, fd >= 0 ? -1 : 50) < 0 && errno != EINTR) break;
        if (waits[SIGNALS].revents && take_signals(fd, running, &code)) break;
        if (waits[OUTPUT].revents && !move(running->master, STDOUT_FILENO)) waits[OUTPUT].fd = -1;
        if (waits[INPUT].revents && !move(STDIN_FILENO, running->master)) {
            const char end = 4; /* of a terminal's input */
            (void)!write(running->master, &end, 1);
            waits[INPUT].fd = -1;
        }
    }
    if (running->master >= 0) {
        drain(running->master);
        close(running->master);
        running->master = -1;
    }
    restore();
    if (fd >= 0) close(fd);
    return code;
}
