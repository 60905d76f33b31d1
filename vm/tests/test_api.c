/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedding API through wasmrun.h: loading, introspection, linking, limits, memories, globals,
 * tables, calls, traps with frames. Running and suspending: test_exec.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/world.h"

/* -------- loading */

static void put_add(struct wasm *m)
{
    wasm_func(m, "ii:i", "add", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_ADD));
}

static void test_load_from_bytes_file_and_descriptor(void **state)
{
    (void)state;
    struct wasm m = {0};
    put_add(&m);
    struct wasm_bytes b = wasm_finish(&m);
    char path[] = "/tmp/wasmrun-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.data, b.size), (ssize_t)b.size);
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    wr_error_t err;
    assert_int_equal(wr_module_new(engine, b.data, b.size, &module, &err), WR_OK);
    assert_string_equal(wr_module_name(module), "module");
    memset(b.data, 0xff, b.size); /* the module has its own copy */
    assert_int_equal(wr_module_export_count(module), 1);
    wr_module_delete(module);
    assert_int_equal(wr_module_load(engine, path, &module, &err), WR_OK);
    assert_string_equal(wr_module_name(module), path);
    wr_module_delete(module);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(wr_module_load_fd(engine, fd, "the file", &module, &err), WR_OK);
    assert_string_equal(wr_module_name(module), "the file");
    wr_module_delete(module);
    assert_int_equal(fcntl(fd, F_GETFD) >= 0, 1); /* not closed */
    /* a pipe has no size */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "\0asm\1\0\0\0", 8), 8);
    (void)close(ends[1]);
    assert_int_equal(wr_module_load_fd(engine, ends[0], "-", &module, &err), WR_OK);
    wr_module_delete(module);
    (void)close(ends[0]);
    (void)close(fd);
    (void)unlink(path);
    free(b.data);
    wr_engine_delete(engine);
}

