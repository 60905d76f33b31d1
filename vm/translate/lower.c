/* SPDX-License-Identifier: Apache-2.0 */
/* The lowering sink: one Wasm instruction in, internal code out. Control and calls are elsewhere.
 */
#include "translate/lower.h"

#include <string.h>

/* ---- parts */

/** Pops the part's inputs, emits it, pushes its result. */
static void lower_part(struct vm_lower *l, vm_part part, u128 imm, vm_valtype result)
{
    const struct vm_part_info *info = vm_part_info(part);
    struct vm_operand in[VM_INPUTS_MAX];
    for (u32 i = info->inputs; i-- > 0;) in[i] = vm_pop(l);
    bool has_result = info->result != VM_CLASS_NONE;
    vm_emit_part(l, part, in, imm, has_result ? l->next_home : VM_NO_SLOT);
    if (has_result) vm_push_slot(l, result);
}

/** True when the fast form serves: memory 0, 32-bit, guard pages. */
static bool is_guarded(const struct vm_lower *l, const struct vm_insn *in)
{
    return in->imm.mem.memory == 0 && l->env->mode.memory == VM_CODE_GUARD &&
           !l->env->module->memories[0].is_64 && in->imm.mem.offset <= UINT32_MAX;
}

#define OFFSET_MAX ((u64)UINT64_MAX >> 16)
_Static_assert(VM_MAX_MEMORIES <= UINT16_MAX, "a memory index is a half");

/** Loads and stores. Constants are stored as integers, whatever their type. */
static void lower_access(struct vm_lower *l, vm_part part, const struct vm_insn *in,
                         vm_valtype result)
{
    bool constant = l->status == VM_OK && l->stack.len && vm_top(l, 0)->where == VM_IN_CONST;
    if (constant && part == VM_PART_f32_store) part = VM_PART_i32_store;
    if (constant && part == VM_PART_f64_store) part = VM_PART_i64_store;
    bool atomic = vm_part_info(part)->memory == VM_MEMORY_ATOMIC;
    if (!atomic && is_guarded(l, in)) { /* a lane's number, if there is one, behind the offset */
        lower_part(l, part, in->imm.mem.offset | (u64)in->a << 32, result);
        return;
    }
    /* name_x, or atomic: a 16-bit memory index, and an offset that is cut where no memory reaches
     */
    u64 offset = in->imm.mem.offset < OFFSET_MAX ? in->imm.mem.offset : OFFSET_MAX;
    if (!atomic) part = (vm_part)(part + 1);
    lower_part(l, part, (offset << 16 | in->imm.mem.memory) | (u128)in->a << 64, result);
}

/** i32.eqz turns a comparison around; a branch on it will want its operand (vm_take_back_eqz). */
static void lower_eqz(struct vm_lower *l)
{
    struct vm_operand a = vm_pop(l);
    if (!vm_is_fresh(l, &a) || !vm_invert(l)) {
        const struct vm_point before = vm_point_here(l);
        vm_emit_part(l, VM_PART_i32_eqz, &a, 0, l->next_home);
        if (a.where != VM_IN_CONST && l->tail.insn == before.words) {
            l->eqz_insn = before.words;
            l->eqz_input = a;
            l->before_eqz = before;
        }
    }
    vm_push_slot(l, VM_I32);
}

static u128 bits128(const u8 *bytes)
{
    u128 bits;
    memcpy(&bits, bytes, sizeof bits);
    return bits;
}

