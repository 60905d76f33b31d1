/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.c - what main.c is for programs whose memory is shared: wasi-libc has no build for these,
 * so there is no C library. PROGRAM SIZE prints the checksum.
 */
#include "workload.h"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

struct span {
    const void *start;
    u32 bytes;
};

WASI("args_sizes_get") i32 args_sizes(u32 *count, u32 *bytes);
WASI("args_get") i32 args_get(char **args, char *text);
WASI("fd_write") i32 fd_write(i32 fd, const struct span *spans, u32 count, u32 *written);
WASI("proc_exit") _Noreturn void proc_exit(i32 code);

extern u8 __heap_base[];
static u32 heap_used;

static void say(i32 fd, const char *text, u32 bytes)
{
    struct span span = {text, bytes};
    u32 written;
    (void)fd_write(fd, &span, 1, &written);
}

static _Noreturn void fail(const char *why)
{
    u32 bytes = 0;
    while (why[bytes]) bytes++;
    say(2, why, bytes);
    proc_exit(2);
}

/* Memory is zero at the start, and nothing is ever freed. */
void *wl_alloc(size_t bytes)
{
    u32 start = ((u32)(uintptr_t)__heap_base + heap_used + 15) & ~15u;
    u32 end = __builtin_wasm_memory_size(0) << 16;
    if (bytes > end - start) fail("out of memory\n");
    heap_used = start + (u32)bytes - (u32)(uintptr_t)__heap_base;
    return (void *)(uintptr_t)start;
}

static u32 read_size(void)
{
    u32 count = 0, bytes = 0;
    u64 size = 0;
    if (args_sizes(&count, &bytes) || count != 2 || bytes > 4096) return 0;
    char **args = wl_alloc(count * sizeof *args), *text = wl_alloc(bytes);
    if (args_get(args, text)) return 0;
    for (const char *at = args[1]; *at; at++) {
        if (*at < '0' || *at > '9') return 0;
        size = size * 10 + (u32)(*at - '0');
        if (size > 1000000000) return 0;
    }
    return (u32)size;
}

void _start(void);
void _start(void)
{
    char line[17];
    u32 size = read_size();
    if (!size) fail("usage: PROGRAM SIZE\n");
    u64 sum = workload(size);
    for (u32 i = 0; i < 16; i++) line[i] = "0123456789abcdef"[sum >> (60 - 4 * i) & 15];
    line[16] = '\n';
    say(1, line, sizeof line);
}
