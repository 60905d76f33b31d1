/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of whole modules, features that are off, what a sink is told, and hostile sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/leb128.h"
#include "types/limits.h"
#include "validate/constexpr.h"
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

/* ---------------------------------------------------------------- what a sink is told */

enum { MAX_SEEN = 64 };

struct recorder {
    u32 locals, count, stop_at, callee_params;
    u32 labels[3]; /* of the last br_table */
    vm_valtype types[8];
    struct vm_insn seen[MAX_SEEN];
    vm_valtype result_type[MAX_SEEN]; /* first result of blocks */
};

static vm_status on_begin(void *ctx, const vm_valtype *types, u32 count)
{
    struct recorder *r = ctx;
    r->locals = count;
    for (u32 i = 0; i < count && i < VM_COUNT(r->types); i++) r->types[i] = types[i];
    return VM_OK;
}

static vm_status on_insn(void *ctx, const struct vm_insn *insn)
{
    struct recorder *r = ctx;
    if (r->stop_at != 0 && r->count == r->stop_at) return VM_CANCELLED;
    assert_true(r->count < MAX_SEEN);
    r->seen[r->count] = *insn;
    bool is_block = insn->op == VM_OP_BLOCK || insn->op == VM_OP_IF || insn->op == VM_OP_ELSE ||
                    insn->op == VM_OP_END;
    if (is_block && insn->block.result_count > 0) {
        r->result_type[r->count] = insn->block.results[0];
    }
    if (insn->op == VM_OP_CALL_INDIRECT) r->callee_params = insn->func->param_count;
    const u8 *p = insn->imm.table.raw;
    for (u32 i = 0; insn->op == VM_OP_BR_TABLE && i < VM_COUNT(r->labels); i++)
        assert_int_equal(vm_leb_u32(&p, p + 5, &r->labels[i]), VM_ERR_NONE);
    r->count++;
    return VM_OK;
}

static const struct vm_sink recording = {on_begin, on_insn};

/* Walks the body under test with a recorder; expects `want`. */
static void record(struct recorder *r, const u8 *body, usize size, u32 type, vm_status want)
{
    struct subject s = {.type = type, .body = body, .body_size = size};
    struct bytes b = {0};
    build_around(&b, &s);
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    assert_int_equal(vm_module_decode(&m, &vm_alloc_libc, b.data, b.size, &err), VM_OK);
    assert_int_equal(vm_validate_module(&m, ALL, &vm_alloc_libc, &err), VM_OK);
    struct vm_arena scratch;
    vm_arena_init(&scratch, &vm_alloc_libc);
    assert_int_equal(vm_walk_body(&m, TEST_FUNC, ALL, &recording, r, &scratch, &err), want);
    vm_arena_free(&scratch);
    vm_module_free(&m);
    free(b.data);
}

static void test_sink_sees_locals_and_the_last_end(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT("\2\1\x7e\2\x7d"
               "\x20\0" END),
           1, VM_OK);
    assert_int_equal(r.locals, 4);
    assert_int_equal(r.types[0], VM_I32);
    assert_int_equal(r.types[1], VM_I64);
    assert_int_equal(r.types[3], VM_F32);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.seen[0].op, VM_OP_LOCAL_GET);
    assert_int_equal(r.seen[0].type, VM_I32);
    assert_int_equal(r.seen[1].op, VM_OP_END);
    assert_int_equal(r.seen[1].block.result_count, 1);
    assert_int_equal(r.seen[1].offset, r.seen[0].offset + 2);
}

static void test_sink_sees_constants_as_bits(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT(NO_LOCALS "\x41\x7f" DROP "\x42\x7f" DROP "\x43\0\0\xc0\xff" DROP
                         "\x44\1\0\0\0\0\0\xf8\xff" DROP END),
           0, VM_OK);
    assert_true(r.seen[0].imm.bits == 0xffffffffu);
    assert_true(r.seen[2].imm.bits == UINT64_MAX);
    assert_true(r.seen[4].imm.bits == 0xffc00000u);
    assert_true(r.seen[6].imm.bits == 0xfff8000000000001u);
    assert_int_equal(r.seen[5].type, VM_F32);
    assert_int_equal(r.seen[7].type, VM_F64);
}