/** i8x16.shuffle; that of one vector, or of the same twice, is a permutation of its lanes. */
static void lower_shuffle(struct vm_lower *l, const struct vm_insn *in)
{
    const u8 *lanes = in->imm.bytes;
    struct vm_operand b = vm_pop(l), a = vm_pop(l);
    bool same = a.where == VM_IN_LOCAL && b.where == VM_IN_LOCAL && a.slot == b.slot;
    u8 both = lanes[0], either = lanes[0], low[16];
    for (u32 i = 0; i < 16; i++) {
        both &= lanes[i];
        either |= lanes[i];
        low[i] = lanes[i] & 15;
    }
    const struct vm_operand pair[] = {a, b};
    if (same || !(either & 16))
        vm_emit_part(l, VM_PART_permute, &a, bits128(low), l->next_home);
    else if (both & 16)
        vm_emit_part(l, VM_PART_permute, &b, bits128(low), l->next_home);
    else
        vm_emit_part(l, VM_PART_i8x16_shuffle, pair, bits128(lanes), l->next_home);
    vm_push_slot(l, VM_V128);
}

/** Vectors of two operands. */
static void lower_pair(struct vm_lower *l, vm_part part, u32 lane, vm_valtype result)
{
    if (vm_lower_rotation(l, part)) return;
    vm_rotation_before(l, part);
    lower_part(l, part, lane, result);
    vm_rotation_after(l);
}

static void lower_plain(struct vm_lower *l, vm_part part, const struct vm_insn *in,
                        vm_valtype result)
{
    u32 lane = vm_part_info(part)->imm ? in->a : 0;
    if (vm_part_info(part)->memory)
        lower_access(l, part, in, result);
    else if (part == VM_PART_i32_eqz)
        lower_eqz(l);
    else if (part == VM_PART_i8x16_shuffle)
        lower_shuffle(l, in);
    else if (vm_part_info(part)->result == VM_CLASS_V128 && vm_part_info(part)->inputs == 2)
        lower_pair(l, part, lane, result);
    else
        lower_part(l, part, lane, result);
}

/* ---- wide arithmetic */

/** One instruction from two or four slots to two: its last two halves in use. */
static void lower_wide(struct vm_lower *l, vm_ir op, u32 inputs)
{
    i16 halves[2 * VM_WORD_HALVES] = {0};
    for (u32 i = inputs; i-- > 0;) {
        struct vm_operand o = vm_pop(l);
        halves[i] = vm_src(l, &o, i); /* the fourth scratch slot is the results': read first */
    }
    i32 home = l->next_home;
    i16 dst = vm_dst(l, home + 1); /* both are near, or neither */
    bool far = l->far_dst != 0;
    if (far) l->far_dst = home;
    halves[inputs] = far ? dst : (i16)home;
    halves[inputs + 1] = (i16)(halves[inputs] + 1);
    union vm_word words[2];
    memcpy(words, halves, sizeof words);
    u32 insn = vm_emit(l, op, words[0]);
    if (inputs == VM_WORD_HALVES) vm_emit_word(l, words[1]);
    l->wide_half = VM_WORD_HALVES * (insn + 1) + inputs;
    if (!far) l->wide_end = l->words.len;
    vm_push_slot(l, VM_I64);
    vm_push_slot(l, VM_I64);
    vm_dst_done(l, 2);
}

/** Sends a result of the wide instruction that was just emitted elsewhere; false: it is none. */
static bool retarget_wide(struct vm_lower *l, const struct vm_operand *o, i32 slot)
{
    if (l->wide_end != l->words.len || o->where != VM_IN_SLOT || l->status != VM_OK) return false;
    u8 *at = (u8 *)l->words.data + 2 * (usize)l->wide_half;
    i16 results[2];
    memcpy(results, at, sizeof results);
    u32 which = results[1] == o->home;
    if (results[which] != o->home) return false;
    results[which] = (i16)slot;
    memcpy(at, results, sizeof results);
    return true;
}

/* ---- locals, globals, select */

