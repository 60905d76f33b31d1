/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegate.h - command lines of runc and crun for the containers that are not ours. Pure: makes
 * argument lists and reads what the runtime left; starting it and waiting is the caller's.
 */
#ifndef WRAPPERS_COMMON_DELEGATE_H
#define WRAPPERS_COMMON_DELEGATE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum wrap_delegate_op {
    WRAP_DELEGATE_CREATE,
    WRAP_DELEGATE_START,
    WRAP_DELEGATE_EXEC,
    WRAP_DELEGATE_KILL,
    WRAP_DELEGATE_DELETE,
    WRAP_DELEGATE_UPDATE, /**< resources on standard input */
    WRAP_DELEGATE_PAUSE,
    WRAP_DELEGATE_RESUME,
};

/** A runtime and where it keeps its state. */
struct wrap_delegate {
    const char *binary; /**< name or path */
    const char *root;   /**< --root */
    const char *log;    /**< --log, JSON; NULL: none */
    bool systemd_cgroup;
};

/** What an operation needs beside the id; NULL or 0 what it has no use for. */
struct wrap_delegate_call {
    enum wrap_delegate_op op;
    const char *id;
    const char *bundle;
    const char *pid_file;
    const char *console_socket;
    const char *process_file; /**< of EXEC */
    int signal;               /**< of KILL */
    bool all;                 /**< of KILL: --all */
    bool force;               /**< of DELETE: --force */
    bool no_pivot;
};

enum { WRAP_DELEGATE_ARGS = 32 };
/** Fills `argv`, NULL at the end, with strings of the two structs and static ones; `number` (16
 * bytes) holds the signal. */
void wrap_delegate_argv(const struct wrap_delegate *delegate, const struct wrap_delegate_call *call,
                        char number[16], const char *argv[WRAP_DELEGATE_ARGS]);
/** The runtime that Linux containers get: `wanted` (options' BinaryName) unless "", else runc, else
 * crun, from PATH or the usual folders; NOT_FOUND. `out`: at least PATH_MAX bytes. */
bool wrap_delegate_find(const char *wanted, char *out, size_t size, struct wrap_error *err);
/** The last error in a JSON log of the runtime, else the last line of `output`. */
void wrap_delegate_reason(const char *log, const char *output, char *out, size_t size);
/** The pid in a --pid-file. */
bool wrap_delegate_pid(const char *pid_file, pid_t *out, struct wrap_error *err);

#endif
