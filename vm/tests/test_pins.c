/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locals that are pinned, in builds that pin some (stress): written and read in every way, across
 * calls, stops and exceptions; and the table of forms with pins. Without pins the programs are
 * tests like others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "isa/handlers.h"
#include "runtime/exec.h" /* VM_STRESS */
#include "tests/world.h"

enum { POKE, INNER, TURNS = 40 };

/* ---- the guest; local 0 counts down */

#define COUNT_DOWN LOCAL_GET(0), I32(1), I32_SUB, LOCAL_TEE(0)
#define ADD_TO(l, value) LOCAL_GET(l), LOCAL_GET(value), I32_ADD, LOCAL_SET(l)
#define F64_CONST(high) 0x44, 0, 0, 0, 0, 0, 0, (high) & 0xff, (high) >> 8
#define F64_AS_I64 0xbd
#define I64_AS_F64 0xbf
#define I64_ADD128 0xfc, 19

/** Writes by moves, constants, results, selects and loads; reads behind each. */
static u64 every_write(u32 n)
{
    u32 a = 0, b = 0;
    do {
        b = a;
        a = 5;
        a += b;
        b += a;
        a = n & 1 ? a : b;
        a += b;
    } while (--n);
    return (u64)a + b;
}

/** A local that is written in one arm only, and by a tee in a condition. */
static u64 arms(u32 n)
{
    u32 a = 1, b = 0;
    do {
        if (n & 1)
            a += 3;
        else
            b += a;
        a = a + n;
        if (a > 90) a -= 60;
        b += a;
    } while (--n);
    return b;
}

/** A call of a function that has pins of its own. */
static u64 inner(u32 n)
{
    u32 s = 0;
    do s += n;
    while (--n);
    return s;
}
static u64 calls(u32 n)
{
    u32 s = 7;
    do s = s + (u32)inner(n) + n;
    while (--n);
    return s;
}

/** Bits of a float local as an integer, and back. */
static u64 bits(u32 n)
{
    f64 x = 1;
    u64 sum = 0, as;
    do {
        x += 0.5;
        memcpy(&as, &x, sizeof as);
        sum += as;
        as += 4096;
        memcpy(&x, &as, sizeof x);
    } while (--n);
    return sum;
}

/** An instruction with two results, one of which is the count of the loop. */
static u64 wide(u32 n)
{
    u64 low = 0, high = 0;
    do {
        low += UINT64_MAX - 5;
        high += low < UINT64_MAX - 5;
    } while (--n);
    return low + 3 * high;
}

/** Goes on by a table. */
static u64 table(u32 n)
{
    u32 a = 0;
    do {
        switch (n % 3) {
        case 0: a += 1; break;
        case 1: a += n;  /* fall through */
        default: a += 10;
        }
    } while (--n);
    return a;
}

/** What is thrown passes frames that have pins. */
static u64 thrown(u32 n)
{
    u32 s = 0;
    do s += n % 2 ? 100 : (u32)inner(n);
    while (--n);
    return s;
}

static const struct {
    const char *name;
    u64 (*want)(u32 n);
} loops[] = {{"every_write", every_write},
             {"arms", arms},
             {"calls", calls},
             {"bits", bits},
             {"wide", wide},
             {"table", table}};

static void write_inner(struct wasm *m)
{
    wasm_import_func(m, "h", "poke", ":");
    wasm_func(m, "i:i", "inner", "i",
              CODE(LOOP(VOID), ADD_TO(1, 0), CALL(POKE), COUNT_DOWN, BR_IF(0), END, LOCAL_GET(1)));
}

