/* SPDX-License-Identifier: Apache-2.0 */
/* Guest access instructions of x86-64. Operands: v value, and the address:
 * m and e, whose sum it is (VM_AT_PAIR), or p a place in memory (VM_AT_ONE). */
#ifndef VM_INTERP_GUEST_X86_64_H
#define VM_INTERP_GUEST_X86_64_H

#define VM_EXTABLE_ENTRY                                                                           \
    ".pushsection vm_extable,\"aR\",@progbits\n.balign 4\n.long 1b - .\n.long %l[fault] - .\n"     \
    ".popsection"
#define VM_AT_PAIR "(%[m],%[e])"
#define VM_AT_ONE "%[p]"
#define VM_PLACE "m"
#define VM_INSN_LOAD8(at) "movzbl " at ", %k[v]"
#define VM_INSN_LOAD16(at) "movzwl " at ", %k[v]"
#define VM_INSN_LOAD32(at) "movl " at ", %k[v]"
#define VM_INSN_LOAD64(at) "movq " at ", %[v]"
#define VM_FLOAT_REG "x"
#define VM_INSN_LOADF32(at) "movss " at ", %[v]"
#define VM_INSN_LOADF64(at) "movsd " at ", %[v]"
#define VM_INSN_STOREF32(at) "movss %[v], " at
#define VM_INSN_STOREF64(at) "movsd %[v], " at
#define VM_INSN_LOADV128(at) "movups " at ", %[v]"
#define VM_INSN_STOREV128(at) "movups %[v], " at
#define VM_INSN_STORE8(at) "movb %b[v], " at
#define VM_INSN_STORE16(at) "movw %w[v], " at
#define VM_INSN_STORE32(at) "movl %k[v], " at
#define VM_INSN_STORE64(at) "movq %[v], " at

#endif
