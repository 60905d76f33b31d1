/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics.c - rows of memory.stat go into the fields of their names: proto/metrics_v1.proto and
 * metrics_v2.proto are the tables. A row without a field is left out, a field without a row is 0.
 */
#include "shim/metrics.h"

#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"

#include <stdlib.h>
#include <string.h>

enum { NS_PER_US = 1000 };

static char *text(const char *string)
{
    return (char *)(uintptr_t)string; /* protobuf-c knows no const */
}

static size_t at_most(size_t count, size_t room) { return count < room ? count : room; }

/* Fills the fields of `out`, a Memory of either version. */
static void take_rows(const struct wrap_cgroup_stats *stats, ProtobufCMessage *out)
{
    for (size_t i = 0; i < at_most(stats->memory_count, WRAP_CGROUP_STAT_MAX); i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(out->descriptor, stats->memory[i].name);
        if (field && field->type == PROTOBUF_C_TYPE_UINT64) {
            memcpy((char *)out + field->offset, &stats->memory[i].value, sizeof(uint64_t));
        }
    }
}

static bool pack(const ProtobufCMessage *message, uint8_t **bytes, size_t *size)
{
    *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);
    if (*bytes) {
        *size = protobuf_c_message_pack(message, *bytes);
    }
    return *bytes != NULL;
}

/* NULL: not known. */
static Wasmrun__Guest *fill_guest(const wr_usage_t *usage, Wasmrun__Guest *out)
{
    if (!usage) {
        return NULL;
    }
    *out = (Wasmrun__Guest)WASMRUN__GUEST__INIT;
    out->memory_usage = usage->memory_bytes;
    out->memory_limit = usage->memory_limit_bytes;
    out->table_elements = usage->table_elems;
    return out;
}

/* ---------------------------------------------------------------- version 1 */

static MetricsV1__MemoryEntry entry_v1(uint64_t usage, uint64_t limit)
{
    MetricsV1__MemoryEntry out = METRICS_V1__MEMORY_ENTRY__INIT;
    out.usage = usage;
    out.limit = limit;
    return out;
}

/* The lists of a v1 message, and what their pointers point at. */
struct lists_v1 {
    MetricsV1__BlkioEntry bytes[WRAP_CGROUP_IO_MAX], operations[WRAP_CGROUP_IO_MAX];
    MetricsV1__BlkioEntry *byte_items[WRAP_CGROUP_IO_MAX], *operation_items[WRAP_CGROUP_IO_MAX];
    MetricsV1__Hugetlb huge[WRAP_CGROUP_HUGE_MAX];
    MetricsV1__Hugetlb *huge_items[WRAP_CGROUP_HUGE_MAX];
};

static void fill_io_v1(const struct wrap_cgroup_stats *stats, struct lists_v1 *lists,
                       MetricsV1__Blkio *out)
{
    size_t count = at_most(stats->io_count, WRAP_CGROUP_IO_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct wrap_cgroup_io *io = &stats->io[i];
        metrics_v1__blkio_entry__init(&lists->bytes[i]);
        lists->bytes[i].op = text(io->op ? io->op : "");
        lists->bytes[i].major = io->major;
        lists->bytes[i].minor = io->minor;
        lists->operations[i] = lists->bytes[i];
        lists->bytes[i].value = io->bytes;
        lists->operations[i].value = io->operations;
        lists->byte_items[i] = &lists->bytes[i];
        lists->operation_items[i] = &lists->operations[i];
    }
    out->n_io_service_bytes_recursive = out->n_io_serviced_recursive = count;
    out->io_service_bytes_recursive = lists->byte_items;
    out->io_serviced_recursive = lists->operation_items;
}

static void fill_huge_v1(const struct wrap_cgroup_stats *stats, struct lists_v1 *lists,
                         MetricsV1__Metrics *out)
{
    out->n_hugetlb = at_most(stats->huge_count, WRAP_CGROUP_HUGE_MAX);
    out->hugetlb = lists->huge_items;
    for (size_t i = 0; i < out->n_hugetlb; i++) {
        MetricsV1__Hugetlb *huge = lists->huge_items[i] = &lists->huge[i];
        metrics_v1__hugetlb__init(huge);
        huge->usage = stats->huge[i].usage;
        huge->max = stats->huge[i].max;
        huge->failcnt = stats->huge[i].failcnt;
        huge->pagesize = text(stats->huge[i].page_size);
    }
}

