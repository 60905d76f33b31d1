/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_stats_rare.c - figures that only runc's events have: all of them of cgroup v1. */
#include "sandbox/cgroup_impl.h"
#include "sandbox/cgroup_stats.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers behind one another; how many there were room for. */
static size_t read_row(const char *text, uint64_t *out, size_t room)
{
    size_t count = 0;
    char *end = NULL;
    for (; count < room; count++, text = end) {
        uint64_t value = strtoull(text, &end, 10);
        if (end == text) break;
        out[count] = value;
    }
    return count;
}

/* "cpu user system", then such rows in the order of processors. */
static void read_modes(char *text, struct wrap_cgroup_rare *out)
{
    char *rest = NULL;
    char *line = strtok_r(text, "\n", &rest);
    if (!line || strcmp(line, "cpu user system") != 0) return;
    for (line = strtok_r(NULL, "\n", &rest); line && out->mode_count < WRAP_CGROUP_CPU_MAX;
         line = strtok_r(NULL, "\n", &rest)) {
        uint64_t row[3];
        if (read_row(line, row, 3) != 3) return;
        out->cpu_user_ns[out->mode_count] = row[1];
        out->cpu_system_ns[out->mode_count] = row[2];
        out->mode_count++;
    }
}

static void read_cpus(const struct wrap_cgroup *cgroup, struct wrap_cgroup_rare *out)
{
    static char text[3 * WRAP_STATS_TEXT_MAX]; /* one thread */
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_CPUACCT);
    if (dir < 0) return;
    if (wrap_cgroup_read(dir, "cpuacct.usage_percpu", text, sizeof text) > 0) {
        out->cpu_count = read_row(text, out->cpu_ns, WRAP_CGROUP_CPU_MAX);
    }
    if (wrap_cgroup_read(dir, "cpuacct.usage_all", text, sizeof text) > 0) read_modes(text, out);
    close(dir);
}

static void read_list(int dir, const char *file, char out[WRAP_CGROUP_LIST_MAX])
{
    if (wrap_cgroup_read(dir, file, out, WRAP_CGROUP_LIST_MAX) <= 0) out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static void read_sets(const struct wrap_cgroup *cgroup, struct wrap_cgroup_rare *out)
{
    char file[64];
    char text[32];
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_CPUSET);
    if (dir < 0) return;
    read_list(dir, "cpuset.cpus", out->cpus);
    read_list(dir, "cpuset.mems", out->mems);
    for (size_t i = 0; i < WRAP_CGROUP_SETS; i++) {
        snprintf(file, sizeof file, "cpuset.%s", out->sets[i].name);
        if (wrap_cgroup_read(dir, file, text, sizeof text) > 0) {
            out->sets[i].value = strtoll(text, NULL, 10);
        }
    }
    close(dir);
}

static void read_peaks(const struct wrap_cgroup *cgroup, struct wrap_cgroup_rare *out)
{
    static const char *const kinds[] = {"memsw", "kmem", "kmem.tcp"};
    struct wrap_cgroup_peak *peaks[] = {&out->swap, &out->kernel, &out->tcp};
    char file[64];
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_MEMORY);
    if (dir < 0) return;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        snprintf(file, sizeof file, "memory.%s.max_usage_in_bytes", kinds[i]);
        (void)wrap_cgroup_number(dir, file, &peaks[i]->max);
        snprintf(file, sizeof file, "memory.%s.failcnt", kinds[i]);
        (void)wrap_cgroup_number(dir, file, &peaks[i]->failcnt);
    }
    close(dir);
}

void wrap_cgroup_rare(const struct wrap_cgroup *cgroup, struct wrap_cgroup_rare *out)
{
    static const char *const sets[WRAP_CGROUP_SETS] = {
        "cpu_exclusive",   "mem_hardwall",       "mem_exclusive",
        "memory_migrate",  "memory_spread_page", "memory_spread_slab",
        "memory_pressure", "sched_load_balance", "sched_relax_domain_level"};
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < WRAP_CGROUP_SETS; i++) out->sets[i].name = sets[i];
    if (cgroup->host->version == WRAP_CGROUP_V2) return;
    read_cpus(cgroup, out);
    read_sets(cgroup, out);
    read_peaks(cgroup, out);
}
