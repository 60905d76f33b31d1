/* SPDX-License-Identifier: Apache-2.0 */
/* Lowers one validated function body to internal code. The only header others include. */
#ifndef VM_TRANSLATE_TRANSLATE_H
#define VM_TRANSLATE_TRANSLATE_H

#include "isa/code.h"
#include "validate/sink.h"

/** What lowering needs to know of the surroundings. Borrowed during the call. */
struct vm_translate_env {
    const struct vm_alloc *alloc;
    const struct vm_module *module;
    const u32 *canon;      /* canonical number of each local type */
    struct vm_code *codes; /* code objects of the defined functions */
    struct vm_code_mode mode;
    vm_features features;
};

/**
 * Translates `code` (its func_idx is set): fills words, map, frame_slots, not entry. Linear in the
 * body. `scratch` is reset. Errors: VM_OOM, VM_LIMIT (frame too large), VM_UNSUPPORTED.
 */
vm_status vm_translate(const struct vm_translate_env *env, struct vm_code *code,
                       struct vm_arena *scratch, struct vm_err *err) VM_MUST_USE;

#endif