static void test_load_errors_name_file_offset_and_function(void **state)
{
    (void)state;
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    wr_error_t err;
    assert_int_equal(wr_module_load(engine, "/nonexistent/x.wasm", &module, &err), WR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/x.wasm"));
    assert_int_equal(wr_module_load(engine, "/tmp", &module, &err), WR_IO);
    assert_non_null(strstr(err.text, "/tmp"));
    assert_int_equal(wr_module_load_fd(engine, -1, "closed", &module, &err), WR_IO);
    assert_non_null(strstr(err.text, "closed: "));
    assert_int_equal(wr_module_load_fd(engine, -1, NULL, &module, &err), WR_IO);
    assert_int_equal(wr_module_new(engine, "", 0, &module, &err), WR_MALFORMED);
    assert_int_equal(wr_module_new(engine, "\0asm\2\0\0\0", 8, &module, &err), WR_MALFORMED);
    assert_int_equal(err.offset, 4);
    assert_int_equal(err.func_idx, UINT32_MAX);
    assert_string_equal(err.text, "unknown binary version");
    assert_int_equal(wr_module_new(engine, "\0asm\2\0\0\0", 8, &module, NULL), WR_MALFORMED);
    /* an invalid body: the fourth function, offset of the instruction */
    struct wasm m = {0};
    wasm_import_func(&m, "m", "f", ":");
    put_add(&m);
    put_add(&m);
    m.exports.count = 0;
    m.exports.bytes.size = 0;
    wasm_func(&m, ":i", "bad", "", CODE(NOP, NOP, I64(1)));
    struct wasm_bytes b = wasm_finish(&m);
    assert_int_equal(wr_module_new(engine, b.data, b.size, &module, &err), WR_INVALID);
    assert_int_equal(err.func_idx, 3);
    assert_int_equal(err.offset, b.size - 1); /* its end */
    assert_null(err.trap);
    free(b.data);
    /* an instruction that cannot be executed yet: refused by name and offset at load */
    wasm_func(&m, ":", "simd", "",
              CODE(NOP, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, DROP));
    b = wasm_finish(&m);
    wr_status_t s = wr_module_new(engine, b.data, b.size, &module, &err);
    if (s == WR_OK)
        wr_module_delete(module); /* a build that has it */
    else
        assert_int_equal(s, WR_UNSUPPORTED);
    if (s != WR_OK) assert_non_null(strstr(err.text, "v128.const"));
    free(b.data);
    wr_engine_delete(engine);
}

/* -------- introspection */

static void item(char *out, size_t cap, const wr_module_t *m, bool is_import, size_t i)
{
    size_t n =
        is_import ? wr_module_import_type(m, i, out, cap) : wr_module_export_type(m, i, out, cap);
    assert_int_equal(n, strlen(out));
    char cut[8];
    memset(cut, 'x', sizeof cut);
    size_t again = is_import ? wr_module_import_type(m, i, cut, sizeof cut)
                             : wr_module_export_type(m, i, cut, sizeof cut);
    assert_int_equal(again, n);
    assert_int_equal(strlen(cut), n < 7 ? n : 7);
    assert_int_equal(strncmp(cut, out, strlen(cut)), 0);
}

static void test_introspection_of_imports_and_exports(void **state)
{
    (void)state;
    static const char *const imports[] = {"(func (param i32 i64 f32 f64) (result i32 f64))",
                                          "(table 3 (ref null func))", "(memory 2)",
                                          "(global (mut i64))", "(global (ref null extern))"};
    static const wr_extern_kind_t kinds[] = {WR_EXTERN_FUNC, WR_EXTERN_TABLE, WR_EXTERN_MEMORY,
                                             WR_EXTERN_GLOBAL, WR_EXTERN_GLOBAL};
    struct world w;
    world_init(&w, NULL);
    struct wasm m = {0};
    wasm_import_func(&m, "mod", "f", "iIfF:iF");
    wasm_import_table(&m, "mod", "t", 3);
    wasm_import_memory(&m, "mod", "m", 2);
    wasm_import_global(&m, "mod", "g", 'I', true);
    wasm_import_global(&m, "", "", 'e', false);
    u32 f = wasm_func(&m, ":", "own", "", NO_CODE);
    wasm_table(&m, 'e', 1, 5, "table");
    wasm_memory(&m, 1, 7, "memory");
    wasm_export(&m, "again", 0, 0);
    wasm_data(&m, 1, 0, "abc", 3);
    wasm_name(&m, 0, "imported name");
    wasm_name(&m, f, "named \xc3\xa9");
    const wr_module_t *mod = world_module(&w, &m);
    char text[128];
    assert_int_equal(wr_module_import_count(mod), 5);
    assert_int_equal(wr_module_export_count(mod), 4);
    for (u32 i = 0; i < 5; i++) {
        wr_importtype_t t;
        assert_true(wr_module_import(mod, i, &t));
        assert_int_equal(t.kind, kinds[i]);
        assert_int_equal(t.module.size, i < 4 ? 3 : 0);
        item(text, sizeof text, mod, true, i);
        assert_string_equal(text, imports[i]);
    }
    wr_importtype_t t;
    wr_exporttype_t e;
    assert_false(wr_module_import(mod, 5, &t));
    assert_false(wr_module_export(mod, 4, &e));
    assert_int_equal(wr_module_import_type(mod, 5, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_true(wr_module_export(mod, 1, &e));
    assert_int_equal(e.kind, WR_EXTERN_TABLE);
    assert_int_equal(e.index, 1);
    item(text, sizeof text, mod, false, 1);
    assert_string_equal(text, "(table 1 5 (ref null extern))");
    item(text, sizeof text, mod, false, 2);
    assert_string_equal(text, "(memory 1 7)");
    item(text, sizeof text, mod, false, 3);
    assert_string_equal(text, imports[0]);
    (void)wr_module_item_type(mod, WR_EXTERN_MEMORY, 1, text, sizeof text);
    assert_string_equal(text, "(memory 1 7)");
    assert_int_equal(wr_module_item_type(mod, WR_EXTERN_TAG, 0, text, sizeof text), 0);
    assert_int_equal(wr_module_func_name(mod, 0, text, sizeof text), 13);
    assert_string_equal(text, "imported name");
    assert_int_equal(wr_module_func_name(mod, f, text, 6), 8);
    assert_string_equal(text, "named");
    assert_int_equal(wr_module_func_name(mod, 99, text, sizeof text), 8);
    assert_string_equal(text, "func[99]");
    assert_int_equal(wr_module_func_name(mod, 99, NULL, 0), 8);
    wr_module_stats_t stats;
    wr_module_stats(mod, &stats);
    assert_int_equal(stats.funcs, 2);
    assert_int_equal(stats.imports, 5);
    assert_int_equal(stats.memories, 2);
    assert_int_equal(stats.customs, 1);
    assert_int_equal(stats.datas, 1);
    wr_section_t section;
    size_t n = 0;
    for (u64 end = 8; wr_module_section(mod, n, &section); n++) {
        assert_true(section.file_offset >= end + 2); /* id and size before it */
        end = section.file_offset + section.size;
        if (section.id == 0) assert_int_equal(strncmp(section.name.data, "name", 4), 0);
        if (!wr_module_section(mod, n + 1, &section)) assert_int_equal(end, stats.file_bytes);
    }
    assert_int_equal(n, 9);
    world_free(&w);
}

/* -------- linking */

static wr_status_t answer_env(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    slots[0].i64 = *(const u32 *)env;
    return WR_OK;
}

static void two_types(struct world *w)
{
    static u32 one = 1, two = 2, three = 3;
    wr_linker_t *l = w->linker;
    assert_int_equal(wr_linker_define_raw(l, "m", "f", "i:i", answer_env, &one, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "m", "f", ":I", answer_env, &two, NULL), WR_OK);
    struct wasm m = {0};
    u32 a = wasm_import_func(&m, "m", "f", ":I"), b = wasm_import_func(&m, "m", "f", "i:i");
    wasm_func(&m, ":I", "a", "", CODE(CALL((u8)a)));
    wasm_func(&m, "i:i", "b", "", CODE(LOCAL_GET(0), CALL((u8)b)));
    wr_module_t *module = world_module(w, &m);
    wr_instance_t *in = NULL, *later = NULL;
    assert_int_equal(wr_linker_instantiate(l, w->store, module, NULL, &in, &w->err), WR_OK);
    world_gives(w, in, "a", NO_ARGS, ARGS(2));
    world_gives(w, in, "b", ARGS(9), ARGS(1));
    /* the same name and type again replaces, for who comes later; the old one stays alive */
    for (u32 i = 0; i < 10; i++)
        assert_int_equal(wr_linker_define_raw(l, "m", "f", ":I", answer_env, &three, NULL), WR_OK);
    assert_int_equal(wr_linker_instantiate(l, w->store, module, NULL, &later, &w->err), WR_OK);
    world_gives(w, later, "a", NO_ARGS, ARGS(3));
    world_gives(w, later, "b", ARGS(9), ARGS(1));
    world_gives(w, in, "a", NO_ARGS, ARGS(2));
    world_gives(w, in, "b", ARGS(9), ARGS(1));
}
static void test_two_types_of_one_name_and_replacement(void **state)
{
    (void)state;
    world_each(two_types);
}

struct missing {
    u32 count;
    char text[4][400];
};

static void note_missing(const wr_missing_t *m, void *env)
{
    struct missing *all = env;
    if (all->count < 4)
        (void)snprintf(all->text[all->count], sizeof all->text[0], "%.*s.%.*s %s | %s | %s",
                       (int)m->import.module.size, m->import.module.data, (int)m->import.name.size,
                       m->import.name.data, m->wanted, m->offered ? m->offered : "-",
                       m->similar ? m->similar : "-");
    all->count++;
}

static void test_missing_imports_with_offers_and_near_misses(void **state)
{
    (void)state;
    static u32 one = 1;
    struct world w;
    world_init(&w, NULL);
    wr_linker_t *l = w.linker;
    wr_memory_t *memory;
    assert_int_equal(wr_memory_new(w.store, (wr_limits_t){1, UINT64_MAX, false}, &memory, &w.err),
                     WR_OK);
    wr_extern_t item = {.kind = WR_EXTERN_MEMORY, .of.memory = memory};
    assert_int_equal(wr_linker_define_raw(l, "m", "fd_write", "i:i", answer_env, &one, NULL),
                     WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "m", "fd_read", "iI:", answer_env, &one, NULL), WR_OK);
    assert_int_equal(wr_linker_define(l, world_name("m"), world_name("mem"), w.store, item, NULL),
                     WR_OK);
    struct wasm m = {0};
    wasm_import_func(&m, "m", "fd_read", "ii:");
    wasm_import_func(&m, "m", "fd_wrote", "i:i");
    wasm_import_func(&m, "m", "fd_write", "i:i");
    wasm_import_func(&m, "other", "nothing_like_it", ":");
    wasm_import_memory(&m, "m", "mem", 2);
    wr_module_t *module = world_module(&w, &m);
    struct missing all = {0};
    assert_int_equal(wr_linker_missing(l, module, note_missing, &all), 4);
    assert_int_equal(all.count, 4);
    assert_string_equal(all.text[0],
                        "m.fd_read (func (param i32 i32)) | (func (param i32 i64)) | -");
    assert_string_equal(all.text[1], "m.fd_wrote (func (param i32) (result i32)) | - | m.fd_write");
    assert_string_equal(all.text[2], "other.nothing_like_it (func) | - | -");
    assert_string_equal(all.text[3], "m.mem (memory 2) | (memory 1) | -");
    assert_int_equal(wr_linker_missing(l, module, NULL, NULL), 4);
    wr_instance_t *in = NULL;
    assert_int_equal(wr_linker_instantiate(l, w.store, module, NULL, &in, &w.err), WR_LINK);
    assert_null(in);
    assert_non_null(strstr(w.err.text, "m.fd_read"));
    world_free(&w);
}

static void test_linker_refuses_bad_definitions(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "i", "ii", "x:", ":x", ":i:", "i :i", "()i"};
    struct world w;
    world_init(&w, NULL);
    for (u32 i = 0; i < VM_COUNT(bad); i++)
        assert_int_equal(wr_linker_define_raw(w.linker, "m", "f", bad[i], answer_env, NULL, &w.err),
                         WR_ARGUMENT);
    assert_non_null(strstr(w.err.text, "m.f"));
    /* an extern of another store is not seen */
    wr_store_t *other = NULL;
    wr_memory_t *memory = NULL;
    assert_int_equal(wr_store_new(w.engine, NULL, &other, NULL), WR_OK);
    assert_int_equal(wr_memory_new(other, (wr_limits_t){1, 1, false}, &memory, NULL), WR_OK);
    wr_extern_t item = {.kind = WR_EXTERN_MEMORY, .of.memory = memory};
    assert_int_equal(
        wr_linker_define(w.linker, world_name("m"), world_name("mem"), other, item, NULL), WR_OK);
    struct wasm m = {0};
    wasm_import_memory(&m, "m", "mem", 1);
    wr_instance_t *in = NULL;
    assert_int_equal(world_try(&w, &m, &in), WR_LINK);
    /* the store's own definition of that name stands beside it */
    assert_int_equal(wr_memory_new(w.store, (wr_limits_t){1, 1, false}, &memory, NULL), WR_OK);
    item.of.memory = memory;
    assert_int_equal(
        wr_linker_define(w.linker, world_name("m"), world_name("mem"), w.store, item, NULL), WR_OK);
    assert_int_equal(wr_linker_instantiate(w.linker, w.store, w.modules[0], NULL, &in, &w.err),
                     WR_OK);
    wr_store_delete(other);
    world_free(&w);
}

/* -------- limits of a store */

static void limited(struct world *w)
{
    wr_instance_t *in = NULL;
    wr_memory_t *memory = NULL;
    wr_table_t *table = NULL;
    struct wasm m = {0};
    wasm_memory(&m, 5, UINT32_MAX, NULL);
    assert_int_equal(world_try(w, &m, &in), WR_LIMIT);
    wasm_memory(&m, 2, UINT32_MAX, "memory");
    wasm_func(&m, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    in = world_instance(w, &m);
    assert_int_equal(wr_store_memory_bytes(w->store), 2 * 65536);
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){3, 3, false}, &memory, NULL), WR_LIMIT);
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){1, 9, false}, &memory, NULL), WR_OK);
    world_gives(w, in, "grow", ARGS(2), ARGS(UINT32_MAX)); /* 4 pages in all */
    world_gives(w, in, "grow", ARGS(1), ARGS(2));
    world_gives(w, in, "grow", ARGS(0), ARGS(3));
    world_gives(w, in, "grow", ARGS(1), ARGS(UINT32_MAX));
    assert_true(wr_memory_grow(memory, 1) == UINT64_MAX);
    assert_true(wr_memory_grow(memory, UINT64_MAX) == UINT64_MAX);
    assert_true(wr_memory_grow(memory, (u64)1 << 48) == UINT64_MAX);
    assert_int_equal(wr_memory_grow(memory, 0), 1);
    assert_int_equal(wr_store_memory_bytes(w->store), 4 * 65536);
    /* tables */
    assert_int_equal(
        wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){101, UINT64_MAX, false}, &table, NULL),
        WR_LIMIT);
    assert_int_equal(
        wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){60, UINT64_MAX, false}, &table, NULL),
        WR_OK);
    wasm_table(&m, 'r', 30, UINT32_MAX, NULL);
    wasm_func(&m, "i:i", "grow", "", CODE(REF_NULL_FUNC, LOCAL_GET(0), TABLE_GROW(0)));
    in = world_instance(w, &m);
    world_gives(w, in, "grow", ARGS(11), ARGS(UINT32_MAX));
    world_gives(w, in, "grow", ARGS(10), ARGS(30));
    /* instances: the failed ones count, too, since parts of them may be in use */
    wr_status_t s = WR_OK;
    u32 more = 0;
    while (s == WR_OK && more < 10) {
        put_add(&m);
        s = world_try(w, &m, &in);
        more += s == WR_OK;
    }
    assert_int_equal(s, WR_LIMIT);
    assert_true(more >= 2 && more <= 3);
}
static void test_store_limits(void **state)
{
    (void)state;
    static const wr_store_config_t config = {
        .max_memory_bytes = 4 * 65536, .max_table_elems = 100, .max_instances = 5};
    world_each_with(&config, limited);
}

