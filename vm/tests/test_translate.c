/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What translated code does where translation is delicate: deferred operands, branches with
 * operands, frames beyond 16-bit slot numbers. Behaviour only. Calls are in test_calls.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

/* -------- deferred reads of locals */

static void deferred_reads(struct world *w)
{
    struct wasm m = {0};
    /* old value survives the write: x - 5 */
    wasm_func(&m, "i:i", "set", "",
              CODE(LOCAL_GET(0), I32(5), LOCAL_SET(0), LOCAL_GET(0), I32_SUB));
    wasm_func(&m, "i:i", "tee", "", CODE(LOCAL_GET(0), I32(5), LOCAL_TEE(0), I32_SUB));
    /* two pending reads and a self-assignment between: x + x - 3 */
    wasm_func(&m, "i:i", "twice", "",
              CODE(LOCAL_GET(0), LOCAL_GET(0), LOCAL_GET(0), LOCAL_SET(0), I32(3), LOCAL_SET(0),
                   I32_ADD, LOCAL_GET(0), I32_SUB));
    /* a result folded into a local that is pending: x * 100 + (x + 1) */
    wasm_func(&m, "i:i", "fold", "",
              CODE(LOCAL_GET(0), LOCAL_GET(0), I32(1), I32_ADD, LOCAL_SET(0), I32(100), I32_MUL,
                   LOCAL_GET(0), I32_ADD));
    /* pending across a block that writes, and across one that writes on one path only */
    wasm_func(&m, "i:i", "block", "",
              CODE(LOCAL_GET(0), BLOCK(VOID), I32(7), LOCAL_SET(0), END, LOCAL_GET(0), I32_SUB));
    wasm_func(&m, "ii:i", "if", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), IF(VOID), I32(7), LOCAL_SET(0), END, LOCAL_GET(0),
                   I32_SUB));
    /* swap through the stack: 10 * y + x */
    wasm_func(&m, "ii:i", "swap", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_SET(0), LOCAL_SET(1), LOCAL_GET(0), I32(10),
                   I32_MUL, LOCAL_GET(1), I32_ADD));
    /* a loop that shifts three locals: fib */
    wasm_func(&m, "i:i", "fib", "ii",
              CODE(I32(1), LOCAL_SET(2), BLOCK(VOID), LOOP(VOID), LOCAL_GET(0), I32_EQZ, BR_IF(1),
                   LOCAL_GET(2), LOCAL_GET(1), LOCAL_GET(2), I32_ADD, LOCAL_SET(2), LOCAL_SET(1),
                   LOCAL_GET(0), I32(1), I32_SUB, LOCAL_SET(0), BR(0), END, END, LOCAL_GET(1)));
    /* the condition's operand is overwritten between comparison and use */
    wasm_func(&m, "ii:i", "stale", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I32_LT_S, I32(99), LOCAL_SET(0), IF(T_I32),
                   LOCAL_GET(0), ELSE, LOCAL_GET(1), END));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "set", ARGS(20), ARGS(15));
    world_gives(w, in, "tee", ARGS(20), ARGS(15));
    world_gives(w, in, "twice", ARGS(20), ARGS(37));
    world_gives(w, in, "fold", ARGS(4), ARGS(405));
    world_gives(w, in, "block", ARGS(20), ARGS(13));
    world_gives(w, in, "if", ARGS(20, 1), ARGS(13));
    world_gives(w, in, "if", ARGS(20, 0), ARGS(0));
    world_gives(w, in, "swap", ARGS(3, 8), ARGS(83));
    world_gives(w, in, "fib", ARGS(30), ARGS(832040));
    world_gives(w, in, "stale", ARGS(1, 2), ARGS(99));
    world_gives(w, in, "stale", ARGS(2, 1), ARGS(1));
}
static void test_deferred_reads_keep_their_value(void **state)
{
    (void)state;
    world_each(deferred_reads);
}

/* -------- results that overlap parameters */

