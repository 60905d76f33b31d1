/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translated code of one function, and the frame it runs in. Shared by translate (writes),
 * interp (runs) and runtime (points to it). No lowering, no execution.
 *
 * Frame of a running function, in slots relative to the frame pointer `fp`:
 *
 *   fp[-below .. -1]           parameters, later results, from -below on
 *   fp[0 .. VM_FRAME_SLOTS-1]  header, below
 *   fp[VM_FRAME_SLOTS ..]      other locals, then operand stack positions (home slots)
 *
 * `below` is the larger of parameter and result slots. A caller computes arguments into its own
 * operand stack; the callee's frame starts there, so frames overlap and nothing is copied.
 */
#ifndef VM_ISA_CODE_H
#define VM_ISA_CODE_H

#include "isa/ir.h"

#include <stdatomic.h>

/** Header slots. */
enum {
    VM_FRAME_RET = 0,    /* caller's next instruction, or the foreign-return stub */
    VM_FRAME_CALLER = 1, /* caller's fp; of a foreign frame its own, for the stub to find */
    VM_FRAME_CODE = 2,   /* struct vm_code running in this frame; NULL at the bottom */
    /* only in foreign frames, called from another instance: RET is the foreign-return stub */
    VM_FRAME_INST = 3,      /* the caller's instance */
    VM_FRAME_REAL_RET = 4,  /* the caller's next instruction */
    VM_FRAME_REAL_CALLER = 5,
    VM_FRAME_SLOTS = 6
};

/** Maps an instruction to its place in the module file. */
struct vm_codemap {
    u32 word;   /* index of the handler word */
    u32 offset; /* file offset of the Wasm instruction */
};

struct vm_alloc;
struct vm_codeset;

enum { VM_NO_SLOT = INT32_MIN };

/** A way into a handler: where an exception of a tag lands. */
struct vm_catch {
    u32 tag; /* index in the instance; VM_CATCH_ALL */
    u32 target; /* word */
    u32 next; /* clause of the same region, VM_CATCH_NONE: none */
    i32 values; /* slot that the tag's values go to, from there on */
    i32 ref; /* slot that the exception goes to, or VM_NO_SLOT */
};
enum { VM_CATCH_ALL = UINT32_MAX, VM_CATCH_NONE = UINT32_MAX };

/** Instructions whose exceptions go to the same handlers: whole ones, in [begin, end). */
struct vm_try {
    u32 begin, end; /* words */
    u32 parent; /* the region around it, VM_TRY_NONE: none */
    u32 outer; /* whose handlers are asked next, VM_TRY_NONE: the caller's. delegate, tail calls */
    u32 first; /* clause */
};
enum { VM_TRY_NONE = UINT32_MAX };

/** Side table of a function that has handlers. Immutable, one allocation. */
struct vm_handlers {
    u32 try_count, catch_count;
    const struct vm_catch *catches; /* behind the regions */
    struct vm_try tries[]; /* ascending by begin, parents before what is in them */
};
static inline usize vm_handlers_bytes(u32 tries, u32 catches)
{
    return sizeof(struct vm_handlers) + (usize)tries * sizeof(struct vm_try) +
           (usize)catches * sizeof(struct vm_catch);
}

/**
 * One function's code. `entry` is atomic; the rest is written before entry is published. Calls load
 * entry first and frame_slots after it: with the lazy stub either value will do, since it checks
 * the stack again.
 */
struct vm_code {
    vm_code_entry entry; /* the lazy stub until translated */
    _Atomic u32 frame_slots; /* from fp on, header included: what the stack check needs; relaxed */
    u32 below; /* max(parameter, result slots) */
    u32 func_idx;
    u32 word_count;
    u32 map_count;
    union vm_word *words; /* own; NULL until translated */
    struct vm_codemap *map; /* own; ascending by word */
    struct vm_handlers *handlers; /* own; NULL: none */
    struct vm_codeset *set; /* whose member this is */
};

/** Frees words, map and handlers, which may be NULL. */
void vm_code_free(const struct vm_alloc *alloc, struct vm_code *code);

/** How code is made: which handler words, which access to memory 0, with fuel counting or not. */
enum vm_code_backend {
    VM_CODE_LOOP, /* the portable switch loop */
    VM_CODE_TAIL, /* tail-call handlers for the architecture's baseline */
    VM_CODE_TAIL_V3, /* the same for x86-64-v3 */
    VM_CODE_BACKENDS
};
enum vm_code_memory { VM_CODE_GUARD, VM_CODE_EXPLICIT, VM_CODE_MEMORIES };
struct vm_code_mode {
    enum vm_code_backend backend;
    enum vm_code_memory memory;
    bool fuel;
};

#endif
