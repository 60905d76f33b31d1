/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of whole modules, and features that are off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "validate_fixture.h"

#define ALL vm_features_all()
#define WITHOUT(feature) (vm_features_all() & ~((vm_features)1 << VM_FEATURE_##feature))

/* ---------------------------------------------------------------- modules by section */

enum { MAX_SECTIONS = 8 };

struct module_case {
    const char *what;
    vm_error_id want;
    struct {
        u8 id;
        const u8 *data;
        usize size;
    } sections[MAX_SECTIONS];
};

static vm_status judge_case(const struct module_case *c, vm_features features, struct vm_err *err)
{
    struct bytes b = {0};
    PUT(&b, MODULE_HEADER);
    for (u32 i = 0; i < MAX_SECTIONS && c->sections[i].data; i++)
        put_section(&b, c->sections[i].id, c->sections[i].data, c->sections[i].size);
    vm_status s = judge(&b, features, err);
    free(b.data);
    return s;
}

// clang-format off
#define S(id, literal) {id, LIT(literal)}
#define TYPE_0 S(1, "\1\x60\0\0")

static const struct module_case modules[] = {
    {"empty", VM_ERR_NONE, {{0}}},
    /* types */
    {"open supertype", VM_ERR_NONE, {S(1, "\2\x50\0\x5f\0" "\x4f\1\0\x5f\1\x7f\0")}},
    {"final supertype", VM_ERR_SUB_TYPE, {S(1, "\2\x4f\0\x5f\0" "\x4f\1\0\x5f\1\x7f\0")}},
    {"subtype with fewer fields", VM_ERR_SUB_TYPE, {S(1, "\2\x50\0\x5f\1\x7f\0" "\x4f\1\0\x5f\0")}},
    {"subtype with another field", VM_ERR_SUB_TYPE,
     {S(1, "\2\x50\0\x5f\1\x7f\0" "\x4f\1\0\x5f\1\x7e\0")}},
    {"subtype with a mutable field", VM_ERR_SUB_TYPE,
     {S(1, "\2\x50\0\x5f\1\x7f\0" "\x4f\1\0\x5f\1\x7f\1")}},
    {"a mutable field keeps its type", VM_ERR_SUB_TYPE,
     {S(1, "\2\x50\0\x5f\1\x6e\1" "\x4f\1\0\x5f\1\x6d\1")}},
    {"a constant field may narrow", VM_ERR_NONE,
     {S(1, "\2\x50\0\x5f\1\x6e\0" "\x4f\1\0\x5f\1\x6d\0")}},
    {"packed fields keep their size", VM_ERR_SUB_TYPE,
     {S(1, "\2\x50\0\x5f\1\x78\0" "\x4f\1\0\x5f\1\x77\0")}},
    {"array below struct", VM_ERR_SUB_TYPE, {S(1, "\2\x50\0\x5f\0" "\x4f\1\0\x5e\x7f\0")}},
    {"function parameters widen", VM_ERR_NONE,
     {S(1, "\2\x50\0\x60\1\x6d\1\x6e" "\x4f\1\0\x60\1\x6e\1\x6d")}},
    {"function parameters do not narrow", VM_ERR_SUB_TYPE,
     {S(1, "\2\x50\0\x60\1\x6e\0" "\x4f\1\0\x60\1\x6d\0")}},
    {"function results do not widen", VM_ERR_SUB_TYPE,
     {S(1, "\2\x50\0\x60\0\1\x6d" "\x4f\1\0\x60\0\1\x6e")}},
    {"equal types of two groups are one", VM_ERR_NONE,
     {S(1, "\3\x60\0\0" "\x60\0\0" "\x60\0\1\x64\0"), S(3, "\2\1\2"), S(7, "\1\0\0\0"),
      S(10, "\2\2\0\x0b\4\0\xd2\0\x0b")}},
    /* functions, tags, imports */
    {"function of no type", VM_ERR_UNKNOWN_TYPE, {S(3, "\1\0"), S(10, "\1\2\0\x0b")}},
    {"function of a struct type", VM_ERR_UNKNOWN_TYPE,
     {S(1, "\1\x5f\0"), S(3, "\1\0"), S(10, "\1\2\0\x0b")}},
    {"imported function of no type", VM_ERR_UNKNOWN_TYPE, {S(2, "\1\0\0\0\0")}},
    {"tag", VM_ERR_NONE, {TYPE_0, S(13, "\1\0\0")}},
    {"tag of no type", VM_ERR_UNKNOWN_TYPE, {TYPE_0, S(13, "\1\0\1")}},
    {"tag with results", VM_ERR_TAG_RESULT, {S(1, "\1\x60\0\1\x7f"), S(13, "\1\0\0")}},
    {"imported tag with results", VM_ERR_TAG_RESULT,
     {S(1, "\1\x60\0\1\x7f"), S(2, "\1\0\0\4\0\0")}},
    /* memories */
    {"largest memory", VM_ERR_NONE, {S(5, "\1\1\0\x80\x80\4")}},
    {"larger memory", VM_ERR_MEMORY_SIZE, {S(5, "\1\0\x81\x80\4")}},
    {"larger maximum", VM_ERR_MEMORY_SIZE, {S(5, "\1\1\0\x81\x80\4")}},
    {"larger imported memory", VM_ERR_MEMORY_SIZE, {S(2, "\1\0\0\2\0\x81\x80\4")}},
    {"minimum above maximum", VM_ERR_LIMITS_ORDER, {S(5, "\1\1\2\1")}},
    {"2^48 pages of 64 bits", VM_ERR_NONE, {S(5, "\1\4\x80\x80\x80\x80\x80\x80\x40")}},
    {"2^48 + 1 pages of 64 bits", VM_ERR_MEMORY_SIZE, {S(5, "\1\4\x81\x80\x80\x80\x80\x80\x40")}},
    {"shared memory", VM_ERR_NONE, {S(5, "\1\3\1\2")}},
    {"shared memory without maximum", VM_ERR_SHARED_MAX, {S(5, "\1\2\1")}},
    {"pages of one byte", VM_ERR_NONE, {S(5, "\1\x08\xff\xff\xff\xff\x0f\0")}},
    {"pages of two bytes", VM_ERR_PAGE_SIZE, {S(5, "\1\x08\0\1")}},
    /* tables */
    {"minimum above maximum of a table", VM_ERR_LIMITS_ORDER, {S(4, "\1\x70\1\2\1")}},
    {"table of 2^32 elements", VM_ERR_TABLE_SIZE, {S(4, "\1\x70\0\x80\x80\x80\x80\x10")}},
    {"table of 2^32 elements of 64 bits", VM_ERR_NONE, {S(4, "\1\x70\4\x80\x80\x80\x80\x10")}},
    {"table of non-null references", VM_ERR_TYPE_MISMATCH, {TYPE_0, S(4, "\1\x64\0\0\0")}},
    {"table with initial value", VM_ERR_NONE,
     {TYPE_0, S(2, "\1\0\0\0\0"), S(4, "\1\x40\0\x64\0\0\1\xd2\0\x0b")}},
    {"table with another initial value", VM_ERR_TYPE_MISMATCH,
     {S(4, "\1\x40\0\x70\0\1\xd0\x6f\x0b")}},
    {"table sees imported globals", VM_ERR_NONE,
     {S(2, "\1\0\0\3\x70\0"), S(4, "\1\x40\0\x70\0\1\x23\0\x0b")}},
    {"table sees no other globals", VM_ERR_UNKNOWN_GLOBAL,
     {S(4, "\1\x40\0\x70\0\1\x23\0\x0b"), S(6, "\1\x70\0\xd0\x70\x0b")}},
    /* exports and start */
    {"exports of all kinds", VM_ERR_NONE,
     {TYPE_0, S(2, "\5\0\0\0\0" "\0\0\1\x70\0\0" "\0\0\2\0\0" "\0\0\3\x7f\0" "\0\0\4\0\0"),
      S(7, "\5\1a\0\0" "\1b\1\0" "\1c\2\0" "\1d\3\0" "\0\4\0")}},
    {"export of no function", VM_ERR_UNKNOWN_FUNC, {S(7, "\1\1a\0\0")}},
    {"export of no table", VM_ERR_UNKNOWN_TABLE, {S(7, "\1\1a\1\0")}},
    {"export of no memory", VM_ERR_UNKNOWN_MEMORY, {S(7, "\1\1a\2\0")}},
    {"export of no global", VM_ERR_UNKNOWN_GLOBAL, {S(7, "\1\1a\3\0")}},
    {"export of no tag", VM_ERR_UNKNOWN_TAG, {S(7, "\1\1a\4\0")}},
    {"two names of NUL", VM_ERR_DUPLICATE_EXPORT, {S(5, "\1\0\0"), S(7, "\2\1\0\2\0\1\0\2\0")}},
    {"NUL is part of a name", VM_ERR_NONE, {S(5, "\1\0\0"), S(7, "\3\1\0\2\0\2\0\0\2\0\0\2\0")}},
    {"long names that differ at the end", VM_ERR_NONE,
     {S(5, "\1\0\0"), S(7, "\2\x0b" "abcdefghijk\2\0\x0b" "abcdefghijl\2\0")}},
    {"start", VM_ERR_NONE, {TYPE_0, S(2, "\1\0\0\0\0"), S(8, "\0")}},
    {"start of nothing", VM_ERR_UNKNOWN_FUNC, {S(8, "\0")}},
    {"start with a parameter", VM_ERR_START_FUNC,
     {S(1, "\1\x60\1\x7f\0"), S(2, "\1\0\0\0\0"), S(8, "\0")}},
    /* segments */
    {"elements for no table", VM_ERR_UNKNOWN_TABLE, {S(9, "\1\0\x41\0\x0b\0")}},
    {"elements at an i64", VM_ERR_TYPE_MISMATCH, {S(4, "\1\x70\0\0"), S(9, "\1\0\x42\0\x0b\0")}},
    {"elements at an i64 of a 64-bit table", VM_ERR_NONE,
     {S(4, "\1\x70\4\0"), S(9, "\1\0\x42\0\x0b\0")}},
    {"elements of no function", VM_ERR_UNKNOWN_FUNC, {S(9, "\1\1\0\1\0")}},
    {"elements of another type", VM_ERR_TYPE_MISMATCH,
     {S(4, "\1\x6f\0\0"), S(9, "\1\0\x41\0\x0b\0")}},
    {"element expressions of another type", VM_ERR_TYPE_MISMATCH, {S(9, "\1\5\x70\1\xd0\x6f\x0b")}},
    {"element expressions that compute", VM_ERR_CONST_EXPR, {S(9, "\1\5\x70\1\x01\xd0\x70\x0b")}},
    {"data for no memory", VM_ERR_UNKNOWN_MEMORY, {S(11, "\1\0\x41\0\x0b\0")}},
    {"data at an i64", VM_ERR_TYPE_MISMATCH, {S(5, "\1\0\0"), S(11, "\1\0\x42\0\x0b\0")}},
    {"data at an i64 of a 64-bit memory", VM_ERR_NONE,
     {S(5, "\1\4\0"), S(11, "\1\0\x42\0\x0b\0")}},
    {"passive data need no memory", VM_ERR_NONE, {S(11, "\1\1\0")}},
};
// clang-format on

