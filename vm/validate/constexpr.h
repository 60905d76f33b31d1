/* SPDX-License-Identifier: Apache-2.0 */
/* Constant expressions, by the same walker as bodies. Their values are runtime's business. */
#ifndef VM_VALIDATE_CONSTEXPR_H
#define VM_VALIDATE_CONSTEXPR_H

#include "validate/sink.h"

struct vm_constexpr {
    struct vm_range range; /* with its END */
    vm_valtype type;       /* wanted */
    u32 visible_globals;   /* global.get may name those below */
};

/**
 * Checks one constant expression and reports its instructions to `sink` (NULL: check only), the
 * final `end` included; `begin` is not called. `scratch` is reset first. spec valid-constant
 * Errors: VM_INVALID, VM_MALFORMED, VM_UNSUPPORTED, VM_OOM, or the sink's. Any thread.
 */
vm_status vm_walk_constexpr(const struct vm_module *m, const struct vm_constexpr *expr,
                            vm_features features, const struct vm_sink *sink, void *ctx,
                            struct vm_arena *scratch, struct vm_err *err) VM_MUST_USE;

#endif