static void write_loops(struct wasm *m)
{
    write_inner(m);
    wasm_func(m, "i:I", "every_write", "ii",
              CODE(LOOP(VOID), LOCAL_GET(1), LOCAL_SET(2), I32(5), LOCAL_SET(1), ADD_TO(1, 2),
                   ADD_TO(2, 1), CALL(POKE), LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(0), I32(1),
                   I32_AND, SELECT, LOCAL_SET(1), LOCAL_GET(2), LOCAL_GET(1), I32_ADD, LOCAL_SET(1),
                   COUNT_DOWN, BR_IF(0), END, LOCAL_GET(1), I64_EXTEND_I32_U, LOCAL_GET(2),
                   I64_EXTEND_I32_U, I64_ADD));
    wasm_func(m, "i:I", "arms", "ii",
              CODE(I32(1), LOCAL_SET(1), LOOP(VOID), LOCAL_GET(0), I32(1), I32_AND, IF(VOID),
                   LOCAL_GET(1), I32(3), I32_ADD, LOCAL_SET(1), ELSE, ADD_TO(2, 1), END,
                   LOCAL_GET(1), LOCAL_GET(0), I32_ADD, LOCAL_TEE(1), I32(90), I32_GT_S, IF(VOID),
                   LOCAL_GET(1), I32(60), I32_SUB, LOCAL_SET(1), END, CALL(POKE), ADD_TO(2, 1),
                   COUNT_DOWN, BR_IF(0), END, LOCAL_GET(2), I64_EXTEND_I32_U));
    wasm_func(m, "i:I", "calls", "i",
              CODE(I32(7), LOCAL_SET(1), LOOP(VOID), LOCAL_GET(1), LOCAL_GET(0), CALL(INNER),
                   I32_ADD, LOCAL_GET(0), I32_ADD, LOCAL_SET(1), COUNT_DOWN, BR_IF(0), END,
                   LOCAL_GET(1), I64_EXTEND_I32_U));
    wasm_func(m, "i:I", "bits", "FI",
              CODE(F64_CONST(0x3ff0), LOCAL_SET(1), LOOP(VOID), LOCAL_GET(1), F64_CONST(0x3fe0),
                   F64_ADD, LOCAL_SET(1), CALL(POKE), LOCAL_GET(2), LOCAL_GET(1), F64_AS_I64,
                   I64_ADD, LOCAL_SET(2), LOCAL_GET(1), F64_AS_I64, I64(4096), I64_ADD, I64_AS_F64,
                   LOCAL_SET(1), COUNT_DOWN, BR_IF(0), END, LOCAL_GET(2)));
    wasm_func(m, "i:I", "wide", "II",
              CODE(LOOP(VOID), LOCAL_GET(1), LOCAL_GET(2), I64(-6), I64(0), I64_ADD128,
                   LOCAL_SET(2), LOCAL_SET(1), CALL(POKE), COUNT_DOWN, BR_IF(0), END, LOCAL_GET(2),
                   I64(3), I64_MUL, LOCAL_GET(1), I64_ADD));
    wasm_func(m, "i:I", "table", "i",
              CODE(LOOP(VOID), BLOCK(VOID), BLOCK(VOID), BLOCK(VOID), BLOCK(VOID), CALL(POKE),
                   LOCAL_GET(0), I32(3), 0x70 /* i32.rem_u */, BR_TABLE, 2, 0, 1, 2, END,
                   LOCAL_GET(1), I32(1), I32_ADD, LOCAL_SET(1), BR(2), END, ADD_TO(1, 0), END,
                   LOCAL_GET(1), I32(10), I32_ADD, LOCAL_SET(1), END, COUNT_DOWN, BR_IF(0), END,
                   LOCAL_GET(1), I64_EXTEND_I32_U));
}

/* ---- runs */

static wr_status_t host_poke(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    if (*(const bool *)env) wr_exec_interrupt(wr_call_exec(call));
    return WR_OK;
}

static wr_instance_t *guest(struct world *w, struct wasm *m, bool *interrupts)
{
    wr_status_t s = wr_linker_define_raw(w->linker, "h", "poke", ":", host_poke, interrupts, NULL);
    assert_int_equal(s, WR_OK);
    return world_instance(w, m);
}

/** The loops, in an engine that has wide arithmetic. */
static void write_all(struct world *w, struct wasm *m)
{
    wr_features_t set = wr_features_default();
    assert_int_equal(wr_features_parse("+wide-arithmetic", &set, NULL), WR_OK);
    wr_engine_set_features(w->engine, set);
    write_loops(m);
}

static void whole(struct world *w)
{
    bool interrupts = false;
    struct wasm m = {0};
    write_all(w, &m);
    wr_instance_t *in = guest(w, &m, &interrupts);
    for (u32 i = 0; i < VM_COUNT(loops); i++)
        for (u32 n = 1; n < TURNS; n++) {
            u64 got = world_one(w, in, loops[i].name, ARGS(n)), want = loops[i].want(n);
            if (got != want)
                fail_msg("%s(%u): %llx, not %llx", loops[i].name, n, (unsigned long long)got,
                         (unsigned long long)want);
        }
}
static void test_pinned_locals_are_what_was_written(void **state)
{
    (void)state;
    world_each(whole);
}

/** Runs to the end; at each stop another exec computes something with pins of its own. */
static u32 in_slices(struct world *w, wr_instance_t *in, const char *name, u64 want)
{
    wr_val_t arg = {.kind = WR_I32, .of.i32 = TURNS}, result;
    wr_exec_t *x = NULL;
    u32 stops = 0;
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    assert_int_equal(wr_exec_start(x, world_func(in, name), &arg, 1, &w->err), WR_OK);
    while (wr_exec_run(x, &w->err) == WR_YIELD) {
        stops++;
        world_gives(w, in, "other", ARGS(9), ARGS(9 * 0x1234567));
    }
    assert_int_equal(wr_exec_results(x, &result, 1), WR_OK);
    wr_exec_delete(x);
    assert_true(world_bits(&result) == want);
    return stops;
}

