/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - defines preview1, wasi_unstable and the socket extensions in a linker from their tables.
 * What happens at a call: enter.c.
 */
#include "fd/rights.h"
#include "fd/sock.h"
#include "p1/p1.h"
#include "sockext/sockext.h"

#define R(name) WASI_RIGHT_##name
#define DIR WASI_P1_DIR
#define NONDIR WASI_P1_NONDIR
#define CHANGES WASI_P1_CHANGES
#define SOCK WASI_P1_SOCK
#define WORK WASI_P1_WORK

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
_Static_assert(2 * WASI_P1_COUNT + WASI_WE_COUNT + WASI_WAMR_COUNT <= WASI_BIND_COUNT,
               "bind: room");
_Static_assert((int)ROW_COUNT == (int)WASI_P1_COUNT, "p1.def: preview1 has 46 functions");

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

/* A linker being filled. */
struct filling {
    wr_wasi_t *wasi;
    wr_linker_t *linker;
    struct wasi_bind *next; /* the first that is free */
    bool p0; /* into wasi_unstable */
};

/* An import takes the definition of its name and type, so the ABIs stand side by side. */
static wr_status_t define(struct filling *f, const struct wasi_row *row, size_t count,
                          wr_error_t *err)
{
    const char *module = f->p0 ? "wasi_unstable" : "wasi_snapshot_preview1";
    wr_status_t s = WR_OK;
    for (size_t i = 0; i < count && s == WR_OK; i++) {
        if (f->p0 && row[i].since != WASI_P1_UNSTABLE) continue;
        *f->next = (struct wasi_bind){.wasi = f->wasi, .row = &row[i], .p0 = f->p0};
        s = wr_linker_define_raw(f->linker, module, row[i].name, row[i].signature, wasi_enter,
                                 f->next++, err);
    }
    return s;
}

wr_status_t wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker, wr_error_t *err)
{
    struct filling f = {.wasi = wasi, .linker = linker, .next = wasi->bind};
    wr_status_t s = define(&f, wasi_p1_table, WASI_P1_COUNT, err);
    if (s == WR_OK) s = define(&f, wasi_we_table, WASI_WE_COUNT, err);
    if (s == WR_OK) s = define(&f, wasi_wamr_table, WASI_WAMR_COUNT, err);
    f.p0 = true;
    if (s == WR_OK) s = define(&f, wasi_p1_table, WASI_P1_COUNT, err);
    return s;
}