static void test_module_rules(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (usize i = 0; i < VM_COUNT(modules); i++) {
        struct vm_err err;
        vm_status s = judge_case(&modules[i], ALL, &err);
        if (err.id == modules[i].want && s == vm_error_status(modules[i].want)) continue;
        wrong++;
        print_error("%s: wanted \"%s\", got \"%s\"\n", modules[i].what,
                    vm_error_text(modules[i].want), err.text);
    }
    assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- features */

static void test_instructions_of_a_feature_that_is_off_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        vm_feature feature;
        const u8 *body;
        usize size;
        const char *text;
    } cases[] = {
        {VM_FEATURE_SIGN_EXT, LIT(NO_LOCALS I32 "\xc0" DROP END), "i32.extend8_s"},
        {VM_FEATURE_SAT_FLOAT, LIT(NO_LOCALS F32 "\xfc\0" DROP END), "i32.trunc_sat_f32_s"},
        {VM_FEATURE_BULK, LIT(NO_LOCALS I32 I32 I32 "\xfc\x0b\0" END), "memory.fill"},
        {VM_FEATURE_TAIL_CALL, LIT(NO_LOCALS "\x12\0" END), "return_call"},
        {VM_FEATURE_FUNC_REFS, LIT(NO_LOCALS UNREACHABLE "\x14\0" END), "call_ref"},
        {VM_FEATURE_SIMD, LIT(NO_LOCALS I32 "\xfd\0\4\0" DROP END), "v128.load"},
        {VM_FEATURE_RELAXED_SIMD, LIT(NO_LOCALS V128 V128 "\xfd\x80\2" DROP END),
         "i8x16.relaxed_swizzle"},
        {VM_FEATURE_GC, LIT(NO_LOCALS "\xfb\1\3" DROP END), "struct.new_default"},
        {VM_FEATURE_EXCEPTIONS, LIT(NO_LOCALS UNREACHABLE "\x0a" END), "throw_ref"},
        {VM_FEATURE_LEGACY_EXCEPTIONS, LIT(NO_LOCALS "\x06\x40" END END), "try"},
        {VM_FEATURE_THREADS, LIT(NO_LOCALS "\xfe\3\0" END), "atomic.fence"},
        {VM_FEATURE_WIDE_ARITHMETIC, LIT(NO_LOCALS I64 I64 "\xfc\x15" DROP2 END), "i64.mul_wide_s"},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        struct subject s = {.body = cases[i].body, .body_size = cases[i].size};
        struct vm_err err;
        char text[200];
        const char *name = vm_feature_name(cases[i].feature);
        snprintf(text, sizeof text, "unsupported instruction: %s needs feature %s (--features +%s)",
                 cases[i].text, name, name);
        vm_features without = ALL & ~((vm_features)1 << cases[i].feature);
        assert_int_equal(judge_subject_body(&s, without, &err), VM_UNSUPPORTED);
        assert_int_equal(err.id, VM_ERR_UNSUPPORTED_OP);
        assert_string_equal(err.text, text);
        assert_int_equal(err.func_idx, TEST_FUNC);
        assert_int_equal(judge_subject_body(&s, ALL, &err), VM_OK);
    }
}

