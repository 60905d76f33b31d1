/* SPDX-License-Identifier: Apache-2.0 */
/* instantiate.c - wasm-bench --instantiate: what the first and the later instances of a module
 * cost. */
#include "inside.h"
#include "wasmrun.h"
#include "wasmrun_wasi.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The bar: the second instance of a module with 1 MiB of data. */
static const double bar_us = 30;

/* ---------------------------------------------------------------- generated modules */

struct bytes {
    unsigned char *data;
    size_t size, cap;
};

static void put(struct bytes *b, const void *data, size_t size)
{
    if (b->size + size > b->cap) {
        b->cap = 2 * (b->size + size);
        b->data = bench_realloc(b->data, b->cap);
    }
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put_leb(struct bytes *b, size_t value)
{
    do {
        unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        put(b, &byte, 1);
        value >>= 7;
    } while (value);
}

static void put_section(struct bytes *b, unsigned char id, struct bytes *payload)
{
    put(b, &id, 1);
    put_leb(b, payload->size);
    put(b, payload->data, payload->size);
    free(payload->data);
    *payload = (struct bytes){0};
}

/** What a generated module has. */
struct shape {
    const char *name;
    size_t data_bytes;
    size_t funcs; /* all of them in a table */
    bool is_copied; /* its segment's offset is a global's value: no image */
};

static const struct shape shapes[] = {
    {"1 MiB", 1 << 20, 1, false},        {"1 MiB, 2,000 funcs", 1 << 20, 2000, false},
    {"1 MiB, copied", 1 << 20, 1, true}, {"16 MiB", 16 << 20, 1, false},
    {"4 KiB", 4 << 10, 1, false},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void put_funcs(struct bytes *out, size_t funcs)
{
    struct bytes s = {0};
    put_leb(&s, funcs);
    for (size_t i = 0; i < funcs; i++) put_leb(&s, 0);
    put_section(out, 3, &s);
    put(&s, (const unsigned char[]){1, 0x70, 0}, 3); /* a table of funcref */
    put_leb(&s, funcs);
    put_section(out, 4, &s);
}

static void put_elems_and_code(struct bytes *out, size_t funcs)
{
    struct bytes s = {0};
    put(&s, (const unsigned char[]){1, 0, 0x41, 0, 0x0b}, 5);
    put_leb(&s, funcs);
    for (size_t i = 0; i < funcs; i++) put_leb(&s, i);
    put_section(out, 9, &s);
    put_leb(&s, funcs);
    for (size_t i = 0; i < funcs; i++) put(&s, (const unsigned char[]){2, 0, 0x0b}, 3);
    put_section(out, 10, &s);
}

static void put_data(struct bytes *out, const struct shape *shape)
{
    struct bytes s = {0};
    unsigned char *data = bench_realloc(NULL, shape->data_bytes);
    for (size_t i = 0; i < shape->data_bytes; i++) data[i] = (unsigned char)(i * 2654435761U >> 13);
    put(&s, (const unsigned char[]){1, 0}, 2);
    if (shape->is_copied) {
        put(&s, (const unsigned char[]){0x23, 0, 0x0b}, 3);
    } else {
        put(&s, (const unsigned char[]){0x41, 0x80, 0x08, 0x0b}, 4);
    }
    put_leb(&s, shape->data_bytes);
    put(&s, data, shape->data_bytes);
    put_section(out, 11, &s);
    free(data);
}

static struct bytes generate(const struct shape *shape)
{
    struct bytes out = {0}, s = {0};
    put(&out, "\0asm\1\0\0\0", 8);
    put(&s, (const unsigned char[]){1, 0x60, 0, 0}, 4); /* () -> () */
    put_section(&out, 1, &s);
    put_funcs(&out, shape->funcs);
    put(&s, (const unsigned char[]){1, 0}, 2);
    put_leb(&s, shape->data_bytes / 65536 + 2);
    put_section(&out, 5, &s);
    put(&s, (const unsigned char[]){1, 0x7f, 0, 0x41, 0x80, 0x08, 0x0b}, 7); /* i32 1024 */
    put_section(&out, 6, &s);
    put_elems_and_code(&out, shape->funcs);
    put_data(&out, shape);
    return out;
}

static bool read_file(const char *path, struct bytes *out)
{
    char buffer[65536];
    size_t n;
    FILE *file = fopen(path, "re");
    if (!file) {
        fprintf(stderr, "wasm-bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0) put(out, buffer, n);
    fclose(file);
    return true;
}

/* ---------------------------------------------------------------- one row */

enum step { FIRST, SECOND, NEW_STORE, DELETED, STEPS };
static const char *const step_names[STEPS] = {"first", "second", "third_in_new_store",
                                              "store_deleted"};
enum { THREADS = 2, PER_THREAD = 200 };

struct row {
    char *name;
    uint64_t data_bytes;
    struct bench_times steps[STEPS];
    double thread_us[THREADS]; /* wall time / instances, when 1, 2 … threads do it */
    char problem[300];
};

/** What the instances of one round share. */
struct world {
    wr_engine_t *engine;
    wr_module_t *module;
    wr_linker_t *linker;
    wr_wasi_t *wasi;
    wr_error_t *err;
};

static void world_fini(struct world *w)
{
    wr_linker_delete(w->linker);
    wr_wasi_delete(w->wasi);
    wr_module_delete(w->module);
    wr_engine_delete(w->engine);
    free(w->err);
}

static bool world_init(struct world *w, const struct bytes *bytes, struct row *row)
{
    *w = (struct world){.engine = wr_engine_new(NULL)};
    w->err = bench_realloc(NULL, sizeof *w->err);
    if (!w->engine) abort();
    wr_status_t s = wr_module_new(w->engine, bytes->data, bytes->size, &w->module, w->err);
    if (s == WR_OK) s = wr_wasi_new(&w->wasi, w->err);
    if (s == WR_OK) s = wr_linker_new(w->engine, &w->linker, w->err);
    if (s == WR_OK) s = wr_wasi_link(w->wasi, w->linker, w->err);
    if (s != WR_OK) snprintf(row->problem, sizeof row->problem, "%.200s", w->err->text);
    return s == WR_OK;
}

static bool instantiate(const struct world *w, wr_store_t *store, struct row *row)
{
    wr_instance_t *instance;
    wr_status_t s = wr_linker_instantiate(w->linker, store, w->module, NULL, &instance, w->err);
    if (s != WR_OK) snprintf(row->problem, sizeof row->problem, "%.200s", w->err->text);
    return s == WR_OK;
}

static void lap(struct row *row, enum step step, double *wall, double *cpu)
{
    double wall_now = bench_now_ms(), cpu_now = bench_cpu_ms();
    bench_times_add(&row->steps[step], wall_now - *wall, cpu_now - *cpu);
    *cpu = bench_cpu_ms();
    *wall = bench_now_ms();
}

static bool measure_once(struct row *row, const struct bytes *bytes)
{
    struct world w;
    wr_store_t *store = NULL, *other = NULL;
    bool good = world_init(&w, bytes, row) && wr_store_new(w.engine, NULL, &store, w.err) == WR_OK;
    double cpu = bench_cpu_ms(), wall = bench_now_ms();
    good = good && instantiate(&w, store, row);
    if (good) lap(row, FIRST, &wall, &cpu);
    good = good && instantiate(&w, store, row);
    if (good) lap(row, SECOND, &wall, &cpu);
    good = good && wr_store_new(w.engine, NULL, &other, w.err) == WR_OK;
    good = good && instantiate(&w, other, row);
    if (good) lap(row, NEW_STORE, &wall, &cpu);
    wr_store_delete(other);
    if (good) lap(row, DELETED, &wall, &cpu);
    wr_store_delete(store);
    world_fini(&w);
    return good;
}

static void instantiate_alone(const struct world *w)
{
    wr_store_t *store = NULL;
    wr_instance_t *instance;
    if (wr_store_new(w->engine, NULL, &store, NULL) != WR_OK ||
        wr_linker_instantiate(w->linker, store, w->module, NULL, &instance, NULL) != WR_OK) {
        abort();
    }
    wr_store_delete(store);
}

static void *instantiate_many(void *arg)
{
    for (int i = 0; i < PER_THREAD; i++) instantiate_alone(arg);
    return NULL;
}

/* One module and one linker, a store each time: new, instantiated into, deleted. */
static void measure_threads(struct row *row, const struct bytes *bytes)
{
    struct world w;
    bool good = world_init(&w, bytes, row);
    if (good) instantiate_alone(&w); /* not the first one */
    for (int n = 1; good && n <= THREADS; n++) {
        pthread_t threads[THREADS];
        double begin = bench_now_ms();
        for (int i = 0; i < n; i++) {
            if (pthread_create(&threads[i], NULL, instantiate_many, &w) != 0) abort();
        }
        for (int i = 0; i < n; i++) (void)pthread_join(threads[i], NULL);
        row->thread_us[n - 1] = (bench_now_ms() - begin) * 1e3 / (n * PER_THREAD);
    }
    world_fini(&w);
}

static uint64_t data_bytes(const struct bytes *bytes, struct row *row)
{
    struct world w;
    wr_section_t section;
    uint64_t size = 0;
    if (world_init(&w, bytes, row)) {
        for (size_t i = 0; wr_module_section(w.module, i, &section); i++) {
            if (section.id == 11) size = section.size;
        }
    }
    world_fini(&w);
    return size;
}

static void measure(struct row *row, const struct bytes *bytes, unsigned rounds)
{
    row->data_bytes = data_bytes(bytes, row);
    for (unsigned i = 0; i < rounds; i++) {
        if (!measure_once(row, bytes)) return;
    }
    measure_threads(row, bytes);
}

/* ---------------------------------------------------------------- report */

static double median_us(const struct row *row, enum step step)
{
    return bench_median(row->steps[step].wall_ms, row->steps[step].count) * 1e3;
}

static void print(const struct row *rows, size_t count)
{
    printf("%-20s %10s | %9s %9s %9s %9s | %9s %9s\n", "microseconds", "data", "first", "second",
           "new store", "deleted", "1 thread", "2 threads");
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        printf("%-20.20s %10llu | ", row->name, (unsigned long long)row->data_bytes);
        if (row->problem[0]) {
            printf("%s\n", row->problem);
            continue;
        }
        printf("%9.1f %9.1f %9.1f %9.1f | %9.1f %9.1f\n", median_us(row, FIRST),
               median_us(row, SECOND), median_us(row, NEW_STORE), median_us(row, DELETED),
               row->thread_us[0], row->thread_us[1]);
    }
    puts("Wall time, medians. new store: a store made and the third instance in it; deleted: that\n"
         "store. Threads: a store made, instantiated into and deleted, wall time for each.");
}

static json_t *json_row(const struct row *row)
{
    json_t *out = json_object();
    json_object_set_new(out, "module", json_string(row->name));
    json_object_set_new(out, "data_bytes", json_integer((json_int_t)row->data_bytes));
    if (row->problem[0]) {
        json_object_set_new(out, "problem", json_string(row->problem));
        return out;
    }
    for (int i = 0; i < STEPS; i++) {
        json_object_set_new(out, step_names[i], bench_times_json(&row->steps[i]));
    }
    json_t *threads = json_array();
    for (int i = 0; i < THREADS; i++) json_array_append_new(threads, json_real(row->thread_us[i]));
    json_object_set_new(out, "wall_us_each_by_threads", threads);
    return out;
}

static bool write_json(const struct row *rows, size_t count, const char *path)
{
    json_t *root = json_object(), *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_row(&rows[i]));
    json_object_set_new(root, "measures", json_string("instantiation"));
    json_object_set_new(root, "machine", bench_machine_json());
    json_object_set_new(root, "rows", list);
    bool good = json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(5)) == 0;
    json_decref(root);
    if (!good) fprintf(stderr, "wasm-bench: cannot write %s\n", path);
    return good;
}

/* The file's name without its directory. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int bench_instantiate_main(const struct bench_words *files, unsigned rounds, const char *json)
{
    size_t count = SHAPES + files->count;
    struct row *rows = bench_realloc(NULL, count * sizeof *rows);
    memset(rows, 0, count * sizeof *rows);
    int code = 0;
    for (size_t i = 0; i < count; i++) {
        struct bytes bytes = {0};
        const char *path = i < SHAPES ? NULL : files->list[i - SHAPES];
        rows[i].name = bench_strdup(path ? base_name(path) : shapes[i].name);
        if (!path) {
            bytes = generate(&shapes[i]);
        } else if (!read_file(path, &bytes)) {
            code = 2;
        }
        if (bytes.size) measure(&rows[i], &bytes, rounds);
        free(bytes.data);
    }
    print(rows, count);
    if (json && !write_json(rows, count, json)) code = 2;
    if (!code && (rows[0].problem[0] || median_us(&rows[0], SECOND) >= bar_us)) code = 1;
    for (size_t i = 0; i < count; i++) {
        for (int k = 0; k < STEPS; k++) bench_times_fini(&rows[i].steps[k]);
        free(rows[i].name);
    }
    free(rows);
    return code;
}
