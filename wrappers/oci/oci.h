/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci.h - bin/wasmrun-oci: an OCI runtime with the command line of runc. What its commands share:
 * the global options, the list of commands, how errors are told, and passing on what is not ours.
 *
 * A container belongs to us when a folder with our state is there (state.h); every command for
 * another one is given to runc or crun as it came, and so is `create` of a Linux program. One
 * thread for life. Not here: isolation (sandbox/), the guest (common/program.h).
 */
#ifndef WRAPPERS_OCI_OCI_H
#define WRAPPERS_OCI_OCI_H

#include "common/error.h"
#include "common/opts.h"

#include <stdbool.h>
#include <stddef.h>

#define WRAP_OCI_PROGRAM "wasmrun-oci"
#define WRAP_OCI_SPEC_VERSION "1.2.0"
/** Where states are when --root is not given; without privilege in $XDG_RUNTIME_DIR. */
#define WRAP_OCI_ROOT "/run/wasmrun-oci"
/** Names the runtime of Linux containers instead of runc, then crun. */
#define WRAP_OCI_LINUX_VARIABLE "WASMRUN_OCI_LINUX_RUNTIME"

enum { WRAP_OCI_FAILED = 1 /* runc's exit code of any error */ };

/** What the options before the command say; strings of the command line. */
struct wrap_oci {
    const char *root;
    const char *log; /**< NULL: none */
    bool log_json;
    bool debug;
    bool systemd_cgroup;
    bool root_given;
    bool rootless; /**< not root, or root of a user namespace; --rootless overrides what is seen */
    char **argv; /**< the whole command line, for a Linux runtime */
};

/** Of this process. */
const struct wrap_oci *wrap_oci_globals(void);
/** Replaces them: main and tests. */
void wrap_oci_set(const struct wrap_oci *globals);
/**
 * Reads the options before the command: its index in argv, argc when there is none. 0: `*code` is
 * the exit code, all is said.
 */
int wrap_oci_parse_globals(int argc, char **argv, int *code);

/** The commands; each is in the file of its name. */
const struct wrap_command *const *wrap_oci_commands(size_t *count);
const struct wrap_command *wrap_oci_find_command(const char *name);
/** The row that stands for the options before the command. */
extern const struct wrap_command wrap_oci_global_command;

extern const struct wrap_command wrap_oci_create, wrap_oci_delete, wrap_oci_events, wrap_oci_exec,
    wrap_oci_features, wrap_oci_kill, wrap_oci_list, wrap_oci_pause, wrap_oci_ps, wrap_oci_resume,
    wrap_oci_run, wrap_oci_spec, wrap_oci_start, wrap_oci_state, wrap_oci_update,
    wrap_oci_completion;

/** Takes an option of a command; false: its value is wrong, and `err` says so. */
typedef bool (*wrap_oci_take)(void *out, int id, const char *value, struct wrap_error *err);
/**
 * Walks the options of a command, and counts what follows: `least` to `most` words. The index of
 * the first of them; -1: `*code` is the exit code, all is said.
 */
int wrap_oci_parse(struct wrap_opts *opts, wrap_oci_take take, void *out, const int words[2],
                   int *code);
/** A whole number of an option; false: `err`. */
bool wrap_oci_number(const char *name, const char *value, long long *out, struct wrap_error *err);

/** Tells an error, on standard error and in the log; the exit code. */
int wrap_oci_complain(const struct wrap_error *err);
/** A line of the log, if there is one, that is no error; `level`: warning, info or debug. */
void wrap_oci_note(const char *level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** wrap_say's listener: a line in the log. */
void wrap_oci_log_error(const char *message);
/** Writes one line as runc's logs have it; `to` may be standard error. */
void wrap_oci_log_line(int to, bool json, const char *level, const char *message);

/**
 * Becomes the Linux runtime with our command line. Returns only when that fails; the exit code,
 * all is said. `id`, if not NULL: of a container that is not ours, for the case that there is no
 * such runtime.
 */
int wrap_oci_pass_on(const char *id);
/** The same for `delete`: with force what does not exist is fine. */
int wrap_oci_pass_on_delete(const char *id, bool force);
/** Path of the Linux runtime: what the environment names, else runc, else crun; NOT_FOUND. */
bool wrap_oci_linux_runtime(char *out, size_t size, struct wrap_error *err);

#endif
