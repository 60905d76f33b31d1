/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands every instruction: EACH(name) for those that every backend has, EACH_CHAIN(name), if
 * defined, for the accumulator forms and longer chains of the fast ones, those with pins last.
 * Those of GENERIC and CHAIN rows that are the same on each level of a processor's architecture,
 * those that differ, and those that differ and have vectors may have an expansion of their own:
 * EACH_ALIKE, EACH_LEVELS, EACH_VECTORS, EACH_CHAIN_ALIKE, …. Define EACH first; all are undefined
 * at the end. Included several times; no guard by design.
 */
#ifndef EACH
#error "define EACH first"
#endif
#ifndef EACH_CHAIN
#define EACH_CHAIN(name)
#endif
#ifndef EACH_ALIKE
#define EACH_ALIKE EACH
#endif
#ifndef EACH_LEVELS
#define EACH_LEVELS EACH
#endif
#ifndef EACH_VECTORS
#define EACH_VECTORS EACH
#endif
#ifndef EACH_CHAIN_ALIKE
#define EACH_CHAIN_ALIKE EACH_CHAIN
#endif
#ifndef EACH_CHAIN_LEVELS
#define EACH_CHAIN_LEVELS EACH_CHAIN
#endif
#ifndef EACH_CHAIN_VECTORS
#define EACH_CHAIN_VECTORS EACH_CHAIN
#endif
#define OTHER(n) EACH(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
#define GENERIC(name, words, level, ...) EACH_##level(name)
#define CHAIN(name, words, level, ...) EACH_CHAIN_##level(name)
#define PINNED CHAIN
#include "isa/chains.def"
#undef GENERIC
#undef CHAIN
#undef PINNED
#undef EACH
#undef EACH_ALIKE
#undef EACH_LEVELS
#undef EACH_VECTORS
#undef EACH_CHAIN
#undef EACH_CHAIN_ALIKE
#undef EACH_CHAIN_LEVELS
#undef EACH_CHAIN_VECTORS
