/* SPDX-License-Identifier: Apache-2.0 */
/* failure.c - exit codes and texts of what the engine could not do. */
#include "common/failure.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct status_exit {
    wr_status_t status;
    int code;
};

/* All others are 126: the module or what it needs cannot be used. */
int wrap_failure_exit(wr_status_t status)
{
    static const struct status_exit status_exits[] = {
        {WR_TRAP, WRAP_EXIT_TRAP},         {WR_NOT_FOUND, WRAP_EXIT_NOT_FOUND},
        {WR_CANCELLED, WRAP_EXIT_TIMEOUT}, {WR_FUEL, WRAP_EXIT_TIMEOUT},
        {WR_EXCEPTION, WRAP_EXIT_TRAP},
    };
    for (size_t i = 0; i < sizeof status_exits / sizeof status_exits[0]; i++) {
        if (status_exits[i].status == status) {
            return status_exits[i].code;
        }
    }
    return WRAP_EXIT_INVALID;
}

const char *wrap_failure_text(const char *file, const wr_error_t *err)
{
    size_t length = strlen(file);
    if (strncmp(err->text, file, length) == 0 && strncmp(err->text + length, ": ", 2) == 0) {
        return err->text + length + 2;
    }
    return err->text;
}

/* " (function 12, offset 0x3f)" as far as it is known and not said in the text already. */
static void format_place(const wr_error_t *err, char *buf, size_t cap)
{
    buf[0] = 0;
    if (strstr(err->text, "offset 0x") || err->offset == UINT64_MAX) {
        return;
    }
    if (err->func_idx != UINT32_MAX) {
        snprintf(buf, cap, " (function %" PRIu32 ", offset 0x%" PRIx64 ")", err->func_idx,
                 err->offset);
    } else {
        snprintf(buf, cap, " (offset 0x%" PRIx64 ")", err->offset);
    }
}

static void trap_line(const char *file, const wr_error_t *err, char *out)
{
    const char *text = wrap_failure_text(file, err);
    const char *trap = err->trap ? err->trap : text;
    if (strncmp(text, trap, strlen(trap)) == 0) {
        snprintf(out, WRAP_FAILURE_TEXT, "%s: trap: %s", file, text);
    } else {
        snprintf(out, WRAP_FAILURE_TEXT, "%s: trap: %s%s%s", file, trap, text[0] ? ": " : "", text);
    }
}

void wrap_failure_line(const char *file, wr_status_t status, const wr_error_t *err,
                       char out[WRAP_FAILURE_TEXT])
{
    char place[64];
    const char *text = wrap_failure_text(file, err);
    if (status == WR_TRAP) {
        trap_line(file, err, out);
        return;
    }
    format_place(err, place, sizeof place);
    snprintf(out, WRAP_FAILURE_TEXT, "%s: %s%s%s%s", file, wr_status_name(status),
             text[0] ? ": " : "", text, place);
}
