/* SPDX-License-Identifier: Apache-2.0 */
/* The host functions' behaviour. */
#include "host.h"

#include <string.h>

#define HOST(id, name, signature) name,
const char *const host_func_name[HOST_FUNC_COUNT] = {FUZZ_HOST_FUNCS(HOST)};
#undef HOST
#define HOST(id, name, signature) signature,
const char *const host_func_signature[HOST_FUNC_COUNT] = {FUZZ_HOST_FUNCS(HOST)};
#undef HOST

const struct host_global host_globals[HOST_GLOBALS] = {
    {'i', false, 3},
    {'I', false, 5},
    {'i', true, 0x80000000},
    {'I', true, 0x123456789abcdef0},
    {'F', true, 0xc008000000000000},
    {'e', false, 2},
};

u32 host_canon_f32(u32 bits) { return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : bits; }

u64 host_canon_f64(u64 bits)
{
    return (bits & INT64_MAX) > 0x7ff0000000000000 ? 0x7ff8000000000000 : bits;
}

void host_trace(struct host_state *h, u64 value)
{
    for (u32 i = 0; i < 8; i++) h->trace = (h->trace ^ (value >> 8 * i & 0xff)) * 0x100000001b3;
}

static void trace_args(struct host_state *h, enum host_func f, u64 *slots)
{
    const char *sig = host_func_signature[f];
    host_trace(h, f);
    h->calls++;
    for (u32 i = 0; *sig != ':'; sig++, i++) {
        if (*sig == 'V') host_trace(h, slots[i++]);
        if (*sig == 'i') slots[i] = (u32)slots[i];
        if (*sig == 'f') slots[i] = host_canon_f32((u32)slots[i]);
        if (*sig == 'F') slots[i] = host_canon_f64(slots[i]);
        host_trace(h, *sig == 'r' ? slots[i] != 0 : slots[i]);
    }
}

bool host_apply(struct host_state *h, enum host_func f, u64 slots[HOST_SLOTS])
{
    u64 in[HOST_SLOTS];
    trace_args(h, f, slots);
    memcpy(in, slots, sizeof in);
    switch (f) {
    case HOST_STEP: slots[0] = (u32)((u32)in[0] * 2654435761u + h->calls); break;
    case HOST_MIX: slots[0] = h->trace; break;
    case HOST_SWAP:
    case HOST_FLOATS:
    case HOST_REFS:
        slots[0] = in[1];
        slots[1] = in[0];
        break;
    case HOST_MANY:
        for (u32 i = 0; i < 8; i++) slots[i] = in[7 - i];
        break;
    case HOST_TRAP: return (in[0] & 7) != 7;
    case HOST_CALL: slots[0] = in[1]; break;
    case HOST_VECTORS: /* the vectors change places, halves of the first too */
        slots[0] = in[3];
        slots[1] = in[4];
        slots[2] = in[2] * 0x100000001u;
        slots[3] = in[1];
        slots[4] = in[0];
        break;
    case HOST_THROW: slots[1] = h->calls; break;
    default: break;
    }
    return true;
}
