/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Value types as one packed word. No subtyping here (subtype.h).
 *
 *   bits 0-7   kind: the type's byte in the binary format; refs are VM_REF (0x64) or
 *              VM_REFNULL (0x63); 0 is the bottom type of unreachable code
 *   bits 8-31  refs only: heap type; below VM_HEAP_ABSTRACT a type index (module-local while a
 *              module is decoded and validated, canonical in a struct vm_types), else
 *              VM_HEAP_ABSTRACT | the abstract heap type's byte
 */
#ifndef VM_TYPES_VALTYPE_H
#define VM_TYPES_VALTYPE_H

#include "base/port.h"

typedef u32 vm_valtype;

/* spec binary-numtype, binary-vectype, binary-heaptype, binary-reftype, binary-storagetype */
enum {
    VM_BOT = 0x00,
    VM_I32 = 0x7f,
    VM_I64 = 0x7e,
    VM_F32 = 0x7d,
    VM_F64 = 0x7c,
    VM_V128 = 0x7b,
    VM_I8 = 0x78,  /* storage types only */
    VM_I16 = 0x77, /* storage types only */
    VM_REF = 0x64,
    VM_REFNULL = 0x63
};

/* Abstract heap types by their byte. */
enum {
    VM_HEAP_NOEXN = 0x74,
    VM_HEAP_NOFUNC = 0x73,
    VM_HEAP_NOEXTERN = 0x72,
    VM_HEAP_NONE = 0x71,
    VM_HEAP_FUNC = 0x70,
    VM_HEAP_EXTERN = 0x6f,
    VM_HEAP_ANY = 0x6e,
    VM_HEAP_EQ = 0x6d,
    VM_HEAP_I31 = 0x6c,
    VM_HEAP_STRUCT = 0x6b,
    VM_HEAP_ARRAY = 0x6a,
    VM_HEAP_EXN = 0x69,
    VM_HEAP_ABSTRACT = 0xffff00 /* flag: the low byte says which */
};

#define VM_REFTYPE(nullable, heap) ((u32)(heap) << 8 | ((nullable) ? VM_REFNULL : VM_REF))
#define VM_FUNCREF VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_FUNC)
#define VM_EXTERNREF VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_EXTERN)
#define VM_EXNREF VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_EXN)

static inline u32 vm_valtype_kind(vm_valtype t) { return t & 0xff; }
static inline bool vm_valtype_is_ref(vm_valtype t)
{
    return (t & 0xff) == VM_REF || (t & 0xff) == VM_REFNULL;
}
static inline bool vm_valtype_is_nullable(vm_valtype t) { return (t & 0xff) == VM_REFNULL; }
/** Heap type of a reference type. */
static inline u32 vm_valtype_heap(vm_valtype t) { return t >> 8; }
static inline bool vm_heap_is_abstract(u32 heap)
{
    return (heap & VM_HEAP_ABSTRACT) == VM_HEAP_ABSTRACT;
}
/** True for a reference to a defined (indexed) type. */
static inline bool vm_valtype_is_indexed(vm_valtype t)
{
    return vm_valtype_is_ref(t) && !vm_heap_is_abstract(vm_valtype_heap(t));
}
/** 8-byte stack slots of a value: 2 for v128, 1 for all others. */
static inline u32 vm_valtype_slots(vm_valtype t) { return t == VM_V128 ? 2 : 1; }

/**
 * Writes "i32", "(ref null func)", "(ref 3)" with a final NUL, cut to `cap`.
 * Returns the whole length, as snprintf does.
 */
usize vm_valtype_print(vm_valtype t, char *buf, usize cap);

#endif
