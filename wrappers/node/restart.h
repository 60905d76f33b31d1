/* SPDX-License-Identifier: Apache-2.0 */
/* restart.h - services of the node: which run, starting them again, and whether they then stay. */
#ifndef WRAPPERS_NODE_RESTART_H
#define WRAPPERS_NODE_RESTART_H

#include "node/distro.h"
#include "node/node.h"

enum wrap_node_restarted {
    WRAP_NODE_RESTARTED,
    WRAP_NODE_NOT_RUNNING, /**< it will read its configuration when it is started */
    WRAP_NODE_BY_ITSELF,   /**< it follows changes of its files */
    WRAP_NODE_NOT_HERE,    /**< nobody to ask: another root than that of process 1, no systemd */
    WRAP_NODE_BROKEN,      /**< it is not active again: `err` */
};

/** Restarts the services of a distribution that run, and waits until they are active. */
enum wrap_node_restarted wrap_node_restart(const struct wrap_node *node,
                                           const struct wrap_node_distro *distro,
                                           struct wrap_error *err);
/** Whether a change of its files is enough: k0s, while it manages the configuration. */
bool wrap_node_follows_files(const struct wrap_node *node, const struct wrap_node_distro *distro);
/** Writes what to type instead: "systemctl restart k3s (or k3s-agent)". */
void wrap_node_restart_hint(const struct wrap_node_distro *distro, char *out, size_t size);

/**
 * Counts processes of the shim and the OCI runtime that the node's /proc shows, unless that is of
 * another system. `*pid`: of one of them.
 */
size_t wrap_node_running(const struct wrap_node *node, int *pid);

#endif
