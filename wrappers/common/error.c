/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - fills errors of the wrappers; an errno becomes the code that an RPC answers with. */
#include "common/error.h"

#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * One line of UTF-8 for logs and RPCs, whatever bytes a guest or an image put into names: a reply
 * with a string that is none would not be decoded.
 */
static void make_one_line(char *text)
{
    size_t left = strlen(text);
    for (char *at = text; left;) {
        size_t size = wrap_utf8_sequence((const unsigned char *)at, left);
        if (!size) {
            *at = '?';
        } else if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' ';
        }
        at += size ? size : 1;
        left -= size ? size : 1;
    }
}

static bool is_filled(const struct wrap_error *err) { return !err || err->code != WRAP_OK; }

static void fill(struct wrap_error *err, enum wrap_code code, const char *format, va_list args)
{
    err->code = code == WRAP_OK ? WRAP_INTERNAL : code;
    vsnprintf(err->text, sizeof err->text, format, args);
    make_one_line(err->text);
}

bool wrap_fail(struct wrap_error *err, enum wrap_code code, const char *format, ...)
{
    if (!is_filled(err)) {
        va_list args;
        va_start(args, format);
        fill(err, code, format, args);
        va_end(args);
    }
    return false;
}

struct errno_code {
    int problem;
    enum wrap_code code;
};

/* What is not here is INTERNAL: the caller can't do anything about it. */
static enum wrap_code code_of(int problem)
{
    static const struct errno_code codes[] = {
        {ENOENT, WRAP_NOT_FOUND},          {ENOTDIR, WRAP_NOT_FOUND},
        {ESRCH, WRAP_NOT_FOUND},           {EEXIST, WRAP_ALREADY_EXISTS},
        {EACCES, WRAP_PERMISSION_DENIED},  {EPERM, WRAP_PERMISSION_DENIED},
        {EROFS, WRAP_PERMISSION_DENIED},   {EINVAL, WRAP_INVALID_ARGUMENT},
        {ELOOP, WRAP_INVALID_ARGUMENT},    {ENAMETOOLONG, WRAP_INVALID_ARGUMENT},
        {EISDIR, WRAP_INVALID_ARGUMENT},   {ENOMEM, WRAP_RESOURCE_EXHAUSTED},
        {ENOSPC, WRAP_RESOURCE_EXHAUSTED}, {EDQUOT, WRAP_RESOURCE_EXHAUSTED},
        {EMFILE, WRAP_RESOURCE_EXHAUSTED}, {ENFILE, WRAP_RESOURCE_EXHAUSTED},
        {ENOSYS, WRAP_UNIMPLEMENTED},      {EOPNOTSUPP, WRAP_UNIMPLEMENTED},
        {EBUSY, WRAP_FAILED_PRECONDITION}, {EAGAIN, WRAP_UNAVAILABLE},
        {ECONNREFUSED, WRAP_UNAVAILABLE},  {ETIMEDOUT, WRAP_DEADLINE_EXCEEDED},
        {ECANCELED, WRAP_CANCELLED},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].problem == problem) {
            return codes[i].code;
        }
    }
    return WRAP_INTERNAL;
}

bool wrap_fail_errno(struct wrap_error *err, int problem, const char *format, ...)
{
    if (is_filled(err)) {
        return false;
    }
    va_list args;
    va_start(args, format);
    fill(err, code_of(problem), format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(problem));
    make_one_line(err->text);
    return false;
}

void wrap_error_prefix(struct wrap_error *err, const char *format, ...)
{
    if (!err || err->code == WRAP_OK) {
        return;
    }
    char rest[sizeof err->text];
    memcpy(rest, err->text, sizeof rest);
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", rest);
    make_one_line(err->text);
}