static void test_types_in_bodies_of_a_feature_that_is_off_are_refused(void **state)
{
    (void)state;
    static const struct {
        vm_feature feature;
        const u8 *body;
        usize size;
        const char *text;
    } cases[] = {
        {VM_FEATURE_SIMD, LIT("\1\1\x7b" END), "v128"},
        {VM_FEATURE_SIMD, LIT(NO_LOCALS BLOCK("\x7b") UNREACHABLE END DROP END), "v128"},
        {VM_FEATURE_SIMD, LIT(NO_LOCALS UNREACHABLE "\x1c\1\x7b" DROP END), "v128"},
        {VM_FEATURE_REF_TYPES, LIT("\1\1\x6f" END), "(ref null extern)"},
        {VM_FEATURE_FUNC_REFS, LIT("\1\1\x63\0" END), "(ref null 0)"},
        {VM_FEATURE_FUNC_REFS, LIT(NO_LOCALS REF_NULL("\0") DROP END), "(ref null 0)"},
        {VM_FEATURE_GC, LIT("\1\1\x6e" END), "(ref null any)"},
        {VM_FEATURE_GC, LIT(NO_LOCALS REF_NULL(ANY) DROP END), "(ref null any)"},
        {VM_FEATURE_EXCEPTIONS, LIT("\1\1\x69" END), "(ref null exn)"},
        {VM_FEATURE_MULTI_VALUE, LIT(NO_LOCALS BLOCK("\2") UNREACHABLE END DROP2 END),
         "block with a function type"},
        {VM_FEATURE_MULTI_MEMORY, LIT(NO_LOCALS I32 "\x28\x42\0\0" DROP END),
         "access with a memory index"},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        struct subject s = {.body = cases[i].body, .body_size = cases[i].size};
        struct vm_err err;
        char text[200];
        const char *name = vm_feature_name(cases[i].feature);
        snprintf(text, sizeof text, "unsupported feature: %s needs feature %s (--features +%s)",
                 cases[i].text, name, name);
        vm_features without = ALL & ~((vm_features)1 << cases[i].feature);
        assert_int_equal(judge_subject_body(&s, without, &err), VM_UNSUPPORTED);
        assert_string_equal(err.text, text);
        assert_int_equal(err.func_idx, TEST_FUNC);
        assert_true(err.offset > 8);
        assert_int_equal(judge_subject_body(&s, ALL, &err), VM_OK);
    }
}

