/* SPDX-License-Identifier: Apache-2.0 */
/* frames.c - see frames.h. */
#include "shim/frames.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 1024 };

static uint32_t read_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

/* What is held of an oversize frame goes away. */
static void skip(struct wrap_frames *frames)
{
    size_t held = frames->end - frames->start;
    size_t gone = frames->skip < held ? (size_t)frames->skip : held;
    frames->start += gone;
    frames->skip -= gone;
}

/* An idle connection holds no memory. */
static void shrink(struct wrap_frames *frames)
{
    if (frames->start == frames->end) {
        free(frames->bytes);
        frames->bytes = NULL;
        frames->start = frames->end = frames->room = 0;
    }
}

static bool reserve(struct wrap_frames *frames, size_t size)
{
    size_t held = frames->end - frames->start;
    if (size <= frames->room - frames->end) {
        return true;
    }
    if (frames->start) {
        memmove(frames->bytes, frames->bytes + frames->start, held);
        frames->start = 0;
        frames->end = held;
    }
    if (size <= frames->room - held) {
        return true;
    }
    size_t room = frames->room < ROOM_MIN ? ROOM_MIN : frames->room;
    while (room - held < size) {
        room *= 2; /* far from SIZE_MAX: what is held is less than a frame and one read */
    }
    uint8_t *bytes = realloc(frames->bytes, room);
    if (!bytes) {
        return false;
    }
    frames->bytes = bytes;
    frames->room = room;
    return true;
}

bool wrap_frames_add(struct wrap_frames *frames, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    if (frames->skip) { /* then nothing is held */
        size_t gone = frames->skip < size ? (size_t)frames->skip : size;
        frames->skip -= gone;
        from += gone;
        size -= gone;
    }
    if (size == 0) {
        return true;
    }
    if (!reserve(frames, size)) {
        return false;
    }
    memcpy(frames->bytes + frames->end, from, size);
    frames->end += size;
    return true;
}

bool wrap_frames_next(struct wrap_frames *frames, struct wrap_frame *out)
{
    size_t held = frames->end - frames->start;
    if (!frames->skipping) {
        if (held < WRAP_FRAME_HEADER) {
            shrink(frames);
            return false;
        }
        const uint8_t *at = frames->bytes + frames->start;
        *out = (struct wrap_frame){.size = read_u32(at),
                                   .stream = read_u32(at + 4),
                                   .type = at[8],
                                   .flags = at[9],
                                   .data = at + WRAP_FRAME_HEADER};
        if (out->size <= WRAP_FRAME_DATA_MAX) {
            if (held - WRAP_FRAME_HEADER < out->size) {
                return false;
            }
            frames->start += WRAP_FRAME_HEADER + (size_t)out->size;
            return true;
        }
        frames->start += WRAP_FRAME_HEADER;
        frames->oversize = *out;
        frames->oversize.data = NULL;
        frames->skip = out->size;
        frames->skipping = true;
    }
    skip(frames);
    shrink(frames);
    if (frames->skip) {
        return false;
    }
    frames->skipping = false;
    *out = frames->oversize;
    return true;
}

void wrap_frames_fini(struct wrap_frames *frames)
{
    free(frames->bytes);
    *frames = (struct wrap_frames){0};
}

void wrap_frame_header(const struct wrap_frame *frame, uint8_t out[WRAP_FRAME_HEADER])
{
    uint32_t size = htobe32(frame->size);
    uint32_t stream = htobe32(frame->stream);
    memcpy(out, &size, sizeof size);
    memcpy(out + 4, &stream, sizeof stream);
    out[8] = frame->type;
    out[9] = frame->flags;
}
