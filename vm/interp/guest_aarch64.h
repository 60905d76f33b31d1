/* SPDX-License-Identifier: Apache-2.0 */
/* Guest access instructions of aarch64. Operands: v value, m base, e effective address. */
#ifndef VM_INTERP_GUEST_AARCH64_H
#define VM_INTERP_GUEST_AARCH64_H

#define VM_EXTABLE_ENTRY                                                                           \
    ".pushsection vm_extable,\"aR\",%%progbits\n.balign 4\n.long 1b - .\n.long %l[fault] - .\n"    \
    ".popsection"
#define VM_INSN_LOAD8 "ldrb %w[v], [%[m], %[e]]"
#define VM_INSN_LOAD16 "ldrh %w[v], [%[m], %[e]]"
#define VM_INSN_LOAD32 "ldr %w[v], [%[m], %[e]]"
#define VM_INSN_LOAD64 "ldr %x[v], [%[m], %[e]]"
#define VM_FLOAT_REG "w"
#define VM_INSN_LOADF32 "ldr %s[v], [%[m], %[e]]"
#define VM_INSN_LOADF64 "ldr %d[v], [%[m], %[e]]"
#define VM_INSN_STOREF32 "str %s[v], [%[m], %[e]]"
#define VM_INSN_STOREF64 "str %d[v], [%[m], %[e]]"
#define VM_INSN_LOADV128 "ldr %q[v], [%[m], %[e]]"
#define VM_INSN_STOREV128 "str %q[v], [%[m], %[e]]"
#define VM_INSN_STORE8 "strb %w[v], [%[m], %[e]]"
#define VM_INSN_STORE16 "strh %w[v], [%[m], %[e]]"
#define VM_INSN_STORE32 "str %w[v], [%[m], %[e]]"
#define VM_INSN_STORE64 "str %x[v], [%[m], %[e]]"

#endif
