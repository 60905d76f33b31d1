/* SPDX-License-Identifier: Apache-2.0 */
/* output.h - a file that is there whole or not at all. Not here: what is written. */
#ifndef WRAPPERS_PACK_OUTPUT_H
#define WRAPPERS_PACK_OUTPUT_H

#include "common/error.h"

#include <stddef.h>

struct wrap_output {
    int fd;
    int problem; /**< errno of what could not be written; 0: all could */
    char *path;  /**< own; what is to be replaced; NULL: bytes go straight to a pipe or device */
    char *draft; /**< own; the file under its other name, NULL: it has none yet */
};

/**
 * Begins a file that will replace `path` ("-": standard output). Pipes and devices are written to
 * at once.
 */
bool wrap_output_open(struct wrap_output *out, const char *path, struct wrap_error *err);
/** A sink of tar.h; `ctx` is the wrap_output, whose `problem` tells what failed. */
bool wrap_output_write(void *ctx, const void *data, size_t size);
/** With `good` puts the file in place; else leaves all as it was. Frees; false: `good` was, or err.
 */
bool wrap_output_close(struct wrap_output *out, bool good, struct wrap_error *err);

#endif