static void test_throw_is_of_both_exception_proposals(void **state)
{
    (void)state;
    struct subject s = {.body = (const u8 *)(NO_LOCALS "\x08\1" END), .body_size = 4};
    struct vm_err err;
    assert_int_equal(judge_subject_body(&s, WITHOUT(EXCEPTIONS), &err), VM_OK);
    assert_int_equal(judge_subject_body(&s, WITHOUT(LEGACY_EXCEPTIONS), &err), VM_OK);
    vm_features neither = WITHOUT(EXCEPTIONS) & WITHOUT(LEGACY_EXCEPTIONS);
    assert_int_equal(judge_subject_body(&s, neither, &err), VM_UNSUPPORTED);
    assert_int_equal(err.id, VM_ERR_UNSUPPORTED_OP);
}

static void test_declarations_of_a_feature_that_is_off_are_refused(void **state)
{
    (void)state;
    static const struct {
        vm_feature feature;
        struct module_case module; /* what: of the message */
    } cases[] = {
#define C(feature, what, ...)                                                                      \
    {                                                                                              \
        VM_FEATURE_##feature,                                                                      \
        {                                                                                          \
            what, VM_ERR_UNSUPPORTED, { __VA_ARGS__ }                                              \
        }                                                                                          \
    }
        C(SIMD, "type with v128 (1)", S(1, "\2\x60\0\0\x60\1\x7b\0")),
        C(SIMD, "global of v128 (0)", S(2, "\1\0\0\3\x7b\0")),
        C(REF_TYPES, "type with references (0)", S(1, "\1\x60\0\1\x6f")),
        C(REF_TYPES, "table of references (0)", S(4, "\1\x6f\0\0")),
        C(REF_TYPES, "global of references (0)", S(2, "\1\0\0\3\x70\0")),
        C(REF_TYPES, "second table (1)", S(4, "\2\x70\0\0\x70\0\0")),
        C(REF_TYPES, "declared element segment (0)", S(9, "\1\3\0\0")),
        C(FUNC_REFS, "type with typed references (1)", S(1, "\2\x60\0\0\x60\1\x63\0\0")),
        C(FUNC_REFS, "type with typed references (0)", S(1, "\1\x60\1\x64\x70\0")),
        C(FUNC_REFS, "table with initial value (0)", S(4, "\1\x40\0\x70\0\0\xd0\x70\x0b")),
        C(GC, "type with references to heap objects (0)", S(1, "\1\x60\1\x6e\0")),
        C(GC, "struct or array type (0)", S(1, "\1\x5f\0")),
        C(GC, "recursive or open type (0)", S(1, "\1\x50\0\x60\0\0")),
        C(GC, "recursive or open type (0)", S(1, "\1\x4e\2\x60\0\0\x60\0\0")),
        C(EXCEPTIONS, "table of exception references (0)", S(4, "\1\x69\0\0")),
        C(MULTI_VALUE, "type with several results (0)", S(1, "\1\x60\0\2\x7f\x7f")),
        C(BULK, "passive data segment (0)", S(11, "\1\1\0")),
        C(BULK, "passive element segment (0)", S(9, "\1\1\0\0")),
        C(BULK, "element expressions (0)", S(4, "\1\x70\0\0"), S(9, "\1\4\x41\0\x0b\0")),
        C(MEMORY64, "64-bit memory (0)", S(5, "\1\4\0")),
        C(MEMORY64, "64-bit memory (0)", S(2, "\1\0\0\2\4\0")),
        C(MEMORY64, "64-bit table (0)", S(4, "\1\x70\4\0")),
        C(THREADS, "shared memory (0)", S(5, "\1\3\0\1")),
        C(CUSTOM_PAGE_SIZES, "memory with a page size (0)", S(5, "\1\x08\0\0")),
        C(MULTI_MEMORY, "second memory (1)", S(5, "\2\0\0\0\0")),
        C(MUTABLE_GLOBAL, "imported mutable global (0)", S(2, "\1\0\0\3\x7f\1")),
        C(MUTABLE_GLOBAL, "exported mutable global (0)", S(6, "\1\x7f\1\x41\0\x0b"),
          S(7, "\1\0\3\0")),
#undef C
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        struct vm_err err;
        char text[200];
        const char *name = vm_feature_name(cases[i].feature);
        snprintf(text, sizeof text, "unsupported feature: %s needs feature %s (--features +%s)",
                 cases[i].module.what, name, name);
        vm_features without = ALL & ~((vm_features)1 << cases[i].feature);
        assert_int_equal(judge_case(&cases[i].module, without, &err), VM_UNSUPPORTED);
        assert_string_equal(err.text, text);
        assert_true(err.offset >= 10 && err.offset != VM_NO_OFFSET);
        assert_int_equal(judge_case(&cases[i].module, ALL, &err), VM_OK);
    }
}

