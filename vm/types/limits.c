/* SPDX-License-Identifier: Apache-2.0 */
/* Matching of limits at link time. spec match-limits */
#include "types/limits.h"

bool vm_limits_match(const struct vm_limits *have, u64 now, const struct vm_limits *want)
{
    if (have->is_64 != want->is_64 || have->is_shared != want->is_shared) return false;
    if (have->page_log2 != want->page_log2 || now < want->min) return false;
    return !want->has_max || (have->has_max && have->max <= want->max);
}
