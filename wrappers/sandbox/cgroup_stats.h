/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_stats.h - what figures of both versions share. */
#ifndef WRAPPERS_SANDBOX_CGROUP_STATS_H
#define WRAPPERS_SANDBOX_CGROUP_STATS_H

#include "sandbox/cgroup.h"

enum { WRAP_STATS_TEXT_MAX = 16384 };

/** Rows of memory.stat; what there is no room for is left out. */
void wrap_stats_memory(int dir, struct wrap_cgroup_stats *out);
/** pids.current and pids.max. */
void wrap_stats_pids(int dir, struct wrap_cgroup_stats *out);
/** The row of a device and an operation ("Read", "Write", …), new when it is not there; NULL: no
 * room, or an operation that is not counted. */
struct wrap_cgroup_io *wrap_stats_io(struct wrap_cgroup_stats *out, uint64_t major, uint64_t minor,
                                     const char *op);
/** The sizes in names like hugetlb.SIZE`suffix`. */
void wrap_stats_page_sizes(int dir, const char *suffix, struct wrap_cgroup_stats *out);
/** hugetlb.SIZE.`what` */
void wrap_stats_huge(int dir, const char *page_size, const char *what, uint64_t *out);

#endif
