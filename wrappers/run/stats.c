/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - --stats: what a run took, on stderr. Only what is known without slowing it. */
#include "common/json.h"
#include "run/run.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

uint64_t wrap_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void print_ms(const char *what, uint64_t ns)
{
    fprintf(stderr, "  %-18s %12.3f ms\n", what, (double)ns / 1e6);
}

static void print_json(const char *file, const struct wrap_times *times,
                       const wr_code_stats_t *code, const wr_store_t *store)
{
    fputs("{\"stats\":{", stderr);
    wrap_json_field(stderr, "file", file, strlen(file));
    fprintf(stderr, ",\"load_ns\":%" PRIu64 ",\"instantiate_ns\":%" PRIu64 ",\"run_ns\":%" PRIu64,
            times->load_ns, times->instantiate_ns, times->run_ns);
    fprintf(stderr, ",\"functions\":%" PRIu32 ",\"translated\":%" PRIu32, code->funcs,
            code->translated);
    fprintf(stderr, ",\"code_bytes\":%" PRIu64 ",\"wasm_bytes\":%" PRIu64, code->code_bytes,
            code->wasm_bytes);
    if (store && times->fuel) {
        fprintf(stderr, ",\"instructions\":%" PRIu64, times->fuel - wr_store_fuel(store));
    }
    struct rusage usage = {0};
    (void)getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, ",\"memory_bytes\":%" PRIu64 ",\"resident_kib\":%ld}}\n",
            store ? wr_store_memory_bytes(store) : 0, usage.ru_maxrss);
}

void wrap_stats_print(const char *file, const struct wrap_times *times, const wr_module_t *module,
                      const wr_store_t *store)
{
    wr_code_stats_t code;
    struct rusage usage;
    wr_module_code_stats(module, &code);
    if (wrap_errors_json()) {
        print_json(file, times, &code, store);
        return;
    }
    wrap_say("%s: stats", file);
    print_ms("load and validate", times->load_ns);
    print_ms("instantiate", times->instantiate_ns);
    print_ms("run", times->run_ns);
    fprintf(stderr, "  %-18s %12" PRIu32 " of %" PRIu32 " translated\n", "functions",
            code.translated, code.funcs);
    fprintf(stderr, "  %-18s %12" PRIu64 " bytes, from %" PRIu64 " bytes of WebAssembly\n", "code",
            code.code_bytes, code.wasm_bytes);
    if (store) {
        /* Linear memory only grows: what it has at the end is the most it had. */
        fprintf(stderr, "  %-18s %12" PRIu64 " bytes at most\n", "linear memory",
                wr_store_memory_bytes(store));
    }
    if (store && times->fuel) {
        fprintf(stderr, "  %-18s %12" PRIu64 " of WebAssembly run\n", "instructions",
                times->fuel - wr_store_fuel(store));
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        fprintf(stderr, "  %-18s %12ld KiB resident at most\n", "process", usage.ru_maxrss);
    }
}
