/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body walker: opcodes and immediates in, checks and sink called. spec binary-instr
 * What an instruction means for the stacks is in check*.c.
 */
#include "types/limits.h"
#include "validate/rules.h"

/* ---------------------------------------------------------------- features */

static bool has(const struct vm_walker *w, vm_feature f)
{
    return w->sink || vm_features_have(w->features, f);
}

bool vm_walk_type_slow(struct vm_walker *w, vm_valtype type)
{
    vm_feature need = vm_valtype_feature(type);
    if (has(w, need)) return true;
    char text[64];
    (void)vm_valtype_print(type, text, sizeof text);
    return vm_walk_fail_need(w, need, text);
}

static bool op_is_on(const struct vm_walker *w, vm_op op)
{
    if (vm_features_have(w->features, vm_rules[op].feature)) return true;
    /* Both exception proposals have it. */
    return op == VM_OP_THROW && (w->features & VM_FEATURE_BIT(LEGACY_EXCEPTIONS));
}

/* Where validation let it pass, it is this build that lacks it. */
static VM_NOINLINE VM_COLD bool fail_op(struct vm_walker *w, vm_op op)
{
    if (w->sink) return vm_walk_fail(w, VM_ERR_UNSUPPORTED_OP, "%s", vm_op_name(op));
    const char *need = vm_feature_name(vm_op_feature(op));
    return vm_walk_fail(w, VM_ERR_UNSUPPORTED_OP, "%s needs feature %s (--features +%s)",
                        vm_op_name(op), need, need);
}

/* ---------------------------------------------------------------- reading */

static bool leb_failed(struct vm_walker *w, vm_error_id id)
{
    return vm_walk_fail_here(w, id == VM_ERR_END ? VM_ERR_END_OF_SECTION : id);
}

bool vm_walk_u32(struct vm_walker *w, u32 *out)
{
    vm_error_id id = vm_leb_u32(&w->c.p, w->c.end, out);
    return VM_LIKELY(id == VM_ERR_NONE) || leb_failed(w, id);
}

bool vm_walk_u8(struct vm_walker *w, u8 *out)
{
    *out = 0;
    if (w->c.p == w->c.end) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    *out = *w->c.p++;
    return true;
}

static bool read_pair(struct vm_walker *w)
{
    return vm_walk_u32(w, &w->insn.a) && vm_walk_u32(w, &w->insn.b);
}

static bool read_i32(struct vm_walker *w)
{
    i32 value;
    vm_error_id id = vm_leb_s32(&w->c.p, w->c.end, &value);
    if (id != VM_ERR_NONE) return leb_failed(w, id);
    w->insn.imm.bits = (u32)value;
    return true;
}

static bool read_i64(struct vm_walker *w)
{
    i64 value;
    vm_error_id id = vm_leb_s64(&w->c.p, w->c.end, &value);
    if (id != VM_ERR_NONE) return leb_failed(w, id);
    w->insn.imm.bits = (u64)value;
    return true;
}

/* Little-endian bits of a float of `size` bytes. */
static bool read_float(struct vm_walker *w, u32 size)
{
    if (vm_cursor_left(&w->c) < size) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    u64 bits = 0;
    for (u32 i = 0; i < size; i++) bits |= (u64)w->c.p[i] << 8 * i;
    w->c.p += size;
    w->insn.imm.bits = bits;
    return true;
}

static bool read_16_bytes(struct vm_walker *w)
{
    if (vm_cursor_left(&w->c) < 16) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    w->insn.imm.bytes = w->c.p;
    w->c.p += 16;
    return true;
}

static bool read_lane(struct vm_walker *w)
{
    u8 lane;
    if (!vm_walk_u8(w, &lane)) return false;
    w->insn.a = lane;
    return true;
}

/* spec binary-memarg: bit 6 of the alignment announces a memory index. */
static bool read_memarg(struct vm_walker *w)
{
    struct vm_insn *in = &w->insn;
    u32 flags;
    in->imm.mem.memory = 0;
    if (!vm_walk_u32(w, &flags)) return false;
    if (VM_UNLIKELY(flags >= 0x40)) {
        if (flags >= 0x80) return vm_walk_fail_here(w, VM_ERR_MEMOP_FLAGS);
        if (!has(w, VM_FEATURE_MULTI_MEMORY))
            return vm_walk_fail_need(w, VM_FEATURE_MULTI_MEMORY, "access with a memory index");
        if (!vm_walk_u32(w, &in->imm.mem.memory)) return false;
    }
    in->imm.mem.align = flags & 0x3f;
    if (VM_LIKELY(w->c.p < w->c.end && *w->c.p < 0x80)) {
        in->imm.mem.offset = *w->c.p++;
        return true;
    }
    vm_error_id id = vm_leb_u64(&w->c.p, w->c.end, &in->imm.mem.offset);
    return id == VM_ERR_NONE || leb_failed(w, id);
}