static void write_local(struct vm_lower *l, u32 local)
{
    struct vm_operand o = vm_pop(l);
    i32 slot = l->local_slots[local];
    if (o.where == VM_IN_LOCAL && o.local == local) return;
    vm_switch_wrote(l, local, &o);
    bool may_fold = slot == (i16)slot && l->local_heads[local] == VM_NO_INDEX;
    if (may_fold && vm_is_fresh(l, &o)) {
        vm_retarget(l, slot);
        return;
    }
    if (may_fold && retarget_wide(l, &o, slot)) {
        if (vm_is_pinned(l, slot)) vm_pins_load(l);
        return;
    }
    vm_materialise_local(l, local);
    vm_copy_to(l, &o, slot);
}

static void push_result(struct vm_lower *l, vm_valtype type)
{
    vm_push_slot(l, type);
    vm_dst_done(l, vm_valtype_slots(type));
}

static void lower_global_get(struct vm_lower *l, u32 global, vm_valtype type)
{
    bool one = vm_valtype_slots(type) == 1;
    lower_part(l, one ? VM_PART_global_get : VM_PART_global_get128, global, type);
}

static void lower_global_set(struct vm_lower *l, u32 global)
{
    bool one = l->status == VM_OK && vm_top(l, 0)->slots == 1;
    lower_part(l, one ? VM_PART_global_set : VM_PART_global_set128, global, 0);
}

/** [dst16] and a 32-bit index. */
static void lower_indexed_get(struct vm_lower *l, vm_ir op, u32 index, vm_valtype type)
{
    union vm_word w = {.si = {.a = vm_dst(l, l->next_home), .i = index}};
    vm_emit(l, op, w);
    push_result(l, type);
}

static void lower_select(struct vm_lower *l, vm_valtype type)
{
    bool one = vm_valtype_slots(type) == 1;
    lower_part(l, one ? VM_PART_select : VM_PART_select128, 0, type);
}

/* ---- tables, bulk operations */

/**
 * Operations over `count` operands in consecutive home slots, which they may update to remember
 * progress: [h] [base32 -] [index32 index32]. One result replaces them when `has_result`.
 */
static void lower_bulk(struct vm_lower *l, vm_ir op, u32 count, const struct vm_insn *in,
                       bool has_result)
{
    vm_materialise_top(l, count);
    if (l->status != VM_OK) return;
    i32 base = count ? vm_top(l, count - 1)->home : l->next_home;
    vm_emit_mark(l);
    vm_emit(l, op, (union vm_word){.w = {.lo = base}});
    vm_emit_word(l, (union vm_word){.w = {.lo = (i32)in->a, .hi = (i32)in->b}});
    for (u32 i = 0; i < count; i++) (void)vm_pop(l);
    if (has_result) vm_push_slot(l, VM_I64); /* one slot whatever the address type */
}

static void lower_table_get(struct vm_lower *l, const struct vm_insn *in)
{
    struct vm_operand index = vm_pop(l);
    union vm_word w = {.si = {.b = vm_src(l, &index, 0), .i = in->a}};
    vm_emit_mark(l);
    w.si.a = vm_dst(l, index.home);
    vm_emit(l, VM_IR_table_get, w);
    push_result(l, in->type);
}

static void lower_table_set(struct vm_lower *l, const struct vm_insn *in)
{
    struct vm_operand value = vm_pop(l), index = vm_pop(l);
    union vm_word w = {.si = {.a = vm_src(l, &index, 0), .b = vm_src(l, &value, 1), .i = in->a}};
    vm_emit_mark(l);
    vm_emit(l, VM_IR_table_set, w);
}

/** ref.is_null and ref.eq compare slots as 64-bit integers. */
static void lower_ref_as_non_null(struct vm_lower *l)
{
    vm_materialise_top(l, 1);
    vm_emit_mark(l);
    union vm_word w = {.s = {.a = vm_src(l, vm_top(l, 0), 0)}};
    vm_emit(l, VM_IR_ref_as_non_null, w);
}

/* ---- threads */

/** Operands in consecutive home slots, the first one for the result: [h] [base32 memory32]
 *  [offset64]. */
