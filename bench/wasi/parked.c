/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parked.c - what thousands of guests that wait in poll_oneoff cost, and how late they wake:
 *
 *   parked GUEST COUNT RATE SECONDS
 *
 * COUNT copies of sleeper.c on this one thread, each woken every COUNT / RATE seconds, so that RATE
 * wake-ups a second are spread over them. Prints one JSON object. Memory is the growth of VmRSS and
 * VmPTE from before the first guest to when all are parked for the first time; guest pages are
 * those of the guests' linear memories that are there (/proc/self/pagemap). A wake-up is as late as
 * the guest's next host call.
 */
#include "wasmrun.h"
#include "wasmrun_wasi.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 20000, LEAD_S = 3, PIECE = 512 };

struct guest {
    wr_wasi_t *wasi;
    wr_store_t *store;
    wr_exec_t *exec;
    wr_memory_t *memory;
};

static struct guest *guests;
static int guest_count, numbered, waiting, failed;
static uint64_t period_ns, begin_ns, end_ns, *late_ns;
static size_t late_count, late_room;
static wr_error_t err;

/** Of /proc/self/status, in KiB, and what else is limited. */
struct usage {
    long rss, pte;
    long maps, fds;
    double cpu_s;
};

static void fail(const char *what)
{
    fprintf(stderr, "parked: %s: %s\n", what, err.text);
    exit(2);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---------------------------------------------------------------- memory */

static long status_kib(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? atol(at + strlen(key)) : -1;
}

static long count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    long lines = 0;
    for (int c; file && (c = getc(file)) != EOF;) lines += c == '\n';
    if (file) fclose(file);
    return lines;
}

static long count_entries(const char *path)
{
    DIR *dir = opendir(path);
    long entries = 0;
    while (dir && readdir(dir)) entries++;
    if (dir) closedir(dir);
    return entries - 3; /* ".", ".." and the directory itself */
}

static void look(struct usage *u)
{
    static char text[8192];
    struct rusage rusage;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    getrusage(RUSAGE_SELF, &rusage);
    *u = (struct usage){.rss = status_kib(text, "VmRSS:"),
                        .pte = status_kib(text, "VmPTE:"),
                        .maps = count_lines("/proc/self/maps"),
                        .fds = count_entries("/proc/self/fd"),
                        .cpu_s = (double)rusage.ru_utime.tv_sec + (double)rusage.ru_stime.tv_sec +
                                 (double)(rusage.ru_utime.tv_usec + rusage.ru_stime.tv_usec) / 1e6};
}

/* Pages of [data, data + size) that are there. */
static long pages_there(int pagemap, const uint8_t *data, uint64_t size)
{
    uint64_t entry[PIECE], page = (uint64_t)sysconf(_SC_PAGESIZE), count = size / page;
    long there = 0;
    for (uint64_t i = 0; i < count; i += PIECE) {
        uint64_t n = count - i < PIECE ? count - i : PIECE;
        off_t at = (off_t)(((uintptr_t)data / page + i) * sizeof entry[0]);
        if (pread(pagemap, entry, n * sizeof entry[0], at) != (ssize_t)(n * sizeof entry[0]))
            return -1;
        for (uint64_t k = 0; k < n; k++) there += (long)(entry[k] >> 63);
    }
    return there;
}

