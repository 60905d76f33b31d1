/* SPDX-License-Identifier: Apache-2.0 */
/* The instruction table against the specification's own list. */
#include "isa/opcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct spec_op {
    u8 prefix;
    u32 code;
    const char *name, *type;
};

static const struct spec_op spec_ops[] = {
#define SPEC(prefix, code, name, type) {prefix, code, name, type},
#include "spec_ops.def"
#undef SPEC
};

static vm_op op_of(u8 prefix, u32 code)
{
    return prefix ? vm_op_of_prefixed(prefix, code) : (vm_op)vm_op_of_byte[code];
}

static void test_table_every_spec_instruction_has_its_row(void **state)
{
    (void)state;
    bool seen[VM_OP_COUNT] = {false};
    for (usize i = 0; i < VM_COUNT(spec_ops); i++) {
        const struct spec_op *s = &spec_ops[i];
        vm_op op = op_of(s->prefix, s->code);
        assert_int_not_equal(op, VM_OP_ILLEGAL);
        assert_string_equal(vm_op_name(op), s->name);
        assert_string_equal(vm_op_sig(op), s->type);
        assert_false(seen[op]);
        seen[op] = true;
    }
    /* As many rows as instructions, each seen once: no row is left and no code stands twice. */
    assert_int_equal(VM_COUNT(spec_ops), VM_OP_COUNT);
}

static bool is_listed(u8 prefix, u32 code)
{
    for (usize i = 0; i < VM_COUNT(spec_ops); i++)
        if (spec_ops[i].prefix == prefix && spec_ops[i].code == code) return true;
    return false;
}

static void test_lookup_unlisted_code_is_illegal(void **state)
{
    (void)state;
    for (u32 code = 0; code < 256; code++)
        if (!is_listed(0, code)) assert_int_equal(vm_op_of_byte[code], VM_OP_ILLEGAL);
    for (u32 prefix = 0; prefix < 256; prefix++) {
        for (u32 code = 0; code < 0x200; code++)
            if (prefix == 0 || !is_listed((u8)prefix, code))
                assert_int_equal(vm_op_of_prefixed((u8)prefix, code), VM_OP_ILLEGAL);
        assert_int_equal(vm_op_of_prefixed((u8)prefix, UINT32_MAX), VM_OP_ILLEGAL);
    }
}

static void test_illegal_op_has_harmless_answers(void **state)
{
    (void)state;
    assert_string_equal(vm_op_name(VM_OP_ILLEGAL), "<illegal>");
    assert_string_equal(vm_op_sig(VM_OP_ILLEGAL), "*");
    assert_int_equal(vm_op_imm(VM_OP_ILLEGAL), VM_IMM_NONE);
    assert_int_equal(vm_op_natural_align(VM_OP_ILLEGAL), 0);
}

static void test_sig_letters_and_colon_only(void **state)
{
    (void)state;
    for (u32 op = 0; op < VM_OP_COUNT; op++) {
        const char *sig = vm_op_sig((vm_op)op);
        if (strcmp(sig, "*") == 0) continue;
        const char *colon = strchr(sig, ':');
        assert_non_null(colon);
        assert_int_equal(strspn(sig, "iIfFVa"), colon - sig);
        assert_int_equal(strspn(colon + 1, "iIfFV"), strlen(colon + 1));
    }
}

/* Bytes a memory instruction accesses, read off its mnemonic; 0 for others. */
static u32 bytes_by_name(const char *name)
{
    static const char *const stems[] = {"load", "store", "rmw", "wait", "notify"};
    const char *stem = NULL;
    for (usize i = 0; i < VM_COUNT(stems) && !stem; i++) {
        stem = strstr(name, stems[i]);
        if (stem) stem += strlen(stems[i]);
    }
    if (!stem) return 0;
    u32 bits = (u32)strtoul(stem, NULL, 10);
    const char *lanes = stem + strspn(stem, "0123456789");
    if (bits && *lanes == 'x') return 8; /* load8x8, load16x4, load32x2 */
    if (bits) return bits / 8;
    if (strncmp(name, "v128", 4) == 0) return 16;
    return strncmp(name, "i64", 3) == 0 || strncmp(name, "f64", 3) == 0 ? 8 : 4;
}

