/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args.c - args_* and environ_*: the guest's strings, each list as pointers and bytes.
 */
#include "p1/p1.h"

#include <string.h>

/* Counts and bytes of a list, at two guest u32. */
static wasi_errno put_sizes(struct wasi_call *c, const struct wasi_strings *list)
{
    u8 *count = wasi_mem_at(&c->mem, c->arg[0].i32, 4);
    u8 *bytes = wasi_mem_at(&c->mem, c->arg[1].i32, 4);
    if (count == NULL || bytes == NULL) return WASI_E_FAULT;
    wasi_guest_put32(count, list->count);
    wasi_guest_put32(bytes, list->bytes);
    return WASI_E_SUCCESS;
}

/* The strings at arg 1 and a pointer to each at arg 0. */
static wasi_errno put_strings(struct wasi_call *c, const struct wasi_strings *list)
{
    u8 *pointers = wasi_mem_at(&c->mem, c->arg[0].i32, (u64)list->count * 4);
    u32 text_addr = c->arg[1].i32;
    u8 *text = wasi_mem_at(&c->mem, text_addr, list->bytes);
    if (pointers == NULL || text == NULL) return WASI_E_FAULT;
    if (list->bytes == 0) return WASI_E_SUCCESS;
    wasi_guest_write(text, list->text, list->bytes);
    size_t at = 0;
    for (u32 i = 0; i < list->count; i++) {
        wasi_guest_put32(pointers + (size_t)i * 4, text_addr + (u32)at);
        at += strlen(list->text + at) + 1;
    }
    return WASI_E_SUCCESS;
}

wasi_errno wasi_p1_args_sizes_get(struct wasi_call *c) { return put_sizes(c, &c->wasi->args); }

wasi_errno wasi_p1_args_get(struct wasi_call *c) { return put_strings(c, &c->wasi->args); }

wasi_errno wasi_p1_environ_sizes_get(struct wasi_call *c) { return put_sizes(c, &c->wasi->env); }

wasi_errno wasi_p1_environ_get(struct wasi_call *c) { return put_strings(c, &c->wasi->env); }