static u64 depth_with(u64 stack_bytes)
{
    wr_store_config_t config = {.stack_bytes = stack_bytes};
    struct world w;
    world_init(&w, &config);
    struct wasm m = {0};
    wasm_global(&m, 'i', true, CODE(I32(0)), "depth");
    wasm_func(&m, ":", "f", "", CODE(GLOBAL_GET(0), I32(1), I32_ADD, GLOBAL_SET(0), CALL(0)));
    wr_instance_t *in = world_instance(&w, &m);
    world_traps(&w, in, "f", NO_ARGS, "call stack exhausted");
    wr_val_t v;
    wr_global_get(world_export(in, "depth", WR_EXTERN_GLOBAL).of.global, &v);
    world_free(&w);
    return v.of.i32;
}
static void test_stack_bytes_bound_the_depth(void **state)
{
    (void)state;
    u64 small = depth_with((u64)1 << 20), big = depth_with((u64)4 << 20);
    assert_true(small > 5000 && small < 40000);
    assert_true(big > 3 * small && big < 5 * small);
    assert_true(depth_with(1) > 0); /* there is a least size */
    /* sizes that no machine has are refused, without a sum running over */
    static const u64 huge[] = {UINT64_MAX, UINT64_MAX - 4096, (u64)1 << 63, (u64)1 << 50};
    for (u32 i = 0; i < VM_COUNT(huge); i++) {
        wr_store_config_t config = {.stack_bytes = huge[i]};
        struct world w;
        world_init(&w, &config);
        wr_exec_t *x = NULL;
        wr_status_t s = wr_exec_new(w.store, &x, &w.err);
        assert_true(s == WR_LIMIT || s == WR_OOM);
        assert_null(x);
        world_free(&w);
    }
}