static void swaps(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "ii:ii", "swap", "", CODE(LOCAL_GET(1), LOCAL_GET(0)));
    wasm_func(&m, "iIF:FiI", "rotate", "", CODE(LOCAL_GET(2), LOCAL_GET(0), LOCAL_GET(1), RETURN));
    wasm_func(&m, "iiii:iiii", "reverse", "",
              CODE(LOCAL_GET(3), LOCAL_GET(2), LOCAL_GET(1), LOCAL_GET(0), BR(0)));
    wasm_func(
        &m, "ii:ii", "maybe", "",
        CODE(LOCAL_GET(1), LOCAL_GET(0), LOCAL_GET(0), BR_IF(0), DROP, DROP, I32(7), LOCAL_GET(0)));
    wasm_func(&m, "ii:iiiiii", "six", "",
              CODE(LOCAL_GET(1), LOCAL_GET(0), I32(1), LOCAL_GET(1), LOCAL_GET(0), I32(-2)));
    wasm_func(&m, "iiiiii:i", "fewer", "", CODE(LOCAL_GET(5)));
    wasm_func(&m, "iii:ii", "mixed", "",
              CODE(LOCAL_GET(1), LOCAL_GET(0), LOCAL_GET(2), I32_ADD, BR(0)));
    /* the callee's results overlap the arguments in the caller's frame too */
    wasm_func(&m, "ii:ii", "twice", "", CODE(LOCAL_GET(0), LOCAL_GET(1), CALL(0), CALL(0)));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "swap", ARGS(1, 2), ARGS(2, 1));
    world_gives(w, in, "rotate", ARGS(1, 2, 3), ARGS(3, 1, 2));
    world_gives(w, in, "reverse", ARGS(1, 2, 3, 4), ARGS(4, 3, 2, 1));
    world_gives(w, in, "maybe", ARGS(1, 2), ARGS(2, 1));
    world_gives(w, in, "maybe", ARGS(0, 2), ARGS(7, 0));
    world_gives(w, in, "six", ARGS(8, 9), ARGS(9, 8, 1, 9, 8, 0xfffffffe));
    world_gives(w, in, "fewer", ARGS(1, 2, 3, 4, 5, 6), ARGS(6));
    world_gives(w, in, "mixed", ARGS(1, 2, 3), ARGS(2, 4));
    world_gives(w, in, "twice", ARGS(5, 6), ARGS(5, 6));
}
static void test_results_over_parameters_are_not_mixed_up(void **state)
{
    (void)state;
    world_each(swaps);
}

/* -------- branches with operands */

