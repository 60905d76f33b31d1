/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - what wasmrun.so, which every start of crun opens, asks of crun-engine.so, which only
 * those open that may have a guest. Both are installed together.
 */
#ifndef WRAPPERS_CRUN_ENGINE_H
#define WRAPPERS_CRUN_ENGINE_H

#include "crun/config.h"

/** Changes with the struct below: files of two installations must not be mixed. */
#define WRAP_CRUN_INTERFACE 1
/** The struct's symbol, and the file's place next to the folder lib…/crun/handlers. */
#define WRAP_CRUN_SYMBOL "wrap_crun_engine"
#define WRAP_CRUN_FILE "/../../wasmrun/crun-engine.so"

enum { WRAP_CRUN_TEXT = 768 };
struct wrap_crun_guest;

struct wrap_crun_engine {
    unsigned interface;
    /** Reads the configuration. NULL: `why` (WRAP_CRUN_TEXT bytes) says it. Before any fork. */
    struct wrap_crun_guest *(*open)(const struct wrap_crun_config *config, char *why);
    /** Whether it is for us: 1, 0, or -1 with a reason in `why`. In the host's namespaces. */
    int (*selects)(const struct wrap_crun_guest *guest, char *why);
    /** In the container's process, which it ends: as a guest, or by executing `path`. */
    void (*run)(const struct wrap_crun_guest *guest, const char *path, char *const argv[],
                bool first);
    void (*close)(struct wrap_crun_guest *guest);
};

#endif
