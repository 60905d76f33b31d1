/* SPDX-License-Identifier: Apache-2.0 */
/* format.c - libc's snprintf, own number formatting, parsing back. size: hundreds of lines. */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>

static u32 put_number(char *out, u64 value, u32 base)
{
    char digits[64];
    u32 count = 0;
    do {
        digits[count++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % base];
        value /= base;
    } while (value);
    for (u32 i = 0; i < count; i++) out[i] = digits[count - 1 - i];
    out[count] = 0;
    return count;
}

static u32 put_grouped(char *out, u32 value)
{
    char digits[16];
    u32 count = put_number(digits, value, 10);
    u32 to = 0;
    for (u32 i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0) out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = 0;
    return to;
}

static u64 hash_text(u64 sum, const char *text)
{
    for (; *text; text++) sum = (sum ^ (u8)*text) * 1099511628211u;
    return sum;
}

static u64 report_line(u64 sum, u32 *seed)
{
    static const char *const names[] = {"alpha", "beta", "gamma", "delta"};
    char line[200];
    char grouped[24];
    char radix[72];
    u32 a = wl_random(seed);
    u32 b = wl_random(seed);
    put_grouped(grouped, a);
    put_number(radix, (u64)a << 32 | b, 2 + b % 35);
    int length =
        snprintf(line, sizeof line, "%-8s|%10u|%+08d|%#x|%14s|%7.3f|%e|%c|%s", names[a & 3], a,
                 (i32)(b >> 8), b, grouped, (b & 0xfffff) / 1024.0, a * 1e-3, 'a' + a % 26, radix);
    sum = hash_text(sum + (u32)length, line);
    char *end = line;
    sum += strtoul(strchr(line, '|') + 1, &end, 10) + (u64)strtol(end + 1, NULL, 10);
    sum += (u64)(strtod(strrchr(line, '|') - 14, NULL) / 2);
    return sum + strlen(line);
}

u64 workload(u32 size)
{
    u32 seed = 88;
    u64 sum = 14695981039346656037u;
    for (u32 i = 0; i < size * 100; i++) sum = report_line(sum, &seed);
    return sum;
}
