/* SPDX-License-Identifier: Apache-2.0 */
/* threads.c - asks for threads without end; alone on wasi-threads, without a C library. Exit code
 * 0: it was refused one. */
typedef __SIZE_TYPE__ usize;
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
IMPORT("wasi", "thread-spawn") int thread_spawn(void *arg);
IMPORT("wasi_snapshot_preview1", "proc_exit") _Noreturn void proc_exit(int code);
IMPORT("wasi_snapshot_preview1", "sched_yield") int sched_yield(void);

__attribute__((export_name("wasi_thread_start"))) void wasi_thread_start(int tid, void *arg)
{
    (void)tid, (void)arg;
    for (;;) sched_yield();
}

__attribute__((export_name("_start"))) void _start(void)
{
    for (int i = 0; i < 100000; i++)
        if (thread_spawn(0) < 0) proc_exit(0);
    proc_exit(1);
}
