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
    wasm_func(&m, "i:i", "set", "", CODE(LOCAL_GET(0), I32(5), LOCAL_SET(0), LOCAL_GET(0), I32_SUB));
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
    wasm_func(&m, "ii:ii", "maybe", "",
              CODE(LOCAL_GET(1), LOCAL_GET(0), LOCAL_GET(0), BR_IF(0), DROP, DROP, I32(7),
                   LOCAL_GET(0)));
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
                   LOCAL_GET(0), BR_IF(0), DROP, DROP, DROP, DROP, DROP, DROP, DROP, I32(-1), I32(-1),
                   I32(-1), I32(-1), I32(-1), I32(-1), END));
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
                   LOCAL_GET(0), I32(1), LOCAL_GET(0), I32(10), I32_LT_S, BR_IF(0), DROP, DROP, DROP,
                   END, I32_ADD));
    /* if with parameters and two arms */
    wasm_func(&m, "iii:i", "if_params", "",
              CODE(LOCAL_GET(0), LOCAL_GET(1), LOCAL_GET(2), IF((u8)sum), I32_ADD, ELSE, I32_SUB,
                   END));
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
              CODE(BLOCK(T_I32), I32(50), BLOCK(T_I32), LOCAL_GET(0), I32(10), I32_ADD, LOCAL_GET(0),
                   BR_TABLE, 3, 0, 1, 2, 1, END, /* inner */ I32_ADD, END, /* outer */ I32(100),
                   I32_ADD));
    /* no operands, a loop among the targets: counts down, then leaves */
    wasm_func(&m, "i:i", "loop", "i",
              CODE(BLOCK(VOID), LOOP(VOID), LOCAL_GET(1), I32(1), I32_ADD, LOCAL_SET(1), LOCAL_GET(0),
                   I32(1), I32_SUB, LOCAL_TEE(0), I32(0), I32_GT_S, BR_TABLE, 1, 1, 0, END, END,
                   LOCAL_GET(1)));
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
    world_gives(w, in, "loop", ARGS(5), ARGS(1));
    world_gives(w, in, "loop", ARGS(0xffffffff), ARGS(0x7fffffff));
    world_gives(w, in, "default", ARGS(7), ARGS(7));
    world_gives(w, in, "six", ARGS(0), ARGS(1, 2, 0, 4, 5, 6));
    world_gives(w, in, "six", ARGS(1), ARGS(1, 2, 1, 4, 5, 60));
    world_gives(w, in, "six", ARGS(9), ARGS(1, 2, 9, 4, 5, 6));
    world_gives(w, in, "param", ARGS(9), ARGS(1));
}
