/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasmrun_wasi.h - WASI preview1 for libwasmrun, a layer over wasmrun.h and libuv.
 *
 * A wr_wasi_t is one guest's world: arguments, environment, preopened directories, standard
 * streams, quotas. Nothing is given unless asked for: no directories, no environment.
 * It serves one store and is confined to that store's thread.
 */
#ifndef WASMRUN_WASI_H
#define WASMRUN_WASI_H

#include "wasmrun.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifndef own
#define own
#endif

typedef struct wr_wasi wr_wasi_t;

/** New context without arguments, environment or directories; stdio 0, 1, 2 are inherited. */
WR_API wr_status_t wr_wasi_new(own wr_wasi_t **out, wr_error_t *err);
/** Closes what the context owns; the store that uses it must be gone. NULL is allowed. */
WR_API void wr_wasi_delete(own wr_wasi_t *wasi);

/** Arguments, argv[0] first; copied. WR_LIMIT when arguments and environment pass 1 MiB. */
WR_API wr_status_t wr_wasi_set_args(wr_wasi_t *wasi, const char *const *argv, size_t count,
                                    wr_error_t *err);
/** Adds or replaces one environment variable; copied. */
WR_API wr_status_t wr_wasi_set_env(wr_wasi_t *wasi, const char *key, const char *value,
                                   wr_error_t *err);
/**
 * Preopens the host directory `host` as `guest`; with `read_only` nothing below it can be changed
 * through this descriptor or any that is opened from it. The guest sees preopens from fd 3 on,
 * in the order of these calls. Errors: WR_NOT_FOUND, WR_IO, WR_OOM; the text names the path.
 */
WR_API wr_status_t wr_wasi_preopen_dir(wr_wasi_t *wasi, const char *host, const char *guest,
                                       bool read_only, wr_error_t *err);
/** Uses host descriptor `host_fd` (stays the caller's) as guest stream 0, 1 or 2; -1: closed. */
WR_API wr_status_t wr_wasi_set_stdio(wr_wasi_t *wasi, int guest_fd, int host_fd, wr_error_t *err);

/** Defines wasi_snapshot_preview1 in a linker. The context must outlive the linker's stores. */
WR_API wr_status_t wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker, wr_error_t *err);

/**
 * Makes a call that blocks inside a WASI function (a sleep, a poll) return early, so that a
 * cancelled or interrupted exec stops soon. Any thread; also from a signal handler.
 */
WR_API void wr_wasi_wake(wr_wasi_t *wasi);

#undef own
#ifdef __cplusplus
}
#endif
#endif