static void test_tags_are_of_both_exception_proposals(void **state)
{
    (void)state;
    static const struct module_case tag = {
        "tag", VM_ERR_NONE, {S(1, "\1\x60\0\0"), S(13, "\1\0\0")}};
    struct vm_err err;
    assert_int_equal(judge_case(&tag, WITHOUT(EXCEPTIONS), &err), VM_OK);
    assert_int_equal(judge_case(&tag, WITHOUT(LEGACY_EXCEPTIONS), &err), VM_OK);
    vm_features neither = WITHOUT(EXCEPTIONS) & WITHOUT(LEGACY_EXCEPTIONS);
    assert_int_equal(judge_case(&tag, neither, &err), VM_UNSUPPORTED);
}

static void test_a_module_of_the_first_release_needs_nothing_else(void **state)
{
    (void)state;
    static const struct module_case old = {"mvp",
                                           VM_ERR_NONE,
                                           {S(1, "\1\x60\1\x7f\1\x7f"), S(3, "\1\0"),
                                            S(4, "\1\x70\0\1"), S(5, "\1\0\1"),
                                            S(6, "\1\x7f\1\x41\0\x0b"), S(9, "\1\0\x41\0\x0b\1\0"),
                                            S(10, "\1\4\0\x20\0\x0b"), S(11, "\1\0\x41\0\x0b\1x")}};
    struct vm_err err;
    assert_int_equal(judge_case(&old, VM_FEATURE_BIT(MVP), &err), VM_OK);
}