static void test_sink_is_told_what_cannot_be_reached(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r, LIT(NO_LOCALS BLOCK(EMPTY) "\x0c\0" BLOCK(EMPTY) "\x01" END DROP END "\x01" END), 0,
           VM_OK);
    static const struct {
        vm_op op;
        bool reachable;
    } want[] = {{VM_OP_BLOCK, true}, {VM_OP_BR, true},   {VM_OP_BLOCK, false},
                {VM_OP_NOP, false},  {VM_OP_END, false}, {VM_OP_DROP, false},
                {VM_OP_END, false},  {VM_OP_NOP, true},  {VM_OP_END, true}};
    assert_int_equal(r.count, VM_COUNT(want));
    for (u32 i = 0; i < r.count; i++) {
        assert_int_equal(r.seen[i].op, want[i].op);
        assert_int_equal(r.seen[i].reachable, want[i].reachable);
    }
    assert_int_equal(r.seen[5].type, VM_BOT);
}

static void test_sink_sees_indices_in_binary_order(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT(NO_LOCALS I64 I32 I32 "\xfc\x0a\1\0" I32 I32 "\x11\1\0" DROP I64 I32 I32
                                     "\xfc\x0c\0\2" I64 V128 "\xfd\x58\x40\1\x07\x09" END),
           0, VM_OK);
    assert_int_equal(r.seen[3].op, VM_OP_MEMORY_COPY);
    assert_int_equal(r.seen[3].a, 1);
    assert_int_equal(r.seen[3].b, 0);
    assert_int_equal(r.seen[6].op, VM_OP_CALL_INDIRECT);
    assert_int_equal(r.seen[6].a, 1);
    assert_int_equal(r.seen[6].b, 0);
    assert_int_equal(r.callee_params, 1);
    assert_int_equal(r.seen[11].op, VM_OP_TABLE_INIT);
    assert_int_equal(r.seen[11].a, 0);
    assert_int_equal(r.seen[11].b, 2);
    assert_int_equal(r.seen[14].op, VM_OP_V128_STORE8_LANE);
    assert_int_equal(r.seen[14].imm.mem.memory, 1);
    assert_true(r.seen[14].imm.mem.offset == 7);
    assert_int_equal(r.seen[14].a, 9);
}

static void test_sink_sees_blocks(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r, LIT(NO_LOCALS I32 BLOCK("\1") IF("\x7e") I64 ELSE I64 END DROP I32 END DROP END), 0,
           VM_OK);
    static const struct {
        u32 at, params, results;
        vm_op op;
    } want[] = {{1, 1, 1, VM_OP_BLOCK}, {2, 0, 1, VM_OP_IF},  {4, 0, 1, VM_OP_ELSE},
                {6, 0, 1, VM_OP_END},   {9, 1, 1, VM_OP_END}, {11, 0, 0, VM_OP_END}};
    for (usize i = 0; i < VM_COUNT(want); i++) {
        assert_int_equal(r.seen[want[i].at].op, want[i].op);
        assert_int_equal(r.seen[want[i].at].block.param_count, want[i].params);
        assert_int_equal(r.seen[want[i].at].block.result_count, want[i].results);
    }
    assert_int_equal(r.result_type[2], VM_I64);
    assert_int_equal(r.result_type[6], VM_I64);
    assert_int_equal(r.result_type[9], VM_I32);
}

static void test_sink_sees_operand_types(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT(NO_LOCALS F64 F64 I32 "\x1b" DROP            /* 3: select, 4: drop */
               I32 "\x25\1" DROP                        /* 6: table.get */
                   REF_NULL("\3") "\xfb\2\3\2" DROP         /* 8: ref.null, 9: struct.get */
                       REF_NULL(ANY) "\xfb\x17\3" DROP          /* 12: ref.cast null */
                           UNREACHABLE F32 F32 I32 "\x1b" DROP END),
           0, VM_OK);
    assert_int_equal(r.seen[3].type, VM_F64);
    assert_int_equal(r.seen[4].type, VM_F64);
    assert_int_equal(r.seen[6].type, VM_EXTERNREF);
    assert_int_equal(r.seen[8].type, VM_REFTYPE(true, 3));
    assert_int_equal(r.seen[9].type, VM_REFTYPE(true, 0));
    assert_int_equal(r.seen[12].type, VM_REFTYPE(true, 3));
    assert_int_equal(r.seen[18].op, VM_OP_SELECT);
    assert_int_equal(r.seen[18].type, VM_F32);
    assert_false(r.seen[18].reachable);
}

static void test_sink_can_stop_the_walk(void **state)
{
    (void)state;
    struct recorder r = {.stop_at = 1};
    record(&r, LIT(NO_LOCALS I32 DROP END), 0, VM_CANCELLED);
    assert_int_equal(r.count, 1);
}

