/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - what it costs to load, validate and instantiate one module, in time and memory. */
#include "inside.h"
#include "wasmrun.h"
#include "wasmrun_wasi.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---------------------------------------------------------------- imports that are not WASI's */

struct stubs {
    wr_linker_t *linker;
    size_t count;
    char problem[256];
};

static wr_status_t stub(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    (void)env;
    return wr_call_trap(call, "an import that wasm-bench does not have");
}

/* The letter of one type in text, 0 for those that have none. */
static char letter_of(const char *word, size_t length)
{
    static const struct {
        const char *text;
        char letter;
    } rows[] = {{"i32", 'i'},  {"i64", 'I'},     {"f32", 'f'},      {"f64", 'F'},
                {"v128", 'V'}, {"funcref", 'r'}, {"externref", 'e'}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].text) == length && memcmp(rows[i].text, word, length) == 0) {
            return rows[i].letter;
        }
    }
    return 0;
}

/* "(func (param i32 i64) (result i32))" as "iI:i"; false when it has types without letters. */
static bool signature_of(const char *text, char *out, size_t cap)
{
    size_t used = 0;
    bool results = false;
    for (text += strcspn(text, " )"); *text;) {
        text += strspn(text, " ()");
        size_t length = strcspn(text, " ()");
        if (!length || used + 3 > cap) break;
        if (length == 6 && memcmp(text, "result", 6) == 0) {
            results = true;
            out[used++] = ':';
        } else if (length != 5 || memcmp(text, "param", 5) != 0) {
            out[used] = letter_of(text, length);
            if (!out[used++]) return false;
        }
        text += length;
    }
    if (!results) out[used++] = ':';
    out[used] = 0;
    return !*text;
}

static void add_stub(const wr_missing_t *missing, void *env)
{
    struct stubs *stubs = env;
    char signature[128];
    char *module =
        bench_format("%.*s", (int)missing->import.module.size, missing->import.module.data);
    char *name = bench_format("%.*s", (int)missing->import.name.size, missing->import.name.data);
    if (missing->import.kind == WR_EXTERN_FUNC &&
        signature_of(missing->wanted, signature, sizeof signature) &&
        wr_linker_define_raw(stubs->linker, module, name, signature, stub, NULL, NULL) == WR_OK) {
        stubs->count++;
    } else if (!stubs->problem[0]) {
        snprintf(stubs->problem, sizeof stubs->problem, "imports %.80s.%.80s %.60s", module, name,
                 missing->wanted);
    }
    free(module);
    free(name);
}

/* ---------------------------------------------------------------- an instance */

struct world {
    wr_wasi_t *wasi;
    wr_linker_t *linker;
    wr_store_t *store;
    wr_instance_t *instance;
    size_t stubs;
};

static void world_fini(struct world *world)
{
    wr_store_delete(world->store);
    wr_linker_delete(world->linker);
    wr_wasi_delete(world->wasi);
}

/* Store, linker and WASI without directories, then the instance; `note` says why not. */
static bool world_init(struct world *world, wr_engine_t *engine, const wr_module_t *module,
                       char *note, size_t cap)
{
    wr_error_t *err = bench_realloc(NULL, sizeof *err);
    struct stubs stubs = {.count = 0};
    *world = (struct world){0};
    wr_status_t status = wr_wasi_new(&world->wasi, err);
    if (status == WR_OK) status = wr_linker_new(engine, &world->linker, err);
    if (status == WR_OK) status = wr_store_new(engine, NULL, &world->store, err);
    if (status == WR_OK) status = wr_wasi_link(world->wasi, world->linker, err);
    if (status == WR_OK) {
        stubs.linker = world->linker;
        wr_linker_missing(world->linker, module, add_stub, &stubs);
        status =
            wr_linker_instantiate(world->linker, world->store, module, NULL, &world->instance, err);
    }
    world->stubs = stubs.count;
    if (status != WR_OK) {
        snprintf(note, cap, "%s", stubs.problem[0] ? stubs.problem : err->text);
        world_fini(world);
    }
    free(err);
    return status == WR_OK;
}

/* ---------------------------------------------------------------- time */

struct step {
    double wall, cpu;
};

static struct step begin(void) { return (struct step){bench_now_ms(), bench_cpu_ms()}; }

static void finish(struct step step, struct bench_times *times)
{
    double wall = bench_now_ms(), cpu = bench_cpu_ms();
    bench_times_add(times, wall - step.wall, cpu - step.cpu);
}

static void describe(struct bench_load *load, const wr_module_t *module)
{
    wr_module_stats_t stats;
    wr_section_t section;
    wr_module_stats(module, &stats);
    load->file_bytes = stats.file_bytes;
    load->code_bytes = stats.code_bytes;
    load->funcs = stats.funcs;
    load->data_bytes = 0;
    for (size_t i = 0; wr_module_section(module, i, &section); i++) {
        if (section.id == 11) load->data_bytes = section.size;
    }
}