/* spec binary-blocktype: 0x40, a value type, or a type index as a non-negative s33. */
static bool read_blocktype(struct vm_walker *w)
{
    if (w->c.p == w->c.end) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    u8 first = *w->c.p;
    if (first == 0x40) {
        w->c.p++;
        w->bt_kind = VM_BT_EMPTY;
        w->bt_type = 0;
        return true;
    }
    if ((first & 0xc0) == 0x40) {
        w->bt_kind = VM_BT_VALUE;
        w->bt_type = vm_cursor_valtype(&w->c, w->m->types.count);
        return w->c.failed ? vm_walk_fail_cursor(w) : vm_walk_type(w, w->bt_type);
    }
    i64 index;
    vm_error_id id = vm_leb_s33(&w->c.p, w->c.end, &index);
    if (id != VM_ERR_NONE) return leb_failed(w, id);
    if (index < 0) return vm_walk_fail_here(w, VM_ERR_VALTYPE);
    if (index >= w->m->types.count || w->m->types.types[index].kind != VM_COMP_FUNC) {
        return vm_walk_fail_index(w, VM_ERR_UNKNOWN_TYPE, (u32)index);
    }
    w->bt_kind = VM_BT_INDEX;
    w->bt_type = (u32)index;
    return has(w, VM_FEATURE_MULTI_VALUE) ||
           vm_walk_fail_need(w, VM_FEATURE_MULTI_VALUE, "block with a function type");
}

static bool read_heaptype(struct vm_walker *w, u32 *out)
{
    *out = vm_cursor_heaptype(&w->c, w->m->types.count);
    return w->c.failed ? vm_walk_fail_cursor(w) : vm_walk_type(w, VM_REFTYPE(true, *out));
}

/* All types are read, then one is demanded: the bytes may be malformed further on. */
static bool read_select_types(struct vm_walker *w)
{
    u32 count;
    if (!vm_walk_u32(w, &count)) return false;
    if (count > vm_cursor_left(&w->c)) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    for (u32 i = 0; i < count; i++) {
        w->insn.type = vm_cursor_valtype(&w->c, w->m->types.count);
        if (w->c.failed) return vm_walk_fail_cursor(w);
        if (!vm_walk_type(w, w->insn.type)) return false;
    }
    w->insn.a = count;
    return count == 1 || vm_walk_fail(w, VM_ERR_RESULT_ARITY, "select with %u types", count);
}

/* Flags, label, and the types cast from (insn.b) and to (insn.type). */
static bool read_br_cast(struct vm_walker *w)
{
    struct vm_insn *in = &w->insn;
    u8 flags;
    u32 from, to;
    if (!vm_walk_u8(w, &flags)) return false;
    if (flags > 3) return vm_walk_fail_here(w, VM_ERR_CAST_FLAGS);
    if (!vm_walk_u32(w, &in->a) || !read_heaptype(w, &from) || !read_heaptype(w, &to)) return false;
    in->b = VM_REFTYPE(flags & 1, from);
    in->type = VM_REFTYPE(flags & 2, to);
    return true;
}

static bool read_zero(struct vm_walker *w)
{
    u8 byte;
    return vm_walk_u8(w, &byte) && (byte == 0 || vm_walk_fail_here(w, VM_ERR_ZERO_BYTE));
}

/* The vectors of br_table and try_table are left to their checks: raw and count only. */
static bool read_table_head(struct vm_walker *w)
{
    u32 count;
    if (!vm_walk_u32(w, &count)) return false;
    if (count > vm_cursor_left(&w->c)) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    if (count > VM_MAX_BR_TABLE) {
        return vm_walk_fail(w, VM_ERR_LIMIT, "%u targets in one %s", count, vm_op_name(w->insn.op));
    }
    w->insn.imm.table.raw = w->c.p;
    w->insn.imm.table.count = count;
    return true;
}

static bool read_catches_head(struct vm_walker *w)
{
    u32 count;
    if (!read_blocktype(w) || !vm_walk_u32(w, &count)) return false;
    if (count > vm_cursor_left(&w->c)) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    w->insn.imm.catches.raw = w->c.p;
    w->insn.imm.catches.count = count;
    return true;
}

