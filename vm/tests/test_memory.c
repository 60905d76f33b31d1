/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linear memory: guard pages and explicit checks agree at every boundary; growth; the fallback
 * when address space is short; faults that are not a guest's. What ends or changes a process runs
 * in a child.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/world.h"

static const char oob[] = "out of bounds memory access";

/* -------- every load and store at the edges */

enum { PAGES = 2, END_OF_MEMORY = PAGES * 65536 };

static const struct access {
    const char *name;
    u8 opcode;
    u8 bytes;
    char type;
    bool is_store;
} accesses[] = {
    {"i32.load", 0x28, 4, 'i', false},     {"i64.load", 0x29, 8, 'I', false},
    {"f32.load", 0x2a, 4, 'f', false},     {"f64.load", 0x2b, 8, 'F', false},
    {"i32.load8_s", 0x2c, 1, 'i', false},  {"i32.load8_u", 0x2d, 1, 'i', false},
    {"i32.load16_s", 0x2e, 2, 'i', false}, {"i32.load16_u", 0x2f, 2, 'i', false},
    {"i64.load8_s", 0x30, 1, 'I', false},  {"i64.load8_u", 0x31, 1, 'I', false},
    {"i64.load16_s", 0x32, 2, 'I', false}, {"i64.load16_u", 0x33, 2, 'I', false},
    {"i64.load32_s", 0x34, 4, 'I', false}, {"i64.load32_u", 0x35, 4, 'I', false},
    {"i32.store", 0x36, 4, 'i', true},     {"i64.store", 0x37, 8, 'I', true},
    {"f32.store", 0x38, 4, 'f', true},     {"f64.store", 0x39, 8, 'F', true},
    {"i32.store8", 0x3a, 1, 'i', true},    {"i32.store16", 0x3b, 2, 'i', true},
    {"i64.store8", 0x3c, 1, 'I', true},    {"i64.store16", 0x3d, 2, 'I', true},
    {"i64.store32", 0x3e, 4, 'I', true},
};
static const u32 offsets[] = {0, 1, 65536, END_OF_MEMORY - 1, 0x7fffffff, 0x80000000, 0xffffffff};

/** "a" accesses at parameter + offset; a load's value is dropped, a trap must happen all the same.
 */
static wr_instance_t *accessor(struct world *w, const struct access *a, u32 offset)
{
    char signature[4] = "i:";
    struct wasm m = {0};
    wasm_memory(&m, PAGES, PAGES, "memory");
    if (a->is_store) {
        signature[1] = a->type;
        signature[2] = ':';
        wasm_func(&m, signature, "a", "",
                  CODE(LOCAL_GET(0), LOCAL_GET(1), a->opcode, 0, LEB5_U(offset)));
    } else {
        wasm_func(&m, signature, "a", "", CODE(LOCAL_GET(0), a->opcode, 0, LEB5_U(offset), DROP));
        signature[2] = a->type;
        wasm_func(&m, signature, "value", "", CODE(LOCAL_GET(0), a->opcode, 0, LEB5_U(offset)));
    }
    return world_instance(w, &m);
}

static u64 read_le(const u8 *p, u32 n)
{
    u64 v = 0;
    memcpy(&v, p, n);
    return v;
}

static u64 loaded(const struct access *a, const u8 *p)
{
    u64 v = read_le(p, a->bytes);
    bool is_signed = strstr(a->name, "_s") != NULL;
    u32 bits = 8u * a->bytes;
    if (is_signed && v >> (bits - 1)) v |= ~(u64)0 << bits;
    return a->type == 'i' || a->type == 'f' ? (u32)v : v;
}

static void check_inside(struct world *w, const struct access *a, wr_instance_t *in, u32 addr,
                         u64 ea)
{
    wr_memory_t *memory = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    u8 *p = wr_memory_data(memory) + ea;
    if (!a->is_store) {
        for (u32 i = 0; i < a->bytes; i++) p[i] = (u8)(0xf1 + i);
        world_gives(w, in, "a", ARGS(addr), NO_ARGS);
        world_gives(w, in, "value", ARGS(addr), ARGS(loaded(a, p)));
        return;
    }
    u64 value = 0x8877665544332211;
    memset(p, 0, a->bytes);
    u8 before = ea ? p[-1] : 0, behind = ea + a->bytes < END_OF_MEMORY ? p[a->bytes] : 0;
    world_gives(w, in, "a", ARGS(addr, value), NO_ARGS);
    assert_memory_equal(p, &value, a->bytes);
    if (ea) assert_int_equal(p[-1], before);
    if (ea + a->bytes < END_OF_MEMORY) assert_int_equal(p[a->bytes], behind);
}