static void branch_operands(struct world *w)
{
    struct wasm m = {0};
    u32 two = wasm_type(&m, ":ii"), sum = wasm_type(&m, "ii:i"), big = wasm_type(&m, ":iiiiii");
    /* junk below the label's operand is dropped on the way out */
    wasm_func(&m, "i:i", "outer", "",
              CODE(BLOCK(T_I32), I32(50), I32(60), BLOCK(T_I32), I32(1), I32(2), LOCAL_GET(0),
                   BR_IF(1), I32_ADD, END, I32_ADD, I32_ADD, END));
    wasm_func(&m, "i:ii", "outer2", "",
              CODE(BLOCK((u8)two), I32(50), I32(60), LOCAL_GET(0), LOCAL_GET(0), I32(1), I32_ADD,
                   LOCAL_GET(0), BR_IF(0), DROP, DROP, END));
    wasm_func(&m, "i:iiiiii", "six", "",
              CODE(BLOCK((u8)big), I32(99), I32(1), LOCAL_GET(0), I32(3), I32(4), I32(5), I32(6),
                   LOCAL_GET(0), BR_IF(0), DROP, DROP, DROP, DROP, DROP, DROP, DROP, I32(-1),
                   I32(-1), I32(-1), I32(-1), I32(-1), I32(-1), END));
    /* br_if leaves its operands to the code behind it */
    wasm_func(&m, "i:i", "kept", "",
              CODE(BLOCK(T_I32), I32(9), LOCAL_GET(0), I32(4), I32_ADD, LOCAL_GET(0), BR_IF(0),
                   I32_SUB, END));
    /* a loop with two parameters: n! */
    wasm_func(&m, "i:i", "factorial", "",
              CODE(I32(1), LOCAL_GET(0), LOOP((u8)sum), LOCAL_SET(0), LOCAL_GET(0), I32_MUL,
                   LOCAL_GET(0), I32(1), I32_SUB, LOCAL_GET(0), I32(2), I32_GT_S, BR_IF(0), DROP,
                   END));
    /* loop parameters arrive from another height than the back-edge's */
    wasm_func(&m, "i:i", "loop_junk", "",
              CODE(I32(77), LOCAL_GET(0), I32(0), LOOP((u8)sum), I32_ADD, LOCAL_TEE(0), I32(1000),
                   LOCAL_GET(0), I32(1), LOCAL_GET(0), I32(10), I32_LT_S, BR_IF(0), DROP, DROP,
                   DROP, END, I32_ADD));
    /* if with parameters and two arms */
    wasm_func(
        &m, "iii:i", "if_params", "",
        CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), IF((u8)sum), I32_ADD, ELSE, I32_SUB, END));
    wasm_func(&m, "i:i", "if_no_else", "", CODE(LOCAL_GET(0), LOCAL_GET(0), IF(VOID), NOP, END));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "outer", ARGS(1), ARGS(2));
    world_gives(w, in, "outer", ARGS(0), ARGS(113));
    world_gives(w, in, "outer2", ARGS(4), ARGS(4, 5));
    world_gives(w, in, "outer2", ARGS(0), ARGS(50, 60));
    world_gives(w, in, "six", ARGS(2), ARGS(1, 2, 3, 4, 5, 6));
    world_gives(w, in, "six", ARGS(0),
                ARGS(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX));
    world_gives(w, in, "kept", ARGS(1), ARGS(5));
    world_gives(w, in, "kept", ARGS(0), ARGS(5));
    world_gives(w, in, "factorial", ARGS(10), ARGS(3628800));
    world_gives(w, in, "loop_junk", ARGS(3), ARGS(87));
    world_gives(w, in, "if_params", ARGS(7, 2, 1), ARGS(9));
    world_gives(w, in, "if_params", ARGS(7, 2, 0), ARGS(5));
    world_gives(w, in, "if_no_else", ARGS(6), ARGS(6));
}
static void test_branches_carry_their_operands(void **state)
{
    (void)state;
    world_each(branch_operands);
}