static bool read_imm(struct vm_walker *w, vm_imm imm)
{
    switch (imm) {
    case VM_IMM_NONE: return true;
    case VM_IMM_LABEL:
    case VM_IMM_FUNC:
    case VM_IMM_TYPE:
    case VM_IMM_LOCAL:
    case VM_IMM_GLOBAL:
    case VM_IMM_TABLE:
    case VM_IMM_ELEM:
    case VM_IMM_DATA:
    case VM_IMM_MEMORY:
    case VM_IMM_TAG: return vm_walk_u32(w, &w->insn.a);
    case VM_IMM_CALL_INDIRECT:
    case VM_IMM_TABLE_TABLE:
    case VM_IMM_ELEM_TABLE:
    case VM_IMM_MEMORY_MEMORY:
    case VM_IMM_DATA_MEMORY:
    case VM_IMM_TYPE_FIELD:
    case VM_IMM_TYPE_U32:
    case VM_IMM_TYPE_DATA:
    case VM_IMM_TYPE_ELEM:
    case VM_IMM_TYPE_TYPE: return read_pair(w);
    case VM_IMM_BLOCKTYPE:
    case VM_IMM_LEGACY_TRY: return read_blocktype(w);
    case VM_IMM_MEMARG: return read_memarg(w);
    case VM_IMM_MEMARG_LANE: return read_memarg(w) && read_lane(w);
    case VM_IMM_LANE: return read_lane(w);
    case VM_IMM_V128:
    case VM_IMM_LANES16: return read_16_bytes(w);
    case VM_IMM_I32: return read_i32(w);
    case VM_IMM_I64: return read_i64(w);
    case VM_IMM_F32: return read_float(w, 4);
    case VM_IMM_F64: return read_float(w, 8);
    case VM_IMM_SELECT_T: return read_select_types(w);
    case VM_IMM_HEAPTYPE: return read_heaptype(w, &w->insn.a);
    case VM_IMM_BR_CAST: return read_br_cast(w);
    case VM_IMM_BR_TABLE: return read_table_head(w);
    case VM_IMM_TRY_TABLE: return read_catches_head(w);
    case VM_IMM_ZERO_BYTE: return read_zero(w);
    case VM_IMM_COUNT: break;
    }
    return vm_walk_fail(w, VM_ERR_INTERNAL, "immediate of %s", vm_op_name(w->insn.op));
}

/* ---------------------------------------------------------------- one instruction */

/* Opcodes behind a prefix, and the holes of the one-byte table. */
static VM_NOINLINE vm_op read_prefixed(struct vm_walker *w, u8 first)
{
    u32 code = first;
    if (first >= 0xfb && first <= 0xfe) {
        if (!vm_walk_u32(w, &code)) return VM_OP_ILLEGAL;
        vm_op op = vm_op_of_prefixed(first, code);
        if (op != VM_OP_ILLEGAL) return op;
        vm_walk_fail(w, VM_ERR_ILLEGAL_OPCODE, "%02x %02x", first, code);
        return VM_OP_ILLEGAL;
    }
    /* The detail stands without a colon in the spec's tests: "illegal opcode ff". */
    vm_walk_fail(w, VM_ERR_ILLEGAL_OPCODE, "%02x", first);
    return VM_OP_ILLEGAL;
}

/*
 * The spec's tests want to hear what a reader without bounds would: at the end of the file that
 * there is no more, else what it makes of the byte behind the body.
 */
static bool end_is_missing(struct vm_walker *w)
{
    if (w->c.end == w->m->bytes + w->m->size) return vm_walk_fail_here(w, VM_ERR_END_OF_SECTION);
    return vm_walk_fail_here(w, *w->c.end == 0x0b ? VM_ERR_SECTION_SIZE : VM_ERR_END_EXPECTED);
}

bool vm_walk_opcode(struct vm_walker *w)
{
    struct vm_insn *in = &w->insn;
    in->offset = (u32)(w->c.p - w->c.start);
    if (VM_UNLIKELY(w->c.p == w->c.end)) return end_is_missing(w);
    u8 first = *w->c.p++;
    in->op = (vm_op)vm_op_of_byte[first];
    if (VM_UNLIKELY(in->op == VM_OP_ILLEGAL)) {
        in->op = read_prefixed(w, first);
        if (in->op == VM_OP_ILLEGAL) return false;
    }
    return VM_LIKELY(op_is_on(w, in->op)) || fail_op(w, in->op);
}

