/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modelled.h - any bytes as a sequence of file calls, each made twice: by a guest and in the model
 * of model.h. Shared by test_model.c and the fuzz target.
 */
#ifndef WASI_TESTS_MODELLED_H
#define WASI_TESTS_MODELLED_H

#include "fake_vm.h"
#include "model.h"

enum { MODELLED_FDS = 24, MODELLED_FIRST = 3 };

/** A descriptor as the model has it. */
struct modelled_fd {
    bool open, append, write;
    int node;
    u64 at; /* position */
};

struct modelled {
    struct fake *f;
    struct model m;
    struct modelled_fd fd[MODELLED_FDS];
    const u8 *data;
    size_t size, used;
    size_t calls, good;
    char wrong[512]; /* "" while guest and model agree */
};

/** An empty directory, preopened as "/", and canaries beside it, in the scratch directory of `f`.
 */
void modelled_init(struct modelled *w, struct fake *f);
/**
 * Makes calls until the bytes are used up, the model is full, or something differs: an answer, the
 * trees (every 32 calls and at the end), a canary. NULL, or what differs.
 */
const char *modelled_run(struct modelled *w, const u8 *data, size_t size);

#endif