/* One round on `threads`; instantiates too when the row wants it. */
static bool round_on(struct bench_load *load, const void *bytes, size_t size, unsigned threads)
{
    wr_error_t *err = bench_realloc(NULL, sizeof *err);
    wr_module_t *module = NULL;
    struct step step = begin();
    wr_engine_t *engine = wr_engine_new(NULL);
    if (!engine) abort();
    wr_engine_set_load_threads(engine, threads);
    wr_status_t status = wr_module_new(engine, bytes, size, &module, err);
    finish(step, threads == 1 ? &load->one : &load->all);
    if (status != WR_OK) {
        snprintf(load->problem, sizeof load->problem, "%s: %.400s", wr_status_name(status),
                 err->text);
    }
    if (status == WR_OK && threads == 1) {
        struct world world;
        describe(load, module);
        step = begin();
        if (world_init(&world, engine, module, load->note, sizeof load->note)) {
            finish(step, &load->instance);
            load->stubs = world.stubs;
            world_fini(&world);
        }
    }
    wr_module_delete(module);
    wr_engine_delete(engine);
    free(err);
    return status == WR_OK;
}

/* ---------------------------------------------------------------- memory */

/* Counts what is asked for; lock: `lock`. */
struct counter {
    pthread_mutex_t lock;
    uint64_t now, peak;
};

static void *counted(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    struct counter *counter = ctx;
    void *result = NULL;
    (void)pthread_mutex_lock(&counter->lock);
    if (new_bytes) {
        result = realloc(ptr, new_bytes);
        if (result) counter->now += new_bytes - (ptr ? old_bytes : 0);
    } else {
        free(ptr);
        counter->now -= old_bytes;
    }
    if (counter->now > counter->peak) counter->peak = counter->now;
    (void)pthread_mutex_unlock(&counter->lock);
    return result;
}

struct figures {
    uint64_t heap_peak, heap_after, linear, rss_growth;
};

/* "VmHWM:" and its like in bytes; 0 where there is no such file. */
static uint64_t process_bytes(const char *key)
{
    char line[128];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0) kib = strtoull(line + strlen(key), NULL, 10);
    }
    if (file) fclose(file);
    return kib * 1024;
}

/* Bytes of the exported memories' pages that are there. */
static uint64_t resident(const wr_module_t *module, wr_instance_t *instance)
{
    uint64_t pages = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
    wr_exporttype_t type;
    wr_extern_t item;
    for (size_t i = 0; wr_module_export(module, i, &type); i++) {
        if (type.kind != WR_EXTERN_MEMORY || !wr_instance_export(instance, type.name, &item)) {
            continue;
        }
        size_t size = (size_t)wr_memory_size(item.of.memory);
        unsigned char *there = bench_realloc(NULL, (size_t)(size / page) + 1);
        if (size && mincore(wr_memory_data(item.of.memory), size, there) == 0) {
            for (size_t k = 0; k < size / page; k++) pages += there[k] & 1;
        }
        free(there);
    }
    return pages * page;
}

static void weigh(const char *path, struct figures *out)
{
    struct counter counter = {.lock = PTHREAD_MUTEX_INITIALIZER};
    wr_allocator_t allocator = {counted, &counter};
    wr_module_t *module = NULL;
    struct world world = {0};
    char note[256];
    uint64_t before = process_bytes("VmRSS:");
    wr_engine_t *engine = wr_engine_new(&allocator);
    if (!engine) return;
    wr_engine_set_load_threads(engine, 1);
    if (wr_module_load(engine, path, &module, NULL) == WR_OK) {
        bool good = world_init(&world, engine, module, note, sizeof note);
        out->heap_after = counter.now;
        out->linear = good ? resident(module, world.instance) : 0;
        uint64_t top = process_bytes("VmHWM:");
        out->rss_growth = top > before ? top - before : 0;
        if (good) world_fini(&world);
    }
    out->heap_peak = counter.peak;
    wr_module_delete(module);
    wr_engine_delete(engine);
}

/* In a process of its own: what other modules left behind in the heap does not help or count. */
void bench_load_weigh(struct bench_load *load, const char *path)
{
    int ends[2];
    struct figures figures = {0};
    *load = (struct bench_load){.path = path};
    if (pipe(ends) != 0) return;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        weigh(load->path, &figures);
        ssize_t written = write(ends[1], &figures, sizeof figures);
        _exit(written == (ssize_t)sizeof figures ? 0 : 1);
    }
    (void)close(ends[1]);
    if (child > 0 && read(ends[0], &figures, sizeof figures) == (ssize_t)sizeof figures) {
        load->heap_peak = figures.heap_peak;
        load->heap_after = figures.heap_after;
        load->linear = figures.linear;
        load->rss_growth = figures.rss_growth;
    }
    (void)close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* ---------------------------------------------------------------- one file */

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    char *bytes = NULL;
    size_t cap = 0, got = 1;
    *size = 0;
    while (file && got) {
        if (cap - *size < 65536) {
            cap = cap * 2 + 65536;
            bytes = bench_realloc(bytes, cap);
        }
        got = fread(bytes + *size, 1, cap - *size, file);
        *size += got;
    }
    if (file) fclose(file);
    return bytes;
}

void bench_load_time(struct bench_load *load, unsigned rounds)
{
    size_t size;
    void *bytes = read_file(load->path, &size);
    if (!bytes) snprintf(load->problem, sizeof load->problem, "%s", strerror(errno));
    for (unsigned i = 0; bytes && i < rounds; i++) {
        if (!round_on(load, bytes, size, 1) || !round_on(load, bytes, size, 0)) break;
    }
    free(bytes);
}

void bench_load_fini(struct bench_load *load)
{
    bench_times_fini(&load->one);
    bench_times_fini(&load->all);
    bench_times_fini(&load->instance);
}