/* -------- memories, globals, tables */

static void memories(struct world *w)
{
    wr_memory_t *m = NULL;
    u8 bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {0};
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){2, 1, false}, &m, &w->err), WR_ARGUMENT);
    assert_int_equal(wr_memory_new(w->store, (wr_limits_t){1, 3, false}, &m, &w->err), WR_OK);
    u8 *base = wr_memory_data(m);
    assert_int_equal(wr_memory_size(m), 65536);
    assert_true(wr_memory_write(m, 65528, bytes, 8));
    assert_true(wr_memory_read(m, 65528, back, 8));
    assert_memory_equal(bytes, back, 8);
    assert_false(wr_memory_write(m, 65529, back, 8));
    assert_false(wr_memory_read(m, 65529, back, 8));
    assert_false(wr_memory_read(m, UINT64_MAX, back, 1));
    assert_false(wr_memory_read(m, UINT64_MAX - 3, back, 8));
    assert_false(wr_memory_read(m, 0, back, SIZE_MAX));
    assert_true(wr_memory_read(m, 65536, back, 0));
    assert_false(wr_memory_read(m, 65537, back, 0));
    assert_int_equal(base[65535], 8); /* the refused write wrote nothing */
    assert_int_equal(wr_memory_grow(m, 2), 1);
    assert_ptr_equal(wr_memory_data(m), base);
    assert_int_equal(base[65536 * 3 - 1], 0);
    assert_true(wr_memory_grow(m, 1) == UINT64_MAX);
}

