/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expands every instruction: EACH(name) for those that every backend has, EACH_CHAIN(name), if
 * defined, for the accumulator forms and longer chains of the fast ones. Define EACH first; both
 * are undefined at the end. Included several times; no guard by design.
 */
#define OTHER(n) EACH(n)
#include "isa/ir_ops.def"
#include "isa/ir_undef.h"
#define GENERIC(name, words, ...) EACH(name)
#ifdef EACH_CHAIN
#define CHAIN(name, words, ...) EACH_CHAIN(name)
#else
#define CHAIN(name, words, ...)
#endif
#include "isa/chains.def"
#undef GENERIC
#undef CHAIN
#undef EACH
#undef EACH_CHAIN