static bool pack_v1(const struct wrap_cgroup_stats *stats, const wr_usage_t *usage, uint8_t **bytes,
                    size_t *size)
{
    struct lists_v1 *lists = calloc(1, sizeof *lists);
    if (!lists) {
        return false;
    }
    MetricsV1__Metrics metrics = METRICS_V1__METRICS__INIT;
    MetricsV1__Pids pids = METRICS_V1__PIDS__INIT;
    pids.current = stats->pids_current;
    pids.limit = stats->pids_limit;
    MetricsV1__CpuUsage times = METRICS_V1__CPU_USAGE__INIT;
    times.total = stats->cpu_total_ns;
    times.kernel = stats->cpu_system_ns;
    times.user = stats->cpu_user_ns;
    MetricsV1__Throttling throttling = METRICS_V1__THROTTLING__INIT;
    throttling.periods = stats->cpu_periods;
    throttling.throttled_periods = stats->cpu_throttled;
    throttling.throttled_time = stats->cpu_throttled_ns;
    MetricsV1__Cpu cpu = METRICS_V1__CPU__INIT;
    cpu.usage = &times;
    cpu.throttling = &throttling;
    MetricsV1__MemoryEntry ram = entry_v1(stats->memory_usage, stats->memory_limit);
    ram.max = stats->memory_max_usage;
    ram.failcnt = stats->memory_failcnt;
    MetricsV1__MemoryEntry swap = entry_v1(stats->swap_usage, stats->swap_limit);
    MetricsV1__MemoryEntry kernel = entry_v1(stats->kernel_usage, stats->kernel_limit);
    MetricsV1__MemoryEntry tcp = entry_v1(stats->tcp_usage, stats->tcp_limit);
    MetricsV1__Memory memory = METRICS_V1__MEMORY__INIT;
    take_rows(stats, &memory.base);
    memory.usage = &ram;
    memory.swap = &swap;
    memory.kernel = &kernel;
    memory.kernel_tcp = &tcp;
    MetricsV1__OomControl oom = METRICS_V1__OOM_CONTROL__INIT;
    oom.oom_kill = stats->events_oom_kill;
    MetricsV1__Blkio blkio = METRICS_V1__BLKIO__INIT;
    fill_io_v1(stats, lists, &blkio);
    fill_huge_v1(stats, lists, &metrics);
    metrics.pids = &pids;
    metrics.cpu = &cpu;
    metrics.memory = &memory;
    metrics.blkio = &blkio;
    metrics.memory_oom_control = &oom;
    Wasmrun__Guest guest;
    metrics.guest = fill_guest(usage, &guest);
    bool good = pack(&metrics.base, bytes, size);
    free(lists);
    return good;
}

/* ---------------------------------------------------------------- version 2 */

struct lists_v2 {
    MetricsV2__IoEntry io[WRAP_CGROUP_IO_MAX];
    MetricsV2__IoEntry *io_items[WRAP_CGROUP_IO_MAX];
    MetricsV2__Hugetlb huge[WRAP_CGROUP_HUGE_MAX];
    MetricsV2__Hugetlb *huge_items[WRAP_CGROUP_HUGE_MAX];
};

/* The entry of a device: what it has read and written is in one. */
static MetricsV2__IoEntry *device_v2(struct lists_v2 *lists, MetricsV2__Io *out,
                                     const struct wrap_cgroup_io *io)
{
    for (size_t i = 0; i < out->n_usage; i++) {
        if (lists->io[i].major == io->major && lists->io[i].minor == io->minor) {
            return &lists->io[i];
        }
    }
    MetricsV2__IoEntry *entry = lists->io_items[out->n_usage] = &lists->io[out->n_usage];
    out->n_usage++;
    metrics_v2__io_entry__init(entry);
    entry->major = io->major;
    entry->minor = io->minor;
    return entry;
}

