/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation failing at every n-th time, over all that an embedder does: only WR_OOM or a clean
 * result comes out, nothing leaks, nothing crashes.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module_builder.h"
#include "tests/wasm_writer.h"
#include "wasmrun.h"

enum { MODULES = 3 };

/** What one round uses. */
struct round {
    const wr_store_config_t *config;
    const struct wasm_bytes *code;
    wr_engine_t *engine;
    wr_store_t *store;
    wr_linker_t *linker;
    wr_module_t *modules[MODULES];
    wr_exec_t *exec;
    wr_instance_t *last;
};

static wr_name_t name(const char *s) { return (wr_name_t){.data = s, .size = strlen(s)}; }

/* -------- host functions */

static wr_status_t host_wait(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    (void)env;
    return wr_call_can_suspend(call) ? WR_PENDING : WR_OK;
}

static wr_status_t host_nest(wr_call_t *call, wr_slot_t *slots, void *env)
{
    wr_extern_t e;
    wr_val_t arg = {.kind = WR_I32, .of.i32 = slots[0].i32}, r;
    (void)env;
    if (!wr_instance_export(wr_call_instance(call), name("far"), &e)) return WR_INTERNAL;
    wr_status_t s = wr_call(wr_call_store(call), e.of.func, &arg, 1, &r, 1, NULL);
    if (s == WR_OK) slots[0].i32 = r.of.i32;
    return s;
}

static u32 c_add(u32 a, u32 b) { return a + b; }

static void ignore_missing(const wr_missing_t *m, void *env)
{
    (void)env;
    assert_non_null(m->wanted);
}

/* -------- the modules */

static struct wasm_bytes provider(void)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 4, "memory");
    wasm_table(&m, 'r', 4, 100, "table");
    wasm_global(&m, 'i', true, CODE(I32(3)), "global");
    u32 f = wasm_func(&m, "ii:i", "f", "ii", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_SUB));
    wasm_elem(&m, 0, 0, &f, 1);
    wasm_data(&m, 0, 0, "data", 4);
    wasm_name(&m, f, "the name");
    return wasm_finish(&m);
}

static struct wasm_bytes consumer(void)
{
    struct wasm m = {0};
    u32 f = wasm_import_func(&m, "p", "f", "ii:i");
    u32 wait = wasm_import_func(&m, "h", "wait", ":i");
    u32 nest = wasm_import_func(&m, "h", "nest", "i:i");
    u32 add = wasm_import_func(&m, "h", "add", "ii:i");
    (void)wasm_import_table(&m, "p", "table", 4);
    (void)wasm_import_memory(&m, "p", "memory", 1);
    (void)wasm_import_global(&m, "p", "global", 'i', true);
    u32 type = wasm_type(&m, "ii:i");
    wasm_table(&m, 'e', 2, UINT32_MAX, NULL);
    u32 start = wasm_func(&m, ":", NULL, "", CODE(I32(0), I32(9), I32_STORE8(0)));
    wasm_func_locals(&m, "i:i", "far", 40000, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(39000), BLOCK(T_I32), I32(5),
                          LOCAL_GET_FAR(39000), BR_TABLE, 2, 0, 1, 0, END));
    wasm_func(&m, "i:i", "all", "ii",
              CODE(LOCAL_GET(0), I32(1), CALL((u8)f), I32(2), CALL((u8)add), CALL((u8)nest), I32(7),
                   I32(0), CALL_INDIRECT((u8)type, 0), CALL((u8)wait), I32_ADD, I32(1), MEMORY_GROW,
                   DROP, REF_NULL_FUNC, I32(50), TABLE_GROW(0), DROP));
    wasm_elem(&m, 0, 1, &f, 1);
    wasm_data(&m, 0, 100, "more", 4);
    wasm_start(&m, start);
    return wasm_finish(&m);
}

/** Two imports that nobody gives, and a body of many instructions. */
static struct wasm_bytes stranger(void)
{
    struct wasm m = {0};
    wasm_import_func(&m, "h", "wail", ":i");
    wasm_import_func(&m, "p", "f", "i:i");
    struct wasm_bytes b = {0};
    for (u32 i = 0; i < 300; i++)
        wasm_put(&b, (const u8[]){BLOCK(VOID), I32(1), BR_IF(0), END}, 11);
    wasm_func(&m, ":", "f", "", (struct wasm_code){b.data, b.size});
    free(b.data);
    return wasm_finish(&m);
}

/* -------- one round: stops at the first failure */

