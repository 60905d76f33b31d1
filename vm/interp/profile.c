/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the counts of profile builds. Empty in others. */
#include "interp/profile.h"

#if VM_PROFILE
#include <stdio.h>
#include <stdlib.h>

u64 vm_profile_counts[VM_IR_COUNT], vm_profile_pairs[VM_IR_COUNT][VM_IR_COUNT];
u32 vm_profile_last = VM_IR_COUNT;

/** Lines "count NAME" and "count NAME NEXT". */
static __attribute__((destructor)) void write_counts(void)
{
    const char *path = getenv("WASMRUN_COUNTS");
    FILE *file = path ? fopen(path, "we") : NULL;
    if (!file) return;
    for (u32 a = 0; a < VM_IR_COUNT; a++) {
        const char *name = vm_ir_name((vm_ir)a);
        if (!vm_profile_counts[a]) continue;
        (void)fprintf(file, "%llu %s\n", (unsigned long long)vm_profile_counts[a], name);
        for (u32 b = 0; b < VM_IR_COUNT; b++)
            if (vm_profile_pairs[a][b])
                (void)fprintf(file, "%llu %s %s\n", (unsigned long long)vm_profile_pairs[a][b],
                              name, vm_ir_name((vm_ir)b));
    }
    (void)fclose(file);
}
#endif
