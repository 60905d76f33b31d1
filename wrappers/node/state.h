/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what earlier runs did, in a file on the node: which binaries and folders are ours,
 * where our lines are, which services have to be started again. It is written before each step, so
 * that the next run can go on where one was killed.
 */
#ifndef WRAPPERS_NODE_STATE_H
#define WRAPPERS_NODE_STATE_H

#include "node/plan.h"

#define WRAP_NODE_STATE_DIR "/var/lib/wasmrun-node"

enum { WRAP_NODE_STATE_ROWS = 32, WRAP_NODE_NAME = 16, WRAP_NODE_BOOT = 64 };

/** Zero-initialise. */
struct wrap_node_state {
    bool exists;
    char version[32]; /**< of the wasmrun-node that placed the binaries */
    size_t binaries, configs, folders, pending; /**< rows that are used */
    struct {
        char path[PATH_MAX];
        char hash[WRAP_NODE_HASH];
    } binary[WRAP_NODE_STATE_ROWS];
    struct {
        char path[PATH_MAX];
        char distro[WRAP_NODE_NAME];
    } config[WRAP_NODE_STATE_ROWS];
    char folder[WRAP_NODE_STATE_ROWS][PATH_MAX]; /**< made by us, each before those in it */
    char restart[WRAP_NODE_STATE_ROWS][WRAP_NODE_NAME]; /**< distributions; void after a reboot */
};

/** One run at a time: the lock's descriptor, which the caller closes; -1: `err`. */
int wrap_node_lock(int root, struct wrap_error *err);
/** Reads it; that there is none is fine. */
bool wrap_node_state_read(int root, struct wrap_node_state *state, struct wrap_error *err);
bool wrap_node_state_write(int root, const struct wrap_node_state *state, struct wrap_error *err);
/** Removes it, its folder too. */
bool wrap_node_state_remove(int root, struct wrap_error *err);

/** Removes what a killed run left unfinished beside the files that are recorded. */
void wrap_node_state_tidy(int root, const struct wrap_node_state *state);
/** Takes up what a plan is going to do: binaries, files, new folders, services. */
bool wrap_node_state_intend(int root, struct wrap_node_state *state,
                            const struct wrap_node_plan *plan, struct wrap_error *err);
bool wrap_node_state_is_pending(const struct wrap_node_state *state, const char *distro);
void wrap_node_state_not_pending(struct wrap_node_state *state, const char *distro);

#endif
