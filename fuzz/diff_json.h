/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a case with the oracle's answers as one JSON object, for diff_v8.mjs. NULL: writes
 * nothing. */
#ifndef FUZZ_DIFF_JSON_H
#define FUZZ_DIFF_JSON_H

#include "diff.h"
#include "ref_interp.h"

/** A call of the plan and how the oracle ended it. */
struct diff_call {
    u32 module;
    const struct vm_export *export;
    const struct vm_functype *sig;
    const struct ref_val *args, *results;
    struct ref_end end;
};

void json_begin(struct bytes *out, const struct diff_case *c);
void json_instance(struct bytes *out, const struct ref_end *end);
/** False: diff_v8.mjs can't call functions of this type. */
bool json_can_call(const struct vm_functype *t);
void json_call(struct bytes *out, const struct diff_call *c, struct ref_instance *const *inst,
               u32 count);
void json_end(struct bytes *out, struct ref_instance *const *inst, u32 count,
              const struct host_state *host);

#endif
