/* SPDX-License-Identifier: Apache-2.0 */
/*
 * p0.c - the four layouts in which wasi_unstable differs from wasi_snapshot_preview1 (its name is
 * the fourth). All else is the same functions: see link.c.
 */
#include "p1/p1.h"

#include <string.h>

/* There the link count is 32 bits, and what follows it moves up. */
size_t wasi_p0_filestat(u8 out[WASI_FILESTAT_BYTES], const u8 in[WASI_FILESTAT_BYTES])
{
    u64 nlink = wasi_get64(in + 24);
    memcpy(out, in, 20); /* device, inode, type */
    wasi_put32(out + 20, nlink > UINT32_MAX ? UINT32_MAX : (u32)nlink);
    memcpy(out + 24, in + 32, 32); /* size and times */
    return WASI_P0_FILESTAT_BYTES;
}

/* There a clock begins with an identifier of the guest's own, which nobody reads. */
void wasi_p0_subscription(u8 out[WASI_SUBSCRIPTION_BYTES], const u8 in[WASI_P0_SUBSCRIPTION_BYTES])
{
    bool is_clock = in[8] == WASI_EVENT_CLOCK;
    memcpy(out, in, 16); /* userdata and type */
    memcpy(out + 16, in + (is_clock ? 24 : 16), WASI_SUBSCRIPTION_BYTES - 16);
}

u32 wasi_p0_whence(u32 whence)
{
    static const u8 whences[] = {WASI_WHENCE_CUR, WASI_WHENCE_END, WASI_WHENCE_SET};
    return whence < sizeof(whences) ? whences[whence] : whence;
}
