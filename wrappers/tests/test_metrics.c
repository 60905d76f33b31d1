/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - figures of a control group become the messages of both versions. */
#include "shim/metrics.h"
#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_row(struct wrap_cgroup_stats *stats, const char *name, uint64_t value)
{
    struct wrap_cgroup_stat *row = &stats->memory[stats->memory_count++];
    strcpy(row->name, name);
    row->value = value;
}

static void add_io(struct wrap_cgroup_stats *stats, uint64_t minor, const char *op, uint64_t bytes)
{
    stats->io[stats->io_count++] = (struct wrap_cgroup_io){
        .major = 8, .minor = minor, .op = op, .bytes = bytes, .operations = bytes / 10};
}

/* A host of this version; each figure is another number. */
static struct wrap_cgroup_stats *make_stats(enum wrap_cgroup_version version)
{
    struct wrap_cgroup_stats *stats = calloc(1, sizeof *stats);
    stats->version = version;
    stats->cpu_total_ns = 1000001;
    stats->cpu_user_ns = 600002;
    stats->cpu_system_ns = 400003;
    stats->cpu_periods = 4;
    stats->cpu_throttled = 5;
    stats->cpu_throttled_ns = 6007;
    stats->memory_usage = 7;
    stats->memory_limit = UINT64_MAX;
    stats->memory_max_usage = 9;
    stats->memory_failcnt = 10;
    stats->swap_usage = 11;
    stats->swap_limit = 12;
    stats->kernel_usage = 13;
    stats->kernel_limit = 14;
    stats->tcp_usage = 15;
    stats->tcp_limit = 16;
    stats->events_low = 17;
    stats->events_high = 18;
    stats->events_max = 19;
    stats->events_oom = 20;
    stats->events_oom_kill = 21;
    stats->pids_current = 22;
    stats->pids_limit = 23;
    stats->huge[0] = (struct wrap_cgroup_huge){"2MB", 24, 25, 26};
    stats->huge_count = 1;
    add_io(stats, 0, "Read", 100);
    add_io(stats, 0, "Write", 200);
    add_io(stats, 16, "Read", 300);
    return stats;
}

static const wr_usage_t usage = {
    .memory_bytes = 1 << 20, .memory_limit_bytes = UINT64_C(1) << 32, .table_elems = 77};

static uint8_t *pack(const struct wrap_cgroup_stats *stats, const char *type, size_t *size)
{
    const char *url;
    uint8_t *bytes;
    struct wrap_error err = {0};
    assert_true(wrap_metrics_pack(stats, &usage, &url, &bytes, size, &err));
    assert_string_equal(url, type);
    return bytes;
}

