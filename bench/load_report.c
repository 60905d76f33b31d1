/* SPDX-License-Identifier: Apache-2.0 */
/* load_report.c - wasm-bench --load: the table, the bars and the JSON of load.c's figures. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

/* What order 2 asks for. Memory counts the module's file and the data it starts with as 1. */
enum { LARGE_BYTES = 1 << 20 };
static const double bar_ms_per_mb = 5, bar_small_ms = 5, bar_memory_ratio = 2.2;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* CPU time, page faults included: what one idle processor takes, however busy this one is. */
static double total_ms(const struct bench_load *load)
{
    return bench_median(load->one.cpu_ms, load->one.count) +
           bench_median(load->instance.cpu_ms, load->instance.count);
}

static double per_mb(const struct bench_load *load)
{
    return load->file_bytes ? total_ms(load) / ((double)load->file_bytes / 1e6) : 0;
}

/* Megabytes of code a second; decoding and copying the file are in the time, not in the bytes. */
static double code_rate(const struct bench_load *load, const struct bench_times *times)
{
    const double *values = times == &load->all ? times->wall_ms : times->cpu_ms;
    double ms = bench_median(values, times->count);
    return ms > 0 ? (double)load->code_bytes / 1e3 / ms : 0;
}

static uint64_t memory_bytes(const struct bench_load *load)
{
    return load->heap_peak + load->linear;
}

static double memory_ratio(const struct bench_load *load)
{
    double base = (double)(load->file_bytes + load->data_bytes);
    return base > 0 ? (double)memory_bytes(load) / base : 0;
}

/* NULL: within the bars. */
static const char *missed(const struct bench_load *load)
{
    if (load->problem[0]) return "not loaded";
    bool is_large = load->file_bytes >= LARGE_BYTES;
    if (is_large && per_mb(load) > bar_ms_per_mb) return "time";
    if (is_large && memory_ratio(load) > bar_memory_ratio) return "memory";
    if (!is_large && total_ms(load) > bar_small_ms) return "time";
    return NULL;
}

/* ---------------------------------------------------------------- table */

static void print_row(const struct bench_load *load)
{
    if (load->problem[0]) {
        printf("%-22.22s %s\n", base_name(load->path), load->problem);
        return;
    }
    const char *bad = missed(load);
    printf(
        "%-22.22s %7.2f %7.2f | %8.2f %8.2f %8.2f %8.2f %7.2f | %6.0f %6.0f | %7.2f %6.2f %7.2f  %s\n",
        base_name(load->path), (double)load->file_bytes / 1e6, (double)load->code_bytes / 1e6,
        bench_median(load->one.cpu_ms, load->one.count),
        bench_median(load->all.wall_ms, load->all.count),
        bench_median(load->instance.cpu_ms, load->instance.count), total_ms(load), per_mb(load),
        code_rate(load, &load->one), code_rate(load, &load->all),
        (double)memory_bytes(load) / (1 << 20), memory_ratio(load),
        (double)load->rss_growth / (1 << 20), bad ? bad : "ok");
    if (load->stubs) printf("%22s %zu imports are not WASI's: stubs that trap\n", "", load->stubs);
    if (load->note[0]) printf("%22s not instantiated: %s\n", "", load->note);
}

static void print_table(const struct bench_load *loads, size_t count)
{
    printf("%-22s %7s %7s | %8s %8s %8s %8s %7s | %6s %6s | %7s %6s %7s\n", "medians in ms",
           "file MB", "code MB", "1 thread", "n, wall", "instance", "total", "per MB", "MB/s 1",
           "MB/s n", "MiB", "ratio", "RSS MiB");
    for (size_t i = 0; i < count; i++) print_row(&loads[i]);
    puts("1 thread, instance, total and MB/s 1: CPU time on one thread; n: wall time on all.\n"
         "MB/s: code bytes over the whole load. MiB: the heap's peak and resident linear memory,\n"
         "file included; ratio: that over file + data section; RSS MiB: growth of a fresh\n"
         "process's peak. Bars for the total: from 1 MiB on 5 ms per MB and ratio 2.2, else 5 ms.");
}

/* ---------------------------------------------------------------- JSON */

static json_t *json_row(const struct bench_load *load)
{
    json_t *out = json_object();
    if (load->problem[0]) {
        json_object_set_new(out, "problem", json_string(load->problem));
        return out;
    }
    if (load->note[0]) json_object_set_new(out, "not_instantiated", json_string(load->note));
    json_object_set_new(out, "file_bytes", json_integer((json_int_t)load->file_bytes));
    json_object_set_new(out, "code_bytes", json_integer((json_int_t)load->code_bytes));
    json_object_set_new(out, "data_bytes", json_integer((json_int_t)load->data_bytes));
    json_object_set_new(out, "functions", json_integer(load->funcs));
    json_object_set_new(out, "stubbed_imports", json_integer((json_int_t)load->stubs));
    json_object_set_new(out, "load_one_thread", bench_times_json(&load->one));
    json_object_set_new(out, "load_all_threads", bench_times_json(&load->all));
    json_object_set_new(out, "instantiate", bench_times_json(&load->instance));
    json_object_set_new(out, "total_cpu_ms", json_real(total_ms(load)));
    json_object_set_new(out, "total_cpu_ms_per_mb", json_real(per_mb(load)));
    json_object_set_new(out, "code_mb_per_s_one_thread", json_real(code_rate(load, &load->one)));
    json_object_set_new(out, "code_mb_per_s_all_threads", json_real(code_rate(load, &load->all)));
    json_object_set_new(out, "heap_peak_bytes", json_integer((json_int_t)load->heap_peak));
    json_object_set_new(out, "heap_after_bytes", json_integer((json_int_t)load->heap_after));
    json_object_set_new(out, "linear_resident_bytes", json_integer((json_int_t)load->linear));
    json_object_set_new(out, "rss_growth_bytes", json_integer((json_int_t)load->rss_growth));
    json_object_set_new(out, "memory_ratio", json_real(memory_ratio(load)));
    const char *bad = missed(load);
    json_object_set_new(out, "bar", json_string(bad ? bad : "ok"));
    return out;
}

static bool write_json(const struct bench_load *loads, size_t count, unsigned rounds,
                       const char *path)
{
    json_t *root = json_object();
    json_t *modules = json_object();
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(modules, base_name(loads[i].path), json_row(&loads[i]));
    }
    json_object_set_new(root, "measures", json_string("load"));
    json_object_set_new(root, "machine", bench_machine_json());
    json_object_set_new(root, "rounds", json_integer(rounds));
    json_object_set_new(root, "modules", modules);
    bool good = json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(root);
    if (!good) fprintf(stderr, "wasm-bench: cannot write %s\n", path);
    return good;
}

int bench_load_main(const struct bench_words *files, unsigned rounds, const char *json)
{
    int code = 0;
    struct bench_load *loads = bench_realloc(NULL, files->count * sizeof loads[0]);
    for (size_t i = 0; i < files->count; i++) bench_load_weigh(&loads[i], files->list[i]);
    for (size_t i = 0; i < files->count; i++) {
        fprintf(stderr, "%s\n", files->list[i]);
        bench_load_time(&loads[i], rounds);
        if (missed(&loads[i])) code = 1;
    }
    print_table(loads, files->count);
    if (json && !write_json(loads, files->count, rounds, json)) code = 2;
    for (size_t i = 0; i < files->count; i++) bench_load_fini(&loads[i]);
    free(loads);
    return code;
}