static void check_address(struct world *w, const struct access *a, wr_instance_t *in, u32 addr,
                          u32 offset)
{
    u64 ea = (u64)addr + offset;
    if (ea + a->bytes <= END_OF_MEMORY) {
        check_inside(w, a, in, addr, ea);
        return;
    }
    struct world_values args = {.count = a->is_store ? 2 : 1, .bits = {addr, UINT64_MAX}};
    wr_memory_t *memory = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    u8 *last = wr_memory_data(memory) + END_OF_MEMORY - 16, copy[16];
    memcpy(copy, last, 16);
    world_traps(w, in, "a", args, oob);
    assert_memory_equal(last, copy, 16); /* nothing half written */
}

static void edges(struct world *w)
{
    for (u32 i = 0; i < VM_COUNT(accesses); i++) {
        const struct access *a = &accesses[i];
        for (u32 k = 0; k < VM_COUNT(offsets); k++) {
            struct world own; /* few instances a store: each memory is a reservation */
            world_init(&own, &w->config);
            wr_instance_t *in = accessor(&own, a, offsets[k]);
            u32 at_end = END_OF_MEMORY - a->bytes - offsets[k]; /* wraps for large offsets */
            const u32 addrs[] = {
                0,          1,          at_end - 1, at_end,    at_end + 1, END_OF_MEMORY,
                0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
            for (u32 n = 0; n < VM_COUNT(addrs); n++)
                check_address(&own, a, in, addrs[n], offsets[k]);
            world_free(&own);
        }
    }
}
static void test_loads_and_stores_at_every_edge(void **state)
{
    (void)state;
    world_each(edges);
}

/* -------- growth */

static void growth(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 4, "memory");
    wasm_func(&m, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    wasm_func(&m, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD(0)));
    wasm_func(&m, "ii:", "store", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_STORE(0)));
    wasm_func(&m, ":i", "size", "", CODE(MEMORY_SIZE));
    wr_instance_t *in = world_instance(w, &m);
    wr_memory_t *memory = world_export(in, "memory", WR_EXTERN_MEMORY).of.memory;
    u8 *base = wr_memory_data(memory);
    for (u32 pages = 1; pages < 4; pages++) {
        world_traps(w, in, "load", ARGS(pages * 65536 - 3), oob);
        world_traps(w, in, "store", ARGS(pages * 65536 - 1, 0xffffffff), oob);
        world_gives(w, in, "store", ARGS(pages * 65536 - 4, pages), NO_ARGS);
        world_gives(w, in, "grow", ARGS(1), ARGS(pages));
        world_gives(w, in, "load", ARGS(pages * 65536), ARGS(0)); /* new pages are zero */
        world_gives(w, in, "load", ARGS(pages * 65536 - 4), ARGS(pages));
        world_gives(w, in, "size", NO_ARGS, ARGS(pages + 1));
        assert_ptr_equal(wr_memory_data(memory), base);
    }
    world_gives(w, in, "grow", ARGS(1), ARGS(UINT32_MAX));
    world_gives(w, in, "grow", ARGS(0xffffffff), ARGS(UINT32_MAX));
    world_gives(w, in, "grow", ARGS(65536), ARGS(UINT32_MAX));
    world_gives(w, in, "grow", ARGS(0), ARGS(4));
    /* memory without a maximum: up to 65,536 pages; committing is not touching */
    wasm_memory(&m, 0, UINT32_MAX, NULL);
    wasm_func(&m, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    wasm_func(&m, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD(0)));
    in = world_instance(w, &m);
    world_traps(w, in, "load", ARGS(0), oob);
    if (VM_SANITIZED) return;
    world_gives(w, in, "grow", ARGS(65537), ARGS(UINT32_MAX));
    struct world_values r;
    assert_int_equal(world_call(w, in, "grow", ARGS(65536), &r), WR_OK);
    if (r.bits[0] == UINT32_MAX) return; /* a machine that refuses 4 GiB */
    world_gives(w, in, "load", ARGS(0xfffffffc), ARGS(0));
    world_traps(w, in, "load", ARGS(0xfffffffd), oob);
    world_gives(w, in, "grow", ARGS(1), ARGS(UINT32_MAX));
}
static void test_growth_keeps_base_and_contents(void **state)
{
    (void)state;
    world_each(growth);
}

/* -------- children */

/** Runs `body` in a child; its wait status. */
static int in_child(void (*body)(void))
{
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int s = 1; s < 32; s++) (void)signal(s, SIG_DFL); /* without cmocka's handlers */
        body();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/** In a child nothing of cmocka may be used. */
#define CHECK(x) ((x) ? (void)0 : (fprintf(stderr, "%d: %s\n", __LINE__, #x), _exit(1)))

