/* SPDX-License-Identifier: Apache-2.0 */
/* distro.h - the distributions that are known: one table of where they have what. */
#ifndef WRAPPERS_NODE_DISTRO_H
#define WRAPPERS_NODE_DISTRO_H

#include <stdbool.h>
#include <stddef.h>

enum wrap_node_kind {
    WRAP_NODE_CONTAINERD, /**< a configuration of containerd that is changed itself */
    WRAP_NODE_RANCHER,    /**< a folder with a configuration that is made from templates */
    WRAP_NODE_K0S,        /**< a folder of files that are merged into the configuration */
    WRAP_NODE_CRIO,
};

enum { WRAP_NODE_SIGNS = 8, WRAP_NODE_SERVICES = 2, WRAP_NODE_FILES = 4 };

struct wrap_node_distro {
    const char *name;
    enum wrap_node_kind kind;
    const char *config; /**< the file, or the folder (RANCHER) */
    const char *signs[WRAP_NODE_SIGNS]; /**< it is on the node when one of these is there */
    const char *services[WRAP_NODE_SERVICES]; /**< of systemd; those that run are restarted */
    const char *files[WRAP_NODE_FILES]; /**< where lines of ours may be, beside what is recorded */
};

/** Row `i`; NULL after the last. */
const struct wrap_node_distro *wrap_node_distro_at(size_t i);
/** NULL: there is none of that name. */
const struct wrap_node_distro *wrap_node_distro_find(const char *name);
/** Whether it is on the node. */
bool wrap_node_distro_found(int root, const struct wrap_node_distro *distro);

#endif
