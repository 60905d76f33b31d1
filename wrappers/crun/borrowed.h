/* SPDX-License-Identifier: Apache-2.0 */
/* borrowed.h - objects of libc that crun-engine.so has of its own: see borrowed.c. */
#ifndef WRAPPERS_CRUN_BORROWED_H
#define WRAPPERS_CRUN_BORROWED_H

#include <stdbool.h>

/** Takes over stderr and environ as they are in libc now. False: this libc has none. */
bool wrap_crun_borrow(void);

#endif
