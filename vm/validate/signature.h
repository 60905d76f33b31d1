/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature column of wasm_ops.def taken apart by the compiler: "ii:i" pops 2, pushes 1. For
 * the tables of check.c and quick.c; no table here.
 */
#ifndef VM_VALIDATE_SIGNATURE_H
#define VM_VALIDATE_SIGNATURE_H

#include "types/valtype.h"

/** A type of a rule that is no value type: i32 or i64, as the memory's addresses are. */
enum { VM_RULE_ADDR = 1 };

/* Character k of a string literal, '\0' behind its end; a constant expression. */
#define VM_SIG_CH(s, k) ((k) < sizeof(s) ? (s)[(k) < sizeof(s) ? (k) : 0] : '\0')
#define VM_SIG_COLON(s)                                                                            \
    (VM_SIG_CH(s, 0) == ':'   ? 0                                                                  \
     : VM_SIG_CH(s, 1) == ':' ? 1                                                                  \
     : VM_SIG_CH(s, 2) == ':' ? 2                                                                  \
     : VM_SIG_CH(s, 3) == ':' ? 3                                                                  \
     : VM_SIG_CH(s, 4) == ':' ? 4                                                                  \
                              : 0)
#define VM_SIG_IS_PLAIN(s) (VM_SIG_CH(s, 0) != '*')
#define VM_SIG_POPS(s) (VM_SIG_IS_PLAIN(s) ? VM_SIG_COLON(s) : 0)
#define VM_SIG_PUSHES(s) (VM_SIG_IS_PLAIN(s) ? (u8)(sizeof(s) - 2 - VM_SIG_COLON(s)) : 0)
#define VM_SIG_LETTER(c)                                                                           \
    ((c) == 'i'   ? VM_I32                                                                         \
     : (c) == 'I' ? VM_I64                                                                         \
     : (c) == 'f' ? VM_F32                                                                         \
     : (c) == 'F' ? VM_F64                                                                         \
     : (c) == 'V' ? VM_V128                                                                        \
     : (c) == 'a' ? VM_RULE_ADDR                                                                   \
                  : 0)
/* Type k, counted without the colon. */
#define VM_SIG_TYPE(s, k)                                                                          \
    VM_SIG_LETTER((k) < VM_SIG_COLON(s) ? VM_SIG_CH(s, k) : VM_SIG_CH(s, (k) + 1))

#endif
