/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_stats_v1.c - figures of a group in hierarchies of cgroup v1. */
#include "sandbox/cgroup_impl.h"
#include "sandbox/cgroup_stats.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_cpu(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    char text[512];
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_CPUACCT);
    if (dir >= 0) {
        uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
        uint64_t tick_ns = 1000000000u / (ticks ? ticks : 100);
        (void)wrap_cgroup_number(dir, "cpuacct.usage", &out->cpu_total_ns);
        if (wrap_cgroup_read(dir, "cpuacct.stat", text, sizeof text) > 0) {
            (void)wrap_cgroup_field(text, "user", &out->cpu_user_ns);
            (void)wrap_cgroup_field(text, "system", &out->cpu_system_ns);
            out->cpu_user_ns *= tick_ns;
            out->cpu_system_ns *= tick_ns;
        }
        close(dir);
    }
    dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_CPU);
    if (dir >= 0) {
        if (wrap_cgroup_read(dir, "cpu.stat", text, sizeof text) > 0) {
            (void)wrap_cgroup_field(text, "nr_periods", &out->cpu_periods);
            (void)wrap_cgroup_field(text, "nr_throttled", &out->cpu_throttled);
            (void)wrap_cgroup_field(text, "throttled_time", &out->cpu_throttled_ns);
        }
        close(dir);
    }
}

static void read_memory(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    const struct {
        const char *file;
        uint64_t *value;
    } rows[] = {
        {"memory.usage_in_bytes", &out->memory_usage},
        {"memory.limit_in_bytes", &out->memory_limit},
        {"memory.max_usage_in_bytes", &out->memory_max_usage},
        {"memory.failcnt", &out->memory_failcnt},
        {"memory.memsw.usage_in_bytes", &out->swap_usage},
        {"memory.memsw.limit_in_bytes", &out->swap_limit},
        {"memory.kmem.usage_in_bytes", &out->kernel_usage},
        {"memory.kmem.limit_in_bytes", &out->kernel_limit},
        {"memory.kmem.tcp.usage_in_bytes", &out->tcp_usage},
        {"memory.kmem.tcp.limit_in_bytes", &out->tcp_limit},
    };
    char text[256];
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_MEMORY);
    if (dir < 0) {
        return;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)wrap_cgroup_number(dir, rows[i].file, rows[i].value);
    }
    if (wrap_cgroup_read(dir, "memory.oom_control", text, sizeof text) > 0) {
        (void)wrap_cgroup_field(text, "oom_kill", &out->events_oom_kill);
    }
    wrap_stats_memory(dir, out);
    close(dir);
}

/* Rows "MAJ:MIN OP NUMBER", and sums that have no device. */
static void read_io_file(int dir, const char *file, bool bytes, struct wrap_cgroup_stats *out)
{
    static char text[WRAP_STATS_TEXT_MAX]; /* one thread */
    if (wrap_cgroup_read(dir, file, text, sizeof text) <= 0) {
        return;
    }
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        unsigned long long major, minor, value;
        char op[16];
        if (sscanf(line, "%llu:%llu %15s %llu", &major, &minor, op, &value) != 4) {
            continue;
        }
        struct wrap_cgroup_io *row = wrap_stats_io(out, major, minor, op);
        if (row) {
            *(bytes ? &row->bytes : &row->operations) = value;
        }
    }
}

static void read_io(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_BLKIO);
    if (dir < 0) {
        return;
    }
    read_io_file(dir, "blkio.throttle.io_service_bytes_recursive", true, out);
    read_io_file(dir, "blkio.throttle.io_serviced_recursive", false, out);
    close(dir);
}

static void read_pids(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_PIDS);
    if (dir >= 0) {
        wrap_stats_pids(dir, out);
        close(dir);
    }
}

static void read_huge(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_HUGETLB);
    if (dir < 0) {
        return;
    }
    wrap_stats_page_sizes(dir, ".usage_in_bytes", out);
    for (size_t i = 0; i < out->huge_count; i++) {
        struct wrap_cgroup_huge *huge = &out->huge[i];
        wrap_stats_huge(dir, huge->page_size, "usage_in_bytes", &huge->usage);
        wrap_stats_huge(dir, huge->page_size, "max_usage_in_bytes", &huge->max);
        wrap_stats_huge(dir, huge->page_size, "failcnt", &huge->failcnt);
    }
    close(dir);
}

void wrap_cgroup_v1_stats(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    read_cpu(cgroup, out);
    read_memory(cgroup, out);
    read_pids(cgroup, out);
    read_io(cgroup, out);
    read_huge(cgroup, out);
}
