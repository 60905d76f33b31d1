/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_create.h - the options that `create` and `run` have in common. */
#ifndef WRAPPERS_OCI_CMD_CREATE_H
#define WRAPPERS_OCI_CMD_CREATE_H

#include "oci/launch.h"

enum {
    WRAP_OCI_OPT_BUNDLE = 1,
    WRAP_OCI_OPT_CONSOLE,
    WRAP_OCI_OPT_PID_FILE,
    WRAP_OCI_OPT_PRESERVE,
    WRAP_OCI_OPT_LINUX, /**< without meaning for a guest */
    WRAP_OCI_OPT_OTHERS, /**< the first one that is free */
};

// clang-format off
#define WRAP_OCI_CREATE_OPTIONS \
    {"bundle",         'b', "DIR",  WRAP_OCI_OPT_BUNDLE,   "the bundle (the current folder)"}, \
    {"console-socket", 0,   "FILE", WRAP_OCI_OPT_CONSOLE,  "Unix socket that the terminal is sent to"}, \
    {"pid-file",       0,   "FILE", WRAP_OCI_OPT_PID_FILE, "write the process's number there"}, \
    {"preserve-fds",   0,   "N",    WRAP_OCI_OPT_PRESERVE, "for Linux containers; guests get none"}, \
    {"no-pivot",       0,   NULL,   WRAP_OCI_OPT_LINUX,    "for Linux containers"}, \
    {"no-new-keyring", 0,   NULL,   WRAP_OCI_OPT_LINUX,    "for Linux containers"}
// clang-format on

/** Takes one of them; `out` is a struct wrap_oci_launch. */
bool wrap_oci_create_take(void *out, int id, const char *value, struct wrap_error *err);

#endif
