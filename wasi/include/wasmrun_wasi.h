/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasmrun_wasi.h - WASI preview1 for libwasmrun, a layer over wasmrun.h and libuv.
 *
 * A wr_wasi_t is one guest's world: arguments, environment, preopened directories, standard
 * streams, quotas. Nothing is given unless asked for: no directories, no environment.
 * It serves one store and is confined to that store's thread, but for the threads that its guest
 * makes (wr_wasi_threads_new).
 */
#ifndef WASMRUN_WASI_H
#define WASMRUN_WASI_H

#include "wasmrun.h"

#ifdef __cplusplus
extern "C" {
#endif
#ifndef own
#define own
#endif

typedef struct wr_wasi wr_wasi_t;

/** New context without arguments, environment or directories; stdio 0, 1, 2 are inherited (a
 * terminal is opened anew, where that is allowed, and takes a descriptor more). */
WR_API wr_status_t wr_wasi_new(own wr_wasi_t **out, wr_error_t *err);
/** Closes what the context owns; the store that uses it must be gone. NULL is allowed. */
WR_API void wr_wasi_delete(own wr_wasi_t *wasi);

/** Arguments, argv[0] first; copied. WR_LIMIT when arguments and environment pass 1 MiB. */
WR_API wr_status_t wr_wasi_set_args(wr_wasi_t *wasi, const char *const *argv, size_t count,
                                    wr_error_t *err);
/** Adds or replaces one environment variable; copied. */
WR_API wr_status_t wr_wasi_set_env(wr_wasi_t *wasi, const char *key, const char *value,
                                   wr_error_t *err);
/**
 * Preopens the host directory `host` as `guest`; with `read_only` nothing below it can be changed
 * through this descriptor or any that is opened from it. The guest sees preopens from fd 3 on,
 * in the order of these calls. Errors: WR_NOT_FOUND, WR_IO, WR_OOM; the text names the path.
 */
WR_API wr_status_t wr_wasi_preopen_dir(wr_wasi_t *wasi, const char *host, const char *guest,
                                       bool read_only, wr_error_t *err);
/** Nothing on a procfs can be opened from now on; at first it can be, but not for writing. For a
 * guest whose preopens have a procfs beneath them that is not its own. */
WR_API void wr_wasi_hide_procfs(wr_wasi_t *wasi);
/** Uses host descriptor `host_fd` (stays the caller's) as guest stream 0, 1 or 2; -1: closed. */
WR_API wr_status_t wr_wasi_set_stdio(wr_wasi_t *wasi, int guest_fd, int host_fd, wr_error_t *err);

/** How many descriptors the guest may have open, standard streams and preopens included; 1024 at
 * first. What is open stays. WR_ARGUMENT outside 3 to 1048576. */
WR_API wr_status_t wr_wasi_set_max_fds(wr_wasi_t *wasi, uint32_t count, wr_error_t *err);

/* ---------------------------------------------------------------- the network: none at first */

/** Every address, and Unix sockets beneath preopened directories. */
WR_API void wr_wasi_net_inherit(wr_wasi_t *wasi);
/**
 * Allows what `rule` says, besides what was allowed before: "CIDR", "CIDR:PORT", "[V6/BITS]:PORT"
 * or "unix". It holds for addresses that the guest binds to, connects to and sends datagrams to,
 * and for the senders of datagrams to a socket that was never bound; what the guest accepts or
 * receives on an address it may bind to, and sockets that it is given, are free. WR_ARGUMENT,
 * WR_LIMIT.
 */
WR_API wr_status_t wr_wasi_net_allow(wr_wasi_t *wasi, const char *rule, wr_error_t *err);
/** Names may be looked up, with the resolver of the process. */
WR_API void wr_wasi_net_allow_resolve(wr_wasi_t *wasi);
/**
 * Gives the guest a socket, listening or connected, as its next descriptor; made non-blocking. It
 * is taken over on success. The guest sees directories and sockets from descriptor 3 on in the
 * order in which they were given. Errors: WR_ARGUMENT (not a socket), WR_IO, WR_LIMIT, WR_OOM.
 */
WR_API wr_status_t wr_wasi_preopen_socket(wr_wasi_t *wasi, own int socket, wr_error_t *err);
/** The same for a new TCP listener on a numeric "HOST:PORT" or "[V6]:PORT"; `port`, if not NULL, is
 * the port that it has (for port 0). Errors: also WR_IO. */
WR_API wr_status_t wr_wasi_listen(wr_wasi_t *wasi, const char *address, uint16_t *port,
                                  wr_error_t *err);

/** Defines wasi_snapshot_preview1, the socket extensions of WasmEdge and WAMR among it, in a
 * linker. The context must outlive the linker's stores. */
WR_API wr_status_t wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker, wr_error_t *err);

