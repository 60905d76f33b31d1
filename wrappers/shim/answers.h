/* SPDX-License-Identifier: Apache-2.0 */
/* answers.h - what the Task and the Sandbox service read and answer alike. */
#ifndef WRAPPERS_SHIM_ANSWERS_H
#define WRAPPERS_SHIM_ANSWERS_H

#include "shim/proto/types.pb-c.h"
#include "shim/task.h"
#include "shim/ttrpc.h"

/** Answers with nothing. */
void wrap_reply_empty(struct wrap_ttrpc_call *call);
Wire__Timestamp wrap_timestamp(struct timespec when);
/** Mounts of the root file system that point into the message; `*mounts` is freed by the caller,
 * after a failure too. */
bool wrap_mounts_read(Wire__Mount *const *from, size_t count, struct wrap_root_mount **mounts,
                      struct wrap_error *err);
/** Options of the runtime; NULL: none. See wrap_options_read. */
bool wrap_options_of(const Wire__Any *any, struct wrap_task_options *out, struct wrap_error *err);
/** Figures of a task's control group; `out->value.data` (malloc) is the caller's. */
bool wrap_metrics_of(struct wrap_task *task, Wire__Any *out, struct wrap_error *err);

#endif
