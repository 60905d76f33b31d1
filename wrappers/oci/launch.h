/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h - making a process of a container and leading it to the point where it may start: what
 * `create`, `run` and `exec` share, and what `delete` undoes.
 */
#ifndef WRAPPERS_OCI_LAUNCH_H
#define WRAPPERS_OCI_LAUNCH_H

#include "oci/state.h"
#include "sandbox/container.h"

/** Options of `create` and `run`. */
struct wrap_oci_launch {
    const char *id;
    const char *bundle; /**< NULL: the current folder */
    const char *console_socket; /**< NULL: none */
    const char *pid_file; /**< NULL: none */
    bool detach; /**< the process outlives us */
    bool wait_for_start; /**< detach: until `start` comes */
};

/** A process that is made. */
struct wrap_oci_running {
    struct wrap_child child;
    int master; /**< of its terminal, when that is ours to serve; else -1 */
};

/** The terminal of a process that is to be made. */
struct wrap_oci_terminal {
    int master, slave; /**< -1: none */
};
/** Makes one when `wanted`; which combinations are errors is as with runc. */
bool wrap_oci_terminal_open(bool wanted, const char *console_socket, bool detach,
                            struct wrap_oci_terminal *out, struct wrap_error *err);
void wrap_oci_terminal_close(struct wrap_oci_terminal *terminal);
/** Sends the master to who listens at `console_socket`. */
bool wrap_oci_terminal_send(const struct wrap_oci_terminal *terminal, const char *console_socket,
                            struct wrap_error *err);

/** What a child has become. */
enum wrap_oci_outcome { WRAP_OCI_IS_READY, WRAP_OCI_IS_LINUX, WRAP_OCI_HAS_FAILED };
/** Called when CREATED is reported; false: `err`, and the child is killed. */
typedef bool (*wrap_oci_on_created)(void *context, struct wrap_error *err);
/** Follows a child until it waits for its start, or is gone and reaped (not when READY). */
enum wrap_oci_outcome wrap_oci_follow(struct wrap_child *child, wrap_oci_on_created created,
                                      void *context, struct wrap_error *err);
/** Kills it, reaps it, closes its descriptors. */
void wrap_oci_child_end(struct wrap_child *child);
void wrap_oci_child_close(struct wrap_child *child);

/** Writes a pid as --pid-file has it, at once. */
bool wrap_oci_pid_file_write(const char *file, pid_t pid, struct wrap_error *err);

/**
 * Makes a container. READY: all is on disk, its process waits (or with detach and not
 * wait_for_start: for the byte of wrap_container_go). `state` is locked and the caller's to close.
 * LINUX: nothing is left, and it is another runtime's.
 */
enum wrap_oci_outcome wrap_oci_make(const struct wrap_oci_launch *launch,
                                    struct wrap_oci_state_doc *state,
                                    struct wrap_oci_running *running, struct wrap_error *err);
/**
 * Removes all of a container: kills what lives, its group, its hooks of poststop (`hooks`), its
 * state, whatever of them there is. The state is closed.
 */
bool wrap_oci_destroy(struct wrap_oci_state_doc *state, bool hooks, struct wrap_error *err);

/** Runs the hooks of a stage, if there are any, one after the other, with that status in the state
 * document. */
bool wrap_oci_hooks_run(const struct wrap_oci_state_doc *state, enum wrap_hook_stage stage,
                        enum wrap_oci_status status, struct wrap_error *err);

/** Signals as a parent in the foreground needs them: before the child is made. */
bool wrap_oci_serve_prepare(struct wrap_error *err);
/**
 * In the foreground until the process ends: signals are sent on, its terminal is served. Its exit
 * code, 128 + the signal that ended it.
 */
int wrap_oci_serve(struct wrap_oci_running *running);

#endif