/**
 * The same for any number of stores and contexts: the data pointer of each store that is
 * instantiated through the linker (wr_store_set_data) is its wr_wasi_t. One linker for thousands of
 * guests.
 */
WR_API wr_status_t wr_wasi_link_shared(wr_linker_t *linker, wr_error_t *err);

/** The same, of all functions those that `module` imports: for a linker of one module a small part
 * of the time and memory. */
WR_API wr_status_t wr_wasi_link_imports(wr_linker_t *linker, const wr_module_t *module,
                                        wr_error_t *err);

/**
 * With `strict`, poll_oneoff reports at once that a descriptor can be written to, each time it is
 * asked. Without, the default, what has been reported and not been used since is held back for up
 * to 20 ms while nothing else is ready: programs made for edge-triggered polling would never sleep.
 */
WR_API void wr_wasi_set_strict_poll(wr_wasi_t *wasi, bool strict);

/**
 * Makes a call that blocks inside a WASI function (a sleep, a poll) return early, so that a
 * cancelled or interrupted exec stops soon; the guest sees INTR. Any thread; also from a signal
 * handler.
 */
WR_API void wr_wasi_wake(wr_wasi_t *wasi);

/* ---------------------------------------------------------------- threads of a guest */

/*
 * wasi-threads: a guest makes threads with `wasi`.`thread-spawn`. Each is an instance of its module
 * in a store of its own, on an OS thread of its own, that imports the same shared memories. To run
 * such a module: make store, exec and linker as for any other (wr_wasi_link), then the threads,
 * then instantiate, call _start on the exec, and hand what that ended in to wr_wasi_threads_finish.
 */
typedef struct wr_wasi_threads wr_wasi_threads_t;

enum { WR_WASI_MAX_THREADS = 256 /**< a limit of threads for who has no other idea */ };

/** All of these stay the caller's and must outlive the threads, but `store_config`. */
typedef struct wr_wasi_threads_config {
    wr_engine_t *engine;
    wr_linker_t *linker; /**< that the program is instantiated through; see below */
    const wr_module_t *module;
    wr_store_t *store; /**< the program's: the shared memories are charged to it */
    wr_exec_t *exec; /**< that the program is called on */
    const wr_store_config_t *store_config; /**< of each thread's store; NULL: all defaults */
    uint32_t max_threads; /**< at a time, beside the main one; 0: thread-spawn answers NOTSUP */
} wr_wasi_threads_config_t;

/** Whether a module imports what wr_wasi_threads_new defines: wasi.thread-spawn, or a shared
 * memory. Any thread. */
WR_API bool wr_wasi_threads_wanted(const wr_module_t *module);
/**
 * Defines in the linker wasi.thread-spawn, and a new memory for each shared memory that the module
 * imports under whatever name. Other definitions must be of functions (they are called on all
 * threads, with the store data of the thread that made theirs) or shared memories, and be there
 * before the program runs; a thread can't import what belongs to the program's store, and
 * thread-spawn answers an error then. A thread begins with half of its maker's fuel. Not in a
 * wr_loop_t: there thread-spawn answers NOTSUP. Errors: WR_LIMIT (a memory), WR_OOM.
 */
WR_API wr_status_t wr_wasi_threads_new(wr_wasi_t *wasi, const wr_wasi_threads_config_t *config,
                                       own wr_wasi_threads_t **out, wr_error_t *err);
