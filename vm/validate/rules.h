/* SPDX-License-Identifier: Apache-2.0 */
/* The hand-written checks, by file. Private to validate/. */
#ifndef VM_VALIDATE_RULES_H
#define VM_VALIDATE_RULES_H

#include "validate/ctrl.h"

/* clang-format off */
/* check_control.c */
vm_check_fn vm_check_unreachable, vm_check_block, vm_check_if, vm_check_else, vm_check_end,
    vm_check_br, vm_check_br_if, vm_check_br_table, vm_check_return, vm_check_call,
    vm_check_call_indirect, vm_check_call_ref, vm_check_drop, vm_check_select, vm_check_select_t,
    vm_check_local_get, vm_check_local_set, vm_check_local_tee, vm_check_global_get,
    vm_check_global_set;
/* check_memory.c */
vm_check_fn vm_check_memarg, vm_check_atomic, vm_check_memory_size, vm_check_memory_grow,
    vm_check_memory_init, vm_check_memory_copy, vm_check_memory_fill, vm_check_data_drop,
    vm_check_table_get, vm_check_table_set, vm_check_table_init, vm_check_table_copy,
    vm_check_table_grow, vm_check_table_size, vm_check_table_fill, vm_check_elem_drop;
/* check_ref.c */
vm_check_fn vm_check_ref_null, vm_check_ref_is_null, vm_check_ref_func, vm_check_ref_eq,
    vm_check_ref_as_non_null, vm_check_br_on_null, vm_check_br_on_non_null, vm_check_ref_test,
    vm_check_ref_cast, vm_check_br_on_cast, vm_check_br_on_cast_fail, vm_check_any_convert_extern,
    vm_check_extern_convert_any, vm_check_ref_i31, vm_check_i31_get;
/* check_gc.c */
vm_check_fn vm_check_struct_new, vm_check_struct_new_default, vm_check_struct_get,
    vm_check_struct_set, vm_check_array_new, vm_check_array_new_default, vm_check_array_new_fixed,
    vm_check_array_new_data, vm_check_array_new_elem, vm_check_array_get, vm_check_array_set,
    vm_check_array_len, vm_check_array_fill, vm_check_array_copy, vm_check_array_init_data,
    vm_check_array_init_elem;
/* check_eh.c */
vm_check_fn vm_check_throw, vm_check_throw_ref, vm_check_try_table, vm_check_try,
    vm_check_catch, vm_check_catch_all, vm_check_delegate, vm_check_rethrow;
/* check_simd.c */
vm_check_fn vm_check_lane, vm_check_memarg_lane, vm_check_shuffle;
/* clang-format on */

/** Does the index name a memory, a data segment …? Used by more than one file. */
bool vm_check_memory_index(struct vm_walker *w, u32 index);
bool vm_check_data_index(struct vm_walker *w, u32 index);
bool vm_check_elem_index(struct vm_walker *w, u32 index);
bool vm_check_table_index(struct vm_walker *w, u32 index);
bool vm_check_tag_index(struct vm_walker *w, u32 index);

/** For structs of many fields: two bits a type, `arena`'s; NULL when out of memory. */
u64 *vm_defaultable_new(const struct vm_typespace *types, struct vm_arena *arena);

#endif
