/* SPDX-License-Identifier: Apache-2.0 */
/* no_entry.c - a guest that would make a thread, but has nowhere for it to begin. */
#include <stdint.h>

__attribute__((import_module("wasi"), import_name("thread-spawn"))) extern int thread_spawn(
    void *arg);
__attribute__((import_module("wasi_snapshot_preview1"),
               import_name("proc_exit"))) extern _Noreturn void
proc_exit(int code);

enum { E_NOTSUP = 58 };

__attribute__((export_name("_start"))) void start_main(void)
{
    proc_exit(thread_spawn(0) == -E_NOTSUP ? 7 : 1);
}