static long guest_kib(void)
{
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    long pages = 0;
    for (int i = 0; i < guest_count; i++)
        pages += pages_there(pagemap, wr_memory_data(guests[i].memory),
                             wr_memory_size(guests[i].memory));
    close(pagemap);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---------------------------------------------------------------- the guests' host functions */

static wr_status_t give_number(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call, (void)env;
    slots[0].i64 = (uint32_t)numbered++;
    return WR_OK;
}

static void note(uint64_t late)
{
    if (late_count == late_room) {
        late_room = late_room ? late_room * 2 : 1024;
        late_ns = realloc(late_ns, late_room * sizeof late_ns[0]);
        if (!late_ns) abort();
    }
    late_ns[late_count++] = late;
}

/* The first moment of each guest is its own; all are parked when the last has asked. */
static wr_status_t next_moment(wr_call_t *call, wr_slot_t *slots, void *env)
{
    wr_loop_t *loop = env;
    uint64_t deadline = slots[1].i64, now = now_ns();
    (void)call;
    if (deadline) {
        if (deadline < end_ns) note(now - deadline);
        deadline += period_ns;
        if (now > end_ns) wr_loop_stop(loop);
    } else {
        uint64_t step = period_ns / (uint64_t)guest_count;
        deadline = begin_ns + step * slots[0].i32;
        if (++waiting == guest_count) wr_loop_stop(loop);
    }
    slots[0].i64 = deadline;
    return WR_OK;
}

static void on_done(wr_task_t *task, wr_status_t status, const wr_error_t *why, void *env)
{
    (void)task, (void)env;
    if (status == WR_CANCELLED) return;
    fprintf(stderr, "parked: a guest ended: %s\n", why->text);
    failed++;
}

/* ---------------------------------------------------------------- running */

static void spawn(wr_engine_t *engine, const wr_module_t *module, wr_linker_t *linker,
                  wr_loop_t *loop, struct guest *g)
{
    const wr_store_config_t config = {.stack_bytes = 64 * 1024};
    wr_instance_t *instance = NULL;
    wr_extern_t start, memory;
    if (wr_wasi_new(&g->wasi, &err) != WR_OK ||
        wr_store_new(engine, &config, &g->store, &err) != WR_OK ||
        wr_exec_new(g->store, &g->exec, &err) != WR_OK)
        fail("cannot begin");
    wr_store_set_data(g->store, g->wasi);
    if (wr_linker_instantiate(linker, g->store, module, g->exec, &instance, &err) != WR_OK)
        fail("cannot instantiate");
    const wr_task_config_t task = {g->exec, g->wasi, on_done, g};
    if (!wr_instance_export(instance, (wr_name_t){"_start", 6}, &start) ||
        !wr_instance_export(instance, (wr_name_t){"memory", 6}, &memory))
        fail("exports");
    g->memory = memory.of.memory;
    if (wr_exec_start(g->exec, start.of.func, NULL, 0, &err) != WR_OK ||
        wr_loop_spawn(loop, &task, NULL, &err) != WR_OK)
        fail("cannot start");
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double late_ms(double part)
{
    if (late_count == 0) return -1;
    size_t at = (size_t)(part * (double)(late_count - 1));
    return (double)late_ns[at] / 1e6;
}

/* One line of JSON: memory from `before` to `parked`, time from `parked` to `after`. */
static void report(const struct usage *before, const struct usage *parked,
                   const struct usage *after, long touched, double seconds)
{
    double n = guest_count, rss = (double)(parked->rss - before->rss),
           pte = (double)(parked->pte - before->pte);
    qsort(late_ns, late_count, sizeof late_ns[0], compare);
    printf("{\"guests\": %d, \"own_kib_each\": %.2f, \"rss_kib_each\": %.2f, "
           "\"pte_kib_each\": %.2f, \"guest_kib_each\": %.2f, \"mappings\": %ld, \"fds\": %ld, ",
           guest_count, (rss + pte - (double)touched) / n, rss / n, pte / n, (double)touched / n,
           parked->maps, parked->fds);
    printf("\"wakes\": %zu, \"late_ms_median\": %.3f, \"late_ms_p99\": %.3f, "
           "\"late_ms_maximum\": %.3f, \"cpu_part\": %.4f}\n",
           late_count, late_ms(0.5), late_ms(0.99), late_ms(1),
           (after->cpu_s - parked->cpu_s) / seconds);
}

/* All guests to their first wait, then `seconds` of wake-ups. */
static void run(wr_loop_t *loop, wr_engine_t *engine, const wr_module_t *module,
                wr_linker_t *linker, double seconds)
{
    struct usage before, parked, after;
    look(&before);
    for (int i = 0; i < guest_count; i++) spawn(engine, module, linker, loop, &guests[i]);
    begin_ns = now_ns() + (uint64_t)LEAD_S * 1000000000u;
    end_ns = begin_ns + (uint64_t)(seconds * 1e9);
    wr_loop_run(loop);
    look(&parked);
    long touched = guest_kib();
    if (waiting != guest_count || now_ns() > begin_ns) {
        fprintf(stderr, "parked: only %d guests were parked after %d s\n", waiting, LEAD_S);
        exit(2);
    }
    wr_loop_run(loop);
    look(&after);
    report(&before, &parked, &after, touched, seconds + (double)LEAD_S);
}

/* FDS descriptors, or what is allowed. */
static void limit_fds(void)
{
    struct rlimit fds;
    if (getrlimit(RLIMIT_NOFILE, &fds) != 0) return;
    fds.rlim_cur = fds.rlim_max < FDS ? fds.rlim_max : FDS;
    (void)setrlimit(RLIMIT_NOFILE, &fds);
}

static wr_module_t *load(wr_engine_t *engine, const char *path)
{
    wr_module_t *module = NULL;
    if (wr_module_load(engine, path, &module, &err) != WR_OK) fail(path);
    return module;
}

int main(int argc, char **argv)
{
    wr_loop_t *loop = NULL;
    wr_linker_t *linker = NULL;
    if (argc != 5 || (guest_count = atoi(argv[2])) < 1 || atoi(argv[3]) < 1) {
        fputs("usage: parked GUEST COUNT RATE SECONDS\n", stderr);
        return 2;
    }
    limit_fds();
    period_ns = (uint64_t)guest_count * 1000000000u / (uint64_t)atoi(argv[3]);
    guests = calloc((size_t)guest_count, sizeof guests[0]);
    wr_engine_t *engine = wr_engine_new(NULL);
    if (!guests || !engine) return 2;
    wr_module_t *module = load(engine, argv[1]);
    if (wr_loop_new(NULL, &loop, &err) != WR_OK || wr_linker_new(engine, &linker, &err) != WR_OK ||
        wr_wasi_link_shared(linker, &err) != WR_OK ||
        wr_linker_define_raw(linker, "bench", "number", ":i", give_number, NULL, &err) != WR_OK ||
        wr_linker_define_raw(linker, "bench", "next", "iI:I", next_moment, loop, &err) != WR_OK)
        fail("linker");
    run(loop, engine, module, linker, atof(argv[4]));
    wr_loop_delete(loop);
    for (int i = 0; i < guest_count; i++) {
        wr_exec_delete(guests[i].exec);
        wr_store_delete(guests[i].store);
        wr_wasi_delete(guests[i].wasi);
    }
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
    free(guests);
    free(late_ns);
    return failed ? 1 : 0;
}
