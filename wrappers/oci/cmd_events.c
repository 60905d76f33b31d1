/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_events.c - `events`: figures of a container's group, once or every so often, and lack of
 * memory, a line of JSON each, with the members that runc gives them.
 */
#include "common/text.h"
#include "oci/oci.h"
#include "oci/state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OPT_STATS = 1, OPT_INTERVAL };

// clang-format off
static const struct wrap_option options[] = {
    {"stats",    0, NULL,       OPT_STATS,    "print the figures once"},
    {"interval", 0, "DURATION", OPT_INTERVAL, "time between figures (5s)"},
};
// clang-format on

struct figures {
    struct wrap_cgroup_stats stats;
    struct wrap_cgroup_rare rare;
};

struct events {
    bool once;
    uint64_t interval_ns;
};

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    struct events *events = out;
    if (id == OPT_STATS) {
        events->once = true;
        return true;
    }
    return wrap_parse_duration(value, &events->interval_ns) ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT, "option '--interval': '%.60s' is no duration",
                     value);
}

/* ---------------------------------------------------------------- figures */

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)(value <= INT64_MAX ? value : INT64_MAX));
}

static void put(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, number(value));
}

/* Go's omitempty: no member rather than a zero. */
static void put_some(json_t *object, const char *key, uint64_t value)
{
    if (value) put(object, key, value);
}

static void put_list(json_t *object, const char *key, json_t *list)
{
    if (json_array_size(list)) {
        json_object_set_new(object, key, list);
    } else {
        json_decref(list);
    }
}

static json_t *numbers(const uint64_t *values, size_t count)
{
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(out, number(values[i]));
    return out;
}

static json_t *cpu_part(const struct figures *figures)
{
    const struct wrap_cgroup_stats *stats = &figures->stats;
    const struct wrap_cgroup_rare *rare = &figures->rare;
    json_t *usage = json_object();
    json_t *throttling = json_object();
    put_some(usage, "total", stats->cpu_total_ns);
    put_list(usage, "percpu", numbers(rare->cpu_ns, rare->cpu_count));
    put_list(usage, "percpu_kernel", numbers(rare->cpu_system_ns, rare->mode_count));
    put_list(usage, "percpu_user", numbers(rare->cpu_user_ns, rare->mode_count));
    put(usage, "kernel", stats->cpu_system_ns);
    put(usage, "user", stats->cpu_user_ns);
    put_some(throttling, "periods", stats->cpu_periods);
    put_some(throttling, "throttledPeriods", stats->cpu_throttled);
    put_some(throttling, "throttledTime", stats->cpu_throttled_ns);
    return json_pack("{s:o, s:o}", "usage", usage, "throttling", throttling);
}

/* "0-3,8" as its numbers. */
static json_t *numbers_of_list(const char *text)
{
    enum { NUMBER_MAX = 65535 };
    json_t *out = json_array();
    while (*text) {
        char *end = NULL;
        unsigned long first = strtoul(text, &end, 10);
        unsigned long last = first;
        if (end == text) break;
        if (*end == '-') last = strtoul(text = end + 1, &end, 10);
        if (end == text || first > last || last > NUMBER_MAX) break;
        for (unsigned long i = first; i <= last; i++) json_array_append_new(out, number(i));
        if (*end != ',') break;
        text = end + 1;
    }
    return out;
}

static json_t *set_part(const struct wrap_cgroup_rare *rare)
{
    json_t *out = json_object();
    put_list(out, "cpus", numbers_of_list(rare->cpus));
    put_list(out, "mems", numbers_of_list(rare->mems));
    for (size_t i = 0; i < WRAP_CGROUP_SETS; i++) {
        json_object_set_new(out, rare->sets[i].name, json_integer(rare->sets[i].value));
    }
    return out;
}

static json_t *entry(uint64_t usage, uint64_t limit, const struct wrap_cgroup_peak *peak)
{
    json_t *out = json_object();
    put(out, "limit", limit);
    put_some(out, "usage", usage);
    put_some(out, "max", peak->max);
    put(out, "failcnt", peak->failcnt);
    return out;
}

