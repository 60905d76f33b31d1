/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns SIGSEGV and SIGBUS at a guest memory access into a jump to the access's fault label.
 * The pairs (instruction, label) come from the vm_extable section. No traps, no guests here.
 */
#ifndef VM_PLATFORM_SIGNAL_H
#define VM_PLATFORM_SIGNAL_H

#include "base/port.h"

/** One entry of the exception table, as the access macros emit it. */
struct vm_extable_entry {
    i32 insn;  /* address of the access, relative to this field */
    i32 label; /* address of its fault label, relative to this field */
};

/**
 * Installs the handlers once per process with the table [begin, end); later calls do nothing. The
 * former handlers are kept and called for faults that are not ours. False when the system refuses
 * or the architecture has no support: then memories must use explicit checks. Any thread.
 */
bool vm_signal_install(const struct vm_extable_entry *begin, const struct vm_extable_entry *end);
/** True when the fault was at an access of the table and `ucontext` now continues at its label. */
bool vm_signal_try(int sig, void *siginfo, void *ucontext);

/**
 * Architecture's part: the program counter of a ucontext_t, replaced when `pc` is not 0. With a
 * NULL ucontext: 0 when the architecture has no support.
 */
usize vm_ucontext_pc(void *ucontext, usize pc);

#endif