static void globals(struct world *w)
{
    wr_global_t *g = NULL;
    wr_val_t v = {.kind = WR_F64, .of.i64 = 0x7ff0000000000001}, back;
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_int_equal(back.kind, WR_F64);
    assert_true(back.of.i64 == v.of.i64); /* a signalling NaN survives */
    v.kind = WR_I64;
    assert_int_equal(wr_global_set(g, &v), WR_ARGUMENT);
    v = (wr_val_t){.kind = WR_OTHERREF};
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_ARGUMENT);
    v = (wr_val_t){.kind = WR_I32, .of.i64 = UINT64_MAX};
    assert_int_equal(wr_global_new(w->store, false, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_int_equal(back.of.i32, UINT32_MAX);
    assert_int_equal(wr_global_set(g, &v), WR_ARGUMENT); /* immutable */
    v = (wr_val_t){.kind = WR_V128};
    for (u32 i = 0; i < 16; i++) v.of.v128[i] = (u8)(i + 1);
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_memory_equal(back.of.v128, v.of.v128, 16);
    v = (wr_val_t){.kind = WR_EXTERNREF, .of.ref = w};
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_OK);
    wr_global_get(g, &back);
    assert_ptr_equal(back.of.ref, w);
}

static void tables(struct world *w)
{
    struct wasm m = {0};
    put_add(&m);
    wr_func_t *add = world_func(world_instance(w, &m), "add");
    wr_table_t *t = NULL;
    wr_val_t func = {.kind = WR_FUNCREF, .of.func = add}, v;
    assert_int_equal(wr_table_new(w->store, WR_I32, (wr_limits_t){1, 1, false}, &t, &w->err),
                     WR_ARGUMENT);
    assert_int_equal(wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){2, 1, false}, &t, &w->err),
                     WR_ARGUMENT);
    assert_int_equal(wr_table_new(w->store, WR_FUNCREF, (wr_limits_t){2, 2, false}, &t, &w->err),
                     WR_OK);
    assert_int_equal(wr_table_size(t), 2);
    assert_int_equal(wr_table_set(t, 1, &func), WR_OK);
    assert_int_equal(wr_table_set(t, 2, &func), WR_ARGUMENT);
    assert_true(wr_table_get(t, 1, &v));
    assert_int_equal(v.kind, WR_FUNCREF);
    assert_ptr_equal(v.of.func, add);
    assert_true(wr_table_get(t, 0, &v));
    assert_null(v.of.func);
    assert_false(wr_table_get(t, 2, &v));
    v = (wr_val_t){.kind = WR_EXTERNREF, .of.ref = w};
    assert_int_equal(wr_table_set(t, 0, &v), WR_ARGUMENT);
    v = (wr_val_t){.kind = WR_FUNCREF};
    assert_int_equal(wr_table_set(t, 1, &v), WR_OK); /* null */
    /* a function of another store must not get in: its code may be of another backend */
    struct world other;
    world_init(&other, NULL);
    put_add(&m);
    wr_func_t *foreign = world_func(world_instance(&other, &m), "add");
    v = (wr_val_t){.kind = WR_FUNCREF, .of.func = foreign};
    assert_int_equal(wr_table_set(t, 0, &v), WR_ARGUMENT);
    wr_global_t *g = NULL;
    assert_int_equal(wr_global_new(w->store, true, &v, &g, &w->err), WR_ARGUMENT);
    assert_int_equal(wr_global_new(w->store, true, &func, &g, &w->err), WR_OK);
    assert_int_equal(wr_global_set(g, &v), WR_ARGUMENT);
    assert_int_equal(wr_call(w->store, foreign, NULL, 0, NULL, 0, &w->err), WR_ARGUMENT);
    world_free(&other);
}

