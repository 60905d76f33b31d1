/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames.h - a stream of bytes cut into ttrpc's frames. What is kept grows with what has arrived,
 * never with what a header announces. Not here: what frames mean, sockets.
 *
 *    0        4        8      9       10
 *   | size BE | stream | type | flags | data: size bytes …
 */
#ifndef WRAPPERS_SHIM_FRAMES_H
#define WRAPPERS_SHIM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WRAP_FRAME_HEADER = 10, WRAP_FRAME_DATA_MAX = 4 << 20 };
enum wrap_frame_type { WRAP_FRAME_REQUEST = 1, WRAP_FRAME_RESPONSE = 2, WRAP_FRAME_DATA = 3 };
enum { WRAP_FRAME_REMOTE_CLOSED = 1, WRAP_FRAME_NO_DATA = 4 /* flags of DATA frames */ };

struct wrap_frame {
    uint32_t size;
    uint32_t stream;
    uint8_t type; /**< any byte */
    uint8_t flags;
    const uint8_t *data; /**< until the next call; NULL when `size` is beyond WRAP_FRAME_DATA_MAX */
};

/** Zero-initialized; any one thread. */
struct wrap_frames {
    uint8_t *bytes;
    size_t start, end, room; /* bytes[start, end) are not yet taken */
    uint64_t skip; /* bytes of an oversize frame that have yet to come */
    struct wrap_frame oversize;
    bool skipping;
};

/** Appends bytes that have arrived; false: no memory, all is as before. */
bool wrap_frames_add(struct wrap_frames *frames, const void *bytes, size_t size);
/** Takes the next complete frame; false: more bytes are needed. A frame that is too long comes
 * without data once all of it has gone by. */
bool wrap_frames_next(struct wrap_frames *frames, struct wrap_frame *out);
void wrap_frames_fini(struct wrap_frames *frames);

/** Writes the header of a frame. */
void wrap_frame_header(const struct wrap_frame *frame, uint8_t out[WRAP_FRAME_HEADER]);

#endif
