/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions of several parts: which part trapped, what stays in its slot, that every part stands
 * alone too. What they compute is compared with the oracle by fuzz/exec_diff.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"
#include "translate/lower.h"

enum { OUTSIDE = 0x7ffffff0 };

static u64 trap_offset(struct world *w, wr_instance_t *in, const char *name,
                       struct world_values args)
{
    world_traps(w, in, name, args, "out of bounds memory access");
    assert_true(w->err.frames >= 1);
    return w->err.frame[0].file_offset;
}

static void places(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, NULL);
    /* nine bytes from one load to the next: local.get 2, i32.load 7 */
    wasm_func(&m, "iii:i", "loads", "",
              CODE(LOCAL_GET(0), I32_LOAD(0), LOCAL_GET(1), I32_LOAD(0), LOCAL_GET(2), I32_LOAD(0),
                   I32_ADD, I32_ADD));
    wasm_func(&m, "ii:", "update", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I32_LOAD(0), I32(1), I32_ADD, I32_STORE(0)));
    /* the address of the first load is that of the second */
    wasm_func(&m, "i:i", "chase", "", CODE(LOCAL_GET(0), I32_LOAD(0), I32_LOAD(0)));
    wasm_func(&m, "ii:", "set", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_STORE(0)));
    /* a call in one chain with a load: each has its own place in a backtrace */
    u32 callee = wasm_func(&m, "i:", NULL, "", CODE(UNREACHABLE));
    wasm_func(&m, "ii:", "call", "",
              CODE(LOCAL_GET(0), I32_LOAD(0), DROP, LOCAL_GET(1), I32_LOAD(0), CALL((u8)callee)));
    wr_instance_t *in = world_instance(w, &m);
    u64 first = trap_offset(w, in, "loads", ARGS(OUTSIDE, 0, 0));
    assert_int_equal(trap_offset(w, in, "loads", ARGS(0, OUTSIDE, 0)), first + 9);
    assert_int_equal(trap_offset(w, in, "loads", ARGS(0, 0, OUTSIDE)), first + 18);
    assert_int_equal(trap_offset(w, in, "loads", ARGS(0, OUTSIDE, OUTSIDE)), first + 9);
    u64 load = trap_offset(w, in, "update", ARGS(0, OUTSIDE));
    u64 store = trap_offset(w, in, "update", ARGS(OUTSIDE, 0));
    assert_true(store > load && store - load < 20);
    assert_int_equal(trap_offset(w, in, "update", ARGS(OUTSIDE, OUTSIDE)), load);
    world_gives(w, in, "set", ARGS(8, OUTSIDE), NO_ARGS);
    u64 one = trap_offset(w, in, "chase", ARGS(OUTSIDE));
    assert_int_equal(trap_offset(w, in, "chase", ARGS(8)), one + 7);
    u64 before = trap_offset(w, in, "call", ARGS(0, OUTSIDE));
    world_traps(w, in, "call", ARGS(0, 0), "unreachable");
    assert_int_equal(w->err.frames, 2);
    assert_int_equal(w->err.frame[1].file_offset, before + 7);
}
static void test_the_part_that_traps_is_named(void **state)
{
    (void)state;
    world_each(places);
}