static void objects(struct world *w)
{
    memories(w);
    globals(w);
    tables(w);
}
static void test_memories_globals_and_tables_from_outside(void **state)
{
    (void)state;
    world_each(objects);
}

/* -------- calls: arguments and results */

static void call_arguments(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "iIfF:FfIi", "all", "",
              CODE(LOCAL_GET(3), LOCAL_GET(2), LOCAL_GET(1), LOCAL_GET(0)));
    wasm_func(&m, "re:er", "refs", "", CODE(LOCAL_GET(1), LOCAL_GET(0)));
    wr_instance_t *in = world_instance(w, &m);
    wr_func_t *all = world_func(in, "all"), *refs = world_func(in, "refs");
    assert_int_equal(wr_func_param_count(all), 4);
    assert_int_equal(wr_func_result_count(all), 4);
    static const wr_valkind_t kinds[] = {WR_I32, WR_I64, WR_F32, WR_F64};
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(wr_func_param(all, i), kinds[i]);
        assert_int_equal(wr_func_result(all, i), kinds[3 - i]);
    }
    assert_int_equal(wr_func_param(refs, 0), WR_FUNCREF);
    wr_val_t a[4], r[4];
    world_typed(all, ARGS(0xfffffffe, UINT64_MAX - 1, 0x7fa00001, 0x7ff4000000000001), a);
    assert_int_equal(wr_call(w->store, all, a, 3, r, 4, &w->err), WR_ARGUMENT);
    assert_string_equal(w->err.text, "3 arguments given, the function takes 4");
    assert_int_equal(wr_call(w->store, all, a, 4, r, 3, &w->err), WR_ARGUMENT);
    assert_string_equal(w->err.text, "3 results wanted, the function has 4");
    a[2].kind = WR_I32;
    assert_int_equal(wr_call(w->store, all, a, 4, r, 4, &w->err), WR_ARGUMENT);
    assert_string_equal(w->err.text, "argument 2 has the wrong type");
    a[2].kind = WR_F32;
    assert_int_equal(wr_call(w->store, all, a, 4, r, 4, NULL), WR_OK);
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(r[i].kind, kinds[3 - i]);
        assert_true(world_bits(&r[i]) == world_bits(&a[3 - i])); /* NaN bits, too */
    }
    wr_val_t b[2] = {{.kind = WR_FUNCREF, .of.func = all}, {.kind = WR_EXTERNREF, .of.ref = w}};
    assert_int_equal(wr_call(w->store, refs, b, 2, r, 2, NULL), WR_OK);
    assert_ptr_equal(r[0].of.ref, w);
    assert_ptr_equal(r[1].of.func, all);
    wr_extern_t e;
    assert_false(wr_instance_export(in, world_name("al"), &e));
    assert_false(wr_instance_export(in, (wr_name_t){"all\0", 4}, &e));
}
static void test_call_arguments_are_checked(void **state)
{
    (void)state;
    world_each(call_arguments);
}

/* -------- traps: text, frames, exit codes */

static wr_status_t host_exit(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)env;
    return wr_call_exit(call, (int)slots[0].i32);
}

static wr_status_t host_fail(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    return env ? wr_call_trap(call, env) : WR_MALFORMED; /* which no host function may answer */
}

/** Prepares a trap and then answers WR_OK. */
static wr_status_t host_undecided(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    (void)env;
    (void)wr_call_trap(call, "never mind");
    return WR_OK;
}

static void traps(struct world *w)
{
    char longest[400];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    wr_linker_t *l = w->linker;
    assert_int_equal(wr_linker_define_raw(l, "h", "exit", "i:", host_exit, NULL, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "fail", ":", host_fail, "my reason", NULL),
                     WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "long", ":", host_fail, longest, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "odd", ":", host_fail, NULL, NULL), WR_OK);
    assert_int_equal(wr_linker_define_raw(l, "h", "undecided", ":", host_undecided, NULL, NULL),
                     WR_OK);
    struct wasm m = {0};
    static const char *const names[] = {"exit", "fail", "long", "odd", "undecided"};
    for (u32 i = 0; i < 5; i++) wasm_import_func(&m, "h", names[i], i ? ":" : "i:");
    wasm_func(&m, "i:", "exit", "", CODE(LOCAL_GET(0), CALL(0)));
    for (u32 i = 1; i < 4; i++) wasm_func(&m, ":", names[i], "", CODE(NOP, CALL((u8)i)));
    wasm_func(&m, ":", "undecided", "", CODE(CALL(4), UNREACHABLE));
    wr_instance_t *in = world_instance(w, &m);
    wr_exec_t *x = NULL;
    assert_int_equal(wr_exec_new(w->store, &x, NULL), WR_OK);
    wr_val_t v = {.kind = WR_I32, .of.i32 = (u32)-7};
    assert_int_equal(wr_exec_start(x, world_func(in, "exit"), &v, 1, NULL), WR_OK);
    assert_int_equal(wr_exec_run(x, &w->err), WR_EXIT);
    assert_int_equal(wr_exec_exit_code(x), -7);
    assert_int_equal(w->err.status, WR_EXIT);
    assert_null(w->err.trap);
    wr_exec_delete(x);
    world_traps(w, in, "fail", NO_ARGS, "host function failed");
    assert_string_equal(w->err.text, "my reason");
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(w->err.frame[0].func_idx, 6);
    world_traps(w, in, "long", NO_ARGS, "host function failed");
    assert_int_equal(strncmp(w->err.text, longest, strlen(w->err.text)), 0);
    world_traps(w, in, "odd", NO_ARGS, "host function failed");
    assert_string_equal(w->err.text, "host function failed");
    world_traps(w, in, "undecided", NO_ARGS, "unreachable");
    assert_string_equal(w->err.text, "unreachable");
}
static void test_traps_and_exits_of_host_functions(void **state)
{
    (void)state;
    world_each(traps);
}

