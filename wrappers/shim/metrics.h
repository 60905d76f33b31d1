/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - figures of a control group as the message that containerd expects of the host's
 * version: io.containerd.cgroups.v1.Metrics or v2. */
#ifndef WRAPPERS_SHIM_METRICS_H
#define WRAPPERS_SHIM_METRICS_H

#include "sandbox/cgroup.h"
#include "wasmrun.h"

#include <stddef.h>
#include <stdint.h>

/** Packs; `usage` (NULL: not known) goes into a field that containerd's message does not have and
 * its readers skip: `guest` of proto/guest.proto. `*type_url` is static, `*bytes` (malloc) the
 * caller's. */
bool wrap_metrics_pack(const struct wrap_cgroup_stats *stats, const wr_usage_t *usage,
                       const char **type_url, uint8_t **bytes, size_t *size,
                       struct wrap_error *err);

#endif