static void test_natural_align_agrees_with_mnemonic(void **state)
{
    (void)state;
    u32 accesses = 0;
    for (u32 op = 0; op < VM_OP_COUNT; op++) {
        u32 bytes = bytes_by_name(vm_op_name((vm_op)op));
        vm_imm imm = vm_op_imm((vm_op)op);
        assert_int_equal(bytes > 0, imm == VM_IMM_MEMARG || imm == VM_IMM_MEMARG_LANE);
        assert_int_equal(1u << vm_op_natural_align((vm_op)op), bytes ? bytes : 1);
        accesses += bytes > 0;
    }
    assert_int_equal(accesses, 23 + 22 + 66); /* MVP, SIMD, threads */
}

static void test_imm_samples(void **state)
{
    (void)state;
    static const struct {
        vm_op op;
        vm_imm imm;
    } samples[] = {
        {VM_OP_BLOCK, VM_IMM_BLOCKTYPE},
        {VM_OP_LOOP, VM_IMM_BLOCKTYPE},
        {VM_OP_IF, VM_IMM_BLOCKTYPE},
        {VM_OP_TRY_TABLE, VM_IMM_TRY_TABLE},
        {VM_OP_TRY, VM_IMM_LEGACY_TRY},
        {VM_OP_BR, VM_IMM_LABEL},
        {VM_OP_BR_TABLE, VM_IMM_BR_TABLE},
        {VM_OP_CALL, VM_IMM_FUNC},
        {VM_OP_CALL_INDIRECT, VM_IMM_CALL_INDIRECT},
        {VM_OP_CALL_REF, VM_IMM_TYPE},
        {VM_OP_THROW, VM_IMM_TAG},
        {VM_OP_SELECT, VM_IMM_NONE},
        {VM_OP_SELECT_T, VM_IMM_SELECT_T},
        {VM_OP_LOCAL_TEE, VM_IMM_LOCAL},
        {VM_OP_GLOBAL_SET, VM_IMM_GLOBAL},
        {VM_OP_TABLE_GET, VM_IMM_TABLE},
        {VM_OP_TABLE_COPY, VM_IMM_TABLE_TABLE},
        {VM_OP_TABLE_INIT, VM_IMM_ELEM_TABLE},
        {VM_OP_ELEM_DROP, VM_IMM_ELEM},
        {VM_OP_DATA_DROP, VM_IMM_DATA},
        {VM_OP_MEMORY_GROW, VM_IMM_MEMORY},
        {VM_OP_MEMORY_COPY, VM_IMM_MEMORY_MEMORY},
        {VM_OP_MEMORY_INIT, VM_IMM_DATA_MEMORY},
        {VM_OP_I32_CONST, VM_IMM_I32},
        {VM_OP_F64_CONST, VM_IMM_F64},
        {VM_OP_V128_CONST, VM_IMM_V128},
        {VM_OP_I8X16_SHUFFLE, VM_IMM_LANES16},
        {VM_OP_I8X16_EXTRACT_LANE_S, VM_IMM_LANE},
        {VM_OP_V128_LOAD8_LANE, VM_IMM_MEMARG_LANE},
        {VM_OP_REF_NULL, VM_IMM_HEAPTYPE},
        {VM_OP_REF_CAST_NULL, VM_IMM_HEAPTYPE},
        {VM_OP_STRUCT_GET_S, VM_IMM_TYPE_FIELD},
        {VM_OP_ARRAY_NEW_FIXED, VM_IMM_TYPE_U32},
        {VM_OP_ARRAY_NEW_DATA, VM_IMM_TYPE_DATA},
        {VM_OP_ARRAY_INIT_ELEM, VM_IMM_TYPE_ELEM},
        {VM_OP_ARRAY_COPY, VM_IMM_TYPE_TYPE},
        {VM_OP_BR_ON_CAST_FAIL, VM_IMM_BR_CAST},
        {VM_OP_ATOMIC_FENCE, VM_IMM_ZERO_BYTE},
        {VM_OP_I32_ADD, VM_IMM_NONE},
    };
    for (usize i = 0; i < VM_COUNT(samples); i++)
        assert_int_equal(vm_op_imm(samples[i].op), samples[i].imm);
}

