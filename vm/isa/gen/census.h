/* SPDX-License-Identifier: Apache-2.0 */
/* census.h - what programs that translate whole modules share (census.c, translation_time.c). */
#ifndef VM_ISA_GEN_CENSUS_H
#define VM_ISA_GEN_CENSUS_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "binary/module.h"

static inline double census_now_ns(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/** For qsort over doubles. */
static inline int census_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/** A whole file; its bytes are never freed. NULL: it can't be read. */
static inline u8 *census_read_file(const char *path, usize *size)
{
    FILE *file = fopen(path, "re");
    long end = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) end = ftell(file);
    u8 *bytes = end > 0 ? malloc((usize)end) : NULL;
    *size = (usize)end;
    if (bytes && (fseek(file, 0, SEEK_SET) != 0 || fread(bytes, 1, *size, file) != *size))
        bytes = NULL;
    if (file) (void)fclose(file);
    return bytes;
}

/** Decodes a file, once; false: it can't be, which is printed. */
static inline bool census_read_module(const char *path, struct vm_module *out)
{
    usize size;
    u8 *bytes = census_read_file(path, &size);
    struct vm_err err;
    vm_err_init(&err);
    if (bytes && vm_module_decode(out, &vm_alloc_libc, bytes, size, &err) == VM_OK) return true;
    (void)fprintf(stderr, "%s: can't be read\n", path);
    return false;
}

#endif
