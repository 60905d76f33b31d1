/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program on every engine configuration and on the oracle in lockstep, and compares results,
 * traps and where they happened, memories, tables, globals and what the host was told.
 *
 * What is not compared: anything after the call stack was exhausted (how deep it reaches is the
 * engine's choice), and anything after the bits of an open NaN were seen (ref_interp.h).
 */
#ifndef FUZZ_DIFF_H
#define FUZZ_DIFF_H

#include "bytes.h"
#include "gen.h"

struct diff_case {
    struct bytes module[GEN_MODULES]; /* borrowed; the first is "a" to the second */
    u32 count;
    u64 seed;           /* of arguments and slices */
    bool must_validate; /* a refused module is a finding */
    bool oracle_only;   /* no engine runs it: for a comparison with another one */
};

enum diff_verdict {
    DIFF_SAME,
    DIFF_REFUSED,   /* not a valid module, and need not be */
    DIFF_SKIPPED,   /* the oracle can't run it, or not to the end */
    DIFF_LEAKED,    /* compared until a NaN's bits were seen */
    DIFF_EXHAUSTED, /* compared until a stack was */
    DIFF_FOUND,
    DIFF_VERDICTS
};

struct diff_report {
    enum diff_verdict verdict;
    u32 calls, traps, exceptions, funcs; /* traps, exceptions: how calls ended */
    u32 stops; /* interrupts, suspensions, times without fuel */
    char text[1024];    /* DIFF_FOUND: what differs */
    struct bytes *json; /* NULL, or takes the plan and the oracle's answers (for diff_v8.mjs) */
};

extern const char *const diff_verdict_name[DIFF_VERDICTS];

void diff_run(const struct diff_case *c, struct diff_report *r);

#endif