static void br_tables(struct world *w)
{
    struct wasm m = {0};
    /* one operand; targets: inner, outer, the function, outer again */
    wasm_func(&m, "i:i", "one", "",
              CODE(BLOCK(T_I32), I32(50), BLOCK(T_I32), LOCAL_GET(0), I32(10), I32_ADD,
                   LOCAL_GET(0), BR_TABLE, 3, 0, 1, 2, 1, END, /* inner */ I32_ADD, END,
                   /* outer */ I32(100), I32_ADD));
    /* no operands, a loop among the targets: counts down, then leaves */
    wasm_func(&m, "i:i", "loop", "i",
              CODE(BLOCK(VOID), LOOP(VOID), LOCAL_GET(1), I32(1), I32_ADD, LOCAL_SET(1),
                   LOCAL_GET(0), I32(1), I32_SUB, LOCAL_TEE(0), I32(0), I32_GT_S, BR_TABLE, 1, 1, 0,
                   END, END, LOCAL_GET(1)));
    /* only a default */
    wasm_func(&m, "i:i", "default", "",
              CODE(BLOCK(VOID), LOCAL_GET(0), BR_TABLE, 0, 0, END, LOCAL_GET(0)));
    /* six results and the function label twice */
    u32 six = wasm_type(&m, ":iiiiii");
    wasm_func(&m, "i:iiiiii", "six", "",
              CODE(BLOCK((u8)six), I32(0), I32(1), I32(2), LOCAL_GET(0), I32(4), I32(5), I32(6),
                   LOCAL_GET(0), BR_TABLE, 2, 1, 0, 1, END, DROP, I32(60)));
    /* a loop with a parameter as target, deeper stack at the branch */
    u32 id = wasm_type(&m, "i:i");
    wasm_func(&m, "i:i", "param", "",
              CODE(LOCAL_GET(0), BLOCK((u8)id), LOOP((u8)id), LOCAL_SET(0), I32(5), LOCAL_GET(0),
                   I32(1), I32_SUB, LOCAL_GET(0), I32(3), I32_LT_S, BR_TABLE, 1, 0, 1, END, END));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "one", ARGS(0), ARGS(160));
    world_gives(w, in, "one", ARGS(1), ARGS(111));
    world_gives(w, in, "one", ARGS(2), ARGS(12));
    world_gives(w, in, "one", ARGS(3), ARGS(113));
    world_gives(w, in, "one", ARGS(0xffffffff), ARGS(109));
    world_gives(w, in, "loop", ARGS(5), ARGS(5));
    world_gives(w, in, "loop", ARGS(0xffffffff), ARGS(1));
    world_gives(w, in, "default", ARGS(7), ARGS(7));
    world_gives(w, in, "six", ARGS(0), ARGS(1, 2, 0, 4, 5, 6));
    world_gives(w, in, "six", ARGS(1), ARGS(1, 2, 1, 4, 5, 60));
    world_gives(w, in, "six", ARGS(9), ARGS(1, 2, 9, 4, 5, 6));
    world_gives(w, in, "param", ARGS(9), ARGS(1));
}
static void test_br_table_carries_operands_to_every_label(void **state)
{
    (void)state;
    world_each(br_tables);
}

/** A table of `n` targets in a loop of blocks; each target adds its number. */
static void many_targets(struct world *w)
{
    enum { DEPTH = 200, TARGETS = 5000 };
    struct wasm_bytes b = {0};
    for (u32 i = 0; i < DEPTH; i++) wasm_put(&b, (const u8[]){BLOCK(T_I32), I32(1)}, 8);
    wasm_put(&b, (const u8[]){I32(7), LOCAL_GET(0), BR_TABLE}, 9);
    wasm_put_u32(&b, TARGETS);
    for (u32 i = 0; i <= TARGETS; i++) wasm_put_u32(&b, i % DEPTH);
    for (u32 i = 0; i < DEPTH; i++) wasm_put(&b, (const u8[]){END, I32_ADD}, i + 1 < DEPTH ? 2 : 1);
    struct wasm m = {0};
    wasm_func(&m, "i:i", "f", "", (struct wasm_code){b.data, b.size});
    free(b.data);
    wr_instance_t *in = world_instance(w, &m);
    /* leaving label k skips k additions of 1; the innermost block adds none */
    for (u32 i = 0; i < 5200; i += 37) {
        u32 label = (i < TARGETS ? i : TARGETS) % DEPTH;
        world_gives(w, in, "f", ARGS(i), ARGS(7 + DEPTH - 1 - label));
    }
}
static void test_br_table_with_thousands_of_targets(void **state)
{
    (void)state;
    world_each(many_targets);
}

/* -------- conditions folded into branches */

