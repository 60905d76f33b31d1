/* SPDX-License-Identifier: Apache-2.0 */
/* The embedder of world.h. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

/* cmocka puts its own fault handlers over the engine's at the start of each test. */
static struct sigaction cmockas[2];

static void on_fault(int sig, siginfo_t *info, void *context)
{
    if (wr_signal_try(sig, info, context)) return;
    (void)sigaction(sig, &cmockas[sig == SIGBUS], NULL); /* the fault repeats */
}

static void own_faults(void)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = on_fault;
    act.sa_flags = SA_SIGINFO | SA_ONSTACK;
    assert_int_equal(sigaction(SIGSEGV, &act, &cmockas[0]), 0);
    assert_int_equal(sigaction(SIGBUS, &act, &cmockas[1]), 0);
}

void world_init(struct world *w, const wr_store_config_t *config)
{
    memset(w, 0, sizeof *w);
    if (config) w->config = *config;
    w->engine = wr_engine_new(NULL);
    assert_non_null(w->engine);
    assert_int_equal(wr_store_new(w->engine, &w->config, &w->store, &w->err), WR_OK);
    assert_int_equal(wr_linker_new(w->engine, &w->linker, &w->err), WR_OK);
    if (w->config.memory_mode != WR_MEMORY_EXPLICIT) own_faults();
}

void world_free(struct world *w)
{
    wr_store_delete(w->store);
    wr_linker_delete(w->linker);
    for (u32 i = 0; i < w->module_count; i++) wr_module_delete(w->modules[i]);
    wr_engine_delete(w->engine);
    if (w->config.memory_mode == WR_MEMORY_EXPLICIT) return;
    (void)sigaction(SIGSEGV, &cmockas[0], NULL);
    (void)sigaction(SIGBUS, &cmockas[1], NULL);
}

/** True when this build and machine have what `config` asks for. */
static bool is_possible(const wr_store_config_t *config)
{
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_store_t *store = NULL;
    assert_non_null(engine);
    wr_status_t s = wr_store_new(engine, config, &store, NULL);
    assert_true(s == WR_OK || s == WR_UNSUPPORTED);
    wr_store_delete(store);
    wr_engine_delete(engine);
    return s == WR_OK;
}

void world_each_with(const wr_store_config_t *base, void (*test)(struct world *w))
{
    static const wr_backend_t backends[] = {WR_BACKEND_TAIL, WR_BACKEND_LOOP};
    static const wr_memory_mode_t modes[] = {WR_MEMORY_GUARD, WR_MEMORY_EXPLICIT};
    u32 done = 0;
    for (u32 i = 0; i < 4; i++) {
        wr_store_config_t config = *base;
        config.backend = backends[i / 2];
        config.memory_mode = modes[i % 2];
        if (!is_possible(&config)) continue;
        struct world w;
        world_init(&w, &config);
        test(&w);
        world_free(&w);
        done++;
    }
    assert_true(done > 0);
}

void world_each(void (*test)(struct world *w))
{
    static const wr_store_config_t none = {0};
    world_each_with(&none, test);
}

wr_module_t *world_module(struct world *w, struct wasm *code)
{
    struct wasm_bytes b = wasm_finish(code);
    wr_module_t *m = NULL;
    assert_true(w->module_count < WORLD_MODULES);
    wr_status_t s = wr_module_new(w->engine, b.data, b.size, &m, &w->err);
    free(b.data);
    if (s != WR_OK)
        print_error("%s (offset %llu)\n", w->err.text, (unsigned long long)w->err.offset);
    assert_int_equal(s, WR_OK);
    w->modules[w->module_count++] = m;
    return m;
}

wr_status_t world_try(struct world *w, struct wasm *code, wr_instance_t **out)
{
    wr_module_t *m = world_module(w, code);
    return wr_linker_instantiate(w->linker, w->store, m, NULL, out, &w->err);
}

