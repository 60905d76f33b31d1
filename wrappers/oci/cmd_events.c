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

static json_t *cpu_part(const struct wrap_cgroup_stats *stats)
{
    json_t *usage = json_object();
    json_t *throttling = json_object();
    put(usage, "total", stats->cpu_total_ns);
    put(usage, "kernel", stats->cpu_system_ns);
    put(usage, "user", stats->cpu_user_ns);
    put(throttling, "periods", stats->cpu_periods);
    put(throttling, "throttledPeriods", stats->cpu_throttled);
    put(throttling, "throttledTime", stats->cpu_throttled_ns);
    return json_pack("{s:o, s:o}", "usage", usage, "throttling", throttling);
}

static json_t *entry(uint64_t usage, uint64_t limit)
{
    json_t *out = json_object();
    put(out, "limit", limit);
    put(out, "usage", usage);
    return out;
}

static json_t *memory_part(const struct wrap_cgroup_stats *stats)
{
    json_t *usage = entry(stats->memory_usage, stats->memory_limit);
    json_t *raw = json_object();
    json_t *out = json_object();
    put(usage, "max", stats->memory_max_usage);
    put(usage, "failcnt", stats->memory_failcnt);
    for (size_t i = 0; i < stats->memory_count; i++) {
        const struct wrap_cgroup_stat *row = &stats->memory[i];
        put(raw, row->name, row->value);
        if (strcmp(row->name, "cache") == 0 || strcmp(row->name, "file") == 0) {
            put(out, "cache", row->value);
        }
    }
    json_object_set_new(out, "usage", usage);
    json_object_set_new(out, "swap", entry(stats->swap_usage, stats->swap_limit));
    json_object_set_new(out, "kernel", entry(stats->kernel_usage, stats->kernel_limit));
    json_object_set_new(out, "kernelTCP", entry(stats->tcp_usage, stats->tcp_limit));
    json_object_set_new(out, "raw", raw);
    return out;
}

static json_t *io_row(const struct wrap_cgroup_io *io, uint64_t value)
{
    json_t *row = json_object();
    put(row, "major", io->major);
    put(row, "minor", io->minor);
    json_object_set_new(row, "op", json_string(io->op));
    put(row, "value", value);
    return row;
}

static json_t *io_part(const struct wrap_cgroup_stats *stats)
{
    json_t *bytes = json_array();
    json_t *operations = json_array();
    for (size_t i = 0; i < stats->io_count; i++) {
        json_array_append_new(bytes, io_row(&stats->io[i], stats->io[i].bytes));
        json_array_append_new(operations, io_row(&stats->io[i], stats->io[i].operations));
    }
    return json_pack("{s:o, s:o}", "ioServiceBytesRecursive", bytes, "ioServicedRecursive",
                     operations);
}

static json_t *huge_part(const struct wrap_cgroup_stats *stats)
{
    json_t *out = json_object();
    for (size_t i = 0; i < stats->huge_count; i++) {
        json_t *row = json_object();
        put(row, "usage", stats->huge[i].usage);
        put(row, "max", stats->huge[i].max);
        put(row, "failcnt", stats->huge[i].failcnt);
        json_object_set_new(out, stats->huge[i].page_size, row);
    }
    return out;
}

/* Not runc's: what the guest holds of its own. */
static json_t *guest_part(const wr_usage_t *usage)
{
    json_t *out = json_object();
    json_object_set_new(out, "memory", entry(usage->memory_bytes, usage->memory_limit_bytes));
    put(out, "tableElements", usage->table_elems);
    return out;
}

static json_t *figures_of(const struct wrap_cgroup_stats *stats)
{
    json_t *pids = json_object();
    put(pids, "current", stats->pids_current);
    if (stats->pids_limit) {
        put(pids, "limit", stats->pids_limit);
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "cpu", cpu_part(stats), "memory",
                     memory_part(stats), "pids", pids, "blkio", io_part(stats), "hugetlb",
                     huge_part(stats));
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
    struct wrap_cgroup_stats *stats = calloc(1, sizeof *stats);
    wr_usage_t usage;
    bool good = stats ? wrap_cgroup_stats(cgroup, stats, err)
                      : wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    json_t *figures = good ? figures_of(stats) : NULL;
    if (good && wrap_oci_usage_read(state, &usage)) {
        json_object_set_new(figures, "wasm", guest_part(&usage));
    }
    good = good && (print_event(state->id, "stats", figures) ||
                    wrap_fail(err, WRAP_INTERNAL, "cannot write to standard output"));
    free(stats);
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