static void folded_conditions(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "ii:i", "if_lt", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I32_LT_S, IF(T_I32), I32(1), ELSE, I32(2), END));
    wasm_func(
        &m, "ii:i", "if_not_lt", "",
        CODE(LOCAL_GET(0), LOCAL_GET(1), I32_LT_S, I32_EQZ, IF(T_I32), I32(1), ELSE, I32(2), END));
    wasm_func(&m, "i:i", "if_const_left", "",
              CODE(I32(10), LOCAL_GET(0), I32_LT_S, IF(T_I32), I32(1), ELSE, I32(2), END));
    wasm_func(
        &m, "FF:i", "if_float", "",
        CODE(LOCAL_GET(0), LOCAL_GET(1), 0x63, I32_EQZ, IF(T_I32), I32(1), ELSE, I32(2), END));
    wasm_func(&m, "i:i", "eqz_eqz", "", CODE(LOCAL_GET(0), I32_EQZ, I32_EQZ));
    wasm_func(&m, "i:i", "eqz_tee", "i",
              CODE(LOCAL_GET(0), I32_EQZ, LOCAL_TEE(1), IF(T_I32), LOCAL_GET(1), ELSE, LOCAL_GET(1),
                   I32(5), I32_ADD, END));
    wasm_func(&m, "ii:i", "cmp_tee", "i",
              CODE(LOCAL_GET(0), LOCAL_GET(1), I32_LT_S, LOCAL_TEE(2), IF(T_I32), LOCAL_GET(2),
                   ELSE, LOCAL_GET(2), I32(5), I32_ADD, END));
    wasm_func(&m, "I:i", "wide_const", "", /* a constant beyond 32 bits */
              CODE(LOCAL_GET(0), 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x51, IF(T_I32), I32(1),
                   ELSE, I32(2), END));
    wasm_func(&m, "I:i", "minus_one", "", CODE(LOCAL_GET(0), I64(-1), 0x51));
    wasm_func(&m, "i:i", "const_cond", "",
              CODE(I32(1), IF(T_I32), LOCAL_GET(0), ELSE, I32(2), END));
    wasm_func(&m, "iii:i", "select", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), LOCAL_GET(0), I32_GT_S, SELECT));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "if_lt", ARGS(1, 2), ARGS(1));
    world_gives(w, in, "if_lt", ARGS(2, 2), ARGS(2));
    world_gives(w, in, "if_not_lt", ARGS(1, 2), ARGS(2));
    world_gives(w, in, "if_not_lt", ARGS(2, 2), ARGS(1));
    world_gives(w, in, "if_const_left", ARGS(11), ARGS(1));
    world_gives(w, in, "if_const_left", ARGS(10), ARGS(2));
    u64 one = 0x3ff0000000000000, two = 0x4000000000000000, nan = 0x7ff8000000000000;
    world_gives(w, in, "if_float", ARGS(one, two), ARGS(2));
    world_gives(w, in, "if_float", ARGS(two, one), ARGS(1));
    world_gives(w, in, "if_float", ARGS(nan, one), ARGS(1));
    world_gives(w, in, "eqz_eqz", ARGS(7), ARGS(1));
    world_gives(w, in, "eqz_eqz", ARGS(0), ARGS(0));
    world_gives(w, in, "eqz_tee", ARGS(0), ARGS(1));
    world_gives(w, in, "eqz_tee", ARGS(3), ARGS(5));
    world_gives(w, in, "cmp_tee", ARGS(1, 2), ARGS(1));
    world_gives(w, in, "cmp_tee", ARGS(2, 1), ARGS(5));
    world_gives(w, in, "wide_const", ARGS((u64)1 << 35), ARGS(1));
    world_gives(w, in, "wide_const", ARGS(0), ARGS(2));
    world_gives(w, in, "minus_one", ARGS(UINT64_MAX), ARGS(1));
    world_gives(w, in, "minus_one", ARGS(UINT32_MAX), ARGS(0));
    world_gives(w, in, "const_cond", ARGS(9), ARGS(9));
    world_gives(w, in, "select", ARGS(1, 2, 3), ARGS(1));
    world_gives(w, in, "select", ARGS(3, 2, 1), ARGS(2));
}
static void test_folded_conditions_keep_their_sense(void **state)
{
    (void)state;
    world_each(folded_conditions);
}

/* -------- dead code */

