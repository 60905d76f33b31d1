/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - defines preview1 in a linker from p1.def. What happens at a call: enter.c.
 */
#include "fd/rights.h"
#include "p1/p1.h"

#define R(name) WASI_RIGHT_##name
#define DIR WASI_P1_DIR
#define NONDIR WASI_P1_NONDIR
#define CHANGES WASI_P1_CHANGES
#define SOCK WASI_P1_SOCK
#define WORK WASI_P1_WORK

const struct wasi_row wasi_p1_table[WASI_P1_COUNT] = {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since)                                \
    {#name, signature, wasi_p1_##name, rights, rights2, fd, fd2, flags, WASI_P1_##since},
#include "abi/p1.def"
#undef P1
};

enum {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since) ROW_##name,
#include "abi/p1.def"
#undef P1
    ROW_COUNT
};
_Static_assert((int)ROW_COUNT == (int)WASI_P1_COUNT, "p1.def: preview1 has 46 functions");

wr_status_t wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker, wr_error_t *err)
{
    for (size_t i = 0; i < WASI_P1_COUNT; i++) {
        const struct wasi_row *row = &wasi_p1_table[i];
        wasi->bind[i] = (struct wasi_bind){.wasi = wasi, .row = row};
        wr_status_t s = wr_linker_define_raw(linker, "wasi_snapshot_preview1", row->name,
                                             row->signature, wasi_enter, &wasi->bind[i], err);
        if (s != WR_OK) return s;
    }
    return WR_OK;
}
