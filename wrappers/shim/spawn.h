/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spawn.h - starts another program (a Linux runtime, a hook, a log program) and tells its end from
 * the loop. The shim itself never waits for one.
 */
#ifndef WRAPPERS_SHIM_SPAWN_H
#define WRAPPERS_SHIM_SPAWN_H

#include "common/error.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { WRAP_SPAWN_OUTPUT_MAX = 8192, WRAP_SPAWN_FDS = 6 };

struct wrap_spawn_config {
    const char *const *argv; /**< argv[0] is looked up in PATH; NULL at the end */
    const char *const *env;  /**< NULL: the shim's own */
    const char *cwd;         /**< NULL: the shim's own */
    /** Descriptors 0 to 2; -1: /dev/null for input, captured for output. */
    int stdio[3];
    /** Descriptors 3 and up; -1 at the end. */
    int more[WRAP_SPAWN_FDS - 3];
    const char *input; /**< what 0 reads, if it is -1 and this is not NULL */
    size_t input_size;
    uint64_t timeout_ms; /**< killed after that; 0: never */
    /** `output`: what was captured, cut, ends with 0; `timed_out`: it was killed. */
    void (*done)(unsigned status, const char *output, bool timed_out, void *context);
    void *context;
};

/** False when it could not be started; `done` is not called then. Loop's thread. */
bool wrap_spawn(uv_loop_t *loop, const struct wrap_spawn_config *config, pid_t *pid,
                struct wrap_error *err);

#endif
