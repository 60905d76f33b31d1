/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aside.h - work that blocks, done in a child that is a copy of the shim: what systemd is asked for
 * takes milliseconds on a good day and seconds on a bad one, and the loop waits for nobody.
 */
#ifndef WRAPPERS_SHIM_ASIDE_H
#define WRAPPERS_SHIM_ASIDE_H

#include "common/error.h"

struct wrap_aside_config {
    /** In the child, which sees the memory of now and has no descriptors but 0 to 2. */
    bool (*work)(void *context, struct wrap_error *err);
    /** In the shim, from the loop; `err` NULL: it succeeded. */
    void (*done)(const struct wrap_error *err, void *context);
    void *context;
};
/** False: it could not begin, `done` is not called. Loop's thread. */
bool wrap_aside(const struct wrap_aside_config *config, struct wrap_error *err);

#endif
