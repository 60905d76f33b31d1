/* SPDX-License-Identifier: Apache-2.0 */
/* Forgets the row kinds of ir_ops.def. Included after each expansion; no guard by design. */
#undef UN
#undef UNT
#undef IBIN
#undef IBINT
#undef FBIN
#undef ICMP
#undef FCMP
#undef LOAD
#undef STORE
#undef VBIN
#undef VTER
#undef VLANE
#undef VLOAD
#undef VLOADL
#undef VSTOREL
#undef ALOAD
#undef ASTORE
#undef ARMW
#undef ACMPXCHG
#undef SPECIAL
#undef JUMP
#undef OTHER
