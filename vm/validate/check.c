/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed table of all instructions, made by the compiler from wasm_ops.def, and the check that
 * a signature alone decides. Rules written by hand are in the other check_*.c.
 */
#include "validate/rules.h"
#include "validate/signature.h"

const struct vm_rule vm_rules[VM_OP_COUNT + 1] = {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [VM_OP_##id] = {VM_IMM_##imm,                                                                  \
                    VM_FEATURE_##feature,                                                          \
                    align,                                                                         \
                    VM_SIG_POPS(sig),                                                              \
                    VM_SIG_PUSHES(sig),                                                            \
                    {VM_SIG_TYPE(sig, 0), VM_SIG_TYPE(sig, 1), VM_SIG_TYPE(sig, 2),                \
                     VM_SIG_TYPE(sig, 3), VM_SIG_TYPE(sig, 4), VM_SIG_TYPE(sig, 5)},               \
                    {0}},
#include "isa/wasm_ops.def"
#undef OP
};

#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    _Static_assert(sizeof(sig) <= 8, "a longer signature needs a larger vm_rule.types");
#include "isa/wasm_ops.def"
#undef OP

// clang-format off
/* What an immediate asks for where the row is a plain signature. */
#define PLAIN_NONE        NULL
#define PLAIN_I32         NULL
#define PLAIN_I64         NULL
#define PLAIN_F32         NULL
#define PLAIN_F64         NULL
#define PLAIN_V128        NULL
#define PLAIN_ZERO_BYTE   NULL
#define PLAIN_MEMARG      vm_check_memarg
#define PLAIN_MEMARG_LANE vm_check_memarg_lane
#define PLAIN_LANE        vm_check_lane
#define PLAIN_LANES16     vm_check_shuffle
/* Immediates of rows written by hand only: those override the NULL below. */
#define PLAIN_BLOCKTYPE NULL
#define PLAIN_LEGACY_TRY NULL
#define PLAIN_TRY_TABLE NULL
#define PLAIN_LABEL NULL
#define PLAIN_BR_TABLE NULL
#define PLAIN_FUNC NULL
#define PLAIN_TYPE NULL
#define PLAIN_CALL_INDIRECT NULL
#define PLAIN_LOCAL NULL
#define PLAIN_GLOBAL NULL
#define PLAIN_TABLE NULL
#define PLAIN_TABLE_TABLE NULL
#define PLAIN_ELEM_TABLE NULL
#define PLAIN_ELEM NULL
#define PLAIN_DATA NULL
#define PLAIN_MEMORY NULL
#define PLAIN_MEMORY_MEMORY NULL
#define PLAIN_DATA_MEMORY NULL
#define PLAIN_SELECT_T NULL
#define PLAIN_HEAPTYPE NULL
#define PLAIN_TYPE_FIELD NULL
#define PLAIN_TYPE_U32 NULL
#define PLAIN_TYPE_DATA NULL
#define PLAIN_TYPE_ELEM NULL
#define PLAIN_TYPE_TYPE NULL
#define PLAIN_BR_CAST NULL
#define PLAIN_TAG NULL

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

