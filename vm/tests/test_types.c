/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vm/types: printing, limits and subtyping, local and canonical. */
#include "type_space.h"
#include "types/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vm_valtype ref_null_0[] = {REFN(0)};

/* -------- printing */

static void test_valtype_print(void **state)
{
    (void)state;
    static const struct {
        vm_valtype type;
        const char *text;
    } cases[] = {
        {VM_I32, "i32"},
        {VM_I64, "i64"},
        {VM_F32, "f32"},
        {VM_F64, "f64"},
        {VM_V128, "v128"},
        {VM_I8, "i8"},
        {VM_I16, "i16"},
        {VM_BOT, "bot"},
        {0x55, "?"},
        {VM_FUNCREF, "(ref null func)"},
        {VM_EXTERNREF, "(ref null extern)"},
        {VM_EXNREF, "(ref null exn)"},
        {REF(ABS(ANY)), "(ref any)"},
        {REF(ABS(EQ)), "(ref eq)"},
        {REF(ABS(I31)), "(ref i31)"},
        {REF(ABS(STRUCT)), "(ref struct)"},
        {REF(ABS(ARRAY)), "(ref array)"},
        {REFN(ABS(NONE)), "(ref null none)"},
        {REFN(ABS(NOFUNC)), "(ref null nofunc)"},
        {REFN(ABS(NOEXTERN)), "(ref null noextern)"},
        {REFN(ABS(NOEXN)), "(ref null noexn)"},
        {REF(3), "(ref 3)"},
        {REFN(1000000), "(ref null 1000000)"},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        char buf[40];
        assert_int_equal(vm_valtype_print(cases[i].type, buf, sizeof buf), strlen(cases[i].text));
        assert_string_equal(buf, cases[i].text);
    }
    char small[5];
    assert_int_equal(vm_valtype_print(VM_FUNCREF, small, sizeof small), 15);
    assert_string_equal(small, "(ref");
    assert_int_equal(vm_valtype_print(VM_FUNCREF, NULL, 0), 15);
}

static void test_functype_print(void **state)
{
    (void)state;
    static const vm_valtype types[] = {VM_I32, VM_I64, VM_F32};
    static const struct {
        struct vm_functype func;
        const char *text;
    } cases[] = {
        {{0, 0, 0, 0, NULL}, "(func)"},
        {{2, 1, 2, 1, types}, "(func (param i32 i64) (result f32))"},
        {{3, 0, 3, 0, types}, "(func (param i32 i64 f32))"},
        {{0, 2, 0, 2, types}, "(func (result i32 i64))"},
        {{1, 0, 1, 0, ref_null_0}, "(func (param (ref null 0)))"},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        char buf[100];
        usize len = strlen(cases[i].text);
        assert_int_equal(vm_functype_print(&cases[i].func, buf, sizeof buf), len);
        assert_string_equal(buf, cases[i].text);
        for (usize cap = 0; cap <= len; cap++) {
            char *cut = malloc(cap ? cap : 1);
            assert_int_equal(vm_functype_print(&cases[i].func, cut, cap), len);
            if (cap) assert_int_equal(strlen(cut), cap - 1);
            if (cap) assert_memory_equal(cut, cases[i].text, cap - 1);
            free(cut);
        }
    }
}

/* -------- limits */

static void test_limits_match(void **state)
{
    (void)state;
    static const struct {
        struct vm_limits have;
        u64 now;
        struct vm_limits want;
        bool match;
    } cases[] = {
        {{1, UINT64_MAX, false, false, false, 16},
         1,
         {1, UINT64_MAX, false, false, false, 16},
         true},
        {{1, UINT64_MAX, false, false, false, 16},
         1,
         {2, UINT64_MAX, false, false, false, 16},
         false},
        {{1, UINT64_MAX, false, false, false, 16},
         2,
         {2, UINT64_MAX, false, false, false, 16},
         true},
        {{1, UINT64_MAX, false, false, false, 16}, 1, {1, 5, true, false, false, 16}, false},
        {{1, 5, true, false, false, 16}, 1, {1, 5, true, false, false, 16}, true},
        {{1, 4, true, false, false, 16}, 1, {1, 5, true, false, false, 16}, true},
        {{1, 6, true, false, false, 16}, 1, {1, 5, true, false, false, 16}, false},
        {{1, 6, true, false, false, 16}, 1, {0, UINT64_MAX, false, false, false, 16}, true},
        {{1, 5, true, true, false, 16}, 1, {1, 5, true, false, false, 16}, false},
        {{1, 5, true, false, true, 16}, 1, {1, 5, true, false, false, 16}, false},
        {{1, 5, true, false, false, 0}, 1, {1, 5, true, false, false, 16}, false},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        if (vm_limits_match(&cases[i].have, cases[i].now, &cases[i].want) != cases[i].match)
            fail_msg("case %zu", i);
    }
}

