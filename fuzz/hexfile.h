/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases as text, for fuzz/regress: '#' starts a comment line, "seed N" the arguments' seed,
 * "module" a module, whose bytes follow in hexadecimal.
 */
#ifndef FUZZ_HEXFILE_H
#define FUZZ_HEXFILE_H

#include "diff.h"

#include <stdio.h>

/** Reads such a file, or one .wasm module. False (and a message) when it is neither. */
bool hexfile_read(const char *path, struct diff_case *out);
void hexfile_write(FILE *f, const struct diff_case *c, const char *comment);
/** Frees the modules that hexfile_read made. */
void hexfile_free(struct diff_case *c);

#endif