static void lower_wait(struct vm_lower *l, vm_ir op, u32 count, const struct vm_insn *in)
{
    vm_materialise_top(l, count);
    if (l->status != VM_OK) return;
    i32 base = vm_top(l, count - 1)->home;
    vm_emit_mark(l);
    vm_emit(l, op, (union vm_word){.w = {.lo = base, .hi = (i32)in->imm.mem.memory}});
    vm_emit_word(l, (union vm_word){.u = in->imm.mem.offset});
    for (u32 i = 0; i < count; i++) (void)vm_pop(l);
    vm_push_slot(l, VM_I32);
}

static void lower_threads(struct vm_lower *l, const struct vm_insn *in)
{
    switch (in->op) {
    case VM_OP_MEMORY_ATOMIC_NOTIFY: lower_wait(l, VM_IR_atomic_notify, 2, in); break;
    case VM_OP_MEMORY_ATOMIC_WAIT32: lower_wait(l, VM_IR_atomic_wait32, 3, in); break;
    case VM_OP_MEMORY_ATOMIC_WAIT64: lower_wait(l, VM_IR_atomic_wait64, 3, in); break;
    case VM_OP_ATOMIC_FENCE: vm_emit_bare(l, VM_IR_atomic_fence); break;
    default: l->status = VM_UNSUPPORTED; break;
    }
}

static void lower_bulk_op(struct vm_lower *l, const struct vm_insn *in)
{
    switch (in->op) {
    case VM_OP_MEMORY_GROW: lower_bulk(l, VM_IR_memory_grow, 1, in, true); break;
    case VM_OP_MEMORY_FILL: lower_bulk(l, VM_IR_memory_fill, 3, in, false); break;
    case VM_OP_MEMORY_COPY: lower_bulk(l, VM_IR_memory_copy, 3, in, false); break;
    case VM_OP_MEMORY_INIT: lower_bulk(l, VM_IR_memory_init, 3, in, false); break;
    case VM_OP_DATA_DROP: lower_bulk(l, VM_IR_data_drop, 0, in, false); break;
    case VM_OP_TABLE_GROW: lower_bulk(l, VM_IR_table_grow, 2, in, true); break;
    case VM_OP_TABLE_FILL: lower_bulk(l, VM_IR_table_fill, 3, in, false); break;
    case VM_OP_TABLE_COPY: lower_bulk(l, VM_IR_table_copy, 3, in, false); break;
    case VM_OP_TABLE_INIT: lower_bulk(l, VM_IR_table_init, 3, in, false); break;
    case VM_OP_ELEM_DROP: lower_bulk(l, VM_IR_elem_drop, 0, in, false); break;
    default: lower_threads(l, in); break;
    }
}

/* ---- the rest */

