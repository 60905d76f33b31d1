/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one module's validation, shared by the files of that. Private to validate/. */
#ifndef VM_VALIDATE_CHECKER_H
#define VM_VALIDATE_CHECKER_H

#include "validate/ctrl.h"
#include "validate/validate.h"

struct vm_checker {
    struct vm_module *m;
    vm_features features;
    struct vm_err *err;       /* never NULL */
    struct vm_walker w;       /* of constant expressions, then of bodies */
    struct vm_arena scratch;  /* the walker's */
    struct vm_arena keep;     /* as long as the validation */
};

/** Error at the section of `id`; the printf-style detail may be NULL. */
vm_status vm_checker_fail(struct vm_checker *k, vm_error_id id, u8 section, const char *detail, ...)
    VM_PRINTF(4, 5) VM_COLD;
/** A constant expression of the wanted type. */
vm_status vm_checker_const(struct vm_checker *k, struct vm_range range, vm_valtype type,
                           u32 visible_globals);
/** Marks a function as one that ref.func may name. */
void vm_checker_declare(struct vm_checker *k, u32 func_idx);

/** needs.c: what is declared belongs to features that are on; indices may still be out of range. */
vm_status vm_check_needs(struct vm_checker *k);
/** types.c: the type section. */
vm_status vm_check_types(struct vm_checker *k);
/** spaces.c: functions, tables, memories, globals, tags, imported and defined. */
vm_status vm_check_spaces(struct vm_checker *k);
/** exports.c */
vm_status vm_check_exports(struct vm_checker *k);
/** segments.c */
vm_status vm_check_elems(struct vm_checker *k);
vm_status vm_check_datas(struct vm_checker *k);

/* Section numbers. spec binary-section */
enum {
    VM_SECTION_TYPE = 1,
    VM_SECTION_FUNC = 3,
    VM_SECTION_TABLE = 4,
    VM_SECTION_MEMORY = 5,
    VM_SECTION_GLOBAL = 6,
    VM_SECTION_EXPORT = 7,
    VM_SECTION_START = 8,
    VM_SECTION_ELEM = 9,
    VM_SECTION_CODE = 10,
    VM_SECTION_DATA = 11,
    VM_SECTION_IMPORT = 2,
    VM_SECTION_TAG = 13
};

#endif
