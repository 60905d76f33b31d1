/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedding API through wasmrun.h: loading, introspection, linking, deletion. What is in a
 * store: test_api_store.c; running and suspending: test_exec.c.
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
    assert_int_equal(wr_module_new(engine, "\0asm\x0d\0\1\0", 8, &module, &err), WR_MALFORMED);
    assert_string_equal(err.text, "unknown binary version: is a component, not a core module");
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
        /* All of them are pieces of one copy of the file. */
        assert_memory_equal(section.data - section.file_offset, "\0asm", 4);
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
    assert_int_equal(
        wr_memory_new(w.store, (wr_limits_t){.min = 1, .max = UINT64_MAX}, &memory, &w.err), WR_OK);
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
    static const char *const bad[] = {"", "i", "ii", "y:", ":y", ":i:", "i :i", "()i"};
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
    assert_int_equal(wr_memory_new(other, (wr_limits_t){.min = 1, .max = 1}, &memory, NULL), WR_OK);
    wr_extern_t item = {.kind = WR_EXTERN_MEMORY, .of.memory = memory};
    assert_int_equal(
        wr_linker_define(w.linker, world_name("m"), world_name("mem"), other, item, NULL), WR_OK);
    struct wasm m = {0};
    wasm_import_memory(&m, "m", "mem", 1);
    wr_instance_t *in = NULL;
    assert_int_equal(world_try(&w, &m, &in), WR_LINK);
    /* the store's own definition of that name stands beside it */
    assert_int_equal(wr_memory_new(w.store, (wr_limits_t){.min = 1, .max = 1}, &memory, NULL),
                     WR_OK);
    item.of.memory = memory;
    assert_int_equal(
        wr_linker_define(w.linker, world_name("m"), world_name("mem"), w.store, item, NULL), WR_OK);
    assert_int_equal(wr_linker_instantiate(w.linker, w.store, w.modules[0], NULL, &in, &w.err),
                     WR_OK);
    wr_store_delete(other);
    world_free(&w);
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
        cmocka_unit_test(test_deletion_in_any_order_that_is_allowed),
        cmocka_unit_test(test_names_of_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
