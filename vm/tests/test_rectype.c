/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the registry of canonical types and of its numbers. */
#include "type_space.h"
#include "types/typeids.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const vm_valtype i32_i64[] = {VM_I32, VM_I64};
static const vm_valtype i32_f32[] = {VM_I32, VM_F32};
static const vm_valtype ref_0[] = {REF(0)};
static const vm_valtype ref_1[] = {REF(1)};
static const vm_valtype ref_null_0[] = {REFN(0)};

/* -------- canonical types */

static void test_equal_local_types_match_through_canon(void **state)
{
    (void)state;
    struct space s;
    space_init(&s);
    one_func(&s, i32_i64, 1, 1);
    one_func(&s, i32_i64, 1, 1);
    one_func(&s, ref_0, 1, 0);
    one_func(&s, ref_1, 1, 0);
    assert_false(vm_type_matches(&s.ts, 0, 1));
    assert_int_equal(vm_typespace_canon(&s.ts, &vm_alloc_libc, s.canon), VM_OK);
    s.ts.canon = s.canon;
    assert_true(vm_type_matches(&s.ts, 0, 1));
    assert_true(vm_type_matches(&s.ts, 2, 3));
    assert_true(vm_valtype_matches(&s.ts, REF(3), REFN(2)));
    assert_false(vm_type_matches(&s.ts, 0, 2));
}

/* Builders of one space each; the last type is the one compared. */
static void build_func_a(struct space *s) { one_func(s, i32_i64, 1, 1); }
static void build_func_two_params(struct space *s) { one_func(s, i32_i64, 2, 0); }
static void build_func_f32(struct space *s) { one_func(s, i32_f32, 1, 1); }
static void build_func_open(struct space *s)
{
    add_func(s, VM_NO_TYPE, false, i32_i64, 1, 1);
    end_group(s);
}
static void build_func_a_behind_others(struct space *s)
{
    one_func(s, i32_f32, 1, 1);
    one_func(s, i32_i64, 0, 2);
    one_func(s, i32_i64, 1, 1);
}
static void build_self_ref(struct space *s) { one_func(s, ref_0, 1, 0); }
static void build_self_ref_null(struct space *s) { one_func(s, ref_null_0, 1, 0); }
static void build_self_ref_second(struct space *s)
{
    one_func(s, i32_i64, 1, 1);
    one_func(s, ref_1, 1, 0);
}
static void build_ref_to_self_ref(struct space *s)
{
    one_func(s, ref_0, 1, 0);
    one_func(s, ref_0, 1, 0);
}
static void build_ref_to_func_a(struct space *s)
{
    one_func(s, i32_i64, 1, 1);
    one_func(s, ref_0, 1, 0);
}
static void build_ref_to_func_a_moved(struct space *s)
{
    one_func(s, i32_f32, 1, 1);
    one_func(s, i32_i64, 1, 1);
    one_func(s, ref_1, 1, 0);
}
static void build_pair(struct space *s) /* last of (rec (func (ref 0)) (func (ref 1))) */
{
    add_func(s, VM_NO_TYPE, true, ref_0, 1, 0);
    add_func(s, VM_NO_TYPE, true, ref_1, 1, 0);
    end_group(s);
}
static void build_pair_crossed(struct space *s)
{
    add_func(s, VM_NO_TYPE, true, ref_1, 1, 0);
    add_func(s, VM_NO_TYPE, true, ref_0, 1, 0);
    end_group(s);
}
static void build_sub_of_open(struct space *s)
{
    build_func_open(s);
    add_func(s, 0, true, i32_i64, 1, 1);
    end_group(s);
}
static void build_sub_inside_group(struct space *s)
{
    add_func(s, VM_NO_TYPE, false, i32_i64, 1, 1);
    add_func(s, 0, true, i32_i64, 1, 1);
    end_group(s);
}
static void build_struct_of(struct space *s, u8 kind, vm_valtype type, bool is_mutable)
{
    static struct vm_fieldtype fields[16];
    static u32 used;
    struct vm_fieldtype *f = &fields[used++ % VM_COUNT(fields)];
    *f = (struct vm_fieldtype){type, is_mutable};
    add_agg(s, kind, VM_NO_TYPE, true, f, 1);
    end_group(s);
}
static void build_struct(struct space *s) { build_struct_of(s, VM_COMP_STRUCT, VM_I8, true); }
static void build_struct_const(struct space *s)
{
    build_struct_of(s, VM_COMP_STRUCT, VM_I8, false);
}
static void build_struct_i16(struct space *s) { build_struct_of(s, VM_COMP_STRUCT, VM_I16, true); }
static void build_array(struct space *s) { build_struct_of(s, VM_COMP_ARRAY, VM_I8, true); }

