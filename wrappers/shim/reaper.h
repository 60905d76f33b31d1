/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reaper.h - ends of child processes and of those that were left to us, told by pid. The only place
 * that waits, so that a pid is never another process's while somebody knows it.
 *
 * One thread: the loop's; one reaper a process.
 */
#ifndef WRAPPERS_SHIM_REAPER_H
#define WRAPPERS_SHIM_REAPER_H

#include "common/error.h"

#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <uv.h>

/** A process whose end somebody wants to know. Storage is the caller's. */
struct wrap_reap {
    pid_t pid;
    /** `status`: the exit code, or 128 and the signal. The entry is off the list by then. */
    void (*ended)(struct wrap_reap *reap, unsigned status, struct timespec when);
    struct wrap_reap *next;
};

/** Blocks SIGCHLD, makes the process a subreaper. */
bool wrap_reaper_start(uv_loop_t *loop, struct wrap_error *err);
/** How many ends have been seen: processes that are made from now on end behind this mark. */
uint64_t wrap_reap_mark(void);
/**
 * Expects the end of `reap->pid`. One that has ended behind `mark` already, within the last few
 * hundred ends, is told from the loop, never from here; what ended before it was another process of
 * that number.
 */
void wrap_reap_expect(struct wrap_reap *reap, uint64_t mark);
/** Not expected any more; one that was not is fine. */
void wrap_reap_forget(struct wrap_reap *reap);
/** Closes its handles; nothing is reaped any more. */
void wrap_reaper_stop(void);

#endif