vm_check_fn *const vm_checks[VM_OP_COUNT] = {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [VM_OP_##id] = (prefix) == 0xfe && VM_IMM_##imm == VM_IMM_MEMARG ? vm_check_atomic             \
                                                                     : PLAIN_##imm,
#include "isa/wasm_ops.def"
#undef OP
    [VM_OP_UNREACHABLE] = vm_check_unreachable,
    [VM_OP_BLOCK] = vm_check_block,
    [VM_OP_LOOP] = vm_check_block,
    [VM_OP_IF] = vm_check_if,
    [VM_OP_ELSE] = vm_check_else,
    [VM_OP_END] = vm_check_end,
    [VM_OP_BR] = vm_check_br,
    [VM_OP_BR_IF] = vm_check_br_if,
    [VM_OP_BR_TABLE] = vm_check_br_table,
    [VM_OP_RETURN] = vm_check_return,
    [VM_OP_CALL] = vm_check_call,
    [VM_OP_RETURN_CALL] = vm_check_call,
    [VM_OP_CALL_INDIRECT] = vm_check_call_indirect,
    [VM_OP_RETURN_CALL_INDIRECT] = vm_check_call_indirect,
    [VM_OP_CALL_REF] = vm_check_call_ref,
    [VM_OP_RETURN_CALL_REF] = vm_check_call_ref,
    [VM_OP_DROP] = vm_check_drop,
    [VM_OP_SELECT] = vm_check_select,
    [VM_OP_SELECT_T] = vm_check_select_t,
    [VM_OP_LOCAL_GET] = vm_check_local_get,
    [VM_OP_LOCAL_SET] = vm_check_local_set,
    [VM_OP_LOCAL_TEE] = vm_check_local_tee,
    [VM_OP_GLOBAL_GET] = vm_check_global_get,
    [VM_OP_GLOBAL_SET] = vm_check_global_set,

    [VM_OP_MEMORY_SIZE] = vm_check_memory_size,
    [VM_OP_MEMORY_GROW] = vm_check_memory_grow,
    [VM_OP_MEMORY_INIT] = vm_check_memory_init,
    [VM_OP_MEMORY_COPY] = vm_check_memory_copy,
    [VM_OP_MEMORY_FILL] = vm_check_memory_fill,
    [VM_OP_DATA_DROP] = vm_check_data_drop,
    [VM_OP_TABLE_GET] = vm_check_table_get,
    [VM_OP_TABLE_SET] = vm_check_table_set,
    [VM_OP_TABLE_INIT] = vm_check_table_init,
    [VM_OP_TABLE_COPY] = vm_check_table_copy,
    [VM_OP_TABLE_GROW] = vm_check_table_grow,
    [VM_OP_TABLE_SIZE] = vm_check_table_size,
    [VM_OP_TABLE_FILL] = vm_check_table_fill,
    [VM_OP_ELEM_DROP] = vm_check_elem_drop,

    [VM_OP_REF_NULL] = vm_check_ref_null,
    [VM_OP_REF_IS_NULL] = vm_check_ref_is_null,
    [VM_OP_REF_FUNC] = vm_check_ref_func,
    [VM_OP_REF_EQ] = vm_check_ref_eq,
    [VM_OP_REF_AS_NON_NULL] = vm_check_ref_as_non_null,
    [VM_OP_BR_ON_NULL] = vm_check_br_on_null,
    [VM_OP_BR_ON_NON_NULL] = vm_check_br_on_non_null,
    [VM_OP_REF_TEST] = vm_check_ref_test,
    [VM_OP_REF_TEST_NULL] = vm_check_ref_test,
    [VM_OP_REF_CAST] = vm_check_ref_cast,
    [VM_OP_REF_CAST_NULL] = vm_check_ref_cast,
    [VM_OP_BR_ON_CAST] = vm_check_br_on_cast,
    [VM_OP_BR_ON_CAST_FAIL] = vm_check_br_on_cast_fail,
    [VM_OP_ANY_CONVERT_EXTERN] = vm_check_any_convert_extern,
    [VM_OP_EXTERN_CONVERT_ANY] = vm_check_extern_convert_any,
    [VM_OP_REF_I31] = vm_check_ref_i31,
    [VM_OP_I31_GET_S] = vm_check_i31_get,
    [VM_OP_I31_GET_U] = vm_check_i31_get,

    [VM_OP_STRUCT_NEW] = vm_check_struct_new,
    [VM_OP_STRUCT_NEW_DEFAULT] = vm_check_struct_new_default,
    [VM_OP_STRUCT_GET] = vm_check_struct_get,
    [VM_OP_STRUCT_GET_S] = vm_check_struct_get,
    [VM_OP_STRUCT_GET_U] = vm_check_struct_get,
    [VM_OP_STRUCT_SET] = vm_check_struct_set,
    [VM_OP_ARRAY_NEW] = vm_check_array_new,
    [VM_OP_ARRAY_NEW_DEFAULT] = vm_check_array_new_default,
    [VM_OP_ARRAY_NEW_FIXED] = vm_check_array_new_fixed,
    [VM_OP_ARRAY_NEW_DATA] = vm_check_array_new_data,
    [VM_OP_ARRAY_NEW_ELEM] = vm_check_array_new_elem,
    [VM_OP_ARRAY_GET] = vm_check_array_get,
    [VM_OP_ARRAY_GET_S] = vm_check_array_get,
    [VM_OP_ARRAY_GET_U] = vm_check_array_get,
    [VM_OP_ARRAY_SET] = vm_check_array_set,
    [VM_OP_ARRAY_LEN] = vm_check_array_len,
    [VM_OP_ARRAY_FILL] = vm_check_array_fill,
    [VM_OP_ARRAY_COPY] = vm_check_array_copy,
    [VM_OP_ARRAY_INIT_DATA] = vm_check_array_init_data,
    [VM_OP_ARRAY_INIT_ELEM] = vm_check_array_init_elem,

    [VM_OP_THROW] = vm_check_throw,
    [VM_OP_THROW_REF] = vm_check_throw_ref,
    [VM_OP_TRY_TABLE] = vm_check_try_table,
    [VM_OP_TRY] = vm_check_try,
    [VM_OP_CATCH] = vm_check_catch,
    [VM_OP_CATCH_ALL] = vm_check_catch_all,
    [VM_OP_DELEGATE] = vm_check_delegate,
    [VM_OP_RETHROW] = vm_check_rethrow,
};
#pragma GCC diagnostic pop
// clang-format on

/* spec validation-algorithm: pops from the last operand to the first, then pushes in order. */
bool vm_check_signature(struct vm_walker *w)
{
    const struct vm_rule *r = &vm_rules[w->insn.op];
    for (u32 i = r->pops; i-- > 0;) {
        vm_valtype want = r->types[i];
        if (VM_UNLIKELY(want == VM_RULE_ADDR)) {
            want = w->m->memories[w->insn.imm.mem.memory].is_64 ? VM_I64 : VM_I32;
        }
        if (!vm_pop(w, want)) return false;
    }
    for (u32 i = 0; i < r->pushes; i++) vm_push(w, r->types[r->pops + i]);
    return true;
}
