/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - which config.json the container has that crun was started for, and whether it may be
 * one of ours. Part of wasmrun.so: nothing but libc.
 */
#ifndef WRAPPERS_CRUN_CONFIG_H
#define WRAPPERS_CRUN_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct wrap_crun_config {
    char path[PATH_MAX]; /**< the file */
    char status[PATH_MAX]; /**< crun's record of a running container, which names its bundle; "":
                              the current folder is the bundle */
};

/**
 * From a command line of crun (`size` bytes, each word with a NUL behind it): for create and run
 * ./config.json, as crun has made the bundle its current folder; for all else, and when the file
 * has another name, the copy that crun keeps. `runtime_dir`: $XDG_RUNTIME_DIR, may be NULL. False
 * when the line says no container, or a path is too long.
 */
bool wrap_crun_config_find(const char *line, size_t size, const char *runtime_dir,
                           struct wrap_crun_config *out);

/**
 * Whether the bytes of an annotation that we decide by are in a file. Escapes but that of a slash
 * are not seen; who writes them can use run.oci.handler. False also for what can't be read.
 */
bool wrap_crun_config_mentions_us(const char *path);

#endif
