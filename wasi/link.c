/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - defines preview1, wasi_unstable and the socket extensions in a linker from their tables.
 * What happens at a call: enter.c.
 */
#include "fd/rights.h"
#include "fd/sock.h"
#include "p1/p1.h"
#include "sockext/sockext.h"

#include <pthread.h>
#include <stdlib.h>

#define R(name) WASI_RIGHT_##name
#define DIR WASI_P1_DIR
#define NONDIR WASI_P1_NONDIR
#define CHANGES WASI_P1_CHANGES
#define SOCK WASI_P1_SOCK
#define WORK WASI_P1_WORK
#define FREE WASI_P1_FREE
#define LONG WASI_P1_LONG

const struct wasi_row wasi_p1_table[WASI_P1_COUNT] = {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since)                                \
    {#name, signature, wasi_p1_##name, rights, rights2, fd, fd2, flags, WASI_P1_##since, 0},
#include "abi/p1.def"
#undef P1
};

enum {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since) ROW_##name,
#include "abi/p1.def"
#undef P1
    ROW_COUNT
};

#define S(name, handler, signature, fd, rights, flags)                                             \
    {#name, signature, wasi_we_##handler, rights, 0, fd, -1, flags, WASI_P1_SNAPSHOT1, 0},
const struct wasi_row wasi_we_table[WASI_WE_COUNT] = {
#include "abi/wasmedge.def"
};
#undef S

#define S(name, handler, signature, fd, rights, flags, extra)                                      \
    {#name, signature, wasi_wamr_##handler, rights, 0, fd, -1, flags, WASI_P1_SNAPSHOT1, extra},
const struct wasi_row wasi_wamr_table[WASI_WAMR_COUNT] = {
#include "abi/wamr.def"
};
#undef S

enum { ALL_ROWS = 2 * WASI_P1_COUNT - 1 + WASI_WE_COUNT + WASI_WAMR_COUNT };

/* All functions, for one context or (NULL) for that of each store. ALL_ROWS of them. */
static void fill(struct wasi_bind *bind, wr_wasi_t *wasi)
{
    for (size_t i = 0; i < WASI_P1_COUNT; i++)
        *bind++ = (struct wasi_bind){.wasi = wasi, .row = &wasi_p1_table[i]};
    for (size_t i = 0; i < WASI_WE_COUNT; i++)
        *bind++ = (struct wasi_bind){.wasi = wasi, .row = &wasi_we_table[i]};
    for (size_t i = 0; i < WASI_WAMR_COUNT; i++)
        *bind++ = (struct wasi_bind){.wasi = wasi, .row = &wasi_wamr_table[i]};
    for (size_t i = 0; i < WASI_P1_COUNT; i++)
        if (wasi_p1_table[i].since == WASI_P1_UNSTABLE)
            *bind++ = (struct wasi_bind){.wasi = wasi, .row = &wasi_p1_table[i], .p0 = true};
}

/* An import takes the definition of its name and type, so the ABIs stand side by side. */
static wr_status_t define(wr_linker_t *linker, struct wasi_bind *bind, wr_error_t *err)
{
    wr_status_t s = WR_OK;
    for (size_t i = 0; i < ALL_ROWS && s == WR_OK; i++) {
        const struct wasi_row *row = bind[i].row;
        const char *module = bind[i].p0 ? "wasi_unstable" : "wasi_snapshot_preview1";
        s = wr_linker_define_raw(linker, module, row->name, row->signature, wasi_enter, &bind[i],
                                 err);
    }
    return s;
}

wr_status_t wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker, wr_error_t *err)
{
    if (wasi->bind == NULL) {
        wasi->bind = calloc(ALL_ROWS, sizeof(*wasi->bind));
        if (wasi->bind == NULL) return wasi_fail(err, WR_OOM, "out of memory");
        fill(wasi->bind, wasi);
    }
    return define(linker, wasi->bind, err);
}

static struct wasi_bind shared[ALL_ROWS]; /* immutable once filled */
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;

static void fill_shared(void) { fill(shared, NULL); }

wr_status_t wr_wasi_link_shared(wr_linker_t *linker, wr_error_t *err)
{
    pthread_once(&shared_once, fill_shared);
    return define(linker, shared, err);
}
