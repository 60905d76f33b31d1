/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side of a generated program: module "host" with functions, a memory, a table and globals
 * that are the same for every engine compared (diff_v8.mjs has them once more). Values are bits;
 * nothing here depends on an engine.
 */
#ifndef FUZZ_HOST_H
#define FUZZ_HOST_H

#include "base/port.h"

/** A host function. Signatures as in wr_linker_define_raw. HOST(id, "name", "signature") */
#define FUZZ_HOST_FUNCS(HOST)                                                                      \
    HOST(NOP, "nop", ":")                                                                          \
    HOST(STEP, "step", "i:i")                                                                      \
    HOST(MIX, "mix", "iIfF:I")                                                                     \
    HOST(SWAP, "swap", "iI:Ii")                                                                    \
    HOST(FLOATS, "floats", "fF:Ff")                                                                \
    HOST(REFS, "refs", "re:er")                                                                    \
    HOST(MANY, "many", "iIfFiIfF:FfIiFfIi")                                                        \
    HOST(TRAP, "trap", "i:")                                                                       \
    HOST(CALL, "call", "ri:i") /* calls an (i32) -> i32 function, else answers its argument */     \
    HOST(VECTORS, "vectors", "ViV:VIV")                                                            \
    HOST(THROW, "throw", "i:") /* an odd argument: throws "tag" with it and the number of calls */

enum host_func {
#define HOST(id, name, signature) HOST_##id,
    FUZZ_HOST_FUNCS(HOST)
#undef HOST
        HOST_FUNC_COUNT
};

extern const char *const host_func_name[HOST_FUNC_COUNT];
extern const char *const host_func_signature[HOST_FUNC_COUNT];

enum {
    HOST_SLOTS = 8,         /* most parameters or results */
    HOST_MEMORY_MIN = 1,    /* "memory": pages */
    HOST_MEMORY_MAX = 3,
    HOST_TABLE_MIN = 6,     /* "table": funcref, all null */
    HOST_TABLE_MAX = 12,
    HOST_EXTERNS = 5,       /* externref values are numbered 1 to 4; 0 is null */
    HOST_CALL_DEPTH = 6     /* CALL does not nest deeper */
};

/** Globals "g0" and on: type letter, mutability, value. Externref by number. */
struct host_global {
    char type;
    bool is_mutable;
    u64 bits;
};
enum { HOST_GLOBALS = 6 };
extern const struct host_global host_globals[HOST_GLOBALS];

/** What the functions remember: a hash over all calls so far. */
struct host_state {
    u64 trace;
    u32 calls;
    u32 depth; /* of CALL */
};

/**
 * Runs any function but CALL on `slots`, in place; a v128 has two. References in slots: externrefs
 * as numbers; funcrefs as any value, 0 null, passed on as they are. False: the function traps.
 */
bool host_apply(struct host_state *h, enum host_func f, u64 slots[HOST_SLOTS]);
/** True when THROW, just run on `slots`, throws: slots[0] and slots[1] are the values then. */
static inline bool host_throws(enum host_func f, const u64 *slots)
{
    return f == HOST_THROW && (slots[0] & 1);
}
#define HOST_TAG_SIGNATURE "iI:"
/** Adds to the trace. */
void host_trace(struct host_state *h, u64 value);

/** Canonical NaN bits for any NaN. */
u32 host_canon_f32(u32 bits);
u64 host_canon_f64(u64 bits);

#endif
