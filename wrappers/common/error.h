/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - what went wrong in a wrapper: a code that RPCs answer with and one line of text.
 * Not here: errors of the engine (wr_error_t), which become the text of one of these.
 */
#ifndef WRAPPERS_COMMON_ERROR_H
#define WRAPPERS_COMMON_ERROR_H

#include <stdbool.h>

/** The numbers are gRPC's, which ttrpc uses as well. */
enum wrap_code {
    WRAP_OK = 0,
    WRAP_CANCELLED = 1,
    WRAP_UNKNOWN = 2,
    WRAP_INVALID_ARGUMENT = 3,
    WRAP_DEADLINE_EXCEEDED = 4,
    WRAP_NOT_FOUND = 5,
    WRAP_ALREADY_EXISTS = 6,
    WRAP_PERMISSION_DENIED = 7,
    WRAP_RESOURCE_EXHAUSTED = 8,
    WRAP_FAILED_PRECONDITION = 9,
    WRAP_UNIMPLEMENTED = 12,
    WRAP_INTERNAL = 13,
    WRAP_UNAVAILABLE = 14,
};

/** Owned by the caller, who clears it; no allocation. The first error stays. */
struct wrap_error {
    enum wrap_code code;
    char text[512]; /**< one line, cut when longer */
};

/** Fills `err` unless it is filled already or NULL; always false, so that it can be returned. */
bool wrap_fail(struct wrap_error *err, enum wrap_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same with the code and the text of an errno: "FORMAT: No such file or directory". */
bool wrap_fail_errno(struct wrap_error *err, int problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Puts "WHAT: " before the text of an error, once for each caller that knows more. */
void wrap_error_prefix(struct wrap_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
