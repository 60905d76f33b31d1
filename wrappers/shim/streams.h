/* SPDX-License-Identifier: Apache-2.0 */
/*
 * streams.h - standard streams of a process in a container, as containerd names them: FIFOs, files
 * (file://), the pipes of a log program (binary://), nothing, or a terminal between FIFOs.
 *
 * FIFOs are given to the process as they are: no byte goes through the shim. The shim holds them
 * open in both directions, so that they outlive containerd.
 */
#ifndef WRAPPERS_SHIM_STREAMS_H
#define WRAPPERS_SHIM_STREAMS_H

#include "common/error.h"

#include <stdint.h>
#include <uv.h>

struct wrap_streams_config {
    const char *in, *out, *err; /**< paths or URIs; "" or NULL: nothing */
    bool terminal;
    const char *ns; /**< for a log program: namespace and id of the container */
    const char *id;
};

struct wrap_streams {
    uv_loop_t *loop;
    bool terminal;
    int hold[3];  /**< what keeps the FIFOs open; -1: none */
    int child[3]; /**< what the process gets as 0, 1, 2; -1: closed; until wrap_streams_given */
    int slave;    /**< of the terminal, for the process; -1 */
    int master;   /**< of the terminal; -1 */
    uint16_t rows, columns;
    struct wrap_pump *input, *output;
    uv_timer_t *drain;
    void (*drained)(void *context);
    void *context;
};

/** Opens everything that does not need the process. `streams` is the caller's storage; on failure
 * nothing stays open. With `own_terminal` a terminal is made, else wrap_streams_master brings one.
 */
bool wrap_streams_open(uv_loop_t *loop, const struct wrap_streams_config *config, bool own_terminal,
                       struct wrap_streams *streams, struct wrap_error *err);
/** Takes over the master of a terminal that a Linux runtime has made. */
bool wrap_streams_master(struct wrap_streams *streams, int master, struct wrap_error *err);
/** The process has its copies now. */
void wrap_streams_given(struct wrap_streams *streams);
/** Size of the terminal in characters; FAILED_PRECONDITION without one. */
bool wrap_streams_resize(struct wrap_streams *streams, unsigned rows, unsigned columns,
                         struct wrap_error *err);
/** CloseIO: the process reads what is left and then the end of its input. */
void wrap_streams_close_input(struct wrap_streams *streams);
/** The process is gone: what the terminal still holds is copied, for a bounded time; then
 * `drained`, at once without a terminal. */
void wrap_streams_drain(struct wrap_streams *streams, void (*drained)(void *context),
                        void *context);
/** Closes all; again is fine. A drain that runs is not told any more. */
void wrap_streams_close(struct wrap_streams *streams);

#endif
