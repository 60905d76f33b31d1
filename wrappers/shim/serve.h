/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - the three lives of the program: `start` makes the shim of a pod or finds it, the shim
 * itself, and `delete` cleans up after one that is gone. */
#ifndef WRAPPERS_SHIM_SERVE_H
#define WRAPPERS_SHIM_SERVE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/** What the shim itself is started with. */
struct wrap_serve_config {
    int socket;          /**< listening; taken over */
    const char *path;    /**< of the socket, removed at the end */
    const char *ns;      /**< containerd's namespace */
    const char *id;      /**< of the first container */
    const char *events;  /**< TTRPC_ADDRESS or "" */
    const char *grpc;    /**< containerd's other socket, or "" */
    bool debug;
};
/** Serves until it is asked to shut down, which ends the process; the exit code of one that cannot.
 * The working directory is the bundle. */
int wrap_serve(const struct wrap_serve_config *config);

/**
 * Opens the socket of a pod's shim. 1: `*socket` listens, a shim has to be made for it; 0: there is
 * one that answers; -1: `err`. What a dead shim has left is replaced.
 */
int wrap_serve_socket(const char *path, int *socket, struct wrap_error *err);

/** What is left of a container, from its bundle alone: processes, control group, mounts, what a
 * Linux runtime knows of it, the socket of a shim that is gone. Absent things are fine; again is
 * fine. The first failure is told, the rest is done all the same. */
bool wrap_clean(const char *bundle, const char *id, const char *ns, struct wrap_error *err);

#endif
