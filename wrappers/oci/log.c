/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - errors and notes in the file of --log, in runc's two formats: others read them there. */
#include "common/json.h"
#include "common/text.h"
#include "oci/oci.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4096 };

static void put_text(FILE *to, const char *level, const char *when, const char *message)
{
    fprintf(to, "time=\"%s\" level=%s msg=", when, level);
    wrap_json_string(to, message, strlen(message)); /* quotes and escapes as there */
}

static void put_json(FILE *to, const char *level, const char *when, const char *message)
{
    fputc('{', to);
    wrap_json_field(to, "level", level, strlen(level));
    wrap_json_more(to, "msg", message);
    wrap_json_more(to, "time", when);
    fputc('}', to);
}

void wrap_oci_log_line(int fd, bool json, const char *level, const char *message)
{
    char now[WRAP_TIME_SIZE], when[WRAP_TIME_SIZE + 1];
    char *text = NULL;
    size_t size = 0;
    wrap_time_text(time(NULL), now);
    snprintf(when, sizeof when, "%sZ", now);
    FILE *to = open_memstream(&text, &size);
    if (!to) {
        return;
    }
    (json ? put_json : put_text)(to, level, when, message);
    fputc('\n', to);
    if (fclose(to) == 0) {
        (void)!write(fd, text, size); /* at once: several runtimes may write there */
    }
    free(text);
}

static void log_to_file(const char *level, const char *message)
{
    const struct wrap_oci *globals = wrap_oci_globals();
    if (!globals->log || !globals->log[0]) {
        return;
    }
    int fd =
        open(globals->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (fd >= 0) {
        wrap_oci_log_line(fd, globals->log_json, level, message);
        close(fd);
    }
}

void wrap_oci_log_error(const char *message) { log_to_file("error", message); }

void wrap_oci_note(const char *level, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    if (strcmp(level, "debug") == 0 && !wrap_oci_globals()->debug) {
        return;
    }
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    log_to_file(level, message);
}

int wrap_oci_complain(const struct wrap_error *err)
{
    wrap_say("%s", err->text);
    return WRAP_OCI_FAILED;
}
