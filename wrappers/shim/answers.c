/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c - pieces of messages that both services have. */
#include "shim/answers.h"

#include "shim/metrics.h"
#include "shim/service.h"

#include <stdlib.h>

enum { ROOT_MOUNTS_MAX = 64, MOUNT_OPTIONS_MAX = 512 };

void wrap_reply_empty(struct wrap_ttrpc_call *call)
{
    Wire__Empty empty = WIRE__EMPTY__INIT;
    wrap_ttrpc_reply(call, &empty.base);
}

Wire__Timestamp wrap_timestamp(struct timespec when)
{
    Wire__Timestamp time = WIRE__TIMESTAMP__INIT;
    time.seconds = when.tv_sec;
    time.nanos = (int32_t)when.tv_nsec;
    return time;
}

bool wrap_mounts_read(Wire__Mount *const *from, size_t count, struct wrap_root_mount **mounts,
                      struct wrap_error *err)
{
    if (count > ROOT_MOUNTS_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "rootfs: more than %d mounts",
                         ROOT_MOUNTS_MAX);
    }
    *mounts = calloc(count + 1, sizeof **mounts);
    if (!*mounts) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        if (from[i]->n_options > MOUNT_OPTIONS_MAX) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "rootfs: more than %d options",
                             MOUNT_OPTIONS_MAX);
        }
        (*mounts)[i] = (struct wrap_root_mount){
            .type = from[i]->type,
            .source = from[i]->source,
            .target = from[i]->target,
            .options = {(const char **)from[i]->options, from[i]->n_options},
        };
    }
    return true;
}

bool wrap_options_of(const Wire__Any *any, struct wrap_task_options *out, struct wrap_error *err)
{
    return wrap_options_read(any ? any->type_url : "", any ? any->value.data : NULL,
                             any ? any->value.len : 0, out, err);
}

bool wrap_metrics_of(struct wrap_task *task, Wire__Any *out, struct wrap_error *err)
{
    struct wrap_cgroup_stats figures;
    wr_usage_t usage;
    bool known = wrap_task_usage(task, &usage);
    const char *type_url = NULL;
    struct wrap_cgroup *cgroup = wrap_task_cgroup(task, err);
    wire__any__init(out);
    if (!cgroup || !wrap_cgroup_stats(cgroup, &figures, err) ||
        !wrap_metrics_pack(&figures, known ? &usage : NULL, &type_url, &out->value.data,
                           &out->value.len, err)) {
        return false;
    }
    out->type_url = (char *)type_url;
    return true;
}
