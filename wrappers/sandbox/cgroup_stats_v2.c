/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_stats_v2.c - figures of a group of cgroup v2. */
#include "sandbox/cgroup_impl.h"
#include "sandbox/cgroup_stats.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void field_us(const char *text, const char *name, uint64_t *out_ns)
{
    uint64_t us = 0;
    if (wrap_cgroup_field(text, name, &us)) {
        *out_ns = us * 1000;
    }
}

static void read_cpu(int dir, struct wrap_cgroup_stats *out)
{
    char text[1024];
    if (wrap_cgroup_read(dir, "cpu.stat", text, sizeof text) <= 0) {
        return;
    }
    field_us(text, "usage_usec", &out->cpu_total_ns);
    field_us(text, "user_usec", &out->cpu_user_ns);
    field_us(text, "system_usec", &out->cpu_system_ns);
    field_us(text, "throttled_usec", &out->cpu_throttled_ns);
    (void)wrap_cgroup_field(text, "nr_periods", &out->cpu_periods);
    (void)wrap_cgroup_field(text, "nr_throttled", &out->cpu_throttled);
}

static void read_memory(int dir, struct wrap_cgroup_stats *out)
{
    char text[512];
    (void)wrap_cgroup_number(dir, "memory.current", &out->memory_usage);
    (void)wrap_cgroup_number(dir, "memory.max", &out->memory_limit);
    (void)wrap_cgroup_number(dir, "memory.peak", &out->memory_max_usage);
    (void)wrap_cgroup_number(dir, "memory.swap.current", &out->swap_usage);
    (void)wrap_cgroup_number(dir, "memory.swap.max", &out->swap_limit);
    if (wrap_cgroup_read(dir, "memory.events", text, sizeof text) > 0) {
        (void)wrap_cgroup_field(text, "low", &out->events_low);
        (void)wrap_cgroup_field(text, "high", &out->events_high);
        (void)wrap_cgroup_field(text, "max", &out->events_max);
        (void)wrap_cgroup_field(text, "oom", &out->events_oom);
        (void)wrap_cgroup_field(text, "oom_kill", &out->events_oom_kill);
    }
    wrap_stats_memory(dir, out);
}

/* "rbytes=1" and so on, of one device. */
static void read_io_word(const char *word, unsigned long long major, unsigned long long minor,
                         struct wrap_cgroup_stats *out)
{
    static const struct {
        const char *key, *op;
        bool bytes;
    } rows[] = {
        {"rbytes=", "Read", true}, {"wbytes=", "Write", true}, {"dbytes=", "Discard", true},
        {"rios=", "Read", false},  {"wios=", "Write", false},  {"dios=", "Discard", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = strlen(rows[i].key);
        if (strncmp(word, rows[i].key, size) == 0) {
            struct wrap_cgroup_io *row = wrap_stats_io(out, major, minor, rows[i].op);
            if (row) {
                *(rows[i].bytes ? &row->bytes : &row->operations) = strtoull(word + size, NULL, 10);
            }
        }
    }
}

static void read_io(int dir, struct wrap_cgroup_stats *out)
{
    static char text[WRAP_STATS_TEXT_MAX]; /* one thread */
    if (wrap_cgroup_read(dir, "io.stat", text, sizeof text) <= 0) {
        return;
    }
    char *lines = NULL;
    for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
        unsigned long long major, minor;
        char *words = NULL;
        char *word = strtok_r(line, " ", &words);
        if (!word || sscanf(word, "%llu:%llu", &major, &minor) != 2) {
            continue;
        }
        for (word = strtok_r(NULL, " ", &words); word; word = strtok_r(NULL, " ", &words)) {
            read_io_word(word, major, minor, out);
        }
    }
}

static void read_huge(int dir, struct wrap_cgroup_stats *out)
{
    wrap_stats_page_sizes(dir, ".current", out);
    for (size_t i = 0; i < out->huge_count; i++) {
        struct wrap_cgroup_huge *huge = &out->huge[i];
        char file[64];
        char text[128];
        wrap_stats_huge(dir, huge->page_size, "current", &huge->usage);
        wrap_stats_huge(dir, huge->page_size, "max", &huge->max);
        snprintf(file, sizeof file, "hugetlb.%s.events", huge->page_size);
        if (wrap_cgroup_read(dir, file, text, sizeof text) > 0) {
            (void)wrap_cgroup_field(text, "max", &huge->failcnt);
        }
    }
}

void wrap_cgroup_v2_stats(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out)
{
    int dir = wrap_cgroup_dir_of(cgroup, WRAP_CTL_UNIFIED);
    if (dir < 0) {
        return;
    }
    read_cpu(dir, out);
    read_memory(dir, out);
    wrap_stats_pids(dir, out);
    read_io(dir, out);
    read_huge(dir, out);
    close(dir);
}