static void test_feature_samples(void **state)
{
    (void)state;
    static const struct {
        vm_op op;
        vm_feature feature;
    } samples[] = {
        {VM_OP_I32_ADD, VM_FEATURE_MVP},
        {VM_OP_I64_EXTEND32_S, VM_FEATURE_SIGN_EXT},
        {VM_OP_I32_TRUNC_SAT_F64_U, VM_FEATURE_SAT_FLOAT},
        {VM_OP_MEMORY_FILL, VM_FEATURE_BULK},
        {VM_OP_TABLE_COPY, VM_FEATURE_BULK},
        {VM_OP_TABLE_GROW, VM_FEATURE_REF_TYPES},
        {VM_OP_RETURN_CALL, VM_FEATURE_TAIL_CALL},
        {VM_OP_RETURN_CALL_REF, VM_FEATURE_FUNC_REFS},
        {VM_OP_F64X2_PMAX, VM_FEATURE_SIMD},
        {VM_OP_I8X16_RELAXED_SWIZZLE, VM_FEATURE_RELAXED_SIMD},
        {VM_OP_REF_I31, VM_FEATURE_GC},
        {VM_OP_TRY_TABLE, VM_FEATURE_EXCEPTIONS},
        {VM_OP_DELEGATE, VM_FEATURE_LEGACY_EXCEPTIONS},
        {VM_OP_ATOMIC_FENCE, VM_FEATURE_THREADS},
        {VM_OP_I64_MUL_WIDE_U, VM_FEATURE_WIDE_ARITHMETIC},
    };
    for (usize i = 0; i < VM_COUNT(samples); i++)
        assert_int_equal(vm_op_feature(samples[i].op), samples[i].feature);
}

static void test_features_names_are_unique(void **state)
{
    (void)state;
    static const char *const names[] = {
#define FEATURE(id, name, executable, since, by_default) name,
#include "isa/features.def"
#undef FEATURE
    };
    assert_int_equal(VM_COUNT(names), VM_FEATURE_COUNT);
    for (usize i = 0; i < VM_COUNT(names); i++)
        for (usize k = 0; k < i; k++) assert_string_not_equal(names[i], names[k]);
}

static void test_rule_every_op_has_an_anchor(void **state)
{
    (void)state;
    static const char *const rules[VM_OP_COUNT] = {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule) [VM_OP_##id] = rule,
#include "isa/wasm_ops.def"
#undef OP
    };
    for (u32 op = 0; op < VM_OP_COUNT; op++) assert_true(strlen(rules[op]) > 0);
    assert_string_equal(rules[VM_OP_I32_ADD], "binop");
    assert_string_equal(rules[VM_OP_MEMORY_GROW], "memory.grow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_every_spec_instruction_has_its_row),
        cmocka_unit_test(test_lookup_unlisted_code_is_illegal),
        cmocka_unit_test(test_illegal_op_has_harmless_answers),
        cmocka_unit_test(test_sig_letters_and_colon_only),
        cmocka_unit_test(test_natural_align_agrees_with_mnemonic),
        cmocka_unit_test(test_imm_samples),
        cmocka_unit_test(test_feature_samples),
        cmocka_unit_test(test_features_names_are_unique),
        cmocka_unit_test(test_rule_every_op_has_an_anchor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
