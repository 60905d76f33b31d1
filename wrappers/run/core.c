/* SPDX-License-Identifier: Apache-2.0 */
/* core.c - --coredump: a file that is opened before the guest runs and filled when it traps. */
#include "run/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wrap_core {
    const char *path;
    FILE *file;
};

struct wrap_core *wrap_core_open(const char *path)
{
    struct wrap_core *core = calloc(1, sizeof *core);
    if (!core) {
        wrap_say("out of memory");
        return NULL;
    }
    core->path = path;
    core->file = fopen(path, "we");
    if (!core->file) {
        wrap_say("--coredump: %s: %s", path, strerror(errno));
        free(core);
        return NULL;
    }
    return core;
}

void wrap_core_close(struct wrap_core *core)
{
    if (core) {
        fclose(core->file);
        free(core);
    }
}

static void write_piece(void *ctx, const char *text, size_t size)
{
    (void)fwrite(text, 1, size, ctx); /* asked for at the end */
}

void wrap_core_write(struct wrap_core *core, const wr_exec_t *exec, const char *name)
{
    wr_error_t err = {0};
    wr_status_t status = wr_exec_coredump(exec, name, write_piece, core->file, &err);
    bool good = fflush(core->file) == 0 && !ferror(core->file);
    if (status != WR_OK || !good) {
        wrap_say("--coredump: %s: %s", core->path,
                 status != WR_OK ? wr_status_name(status) : strerror(errno));
    }
}