typedef void (*builder)(struct space *s);

/* Same class: equal types. */
static const struct {
    builder build;
    int class;
} canon_cases[] = {
    {build_func_a, 1},
    {build_func_a_behind_others, 1},
    {build_func_two_params, 2},
    {build_func_f32, 3},
    {build_func_open, 4},
    {build_self_ref, 5},
    {build_self_ref_second, 5},
    {build_self_ref_null, 6},
    {build_ref_to_self_ref, 7},
    {build_ref_to_func_a, 8},
    {build_ref_to_func_a_moved, 8},
    {build_pair, 9},
    {build_pair_crossed, 10},
    {build_sub_of_open, 11},
    {build_sub_inside_group, 12},
    {build_struct, 13},
    {build_struct_const, 14},
    {build_struct_i16, 15},
    {build_array, 16},
    {build_array, 16},
};

static void test_equal_groups_share_numbers_across_modules(void **state)
{
    (void)state;
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    struct space spaces[VM_COUNT(canon_cases)];
    u32 last[VM_COUNT(canon_cases)];
    for (usize i = 0; i < VM_COUNT(canon_cases); i++) {
        struct space *s = &spaces[i];
        space_init(s);
        canon_cases[i].build(s);
        assert_int_equal(vm_types_intern(reg, &s->ts, s->canon), VM_OK);
        last[i] = s->canon[s->ts.count - 1];
        for (usize j = 0; j < i; j++) {
            bool want = canon_cases[i].class == canon_cases[j].class;
            if ((last[i] == last[j]) != want) fail_msg("cases %zu and %zu", i, j);
        }
    }
    for (usize i = 0; i < VM_COUNT(canon_cases); i++) {
        vm_types_release(reg, spaces[i].canon, &spaces[i].ts);
    }
    vm_types_delete(reg);
}

static void test_canonical_definition_has_canonical_references(void **state)
{
    (void)state;
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    struct space filler, s;
    space_init(&filler);
    one_func(&filler, i32_f32, 1, 1);
    assert_int_equal(vm_types_intern(reg, &filler.ts, filler.canon), VM_OK);

    space_init(&s);
    build_sub_of_open(&s);
    one_func(&s, ref_1, 1, 0);
    static const vm_valtype refs[] = {REF(4), REFN(3), VM_F64, REFN(2), VM_FUNCREF};
    add_func(&s, VM_NO_TYPE, true, refs, 3, 2);
    add_agg(&s, VM_COMP_STRUCT, VM_NO_TYPE, true, NULL, 0);
    end_group(&s);
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_OK);

    const struct vm_deftype *sub = vm_types_get(reg, s.canon[1]);
    assert_int_equal(sub->super, s.canon[0]);
    assert_int_equal(sub->depth, 1);
    assert_true(sub->is_final);
    assert_int_equal(vm_types_get(reg, s.canon[2])->of.func.types[0], REF(s.canon[1]));
    const struct vm_deftype *t = vm_types_get(reg, s.canon[3]);
    assert_int_equal(s.canon[4], s.canon[3] + 1);
    assert_int_equal(t->rec_first, s.canon[3]);
    assert_int_equal(t->rec_count, 2);
    assert_int_equal(t->of.func.param_count, 3);
    assert_int_equal(t->of.func.types[0], REF(s.canon[4]));
    assert_int_equal(t->of.func.types[1], REFN(s.canon[3]));
    assert_int_equal(t->of.func.types[2], VM_F64);
    assert_int_equal(t->of.func.types[3], REFN(s.canon[2]));
    assert_int_equal(t->of.func.types[4], VM_FUNCREF);
    vm_types_delete(reg);
}

static void test_host_func_equals_module_func(void **state)
{
    (void)state;
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    struct space s;
    space_init(&s);
    build_ref_to_func_a_moved(&s);
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_OK);
    struct vm_functype func = {1, 1, 1, 1, i32_i64};
    u32 host = vm_types_intern_func(reg, &func);
    assert_int_equal(host, s.canon[1]);
    vm_valtype ref = REF(host);
    struct vm_functype takes_ref = {1, 0, 1, 0, &ref};
    u32 host_ref = vm_types_intern_func(reg, &takes_ref);
    assert_int_equal(host_ref, s.canon[2]);

    /* The module goes; the host's types and what they mention stay. */
    vm_types_release(reg, s.canon, &s.ts);
    vm_types_release_func(reg, host);
    assert_int_equal(vm_types_get(reg, host)->of.func.types[1], VM_I64);
    assert_int_equal(vm_types_get(reg, host_ref)->of.func.types[0], REF(host));
    vm_types_release_func(reg, host_ref);
    vm_types_release_func(reg, VM_NO_TYPE);
    vm_types_delete(reg);
}

