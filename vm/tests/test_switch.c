/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops that begin with a br_table: branches to them that know where they will go, to blocks still
 * open and to ones that have ended, and those that only seem to know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

enum { TURNS = 20 };

#define SET(local, value) I32(value), LOCAL_SET(local)
#define ADD(local, value) LOCAL_GET(local), I32(value), I32_ADD, LOCAL_SET(local)
/* the loop, blocks for places 0 to 3, the switch on local 1 (others: place 3), place 0 */
#define SWITCH_4                                                                                   \
    LOOP(VOID), BLOCK(VOID), BLOCK(VOID), BLOCK(VOID), BLOCK(VOID), LOCAL_GET(1), BR_TABLE, 3, 0,  \
        1, 2, 3, END

/** Parameter 0: turns; local 1: where to go; local 2: the sum. */
static void write_switches(struct wasm *m)
{
    wasm_func(m, "i:i", "steps", "ii",
              CODE(SWITCH_4, ADD(2, 1), SET(1, 1), BR(3), /* to place 1, which is to come */
                   END, ADD(2, 10), ADD(0, -1), BLOCK(VOID), LOCAL_GET(0), I32_EQZ, BR_IF(0),
                   SET(1, 0), BR(3), /* to place 0, which has been */
                   END, SET(1, 2), LOCAL_GET(2), I32(0), I32_LT_S, IF(VOID), SET(1, 9), END,
                   BR(2), /* one of two values: nothing is known */
                   END, ADD(2, 100), SET(1, 77), BR(1), /* to the default */
                   END, END, LOCAL_GET(2)));
    /* a value that is no longer there: place 0 sends to 1 at first, then to the parameter */
    wasm_func(m, "i:i", "late", "ii",
              CODE(SWITCH_4, SET(1, 1), LOCAL_GET(0), LOCAL_SET(1), BR(3), END, I32(5), RETURN, END,
                   I32(6), RETURN, END, END, I32(7)));
    /* br_if with a known value; the turn's other half comes from a tee */
    wasm_func(m, "i:i", "if", "ii",
              CODE(SWITCH_4, ADD(2, 1), SET(1, 0), LOCAL_GET(2), LOCAL_GET(0), I32_LT_S, BR_IF(3),
                   I32(2), LOCAL_TEE(1), LOCAL_SET(0), BR(3), END, UNREACHABLE, END, ADD(2, 1000),
                   SET(1, 3), BR(1), END, END, LOCAL_GET(2), LOCAL_GET(0), I32_ADD));
    /* something happens before the table in each turn: it must not be left out */
    wasm_func(m, "i:i", "first", "ii",
              CODE(LOOP(VOID), ADD(2, 1), BLOCK(VOID), BLOCK(VOID), LOCAL_GET(1), BR_TABLE, 1, 0, 1,
                   END, ADD(0, -1), LOCAL_GET(0), I32_EQZ, LOCAL_SET(1), LOCAL_GET(1), BR_IF(0),
                   SET(1, 0), BR(1), END, END, LOCAL_GET(2)));
}

static const struct {
    const char *name;
    u32 through; /* branches to the table's instruction, which is the loop's first */
} switches[] = {{"steps", 1}, {"late", 1}, {"if", 0}, {"first", 0}};

static u32 want(const char *name, u32 n)
{
    if (!strcmp(name, "steps")) return 11 * n + 100;
    if (!strcmp(name, "late")) return n == 1 ? 5 : n == 2 ? 6 : 7;
    if (!strcmp(name, "if")) return n + 1000 + 2;
    return n;
}

static void whole(struct world *w)
{
    struct wasm m = {0};
    write_switches(&m);
    wr_instance_t *in = world_instance(w, &m);
    if (w->config.use_fuel) wr_store_set_fuel(w->store, 1000000);
    for (u32 i = 0; i < VM_COUNT(switches); i++)
        for (u32 n = 1; n < TURNS; n++)
            assert_int_equal(world_one(w, in, switches[i].name, ARGS(n)),
                             want(switches[i].name, n));
}
static void test_switches_go_where_the_table_says(void **state)
{
    (void)state;
    world_each(whole);
}
static void test_with_fuel_too(void **state)
{
    (void)state;
    static const wr_store_config_t config = {.use_fuel = true};
    world_each_with(&config, whole);
}

/* ---- what the code looks like */

/** Targets that are the word of the br_table ("@WORD"). */
static u32 through_table(const char *text)
{
    const char *table = strstr(text, "br_table_s"), *line = table;
    u32 count = 0;
    assert_non_null(table);
    while (*line != '|') line--;
    unsigned long word = strtoul(line + 1, NULL, 10);
    for (const char *p = text; (p = strchr(p, '@')); p++) count += strtoul(p + 1, NULL, 10) == word;
    return count;
}

static void direct(struct world *w)
{
    struct wasm m = {0};
    struct world_text *t = calloc(1, sizeof *t);
    assert_non_null(t);
    write_switches(&m);
    wr_module_t *module = world_module(w, &m);
    for (u32 i = 0; i < VM_COUNT(switches); i++) {
        t->len = 0;
        assert_int_equal(wr_module_explore(module, switches[i].name, world_keep, t, &w->err),
                         WR_OK);
        assert_int_equal(through_table(t->bytes), switches[i].through);
    }
    free(t);
}
static void test_known_values_skip_the_table(void **state)
{
    (void)state;
    world_each(direct);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_switches_go_where_the_table_says),
        cmocka_unit_test(test_with_fuel_too),
        cmocka_unit_test(test_known_values_skip_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
