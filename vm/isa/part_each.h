/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands PART(name) for every part, in their order. Define it first; it is undefined at the end.
 * Included several times; no guard by design.
 */
#ifndef PART
#error "define PART first"
#endif
// clang-format off
#define UN(n, OP, R, A) PART(n)
#define UNT(n, OP, R, A) PART(n)
#define IBIN(n, OP, T, C) PART(n)
#define IBINT(n, OP, T) PART(n)
#define FBIN(n, OP, T) PART(n)
#define ICMP(n, OP, T, INV, MIR) PART(n)
#define FCMP(n, OP, T) PART(n)
#define LOAD(n, OP, R, M) PART(n) PART(n##_x)
#define STORE(n, OP, T, M) PART(n) PART(n##_x)
#define VBIN(n, OP, B, C) PART(n)
#define VTER(n, OP) PART(n)
#define VLANE(n, OP, IN, B, R, IMM) PART(n)
#define VLOAD(n, OP, M) PART(n) PART(n##_x)
#define VLOADL(n, OP, M) PART(n) PART(n##_x)
#define VSTOREL(n, OP, M) PART(n) PART(n##_x)
#define ALOAD(n, OP, R, M) PART(n)
#define ASTORE(n, OP, T, M) PART(n)
#define ARMW(n, OP, T, M, HOW) PART(n)
#define ACMPXCHG(n, OP, T, M) PART(n)
#define SPECIAL(n, IN, T, R, IMM, TRAPS) PART(n)
#define JUMP(n, IN, IMM, TRAPS) PART(n)
// clang-format on
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
#undef PART
