/* SPDX-License-Identifier: Apache-2.0 */
/* delegate.c - how runc and crun are called, and what they leave behind. */
#include "common/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the command line */

struct argv {
    const char **items;
    size_t count;
};

static void add(struct argv *argv, const char *word)
{
    if (word && argv->count < WRAP_DELEGATE_ARGS - 1) {
        argv->items[argv->count++] = word;
    }
}

static void add_option(struct argv *argv, const char *option, const char *value)
{
    if (value) {
        add(argv, option);
        add(argv, value);
    }
}

static void add_flag(struct argv *argv, const char *option, bool wanted)
{
    add(argv, wanted ? option : NULL);
}

static const char *const op_names[] = {
    [WRAP_DELEGATE_CREATE] = "create", [WRAP_DELEGATE_START] = "start",
    [WRAP_DELEGATE_EXEC] = "exec",     [WRAP_DELEGATE_KILL] = "kill",
    [WRAP_DELEGATE_DELETE] = "delete", [WRAP_DELEGATE_UPDATE] = "update",
    [WRAP_DELEGATE_PAUSE] = "pause",   [WRAP_DELEGATE_RESUME] = "resume",
};

static void add_options(struct argv *argv, const struct wrap_delegate_call *call)
{
    switch (call->op) {
    case WRAP_DELEGATE_CREATE:
        add_option(argv, "--bundle", call->bundle);
        add_option(argv, "--pid-file", call->pid_file);
        add_option(argv, "--console-socket", call->console_socket);
        add_flag(argv, "--no-pivot", call->no_pivot);
        break;
    case WRAP_DELEGATE_EXEC:
        add_option(argv, "--process", call->process_file);
        add_option(argv, "--console-socket", call->console_socket);
        add(argv, "--detach");
        add_option(argv, "--pid-file", call->pid_file);
        break;
    case WRAP_DELEGATE_KILL: add_flag(argv, "--all", call->all); break;
    case WRAP_DELEGATE_DELETE: add_flag(argv, "--force", call->force); break;
    case WRAP_DELEGATE_UPDATE: add_option(argv, "--resources", "-"); break;
    default: break;
    }
}

void wrap_delegate_argv(const struct wrap_delegate *delegate, const struct wrap_delegate_call *call,
                        char number[16], const char *argv[WRAP_DELEGATE_ARGS])
{
    struct argv list = {argv, 0};
    add(&list, delegate->binary);
    add_option(&list, "--root", delegate->root);
    add_option(&list, "--log", delegate->log);
    add_option(&list, "--log-format", delegate->log ? "json" : NULL);
    add_flag(&list, "--systemd-cgroup", delegate->systemd_cgroup);
    add(&list, op_names[call->op]);
    add_options(&list, call);
    add(&list, call->id);
    if (call->op == WRAP_DELEGATE_KILL) {
        snprintf(number, 16, "%d", call->signal);
        add(&list, number);
    }
    argv[list.count] = NULL;
}

/* ---------------------------------------------------------------- the program */

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool find_in(const char *folders, const char *name, char *out, size_t size)
{
    for (;;) {
        size_t length = strcspn(folders, ":");
        int used = length && length < PATH_MAX && folders[0] == '/'
                       ? snprintf(out, size, "%.*s/%s", (int)length, folders, name)
                       : -1;
        if (used > 0 && (size_t)used < size && is_program(out)) {
            return true;
        }
        if (!folders[length]) {
            return false;
        }
        folders += length + 1;
    }
}

/* The folders beside PATH: an agent of a node may have been started with a short one. */
static bool find_named(const char *name, char *out, size_t size)
{
    static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const char *path = getenv("PATH");
    return find_in(path ? path : "", name, out, size) || find_in(usual, name, out, size);
}

bool wrap_delegate_find(const char *wanted, char *out, size_t size, struct wrap_error *err)
{
    if (!wanted[0]) {
        return find_named("runc", out, size) || find_named("crun", out, size) ||
               wrap_fail(err, WRAP_NOT_FOUND,
                         "no runc or crun in PATH or the usual folders: Linux containers need one");
    }
    bool found = strchr(wanted, '/')
                     ? (size_t)snprintf(out, size, "%s", wanted) < size && is_program(out)
                     : find_named(wanted, out, size);
    return found || wrap_fail(err, WRAP_NOT_FOUND, "no runtime '%.200s'", wanted);
}

/* ---------------------------------------------------------------- what it says */

enum { TAIL_BYTES = 16384 };

/* The end of a file, with a final NUL; how many bytes. */
static size_t read_tail(const char *file, char out[TAIL_BYTES + 1])
{
    size_t used = 0;
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        off_t from = status.st_size > TAIL_BYTES ? status.st_size - TAIL_BYTES : 0;
        ssize_t got = pread(fd, out, TAIL_BYTES, from);
        used = got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    out[used] = 0;
    return used;
}

/* Copies text as one line. */
static void copy_line(const char *text, size_t length, char *out, size_t size)
{
    size_t used = 0;
    for (; used < length && used + 1 < size; used++) {
        unsigned char c = (unsigned char)text[used];
        out[used] = c < 0x20 || c == 0x7f ? ' ' : text[used];
    }
    out[used] = 0;
}

/* Whether a line of the log is an error; then its message is copied. */
static bool take_error(const char *line, size_t length, char *out, size_t size)
{
    json_t *entry = json_loadb(line, length, 0, NULL);
    const char *level = json_string_value(json_object_get(entry, "level"));
    const char *message = json_string_value(json_object_get(entry, "msg"));
    bool is_error =
        level && message && (strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0);
    if (is_error) {
        copy_line(message, strlen(message), out, size);
    }
    json_decref(entry);
    return is_error;
}

/* Where the last line of `text` begins; `*length` leaves its end and empty lines out. */
static const char *last_line(const char *text, size_t *length)
{
    size_t end = *length;
    while (end && (text[end - 1] == '\n' || text[end - 1] == '\r' || text[end - 1] == ' ')) {
        end--;
    }
    const char *newline = memrchr(text, '\n', end);
    const char *line = newline ? newline + 1 : text;
    *length = (size_t)(text + end - line);
    return line;
}

static bool reason_from_log(const char *log, char *out, size_t size)
{
    char *tail = malloc(TAIL_BYTES + 1);
    size_t left = tail ? read_tail(log, tail) : 0;
    bool found = false;
    while (left && !found) {
        size_t length = left;
        const char *line = last_line(tail, &length);
        found = length && take_error(line, length, out, size);
        left = (size_t)(line - tail);
    }
    free(tail);
    return found;
}

void wrap_delegate_reason(const char *log, const char *output, char *out, size_t size)
{
    if (log && reason_from_log(log, out, size)) {
        return;
    }
    size_t length = output ? strlen(output) : 0;
    const char *line = last_line(output ? output : "", &length);
    copy_line(line, length, out, size);
}

bool wrap_delegate_pid(const char *pid_file, pid_t *out, struct wrap_error *err)
{
    char text[32];
    int fd = open(pid_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        return wrap_fail_errno(err, errno, "%s", pid_file);
    }
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = 0;
    char *end = NULL;
    errno = 0;
    long pid = strtol(text, &end, 10);
    bool good = !errno && end != text && (!*end || *end == '\n') && pid > 0 && pid <= INT_MAX;
    if (!good) {
        return wrap_fail(err, WRAP_INTERNAL, "%s: has no process id", pid_file);
    }
    *out = (pid_t)pid;
    return true;
}
