/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact.h - the module of a container whose image is a Wasm artifact: containerd does not unpack
 * such a layer, so it is asked for it (Containers.Get, Images.Get, Content.Read) over its gRPC
 * socket, on the loop. Not here: frames (grpc.h), media types (media.h).
 */
#ifndef WRAPPERS_SHIM_ARTIFACT_H
#define WRAPPERS_SHIM_ARTIFACT_H

#include "common/error.h"

#include <stdint.h>
#include <uv.h>

struct wrap_artifact_config {
    uv_loop_t *loop;
    const char *address; /**< containerd's socket, perhaps with "unix://" before it */
    const char *ns;      /**< this and the next must stay until `done` */
    const char *id;      /**< of the container */
    uint64_t size_max;    /**< of a module; 0: the usual */
    unsigned patience_ms; /**< without a message; 0: the usual */
    unsigned total_ms;    /**< for all of it; 0: the usual */
    /** True: nobody needs it any more; NULL: somebody always does. */
    bool (*given_up)(void *context);
    /**
     * From the loop, never from wrap_artifact_fetch. `fd` >= 0 is a sealed file with the module,
     * its digest checked; the callee's. -1 without `err`: the image is no artifact, or there is
     * none.
     */
    void (*done)(int fd, const struct wrap_error *err, void *context);
    void *context;
};

/** False: it could not begin, `done` is not called. Loop's thread. */
bool wrap_artifact_fetch(const struct wrap_artifact_config *config, struct wrap_error *err);

#endif
