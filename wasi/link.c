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
#include <string.h>

#define R(name) WASI_RIGHT_##name
#define DIR WASI_P1_DIR
#define NONDIR WASI_P1_NONDIR
#define CHANGES WASI_P1_CHANGES
#define SOCK WASI_P1_SOCK
#define WORK WASI_P1_WORK
#define FREE WASI_P1_FREE
#define LONG WASI_P1_LONG

/* The handler of each row: a number, and a switch over all of them in wasi_handle. */
enum {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since) P1_##name,
#include "abi/p1.def"
#undef P1
#define S(name, handler, signature, fd, rights, flags) WE_##name##_##handler,
#include "abi/wasmedge.def"
#undef S
#define S(name, handler, signature, fd, rights, flags, extra) WAMR_##name,
#include "abi/wamr.def"
#undef S
    HANDLERS
};
_Static_assert(HANDLERS <= UINT8_MAX, "wasi_row.handler is a byte");

#define ROW(name, signature, handler, fd, rights, fd2, rights2, flags, since, extra)               \
    {rights, rights2, #name, signature, handler, fd, fd2, flags, WASI_P1_##since, extra},

const struct wasi_row wasi_p1_table[WASI_P1_COUNT] = {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since)                                \
    ROW(name, signature, P1_##name, fd, rights, fd2, rights2, flags, since, 0)
#include "abi/p1.def"
#undef P1
};

const struct wasi_row wasi_we_table[WASI_WE_COUNT] = {
#define S(name, handler, signature, fd, rights, flags)                                             \
    ROW(name, signature, WE_##name##_##handler, fd, rights, -1, 0, flags, SNAPSHOT1, 0)
#include "abi/wasmedge.def"
#undef S
};

const struct wasi_row wasi_wamr_table[WASI_WAMR_COUNT] = {
#define S(name, handler, signature, fd, rights, flags, extra)                                      \
    ROW(name, signature, WAMR_##name, fd, rights, -1, 0, flags, SNAPSHOT1, extra)
#include "abi/wamr.def"
#undef S
};

#define FITS(name, signature)                                                                      \
    _Static_assert(sizeof(#name) <= WASI_NAME_SIZE, "raise WASI_NAME_SIZE");                       \
    _Static_assert(sizeof(signature) <= WASI_SIGNATURE_SIZE, "raise WASI_SIGNATURE_SIZE");
#define P1(name, signature, fd, rights, fd2, rights2, flags, since) FITS(name, signature)
#include "abi/p1.def"
#undef P1
#define S(name, handler, signature, ...) FITS(name, signature)
#include "abi/wamr.def"
#include "abi/wasmedge.def"
#undef S

wasi_errno wasi_handle(struct wasi_call *c)
{
    switch (c->row->handler) {
#define P1(name, signature, fd, rights, fd2, rights2, flags, since)                                \
    case P1_##name: return wasi_p1_##name(c);
#include "abi/p1.def"
#undef P1
#define S(name, handler, signature, fd, rights, flags)                                             \
    case WE_##name##_##handler: return wasi_we_##handler(c);
#include "abi/wasmedge.def"
#undef S
#define S(name, handler, signature, fd, rights, flags, extra)                                      \
    case WAMR_##name: return wasi_wamr_##handler(c);
#include "abi/wamr.def"
#undef S
    default: return WASI_E_NOSYS;
    }
}

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

static const char *module_of(const struct wasi_bind *bind)
{
    return bind->p0 ? "wasi_unstable" : "wasi_snapshot_preview1";
}

/* An import takes the definition of its name and type, so the ABIs stand side by side. `wanted`:
 * which of ALL_ROWS; NULL: all. */
static wr_status_t define(wr_linker_t *linker, struct wasi_bind *bind, const bool *wanted,
                          wr_error_t *err)
{
    wr_status_t s = WR_OK;
    for (size_t i = 0; i < ALL_ROWS && s == WR_OK; i++) {
        const struct wasi_row *row = bind[i].row;
        if (wanted != NULL && !wanted[i]) continue;
        s = wr_linker_define_raw(linker, module_of(&bind[i]), row->name, row->signature, wasi_enter,
                                 &bind[i], err);
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
    return define(linker, wasi->bind, NULL, err);
}

static struct wasi_bind shared[ALL_ROWS]; /* immutable once filled */
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;

static void fill_shared(void) { fill(shared, NULL); }

wr_status_t wr_wasi_link_shared(wr_linker_t *linker, wr_error_t *err)
{
    pthread_once(&shared_once, fill_shared);
    return define(linker, shared, NULL, err);
}

static bool is_name(wr_name_t name, const char *text)
{
    return strlen(text) == name.size && memcmp(name.data, text, name.size) == 0;
}

/* Marks the rows that an import can mean. */
static void want(const wr_importtype_t *import, bool *wanted)
{
    for (size_t i = 0; i < ALL_ROWS; i++)
        if (is_name(import->name, shared[i].row->name) &&
            is_name(import->module, module_of(&shared[i])))
            wanted[i] = true;
}

wr_status_t wr_wasi_link_imports(wr_linker_t *linker, const wr_module_t *module, wr_error_t *err)
{
    enum { SOUGHT = 4 * ALL_ROWS }; /* more imports than that are not looked for one by one */
    bool wanted[ALL_ROWS] = {false};
    wr_importtype_t import;
    size_t count = 0;
    pthread_once(&shared_once, fill_shared);
    while (count < SOUGHT && wr_module_import(module, count, &import)) {
        want(&import, wanted);
        count++;
    }
    return define(linker, shared, count < SOUGHT ? wanted : NULL, err);
}