/* v1 counts memory and swap together, and runc gives the sum on v2, too. */
static json_t *swap_entry(const struct figures *figures)
{
    const struct wrap_cgroup_stats *stats = &figures->stats;
    uint64_t usage = stats->swap_usage;
    uint64_t limit = stats->swap_limit;
    if (stats->version == WRAP_CGROUP_V2) {
        usage += stats->memory_usage;
        limit = limit > UINT64_MAX - stats->memory_limit ? UINT64_MAX : limit + stats->memory_limit;
    }
    return entry(usage, limit, &figures->rare.swap);
}

static json_t *memory_part(const struct figures *figures)
{
    const struct wrap_cgroup_stats *stats = &figures->stats;
    const struct wrap_cgroup_rare *rare = &figures->rare;
    const struct wrap_cgroup_peak peak = {stats->memory_max_usage, stats->memory_failcnt};
    json_t *raw = json_object();
    json_t *out = json_object();
    for (size_t i = 0; i < stats->memory_count; i++) {
        const struct wrap_cgroup_stat *row = &stats->memory[i];
        put(raw, row->name, row->value);
        if (strcmp(row->name, "cache") == 0 || strcmp(row->name, "file") == 0) {
            put_some(out, "cache", row->value);
        }
    }
    json_object_set_new(out, "usage", entry(stats->memory_usage, stats->memory_limit, &peak));
    json_object_set_new(out, "swap", swap_entry(figures));
    json_object_set_new(out, "kernel",
                        entry(stats->kernel_usage, stats->kernel_limit, &rare->kernel));
    json_object_set_new(out, "kernelTCP", entry(stats->tcp_usage, stats->tcp_limit, &rare->tcp));
    if (json_object_size(raw)) {
        json_object_set_new(out, "raw", raw);
    } else {
        json_decref(raw);
    }
    return out;
}

static json_t *io_row(const struct wrap_cgroup_io *io, uint64_t value)
{
    json_t *row = json_object();
    put_some(row, "major", io->major);
    put_some(row, "minor", io->minor);
    json_object_set_new(row, "op", json_string(io->op));
    put_some(row, "value", value);
    return row;
}

static json_t *io_part(const struct wrap_cgroup_stats *stats)
{
    json_t *out = json_object();
    json_t *bytes = json_array();
    json_t *operations = json_array();
    for (size_t i = 0; i < stats->io_count; i++) {
        json_array_append_new(bytes, io_row(&stats->io[i], stats->io[i].bytes));
        json_array_append_new(operations, io_row(&stats->io[i], stats->io[i].operations));
    }
    put_list(out, "ioServiceBytesRecursive", bytes);
    put_list(out, "ioServicedRecursive", operations);
    return out;
}

static json_t *huge_part(const struct wrap_cgroup_stats *stats)
{
    json_t *out = json_object();
    for (size_t i = 0; i < stats->huge_count; i++) {
        json_t *row = json_object();
        put_some(row, "usage", stats->huge[i].usage);
        if (stats->version == WRAP_CGROUP_V1) { /* the peak; v2 has a limit there and no peak */
            put_some(row, "max", stats->huge[i].max);
        }
        put(row, "failcnt", stats->huge[i].failcnt);
        json_object_set_new(out, stats->huge[i].page_size, row);
    }
    return out;
}

/* Not runc's: what the guest holds of its own. */
static json_t *guest_part(const wr_usage_t *usage)
{
    json_t *out = json_object();
    json_t *memory = json_object();
    put(memory, "usage", usage->memory_bytes);
    put(memory, "limit", usage->memory_limit_bytes);
    json_object_set_new(out, "memory", memory);
    put(out, "tableElements", usage->table_elems);
    return out;
}

