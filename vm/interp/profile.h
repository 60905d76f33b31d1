/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of executed instructions, in builds of the preset "profile" only: how often each ran, and
 * how often behind which other without a branch between, and how often those at each place of the
 * module file. Written at exit to the file that the environment variable WASMRUN_COUNTS names. Not
 * for several threads.
 */
#ifndef VM_INTERP_PROFILE_H
#define VM_INTERP_PROFILE_H

#ifndef VM_PROFILE
#define VM_PROFILE 0
#endif

#if VM_PROFILE
#include "isa/code.h"

extern u64 vm_profile_counts[VM_IR_COUNT], vm_profile_pairs[VM_IR_COUNT][VM_IR_COUNT];
extern u32 vm_profile_last; /* VM_IR_COUNT: a branch */
/** Counts the instruction at `pc` of the function whose frame is at `fp`. */
void vm_profile_at(const union vm_word *pc, const union vm_slot *fp);

#define VM_PROFILE_RUN(op, pc, fp)                                                                 \
    do {                                                                                           \
        vm_profile_counts[op]++;                                                                   \
        if (vm_profile_last < VM_IR_COUNT) vm_profile_pairs[vm_profile_last][op]++;                \
        vm_profile_last = (op);                                                                    \
        vm_profile_at(pc, fp);                                                                     \
    } while (0)
#define VM_PROFILE_TAKEN() (void)(vm_profile_last = VM_IR_COUNT)
#else
#define VM_PROFILE_RUN(op, pc, fp) (void)0
#define VM_PROFILE_TAKEN() (void)0
#endif

#endif
