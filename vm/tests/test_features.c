/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of features, lists of their names, and what an engine makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isa/feature.h"

#include "wasmrun.h"

#include <string.h>

#define WITH(f) VM_FEATURE_BIT(f)

static vm_features parsed(const char *list, vm_features from)
{
    struct vm_feature_word bad;
    if (!vm_features_parse(list, &from, &bad)) fail_msg("'%s' is refused", list);
    return from;
}

static void test_names_are_found_again(void **state)
{
    (void)state;
    for (u32 i = VM_FEATURE_MVP + 1; i < VM_FEATURE_COUNT; i++) {
        vm_features one = parsed(vm_feature_name((vm_feature)i), 0);
        assert_true(one == (vm_features)1 << i);
    }
    assert_null(vm_feature_name(VM_FEATURE_COUNT));
}

static void test_default_is_the_standard_with_threads_and_legacy_exceptions(void **state)
{
    (void)state;
    vm_features more = WITH(THREADS) | WITH(LEGACY_EXCEPTIONS);
    assert_true(vm_features_default() == (vm_features_release(3) | more));
    assert_true(vm_features_all() ==
                (vm_features_default() | WITH(WIDE_ARITHMETIC) | WITH(CUSTOM_PAGE_SIZES)));
}

static void test_releases_grow(void **state)
{
    (void)state;
    vm_features one = vm_features_release(1), two = vm_features_release(2),
                three = vm_features_release(3);
    assert_true(one == (WITH(MVP) | WITH(MUTABLE_GLOBAL)));
    assert_true((one & ~two) == 0 && (two & ~three) == 0);
    assert_true(two & WITH(SIMD) && !(two & WITH(TAIL_CALL)));
    assert_true(three & WITH(GC) && !(three & WITH(THREADS)));
    assert_string_equal(vm_feature_since(VM_FEATURE_SIMD), "2.0");
    assert_string_equal(vm_feature_since(VM_FEATURE_THREADS), "");
}

static void test_lists_are_applied_from_left_to_right(void **state)
{
    (void)state;
    vm_features d = vm_features_default();
    assert_true(parsed("all", 0) == vm_features_all());
    assert_true(parsed("default", 0) == d);
    assert_true(parsed("mvp", d) == WITH(MVP));
    assert_true(parsed("-simd,+wide-arithmetic", d) == ((d & ~WITH(SIMD)) | WITH(WIDE_ARITHMETIC)));
    assert_true(parsed("simd", WITH(MVP)) == (WITH(MVP) | WITH(SIMD)));
    assert_true(parsed("+simd,-simd", WITH(MVP)) == WITH(MVP));
    assert_true(parsed("-simd,all", d) == vm_features_all());
    assert_true(parsed("mvp,bulk", d) == (WITH(MVP) | WITH(BULK)));
    assert_true(parsed("wasm-2.0,+threads", d) == (vm_features_release(2) | WITH(THREADS)));
}

static void test_words_that_are_none_are_named_and_nothing_is_set(void **state)
{
    (void)state;
    static const struct {
        const char *list, *bad;
    } cases[] = {
        {"", ""},           {"simd,", ""},        {",simd", ""},         {"sim", "sim"},
        {"simdx", "simdx"}, {"+", "+"},           {"-all", "-all"},      {"-mvp", "-mvp"},
        {"SIMD", "SIMD"},   {"+ simd", "+ simd"}, {"simd,+-gc", "+-gc"}, {"simd gc", "simd gc"}};
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        vm_features set = WITH(GC);
        struct vm_feature_word bad;
        assert_false(vm_features_parse(cases[i].list, &set, &bad));
        assert_int_equal(bad.size, strlen(cases[i].bad));
        assert_memory_equal(bad.text, cases[i].bad, bad.size);
        assert_true(set == WITH(GC));
    }
}