struct small {
    wr_engine_t *engine;
    wr_module_t *module;
    wr_store_t *store;
    wr_linker_t *linker;
    wr_instance_t *in;
    wr_func_t *load;
};

/** A store with one instance of a module that has a memory and load(addr). */
static wr_status_t small_new(struct small *s, wr_memory_mode_t mode)
{
    struct wasm m = {0};
    wr_store_config_t config = {.memory_mode = mode};
    wr_extern_t e;
    wasm_memory(&m, 1, UINT32_MAX, "memory");
    wasm_func(&m, "i:i", "load", "", CODE(LOCAL_GET(0), I32_LOAD(0)));
    wasm_func(&m, "i:i", "grow", "", CODE(LOCAL_GET(0), MEMORY_GROW));
    struct wasm_bytes b = wasm_finish(&m);
    s->engine = wr_engine_new(NULL);
    CHECK(s->engine);
    CHECK(wr_module_new(s->engine, b.data, b.size, &s->module, NULL) == WR_OK);
    free(b.data);
    wr_status_t status = wr_store_new(s->engine, &config, &s->store, NULL);
    if (status != WR_OK) return status;
    CHECK(wr_linker_new(s->engine, &s->linker, NULL) == WR_OK);
    status = wr_linker_instantiate(s->linker, s->store, s->module, NULL, &s->in, NULL);
    if (status != WR_OK) return status;
    CHECK(wr_instance_export(s->in, world_name("load"), &e));
    s->load = e.of.func;
    return WR_OK;
}

static void small_delete(struct small *s)
{
    wr_store_delete(s->store);
    wr_linker_delete(s->linker);
    wr_module_delete(s->module);
    wr_engine_delete(s->engine);
}

static wr_status_t small_call(struct small *s, wr_func_t *f, u32 arg, u32 *result)
{
    wr_val_t a = {.kind = WR_I32, .of.i32 = arg}, r = {.kind = WR_I32};
    wr_error_t err;
    wr_status_t status = wr_call(s->store, f, &a, 1, &r, 1, &err);
    *result = r.of.i32;
    if (status == WR_TRAP) CHECK(strcmp(err.trap, oob) == 0);
    return status;
}

/** Inside is read, outside traps, both often. */
static void small_check(struct small *s)
{
    u32 v;
    for (u32 i = 0; i < 10; i++) {
        CHECK(small_call(s, s->load, 65532, &v) == WR_OK);
        CHECK(small_call(s, s->load, 65533, &v) == WR_TRAP);
        CHECK(small_call(s, s->load, 0xffffffff, &v) == WR_TRAP);
    }
}

static void exit_0_with_guard(void)
{
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_store_config_t config = {.memory_mode = WR_MEMORY_GUARD};
    wr_store_t *store = NULL;
    _exit(wr_store_new(engine, &config, &store, NULL) == WR_OK ? 0 : 2);
}

/** Asked in a child, so that the engine's handlers are not installed in this process yet. */
static bool has_guard(void) { return in_child(exit_0_with_guard) == 0; }

/* -------- little address space */

static void short_of_address_space(void)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)1 << 30, .rlim_max = (rlim_t)1 << 30};
    struct small s = {0};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(small_new(&s, WR_MEMORY_AUTO) == WR_OK);
    small_check(&s);
    wr_extern_t e;
    u32 v;
    CHECK(wr_instance_export(s.in, world_name("memory"), &e));
    u8 *base = wr_memory_data(e.of.memory);
    CHECK(wr_instance_export(s.in, world_name("grow"), &e));
    CHECK(small_call(&s, e.of.func, 10, &v) == WR_OK && v == 1);
    CHECK(small_call(&s, s.load, 11 * 65536 - 4, &v) == WR_OK);
    CHECK(small_call(&s, s.load, 11 * 65536 - 3, &v) == WR_TRAP);
    CHECK(small_call(&s, e.of.func, 60000, &v) == WR_OK && v == UINT32_MAX);
    CHECK(wr_instance_export(s.in, world_name("memory"), &e));
    CHECK(wr_memory_data(e.of.memory) == base);
    small_delete(&s);
}
static void test_short_address_space_falls_back_to_checks(void **state)
{
    (void)state;
    if (VM_SANITIZED) skip(); /* its shadow needs more */
    assert_int_equal(in_child(short_of_address_space), 0);
}

/* -------- faults */

static volatile sig_atomic_t seen; /* faults that reached the test's own handler */
static u8 *trap_page;              /* inaccessible until the handler opens it */

static void own_handler(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    seen = seen + 1;
    if ((u8 *)info->si_addr != trap_page) _exit(3);
    if (mprotect(trap_page, 4096, PROT_READ | PROT_WRITE) != 0) _exit(4);
}