static void test_v1_has_all_figures(void **state)
{
    (void)state;
    size_t size;
    struct wrap_cgroup_stats *stats = make_stats(WRAP_CGROUP_V1);
    add_row(stats, "cache", 30);
    add_row(stats, "total_rss", 31);
    add_row(stats, "total_inactive_file", 32);
    add_row(stats, "total_pgfault", 33);
    add_row(stats, "total_pgmajfault", 34);
    add_row(stats, "pgpgin", 35);
    add_row(stats, "hierarchical_memory_limit", 36);
    add_row(stats, "hierarchical_memsw_limit", 37);
    add_row(stats, "unknown_row", 38);
    add_row(stats, "swap", 39);  /* fields of these names are messages: */
    add_row(stats, "usage", 40); /* rows must not write over them */
    uint8_t *bytes = pack(stats, "io.containerd.cgroups.v1.Metrics", &size);
    MetricsV1__Metrics *got = metrics_v1__metrics__unpack(NULL, size, bytes);
    assert_non_null(got);
    assert_int_equal(got->pids->current, 22);
    assert_int_equal(got->pids->limit, 23);
    assert_int_equal(got->guest->memory_usage, 1 << 20);
    assert_true(got->guest->memory_limit == UINT64_C(1) << 32);
    assert_int_equal(got->guest->table_elements, 77);
    assert_int_equal(got->cpu->usage->total, 1000001);
    assert_int_equal(got->cpu->usage->user, 600002);
    assert_int_equal(got->cpu->usage->kernel, 400003);
    assert_int_equal(got->cpu->throttling->periods, 4);
    assert_int_equal(got->cpu->throttling->throttled_periods, 5);
    assert_int_equal(got->cpu->throttling->throttled_time, 6007);
    assert_int_equal(got->memory->usage->usage, 7);
    assert_true(got->memory->usage->limit == UINT64_MAX);
    assert_int_equal(got->memory->usage->max, 9);
    assert_int_equal(got->memory->usage->failcnt, 10);
    assert_int_equal(got->memory->swap->usage, 11);
    assert_int_equal(got->memory->swap->limit, 12);
    assert_int_equal(got->memory->kernel->usage, 13);
    assert_int_equal(got->memory->kernel_tcp->limit, 16);
    assert_int_equal(got->memory->cache, 30);
    assert_int_equal(got->memory->total_rss, 31);
    assert_int_equal(got->memory->total_inactive_file, 32);
    assert_int_equal(got->memory->total_pgfault, 33);
    assert_int_equal(got->memory->total_pgmajfault, 34);
    assert_int_equal(got->memory->pgpgin, 35);
    assert_int_equal(got->memory->hierarchical_memory_limit, 36);
    assert_int_equal(got->memory->hierarchical_memsw_limit, 37);
    assert_int_equal(got->memory_oom_control->oom_kill, 21);
    assert_int_equal(got->n_hugetlb, 1);
    assert_string_equal(got->hugetlb[0]->pagesize, "2MB");
    assert_int_equal(got->hugetlb[0]->usage, 24);
    assert_int_equal(got->blkio->n_io_service_bytes_recursive, 3);
    assert_int_equal(got->blkio->n_io_serviced_recursive, 3);
    assert_string_equal(got->blkio->io_service_bytes_recursive[1]->op, "Write");
    assert_int_equal(got->blkio->io_service_bytes_recursive[1]->value, 200);
    assert_int_equal(got->blkio->io_serviced_recursive[2]->value, 30);
    assert_int_equal(got->blkio->io_serviced_recursive[2]->minor, 16);
    metrics_v1__metrics__free_unpacked(got, NULL);
    free(bytes);
    free(stats);
}

static void test_v2_has_all_figures(void **state)
{
    (void)state;
    size_t size;
    struct wrap_cgroup_stats *stats = make_stats(WRAP_CGROUP_V2);
    add_row(stats, "anon", 30);
    add_row(stats, "inactive_file", 31);
    add_row(stats, "pgfault", 32);
    add_row(stats, "pgmajfault", 33);
    add_row(stats, "workingset_refault_anon", 34);
    add_row(stats, "kernel", 35);
    uint8_t *bytes = pack(stats, "io.containerd.cgroups.v2.Metrics", &size);
    MetricsV2__Metrics *got = metrics_v2__metrics__unpack(NULL, size, bytes);
    assert_non_null(got);
    assert_int_equal(got->pids->current, 22);
    assert_int_equal(got->cpu->usage_usec, 1000);
    assert_int_equal(got->cpu->user_usec, 600);
    assert_int_equal(got->cpu->system_usec, 400);
    assert_int_equal(got->cpu->nr_periods, 4);
    assert_int_equal(got->cpu->nr_throttled, 5);
    assert_int_equal(got->cpu->throttled_usec, 6);
    assert_int_equal(got->memory->usage, 7);
    assert_true(got->memory->usage_limit == UINT64_MAX);
    assert_int_equal(got->memory->max_usage, 9);
    assert_int_equal(got->memory->swap_usage, 11);
    assert_int_equal(got->memory->swap_limit, 12);
    assert_int_equal(got->memory->anon, 30);
    assert_int_equal(got->memory->inactive_file, 31);
    assert_int_equal(got->memory->pgfault, 32);
    assert_int_equal(got->memory->pgmajfault, 33);
    assert_int_equal(got->memory->workingset_refault_anon, 34);
    assert_int_equal(got->memory_events->low, 17);
    assert_int_equal(got->memory_events->high, 18);
    assert_int_equal(got->memory_events->max, 19);
    assert_int_equal(got->memory_events->oom, 20);
    assert_int_equal(got->memory_events->oom_kill, 21);
    assert_int_equal(got->n_hugetlb, 1);
    assert_int_equal(got->hugetlb[0]->current, 24);
    assert_int_equal(got->hugetlb[0]->failcnt, 26);
    assert_int_equal(got->io->n_usage, 2); /* devices */
    assert_int_equal(got->io->usage[0]->rbytes, 100);
    assert_int_equal(got->io->usage[0]->wbytes, 200);
    assert_int_equal(got->io->usage[0]->wios, 20);
    assert_int_equal(got->io->usage[1]->minor, 16);
    assert_int_equal(got->io->usage[1]->rios, 30);
    metrics_v2__metrics__free_unpacked(got, NULL);
    free(bytes);
    free(stats);
}

