/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generator of chains, a program that runs on the building machine: a tree of instructions,
 * each its parent and one more part. Rules in families.c; tree and output in fusion.c.
 */
#ifndef VM_ISA_GEN_FUSION_H
#define VM_ISA_GEN_FUSION_H

#include <stdbool.h>
#include <stdint.h>

enum { PARTS_MAX = 1024, NODES_MAX = 800000 };

/** A set of chains. Passed by value; freed never, the program is short. */
struct set {
    int count;
    uint32_t *nodes;
};

/** What becomes of the previous part's result: used and gone, or kept in its slot. */
enum link { DROP = 1, KEEP = 2, BOTH = 3 };

/**
 * New chains of one part. `parts`: names with spaces between; `forms`: the sources of the inputs,
 * one word per form, of s slot, c constant, a accumulator ("ss sc as"); "" for no inputs.
 */
struct set start(const char *parts, const char *forms);
/**
 * Each chain of `from` with one of `parts` behind it; t in a form is the previous part's result.
 * Chains that exist are not made twice; parts that don't fit the result's type are left out.
 */
struct set extend(struct set from, const char *parts, const char *forms, enum link link);
struct set join(struct set a, struct set b);
/** These are instructions whether chains.list has them or not: seldom written, often run. */
void always(struct set s);
/** What is made from here on, unless it was before, is of that family. */
void family(const char *name);
/** The rules, in families.c. */
void families(void);

#endif
