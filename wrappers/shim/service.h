/* SPDX-License-Identifier: Apache-2.0 */
/* service.h - what containerd can ask of a shim: tables of methods over task.h. The environment of
 * every method is a struct wrap_shim. */
#ifndef WRAPPERS_SHIM_SERVICE_H
#define WRAPPERS_SHIM_SERVICE_H

#include "shim/task.h"
#include "shim/ttrpc.h"

/** containerd.task.v2.Task and containerd.task.v3.Task: the same methods and messages. */
extern const struct wrap_ttrpc_method wrap_task_methods[];
extern const size_t wrap_task_method_count;
/** containerd.runtime.sandbox.v1.Sandbox */
extern const struct wrap_ttrpc_method wrap_sandbox_methods[];
extern const size_t wrap_sandbox_method_count;

/** Reads the options of a runtime: runc's message, or the CRI's generic one, or none. The strings
 * of `out` are malloc'ed; wrap_options_free. Unknown types are INVALID_ARGUMENT. */
bool wrap_options_read(const char *type_url, const void *bytes, size_t size,
                       struct wrap_task_options *out, struct wrap_error *err);
void wrap_options_free(struct wrap_task_options *options);

#endif