static void test_nothing_counted_is_a_message_too(void **state)
{
    (void)state;
    struct wrap_cgroup_stats *stats = calloc(1, sizeof *stats);
    size_t size;
    uint8_t *bytes = pack(stats, "io.containerd.cgroups.v1.Metrics", &size);
    MetricsV1__Metrics *first = metrics_v1__metrics__unpack(NULL, size, bytes);
    assert_non_null(first->memory->usage); /* the CRI looks into these without asking */
    assert_non_null(first->cpu->usage);
    metrics_v1__metrics__free_unpacked(first, NULL);
    free(bytes);
    stats->version = WRAP_CGROUP_V2;
    bytes = pack(stats, "io.containerd.cgroups.v2.Metrics", &size);
    MetricsV2__Metrics *second = metrics_v2__metrics__unpack(NULL, size, bytes);
    assert_non_null(second->memory);
    assert_non_null(second->cpu);
    metrics_v2__metrics__free_unpacked(second, NULL);
    free(bytes);
    free(stats);
}

static void test_full_lists_are_packed(void **state)
{
    (void)state;
    struct wrap_cgroup_stats *stats = calloc(1, sizeof *stats);
    size_t size;
    for (uint64_t i = 0; i < WRAP_CGROUP_IO_MAX; i++) add_io(stats, i, "Sync", i);
    for (int i = 0; i < WRAP_CGROUP_STAT_MAX; i++) add_row(stats, "total_rss", 5);
    for (size_t i = 0; i < WRAP_CGROUP_HUGE_MAX; i++) strcpy(stats->huge[i].page_size, "1GB");
    stats->huge_count = WRAP_CGROUP_HUGE_MAX;
    uint8_t *bytes = pack(stats, "io.containerd.cgroups.v1.Metrics", &size);
    MetricsV1__Metrics *first = metrics_v1__metrics__unpack(NULL, size, bytes);
    assert_int_equal(first->blkio->n_io_serviced_recursive, WRAP_CGROUP_IO_MAX);
    assert_int_equal(first->n_hugetlb, WRAP_CGROUP_HUGE_MAX);
    metrics_v1__metrics__free_unpacked(first, NULL);
    free(bytes);
    stats->version = WRAP_CGROUP_V2;
    bytes = pack(stats, "io.containerd.cgroups.v2.Metrics", &size);
    MetricsV2__Metrics *second = metrics_v2__metrics__unpack(NULL, size, bytes);
    assert_int_equal(second->io->n_usage, WRAP_CGROUP_IO_MAX);
    metrics_v2__metrics__free_unpacked(second, NULL);
    free(bytes);
    free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_has_all_figures),
        cmocka_unit_test(test_v2_has_all_figures),
        cmocka_unit_test(test_nothing_counted_is_a_message_too),
        cmocka_unit_test(test_full_lists_are_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