static void test_unsound_space_is_invalid_and_retains_nothing(void **state)
{
    (void)state;
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    struct space s;
    static const vm_valtype ref_9[] = {REF(9)};
    space_init(&s);
    one_func(&s, i32_i64, 1, 1);
    one_func(&s, ref_9, 1, 0);
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_INVALID);
    s.types[1].of.func.types = ref_1;
    s.types[1].rec_count = 2; /* past the end */
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_INVALID);
    s.types[1].rec_count = 1;
    s.types[1].super = 5;
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_INVALID);
    s.types[1].super = VM_NO_TYPE;
    assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_OK);
    assert_int_equal(s.canon[0], 0); /* the failures left no numbers taken */
    vm_types_delete(reg);
}

static void test_released_numbers_are_used_again(void **state)
{
    (void)state;
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    struct space keep, s;
    space_init(&keep);
    one_func(&keep, i32_i64, 1, 1);
    assert_int_equal(vm_types_intern(reg, &keep.ts, keep.canon), VM_OK);
    for (u32 i = 0; i < 50000; i++) {
        static vm_valtype parts[5];
        space_init(&s);
        for (u32 k = 0; k < VM_COUNT(parts); k++) {
            parts[k] = (vm_valtype)(VM_V128 + (i >> 2 * k) % 4);
        }
        one_func(&s, parts, i % 4, 1);
        build_pair(&s);
        s.types[1].of.func.types = parts;
        s.types[1].of.func.param_count = 1;
        assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_OK);
        for (u32 k = 0; k < s.ts.count; k++) {
            assert_true(s.canon[k] < 8);
        }
        vm_types_release(reg, s.canon, &s.ts);
    }
    assert_int_equal(vm_types_get(reg, keep.canon[0])->of.func.types[1], VM_I64);
    vm_types_release(reg, keep.canon, &keep.ts);
    vm_types_delete(reg);
}

/* -------- out of memory, size, threads */

struct failing {
    struct vm_alloc alloc;
    usize held, left;
};

static void *failing_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    struct failing *f = ctx;
    if (new_bytes == 0) {
        f->held -= old_bytes;
        free(ptr);
        return NULL;
    }
    if (f->left == 0) return NULL;
    f->left--;
    f->held += new_bytes - old_bytes;
    return realloc(ptr, new_bytes);
}

static void test_every_failing_allocation_is_oom_without_leak(void **state)
{
    (void)state;
    bool done = false;
    for (usize n = 0; !done; n++) {
        struct failing f = {.left = n};
        f.alloc = (struct vm_alloc){failing_realloc, &f};
        struct vm_types *reg = vm_types_new(&f.alloc);
        if (reg) {
            struct space s;
            space_init(&s);
            build_ref_to_func_a_moved(&s);
            vm_status status = vm_types_intern(reg, &s.ts, s.canon);
            assert_true(status == VM_OK || status == VM_OOM);
            done = status == VM_OK;
            if (done) vm_types_release(reg, s.canon, &s.ts);
            f.left = SIZE_MAX;
            assert_int_equal(vm_types_intern(reg, &s.ts, s.canon), VM_OK);
            assert_int_equal(s.canon[0], 0);
        }
        vm_types_delete(reg);
        assert_int_equal(f.held, 0);
        assert_true(n < 100);
    }
}

/* A million groups, each mentioning the one before: intern, find again, release. No recursion. */
static void test_million_groups(void **state)
{
    (void)state;
    enum { MANY = 1000000 };
    struct vm_deftype *types = calloc(MANY, sizeof *types);
    vm_valtype *refs = calloc(MANY, sizeof *refs);
    u32 *canon = calloc(MANY, sizeof *canon), *again = calloc(MANY, sizeof *again);
    for (u32 i = 0; i < MANY; i++) {
        refs[i] = i ? REF(i - 1) : VM_I32;
        types[i].kind = VM_COMP_FUNC;
        types[i].is_final = true;
        types[i].super = VM_NO_TYPE;
        types[i].rec_first = i;
        types[i].rec_count = 1;
        types[i].of.func = (struct vm_functype){1, 0, 1, 0, &refs[i]};
    }
    struct vm_typespace ts = {.types = types, .count = MANY};
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    assert_int_equal(vm_types_intern(reg, &ts, canon), VM_OK);
    assert_int_equal(vm_types_intern(reg, &ts, again), VM_OK);
    assert_memory_equal(canon, again, MANY * sizeof *canon);
    vm_types_release(reg, again, &ts);
    assert_int_equal(vm_types_get(reg, canon[MANY - 1])->of.func.types[0], REF(canon[MANY - 2]));

    u32 last = canon[MANY - 1]; /* only the end of the chain stays, and keeps all the rest */
    struct vm_functype func = vm_types_get(reg, last)->of.func;
    assert_int_equal(vm_types_intern_func(reg, &func), last);
    vm_types_release(reg, canon, &ts);
    assert_int_equal(vm_types_get(reg, canon[0])->of.func.types[0], VM_I32);
    vm_types_release_func(reg, last);
    assert_int_equal(vm_types_intern(reg, &ts, again), VM_OK);
    assert_int_equal(again[0], 0);
    vm_types_delete(reg);
    free(types);
    free(refs);
    free(canon);
    free(again);
}