static void lower_other(struct vm_lower *l, const struct vm_insn *in)
{
    switch (in->op) {
    case VM_OP_NOP: break;
    case VM_OP_UNREACHABLE:
        vm_emit_mark(l);
        vm_emit_bare(l, VM_IR_unreachable);
        vm_emit_end(l);
        l->dead = true;
        break;
    case VM_OP_DROP: (void)vm_pop(l); break;
    case VM_OP_SELECT:
    case VM_OP_SELECT_T: lower_select(l, in->type); break;
    case VM_OP_LOCAL_GET: vm_push_local(l, in->a); break;
    case VM_OP_LOCAL_SET: write_local(l, in->a); break;
    case VM_OP_LOCAL_TEE:
        write_local(l, in->a);
        vm_push_local(l, in->a);
        break;
    case VM_OP_GLOBAL_GET: lower_global_get(l, in->a, in->type); break;
    case VM_OP_GLOBAL_SET: lower_global_set(l, in->a); break;
    case VM_OP_I32_CONST:
    case VM_OP_I64_CONST:
    case VM_OP_F32_CONST:
    case VM_OP_F64_CONST: vm_push_const(l, in->imm.bits); break;
    case VM_OP_V128_CONST:
        vm_emit_part(l, VM_PART_const128, NULL, bits128(in->imm.bytes), l->next_home);
        vm_push_slot(l, VM_V128);
        break;
    case VM_OP_I32_REINTERPRET_F32: /* slots hold bits: nothing to do */
    case VM_OP_I64_REINTERPRET_F64:
    case VM_OP_F32_REINTERPRET_I32:
    case VM_OP_F64_REINTERPRET_I64: break;
    case VM_OP_REF_NULL: vm_push_const(l, 0); break;
    case VM_OP_REF_IS_NULL: lower_part(l, VM_PART_i64_eqz, 0, VM_I32); break;
    case VM_OP_REF_EQ: lower_part(l, VM_PART_i64_eq, 0, VM_I32); break;
    case VM_OP_REF_FUNC: lower_indexed_get(l, VM_IR_ref_func, in->a, VM_FUNCREF); break;
    case VM_OP_REF_AS_NON_NULL: lower_ref_as_non_null(l); break;
    case VM_OP_I64_ADD128: lower_wide(l, VM_IR_i64_add128, 4); break;
    case VM_OP_I64_SUB128: lower_wide(l, VM_IR_i64_sub128, 4); break;
    case VM_OP_I64_MUL_WIDE_S: lower_wide(l, VM_IR_i64_mul_wide_s, 2); break;
    case VM_OP_I64_MUL_WIDE_U: lower_wide(l, VM_IR_i64_mul_wide_u, 2); break;
    case VM_OP_MEMORY_SIZE: lower_indexed_get(l, VM_IR_memory_size, in->a, VM_I64); break;
    case VM_OP_TABLE_SIZE: lower_indexed_get(l, VM_IR_table_size, in->a, VM_I64); break;
    case VM_OP_TABLE_GET: lower_table_get(l, in); break;
    case VM_OP_TABLE_SET: lower_table_set(l, in); break;
    default: lower_bulk_op(l, in); break;
    }
}

static void lower_control(struct vm_lower *l, const struct vm_insn *in)
{
    switch (in->op) {
    case VM_OP_BLOCK:
    case VM_OP_LOOP:
    case VM_OP_TRY:
    case VM_OP_TRY_TABLE:
    case VM_OP_IF: vm_lower_block(l, in); break;
    case VM_OP_CATCH:
    case VM_OP_CATCH_ALL: vm_lower_catch(l, in); break;
    case VM_OP_DELEGATE: vm_lower_delegate(l, in->a); break;
    case VM_OP_THROW: vm_lower_throw(l, in); break;
    case VM_OP_THROW_REF: vm_lower_throw_ref(l); break;
    case VM_OP_RETHROW: vm_lower_rethrow(l, in->a); break;
    case VM_OP_ELSE: vm_lower_else(l); break;
    case VM_OP_END: vm_lower_end(l); break;
    case VM_OP_BR: vm_lower_br(l, in->a); break;
    case VM_OP_BR_IF: vm_lower_br_if(l, in->a); break;
    case VM_OP_BR_TABLE: vm_lower_br_table(l, in); break;
    case VM_OP_BR_ON_NULL:
    case VM_OP_BR_ON_NON_NULL: vm_lower_br_on_null(l, in); break;
    case VM_OP_RETURN: vm_lower_return(l); break;
    case VM_OP_CALL:
    case VM_OP_CALL_INDIRECT:
    case VM_OP_CALL_REF:
    case VM_OP_RETURN_CALL:
    case VM_OP_RETURN_CALL_INDIRECT:
    case VM_OP_RETURN_CALL_REF: vm_lower_call(l, in); break;
    default: lower_other(l, in); break;
    }
}