static void dead_code(struct world *w)
{
    struct wasm m = {0};
    u32 two = wasm_type(&m, ":ii");
    wasm_func(&m, "i:i", "behind_br", "",
              CODE(BLOCK(T_I32), LOCAL_GET(0), BR(0), I32_ADD, DROP, BLOCK(VOID), LOOP(VOID), BR(1),
                   END, END, IF(T_I32), I32(1), ELSE, I32(2), END, END));
    wasm_func(&m, "i:i", "dead_then", "",
              CODE(LOCAL_GET(0), IF(T_I32), I32(5), RETURN, ELSE, I32(6), END, I32(10), I32_ADD));
    wasm_func(&m, "i:i", "dead_else", "",
              CODE(LOCAL_GET(0), IF(T_I32), I32(5), ELSE, I32(6), RETURN, END, I32(10), I32_ADD));
    wasm_func(&m, "i:i", "both_dead", "",
              CODE(LOCAL_GET(0), IF(VOID), I32(5), RETURN, ELSE, I32(6), RETURN, END, UNREACHABLE));
    wasm_func(&m, "i:ii", "dead_block", "",
              CODE(BLOCK((u8)two), LOCAL_GET(0), LOCAL_GET(0), BR(0), BLOCK(VOID), END, I32(1),
                   LOCAL_SET(0), END));
    wasm_func(&m, "i:i", "nested", "",
              CODE(BLOCK(VOID), BR(0), BLOCK(VOID), BLOCK(VOID), I32(0), IF(VOID), ELSE, END,
                   I32(0), BR_TABLE, 1, 0, 2, END, END, END, LOCAL_GET(0)));
    wasm_func(&m, "i:i", "only_dead", "", CODE(LOCAL_GET(0), RETURN, I32(1), I32(2), I32_ADD));
    wasm_func(&m, ":", "empty", "", NO_CODE);
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "behind_br", ARGS(3), ARGS(3));
    world_gives(w, in, "dead_then", ARGS(1), ARGS(5));
    world_gives(w, in, "dead_then", ARGS(0), ARGS(16));
    world_gives(w, in, "dead_else", ARGS(1), ARGS(15));
    world_gives(w, in, "dead_else", ARGS(0), ARGS(6));
    world_gives(w, in, "both_dead", ARGS(0), ARGS(6));
    world_gives(w, in, "dead_block", ARGS(3), ARGS(3, 3));
    world_gives(w, in, "nested", ARGS(3), ARGS(3));
    world_gives(w, in, "only_dead", ARGS(3), ARGS(3));
    world_gives(w, in, "empty", NO_ARGS, NO_ARGS);
}
static void test_dead_code_is_skipped(void **state)
{
    (void)state;
    world_each(dead_code);
}

/* -------- frames past 32,767 slots: locals 33,000 to 39,999 and all operands are far */

enum { FAR = 40000 };

