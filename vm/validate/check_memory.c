/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of memory and table instructions. spec valid-instr-memory, valid-instr-table */
#include "validate/rules.h"

static vm_valtype address_type(bool is_64) { return is_64 ? VM_I64 : VM_I32; }

/* ---------------------------------------------------------------- indices */

bool vm_check_memory_index(struct vm_walker *w, u32 index)
{
    return VM_LIKELY(index < w->m->memory_count) ||
           vm_walk_fail_index(w, VM_ERR_UNKNOWN_MEMORY, index);
}

bool vm_check_table_index(struct vm_walker *w, u32 index)
{
    return VM_LIKELY(index < w->m->table_count) ||
           vm_walk_fail_index(w, VM_ERR_UNKNOWN_TABLE, index);
}

bool vm_check_elem_index(struct vm_walker *w, u32 index)
{
    return VM_LIKELY(index < w->m->elem_count) || vm_walk_fail_index(w, VM_ERR_UNKNOWN_ELEM, index);
}

/* spec binary-module: code may name data segments only behind a data count section. */
bool vm_check_data_index(struct vm_walker *w, u32 index)
{
    if (!w->m->has_data_count) return vm_walk_fail(w, VM_ERR_DATA_COUNT_NEEDED, NULL);
    return VM_LIKELY(index < w->m->data_count) || vm_walk_fail_index(w, VM_ERR_UNKNOWN_DATA, index);
}

/* ---------------------------------------------------------------- loads and stores */

static bool check_offset(struct vm_walker *w)
{
    const struct vm_insn *in = &w->insn;
    if (VM_LIKELY(in->imm.mem.offset <= UINT32_MAX) || w->m->memories[in->imm.mem.memory].is_64) {
        return true;
    }
    return vm_walk_fail(w, VM_ERR_OFFSET_RANGE, "%llu in %s",
                        (unsigned long long)in->imm.mem.offset, vm_op_name(in->op));
}

static bool fail_alignment(struct vm_walker *w, vm_error_id id)
{
    return vm_walk_fail(w, id, "2^%u in %s", w->insn.imm.mem.align, vm_op_name(w->insn.op));
}

bool vm_check_memarg(struct vm_walker *w)
{
    if (!vm_check_memory_index(w, w->insn.imm.mem.memory)) return false;
    if (VM_UNLIKELY(w->insn.imm.mem.align > vm_rules[w->insn.op].align)) {
        return fail_alignment(w, VM_ERR_ALIGNMENT);
    }
    return check_offset(w) && vm_check_signature(w);
}

/* Threads proposal: the alignment is exactly the natural one. */
bool vm_check_atomic(struct vm_walker *w)
{
    if (!vm_check_memory_index(w, w->insn.imm.mem.memory)) return false;
    if (w->insn.imm.mem.align != vm_rules[w->insn.op].align) {
        return fail_alignment(w, VM_ERR_ATOMIC_ALIGNMENT);
    }
    return check_offset(w) && vm_check_signature(w);
}

/* ---------------------------------------------------------------- whole memories */

static bool memory_address(struct vm_walker *w, u32 index, vm_valtype *out)
{
    if (!vm_check_memory_index(w, index)) return false;
    *out = address_type(w->m->memories[index].is_64);
    return true;
}

bool vm_check_memory_size(struct vm_walker *w)
{
    vm_valtype at;
    return memory_address(w, w->insn.a, &at) && vm_push(w, at);
}

bool vm_check_memory_grow(struct vm_walker *w)
{
    vm_valtype at;
    return memory_address(w, w->insn.a, &at) && vm_pop(w, at) && vm_push(w, at);
}

bool vm_check_memory_fill(struct vm_walker *w)
{
    vm_valtype at;
    return memory_address(w, w->insn.a, &at) && vm_pop(w, at) && vm_pop(w, VM_I32) && vm_pop(w, at);
}

bool vm_check_memory_copy(struct vm_walker *w)
{
    vm_valtype to, from;
    if (!memory_address(w, w->insn.a, &to) || !memory_address(w, w->insn.b, &from)) return false;
    vm_valtype length = to == VM_I64 && from == VM_I64 ? VM_I64 : VM_I32;
    return vm_pop(w, length) && vm_pop(w, from) && vm_pop(w, to);
}

bool vm_check_memory_init(struct vm_walker *w)
{
    vm_valtype at;
    return memory_address(w, w->insn.b, &at) && vm_check_data_index(w, w->insn.a) &&
           vm_pop(w, VM_I32) && vm_pop(w, VM_I32) && vm_pop(w, at);
}

bool vm_check_data_drop(struct vm_walker *w) { return vm_check_data_index(w, w->insn.a); }

/* ---------------------------------------------------------------- tables */

/* The table's address type; its element type goes to insn.type. */
static bool table_at(struct vm_walker *w, u32 index, vm_valtype *address)
{
    if (!vm_check_table_index(w, index)) return false;
    const struct vm_tabletype *t = &w->m->tables[index].type;
    *address = address_type(t->limits.is_64);
    w->insn.type = t->elem;
    return true;
}

bool vm_check_table_get(struct vm_walker *w)
{
    vm_valtype at;
    return table_at(w, w->insn.a, &at) && vm_pop(w, at) && vm_push(w, w->insn.type);
}

bool vm_check_table_set(struct vm_walker *w)
{
    vm_valtype at;
    return table_at(w, w->insn.a, &at) && vm_pop(w, w->insn.type) && vm_pop(w, at);
}

bool vm_check_table_size(struct vm_walker *w)
{
    vm_valtype at;
    return table_at(w, w->insn.a, &at) && vm_push(w, at);
}

bool vm_check_table_grow(struct vm_walker *w)
{
    vm_valtype at;
    return table_at(w, w->insn.a, &at) && vm_pop(w, at) && vm_pop(w, w->insn.type) &&
           vm_push(w, at);
}

bool vm_check_table_fill(struct vm_walker *w)
{
    vm_valtype at;
    return table_at(w, w->insn.a, &at) && vm_pop(w, at) && vm_pop(w, w->insn.type) && vm_pop(w, at);
}

bool vm_check_table_copy(struct vm_walker *w)
{
    vm_valtype to, from;
    if (!table_at(w, w->insn.b, &from)) return false;
    vm_valtype elem = w->insn.type;
    if (!table_at(w, w->insn.a, &to)) return false;
    if (!vm_walk_matches(w, elem, w->insn.type)) return vm_walk_mismatch(w, w->insn.type, elem);
    vm_valtype length = to == VM_I64 && from == VM_I64 ? VM_I64 : VM_I32;
    return vm_pop(w, length) && vm_pop(w, from) && vm_pop(w, to);
}

bool vm_check_table_init(struct vm_walker *w)
{
    vm_valtype at;
    if (!table_at(w, w->insn.b, &at) || !vm_check_elem_index(w, w->insn.a)) return false;
    vm_valtype elem = w->m->elems[w->insn.a].type;
    if (!vm_walk_matches(w, elem, w->insn.type)) return vm_walk_mismatch(w, w->insn.type, elem);
    return vm_pop(w, VM_I32) && vm_pop(w, VM_I32) && vm_pop(w, at);
}

bool vm_check_elem_drop(struct vm_walker *w) { return vm_check_elem_index(w, w->insn.a); }