static void *thread_main(void *arg)
{
    struct vm_types *reg = arg;
    for (u32 i = 0; i < 500; i++) {
        for (usize k = 0; k < VM_COUNT(canon_cases) - 5; k++) { /* not those with static fields */
            struct space s;
            space_init(&s);
            canon_cases[k].build(&s);
            if (vm_types_intern(reg, &s.ts, s.canon) != VM_OK) return NULL;
            const struct vm_deftype *t = vm_types_get(reg, s.canon[s.ts.count - 1]);
            if (t->kind != s.types[s.ts.count - 1].kind) return NULL;
            if (!vm_types_match(reg, s.canon[0], s.canon[0])) return NULL;
            vm_types_release(reg, s.canon, &s.ts);
        }
    }
    return arg;
}

static void test_threads_intern_and_read(void **state)
{
    (void)state;
    struct vm_types *reg = vm_types_new(&vm_alloc_libc);
    pthread_t threads[4];
    for (usize i = 0; i < VM_COUNT(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, thread_main, reg), 0);
    }
    for (usize i = 0; i < VM_COUNT(threads); i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, reg);
    }
    vm_types_delete(reg);
}

/* -------- numbers */

static void test_typeids_split_join_and_limit(void **state)
{
    (void)state;
    struct vm_typeids *ids = malloc(sizeof *ids);
    vm_typeids_init(ids, &vm_alloc_libc);
    u32 a, b, c, d;
    assert_int_equal(vm_typeids_take(ids, 100, &a), VM_OK);
    assert_int_equal(vm_typeids_take(ids, 1, &b), VM_OK);
    vm_typeids_put(ids, a, 100);
    assert_int_equal(vm_typeids_take(ids, 30, &c), VM_OK); /* split from the hundred */
    assert_int_equal(c, a);
    assert_int_equal(vm_typeids_take(ids, 70, &d), VM_OK);
    assert_int_equal(d, a + 30);
    assert_int_equal(vm_typeids_take(ids, VM_TYPEIDS_MAX + 1u, &d), VM_LIMIT);

    /* Fill to the end in two runs, free both: one run of the sum is there after joining. */
    u32 left = VM_TYPEIDS_MAX - ids->fresh, e, f;
    struct vm_deftype t[101] = {0};
    for (u32 i = 0; i < 101; i++) {
        t[i].rec_count = i < 30 ? 30 : i < 100 ? 70 : 1;
    }
    vm_typeids_set(ids, 0, t, 101);
    assert_int_equal(vm_typeids_take(ids, 1000, &e), VM_OK);
    assert_int_equal(vm_typeids_take(ids, left - 1000, &f), VM_OK);
    struct vm_deftype first_of_e = {.rec_count = 1000}, first_of_f = {.rec_count = left - 1000};
    vm_typeids_set(ids, e, &first_of_e, 1);
    vm_typeids_set(ids, f, &first_of_f, 1);
    assert_int_equal(vm_typeids_take(ids, 1, &d), VM_LIMIT);
    vm_typeids_put(ids, e, 1000);
    vm_typeids_put(ids, f, left - 1000);
    assert_int_equal(vm_typeids_take(ids, left, &d), VM_OK);
    assert_int_equal(d, e);
    vm_typeids_put(ids, d, left);
    vm_typeids_put(ids, 0, 30);
    vm_typeids_put(ids, 30, 70);
    vm_typeids_put(ids, b, 1);
    assert_int_equal(ids->fresh, 0);
    vm_typeids_free(ids);
    free(ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_local_types_match_through_canon),
        cmocka_unit_test(test_equal_groups_share_numbers_across_modules),
        cmocka_unit_test(test_canonical_definition_has_canonical_references),
        cmocka_unit_test(test_host_func_equals_module_func),
        cmocka_unit_test(test_unsound_space_is_invalid_and_retains_nothing),
        cmocka_unit_test(test_released_numbers_are_used_again),
        cmocka_unit_test(test_every_failing_allocation_is_oom_without_leak),
        cmocka_unit_test(test_million_groups),
        cmocka_unit_test(test_threads_intern_and_read),
        cmocka_unit_test(test_typeids_split_join_and_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
