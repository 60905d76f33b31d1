/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.h - tar files that are the same bytes wherever and whenever they are written: ustar, owner 0,
 * one time for all. Not here: what is in them.
 */
#ifndef WRAPPERS_PACK_TAR_H
#define WRAPPERS_PACK_TAR_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct wrap_tar;

/** Takes the next bytes of the file; false ends the writing. */
typedef bool (*wrap_tar_sink)(void *ctx, const void *data, size_t size);

struct wrap_tar_entry {
    const char *path; /**< without a leading slash, at most what ustar holds */
    uint64_t size;
    unsigned mode; /**< permission bits */
    bool folder;
};

/** The last time and the largest size that ustar can hold. */
#define WRAP_TAR_TIME_MAX INT64_C(077777777777)
#define WRAP_TAR_SIZE_MAX UINT64_C(077777777777)

/** A file whose bytes go to `sink`; all its entries are of `time` (seconds since 1970). NULL: err.
 */
struct wrap_tar *wrap_tar_new(wrap_tar_sink sink, void *ctx, int64_t time, struct wrap_error *err);
/** Begins an entry, whose `size` bytes wrap_tar_data brings. */
bool wrap_tar_add(struct wrap_tar *tar, const struct wrap_tar_entry *entry, struct wrap_error *err);
bool wrap_tar_data(struct wrap_tar *tar, const void *data, size_t size, struct wrap_error *err);
/** Writes the end, if `good`, and frees. False: `good` was, or it could not be written. */
bool wrap_tar_end(struct wrap_tar *tar, bool good, struct wrap_error *err);

#endif
