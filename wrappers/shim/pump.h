/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h - copies bytes from one descriptor to another on the loop, as fast as the slower of them;
 * between a terminal's master and the FIFOs that containerd gives.
 */
#ifndef WRAPPERS_SHIM_PUMP_H
#define WRAPPERS_SHIM_PUMP_H

#include "common/error.h"

#include <uv.h>

struct wrap_pump;
/**
 * Takes `from` and `to` over, which no other handle of the loop may watch. `ended`, if not NULL, is
 * called once when `from` is at its end or either side fails, never from here.
 */
bool wrap_pump_start(uv_loop_t *loop, int from, int to, void (*ended)(void *context), void *context,
                     struct wrap_pump **out, struct wrap_error *err);
/** Closes both descriptors and frees; `ended` is not called. NULL is allowed. */
void wrap_pump_stop(struct wrap_pump *pump);

#endif
