/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootstrap.h - what containerd says to a shim that it starts, by arguments and on stdin, and the
 * answer on stdout. Pure functions, any thread. Not here: reading, writing, sockets, processes.
 *
 * What containerd does, from its sources (runtime/v2, core/runtime/v2, pkg/shim):
 *
 *   containerd   stdin of `start`           TTRPC_  MAX_SHIM_  stdout may be         versions
 *                                           ADDRESS VERSION
 *   1.6          Any of runtime options*    yes     -          plain                 2
 *   1.7          the same                   yes     2          plain, JSON           2
 *   2.0 to 2.2   the same                   yes     2          plain, JSON           2, 3
 *   2.3          BootstrapParams with       yes     2          BootstrapResult,      2, 3
 *                options as extensions                         plain, JSON
 *
 *   * nothing (/dev/null) when the runtime has none.
 *
 * 1.7 fails on version 3 and can't be told from 2.0 to 2.2, so version 3 is answered only to whom
 * sends BootstrapParams, or a MAX_SHIM_VERSION that allows it. An Any may parse as BootstrapParams
 * and the reverse: those of a `start` name the id and the namespace that are in the flags too.
 * `delete`, `-v` and `-info` (2.0 and later: Any of options in, RuntimeInfo out) are the same in
 * all. stdout and stderr of `start` are read as one: nothing else may be printed.
 */
#ifndef WRAPPERS_SHIM_BOOTSTRAP_H
#define WRAPPERS_SHIM_BOOTSTRAP_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The command line; strings are argv's, "" when not given. */
struct wrap_bootstrap_args {
    const char *ns;
    const char *id;
    const char *address;        /**< of containerd's gRPC socket */
    const char *publish_binary; /**< containerd itself */
    const char *bundle;         /**< with `delete`; else it is the current folder */
    const char *socket;
    const char *debug_socket;
    const char *action; /**< "start", "delete", or "" to serve; anything the caller knows */
    bool debug;
    bool version;
    bool info;
};
/** Reads a command line as Go's flag package does: -x, --x, -x=value, -x value; the first argument
 * that is no flag ends them and is the action. INVALID_ARGUMENT in Go's words. */
bool wrap_bootstrap_parse(int argc, char *const *argv, struct wrap_bootstrap_args *out,
                          struct wrap_error *err);

enum wrap_bootstrap_dialect {
    WRAP_BOOTSTRAP_PLAIN,  /**< 1.6: the address alone */
    WRAP_BOOTSTRAP_JSON,   /**< 1.7 to 2.2: {"version":2,"address":"…","protocol":"ttrpc"} */
    WRAP_BOOTSTRAP_MESSAGE /**< 2.3: BootstrapResult */
};
enum { WRAP_BOOTSTRAP_STDIN_MAX = 10 << 20 /**< more need not be read */ };
enum { WRAP_BOOTSTRAP_VERSION_MAX = 3 };

/** What `start` was told on stdin. */
struct wrap_bootstrap {
    enum wrap_bootstrap_dialect dialect;
    int version; /**< of the shim's API that is to be answered: 2 or 3 */
    bool debug;
    bool unreadable;             /**< stdin held something, but no message that we know */
    const char *socket_dir;      /**< "/run/containerd/s" unless told otherwise */
    const char *ttrpc_address;   /**< "" when not given there: see TTRPC_ADDRESS */
    const char *options_type;    /**< type_url of the runtime's options; "" without any */
    const uint8_t *options;
    size_t options_size;
    void *owner; /**< what the strings lie in */
};
/**
 * Understands `size` bytes of stdin beside the arguments; `max_version` is MAX_SHIM_VERSION or
 * NULL. Never fails for what stdin holds (see `unreadable`). Freed by wrap_bootstrap_fini, `args`
 * must stay until then.
 */
void wrap_bootstrap_read(const struct wrap_bootstrap_args *args, const void *bytes, size_t size,
                         const char *max_version, struct wrap_bootstrap *out);
void wrap_bootstrap_fini(struct wrap_bootstrap *bootstrap);

/** What `start` prints; `*bytes` (malloc) is the caller's. */
bool wrap_bootstrap_answer(const struct wrap_bootstrap *bootstrap, const char *address,
                           uint8_t **bytes, size_t *size, struct wrap_error *err);

/**
 * The address of the socket of a group of containers, as containerd's own shims have it:
 * "unix://DIR/" and SHA-256, in hex, of the cleaned path "ADDRESS/NS/GROUP". Fails when it is too
 * long for a socket.
 */
bool wrap_bootstrap_address(const char *dir, const struct wrap_bootstrap_args *args,
                            const char *group, char *out, size_t room, struct wrap_error *err);

/** What `-info` prints. */
struct wrap_bootstrap_info {
    const char *name; /**< of the runtime, e.g. "io.containerd.wasmrun.v1" */
    const char *version;
    const char *revision;
    const char *features; /**< JSON of the OCI's features document; NULL: none */
};
/** Packs a RuntimeInfo; the options on stdin (`size` bytes, 0: none) are repeated in it. */
bool wrap_bootstrap_info(const struct wrap_bootstrap_info *info, const void *stdin_bytes,
                         size_t stdin_size, uint8_t **bytes, size_t *size, struct wrap_error *err);

#endif