static void own_handler_trying(int sig, siginfo_t *info, void *context)
{
    if (!wr_signal_try(sig, info, context)) own_handler(sig, info, context);
}

static void install(void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_sigaction = handler;
    act.sa_flags = SA_SIGINFO;
    CHECK(sigaction(SIGSEGV, &act, NULL) == 0 && sigaction(SIGBUS, &act, NULL) == 0);
}

static void make_trap_page(void)
{
    void *p = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    trap_page = p;
}

/** A fault of the host's own. */
static void touch_trap_page(void) { CHECK(*(volatile u8 *)trap_page == 0); }

static void handler_before(void)
{
    struct small s = {0};
    make_trap_page();
    install(own_handler);
    CHECK(small_new(&s, WR_MEMORY_GUARD) == WR_OK);
    small_check(&s);
    CHECK(seen == 0);
    touch_trap_page(); /* is not a guest's: reaches the handler that was there before */
    CHECK(seen == 1);
    small_check(&s);
    CHECK(seen == 1);
    small_delete(&s);
}

static void handler_after(void)
{
    struct small s = {0};
    make_trap_page();
    CHECK(small_new(&s, WR_MEMORY_GUARD) == WR_OK);
    install(own_handler_trying);
    small_check(&s);
    CHECK(seen == 0);
    touch_trap_page();
    CHECK(seen == 1);
    small_check(&s);
    small_delete(&s);
}

static void no_handler(void)
{
    struct small s = {0};
    make_trap_page();
    CHECK(small_new(&s, WR_MEMORY_GUARD) == WR_OK);
    small_check(&s);
    touch_trap_page(); /* kills */
}

/** Not a fault at all: sent by somebody, or raised. */
static void sent(void)
{
    struct small s = {0};
    CHECK(small_new(&s, WR_MEMORY_GUARD) == WR_OK);
    (void)raise(SIGSEGV);
    _exit(0);
}

static void explicit_installs_nothing(void)
{
    struct small s = {0};
    struct sigaction act;
    CHECK(small_new(&s, WR_MEMORY_EXPLICIT) == WR_OK);
    small_check(&s);
    CHECK(sigaction(SIGSEGV, NULL, &act) == 0);
    CHECK(act.sa_handler == SIG_DFL);
    small_delete(&s);
}

static void *thread_body(void *arg)
{
    struct small s = {0};
    sigset_t all;
    (void)arg;
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGSEGV);
    (void)sigdelset(&all, SIGBUS);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    CHECK(small_new(&s, WR_MEMORY_GUARD) == WR_OK);
    small_check(&s);
    small_delete(&s);
    return NULL;
}

static void threads(void)
{
    struct small s = {0};
    pthread_t t[3];
    for (u32 i = 0; i < 3; i++) CHECK(pthread_create(&t[i], NULL, thread_body, NULL) == 0);
    CHECK(small_new(&s, WR_MEMORY_GUARD) == WR_OK);
    small_check(&s);
    for (u32 i = 0; i < 3; i++) CHECK(pthread_join(t[i], NULL) == 0);
    small_delete(&s);
}

static void test_faults_of_others_reach_the_former_handler(void **state)
{
    (void)state;
    if (VM_SANITIZED || !has_guard()) skip();
    assert_int_equal(in_child(handler_before), 0);
}

static void test_handler_installed_later_uses_wr_signal_try(void **state)
{
    (void)state;
    if (VM_SANITIZED || !has_guard()) skip();
    assert_int_equal(in_child(handler_after), 0);
}

static void test_fault_of_the_host_kills_as_without_the_engine(void **state)
{
    (void)state;
    if (VM_SANITIZED || !has_guard()) skip();
    int status = in_child(no_handler);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    status = in_child(sent);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void test_explicit_mode_installs_no_handler(void **state)
{
    (void)state;
    if (VM_SANITIZED) skip();
    assert_int_equal(in_child(explicit_installs_nothing), 0);
}

static void test_guards_work_on_every_thread(void **state)
{
    (void)state;
    if (!has_guard()) skip();
    assert_int_equal(in_child(threads), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* children first: in them the engine's handlers are not installed yet */
        cmocka_unit_test(test_explicit_mode_installs_no_handler),
        cmocka_unit_test(test_short_address_space_falls_back_to_checks),
        cmocka_unit_test(test_faults_of_others_reach_the_former_handler),
        cmocka_unit_test(test_handler_installed_later_uses_wr_signal_try),
        cmocka_unit_test(test_fault_of_the_host_kills_as_without_the_engine),
        cmocka_unit_test(test_guards_work_on_every_thread),
        cmocka_unit_test(test_loads_and_stores_at_every_edge),
        cmocka_unit_test(test_growth_keeps_base_and_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
