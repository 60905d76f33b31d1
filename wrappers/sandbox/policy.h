/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - names that the generator of filters, the filters' installer and the tests share.
 * Not here: which calls are allowed (syscalls.def).
 */
#ifndef WRAPPERS_SANDBOX_POLICY_H
#define WRAPPERS_SANDBOX_POLICY_H

/** Numbers from here on are the same on all architectures; unknown ones are ENOSYS. */
#define WRAP_SYSCALL_NEW 424
/** Stands in a filter where the installer puts the process's own number. */
#define WRAP_FILTER_PID 0x3fffff01u
/** The instruction of a filter that loads the call's number: those before it look at the
 * architecture, which a profile's program in front of it has done. */
#define WRAP_FILTER_NUMBER 3
/** CLONE_VM, CLONE_SIGHAND and CLONE_THREAD: what clone is compared with: threads are the
 * guest's, and ours to look names up, to sample, to demangle names. */
#define WRAP_FILTER_THREAD 0x10900u

/** Flags that clone fails with, EPERM. CLONE_PTRACE, VFORK, NEWNS, NEWCGROUP, NEWUTS, NEWIPC,
 * NEWUSER, NEWPID, NEWNET, IO. */
#define WRAP_FILTER_CLONE_NEVER 0xfe026000u

#define WRAP_AUDIT_X86_64 0xc000003eu
#define WRAP_AUDIT_AARCH64 0xc00000b7u
/** Calls of x32 have this bit, under the same audit number as x86-64. */
#define WRAP_X32_BIT 0x40000000u

#endif