static void test_types_have_features(void **state)
{
    (void)state;
    static const struct {
        vm_valtype type;
        vm_feature feature;
    } cases[] = {
        {VM_I32, VM_FEATURE_MVP},
        {VM_F64, VM_FEATURE_MVP},
        {VM_V128, VM_FEATURE_SIMD},
        {VM_I8, VM_FEATURE_GC},
        {VM_FUNCREF, VM_FEATURE_REF_TYPES},
        {VM_EXTERNREF, VM_FEATURE_REF_TYPES},
        {VM_REFTYPE(false, VM_HEAP_ABSTRACT | VM_HEAP_FUNC), VM_FEATURE_FUNC_REFS},
        {VM_REFTYPE(true, 0), VM_FEATURE_FUNC_REFS},
        {VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_ANY), VM_FEATURE_GC},
        {VM_REFTYPE(false, VM_HEAP_ABSTRACT | VM_HEAP_I31), VM_FEATURE_GC},
        {VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_NOFUNC), VM_FEATURE_GC},
        {VM_EXNREF, VM_FEATURE_EXCEPTIONS},
        {VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_NOEXN), VM_FEATURE_EXCEPTIONS},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++)
        assert_int_equal(vm_valtype_feature(cases[i].type), cases[i].feature);
}

/* ---- the public functions */

static void test_public_names_are_those_of_the_table(void **state)
{
    (void)state;
    usize i = 0;
    for (; wr_feature_name(i); i++)
        assert_string_equal(wr_feature_name(i), vm_feature_name((vm_feature)i));
    assert_int_equal(i, VM_FEATURE_COUNT);
    assert_null(wr_feature_name(SIZE_MAX));
    assert_string_equal(wr_feature_since(SIZE_MAX), "");
    assert_true(wr_features_default() == vm_features_default());
}

static void test_the_error_of_an_unknown_word_lists_all(void **state)
{
    (void)state;
    wr_error_t err;
    wr_features_t set = wr_features_default();
    assert_int_equal(wr_features_parse("+simd,+smid", &set, &err), WR_ARGUMENT);
    assert_non_null(strstr(err.text, "no feature '+smid'; there are mvp, "));
    for (usize i = 0; wr_feature_name(i); i++)
        assert_non_null(strstr(err.text, wr_feature_name(i)));
    assert_true(set == wr_features_default());
    assert_int_equal(wr_features_parse("nonsense", &set, NULL), WR_ARGUMENT);
}

/* (memory 1 (pagesize 1)) */
static const unsigned char bytewise[] = {0, 'a', 's', 'm', 1, 0, 0, 0, 5, 4, 1, 8, 1, 0};

static void test_an_engine_takes_a_set_for_modules_to_come(void **state)
{
    (void)state;
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    wr_error_t err;
    assert_int_equal(wr_module_new(engine, bytewise, sizeof bytewise, &module, &err),
                     WR_UNSUPPORTED);
    assert_string_equal(err.text, "unsupported feature: memory with a page size (0) needs feature "
                                  "custom-page-sizes (--features +custom-page-sizes)");
    assert_int_equal(err.offset, 10);
    wr_engine_set_features(engine, UINT64_MAX); /* bits without a name are ignored */
    assert_int_equal(wr_module_new(engine, bytewise, sizeof bytewise, &module, &err), WR_OK);
    wr_engine_set_features(engine, 0); /* what all modules have stays on */
    static const unsigned char empty[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    wr_module_t *other = NULL;
    assert_int_equal(wr_module_new(engine, empty, sizeof empty, &other, &err), WR_OK);
    wr_module_delete(other);
    wr_module_delete(module);
    wr_engine_delete(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_found_again),
        cmocka_unit_test(test_default_is_the_standard_with_threads_and_legacy_exceptions),
        cmocka_unit_test(test_releases_grow),
        cmocka_unit_test(test_lists_are_applied_from_left_to_right),
        cmocka_unit_test(test_words_that_are_none_are_named_and_nothing_is_set),
        cmocka_unit_test(test_types_have_features),
        cmocka_unit_test(test_public_names_are_those_of_the_table),
        cmocka_unit_test(test_the_error_of_an_unknown_word_lists_all),
        cmocka_unit_test(test_an_engine_takes_a_set_for_modules_to_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
