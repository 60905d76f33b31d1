/* SPDX-License-Identifier: Apache-2.0 */
/* tar.c - ustar headers. Why not by a library: docs/decisions/0013-own-ustar.md. */
#include "pack/tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512 };

/** One block. Source: POSIX.1-2017, pax, "ustar Interchange Format". Numbers are octal text. */
struct header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char chksum[8];
    char typeflag;
    char linkname[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char devmajor[8];
    char devminor[8];
    char prefix[155];
    char pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

struct wrap_tar {
    wrap_tar_sink sink;
    void *ctx;
    int64_t time;
    uint64_t left; /* bytes of the entry that are to come */
    size_t pad;    /* zeros behind them, up to the next block */
};

static bool put(struct wrap_tar *tar, const void *data, size_t size, struct wrap_error *err)
{
    return tar->sink(tar->ctx, data, size) ||
           wrap_fail(err, WRAP_INTERNAL, "the tar file cannot be written");
}

/* `width` - 1 digits and a NUL, without one where the field is not large enough for it. */
static void octal(char *field, size_t width, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%0*llo", (int)width - 1, (unsigned long long)value);
    memcpy(field, text, width);
}

/* A name of more than 100 bytes is cut at a slash, its beginning goes into `prefix`. */
static bool set_name(struct header *header, const char *path, bool folder)
{
    char text[sizeof header->name + sizeof header->prefix + 2];
    int size = snprintf(text, sizeof text, "%s%s", path, folder ? "/" : "");
    if (size < 0 || (size_t)size >= sizeof text) {
        return false;
    }
    size_t length = (size_t)size;
    size_t cut = 0; /* where the slash is */
    if (length > sizeof header->name) {
        cut = length - sizeof header->name - 1;
        while (cut < length - 1 && (text[cut] != '/' || cut == 0)) {
            cut++;
        }
        if (cut >= length - 1 || cut > sizeof header->prefix) {
            return false;
        }
        memcpy(header->prefix, text, cut);
        cut++;
    }
    memcpy(header->name, text + cut, length - cut);
    return true;
}

struct wrap_tar *wrap_tar_new(wrap_tar_sink sink, void *ctx, int64_t time, struct wrap_error *err)
{
    struct wrap_tar *tar = malloc(sizeof *tar);
    if (!tar) {
        wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    *tar = (struct wrap_tar){.sink = sink, .ctx = ctx, .time = time};
    return tar;
}

bool wrap_tar_add(struct wrap_tar *tar, const struct wrap_tar_entry *entry, struct wrap_error *err)
{
    struct header header = {0};
    if (tar->left) {
        return wrap_fail(err, WRAP_INTERNAL, "%s: the entry before it is not whole", entry->path);
    }
    if (!set_name(&header, entry->path, entry->folder)) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: too long a name for a tar file",
                         entry->path);
    }
    if (entry->size > WRAP_TAR_SIZE_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: too large for a tar file", entry->path);
    }
    octal(header.mode, sizeof header.mode, entry->mode & 07777);
    octal(header.uid, sizeof header.uid, 0);
    octal(header.gid, sizeof header.gid, 0);
    octal(header.size, sizeof header.size, entry->size);
    octal(header.mtime, sizeof header.mtime, (uint64_t)tar->time);
    header.typeflag = entry->folder ? '5' : '0';
    memcpy(header.magic, "ustar", sizeof header.magic);
    memset(header.version, '0', sizeof header.version);
    octal(header.devmajor, sizeof header.devmajor, 0);
    octal(header.devminor, sizeof header.devminor, 0);
    /* The sum is of a header whose own sum is spaces. */
    memset(header.chksum, ' ', sizeof header.chksum);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        sum += ((const unsigned char *)&header)[i];
    }
    octal(header.chksum, sizeof header.chksum - 1, sum); /* and a space stays behind it */
    tar->left = entry->size;
    tar->pad = (BLOCK - entry->size % BLOCK) % BLOCK;
    return put(tar, &header, sizeof header, err);
}

bool wrap_tar_data(struct wrap_tar *tar, const void *data, size_t size, struct wrap_error *err)
{
    static const char zeros[BLOCK];
    if (size > tar->left) {
        return wrap_fail(err, WRAP_INTERNAL, "more bytes than the entry was to have");
    }
    tar->left -= size;
    return !size || (put(tar, data, size, err) &&
                     (tar->left || !tar->pad || put(tar, zeros, tar->pad, err)));
}

bool wrap_tar_end(struct wrap_tar *tar, bool good, struct wrap_error *err)
{
    static const char zeros[2 * BLOCK];
    if (good && tar->left) {
        good = wrap_fail(err, WRAP_INTERNAL, "the last entry is not whole");
    }
    good = good && put(tar, zeros, sizeof zeros, err);
    free(tar);
    return good;
}