static void kept(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, NULL);
    /* a result that a local keeps and the next part uses; then the local again */
    wasm_func(
        &m, "i:i", "tee", "i",
        CODE(LOCAL_GET(0), I32(3), I32_ADD, LOCAL_TEE(1), I32(10), I32_MUL, LOCAL_GET(1), I32_ADD));
    /* what a trap leaves behind: the local was written before the load */
    wasm_func(
        &m, "i:i", "twice", "i",
        CODE(LOCAL_GET(0), I32(4), I32_ADD, LOCAL_TEE(1), I32_LOAD(0), LOCAL_GET(1), I32_ADD));
    /* both inputs are the value just computed */
    wasm_func(
        &m, "i:i", "square", "i",
        CODE(LOCAL_GET(0), I32(1), I32_ADD, LOCAL_SET(1), LOCAL_GET(1), LOCAL_GET(1), I32_MUL));
    /* the constant is on the left of what does not commute, and of what does */
    wasm_func(&m, "i:i", "left", "",
              CODE(I32(100), LOCAL_GET(0), I32_SUB, I32(7), LOCAL_GET(0), I32_ADD, I32_MUL));
    /* eqz of eqz, of a comparison, of a local, before a branch */
    wasm_func(&m, "ii:i", "eqz", "",
              CODE(LOCAL_GET(0), I32_EQZ, I32_EQZ, IF(T_I32), LOCAL_GET(0), LOCAL_GET(1), I32_LT_S,
                   I32_EQZ, IF(T_I32), I32(1), ELSE, I32(2), END, ELSE, LOCAL_GET(1), I32_EQZ,
                   IF(T_I32), I32(3), ELSE, I32(4), END, END));
    /* eqz with something behind it is not the condition */
    wasm_func(
        &m, "ii:i", "or", "",
        CODE(LOCAL_GET(1), LOCAL_GET(0), I32_EQZ, I32_OR, IF(T_I32), I32(1), ELSE, I32(2), END));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "or", ARGS(5, 1), ARGS(1));
    world_gives(w, in, "or", ARGS(5, 0), ARGS(2));
    world_gives(w, in, "or", ARGS(0, 0), ARGS(1));
    world_gives(w, in, "tee", ARGS(4), ARGS(77));
    world_gives(w, in, "twice", ARGS(8), ARGS(12));
    world_traps(w, in, "twice", ARGS(OUTSIDE), "out of bounds memory access");
    world_gives(w, in, "square", ARGS(11), ARGS(144));
    world_gives(w, in, "left", ARGS(3), ARGS(970));
    world_gives(w, in, "eqz", ARGS(5, 9), ARGS(2));
    world_gives(w, in, "eqz", ARGS(9, 5), ARGS(1));
    world_gives(w, in, "eqz", ARGS(0, 0), ARGS(3));
    world_gives(w, in, "eqz", ARGS(0, 5), ARGS(4));
}
static void test_results_used_at_once_are_kept_where_a_local_wants_them(void **state)
{
    (void)state;
    world_each(kept);
}

/** Whatever the table of chains lacks, each part must exist alone, in every backend. */
static void test_every_part_stands_alone(void **state)
{
    (void)state;
    for (u32 part = 0; part < VM_PART_COUNT; part++) {
        u32 form = part == VM_PART_const32 ? VM_FROM_CONST : 0; /* all from slots */
        vm_ir op = vm_first((vm_part)part, form);
        if (op >= VM_IR_GENERIC_COUNT) print_error("part %u has no instruction\n", part);
        assert_true(op < VM_IR_GENERIC_COUNT);
    }
}

static void test_every_chain_is_found_from_what_it_is_made_of(void **state)
{
    (void)state;
    for (vm_ir op = VM_IR_OTHER_COUNT; op < VM_IR_FIRST_PINNED; op++) {
        const struct vm_ir_step *s = &vm_ir_steps[op];
        vm_ir parent = (vm_ir)s->parent;
        vm_part part = (vm_part)s->part;
        vm_ir found =
            parent == VM_IR_COUNT ? vm_first(part, s->form) : vm_chain(parent, part, s->form);
        assert_int_equal(found, op);
        if (parent != VM_IR_COUNT) assert_true(vm_may_chain(parent, part));
    }
}

static void test_what_is_found_was_asked_for(void **state)
{
    (void)state;
    u32 found = 0;
    for (vm_ir from = 0; from < VM_IR_FIRST_PINNED; from++) {
        for (u32 k = 0; k < 4 * VM_PART_COUNT; k++) { /* no operands, or the one before is first */
            u32 form = k % 2 * VM_FROM_CHAIN | k / 2 % 2 * VM_FORM_KEEP;
            vm_ir op = vm_chain(from, (vm_part)(k / 4), form);
            if (op == VM_IR_COUNT) continue;
            assert_int_equal(vm_ir_steps[op].parent, from);
            assert_int_equal(vm_ir_steps[op].part, k / 4);
            assert_int_equal(vm_ir_steps[op].form, form);
            found++;
        }
    }
    if (VM_IR_COUNT > VM_IR_GENERIC_COUNT) assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_part_that_traps_is_named),
        cmocka_unit_test(test_results_used_at_once_are_kept_where_a_local_wants_them),
        cmocka_unit_test(test_every_part_stands_alone),
        cmocka_unit_test(test_every_chain_is_found_from_what_it_is_made_of),
        cmocka_unit_test(test_what_is_found_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
