/* SPDX-License-Identifier: Apache-2.0 */
/* uvloop.h - new libuv loops that fail instead of ending the process. */
#ifndef WASI_LOOP_UVLOOP_H
#define WASI_LOOP_UVLOOP_H

#include "abi/p1_types.h"

#include <uv.h>

/**
 * uv_loop_init that does not abort: the first loop of a process makes libuv abort when it finds
 * too few descriptors, and a guest may have taken them (unless another thread takes them at that
 * very moment). MFILE, NFILE, NOMEM. Any thread.
 */
wasi_errno wasi_uv_loop_init(uv_loop_t *uv);

#endif