static void far_frames(struct world *w)
{
    struct wasm m = {0};
    u32 pair = wasm_type(&m, "ii:ii"), callee = wasm_type(&m, "ii:i");
    wasm_memory(&m, 1, 2, NULL);
    wasm_table(&m, 'r', 4, UINT32_MAX, NULL);
    wasm_global(&m, 'I', true, CODE(I64(5)), NULL);
    u32 sub = wasm_func(&m, "ii:i", "sub", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_SUB));
    wasm_elem(&m, 0, 1, &sub, 1);
    wasm_func_locals(&m, "ii:i", "locals", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(35000), LOCAL_GET(1), LOCAL_TEE_FAR(39999),
                          LOCAL_SET(3), LOCAL_GET_FAR(35000), I32(10), I32_MUL,
                          LOCAL_GET_FAR(39999), I32_ADD, LOCAL_GET_FAR(38000), I32_ADD,
                          LOCAL_GET(3), I32_ADD));
    wasm_func_locals(&m, "ii:i", "deferred", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(35000), LOCAL_GET_FAR(35000), LOCAL_GET(1),
                          LOCAL_SET_FAR(35000), LOCAL_GET_FAR(35000), I32_SUB));
    wasm_func_locals(&m, "ii:i", "calls", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(36000), LOCAL_GET_FAR(36000), LOCAL_GET(1),
                          CALL((u8)sub), I32(1), I32(1), CALL_INDIRECT((u8)callee, 0), I32(100),
                          I32_MUL, LOCAL_GET_FAR(36000), I32_ADD));
    wasm_func_locals(&m, "i:i", "table", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(39000), BLOCK(T_I32), BLOCK(T_I32), I32(5),
                          LOCAL_GET_FAR(39000), BR_TABLE, 2, 0, 1, 2, END, I32(10), I32_ADD, END,
                          I32(20), I32_ADD));
    wasm_func_locals(&m, "ii:i", "branch", FAR, 'i',
                     CODE(LOCAL_GET(1), LOCAL_SET_FAR(39000), BLOCK(T_I32), I32(1), I32(2),
                          LOCAL_GET(0), LOCAL_GET_FAR(39000), I32_LT_S, BR_IF(0), I32_ADD, END));
    wasm_func_locals(&m, "ii:ii", "swap", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(33000), LOCAL_GET(1), LOCAL_GET_FAR(33000),
                          BLOCK((u8)pair), NOP, END));
    wasm_func_locals(&m, "i:i", "memory", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(33000), I32(64), LOCAL_GET_FAR(33000),
                          I32_STORE(4), I32(68), I32_LOAD(0), I32(1), MEMORY_GROW, I32_ADD,
                          MEMORY_SIZE, I32_ADD));
    wasm_func_locals(&m, "I:I", "wide", FAR, 'I',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(33000), 0x42, 0x80, 0x80, 0x80, 0x80, 0x80,
                          0x01, LOCAL_GET_FAR(33000), I64_ADD, GLOBAL_GET(0), I64_ADD,
                          LOCAL_TEE_FAR(39999), GLOBAL_SET(0), LOCAL_GET_FAR(39999)));
    wasm_func_locals(&m, "iii:i", "select", FAR, 'i',
                     CODE(LOCAL_GET(2), LOCAL_SET_FAR(33000), LOCAL_GET(0), LOCAL_SET_FAR(39000),
                          LOCAL_GET_FAR(39000), LOCAL_GET(1), LOCAL_GET_FAR(33000), SELECT));
    wasm_func_locals(&m, "i:i", "tables", FAR, 'i',
                     CODE(LOCAL_GET(0), TABLE_GET(0), REF_IS_NULL, I32(10), I32_MUL, REF_NULL_FUNC,
                          I32(3), TABLE_GROW(0), I32_ADD, TABLE_SIZE(0), I32_ADD));
    wasm_func_locals(&m, "ii:i", "tail", FAR, 'i',
                     CODE(LOCAL_GET(0), LOCAL_SET_FAR(33000), LOCAL_GET_FAR(33000), LOCAL_GET(1),
                          RETURN_CALL((u8)sub)));
    wasm_func_locals(
        &m, "i:i", "trap", FAR, 'i',
        CODE(I32(1), LOCAL_GET(0), LOCAL_SET_FAR(33000), LOCAL_GET_FAR(33000), I32_DIV_S));
    wasm_func_locals(&m, "i:i", "fib", FAR, 'i',
                     CODE(LOCAL_GET(0), I32(2), I32_LT_S, IF(T_I32), LOCAL_GET(0), ELSE,
                          LOCAL_GET(0), I32(1), I32_SUB, CALL(13), LOCAL_GET(0), I32(2), I32_SUB,
                          CALL(13), I32_ADD, END));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "locals", ARGS(4, 3), ARGS(46));
    world_gives(w, in, "deferred", ARGS(9, 2), ARGS(7));
    world_gives(w, in, "calls", ARGS(9, 2), ARGS(609));
    world_gives(w, in, "table", ARGS(0), ARGS(35));
    world_gives(w, in, "table", ARGS(1), ARGS(25));
    world_gives(w, in, "table", ARGS(2), ARGS(5));
    world_gives(w, in, "branch", ARGS(1, 2), ARGS(2));
    world_gives(w, in, "branch", ARGS(2, 1), ARGS(3));
    world_gives(w, in, "swap", ARGS(1, 2), ARGS(2, 1));
    world_gives(w, in, "memory", ARGS(100), ARGS(103));
    world_gives(w, in, "memory", ARGS(100), ARGS(101)); /* cannot grow again */
    world_gives(w, in, "wide", ARGS(1), ARGS(((u64)1 << 35) + 6));
    world_gives(w, in, "select", ARGS(1, 2, 0), ARGS(2));
    world_gives(w, in, "select", ARGS(1, 2, 1), ARGS(1));
    world_gives(w, in, "tables", ARGS(0), ARGS(21));
    world_gives(w, in, "tables", ARGS(1), ARGS(17));
    world_gives(w, in, "tail", ARGS(9, 4), ARGS(5));
    world_traps(w, in, "trap", ARGS(0), "integer divide by zero");
    world_gives(w, in, "fib", ARGS(7), ARGS(13)); /* 7 frames of 320 kB */
    world_traps(w, in, "fib", ARGS(100), "call stack exhausted");
    world_gives(w, in, "fib", ARGS(7), ARGS(13));
}
static void test_frames_past_16_bit_slots(void **state)
{
    (void)state;
    world_each(far_frames);
}