/** A chain of functions f0 -> f1 -> ... -> f99, whose last one traps, with known offsets. */
static void frames(struct world *w)
{
    enum { CHAIN = 100, HALF = WR_ERROR_FRAMES / 2 };
    struct wasm m = {0};
    char name[16];
    for (u32 i = 0; i + 1 < CHAIN; i++)
        wasm_func(&m, ":", i % 10 ? NULL : (snprintf(name, sizeof name, "f%u", i), name), "",
                  CODE(NOP, 0x10, LEB5_U(i + 1)));
    wasm_func(&m, ":", "last", "", CODE(NOP, NOP, UNREACHABLE));
    wasm_name(&m, 98, "ninety-eight");
    wr_instance_t *in = world_instance(w, &m);
    const wr_module_t *mod = wr_instance_module(in);
    /* bodies are 10 bytes: size, locals, nop, call and its 5, end; the call is at 3 */
    wr_section_t code;
    size_t i = 0;
    while (wr_module_section(mod, i, &code) && code.id != 10) i++;
    u64 first = code.file_offset + 1;
    world_traps(w, in, "last", NO_ARGS, "unreachable");
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(w->err.frame[0].file_offset, first + 99 * 10 + 4);
    assert_int_equal(w->err.offset, UINT64_MAX);
    for (u32 start = 0; start < CHAIN; start += 10) {
        u32 total = CHAIN - start, left_out = total > WR_ERROR_FRAMES ? total - WR_ERROR_FRAMES : 0;
        (void)snprintf(name, sizeof name, "f%u", start);
        world_traps(w, in, name, NO_ARGS, "unreachable");
        assert_int_equal(w->err.frames, total - left_out);
        assert_int_equal(w->err.frames_left_out, left_out);
        for (u32 k = 0; k < w->err.frames; k++) {
            u32 func = CHAIN - 1 - k - (k >= HALF ? left_out : 0);
            assert_int_equal(w->err.frame[k].func_idx, func);
            assert_ptr_equal(w->err.frame[k].module, mod);
            if (k) assert_int_equal(w->err.frame[k].file_offset, first + func * 10 + 3);
        }
        assert_int_equal(w->err.frame[w->err.frames - 1].func_idx, start);
    }
    char text[32];
    (void)wr_module_func_name(mod, 98, text, sizeof text);
    assert_string_equal(text, "ninety-eight");
    (void)wr_module_func_name(mod, 90, text, sizeof text);
    assert_string_equal(text, "f90");
    (void)wr_module_func_name(mod, 91, text, sizeof text);
    assert_string_equal(text, "func[91]");
}
static void test_frames_of_a_trap_in_order_with_the_middle_left_out(void **state)
{
    (void)state;
    world_each(frames);
}

/* -------- failed instantiation */

