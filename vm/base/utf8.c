/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 validity. spec binary-utf8 */
#include "base/utf8.h"

#include <string.h>

/*
 * Length of the well-formed sequence at `s`, 0 for none. The second byte's range depends on the
 * first: e0 excludes overlong forms, ed surrogates, f0 overlong forms, f4 what is past U+10FFFF.
 */
static usize sequence_len(const u8 *s, usize left)
{
    u8 lead = s[0], low = 0x80, high = 0xbf;
    usize len;
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    if (lead < 0xe0) {
        len = 2;
    } else if (lead < 0xf0) {
        len = 3;
        if (lead == 0xe0) low = 0xa0;
        if (lead == 0xed) high = 0x9f;
    } else {
        len = 4;
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f;
    }
    if (left < len || s[1] < low || s[1] > high) return 0;
    for (usize i = 2; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    return len;
}

bool vm_utf8_valid(const u8 *bytes, usize size)
{
    usize at = 0;
    while (at < size) {
        u64 word;
        if (size - at >= sizeof word) {
            memcpy(&word, bytes + at, sizeof word);
            if ((word & 0x8080808080808080u) == 0) {
                at += sizeof word;
                continue;
            }
        }
        usize len = sequence_len(bytes + at, size - at);
        if (len == 0) return false;
        at += len;
    }
    return true;
}
