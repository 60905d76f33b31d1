/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents kept once and mapped copy-on-write many times: an anonymous file that is filled, then
 * sealed, so that nobody can change it any more, whoever gets at its descriptor. Not for files of
 * a file system: those can be changed behind the engine's back.
 */
#ifndef VM_PLATFORM_COWFILE_H
#define VM_PLATFORM_COWFILE_H

#include "base/port.h"

/** A new file of `bytes` zero bytes: its descriptor, or -1 when this system has none to give. */
int vm_cowfile_new(u64 bytes);
/** Writes at `at` inside of a file not sealed; false: no memory. */
bool vm_cowfile_write(int fd, u64 at, const void *data, usize bytes);
/** No writing, growing or shrinking from here on; false when the system can't promise that. */
bool vm_cowfile_seal(int fd);
void vm_cowfile_delete(int fd);

/** What has become of pages that were to show a file. */
enum vm_cowfile_result {
    VM_COWFILE_MAPPED,
    VM_COWFILE_ZEROED, /* refused: they are zero, readable and writable */
    VM_COWFILE_LOST    /* nothing may be there any more */
};
/**
 * Replaces committed pages [p, p+bytes) by a private view of the file from `at` on, readable and
 * writable; all three are multiples of the page size. Any thread.
 */
enum vm_cowfile_result vm_cowfile_map(int fd, u64 at, void *p, u64 bytes) VM_MUST_USE;

#endif
