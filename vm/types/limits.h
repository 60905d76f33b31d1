/* SPDX-License-Identifier: Apache-2.0 */
/* Types of tables, memories, globals, and the documented implementation limits. */
#ifndef VM_TYPES_LIMITS_H
#define VM_TYPES_LIMITS_H

#include "types/valtype.h"

/** spec syntax-limits. Pages of memories, elements of tables. */
struct vm_limits {
    u64 min;
    u64 max;        /* UINT64_MAX when has_max is false */
    bool has_max;
    bool is_64;     /* address type i64 */
    bool is_shared; /* memories of the threads proposal */
    u8 page_log2;   /* memories: 16, or 0 with custom-page-sizes */
};

struct vm_tabletype {
    vm_valtype elem;
    struct vm_limits limits;
};

struct vm_globaltype {
    vm_valtype type;
    bool is_mutable;
};

/** spec match-limits: may an object of limits `have`, now of size `now`, serve where `want` is? */
bool vm_limits_match(const struct vm_limits *have, u64 now, const struct vm_limits *want);

/* Documented limits (docs/architecture.md); exceeding one is VM_ERR_LIMIT, never a crash. */
enum {
    VM_PAGE_LOG2 = 16,
    VM_MAX_MODULE_BYTES = 1 << 30,
    VM_MAX_TYPES = 1000000,
    VM_MAX_FUNCS = 1000000,
    VM_MAX_IMPORTS = 1000000,
    VM_MAX_EXPORTS = 1000000,
    VM_MAX_GLOBALS = 1000000,
    VM_MAX_TAGS = 1000000,
    VM_MAX_TABLES = 100000,
    VM_MAX_MEMORIES = 100,
    VM_MAX_ELEMS = 10000000,
    VM_MAX_DATAS = 100000,
    VM_MAX_PARAMS = 1000,
    VM_MAX_RESULTS = 1000,
    VM_MAX_FIELDS = 10000,
    VM_MAX_LOCALS = 50000,
    VM_MAX_SUBTYPE_DEPTH = 63,
    VM_MAX_BODY_BYTES = 7654321,
    VM_MAX_CONSTEXPR_STACK = 1024, /* operands of a constant expression */
    VM_MAX_BR_TABLE = 1000000,
    VM_MAX_STACK_SLOTS = 1000000, /* frame of one function */
    VM_MAX_TRANSLATE_OPERANDS = 1 << 26, /* operands pushed while translating a function */
    VM_MAX_CODE_WORDS = 1 << 24,   /* internal code of one function */
    VM_MAX_SHARED_STRING = 1 << 20 /* bytes of a string in a shared memory for a host function */
};

#endif