/** More operands than near slots with few locals: the operand stack itself gets far. */
static void far_operands(struct world *w)
{
    enum { COUNT = 40000 };
    struct wasm_bytes b = {0};
    for (u32 i = 0; i < COUNT; i++) wasm_put(&b, (const u8[]){LOCAL_GET(0), I32_EQZ}, 3);
    for (u32 i = 1; i < COUNT; i++) wasm_put_u8(&b, I32_ADD);
    struct wasm m = {0};
    wasm_func(&m, "i:i", "f", "", (struct wasm_code){b.data, b.size});
    free(b.data);
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "f", ARGS(0), ARGS(COUNT));
    world_gives(w, in, "f", ARGS(1), ARGS(0));
}
static void test_operands_past_16_bit_slots(void **state)
{
    (void)state;
    world_each(far_operands);
}

/** A frame above the limit ends the call, not the process; the rest of the module works. */
static void too_large(struct world *w)
{
    enum { COUNT = 990000 };
    struct wasm_bytes b = {0};
    for (u32 i = 0; i < COUNT; i++) wasm_put(&b, (const u8[]){LOCAL_GET(0)}, 2);
    for (u32 i = 0; i < COUNT; i++) wasm_put_u8(&b, DROP);
    struct wasm m = {0};
    wasm_func_locals(&m, "i:", "f", 49999, 'i', (struct wasm_code){b.data, b.size});
    wasm_func(&m, "i:i", "ok", "", CODE(LOCAL_GET(0)));
    free(b.data);
    wr_instance_t *in = world_instance(w, &m);
    struct world_values r;
    for (u32 i = 0; i < 2; i++) {
        assert_int_equal(world_call(w, in, "f", ARGS(0), &r), WR_LIMIT);
        assert_string_equal(w->err.text, "a function is too large to be translated");
        world_gives(w, in, "ok", ARGS(6), ARGS(6));
    }
}
static void test_frame_over_the_limit_is_reported(void **state)
{
    (void)state;
    world_each(too_large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deferred_reads_keep_their_value),
        cmocka_unit_test(test_results_over_parameters_are_not_mixed_up),
        cmocka_unit_test(test_branches_carry_their_operands),
        cmocka_unit_test(test_br_table_carries_operands_to_every_label),
        cmocka_unit_test(test_br_table_with_thousands_of_targets),
        cmocka_unit_test(test_folded_conditions_keep_their_sense),
        cmocka_unit_test(test_dead_code_is_skipped),
        cmocka_unit_test(test_frames_past_16_bit_slots),
        cmocka_unit_test(test_operands_past_16_bit_slots),
        cmocka_unit_test(test_frame_over_the_limit_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