/** In dead code only the nesting of blocks matters. True when the instruction is done with. */
static bool skip_dead(struct vm_lower *l, vm_op op)
{
    switch (op) {
    case VM_OP_BLOCK:
    case VM_OP_LOOP:
    case VM_OP_IF:
    case VM_OP_TRY:
    case VM_OP_TRY_TABLE: l->dead_depth++; return true;
    case VM_OP_DELEGATE:
    case VM_OP_END:
        if (l->dead_depth == 0) return false;
        l->dead_depth--;
        return true;
    case VM_OP_CATCH:
    case VM_OP_CATCH_ALL:
    case VM_OP_ELSE: return l->dead_depth != 0;
    default: return true;
    }
}

static vm_status on_insn(void *ctx, const struct vm_insn *in)
{
    struct vm_lower *l = ctx;
    if (l->dead && skip_dead(l, in->op)) return VM_OK;
    l->offset = in->offset;
    vm_fuel_count(l, in->op);
    vm_part part;
    vm_valtype result;
    if (vm_part_of(in->op, &part, &result))
        lower_plain(l, part, in, result);
    else
        lower_control(l, in);
    if (l->words.len > VM_MAX_CODE_WORDS && l->status == VM_OK) l->status = VM_LIMIT;
    return l->status;
}

/** Places parameters below the header, other locals behind it, and zeroes those. */
static vm_status on_begin(void *ctx, const vm_valtype *types, u32 count)
{
    struct vm_lower *l = ctx;
    const struct vm_alloc *a = l->env->alloc;
    l->local_count = count;
    l->local_heads = vm_alloc_array(a, (usize)count + 1, sizeof(u32));
    l->local_slots = vm_alloc_array(a, (usize)count + 1, sizeof(i32));
    if (!l->local_heads || !l->local_slots) return l->status = VM_OOM;
    l->local_types = types;
    l->below = vm_functype_shared_slots(l->sig);
    i32 param = -(i32)l->below, other = VM_FRAME_SLOTS + (l->far ? VM_FAR_SLOTS : 0), first = other;
    for (u32 i = 0; i < count; i++) {
        i32 *next = i < l->sig->param_count ? &param : &other;
        l->local_heads[i] = VM_NO_INDEX;
        l->local_slots[i] = *next;
        *next += (i32)vm_valtype_slots(types[i]);
    }
    l->next_home = other;
    vm_use_slots(l, other);
    if (other > first) {
        i32 zeroed = (other - first + VM_ENTER_BLOCK - 1) / VM_ENTER_BLOCK * VM_ENTER_BLOCK;
        vm_use_slots(l, (i64)first + zeroed);
        i32 blocks = zeroed / VM_ENTER_BLOCK;
        if (blocks <= VM_ENTER_BLOCKS_MAX)
            vm_emit_part(l, (vm_part)(VM_PART_enter1 + blocks - 1), NULL, (u16)first, VM_NO_SLOT);
        else
            vm_emit_part(l, VM_PART_enter, NULL, (u32)first | (u64)(u32)zeroed << 32, VM_NO_SLOT);
    }
    vm_pins_choose(l);
    vm_pins_load(l);
    vm_lower_function_begin(l);
    vm_fuel_region(l);
    return l->status;
}

/* ---- entry */

static void lower_free(struct vm_lower *l)
{
    const struct vm_alloc *a = l->env->alloc;
    VM_VEC_FREE(a, &l->words);
    VM_VEC_FREE(a, &l->map);
    VM_VEC_FREE(a, &l->stack);
    VM_VEC_FREE(a, &l->frames);
    VM_VEC_FREE(a, &l->fixups);
    VM_VEC_FREE(a, &l->tries);
    VM_VEC_FREE(a, &l->catches);
    vm_switch_free(l);
    vm_alloc_free(a, l->local_heads, ((usize)l->local_count + 1) * sizeof(u32));
    vm_alloc_free(a, l->local_slots, ((usize)l->local_count + 1) * sizeof(i32));
    l->local_heads = NULL;
    l->local_slots = NULL;
}

