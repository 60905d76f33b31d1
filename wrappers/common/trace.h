/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h - backtraces: names demangled, files, lines and inlined functions from DWARF, which is
 * only looked at here, so a program that does not trap pays nothing for it.
 */
#ifndef WRAPPERS_COMMON_TRACE_H
#define WRAPPERS_COMMON_TRACE_H

#include "wasmrun.h"

#include <stdio.h>

/** Prints the frames of an error, a line each and one more for each inlined function. */
void wrap_trace_print(FILE *to, const wr_error_t *err);
/** Writes ,"frames":[...],"frames_left_out":N; nothing when there are no frames. */
void wrap_trace_json(FILE *to, const wr_error_t *err);

#endif