static void test_sink_reads_the_labels_of_br_table(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r, LIT(NO_LOCALS BLOCK(EMPTY) I32 "\x0e\2\0\x81\0\0" END END), 0, VM_OK);
    assert_int_equal(r.seen[2].op, VM_OP_BR_TABLE);
    assert_int_equal(r.seen[2].imm.table.count, 2);
    assert_int_equal(r.labels[0], 0);
    assert_int_equal(r.labels[1], 1);
    assert_int_equal(r.labels[2], 0);
    assert_int_equal(r.seen[3].offset, r.seen[2].offset + 6);
}

static void test_constant_expressions_are_told_to_a_sink(void **state)
{
    (void)state;
    struct subject s = {.global = (const u8 *)("\x7f\0" I32 "\x41\5\x6a" END), .global_size = 8};
    struct bytes b = {0};
    build_around(&b, &s);
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    assert_int_equal(vm_module_decode(&m, &vm_alloc_libc, b.data, b.size, &err), VM_OK);
    struct vm_constexpr expr = {m.globals[3].init, VM_I32, 3};
    struct vm_arena scratch;
    vm_arena_init(&scratch, &vm_alloc_libc);
    struct recorder r = {0};
    assert_int_equal(vm_walk_constexpr(&m, &expr, ALL, &recording, &r, &scratch, &err), VM_OK);
    assert_int_equal(r.count, 4);
    assert_true(r.seen[1].imm.bits == 5);
    assert_int_equal(r.seen[2].op, VM_OP_I32_ADD);
    assert_int_equal(r.seen[3].op, VM_OP_END);
    vm_arena_free(&scratch);
    vm_module_free(&m);
    free(b.data);
}

/* ---------------------------------------------------------------- counted memory */

struct counter {
    usize live, peak;
    u32 calls, fail_at; /* 0: never */
};

static void *counting_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    struct counter *n = ctx;
    if (new_bytes == 0) {
        free(ptr);
        n->live -= old_bytes;
        return NULL;
    }
    if (++n->calls == n->fail_at) return NULL;
    void *p = realloc(ptr, new_bytes);
    assert_non_null(p);
    n->live += new_bytes - old_bytes;
    if (n->live > n->peak) n->peak = n->live;
    return p;
}

/* ---------------------------------------------------------------- hostile sizes */

static void repeat(struct bytes *b, const u8 *data, usize size, u32 times)
{
    for (u32 i = 0; i < times; i++) put(b, data, size);
}

static vm_status judge_body(const struct bytes *body, struct vm_err *err)
{
    struct subject s = {.body = body->data, .body_size = body->size};
    return judge_subject(&s, ALL, err);
}

static void test_a_million_nested_blocks_are_valid(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS);
    repeat(&body, LIT(BLOCK(EMPTY)), 1000000);
    repeat(&body, LIT(END), 1000000);
    PUT(&body, END);
    assert_int_equal(judge_body(&body, &err), VM_OK);
    /* One END short: the error comes at the end of the body. */
    body.size--;
    assert_int_equal(judge_body(&body, &err), VM_MALFORMED);
    free(body.data);
}

static void test_a_wide_br_table_is_valid(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS BLOCK(EMPTY) BLOCK(EMPTY) I32 "\x0e");
    put_u32(&body, 100000);
    repeat(&body, LIT("\0\1"), 50000);
    PUT(&body, "\0" END END END);
    assert_int_equal(judge_body(&body, &err), VM_OK);
    free(body.data);
}

static void test_too_wide_a_br_table_exceeds_a_limit(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS I32 "\x0e");
    put_u32(&body, VM_MAX_BR_TABLE + 1);
    repeat(&body, LIT("\0"), VM_MAX_BR_TABLE + 2);
    PUT(&body, END);
    assert_int_equal(judge_body(&body, &err), VM_LIMIT);
    free(body.data);
}

static void test_too_many_operands_exceed_a_limit(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS);
    repeat(&body, LIT(I32), 1100000);
    PUT(&body, UNREACHABLE END);
    assert_int_equal(judge_body(&body, &err), VM_LIMIT);
    free(body.data);
}