static void interrupted(struct world *w)
{
    bool interrupts = true;
    struct wasm m = {0};
    write_all(w, &m);
    wasm_func(&m, "i:i", "other", "i",
              CODE(LOOP(VOID), LOCAL_GET(1), I32(0x1234567), I32_ADD, LOCAL_SET(1), COUNT_DOWN,
                   BR_IF(0), END, LOCAL_GET(1)));
    wr_instance_t *in = guest(w, &m, &interrupts);
    for (u32 i = 0; i < VM_COUNT(loops); i++)
        assert_true(in_slices(w, in, loops[i].name, loops[i].want(TURNS)) > TURNS / 2);
}
static void test_stops_keep_pins(void **state)
{
    (void)state;
    world_each(interrupted);
}

static void passed(struct world *w)
{
    bool interrupts = false;
    struct wasm m = {0};
    write_inner(&m);
    u32 tag = wasm_tag(&m, "i:", NULL);
    u32 thrower = wasm_func(&m, "i:i", NULL, "i",
                            CODE(LOOP(VOID), LOCAL_GET(0), I32(1), I32_AND, IF(VOID), I32(100),
                                 THROW((u8)tag), END, LOCAL_GET(0), CALL(INNER), LOCAL_SET(1), END,
                                 LOCAL_GET(1)));
    u32 catcher = wasm_func(&m, "i:i", NULL, "",
                            CODE(BLOCK(T_I32), TRY_TABLE(T_I32, 1), ON((u8)tag, 0), LOCAL_GET(0),
                                 CALL((u8)thrower), END, END));
    wasm_func(&m, "i:I", "thrown", "i",
              CODE(LOOP(VOID), LOCAL_GET(1), LOCAL_GET(0), CALL((u8)catcher), I32_ADD, LOCAL_SET(1),
                   COUNT_DOWN, BR_IF(0), END, LOCAL_GET(1), I64_EXTEND_I32_U));
    wr_instance_t *in = guest(w, &m, &interrupts);
    for (u32 n = 1; n < TURNS; n++) assert_true(world_one(w, in, "thrown", ARGS(n)) == thrown(n));
}
static void test_exceptions_pass_frames_with_pins(void **state)
{
    (void)state;
    world_each(passed);
}

/* ---- what the code looks like */

static void explored(struct world *w)
{
    struct wasm m = {0};
    struct world_text *t = calloc(1, sizeof *t);
    bool fast = vm_backend_best() != VM_CODE_LOOP;
    assert_non_null(t);
    write_all(w, &m);
    wr_module_t *module = world_module(w, &m);
    for (u32 i = 0; i < VM_COUNT(loops); i++) {
        t->len = 0;
        assert_int_equal(wr_module_explore(module, loops[i].name, world_keep, t, &w->err), WR_OK);
        if (fast && !(strstr(t->bytes, "  pin ") && strstr(t->bytes, "_p")))
            fail_msg("%s", t->bytes);
    }
    free(t);
}
static void test_fast_code_has_pins(void **state)
{
    (void)state;
    if (VM_PINS == 0) {
        print_message("SKIPPED: no locals are pinned in this build (decision 0016)\n");
        skip();
    }
    world_each(explored);
}

/* ---- the table */

static void test_forms_are_found_by_their_pins(void **state)
{
    (void)state;
    for (vm_ir op = VM_IR_FIRST_PINNED; op < VM_IR_COUNT; op++) {
        const struct vm_ir_pinned *p = vm_ir_pinned(op);
        vm_ir of = vm_ir_unpinned(op);
        assert_int_equal(of, p->of);
        assert_true(p->pins != 0 && of < VM_IR_FIRST_PINNED);
        assert_int_equal(vm_ir_with_pins(of, p->pins, p->pins), op);
        /* with another pin in each place there is no such form, or it has others of these */
        vm_ir other = vm_ir_with_pins(of, p->pins ^ (p->pins & -p->pins), p->pins);
        assert_int_equal(other, VM_IR_COUNT);
    }
    assert_int_equal(vm_ir_unpinned(VM_IR_lazy), VM_IR_lazy);
    assert_int_equal(vm_ir_with_pins(VM_IR_GENERIC_COUNT - 1, 0, 0), VM_IR_GENERIC_COUNT - 1);
    if (VM_PINS) assert_true(VM_IR_PINNED_COUNT > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinned_locals_are_what_was_written),
        cmocka_unit_test(test_stops_keep_pins),
        cmocka_unit_test(test_exceptions_pass_frames_with_pins),
        cmocka_unit_test(test_fast_code_has_pins),
        cmocka_unit_test(test_forms_are_found_by_their_pins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
