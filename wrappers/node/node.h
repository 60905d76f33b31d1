/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.h - bin/wasmrun-node: puts the shim and the OCI runtime on a node of a cluster, tells its
 * container runtimes of them, and takes both away again. What its commands share: options, the list
 * of commands, the run as a whole.
 *
 * All paths of the node are beneath --root, links included (file.h). First the whole plan is made
 * (plan.h), then it is printed or carried out. One thread. Not here: running modules.
 */
#ifndef WRAPPERS_NODE_NODE_H
#define WRAPPERS_NODE_NODE_H

#include "common/error.h"
#include "common/opts.h"

#include <limits.h>
#include <stdbool.h>

#define WRAP_NODE_PROGRAM "wasmrun-node"
#define WRAP_NODE_SHIM "containerd-shim-wasmrun-v1"
#define WRAP_NODE_OCI "wasmrun-oci"
#define WRAP_NODE_LABEL "wasmrun.io/installed=true"

/** Exit codes; every error is FAILED. */
enum { WRAP_NODE_OK = 0, WRAP_NODE_FAILED = 1, WRAP_NODE_ABSENT = 3 };

/** What the options say, and the root; strings of the command line. */
struct wrap_node {
    const char *root_path;
    int root; /**< O_PATH */
    const char *from; /**< the folder of the binaries; not beneath root */
    const char *bin_dir;
    const char *runtime; /**< name in the configurations */
    const char *distro; /**< NULL: all that are found */
    const char *systemctl; /**< NULL: that of the node */
    bool dry_run, no_restart, force, json, wait;
    unsigned timeout_s; /**< for a service to be active again */
};

/** The commands; each is in the file of its name. */
extern const struct wrap_command wrap_node_install, wrap_node_uninstall, wrap_node_status,
    wrap_node_completion;
const struct wrap_command *const *wrap_node_commands(size_t *count);
/** The row that stands for the options before the command. */
extern const struct wrap_command wrap_node_global_command;

/** Ids of options. */
enum {
    WRAP_NODE_OPT_ROOT = 1,
    WRAP_NODE_OPT_FROM,
    WRAP_NODE_OPT_BIN_DIR,
    WRAP_NODE_OPT_RUNTIME,
    WRAP_NODE_OPT_DISTRO,
    WRAP_NODE_OPT_SYSTEMCTL,
    WRAP_NODE_OPT_DRY_RUN,
    WRAP_NODE_OPT_NO_RESTART,
    WRAP_NODE_OPT_FORCE,
    WRAP_NODE_OPT_JSON,
    WRAP_NODE_OPT_WAIT,
    WRAP_NODE_OPT_TIMEOUT,
};
/** Rows of more than one command. */
#define WRAP_NODE_ROOT_ROW                                                                         \
    {"root", 0, "DIR", WRAP_NODE_OPT_ROOT, "where the node's file system is (/)"}
#define WRAP_NODE_FROM_ROW                                                                         \
    {"from", 0, "DIR", WRAP_NODE_OPT_FROM, "where the programs are (beside wasmrun-node)"}
#define WRAP_NODE_BIN_DIR_ROW                                                                      \
    {"bin-dir", 0, "DIR", WRAP_NODE_OPT_BIN_DIR, "where they go, on the node (/usr/local/bin)"}
#define WRAP_NODE_RUNTIME_ROW                                                                      \
    {"runtime-name", 0, "NAME", WRAP_NODE_OPT_RUNTIME, "of the runtime, its handler (wasmrun)"}
#define WRAP_NODE_DISTRO_ROW                                                                       \
    {"distro", 0, "NAME", WRAP_NODE_OPT_DISTRO,                                                    \
     "containerd, crio, k3s, rke2, microk8s or k0s (those found)"}
#define WRAP_NODE_RESTART_ROWS                                                                     \
    {"dry-run", 'n', NULL, WRAP_NODE_OPT_DRY_RUN, "print what would be done, do nothing"},         \
        {"no-restart", 0, NULL, WRAP_NODE_OPT_NO_RESTART, "leave services as they are"},           \
        {"timeout", 0, "TIME", WRAP_NODE_OPT_TIMEOUT, "for a service to be active again (60s)"},   \
        {"systemctl", 0, "FILE", WRAP_NODE_OPT_SYSTEMCTL,                                          \
         "a program to call instead, here: FILE restart|is-active UNIT"}

/**
 * Reads the options of a command, without words behind them, and opens the root. False: `*code` is
 * the exit code, all is said.
 */
bool wrap_node_begin(const struct wrap_command *self, int argc, char **argv, struct wrap_node *node,
                     int *code);
void wrap_node_end(struct wrap_node *node);
/** Tells an error; the exit code. */
int wrap_node_complain(const struct wrap_error *err);
void wrap_node_print_version(void);

#endif
