/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands every row of ir_ops.def with every shape into EACH(name). Define EACH first; it is
 * undefined at the end. Included several times; no guard by design.
 */
#define UN(n, OP, R, A) EACH(n)
#define UNT(n, OP, R, A) EACH(n)
#define IBIN(n, OP, T, C) EACH(n##_ss) EACH(n##_sc)
#define IBINT(n, OP, T) EACH(n##_ss) EACH(n##_sc)
#define FBIN(n, OP, T) EACH(n##_ss)
#define ICMP(n, OP, T, INV, MIR) EACH(n##_ss) EACH(n##_sc) EACH(br_##n##_ss) EACH(br_##n##_sc)
#define FCMP(n, OP, T) EACH(n##_ss) EACH(br_##n##_ss) EACH(brn_##n##_ss)
#define LOAD(n, OP, R, M) EACH(n##_g) EACH(n##_x)
#define STORE(n, OP, M) EACH(n##_g) EACH(n##_x)
#define OTHER(n) EACH(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
#undef EACH