/* -------- subtyping */

/* For each abstract heap type, those that it matches; all others it does not. */
static void test_abstract_lattice(void **state)
{
    (void)state;
    static const u32 all[] = {
        VM_HEAP_NOEXN, VM_HEAP_NOFUNC, VM_HEAP_NOEXTERN, VM_HEAP_NONE,
        VM_HEAP_FUNC,  VM_HEAP_EXTERN, VM_HEAP_ANY,      VM_HEAP_EQ,
        VM_HEAP_I31,   VM_HEAP_STRUCT, VM_HEAP_ARRAY,    VM_HEAP_EXN,
    };
    static const struct {
        u32 sub;
        u32 supers[6]; /* 0 ends */
    } rows[] = {
        {VM_HEAP_ANY, {VM_HEAP_ANY}},
        {VM_HEAP_EQ, {VM_HEAP_EQ, VM_HEAP_ANY}},
        {VM_HEAP_I31, {VM_HEAP_I31, VM_HEAP_EQ, VM_HEAP_ANY}},
        {VM_HEAP_STRUCT, {VM_HEAP_STRUCT, VM_HEAP_EQ, VM_HEAP_ANY}},
        {VM_HEAP_ARRAY, {VM_HEAP_ARRAY, VM_HEAP_EQ, VM_HEAP_ANY}},
        {VM_HEAP_NONE,
         {VM_HEAP_NONE, VM_HEAP_I31, VM_HEAP_STRUCT, VM_HEAP_ARRAY, VM_HEAP_EQ, VM_HEAP_ANY}},
        {VM_HEAP_FUNC, {VM_HEAP_FUNC}},
        {VM_HEAP_NOFUNC, {VM_HEAP_NOFUNC, VM_HEAP_FUNC}},
        {VM_HEAP_EXTERN, {VM_HEAP_EXTERN}},
        {VM_HEAP_NOEXTERN, {VM_HEAP_NOEXTERN, VM_HEAP_EXTERN}},
        {VM_HEAP_EXN, {VM_HEAP_EXN}},
        {VM_HEAP_NOEXN, {VM_HEAP_NOEXN, VM_HEAP_EXN}},
    };
    struct vm_typespace none = {0};
    for (usize i = 0; i < VM_COUNT(rows); i++) {
        for (usize j = 0; j < VM_COUNT(all); j++) {
            bool want = false;
            for (usize k = 0; k < 6; k++) {
                want |= rows[i].supers[k] == all[j];
            }
            u32 sub = VM_HEAP_ABSTRACT | rows[i].sub, super = VM_HEAP_ABSTRACT | all[j];
            if (vm_heap_matches(&none, sub, super) != want)
                fail_msg("%x <: %x", rows[i].sub, all[j]);
            assert_int_equal(vm_valtype_matches(&none, REF(sub), REF(super)), want);
            assert_int_equal(vm_valtype_matches(&none, REF(sub), REFN(super)), want);
            assert_int_equal(vm_valtype_matches(&none, REFN(sub), REFN(super)), want);
            assert_false(vm_valtype_matches(&none, REFN(sub), REF(super)));
        }
    }
}

/*
 * 0 (sub (func)), 1 (sub 0 (func)), 2 (sub final 1 (func)), 3 (sub (struct)), 4 (sub 3 (struct
 * i32)), 5 (array i8), 6 (func) final: not below 0
 */
static void lattice_space(struct space *s)
{
    static const struct vm_fieldtype i32_field[] = {{VM_I32, false}};
    static const struct vm_fieldtype i8_field[] = {{VM_I8, true}};
    space_init(s);
    add_func(s, VM_NO_TYPE, false, NULL, 0, 0);
    end_group(s);
    add_func(s, 0, false, NULL, 0, 0);
    end_group(s);
    add_func(s, 1, true, NULL, 0, 0);
    end_group(s);
    add_agg(s, VM_COMP_STRUCT, VM_NO_TYPE, false, NULL, 0);
    end_group(s);
    add_agg(s, VM_COMP_STRUCT, 3, true, i32_field, 1);
    end_group(s);
    add_agg(s, VM_COMP_ARRAY, VM_NO_TYPE, true, i8_field, 1);
    end_group(s);
    one_func(s, NULL, 0, 0);
}