static void fill_io_v2(const struct wrap_cgroup_stats *stats, struct lists_v2 *lists,
                       MetricsV2__Io *out)
{
    out->usage = lists->io_items;
    for (size_t i = 0; i < at_most(stats->io_count, WRAP_CGROUP_IO_MAX); i++) {
        const struct wrap_cgroup_io *io = &stats->io[i];
        MetricsV2__IoEntry *entry = device_v2(lists, out, io);
        if (io->op && strcmp(io->op, "Read") == 0) {
            entry->rbytes += io->bytes;
            entry->rios += io->operations;
        } else if (io->op && strcmp(io->op, "Write") == 0) {
            entry->wbytes += io->bytes;
            entry->wios += io->operations;
        }
    }
}

static void fill_huge_v2(const struct wrap_cgroup_stats *stats, struct lists_v2 *lists,
                         MetricsV2__Metrics *out)
{
    out->n_hugetlb = at_most(stats->huge_count, WRAP_CGROUP_HUGE_MAX);
    out->hugetlb = lists->huge_items;
    for (size_t i = 0; i < out->n_hugetlb; i++) {
        MetricsV2__Hugetlb *huge = lists->huge_items[i] = &lists->huge[i];
        metrics_v2__hugetlb__init(huge);
        huge->current = stats->huge[i].usage;
        huge->max = stats->huge[i].max;
        huge->failcnt = stats->huge[i].failcnt;
        huge->pagesize = text(stats->huge[i].page_size);
    }
}

static bool pack_v2(const struct wrap_cgroup_stats *stats, const wr_usage_t *usage, uint8_t **bytes,
                    size_t *size)
{
    struct lists_v2 *lists = calloc(1, sizeof *lists);
    if (!lists) {
        return false;
    }
    MetricsV2__Metrics metrics = METRICS_V2__METRICS__INIT;
    MetricsV2__Pids pids = METRICS_V2__PIDS__INIT;
    pids.current = stats->pids_current;
    pids.limit = stats->pids_limit;
    MetricsV2__Cpu cpu = METRICS_V2__CPU__INIT;
    cpu.usage_usec = stats->cpu_total_ns / NS_PER_US;
    cpu.user_usec = stats->cpu_user_ns / NS_PER_US;
    cpu.system_usec = stats->cpu_system_ns / NS_PER_US;
    cpu.nr_periods = stats->cpu_periods;
    cpu.nr_throttled = stats->cpu_throttled;
    cpu.throttled_usec = stats->cpu_throttled_ns / NS_PER_US;
    MetricsV2__Memory memory = METRICS_V2__MEMORY__INIT;
    take_rows(stats, &memory.base);
    memory.usage = stats->memory_usage;
    memory.usage_limit = stats->memory_limit;
    memory.max_usage = stats->memory_max_usage;
    memory.swap_usage = stats->swap_usage;
    memory.swap_limit = stats->swap_limit;
    MetricsV2__MemoryEvents events = METRICS_V2__MEMORY_EVENTS__INIT;
    events.low = stats->events_low;
    events.high = stats->events_high;
    events.max = stats->events_max;
    events.oom = stats->events_oom;
    events.oom_kill = stats->events_oom_kill;
    MetricsV2__Io io = METRICS_V2__IO__INIT;
    fill_io_v2(stats, lists, &io);
    fill_huge_v2(stats, lists, &metrics);
    metrics.pids = &pids;
    metrics.cpu = &cpu;
    metrics.memory = &memory;
    metrics.io = &io;
    metrics.memory_events = &events;
    Wasmrun__Guest guest;
    metrics.guest = fill_guest(usage, &guest);
    bool good = pack(&metrics.base, bytes, size);
    free(lists);
    return good;
}

bool wrap_metrics_pack(const struct wrap_cgroup_stats *stats, const wr_usage_t *usage,
                       const char **type_url, uint8_t **bytes, size_t *size, struct wrap_error *err)
{
    bool second = stats->version == WRAP_CGROUP_V2;
    *type_url = second ? "io.containerd.cgroups.v2.Metrics" : "io.containerd.cgroups.v1.Metrics";
    if (!(second ? pack_v2(stats, usage, bytes, size) : pack_v1(stats, usage, bytes, size))) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory for metrics");
    }
    return true;
}
