/* SPDX-License-Identifier: Apache-2.0 */
/* Guest access instructions of x86-64. Operands: v value, m base, e effective address. */
#ifndef VM_INTERP_GUEST_X86_64_H
#define VM_INTERP_GUEST_X86_64_H

#define VM_EXTABLE_ENTRY                                                                           \
    ".pushsection vm_extable,\"aR\",@progbits\n.balign 4\n.long 1b - .\n.long %l[fault] - .\n"     \
    ".popsection"
#define VM_INSN_LOAD8 "movzbl (%[m],%[e]), %k[v]"
#define VM_INSN_LOAD16 "movzwl (%[m],%[e]), %k[v]"
#define VM_INSN_LOAD32 "movl (%[m],%[e]), %k[v]"
#define VM_INSN_LOAD64 "movq (%[m],%[e]), %[v]"
#define VM_FLOAT_REG "x"
#define VM_INSN_LOADF32 "movss (%[m],%[e]), %[v]"
#define VM_INSN_LOADF64 "movsd (%[m],%[e]), %[v]"
#define VM_INSN_STOREF32 "movss %[v], (%[m],%[e])"
#define VM_INSN_STOREF64 "movsd %[v], (%[m],%[e])"
#define VM_INSN_LOADV128 "movups (%[m],%[e]), %[v]"
#define VM_INSN_STOREV128 "movups %[v], (%[m],%[e])"
#define VM_INSN_STORE8 "movb %b[v], (%[m],%[e])"
#define VM_INSN_STORE16 "movw %w[v], (%[m],%[e])"
#define VM_INSN_STORE32 "movl %k[v], (%[m],%[e])"
#define VM_INSN_STORE64 "movq %[v], (%[m],%[e])"

#endif