/** Targets of branches become addresses in `words`, the copy of the code. */
static void place(const struct vm_lower *l, union vm_word *words)
{
    for (u32 i = 0; i < l->fixups.len; i++) {
        const struct vm_fixup *f = &l->fixups.data[i];
        if (!f->clause) words[f->word].ptr = words + words[f->word].u;
    }
}

/** Exact copies of the words and the map become the function's. */
static vm_status publish(struct vm_lower *l)
{
    const struct vm_alloc *a = l->env->alloc;
    struct vm_code *code = l->code;
    union vm_word *words = vm_alloc_array(a, l->words.len, sizeof *words);
    struct vm_codemap *map = vm_alloc_array(a, (usize)l->map.len + 1, sizeof *map);
    if (words && map) code->handlers = vm_try_publish(l);
    if (!words || !map || l->status != VM_OK) {
        vm_alloc_free(a, words, (usize)l->words.len * sizeof *words);
        vm_alloc_free(a, map, ((usize)l->map.len + 1) * sizeof *map);
        return VM_OOM;
    }
    memcpy(words, l->words.data, (usize)l->words.len * sizeof *words);
    place(l, words);
    if (l->map.len) memcpy(map, l->map.data, (usize)l->map.len * sizeof *map);
    code->words = words;
    code->word_count = l->words.len;
    code->map = map;
    code->map_count = l->map.len;
    atomic_store_explicit(&code->frame_slots, (u32)l->max_slot, memory_order_relaxed);
    return VM_OK;
}

/** Room for what most bodies of that many bytes need. */
static vm_status make_room(struct vm_lower *l, u32 size)
{
    const struct vm_alloc *a = l->env->alloc;
    bool done = VM_VEC_RESERVE(a, &l->words, size / 2 + 16) &&
                VM_VEC_RESERVE(a, &l->map, size / 16 + 8) &&
                VM_VEC_RESERVE(a, &l->fixups, size / 32 + 8) && VM_VEC_RESERVE(a, &l->stack, 32) &&
                VM_VEC_RESERVE(a, &l->frames, 16);
    return l->status = done ? VM_OK : VM_OOM;
}

static vm_status translate_once(struct vm_lower *l, struct vm_arena *scratch, struct vm_err *err)
{
    static const struct vm_sink sink = {.begin = on_begin, .insn = on_insn};
    const struct vm_module *m = l->env->module;
    u32 func = l->code->func_idx;
    vm_status s = make_room(l, m->bodies[func - m->n_imported[VM_EXTERN_FUNC]].range.size);
    if (s == VM_OK) s = vm_walk_body(m, func, l->env->features, &sink, l, scratch, err);
    bool again = s == VM_OK && !vm_pins_paid(l);
    if (s == VM_OK && !again) s = publish(l);
    lower_free(l);
    l->no_pins |= again;
    return s;
}

vm_status vm_translate(const struct vm_translate_env *env, struct vm_code *code,
                       struct vm_arena *scratch, struct vm_err *err)
{
    struct vm_lower start = {.env = env,
                             .backend = vm_backend_get(env->mode.backend),
                             .code = code,
                             .sig = vm_module_functype(env->module, code->func_idx),
                             .max_slot = VM_FRAME_SLOTS,
                             .chosen = {.loop = VM_NO_INDEX, .local = VM_NO_INDEX},
                             .eqz_insn = VM_NO_INDEX};
    vm_emit_barrier(&start);
    struct vm_lower l = start;
    vm_status s = translate_once(&l, scratch, err);
    if (s == VM_OK && l.no_pins) {
        start.no_pins = true;
        l = start;
        s = translate_once(&l, scratch, err);
    }
    if (s == VM_LIMIT && l.need_far) {
        start.far = true;
        l = start;
        s = translate_once(&l, scratch, err);
    }
    if (s == VM_OOM) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "translating a function");
    if (s == VM_LIMIT)
        return vm_err_set(err, VM_ERR_LIMIT, l.offset, "function %u needs too large a frame",
                          code->func_idx);
    return s;
}
