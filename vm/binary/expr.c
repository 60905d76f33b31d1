/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds where a constant expression ends by passing its instructions' immediates. Which
 * instructions are constant is validation.
 */
#include "binary/decode.h"
#include "isa/opcode.h"

/* spec binary-blocktype */
static void skip_blocktype(struct vm_cursor *c, u32 type_count)
{
    if (c->p >= c->end || (*c->p & 0xc0) != 0x40) {
        (void)vm_cursor_s33(c);
    } else if (*c->p == 0x40) {
        c->p++;
    } else {
        (void)vm_cursor_valtype(c, type_count);
    }
}

/* spec binary-memarg: bit 6 of the flags announces a memory index. */
static void skip_memarg(struct vm_cursor *c)
{
    u64 offset = vm_cursor_offset(c);
    u32 flags = vm_cursor_u32(c);
    if (flags >= 0x80) {
        (void)vm_cursor_fail_at(c, VM_ERR_MEMOP_FLAGS, offset, NULL);
        return;
    }
    if (flags & 0x40) (void)vm_cursor_u32(c);
    (void)vm_cursor_u64(c);
}

/* spec binary-catch */
static void skip_catches(struct vm_cursor *c)
{
    u32 count = vm_cursor_count(c);
    for (u32 i = 0; i < count && !c->failed; i++) {
        u64 offset = vm_cursor_offset(c);
        u8 kind = vm_cursor_u8(c);
        if (kind > 3) vm_decode_fail_byte(c, VM_ERR_CATCH_KIND, offset);
        if (kind < 2) (void)vm_cursor_u32(c);
        (void)vm_cursor_u32(c);
    }
}

static void skip_u32s(struct vm_cursor *c, u32 count)
{
    for (u32 i = 0; i < count && !c->failed; i++) (void)vm_cursor_u32(c);
}

static void skip_br_table(struct vm_cursor *c)
{
    u32 count = vm_cursor_count(c);
    skip_u32s(c, count);
    (void)vm_cursor_u32(c);
}

static void skip_valtypes(struct vm_cursor *c, u32 type_count)
{
    u32 count = vm_cursor_count(c);
    for (u32 i = 0; i < count && !c->failed; i++) (void)vm_cursor_valtype(c, type_count);
}

static void skip_br_cast(struct vm_cursor *c, u32 type_count)
{
    (void)vm_cursor_u8(c);
    (void)vm_cursor_u32(c);
    (void)vm_cursor_heaptype(c, type_count);
    (void)vm_cursor_heaptype(c, type_count);
}

static void skip_zero_byte(struct vm_cursor *c)
{
    u64 offset = vm_cursor_offset(c);
    if (vm_cursor_u8(c) != 0) (void)vm_cursor_fail_at(c, VM_ERR_ZERO_BYTE, offset, NULL);
}

static void skip_immediates(struct vm_cursor *c, vm_imm imm, u32 type_count)
{
    switch (imm) {
    case VM_IMM_NONE: break;
    case VM_IMM_BLOCKTYPE:
    case VM_IMM_LEGACY_TRY: skip_blocktype(c, type_count); break;
    case VM_IMM_TRY_TABLE:
        skip_blocktype(c, type_count);
        skip_catches(c);
        break;
    case VM_IMM_BR_TABLE: skip_br_table(c); break;
    case VM_IMM_LABEL:
    case VM_IMM_FUNC:
    case VM_IMM_TYPE:
    case VM_IMM_LOCAL:
    case VM_IMM_GLOBAL:
    case VM_IMM_TABLE:
    case VM_IMM_ELEM:
    case VM_IMM_DATA:
    case VM_IMM_MEMORY:
    case VM_IMM_TAG: skip_u32s(c, 1); break;
    case VM_IMM_CALL_INDIRECT:
    case VM_IMM_TABLE_TABLE:
    case VM_IMM_ELEM_TABLE:
    case VM_IMM_MEMORY_MEMORY:
    case VM_IMM_DATA_MEMORY:
    case VM_IMM_TYPE_FIELD:
    case VM_IMM_TYPE_U32:
    case VM_IMM_TYPE_DATA:
    case VM_IMM_TYPE_ELEM:
    case VM_IMM_TYPE_TYPE: skip_u32s(c, 2); break;
    case VM_IMM_MEMARG: skip_memarg(c); break;
    case VM_IMM_MEMARG_LANE:
        skip_memarg(c);
        (void)vm_cursor_u8(c);
        break;
    case VM_IMM_LANE: (void)vm_cursor_u8(c); break;
    case VM_IMM_I32: (void)vm_cursor_s32(c); break;
    case VM_IMM_I64: (void)vm_cursor_s64(c); break;
    case VM_IMM_F32: (void)vm_cursor_bytes(c, 4); break;
    case VM_IMM_F64: (void)vm_cursor_bytes(c, 8); break;
    case VM_IMM_V128:
    case VM_IMM_LANES16: (void)vm_cursor_bytes(c, 16); break;
    case VM_IMM_SELECT_T: skip_valtypes(c, type_count); break;
    case VM_IMM_HEAPTYPE: (void)vm_cursor_heaptype(c, type_count); break;
    case VM_IMM_BR_CAST: skip_br_cast(c, type_count); break;
    case VM_IMM_ZERO_BYTE: skip_zero_byte(c); break;
    case VM_IMM_COUNT: vm_assert(false); break;
    }
}

static vm_op read_op(struct vm_cursor *c)
{
    u64 offset = vm_cursor_offset(c);
    u8 byte = vm_cursor_u8(c);
    if (c->failed) return VM_OP_ILLEGAL;
    bool is_prefix = byte >= 0xfb && byte <= 0xfe;
    vm_op op = is_prefix ? vm_op_of_prefixed(byte, vm_cursor_u32(c)) : (vm_op)vm_op_of_byte[byte];
    if (op == VM_OP_ILLEGAL && !c->failed) vm_decode_fail_byte(c, VM_ERR_ILLEGAL_OPCODE, offset);
    return op;
}

struct vm_range vm_decode_expr(struct vm_cursor *c, u32 type_count)
{
    u64 start = vm_cursor_offset(c);
    u32 depth = 0; /* blocks are not constant, but their ENDs are not ours */
    for (;;) {
        u64 offset = vm_cursor_offset(c);
        vm_op op = read_op(c);
        if (c->failed) break;
        if (op == VM_OP_ELSE && depth == 0) {
            (void)vm_cursor_fail_at(c, VM_ERR_END_EXPECTED, offset, NULL);
            break;
        }
        if (op == VM_OP_END && depth-- == 0) break;
        vm_imm imm = vm_op_imm(op);
        if (imm == VM_IMM_BLOCKTYPE || imm == VM_IMM_TRY_TABLE || imm == VM_IMM_LEGACY_TRY) depth++;
        if (op == VM_OP_DELEGATE && depth > 0) depth--;
        skip_immediates(c, imm, type_count);
    }
    return vm_range_from(c, start);
}
