/* SPDX-License-Identifier: Apache-2.0 */
/* Value types as WebAssembly text. */
#include "types/valtype.h"

#include <stdio.h>

static const char *simple_name(u32 kind)
{
    // clang-format off
    switch (kind) {
    case VM_BOT: return "bot";
    case VM_I32: return "i32";
    case VM_I64: return "i64";
    case VM_F32: return "f32";
    case VM_F64: return "f64";
    case VM_V128: return "v128";
    case VM_I8: return "i8";
    case VM_I16: return "i16";
    default: return "?";
    }
    // clang-format on
}

static const char *heap_name(u32 byte)
{
    // clang-format off
    switch (byte) {
    case VM_HEAP_NOEXN: return "noexn";
    case VM_HEAP_NOFUNC: return "nofunc";
    case VM_HEAP_NOEXTERN: return "noextern";
    case VM_HEAP_NONE: return "none";
    case VM_HEAP_FUNC: return "func";
    case VM_HEAP_EXTERN: return "extern";
    case VM_HEAP_ANY: return "any";
    case VM_HEAP_EQ: return "eq";
    case VM_HEAP_I31: return "i31";
    case VM_HEAP_STRUCT: return "struct";
    case VM_HEAP_ARRAY: return "array";
    case VM_HEAP_EXN: return "exn";
    default: return "?";
    }
    // clang-format on
}

usize vm_valtype_print(vm_valtype t, char *buf, usize cap)
{
    int len;
    if (!vm_valtype_is_ref(t)) {
        len = snprintf(buf, cap, "%s", simple_name(vm_valtype_kind(t)));
    } else {
        const char *null = vm_valtype_is_nullable(t) ? "null " : "";
        u32 heap = vm_valtype_heap(t);
        if (vm_heap_is_abstract(heap)) {
            len = snprintf(buf, cap, "(ref %s%s)", null, heap_name(heap & 0xff));
        } else {
            len = snprintf(buf, cap, "(ref %s%u)", null, heap);
        }
    }
    return len < 0 ? 0 : (usize)len;
}
