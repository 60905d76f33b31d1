/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence.h - any bytes as a sequence of WASI calls by a guest that wants out: of its directories,
 * of its memory, of what it may change. Shared by test_sequence.c and the fuzz target.
 */
#ifndef WASI_TESTS_SEQUENCE_H
#define WASI_TESTS_SEQUENCE_H

#include "fake_vm.h"

/**
 * Makes the world of a sequence in the scratch directory of `f`: `in` preopened as "/", `ro`
 * read-only as "/ro", and beside them what the guest must neither change nor read.
 */
void sequence_init(struct fake *f);
/** Makes calls until the bytes are used up; how many, and how many of them succeeded. */
size_t sequence_run(struct fake *f, const u8 *data, size_t size, size_t *good);
/** NULL when nothing outside was touched, or what was. */
const char *sequence_check(struct fake *f);

#endif