static const struct {
    u32 sub, super;
    bool match;
} lattice_cases[] = {
    {0, 0, true},
    {1, 0, true},
    {2, 0, true},
    {2, 1, true},
    {0, 1, false},
    {1, 2, false},
    {6, 0, false},
    {0, 6, false},
    {3, 0, false},
    {4, 3, true},
    {3, 4, false},
    {5, 3, false},
    {0, ABS(FUNC), true},
    {2, ABS(FUNC), true},
    {0, ABS(NOFUNC), false},
    {0, ABS(ANY), false},
    {0, ABS(EXTERN), false},
    {3, ABS(STRUCT), true},
    {4, ABS(STRUCT), true},
    {4, ABS(EQ), true},
    {4, ABS(ANY), true},
    {4, ABS(ARRAY), false},
    {4, ABS(I31), false},
    {4, ABS(NONE), false},
    {4, ABS(FUNC), false},
    {5, ABS(ARRAY), true},
    {5, ABS(STRUCT), false},
    {5, ABS(EQ), true},
    {ABS(NOFUNC), 0, true},
    {ABS(NOFUNC), 2, true},
    {ABS(NOFUNC), 3, false},
    {ABS(NONE), 3, true},
    {ABS(NONE), 5, true},
    {ABS(NONE), 0, false},
    {ABS(NOEXTERN), 0, false},
    {ABS(NOEXN), 3, false},
    {ABS(FUNC), 0, false},
    {ABS(STRUCT), 3, false},
    {ABS(ANY), 3, false},
};

static void test_indexed_lattice(void **state)
{
    (void)state;
    struct space s;
    lattice_space(&s);
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_OK);
    for (usize i = 0; i < VM_COUNT(lattice_cases); i++) {
        u32 sub = lattice_cases[i].sub, super = lattice_cases[i].super;
        bool want = lattice_cases[i].match;
        if (vm_heap_matches(&s.ts, sub, super) != want) fail_msg("local case %zu", i);
        assert_int_equal(vm_valtype_matches(&s.ts, REF(sub), REFN(super)), want);
        assert_false(vm_valtype_matches(&s.ts, REFN(sub), REF(super)));
        if (!vm_heap_is_abstract(sub)) sub = s.canon[sub];
        if (!vm_heap_is_abstract(super)) super = s.canon[super];
        if (vm_types_valtype_matches(reg, REF(sub), REF(super)) != want)
            fail_msg("canonical case %zu", i);
        if (!vm_heap_is_abstract(sub) && !vm_heap_is_abstract(super)) {
            assert_int_equal(vm_types_match(reg, sub, super), want);
            assert_int_equal(vm_type_matches(&s.ts, lattice_cases[i].sub, lattice_cases[i].super),
                             want);
        }
    }
    vm_types_delete(reg);
}

static void test_valtype_matches_numbers_and_bottom(void **state)
{
    (void)state;
    struct vm_typespace none = {0};
    static const vm_valtype all[] = {VM_I32, VM_I64, VM_F32, VM_F64, VM_V128, VM_FUNCREF};
    for (usize i = 0; i < VM_COUNT(all); i++) {
        for (usize j = 0; j < VM_COUNT(all); j++) {
            assert_int_equal(vm_valtype_matches(&none, all[i], all[j]), i == j);
        }
        assert_true(vm_valtype_matches(&none, VM_BOT, all[i]));
        assert_false(vm_valtype_matches(&none, all[i], VM_BOT));
    }
    assert_false(vm_heap_matches(&none, 7, 8)); /* out of range: false, not a crash */
    assert_false(vm_heap_matches(&none, 7, ABS(FUNC)));
    assert_false(vm_heap_matches(&none, ABS(NONE), 7));
}

/* A chain as long as allowed, and one that never ends (as a broken type section might say). */
static void test_deep_chain_is_walked_and_cycle_ends(void **state)
{
    (void)state;
    enum { DEEP = VM_MAX_SUBTYPE_DEPTH + 1 };
    struct vm_deftype types[DEEP];
    memset(types, 0, sizeof types);
    for (u32 i = 0; i < DEEP; i++) {
        types[i].kind = VM_COMP_FUNC;
        types[i].super = i ? i - 1 : VM_NO_TYPE;
    }
    struct vm_typespace ts = {.types = types, .count = DEEP};
    assert_true(vm_type_matches(&ts, DEEP - 1, 0));
    assert_false(vm_type_matches(&ts, 0, DEEP - 1));
    types[0].super = 1;
    assert_false(vm_type_matches(&ts, 1, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valtype_print),
        cmocka_unit_test(test_functype_print),
        cmocka_unit_test(test_limits_match),
        cmocka_unit_test(test_abstract_lattice),
        cmocka_unit_test(test_indexed_lattice),
        cmocka_unit_test(test_valtype_matches_numbers_and_bottom),
        cmocka_unit_test(test_deep_chain_is_walked_and_cycle_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
