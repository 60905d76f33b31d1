/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the Unix socket on which a Linux runtime hands over the master of a terminal. */
#ifndef WRAPPERS_SHIM_CONSOLE_H
#define WRAPPERS_SHIM_CONSOLE_H

#include "common/error.h"

#include <stddef.h>

/** A socket that listens, at a new path in a folder of its own. */
struct wrap_console {
    int fd; /**< -1: none */
    char folder[64];
    char path[80];
};

bool wrap_console_listen(struct wrap_console *console, struct wrap_error *err);
/** The master that has been sent; -1 and `err`: none has. Does not wait longer than the peer takes
 * to send what it has connected for. */
int wrap_console_take(struct wrap_console *console, struct wrap_error *err);
/** Removes socket and folder; again is fine. */
void wrap_console_close(struct wrap_console *console);

#endif
