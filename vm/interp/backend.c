/* SPDX-License-Identifier: Apache-2.0 */
/* Which backends this build and this processor have. No dispatch. */
#include "interp/dispatch.h"

/* The build tells which tables are linked; absent ones are NULL here. */
#if VM_DISPATCH_TAIL
#define TAIL &vm_backend_tail
#else
#define TAIL NULL
#endif
#if VM_DISPATCH_V3
#define TAIL_V3 &vm_backend_tail_v3
static bool has_v3(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("movbe") &&
           __builtin_cpu_supports("f16c");
}
#else
#define TAIL_V3 NULL
static bool has_v3(void) { return false; }
#endif

static const struct vm_backend *const backends[VM_CODE_BACKENDS] = {
    [VM_CODE_LOOP] = &vm_backend_loop,
    [VM_CODE_TAIL] = TAIL,
    [VM_CODE_TAIL_V3] = TAIL_V3,
};

const struct vm_backend *vm_backend_get(enum vm_code_backend backend) { return backends[backend]; }

enum vm_code_backend vm_backend_best(void)
{
    if (backends[VM_CODE_TAIL_V3] && has_v3()) return VM_CODE_TAIL_V3;
    return backends[VM_CODE_TAIL] ? VM_CODE_TAIL : VM_CODE_LOOP;
}

bool vm_backend_usable(enum vm_code_backend backend)
{
    return backends[backend] && (backend != VM_CODE_TAIL_V3 || has_v3());
}
