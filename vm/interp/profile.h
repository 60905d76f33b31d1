/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of executed instructions, in builds of the preset "profile" only: how often each ran, and
 * how often behind which other without a branch between. Written at exit to the file that the
 * environment variable WASMRUN_COUNTS names. Not for several threads.
 */
#ifndef VM_INTERP_PROFILE_H
#define VM_INTERP_PROFILE_H

#ifndef VM_PROFILE
#define VM_PROFILE 0
#endif

#if VM_PROFILE
#include "isa/ir.h"

extern u64 vm_profile_counts[VM_IR_COUNT], vm_profile_pairs[VM_IR_COUNT][VM_IR_COUNT];
extern u32 vm_profile_last; /* VM_IR_COUNT: a branch */

#define VM_PROFILE_RUN(op)                                                                         \
    do {                                                                                           \
        vm_profile_counts[op]++;                                                                   \
        if (vm_profile_last < VM_IR_COUNT) vm_profile_pairs[vm_profile_last][op]++;                \
        vm_profile_last = (op);                                                                    \
    } while (0)
#define VM_PROFILE_TAKEN() (void)(vm_profile_last = VM_IR_COUNT)
#else
#define VM_PROFILE_RUN(op) (void)0
#define VM_PROFILE_TAKEN() (void)0
#endif

#endif
