/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decoded module: immutable after vm_module_decode, everything in one arena, code and segments
 * left as byte ranges of the module's own private copy. No canonical types, no translated code.
 */
#ifndef VM_BINARY_MODULE_H
#define VM_BINARY_MODULE_H

#include "base/arena.h"
#include "base/status.h"
#include "types/deftype.h"
#include "types/limits.h"

enum vm_extern_kind {
    VM_EXTERN_FUNC = 0,
    VM_EXTERN_TABLE = 1,
    VM_EXTERN_MEMORY = 2,
    VM_EXTERN_GLOBAL = 3,
    VM_EXTERN_TAG = 4
};

/** Bytes in the module, not a C string: may contain U+0000. */
struct vm_name {
    const u8 *data;
    u32 size;
};

/** A range of the module's bytes, [start, start + size). */
struct vm_range {
    u32 start, size;
};

struct vm_import {
    struct vm_name module, name;
    u8 kind;   /* enum vm_extern_kind */
    u32 index; /* in the index space of its kind */
};

struct vm_export {
    struct vm_name name;
    u8 kind;
    u32 index;
};

/** Tables defined here and imported ones alike; `init` is empty for null or imports. */
struct vm_table_decl {
    struct vm_tabletype type;
    struct vm_range init; /* constant expression with its END; size 0: none */
};

struct vm_global_decl {
    struct vm_globaltype type;
    struct vm_range init; /* size 0 for imports */
};

enum vm_segment_mode { VM_SEGMENT_ACTIVE, VM_SEGMENT_PASSIVE, VM_SEGMENT_DECLARATIVE };

struct vm_elem_decl {
    u8 mode;
    bool is_exprs; /* items are constant expressions, else function indices */
    u32 table;
    vm_valtype type;
    struct vm_range offset; /* constant expression; active only */
    u32 count;
    struct vm_range items; /* `count` items one after the other */
};

struct vm_data_decl {
    u8 mode;
    u32 memory;
    struct vm_range offset;
    struct vm_range bytes;
};

/** A code section entry: local declarations and expression, without the size field. */
struct vm_body {
    struct vm_range range;
};

struct vm_section {
    u8 id; /* 0: custom */
    struct vm_name name; /* custom only */
    struct vm_range payload; /* custom: behind the name */
};

#define VM_NO_INDEX UINT32_MAX

/** Index spaces hold imports first. Counts of imports by kind are n_imported[kind]. */
struct vm_module {
    struct vm_arena arena; /* holds this struct's arrays and, if copied, the bytes */
    const u8 *bytes;
    usize size;

    struct vm_typespace types; /* module-local; supertypes and references by local index */
    const struct vm_import *imports;
    u32 import_count;
    u32 n_imported[5];
    const u32 *funcs; /* type index of each function */
    u32 func_count;
    const struct vm_body *bodies; /* of function n_imported[VM_EXTERN_FUNC] + i */
    u32 body_count;
    const struct vm_table_decl *tables;
    u32 table_count;
    const struct vm_limits *memories;
    u32 memory_count;
    const struct vm_global_decl *globals;
    u32 global_count;
    const u32 *tags; /* type index of each tag */
    u32 tag_count;
    const struct vm_export *exports;
    u32 export_count;
    u32 start; /* function index or VM_NO_INDEX */
    u64 start_offset; /* file offset of the start section's index, for messages */
    const struct vm_elem_decl *elems;
    u32 elem_count;
    const struct vm_data_decl *datas;
    u32 data_count;
    bool has_data_count; /* a data count section stood before the code */
    const struct vm_section *sections; /* as in the file */
    u32 section_count;
    struct vm_range func_names; /* name subsection 1: vec(idx name); size 0: none */
    struct vm_range tag_names; /* subsection 11, the same */
    struct vm_name module_name;
    u32 unsupported_const; /* file offset of the first constant instruction that can't be evaluated,
                              or 0 (validate fills it) */
    u32 unsupported_const_op; /* vm_op */
    u64 *declared_funcs; /* bit set: functions that ref.func may name (validate fills it) */
};

/**
 * Decodes `size` bytes at `bytes`, which must outlive the module (the caller keeps them in private
 * memory). Checks the binary format of everything but function bodies and constant expressions
 * (those only for their extent), and index bounds nowhere. Module is caller's storage; on failure
 * nothing is left allocated. Work and memory are linear in `size`.
 * Errors: VM_MALFORMED, VM_INVALID (type section only), VM_LIMIT, VM_OOM.
 */
vm_status vm_module_decode(struct vm_module *m, const struct vm_alloc *alloc, const u8 *bytes,
                           usize size, struct vm_err *err) VM_MUST_USE;
/** Frees the arena. */
void vm_module_free(struct vm_module *m);

/** Type of function `func_idx`, which must be in range and have a function type. */
static inline const struct vm_functype *vm_module_functype(const struct vm_module *m, u32 func_idx)
{
    return &m->types.types[m->funcs[func_idx]].of.func;
}

/**
 * Name of a function from the name section: false if it has none. Linear in the name section; any
 * malformed part ends the search (a bad name section never fails a module).
 */
bool vm_module_func_name(const struct vm_module *m, u32 func_idx, struct vm_name *out);

/** The same of a tag. */
bool vm_module_tag_name(const struct vm_module *m, u32 tag_idx, struct vm_name *out);

/** Finds an export; NULL if there is none. Linear. */
const struct vm_export *vm_module_find_export(const struct vm_module *m, const u8 *name, u32 size);

#endif
