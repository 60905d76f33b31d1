/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failure.h - what a failed call of the engine amounts to: an exit code and a line of text.
 * Not here: the backtrace (trace.h), where any of it is printed.
 */
#ifndef WRAPPERS_COMMON_FAILURE_H
#define WRAPPERS_COMMON_FAILURE_H

#include "wasmrun.h"

enum { WRAP_FAILURE_TEXT = 1024 };

/** The exit code of a program that ends so: enum wrap_exit. */
int wrap_failure_exit(wr_status_t status);
/** The error's text without the name of the file, which the engine may put first. */
const char *wrap_failure_text(const char *file, const wr_error_t *err);
/** Writes "FILE: invalid module: TEXT (function 12, offset 0x3f)" or "FILE: trap: TEXT". */
void wrap_failure_line(const char *file, wr_status_t status, const wr_error_t *err,
                       char out[WRAP_FAILURE_TEXT]);

#endif
