/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c - opening what the names stand for, and the life of a terminal. */
#include "shim/streams.h"

#include "shim/pump.h"
#include "shim/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAIN_MS = 2000, URI_ARGS_MAX = 32, LOGGER_TEXT_MAX = 4096 };

static const char *const stream_names[] = {"stdin", "stdout", "stderr"};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* ---------------------------------------------------------------- one stream */

/* A path: a FIFO is opened twice, for us in both directions, for the process in its own. */
static bool open_path(struct wrap_streams *streams, int which, const char *path,
                      struct wrap_error *err)
{
    struct stat st;
    int hold = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (which ? O_APPEND : 0));
    if (hold < 0) {
        return wrap_fail_errno(err, errno, "%s %s", stream_names[which], path);
    }
    int child = open(path, (which ? O_WRONLY | O_APPEND : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
    if (child < 0 || fstat(hold, &st) != 0) {
        int problem = errno;
        close(hold);
        return wrap_fail_errno(err, problem, "%s %s", stream_names[which], path);
    }
    if (!S_ISFIFO(st.st_mode)) {
        close_fd(&hold);
    }
    streams->hold[which] = hold;
    streams->child[which] = child;
    return true;
}

static bool open_file(struct wrap_streams *streams, int which, const char *path,
                      struct wrap_error *err)
{
    /* Without O_NONBLOCK a FIFO that nobody reads would stop the shim. */
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = open(path, flags, 0644);
    streams->child[which] = fd;
    return (fd >= 0 && fcntl(fd, F_SETFL, O_WRONLY | O_APPEND) == 0) ||
           wrap_fail_errno(err, errno, "%s %s", stream_names[which], path);
}

static bool is_binary(const char *uri) { return uri && strncmp(uri, "binary://", 9) == 0; }

static bool open_stream(struct wrap_streams *streams, int which, const char *uri,
                        struct wrap_error *err)
{
    if (!uri || !uri[0]) {
        streams->child[which] = open("/dev/null", O_RDWR | O_CLOEXEC);
        return streams->child[which] >= 0 || wrap_fail_errno(err, errno, "/dev/null");
    }
    if (strncmp(uri, "fifo://", 7) == 0) {
        return open_path(streams, which, uri + 7, err);
    }
    if (strncmp(uri, "file://", 7) == 0 && which) {
        return open_file(streams, which, uri + 7, err);
    }
    if (strstr(uri, "://")) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: unknown scheme in %s",
                         stream_names[which], uri);
    }
    return open_path(streams, which, uri, err);
}

/* ---------------------------------------------------------------- a log program */

static void on_logger_ended(unsigned status, const char *output, bool timed_out, void *context)
{
    (void)status;
    (void)output;
    (void)timed_out;
    (void)context;
}

/* "binary:///path?key=value&flag": the words behind the path, in place. */
static void split_uri(char *text, const char *argv[URI_ARGS_MAX])
{
    size_t count = 0;
    argv[count++] = text;
    char *rest = strchr(text, '?');
    while (rest && count < URI_ARGS_MAX - 2) {
        *rest++ = 0;
        char *next = strchr(rest, '&');
        char *value = strchr(rest, '=');
        argv[count++] = rest;
        if (value && (!next || value < next)) {
            *value++ = 0;
            if (*value && value != next) {
                argv[count++] = value;
            }
        }
        rest = next;
    }
    argv[count] = NULL;
}

/* It reads the process's outputs as 3 and 4 and closes 5 when it is ready (containerd's logging
 * protocol). What it misses before that stays in the pipes, so nobody has to wait for it. */
static bool start_logger(struct wrap_streams *streams, const struct wrap_streams_config *config,
                         struct wrap_error *err)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    char text[LOGGER_TEXT_MAX];
    char id[512];
    char ns[512];
    const char *argv[URI_ARGS_MAX];
    if ((size_t)snprintf(text, sizeof text, "%s", config->out + 9) >= sizeof text) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "stdout: a log program's URI is too long");
    }
    split_uri(text, argv);
    snprintf(id, sizeof id, "CONTAINER_ID=%s", config->id);
    snprintf(ns, sizeof ns, "CONTAINER_NAMESPACE=%s", config->ns);
    const char *env[] = {id, ns, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    bool good = true;
    for (int i = 0; i < 3; i++) {
        good = pipe2(pipes[i], O_CLOEXEC) == 0 && good;
    }
    struct wrap_spawn_config spawn = {
        .argv = argv,
        .env = env,
        .stdio = {-1, -1, -1},
        .more = {pipes[0][0], pipes[1][0], pipes[2][1]}, /* as 3, 4, 5 */
        .done = on_logger_ended,
    };
    good = good ? wrap_spawn(streams->loop, &spawn, NULL, err)
                : wrap_fail_errno(err, errno, "no pipes for a log program");
    for (int i = 0; i < 3; i++) {
        close_fd(&pipes[i][i == 2]);
    }
    close_fd(&pipes[2][0]);
    if (good) {
        streams->child[1] = pipes[0][1];
        streams->child[2] = pipes[1][1];
    } else {
        close_fd(&pipes[0][1]);
        close_fd(&pipes[1][1]);
    }
    return good;
}

/* ---------------------------------------------------------------- a terminal */

static void on_output_ended(void *context)
{
    struct wrap_streams *streams = context;
    wrap_pump_stop(streams->output);
    streams->output = NULL;
    if (streams->drain) {
        uv_timer_stop(streams->drain);
        if (streams->drained) {
            void (*drained)(void *) = streams->drained;
            streams->drained = NULL;
            drained(streams->context);
        }
    }
}