static void failed(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, "memory");
    wasm_table(&m, 'r', 4, 4, "table");
    u32 type = wasm_type(&m, ":i");
    wasm_func(&m, "i:i", "call", "", CODE(LOCAL_GET(0), CALL_INDIRECT((u8)type, 0)));
    wr_instance_t *in = world_named(w, &m, "a"), *out = NULL;
    wr_memory_t *memory = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    /* elements and the first data segment are written, then the second is out of bounds */
    wasm_import_memory(&m, "a", "memory", 1);
    wasm_import_table(&m, "a", "table", 4);
    u32 f = wasm_func(&m, ":i", NULL, "", CODE(I32(77)));
    wasm_elem(&m, 0, 2, &f, 1);
    wasm_data(&m, 0, 10, "abc", 3);
    wasm_data(&m, 0, 65535, "xy", 2);
    wasm_data(&m, 0, 20, "zz", 2);
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_null(out);
    assert_string_equal(w->err.trap, "out of bounds memory access");
    assert_memory_equal(wr_memory_data(memory) + 10, "abc", 3);
    assert_int_equal(wr_memory_data(memory)[65535], 0);
    assert_int_equal(wr_memory_data(memory)[20], 0);
    world_gives(w, in, "call", ARGS(2), ARGS(77)); /* the failed instance's function lives */
    /* an element segment out of bounds */
    wasm_import_table(&m, "a", "table", 4);
    f = wasm_func(&m, ":i", NULL, "", CODE(I32(78)));
    wasm_elem(&m, 0, 1, &f, 1);
    wasm_elem(&m, 0, 4, &f, 1);
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_string_equal(w->err.trap, "out of bounds table access");
    world_gives(w, in, "call", ARGS(1), ARGS(78));
    /* a start function that traps, after it wrote */
    wasm_import_memory(&m, "a", "memory", 1);
    wasm_name(&m, 0, "start");
    f = wasm_func(&m, ":", NULL, "", CODE(I32(0), I32(55), I32_STORE8(0), UNREACHABLE));
    wasm_start(&m, f);
    assert_int_equal(world_try(w, &m, &out), WR_TRAP);
    assert_null(out);
    assert_string_equal(w->err.trap, "unreachable");
    assert_int_equal(w->err.frames, 1);
    assert_int_equal(wr_memory_data(memory)[0], 55);
    world_traps(w, in, "call", ARGS(0), "uninitialized element");
    world_traps(w, in, "call", ARGS(4), "undefined element");
    put_add(&m);
    in = world_instance(w, &m);
    world_gives(w, in, "add", ARGS(1, 2), ARGS(3));
}
static void test_failed_instantiation_keeps_what_was_written(void **state)
{
    (void)state;
    world_each(failed);
}

/* -------- deletion */

/** Execs and linker may go before or after the store; everything may be NULL. */
static void test_deletion_in_any_order_that_is_allowed(void **state)
{
    (void)state;
    for (u32 order = 0; order < 4; order++) {
        struct wasm m = {0};
        put_add(&m);
        struct wasm_bytes b = wasm_finish(&m);
        wr_engine_t *engine = wr_engine_new(NULL);
        wr_store_t *store = NULL, *second = NULL;
        wr_linker_t *linker = NULL;
        wr_module_t *module = NULL;
        wr_exec_t *x = NULL;
        wr_instance_t *in = NULL;
        assert_int_equal(wr_module_new(engine, b.data, b.size, &module, NULL), WR_OK);
        assert_int_equal(wr_store_new(engine, NULL, &store, NULL), WR_OK);
        assert_int_equal(wr_store_new(engine, NULL, &second, NULL), WR_OK);
        assert_int_equal(wr_linker_new(engine, &linker, NULL), WR_OK);
        assert_int_equal(wr_linker_instantiate(linker, store, module, NULL, &in, NULL), WR_OK);
        assert_int_equal(wr_linker_instantiate(linker, second, module, NULL, &in, NULL), WR_OK);
        assert_int_equal(wr_exec_new(store, &x, NULL), WR_OK);
        assert_null(wr_store_data(store));
        wr_store_set_data(store, &order);
        assert_ptr_equal(wr_store_data(store), &order);
        if (order & 1) wr_exec_delete(x);
        wr_store_delete(store);
        if (!(order & 1)) wr_exec_delete(x);
        if (order & 2) wr_store_delete(second);
        wr_linker_delete(linker);
        if (!(order & 2)) wr_store_delete(second); /* it imported nothing */
        wr_module_delete(module);
        wr_engine_delete(engine);
        free(b.data);
    }
    wr_exec_delete(NULL);
    wr_store_delete(NULL);
    wr_linker_delete(NULL);
    wr_module_delete(NULL);
    wr_engine_delete(NULL);
}

static void test_names_of_statuses(void **state)
{
    (void)state;
    for (u32 s = WR_OK; s <= WR_INTERNAL; s++) {
        const char *name = wr_status_name((wr_status_t)s);
        assert_true(strlen(name) > 1);
        for (u32 t = WR_OK; t < s; t++)
            assert_string_not_equal(name, wr_status_name((wr_status_t)t));
    }
    assert_true(strlen(wr_version()) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load_from_bytes_file_and_descriptor),
        cmocka_unit_test(test_load_errors_name_file_offset_and_function),
        cmocka_unit_test(test_introspection_of_imports_and_exports),
        cmocka_unit_test(test_two_types_of_one_name_and_replacement),
        cmocka_unit_test(test_missing_imports_with_offers_and_near_misses),
        cmocka_unit_test(test_linker_refuses_bad_definitions),
        cmocka_unit_test(test_store_limits),
        cmocka_unit_test(test_stack_bytes_bound_the_depth),
        cmocka_unit_test(test_memories_globals_and_tables_from_outside),
        cmocka_unit_test(test_call_arguments_are_checked),
        cmocka_unit_test(test_traps_and_exits_of_host_functions),
        cmocka_unit_test(test_frames_of_a_trap_in_order_with_the_middle_left_out),
        cmocka_unit_test(test_failed_instantiation_keeps_what_was_written),
        cmocka_unit_test(test_deletion_in_any_order_that_is_allowed),
        cmocka_unit_test(test_names_of_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