/**
 * The program's call has ended with `status`, and `err` tells why: ends all its threads, whatever
 * they do, and returns when they are gone (one inside a file operation or a look-up of a name ends
 * after that). The first thread that trapped, exited or failed, the main one included, decides:
 * its status is returned, `*exec` is its exec (for wr_exec_exit_code, wr_exec_coredump; valid until
 * the threads are deleted) and `err`, which may be NULL, is its error. The others end with
 * WR_CANCELLED. Thread of the store.
 */
WR_API wr_status_t wr_wasi_threads_finish(wr_wasi_threads_t *threads, wr_status_t status,
                                          wr_exec_t **exec, wr_error_t *err);
/** Ends all threads; before the linker, the store and the context are deleted. NULL is allowed. */
WR_API void wr_wasi_threads_delete(own wr_wasi_threads_t *threads);

/* ---------------------------------------------------------------- many guests on one thread */

/*
 * A loop runs any number of guests on the thread that runs it. A guest that has to wait inside a
 * WASI function is parked: it holds no thread and no native stack. A guest that computes is stopped
 * at the end of its time slice and goes on after the others. Without a loop a WASI function that
 * has to wait blocks its thread.
 */
typedef struct wr_loop wr_loop_t;
/** One call (wr_exec_start) in a loop. Valid until its `done` has returned. */
typedef struct wr_task wr_task_t;
struct uv_loop_s;

/**
 * New loop: on the embedder's libuv loop `uv`, which then runs it and must outlive it, or on one of
 * its own (NULL, for wr_loop_run). Errors: WR_OOM, WR_LIMIT (descriptors).
 */
WR_API wr_status_t wr_loop_new(struct uv_loop_s *uv, own wr_loop_t **out, wr_error_t *err);
/** Kills the tasks that are left, runs the loop until they have ended, and deletes. NULL is
 * allowed. Not from a `done`. */
WR_API void wr_loop_delete(own wr_loop_t *loop);
/** How long a guest may run before the others get their turn; 1 ms at first, 0: for ever. Below a
 * microsecond a thread spins to end slices: for tests. The loop's thread. */
WR_API void wr_loop_set_slice(wr_loop_t *loop, uint64_t ns);
/** For tests: every WASI function parks once before it does anything. */
WR_API void wr_loop_set_park_always(wr_loop_t *loop, bool always);
/** Runs until no task is left or wr_loop_stop is called. The loop's thread. */
WR_API void wr_loop_run(wr_loop_t *loop);
/** Makes wr_loop_run return soon. Any thread; also from a signal handler. */
WR_API void wr_loop_stop(wr_loop_t *loop);

/**
 * A task has ended: `status` and `err` as wr_exec_run gives them, and what can be asked of the exec
 * after that. The exec, its store and context may be deleted here. Loop's thread.
 */
typedef void (*wr_task_done_fn)(wr_task_t *task, wr_status_t status, const wr_error_t *err,
                                void *env);
/** A task: exec, store and context stay the caller's and must live until `done`. */
typedef struct wr_task_config {
    wr_exec_t *exec; /**< with a call that wr_exec_start has prepared */
    wr_wasi_t *wasi; /**< the context of its store, in no other loop; NULL: none */
    wr_task_done_fn done;
    void *env; /**< given to `done` */
} wr_task_config_t;
/** Runs a call in the loop. `out` may be NULL. Errors: WR_OOM, WR_ARGUMENT. Loop's thread. */
WR_API wr_status_t wr_loop_spawn(wr_loop_t *loop, const wr_task_config_t *config, wr_task_t **out,
                                 wr_error_t *err);
/**
 * Ends a task with WR_CANCELLED, whatever it waits for; one whose file operation is in the hands of
 * a worker thread ends after that. Any thread; also from a signal handler.
 */
WR_API void wr_task_kill(wr_task_t *task);
/**
 * Asks a task to end: what it waits for, and every later wait, ends with the guest errno CANCELED.
 * After `grace_ns` it is killed. Any thread; also from a signal handler.
 */
WR_API void wr_task_stop(wr_task_t *task, uint64_t grace_ns);
/**
 * Runs on a task that is pending in a host function of the embedder's own, after wr_exec_complete.
 * Any thread; also from a signal handler.
 */
WR_API void wr_task_ready(wr_task_t *task);

#undef own
#ifdef __cplusplus
}
#endif
#endif
