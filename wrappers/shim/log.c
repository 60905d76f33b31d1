/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - one write for each line, so that lines of several processes do not mix. */
#include "shim/log.h"

#include "common/text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT_MAX = 1024,
    LINE_MAX_BYTES = 4096 /* PIPE_BUF: a line is written whole or not at all */
};

static int log_fd = -1;
static bool log_debug;

void wrap_log_open(const char *path, bool debug)
{
    if (log_fd >= 0) {
        close(log_fd);
    }
    log_debug = debug;
    /* For reading too: it must not fail while containerd is away. */
    log_fd = open(path, O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/* Appends a quoted string; what does not fit is left out. */
static size_t quote(char *line, size_t at, size_t room, const char *text)
{
    line[at++] = '"';
    for (; *text && at + 8 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            line[at++] = '\\';
            line[at++] = (char)c;
        } else if (c < ' ' || c == 127) {
            at += (size_t)snprintf(line + at, 5, "\\x%02x", c);
        } else {
            line[at++] = (char)c;
        }
    }
    line[at++] = '"';
    return at;
}

void wrap_log(enum wrap_log_level level, const char *id, const char *format, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    char text[TEXT_MAX];
    char line[LINE_MAX_BYTES];
    struct timespec now;
    char date[WRAP_TIME_SIZE];
    if (log_fd < 0 || (level == WRAP_LOG_DEBUG && !log_debug)) {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &now);
    wrap_time_text(now.tv_sec, date);
    size_t at = (size_t)snprintf(line, 128, "time=\"%s.%09ldZ\" level=%s msg=", date, now.tv_nsec,
                                 names[level]);
    at = quote(line, at, sizeof line - TEXT_MAX, text);
    if (id) {
        memcpy(line + at, " id=", 4);
        at = quote(line, at + 4, sizeof line - 8, id);
    }
    line[at++] = '\n';
    (void)!write(log_fd, line, at);
}