static json_t *figures_of(const struct figures *figures)
{
    const struct wrap_cgroup_stats *stats = &figures->stats;
    json_t *pids = json_object();
    put_some(pids, "current", stats->pids_current);
    put_some(pids, "limit", stats->pids_limit);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{}, s:n}", "cpu", cpu_part(figures),
                     "cpuset", set_part(&figures->rare), "memory", memory_part(figures), "pids",
                     pids, "blkio", io_part(stats), "hugetlb", huge_part(stats), "intel_rdt",
                     "network_interfaces");
}

static bool print_event(const char *id, const char *type, json_t *data)
{
    json_t *event = json_pack("{s:s, s:s}", "type", type, "id", id);
    if (data) {
        json_object_set_new(event, "data", data);
    }
    bool good = event && json_dumpf(event, stdout, JSON_COMPACT) == 0;
    json_decref(event);
    putchar('\n');
    return good && fflush(stdout) == 0;
}

static bool print_figures(const struct wrap_oci_state_doc *state, const struct wrap_cgroup *cgroup,
                          struct wrap_error *err)
{
    struct figures *figures = calloc(1, sizeof *figures);
    wr_usage_t usage;
    bool good = figures ? wrap_cgroup_stats(cgroup, &figures->stats, err)
                        : wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    if (good) wrap_cgroup_rare(cgroup, &figures->rare);
    json_t *data = good ? figures_of(figures) : NULL;
    if (good && wrap_oci_usage_read(state, &usage)) {
        json_object_set_new(data, "wasm", guest_part(&usage));
    }
    good = good && (print_event(state->id, "stats", data) ||
                    wrap_fail(err, WRAP_INTERNAL, "cannot write to standard output"));
    free(figures);
    return good;
}

/* ---------------------------------------------------------------- waiting */

/* Until the container has ended. */
static bool follow(const struct wrap_oci_state_doc *state, struct wrap_cgroup *cgroup,
                   uint64_t interval_ns, struct wrap_error *err)
{
    enum { END, MEMORY, COUNT };
    int end = wrap_oci_state_pidfd(state);
    struct pollfd waits[COUNT] = {{.fd = end, .events = POLLIN},
                                  {.fd = wrap_cgroup_oom_fd(cgroup), .events = POLLIN}};
    uint64_t ms = interval_ns / 1000000;
    bool good = end >= 0;
    while (good) {
        int ready = poll(waits, COUNT, ms < INT32_MAX ? (int)ms + 1 : INT32_MAX);
        if (ready < 0 && errno != EINTR) break;
        if (ready > 0 && waits[MEMORY].revents && wrap_cgroup_oom_happened(cgroup)) {
            good = print_event(state->id, "oom", NULL);
        }
        if (ready > 0 && waits[END].revents) break;
        if (ready == 0) good = print_figures(state, cgroup, err);
    }
    if (end >= 0) close(end);
    return !err->code;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct events events = {.interval_ns = UINT64_C(5000000000)};
    struct wrap_oci_state_doc state;
    struct wrap_error err = {0};
    int code = 0;
    int at = wrap_oci_parse(&opts, take, &events, words, &code);
    if (at < 0 || !wrap_oci_find(argv[at], WRAP_OCI_READ, &state, &code)) {
        return code;
    }
    struct wrap_cgroup *cgroup = NULL;
    bool good = wrap_oci_status_of(&state) != WRAP_OCI_STOPPED ||
                wrap_fail(&err, WRAP_FAILED_PRECONDITION, "container not running");
    good = good && (cgroup = wrap_oci_state_cgroup(&state, &err)) != NULL;
    good = good && (events.once ? print_figures(&state, cgroup, &err)
                                : follow(&state, cgroup, events.interval_ns, &err));
    wrap_cgroup_free(cgroup);
    wrap_oci_state_close(&state);
    return good ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_events = {
    .name = "events",
    .usage = WRAP_OCI_PROGRAM " events [OPTIONS] ID",
    .summary = "Prints figures of a container, and when it runs out of memory.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