/** Everything up to instances. */
static wr_status_t build(struct round *r)
{
    wr_error_t err;
    wr_status_t s = wr_store_new(r->engine, r->config, &r->store, &err);
    if (s == WR_OK) s = wr_linker_new(r->engine, &r->linker, &err);
    for (u32 i = 0; s == WR_OK && i < MODULES; i++)
        s = wr_module_new(r->engine, r->code[i].data, r->code[i].size, &r->modules[i], &err);
    wr_linker_t *l = r->linker;
    if (s == WR_OK) s = wr_linker_define_raw(l, "h", "wait", ":i", host_wait, NULL, &err);
    if (s == WR_OK) s = wr_linker_define_raw(l, "h", "nest", "i:i", host_nest, NULL, &err);
    if (s == WR_OK)
        s = wr_linker_define_raw(l, "h", "nest", "i:i", host_nest, NULL, &err); /* again */
    if (s == WR_OK) s = wr_linker_define_c(l, "h", "add", "(ii)i", (wr_c_fn)c_add, &err);
    wr_instance_t *in = NULL;
    if (s == WR_OK) s = wr_linker_instantiate(l, r->store, r->modules[0], NULL, &in, &err);
    if (s == WR_OK) s = wr_linker_define_instance(l, name("p"), in, &err);
    if (s == WR_OK) s = wr_linker_instantiate(l, r->store, r->modules[1], NULL, &r->last, &err);
    if (s != WR_OK) assert_int_equal(err.status, s);
    return s;
}

static wr_status_t use(struct round *r)
{
    wr_extern_t e;
    wr_error_t err;
    wr_memory_t *memory;
    wr_table_t *table;
    wr_val_t v = {.kind = WR_I32, .of.i32 = 1};
    wr_global_t *global;
    wr_slot_t answer = {.i64 = 5};
    assert_int_equal(wr_linker_missing(r->linker, r->modules[2], ignore_missing, NULL), 2);
    assert_true(wr_instance_export(r->last, name("all"), &e));
    wr_status_t s = wr_exec_new(r->store, &r->exec, &err);
    if (s == WR_OK) s = wr_exec_start(r->exec, e.of.func, &v, 1, &err);
    if (s == WR_OK) s = wr_exec_run(r->exec, &err);
    if (s != WR_PENDING) return s;
    assert_int_equal(wr_exec_complete(r->exec, WR_OK, &answer, 1, 0), WR_OK);
    s = wr_exec_run(r->exec, &err);
    if (s == WR_OK) s = wr_exec_results(r->exec, &v, 1);
    if (s == WR_OK) assert_int_equal(v.of.i32, 3); /* (1 - 1 + 2 -> far: 5) - 7 + 5 */
    if (s == WR_OK) s = wr_memory_new(r->store, (wr_limits_t){.min = 1, .max = 2}, &memory, &err);
    if (s == WR_OK)
        s = wr_table_new(r->store, WR_FUNCREF, (wr_limits_t){.min = 9, .max = 99}, &table, &err);
    if (s == WR_OK) s = wr_global_new(r->store, true, &v, &global, &err);
    return s;
}

static wr_status_t round_once(const wr_store_config_t *config, const struct wasm_bytes *code,
                              struct counter *n)
{
    wr_allocator_t alloc = {.realloc = counting_realloc, .ctx = n};
    struct round r = {.config = config, .code = code, .engine = wr_engine_new(&alloc)};
    wr_status_t s = r.engine ? build(&r) : WR_OOM;
    if (s == WR_OK) s = use(&r);
    wr_exec_delete(r.exec);
    wr_store_delete(r.store);
    wr_linker_delete(r.linker);
    for (u32 i = 0; i < MODULES; i++) wr_module_delete(r.modules[i]);
    wr_engine_delete(r.engine);
    return s;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    if (!wr_signal_try(sig, info, context)) (void)signal(sig, SIG_DFL);
}

static void every_failure(const wr_store_config_t *config)
{
    struct wasm_bytes code[MODULES] = {provider(), consumer(), stranger()};
    struct counter whole = {0};
    wr_status_t s = round_once(config, code, &whole);
    if (s != WR_UNSUPPORTED) {
        assert_int_equal(s, WR_OK);
        assert_int_equal(whole.live, 0);
        assert_true(whole.calls > 100);
        for (u32 i = 1; i <= whole.calls; i++) {
            struct counter n = {.fail_at = i};
            s = round_once(config, code, &n);
            if (s != WR_OOM && s != WR_OK) print_error("allocation %u: %s\n", i, wr_status_name(s));
            assert_true(s == WR_OOM || s == WR_OK);
            if (n.live) print_error("allocation %u: %zu bytes leak\n", i, n.live);
            assert_int_equal(n.live, 0);
        }
    }
    for (u32 i = 0; i < MODULES; i++) free(code[i].data);
}

static void test_failing_allocations_are_reported_and_leak_nothing(void **state)
{
    (void)state;
    static const wr_backend_t backends[] = {WR_BACKEND_TAIL, WR_BACKEND_LOOP};
    static const wr_memory_mode_t modes[] = {WR_MEMORY_AUTO, WR_MEMORY_EXPLICIT};
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO;
    assert_int_equal(sigaction(SIGSEGV, &act, NULL), 0);
    for (u32 i = 0; i < 4; i++) {
        wr_store_config_t config = {.backend = backends[i / 2], .memory_mode = modes[i % 2]};
        every_failure(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_allocations_are_reported_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