bool vm_walk_tell_sink(struct vm_walker *w)
{
    if (w->insn.type == VM_REF_BOT) w->insn.type = VM_BOT;
    w->status = w->sink->insn(w->sink_ctx, &w->insn);
    return w->status == VM_OK;
}

bool vm_walk_insn(struct vm_walker *w)
{
    vm_op op = w->insn.op;
    w->insn.reachable = !w->top->unreachable && !w->top->dead;
    w->insn.type = VM_BOT;
    if (!read_imm(w, (vm_imm)vm_rules[op].imm)) return false;
    if (!vm_walk_reserve(w, 0)) return false;
    if (!vm_check_insn(w)) return false;
    return !w->sink || vm_walk_tell_sink(w);
}

bool vm_walk_begin(struct vm_walker *w, u8 bt_kind, u32 type)
{
    w->stack = w->floor = w->sp = w->first_values;
    w->limit = w->stack + VM_FIRST_VALUES;
    w->ctrls = w->first_ctrls;
    w->ctrl_cap = VM_FIRST_CTRLS;
    w->ctrl_count = 0;
    vm_push(w, VM_MARK);
    return vm_ctrl_push(w, VM_CTRL_BODY, bt_kind, type);
}

/* ---------------------------------------------------------------- bodies */

void vm_walk_seek(struct vm_walker *w, struct vm_range range)
{
    const u8 *start = w->m->bytes;
    w->c = (struct vm_cursor){.start = start,
                              .p = start + range.start,
                              .end = start + range.start + range.size,
                              .err = w->c.err};
    w->insn = (struct vm_insn){.op = VM_OP_NOP, .offset = range.start};
}

static bool walk_expression(struct vm_walker *w)
{
    while (w->ctrl_count > 0) {
        if (!vm_walk_quickly(w)) return false;
        if (w->ctrl_count > 0 && (!vm_walk_opcode(w) || !vm_walk_insn(w))) return false;
    }
    if (w->c.p == w->c.end) return true;
    w->insn.offset = (u32)vm_cursor_offset(&w->c);
    return vm_walk_fail(w, VM_ERR_SECTION_SIZE, "bytes behind the end of the body");
}

static bool walk_body(struct vm_walker *w, u32 func_idx)
{
    const struct vm_functype *f = vm_module_functype(w->m, func_idx);
    u8 kind = f->result_count == 0 ? VM_BT_EMPTY : f->result_count == 1 ? VM_BT_VALUE : VM_BT_INDEX;
    u32 type = kind == VM_BT_INDEX ? w->m->funcs[func_idx] : kind ? f->types[f->param_count] : 0;
    if (!vm_locals_read(w, func_idx) || !vm_walk_begin(w, kind, type)) return false;
    if (w->sink && w->sink->begin) {
        w->status = w->sink->begin(w->sink_ctx, w->locals.types, w->locals.count);
        if (w->status != VM_OK) return false;
    }
    return walk_expression(w);
}

vm_status vm_walk_function(struct vm_walker *w, u32 func_idx)
{
    const struct vm_module *m = w->m;
    const struct vm_range *body = &m->bodies[func_idx - m->n_imported[VM_EXTERN_FUNC]].range;
    w->status = VM_OK;
    w->is_const = false;
    w->plain_memory = m->memory_count > 0 && !m->memories[0].is_64;
    vm_walk_seek(w, *body);
    vm_arena_reset(w->scratch);
    if (body->size > VM_MAX_BODY_BYTES) {
        vm_walk_fail(w, VM_ERR_LIMIT, "a body of %u bytes", body->size);
    } else if (walk_body(w, func_idx)) {
        return VM_OK;
    }
    if (w->status == VM_OK) w->status = VM_INTERNAL;
    if (w->c.err->func_idx == VM_NO_FUNC) w->c.err->func_idx = func_idx;
    return w->status;
}

vm_status vm_walk_body(const struct vm_module *m, u32 func_idx, vm_features features,
                       const struct vm_sink *sink, void *ctx, struct vm_arena *scratch,
                       struct vm_err *err)
{
    struct vm_err own;
    if (!err) {
        vm_err_init(&own);
        err = &own;
    }
    struct vm_walker w = {.m = m,
                          .features = features,
                          .scratch = scratch,
                          .sink = sink,
                          .sink_ctx = ctx,
                          .c = {.err = err}};
    return vm_walk_function(&w, func_idx);
}
