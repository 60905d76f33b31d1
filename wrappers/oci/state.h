/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what is known of a container between two commands: a folder ROOT/ID with
 *
 *   wasmrun.json         what follows, replaced by a rename
 *   wasmrun.config.json  a copy of config.json as it was at `create`
 *   wasmrun.start        FIFO that the process waits at for its start; gone once it is started
 *   wasmrun.usage        what its guest holds of linear memory and tables (sandbox/usage.h)
 *
 * and a lock of the folder itself (flock) while a command changes something. A folder that is empty
 * or has no wasmrun.json is what a `create` has left that was killed. Whether the process lives is
 * the kernel's to say: its number and the time of its start.
 */
#ifndef WRAPPERS_OCI_STATE_H
#define WRAPPERS_OCI_STATE_H

#include "common/error.h"
#include "common/spec.h"
#include "sandbox/cgroup.h"
#include "sandbox/usage.h"

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

enum wrap_oci_status {
    WRAP_OCI_CREATING,
    WRAP_OCI_CREATED,
    WRAP_OCI_RUNNING,
    WRAP_OCI_PAUSED,
    WRAP_OCI_STOPPED,
};

/** A container. Strings are the state's own. */
struct wrap_oci_state_doc {
    char *id;
    char *bundle; /**< absolute */
    char *rootfs; /**< absolute */
    char *version; /**< ociVersion of config.json */
    char *cgroup; /**< absolute path, or slice:prefix:name; as wrap_cgroup_config has it */
    char *created; /**< RFC 3339 */
    json_t *annotations; /**< an object */
    uid_t owner;
    unsigned hooks; /**< 1 << wrap_hook_stage of those that config.json has any of */
    bool systemd;
    bool paused;
    pid_t pid; /**< 0: not made to the end */
    uint64_t started; /**< of the process, in ticks since boot: with the pid it is unique */
    int dir; /**< the folder; locked when opened so */
};

/**
 * The group of a container by its linux.cgroupsPath; malloc'ed, NULL: no memory. A relative one is
 * beneath the top of each hierarchy: who deletes may be in another group than who created.
 */
char *wrap_oci_state_place(const char *path, const char *id, bool systemd);
/** Whether runc would take it for an id, and it fits in a file name. */
bool wrap_oci_id_check(const char *id, struct wrap_error *err);

/**
 * Makes the folder of a new container and locks it; ALREADY_EXISTS. `out` then has an id and
 * nothing else. Closed by wrap_oci_state_close, which removes nothing.
 */
bool wrap_oci_state_new(const char *root, const char *id, struct wrap_oci_state_doc *out,
                        struct wrap_error *err);
enum wrap_oci_access { WRAP_OCI_READ, WRAP_OCI_CHANGE, WRAP_OCI_REMOVE };
/**
 * Opens a container; CHANGE and REMOVE lock it, and wait up to ten seconds for another command.
 * NOT_FOUND: not ours. A half-made one has an id and perhaps nothing else; for REMOVE so has one
 * whose document cannot be read, but for the group, when the copy of config.json tells it.
 */
bool wrap_oci_state_open(const char *root, const char *id, enum wrap_oci_access access,
                         struct wrap_oci_state_doc *out, struct wrap_error *err);
/** The same for a command: what is not ours is given to a Linux runtime, other failures are told;
 * false: `*code` is the exit code. */
bool wrap_oci_find(const char *id, enum wrap_oci_access access, struct wrap_oci_state_doc *out,
                   int *code);
struct wrap_command;
/** For a command whose line is an ID and no options: parsed, and found as above. */
bool wrap_oci_find_named(const struct wrap_command *self, int argc, char **argv,
                         enum wrap_oci_access access, struct wrap_oci_state_doc *out, int *code);
/** Writes wasmrun.json. */
bool wrap_oci_state_save(const struct wrap_oci_state_doc *state, struct wrap_error *err);
/** Writes the copy of config.json. */
bool wrap_oci_state_keep_config(const struct wrap_oci_state_doc *state, const char *text,
                                size_t size, struct wrap_error *err);
/** Reads that copy; malloc'ed. */
char *wrap_oci_state_config(const struct wrap_oci_state_doc *state, size_t *size,
                            struct wrap_error *err);
/** The same as a specification. */
bool wrap_oci_state_spec(const struct wrap_oci_state_doc *state, struct wrap_spec **out,
                         struct wrap_error *err);
/** Removes the folder and what is in it. */
bool wrap_oci_state_remove(const char *root, struct wrap_oci_state_doc *state,
                           struct wrap_error *err);
/** Frees and unlocks; again is fine. */
void wrap_oci_state_close(struct wrap_oci_state_doc *state);

/** Makes the FIFO and opens it in both directions; -1: `err`. */
int wrap_oci_start_make(const struct wrap_oci_state_doc *state, struct wrap_error *err);
/** Lets the process go on, then removes the FIFO. FAILED_PRECONDITION: it does not wait there. */
bool wrap_oci_start_go(const struct wrap_oci_state_doc *state, struct wrap_error *err);

/** Makes wasmrun.usage; -1: it cannot be, and containers do without. */
int wrap_oci_usage_make(const struct wrap_oci_state_doc *state);
/** Reads it; false: not known. */
bool wrap_oci_usage_read(const struct wrap_oci_state_doc *state, wr_usage_t *out);

enum wrap_oci_status wrap_oci_status_of(const struct wrap_oci_state_doc *state);
const char *wrap_oci_status_name(enum wrap_oci_status status);
/** The state document of the specification and runc's members beside it; NULL: no memory. `status`
 * is what it says, whatever is true. */
json_t *wrap_oci_state_json(const struct wrap_oci_state_doc *state, const char *status);

/** When a process was started, in ticks since boot; false: there is none, or only a zombie. */
bool wrap_oci_process_started(pid_t pid, uint64_t *ticks);
/** A pidfd of the container's first process, certainly of that; -1: it is gone. */
int wrap_oci_state_pidfd(const struct wrap_oci_state_doc *state);

/** The container's group as it is on this host; NULL: none, `err` NOT_FOUND, or what is wrong. */
struct wrap_cgroup *wrap_oci_state_cgroup(const struct wrap_oci_state_doc *state,
                                          struct wrap_error *err);

#endif
