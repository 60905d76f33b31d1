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

/* A plain signature, and what the immediate asks for beside it. */
static bool check_plain(struct vm_walker *w, const struct vm_rule *r)
{
    switch ((vm_imm)r->imm) {
    case VM_IMM_MEMARG:
        return r->feature == VM_FEATURE_THREADS ? vm_check_atomic(w) : vm_check_memarg(w);
    case VM_IMM_MEMARG_LANE: return vm_check_memarg_lane(w);
    case VM_IMM_LANE: return vm_check_lane(w);
    case VM_IMM_LANES16: return vm_check_shuffle(w);
    default: return vm_check_signature(w);
    }
}

/* A switch rather than a table of functions, which would be relocated in each process. */
bool vm_check_insn(struct vm_walker *w)
{
    const struct vm_rule *r = &vm_rules[w->insn.op];
    if (r->pops + r->pushes) return check_plain(w, r);
    // clang-format off
#define CHECK(op, check) case VM_OP_##op: return vm_check_##check(w);
    switch (w->insn.op) {
    CHECK(UNREACHABLE, unreachable)                  CHECK(BLOCK, block)
    CHECK(LOOP, block)                               CHECK(IF, if)
    CHECK(ELSE, else)                                CHECK(END, end)
    CHECK(BR, br)                                    CHECK(BR_IF, br_if)
    CHECK(BR_TABLE, br_table)                        CHECK(RETURN, return)
    CHECK(CALL, call)                                CHECK(RETURN_CALL, call)
    CHECK(CALL_INDIRECT, call_indirect)              CHECK(RETURN_CALL_INDIRECT, call_indirect)
    CHECK(CALL_REF, call_ref)                        CHECK(RETURN_CALL_REF, call_ref)
    CHECK(DROP, drop)                                CHECK(SELECT, select)
    CHECK(SELECT_T, select_t)                        CHECK(LOCAL_GET, local_get)
    CHECK(LOCAL_SET, local_set)                      CHECK(LOCAL_TEE, local_tee)
    CHECK(GLOBAL_GET, global_get)                    CHECK(GLOBAL_SET, global_set)

    CHECK(MEMORY_SIZE, memory_size)                  CHECK(MEMORY_GROW, memory_grow)
    CHECK(MEMORY_INIT, memory_init)                  CHECK(MEMORY_COPY, memory_copy)
    CHECK(MEMORY_FILL, memory_fill)                  CHECK(DATA_DROP, data_drop)
    CHECK(TABLE_GET, table_get)                      CHECK(TABLE_SET, table_set)
    CHECK(TABLE_INIT, table_init)                    CHECK(TABLE_COPY, table_copy)
    CHECK(TABLE_GROW, table_grow)                    CHECK(TABLE_SIZE, table_size)
    CHECK(TABLE_FILL, table_fill)                    CHECK(ELEM_DROP, elem_drop)

    CHECK(REF_NULL, ref_null)                        CHECK(REF_IS_NULL, ref_is_null)
    CHECK(REF_FUNC, ref_func)                        CHECK(REF_EQ, ref_eq)
    CHECK(REF_AS_NON_NULL, ref_as_non_null)          CHECK(BR_ON_NULL, br_on_null)
    CHECK(BR_ON_NON_NULL, br_on_non_null)            CHECK(REF_TEST, ref_test)
    CHECK(REF_TEST_NULL, ref_test)                   CHECK(REF_CAST, ref_cast)
    CHECK(REF_CAST_NULL, ref_cast)                   CHECK(BR_ON_CAST, br_on_cast)
    CHECK(BR_ON_CAST_FAIL, br_on_cast_fail)          CHECK(ANY_CONVERT_EXTERN, any_convert_extern)
    CHECK(EXTERN_CONVERT_ANY, extern_convert_any)    CHECK(REF_I31, ref_i31)
    CHECK(I31_GET_S, i31_get)                        CHECK(I31_GET_U, i31_get)

    CHECK(STRUCT_NEW, struct_new)                    CHECK(STRUCT_NEW_DEFAULT, struct_new_default)
    CHECK(STRUCT_GET, struct_get)                    CHECK(STRUCT_GET_S, struct_get)
    CHECK(STRUCT_GET_U, struct_get)                  CHECK(STRUCT_SET, struct_set)
    CHECK(ARRAY_NEW, array_new)                      CHECK(ARRAY_NEW_DEFAULT, array_new_default)
    CHECK(ARRAY_NEW_FIXED, array_new_fixed)          CHECK(ARRAY_NEW_DATA, array_new_data)
    CHECK(ARRAY_NEW_ELEM, array_new_elem)            CHECK(ARRAY_GET, array_get)
    CHECK(ARRAY_GET_S, array_get)                    CHECK(ARRAY_GET_U, array_get)
    CHECK(ARRAY_SET, array_set)                      CHECK(ARRAY_LEN, array_len)
    CHECK(ARRAY_FILL, array_fill)                    CHECK(ARRAY_COPY, array_copy)
    CHECK(ARRAY_INIT_DATA, array_init_data)          CHECK(ARRAY_INIT_ELEM, array_init_elem)

    CHECK(THROW, throw)                              CHECK(THROW_REF, throw_ref)
    CHECK(TRY_TABLE, try_table)                      CHECK(TRY, try)
    CHECK(CATCH, catch)                              CHECK(CATCH_ALL, catch_all)
    CHECK(DELEGATE, delegate)                        CHECK(RETHROW, rethrow)
    default: return true; /* neither operands nor results */
    }
#undef CHECK
    // clang-format on
}
