/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image of a module: what its first data segments make of a memory, kept once and shared by
 * all instances copy-on-write. Knows modules and memories; not when segments are written.
 */
#ifndef VM_RUNTIME_IMAGE_H
#define VM_RUNTIME_IMAGE_H

#include "base/port.h"

#include <stdatomic.h>

struct vm_instance;

enum { VM_IMAGE_EXTENTS = 8 };

/** Pages of a memory [addr, addr+bytes) that show the file from `at` on. */
struct vm_image_extent {
    u64 addr, bytes, at;
};

/**
 * Active segments below `data_end` all go to memory `memory`, unshared and the module's, at offsets
 * that are the same for every instance, and inside of it. Made by the first instantiation; what
 * finds it in the making goes without. Immutable when `state` says that it is there.
 */
struct vm_image {
    _Atomic u32 state; /* enum in image.c; released by the thread that makes it */
    int fd;
    u32 memory, data_end, extent_count;
    struct vm_image_extent extents[VM_IMAGE_EXTENTS];
};

/** What a memory is after vm_image_map. */
enum vm_image_result {
    VM_IMAGE_NONE,   /* as before: all segments are still to be written */
    VM_IMAGE_MAPPED, /* segments below the image's data_end are written */
    VM_IMAGE_BROKEN  /* unusable, and the system out of memory */
};
/**
 * Makes the image of the instance's module if it is worth one and nobody has, and lays it over the
 * instance's own memory, which must be as it was made. Any thread that may use the instance.
 */
enum vm_image_result vm_image_map(struct vm_instance *inst) VM_MUST_USE;
/** Frees what the image holds; instances keep what they have mapped. */
void vm_image_fini(struct vm_image *image);

#endif