/* The evaluator's stack is as large as this limit says. */
static void test_constant_expression_of_many_operands_exceeds_a_limit(void **state)
{
    (void)state;
    for (u32 n = VM_MAX_CONSTEXPR_STACK; n <= VM_MAX_CONSTEXPR_STACK + 1; n++) {
        struct bytes global = {0}, module = {0};
        struct vm_err err;
        PUT(&global, "\1\x7f\0"); /* one immutable i32 */
        repeat(&global, LIT("\x41\1"), n);
        repeat(&global, LIT("\x6a"), n - 1);
        PUT(&global, END);
        PUT(&module, MODULE_HEADER);
        put_section(&module, 6, global.data, global.size);
        assert_int_equal(judge(&module, ALL, &err), n > VM_MAX_CONSTEXPR_STACK ? VM_LIMIT : VM_OK);
        free(global.data);
        free(module.data);
    }
}

/* Locals set in a block are unset at its end: the work is in the sets, not in the locals. */
static void test_many_blocks_that_set_one_of_many_locals_are_valid(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, "\1\xd0\x86\3\x64\0"); /* 50,000 of (ref 0) */
    repeat(&body, LIT(BLOCK(EMPTY) "\xd2\1\x21\xcf\x86\3\x20\xcf\x86\3" DROP END), 100000);
    PUT(&body, END);
    assert_int_equal(judge_body(&body, &err), VM_OK);
    body.size--;
    PUT(&body, "\x20\xcf\x86\3" DROP END);
    assert_int_equal(judge_body(&body, &err), VM_INVALID);
    assert_int_equal(err.id, VM_ERR_UNINIT_LOCAL);
    free(body.data);
}

/* 49,000 locals a body, each needing a value: what is not touched is not written out. */
static void test_many_tiny_bodies_of_many_locals_are_valid(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct bytes funcs = {0}, code = {0}, b = {0};
    struct vm_err err;
    put_u32(&funcs, COUNT);
    put_u32(&code, COUNT);
    repeat(&funcs, LIT("\0"), COUNT);
    repeat(&code, LIT("\7\1\xe8\xfe\2\x64\0" END), COUNT);
    PUT(&b, MODULE_HEADER);
    PUT_SECTION(&b, 1, "\1\x60\0\0");
    put_section(&b, 3, funcs.data, funcs.size);
    put_section(&b, 10, code.data, code.size);
    struct counter counter = {0};
    struct vm_alloc alloc = {counting_realloc, &counter};
    struct vm_module m;
    vm_err_init(&err);
    assert_int_equal(vm_module_decode(&m, &alloc, b.data, b.size, &err), VM_OK);
    usize before = counter.live;
    counter.peak = 0;
    assert_int_equal(vm_validate_module(&m, ALL, &alloc, &err), VM_OK);
    assert_true(counter.peak < before + 200000);
    vm_module_free(&m);
    assert_true(counter.live == 0);
    free(funcs.data);
    free(code.data);
    free(b.data);
}

static void test_a_million_types_are_valid(void **state)
{
    (void)state;
    struct bytes types = {0}, b = {0};
    struct vm_err err;
    put_u32(&types, VM_MAX_TYPES);
    for (u32 i = 0; i < VM_MAX_TYPES; i++) {
        if (i % 64 == 0) {
            PUT(&types, "\x50\0\x5f\0"); /* a new chain of supertypes */
        } else {
            PUT(&types, "\x50\1");
            put_u32(&types, i - 1);
            PUT(&types, "\x5f\0");
        }
    }
    PUT(&b, MODULE_HEADER);
    put_section(&b, 1, types.data, types.size);
    assert_int_equal(judge(&b, ALL, &err), VM_OK);
    free(types.data);
    free(b.data);
}

static void test_many_exports_are_valid_and_a_duplicate_is_found(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct bytes exports = {0}, b = {0};
    struct vm_err err;
    put_u32(&exports, COUNT);
    for (u32 i = 0; i < COUNT; i++) {
        u8 name[4] = {(u8)('a' + i % 26), (u8)('a' + i / 26 % 26), (u8)('a' + i / 676 % 26),
                      (u8)('a' + i / 17576)};
        put_u8(&exports, 4);
        put(&exports, name, 4);
        PUT(&exports, "\2\0");
    }
    PUT(&b, MODULE_HEADER);
    PUT_SECTION(&b, 5, "\1\0\0");
    put_section(&b, 7, exports.data, exports.size);
    assert_int_equal(judge(&b, ALL, &err), VM_OK);
    memcpy(b.data + b.size - 6, "aaaa", 4);
    assert_int_equal(judge(&b, ALL, &err), VM_INVALID);
    assert_int_equal(err.id, VM_ERR_DUPLICATE_EXPORT);
    assert_string_equal(err.text, "duplicate export name: \"aaaa\"");
    free(exports.data);
    free(b.data);
}

