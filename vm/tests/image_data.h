/* SPDX-License-Identifier: Apache-2.0 */
/* Data segments large enough for an image, and whether this system has images. For tests. */
#ifndef VM_TESTS_IMAGE_DATA_H
#define VM_TESTS_IMAGE_DATA_H

#include "platform/cowfile.h"
#include "platform/vmem.h"
#include "tests/wasm_writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

enum { PAGE = 65536, BIG = 100000 /* bytes: enough for an image, no multiple of a page */ };

/** Deterministic and never 0. */
static inline void fill(u8 *p, usize n, u32 seed)
{
    for (usize i = 0; i < n; i++) p[i] = (u8)((i * 31 + (i >> 8) * 7 + seed * 13) % 255 + 1);
}

/** A segment of `size` bytes made by fill. */
static inline void big_data(struct wasm *m, u32 memory, u32 offset, u32 size, u32 seed)
{
    char *bytes = malloc(size);
    if (!bytes) abort();
    fill((u8 *)bytes, size, seed);
    wasm_data(m, memory, offset, bytes, size);
    free(bytes);
}

/** True when this system gives sealed files: then images must be used. */
static inline bool has_images(void)
{
    int fd = vm_cowfile_new(1);
    bool sealed = fd >= 0 && vm_cowfile_seal(fd);
    if (fd >= 0) vm_cowfile_delete(fd);
    return sealed;
}

/** `n`, or a fifth of it where reserving address space takes long: 0.1 s under qemu-user. */
static inline u32 rounds_of(u32 n)
{
    struct timespec begin, end;
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    vm_release(vm_reserve((u64)8 << 30), (u64)8 << 30);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    double s = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    return s > 0.02 ? n / 5 : n;
}

/** Descriptors in use. */
static inline u32 open_files(void)
{
    u32 n = 0;
    for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

#endif
