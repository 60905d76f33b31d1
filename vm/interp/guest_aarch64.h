/* SPDX-License-Identifier: Apache-2.0 */
/* Guest access instructions of aarch64. Operands: v value, and the address:
 * m and e, whose sum it is (VM_AT_PAIR), or p a place in memory (VM_AT_ONE). */
#ifndef VM_INTERP_GUEST_AARCH64_H
#define VM_INTERP_GUEST_AARCH64_H

#define VM_EXTABLE_ENTRY                                                                           \
    ".pushsection vm_extable,\"aR\",%%progbits\n.balign 4\n.long 1b - .\n.long %l[fault] - .\n"    \
    ".popsection"
#define VM_AT_PAIR "[%[m], %[e]]"
#define VM_AT_ONE "%[p]"
#define VM_PLACE "Q"
#define VM_INSN_LOAD8(at) "ldrb %w[v], " at
#define VM_INSN_LOAD16(at) "ldrh %w[v], " at
#define VM_INSN_LOAD32(at) "ldr %w[v], " at
#define VM_INSN_LOAD64(at) "ldr %x[v], " at
#define VM_FLOAT_REG "w"
#define VM_INSN_LOADF32(at) "ldr %s[v], " at
#define VM_INSN_LOADF64(at) "ldr %d[v], " at
#define VM_INSN_STOREF32(at) "str %s[v], " at
#define VM_INSN_STOREF64(at) "str %d[v], " at
#define VM_INSN_LOADV128(at) "ldr %q[v], " at
#define VM_INSN_STOREV128(at) "str %q[v], " at
#define VM_INSN_STORE8(at) "strb %w[v], " at
#define VM_INSN_STORE16(at) "strh %w[v], " at
#define VM_INSN_STORE32(at) "str %w[v], " at
#define VM_INSN_STORE64(at) "str %x[v], " at

#endif
