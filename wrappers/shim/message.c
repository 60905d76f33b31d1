/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - messages that peers made: how much memory they may take, and that their strings are
 * text. Declared in ttrpc.h. */
#include "shim/ttrpc.h"

#include <stdlib.h>
#include <string.h>

enum { GROWTH = 16, BUDGET_MIN = 64 << 10, BUDGET_MAX = 32 << 20, CHUNK_COST = 16 };

/* What is freed while a message is unpacked is not given back: the sum is bounded as well. */
static void *take(void *env, size_t size)
{
    size_t *left = env;
    if (size > *left || *left - size < CHUNK_COST) {
        return NULL;
    }
    *left -= size + CHUNK_COST;
    return malloc(size);
}

static void give(void *env, void *at)
{
    (void)env;
    free(at);
}

/* The length of a well-formed UTF-8 sequence at `at`, 0: malformed. Zero ends a string, so there is
 * always one more byte to look at. */
static size_t utf8_length(const uint8_t *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0x80) {
        return 1;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4) {
        return 0;
    }
    uint32_t point = at[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point < 0xe000;
    return point < least[length] || point > 0x10ffff || surrogate ? 0 : length;
}

static bool is_text(const char *string)
{
    const uint8_t *at = (const uint8_t *)string;
    while (at && *at) {
        size_t length = utf8_length(at);
        if (!length) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool is_sound(const ProtobufCMessage *message);

static bool is_value_sound(const ProtobufCFieldDescriptor *field, const void *value)
{
    const void *pointer;
    memcpy(&pointer, value, sizeof pointer);
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        return is_text(pointer);
    }
    return !pointer || is_sound(pointer);
}

/* proto3: strings are UTF-8. The library doesn't look, and what we pass on in an event or an error
 * would be refused there. */
static bool is_sound(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const char *at = (const char *)message + field->offset;
        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            if (!is_value_sound(field, at)) {
                return false;
            }
            continue;
        }
        size_t count;
        const char *items;
        memcpy(&count, (const char *)message + field->quantifier_offset, sizeof count);
        memcpy(&items, at, sizeof items);
        for (size_t k = 0; k < count; k++) {
            if (!is_value_sound(field, items + k * sizeof(void *))) {
                return false;
            }
        }
    }
    return true;
}

ProtobufCMessage *wrap_message_unpack(const ProtobufCMessageDescriptor *type, const void *bytes,
                                      size_t size)
{
    size_t budget = size < BUDGET_MAX / GROWTH ? size * GROWTH : BUDGET_MAX;
    if (budget < BUDGET_MIN) {
        budget = BUDGET_MIN;
    }
    ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = &budget};
    static const uint8_t nothing[1];
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, size, size ? bytes : nothing);
    if (message && !is_sound(message)) {
        wrap_message_free(message);
        return NULL;
    }
    return message;
}

void wrap_message_free(ProtobufCMessage *message)
{
    if (message) {
        protobuf_c_message_free_unpacked(message, NULL); /* malloc's memory, as `take` gave it */
    }
}