static void test_extended_const_off_is_refused(void **state)
{
    (void)state;
    struct subject s = {.global = (const u8 *)("\x7f\0" I32 I32 "\x6a" END), .global_size = 8};
    struct vm_err err;
    assert_int_equal(judge_subject(&s, WITHOUT(EXTENDED_CONST), &err), VM_UNSUPPORTED);
    assert_int_equal(err.id, VM_ERR_UNSUPPORTED);
    assert_int_equal(judge_subject(&s, ALL, &err), VM_OK);
}

static void test_executable_features_are_a_subset_of_all(void **state)
{
    (void)state;
    assert_true((vm_features_executable() & ~ALL) == 0);
    assert_true(vm_features_executable() >> VM_FEATURE_MVP & 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_module_rules),
        cmocka_unit_test(test_instructions_of_a_feature_that_is_off_are_refused_by_name),
        cmocka_unit_test(test_types_in_bodies_of_a_feature_that_is_off_are_refused),
        cmocka_unit_test(test_throw_is_of_both_exception_proposals),
        cmocka_unit_test(test_declarations_of_a_feature_that_is_off_are_refused),
        cmocka_unit_test(test_tags_are_of_both_exception_proposals),
        cmocka_unit_test(test_a_module_of_the_first_release_needs_nothing_else),
        cmocka_unit_test(test_extended_const_off_is_refused),
        cmocka_unit_test(test_executable_features_are_a_subset_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
