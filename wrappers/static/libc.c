/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc.c - functions of the C library as static programs need them: without what would come along
 * with the library's own, a tenth of the program. Linked to static programs alone; a function that
 * is of use to others does not belong here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No headers declare these, or not always: they are between the C library's own parts. */
char *__dcgettext(const char *domain, const char *text, int category);
char *dcgettext(const char *domain, const char *text, int category);
int __fxprintf(FILE *to, const char *format, ...);
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *name);

/* Messages as they are: no program of ours calls setlocale. The library's reads catalogues of
 * translations, and converts between character sets. */
char *__dcgettext(const char *domain, const char *text, int category)
{
    (void)domain;
    (void)category;
    return (char *)(size_t)text;
}

char *dcgettext(const char *domain, const char *text, int category)
{
    return __dcgettext(domain, text, category);
}

/* One write, and the end. The library's knows of streams of wide characters. */
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *name)
{
    char text[512];
    int len = snprintf(text, sizeof text, "%s:%u: %s: Assertion `%s' failed.\n", file, line,
                       name ? name : "?", what);
    if (len > 0) {
        size_t size = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
        ssize_t written = write(STDERR_FILENO, text, size);
        (void)written;
    }
    abort();
}

/* libuv asks how long a path may get, for uv_fs_realpath: -1 is its own limit. The library's looks
 * through the table of mounts for limits of ext2. */
long pathconf(const char *path, int name)
{
    (void)path;
    (void)name;
    return -1;
}

/* What host.conf is told of its mistakes with. The library's knows of wide characters, too. */
int __fxprintf(FILE *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vfprintf(to ? to : stderr, format, args);
    va_end(args);
    return len;
}

/* libuv reads by them what the kernel says of memory and processors, which is never asked: nothing
 * is found. The library's come with floats of all sizes and wide characters, 85 KB. Other names,
 * since <stdio.h> has others for these. */
int wrap_static_sscanf(const char *text, const char *format, ...) __asm__("sscanf");
int wrap_static_fscanf(FILE *from, const char *format, ...) __asm__("fscanf");

int wrap_static_sscanf(const char *text, const char *format, ...)
{
    (void)text;
    (void)format;
    return EOF;
}

int wrap_static_fscanf(FILE *from, const char *format, ...)
{
    (void)from;
    (void)format;
    return EOF;
}