wr_instance_t *world_instance(struct world *w, struct wasm *code)
{
    wr_instance_t *in = NULL;
    wr_status_t s = world_try(w, code, &in);
    if (s != WR_OK) print_error("%s\n", w->err.text);
    assert_int_equal(s, WR_OK);
    return in;
}

wr_instance_t *world_named(struct world *w, struct wasm *code, const char *name)
{
    wr_instance_t *in = world_instance(w, code);
    assert_int_equal(wr_linker_define_instance(w->linker, world_name(name), in, &w->err), WR_OK);
    return in;
}

void world_keep(void *ctx, const char *text, size_t size)
{
    struct world_text *t = ctx;
    assert_true(t->len + size < sizeof t->bytes);
    memcpy(t->bytes + t->len, text, size);
    t->len += size;
    t->bytes[t->len] = 0;
}

wr_name_t world_name(const char *s) { return (wr_name_t){.data = s, .size = strlen(s)}; }

wr_extern_t world_export(wr_instance_t *in, const char *name, wr_extern_kind_t kind)
{
    wr_extern_t e = {0};
    assert_true(wr_instance_export(in, world_name(name), &e));
    assert_int_equal(e.kind, kind);
    return e;
}

wr_func_t *world_func(wr_instance_t *in, const char *name)
{
    return world_export(in, name, WR_EXTERN_FUNC).of.func;
}

void world_typed(const wr_func_t *f, struct world_values args, wr_val_t *out)
{
    for (u32 i = 0; i < args.count; i++) {
        memset(&out[i], 0, sizeof out[i]);
        out[i].kind = wr_func_param(f, i);
        out[i].of.i64 = args.bits[i];
    }
}

u64 world_bits(const wr_val_t *v)
{
    switch (v->kind) {
    case WR_I32:
    case WR_F32: return v->of.i32;
    default: return v->of.i64;
    }
}

wr_status_t world_call(struct world *w, wr_instance_t *in, const char *name,
                       struct world_values args, struct world_values *results)
{
    wr_func_t *f = world_func(in, name);
    wr_val_t in_vals[WORLD_VALUES], out_vals[WORLD_VALUES];
    size_t n = wr_func_result_count(f);
    assert_true(n <= WORLD_VALUES);
    world_typed(f, args, in_vals);
    wr_status_t s = wr_call(w->store, f, in_vals, args.count, out_vals, n, &w->err);
    results->count = s == WR_OK ? (u32)n : 0;
    for (u32 i = 0; i < results->count; i++) results->bits[i] = world_bits(&out_vals[i]);
    return s;
}

u64 world_one(struct world *w, wr_instance_t *in, const char *name, struct world_values args)
{
    struct world_values r;
    wr_status_t s = world_call(w, in, name, args, &r);
    if (s != WR_OK) print_error("%s: %s\n", name, w->err.text);
    assert_int_equal(s, WR_OK);
    assert_int_equal(r.count, 1);
    return r.bits[0];
}

void world_gives(struct world *w, wr_instance_t *in, const char *name, struct world_values args,
                 struct world_values want)
{
    struct world_values r;
    wr_status_t s = world_call(w, in, name, args, &r);
    if (s != WR_OK) print_error("%s: %s\n", name, w->err.text);
    assert_int_equal(s, WR_OK);
    assert_int_equal(r.count, want.count);
    for (u32 i = 0; i < want.count; i++) {
        if (r.bits[i] != want.bits[i])
            print_error("%s: result %u is %llx, not %llx\n", name, i, (unsigned long long)r.bits[i],
                        (unsigned long long)want.bits[i]);
        assert_true(r.bits[i] == want.bits[i]);
    }
}

void world_traps(struct world *w, wr_instance_t *in, const char *name, struct world_values args,
                 const char *text)
{
    struct world_values r;
    wr_status_t s = world_call(w, in, name, args, &r);
    if (s != WR_TRAP) print_error("%s: %s instead of trap\n", name, wr_status_name(s));
    assert_int_equal(s, WR_TRAP);
    assert_non_null(w->err.trap);
    assert_string_equal(w->err.trap, text);
}