bool wrap_streams_master(struct wrap_streams *streams, int master, struct wrap_error *err)
{
    int in = fcntl(master, F_DUPFD_CLOEXEC, 3);
    int out = fcntl(master, F_DUPFD_CLOEXEC, 3);
    bool good = in >= 0 && out >= 0 && fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) == 0;
    streams->master = master;
    if (!good) {
        wrap_fail_errno(err, errno, "terminal");
        close_fd(&in);
        close_fd(&out);
        return false;
    }
    /* The FIFOs' own descriptors go to the pumps; what is held keeps them open. */
    if (streams->child[1] >= 0) {
        int to = streams->child[1];
        streams->child[1] = -1;
        fcntl(to, F_SETFL, O_WRONLY | O_APPEND | O_NONBLOCK);
        good = wrap_pump_start(streams->loop, out, to, on_output_ended, streams, &streams->output,
                               err);
    } else {
        close_fd(&out);
    }
    if (good && streams->hold[0] >= 0) {
        int from = fcntl(streams->hold[0], F_DUPFD_CLOEXEC, 3);
        good = from >= 0
                   ? wrap_pump_start(streams->loop, from, in, NULL, NULL, &streams->input, err)
                   : wrap_fail_errno(err, errno, "stdin");
    } else {
        close_fd(&in);
    }
    if (streams->rows) {
        struct winsize size = {.ws_row = streams->rows, .ws_col = streams->columns};
        ioctl(master, TIOCSWINSZ, &size);
    }
    return good;
}

static bool make_terminal(struct wrap_streams *streams, struct wrap_error *err)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int unlock = 0;
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0 ||
        (streams->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        int problem = errno;
        close_fd(&master);
        return wrap_fail_errno(err, problem, "cannot make a terminal");
    }
    return wrap_streams_master(streams, master, err);
}

/* ---------------------------------------------------------------- all of them */

bool wrap_streams_open(uv_loop_t *loop, const struct wrap_streams_config *config, bool own_terminal,
                       struct wrap_streams *streams, struct wrap_error *err)
{
    const char *uris[3] = {config->in, config->out, config->terminal ? NULL : config->err};
    bool logged = is_binary(config->out);
    *streams = (struct wrap_streams){
        .loop = loop,
        .terminal = config->terminal,
        .hold = {-1, -1, -1},
        .child = {-1, -1, -1},
        .slave = -1,
        .master = -1,
    };
    bool good = !logged || start_logger(streams, config, err);
    for (int i = 0; i < 3 && good; i++) {
        if (i == 0 || !logged) {
            good = open_stream(streams, i, uris[i], err);
        }
    }
    if (good && own_terminal && config->terminal) {
        good = make_terminal(streams, err);
    }
    if (!good) {
        wrap_streams_close(streams);
    }
    return good;
}

void wrap_streams_given(struct wrap_streams *streams)
{
    for (int i = 0; i < 3; i++) {
        /* A Linux runtime's terminal comes later and needs its output. */
        if (!(streams->terminal && streams->master < 0 && i == 1)) {
            close_fd(&streams->child[i]);
        }
    }
    close_fd(&streams->slave);
}

bool wrap_streams_resize(struct wrap_streams *streams, unsigned rows, unsigned columns,
                         struct wrap_error *err)
{
    if (!streams->terminal) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "the process has no terminal");
    }
    streams->rows = rows > UINT16_MAX ? UINT16_MAX : (uint16_t)rows;
    streams->columns = columns > UINT16_MAX ? UINT16_MAX : (uint16_t)columns;
    struct winsize size = {.ws_row = streams->rows, .ws_col = streams->columns};
    if (streams->master >= 0 && ioctl(streams->master, TIOCSWINSZ, &size) != 0) {
        return wrap_fail_errno(err, errno, "cannot resize the terminal");
    }
    return true;
}

void wrap_streams_close_input(struct wrap_streams *streams)
{
    wrap_pump_stop(streams->input);
    streams->input = NULL;
    close_fd(&streams->hold[0]);
}

static void on_drain_timeout(uv_timer_t *timer) { on_output_ended(timer->data); }

void wrap_streams_drain(struct wrap_streams *streams, void (*drained)(void *context), void *context)
{
    wrap_streams_close_input(streams);
    if (!streams->output) {
        drained(context);
        return;
    }
    streams->drain = malloc(sizeof *streams->drain);
    if (!streams->drain || uv_timer_init(streams->loop, streams->drain) != 0) {
        free(streams->drain);
        streams->drain = NULL;
        drained(context);
        return;
    }
    streams->drained = drained;
    streams->context = context;
    streams->drain->data = streams;
    uv_timer_start(streams->drain, on_drain_timeout, DRAIN_MS, 0);
}

static void on_timer_closed(uv_handle_t *handle) { free(handle); }

void wrap_streams_close(struct wrap_streams *streams)
{
    wrap_pump_stop(streams->input);
    wrap_pump_stop(streams->output);
    streams->input = streams->output = NULL;
    if (streams->drain) {
        uv_close((uv_handle_t *)streams->drain, on_timer_closed);
        streams->drain = NULL;
    }
    for (int i = 0; i < 3; i++) {
        close_fd(&streams->hold[i]);
        close_fd(&streams->child[i]);
    }
    close_fd(&streams->slave);
    close_fd(&streams->master);
}
