/* SPDX-License-Identifier: Apache-2.0 */
/*
 * errno.c - host errno to guest errno, and names, both printed from errno.def.
 */
#include "abi/p1_types.h"

#include <errno.h>

static const char *const names[] = {
#define E(name, number, host) #name,
#define N(name, number) #name,
#include "abi/errno.def"
#undef E
#undef N
};

/* The table has no hole: its length is its last number plus one. */
_Static_assert(sizeof(names) / sizeof(names[0]) == WASI_E_COUNT, "errno.def: a hole");
_Static_assert(WASI_E_NOTCAPABLE == 76, "errno.def: numbers are the ABI");

wasi_errno wasi_errno_from_host(int host)
{
    switch (host) {
    case 0: return WASI_E_SUCCESS;
#define E(name, number, host_number)                                                               \
    case host_number: return WASI_E_##name;
#define N(name, number)
#include "abi/errno.def"
#undef E
#undef N
    default: return WASI_E_IO;
    }
}

const char *wasi_errno_name(wasi_errno e) { return (unsigned)e < WASI_E_COUNT ? names[e] : "?"; }