/* ---------------------------------------------------------------- lack of memory */

static void test_every_failing_allocation_is_oom_and_leaks_nothing(void **state)
{
    (void)state;
    struct bytes body = {0}, b = {0};
    PUT(&body, "\2\x64\x7f\1\x64\0"); /* locals in runs, one of them without default value */
    PUT(&body, "\xd2\1\x21\xe4\0"
               "\xfb\1\3" DROP);
    repeat(&body, LIT(BLOCK(EMPTY)), 20000);
    repeat(&body, LIT(I32), 20000);
    PUT(&body, UNREACHABLE);
    repeat(&body, LIT(END), 20001);
    struct subject s = {.body = body.data, .body_size = body.size};
    build_around(&b, &s);
    u32 failures = 0;
    for (u32 n = 1;; n++) {
        struct counter counter = {0};
        struct vm_alloc alloc = {counting_realloc, &counter};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        assert_int_equal(vm_module_decode(&m, &alloc, b.data, b.size, &err), VM_OK);
        counter.fail_at = counter.calls + n;
        vm_status got = vm_validate_module(&m, ALL, &alloc, &err);
        vm_module_free(&m);
        assert_true(counter.live == 0);
        if (got == VM_OK) break;
        assert_int_equal(got, VM_OOM);
        assert_int_equal(err.id, VM_ERR_OOM);
        failures++;
    }
    assert_true(failures > 10);
    free(body.data);
    free(b.data);
}

static void test_an_error_without_sink_for_it_is_still_a_status(void **state)
{
    (void)state;
    struct subject s = {.body = (const u8 *)(NO_LOCALS DROP END), .body_size = 3};
    struct bytes b = {0};
    build_around(&b, &s);
    struct vm_module m;
    assert_int_equal(vm_module_decode(&m, &vm_alloc_libc, b.data, b.size, NULL), VM_OK);
    assert_int_equal(vm_validate_module(&m, ALL, &vm_alloc_libc, NULL), VM_INVALID);
    struct vm_arena scratch;
    vm_arena_init(&scratch, &vm_alloc_libc);
    assert_int_equal(vm_walk_body(&m, TEST_FUNC, ALL, NULL, NULL, &scratch, NULL), VM_INVALID);
    vm_arena_free(&scratch);
    vm_module_free(&m);
    free(b.data);
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
        cmocka_unit_test(test_tags_are_of_both_exception_proposals),
        cmocka_unit_test(test_a_module_of_the_first_release_needs_nothing_else),
        cmocka_unit_test(test_throw_is_of_both_exception_proposals),
        cmocka_unit_test(test_declarations_of_a_feature_that_is_off_are_refused),
        cmocka_unit_test(test_extended_const_off_is_refused),
        cmocka_unit_test(test_sink_sees_locals_and_the_last_end),
        cmocka_unit_test(test_sink_sees_constants_as_bits),
        cmocka_unit_test(test_sink_is_told_what_cannot_be_reached),
        cmocka_unit_test(test_sink_sees_indices_in_binary_order),
        cmocka_unit_test(test_sink_sees_blocks),
        cmocka_unit_test(test_sink_sees_operand_types),
        cmocka_unit_test(test_sink_can_stop_the_walk),
        cmocka_unit_test(test_sink_reads_the_labels_of_br_table),
        cmocka_unit_test(test_constant_expressions_are_told_to_a_sink),
        cmocka_unit_test(test_a_million_nested_blocks_are_valid),
        cmocka_unit_test(test_a_wide_br_table_is_valid),
        cmocka_unit_test(test_too_wide_a_br_table_exceeds_a_limit),
        cmocka_unit_test(test_too_many_operands_exceed_a_limit),
        cmocka_unit_test(test_constant_expression_of_many_operands_exceeds_a_limit),
        cmocka_unit_test(test_many_blocks_that_set_one_of_many_locals_are_valid),
        cmocka_unit_test(test_many_tiny_bodies_of_many_locals_are_valid),
        cmocka_unit_test(test_a_million_types_are_valid),
        cmocka_unit_test(test_many_exports_are_valid_and_a_duplicate_is_found),
        cmocka_unit_test(test_every_failing_allocation_is_oom_and_leaks_nothing),
        cmocka_unit_test(test_an_error_without_sink_for_it_is_still_a_status),
        cmocka_unit_test(test_executable_features_are_a_subset_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
