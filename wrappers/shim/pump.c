/* SPDX-License-Identifier: Apache-2.0 */
/* pump.c - one buffer; either its source or its sink is waited for. */
#include "shim/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER = 4096 };

struct wrap_pump {
    uv_poll_t source;
    uv_poll_t sink;
    bool sink_blocks; /* a regular file: written at once, never polled */
    int from, to;
    size_t begin, end; /* what of the buffer is not written yet */
    unsigned open_handles;
    bool over; /* `ended` has been told */
    void (*ended)(void *context);
    void *context;
    char buffer[BUFFER];
};

static void on_readable(uv_poll_t *poll, int status, int events);
static void on_writable(uv_poll_t *poll, int status, int events);

static void finish(struct wrap_pump *pump)
{
    if (pump->over) {
        return;
    }
    pump->over = true;
    uv_poll_stop(&pump->source);
    if (!pump->sink_blocks) {
        uv_poll_stop(&pump->sink);
    }
    if (pump->ended) {
        pump->ended(pump->context);
    }
}

/* False: the pump has ended, perhaps it is gone. */
static bool flush(struct wrap_pump *pump)
{
    while (pump->begin < pump->end) {
        ssize_t n = write(pump->to, pump->buffer + pump->begin, pump->end - pump->begin);
        if (n > 0) {
            pump->begin += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            uv_poll_stop(&pump->source);
            uv_poll_start(&pump->sink, UV_WRITABLE, on_writable);
            return true;
        } else if (n == 0 || errno != EINTR) {
            finish(pump);
            return false;
        }
    }
    pump->begin = pump->end = 0;
    return true;
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct wrap_pump *pump = poll->data;
    (void)status;
    (void)events;
    if (flush(pump) && pump->begin == pump->end) {
        uv_poll_stop(&pump->sink);
        uv_poll_start(&pump->source, UV_READABLE | UV_DISCONNECT, on_readable);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct wrap_pump *pump = poll->data;
    (void)status;
    (void)events;
    ssize_t n = read(pump->from, pump->buffer, sizeof pump->buffer);
    if (n > 0) {
        pump->end = (size_t)n;
        flush(pump);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        finish(pump); /* EIO: nobody has the terminal any more */
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct wrap_pump *pump = handle->data;
    if (--pump->open_handles == 0) {
        close(pump->from);
        close(pump->to);
        free(pump);
    }
}

bool wrap_pump_start(uv_loop_t *loop, int from, int to, void (*ended)(void *context), void *context,
                     struct wrap_pump **out, struct wrap_error *err)
{
    struct wrap_pump *pump = calloc(1, sizeof *pump);
    if (!pump) {
        close(from);
        close(to);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    pump->from = from;
    pump->to = to;
    pump->ended = ended;
    pump->context = context;
    int wrong = uv_poll_init(loop, &pump->source, from);
    if (wrong) {
        close(from);
        close(to);
        free(pump);
        return wrap_fail_errno(err, -wrong, "cannot wait for a stream");
    }
    pump->source.data = pump->sink.data = pump;
    pump->open_handles = 1;
    pump->sink_blocks = uv_poll_init(loop, &pump->sink, to) != 0;
    pump->open_handles += !pump->sink_blocks;
    uv_poll_start(&pump->source, UV_READABLE | UV_DISCONNECT, on_readable);
    *out = pump;
    return true;
}

void wrap_pump_stop(struct wrap_pump *pump)
{
    if (!pump) {
        return;
    }
    pump->over = true;
    if (!pump->sink_blocks) {
        uv_close((uv_handle_t *)&pump->sink, on_closed);
    }
    uv_close((uv_handle_t *)&pump->source, on_closed);
}
