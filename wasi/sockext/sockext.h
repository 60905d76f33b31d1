/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sockext.h - the function tables of the two socket extensions.
 */
#ifndef WASI_SOCKEXT_SOCKEXT_H
#define WASI_SOCKEXT_SOCKEXT_H

#include "row.h"

enum {
#define S(name, handler, signature, fd, rights, flags) +1
    WASI_WE_COUNT = 0
#include "abi/wasmedge.def"
    ,
#undef S
#define S(name, handler, signature, fd, rights, flags, extra) +1
    WASI_WAMR_COUNT = 0
#include "abi/wamr.def"
#undef S
};

extern const struct wasi_row wasi_we_table[WASI_WE_COUNT];
extern const struct wasi_row wasi_wamr_table[WASI_WAMR_COUNT];

#define S(name, handler, signature, fd, rights, flags) wasi_handler wasi_we_##handler;
#include "abi/wasmedge.def"
#undef S
#define S(name, handler, signature, fd, rights, flags, extra) wasi_handler wasi_wamr_##handler;
#include "abi/wamr.def"
#undef S

/** EAI_* of the host as one of the errnos 77 to 87 that getaddrinfo adds. */
wasi_errno wasi_eai_errno(int eai);

#endif
