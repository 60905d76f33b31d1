/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates every function of the modules given, as the engine that this is linked to would, and
 * prints what that takes: nanoseconds for a byte of its body, as the median over the functions and
 * over all bytes. Each function is translated ROUNDS times, all others in between, as nothing is
 * warm when a function is called first; its median counts, less what asking for the time takes. In
 * the first round memory is new, too.
 *
 *   translation_time MODULE…
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "binary/module.h"
#include "isa/gen/census.h"
#include "isa/handlers.h"
#include "translate/translate.h"

enum { ROUNDS = 5, CLOCKS = 1000 };

static double median(double *values, u32 count)
{
    qsort(values, count, sizeof *values, census_by_value);
    return count ? values[count / 2] : 0;
}

/* What is between two looks at the clock when nothing is. */
static double clock_ns(void)
{
    double values[CLOCKS];
    for (u32 i = 0; i < CLOCKS; i++) {
        double start = census_now_ns(CLOCK_MONOTONIC);
        values[i] = census_now_ns(CLOCK_MONOTONIC) - start;
    }
    return median(values, CLOCKS);
}

/* Negative: it uses what can't be executed. */
static double time_of(const struct vm_translate_env *env, struct vm_code *code)
{
    struct vm_arena scratch;
    struct vm_err err;
    vm_err_init(&err);
    vm_arena_init(&scratch, env->alloc);
    double start = census_now_ns(CLOCK_MONOTONIC);
    vm_status status = vm_translate(env, code, &scratch, &err);
    double ns = census_now_ns(CLOCK_MONOTONIC) - start;
    vm_arena_free(&scratch);
    return status == VM_OK ? ns : -1;
}

/* One round: all functions, each into ns[function * ROUNDS + round]. */
static void translate_all(const struct vm_module *m, const u32 *canon, double *ns, u32 round,
                          u64 *out)
{
    struct vm_code *codes = calloc(m->body_count + 1, sizeof *codes);
    if (!codes) abort();
    const struct vm_translate_env env = {.alloc = &vm_alloc_libc,
                                         .module = m,
                                         .canon = canon,
                                         .codes = codes,
                                         .mode = {vm_backend_best(), VM_CODE_GUARD, false},
                                         .features = vm_features_executable()};
    *out = 0;
    for (u32 i = 0; i < m->body_count; i++) {
        codes[i].func_idx = m->n_imported[VM_EXTERN_FUNC] + i;
        ns[i * ROUNDS + round] = time_of(&env, &codes[i]);
        *out += codes[i].word_count * sizeof(union vm_word);
    }
    /* What was made stays, as it does in the engine. */
}

static bool take(const char *path)
{
    struct vm_module m;
    if (!census_read_module(path, &m)) return false;
    double *ns = calloc((usize)m.body_count * ROUNDS + 1, sizeof *ns);
    double *per_byte = calloc(m.body_count + 1, sizeof *per_byte), total = 0;
    double *first = calloc(m.body_count + 1, sizeof *first);
    u32 *canon = calloc(m.types.count + 1, sizeof *canon);
    u64 in = 0, out = 0;
    u32 done = 0;
    if (!ns || !per_byte || !first || !canon) abort();
    for (u32 round = 0; round < ROUNDS; round++) translate_all(&m, canon, ns, round, &out);
    double clock = clock_ns();
    for (u32 i = 0; i < m.body_count; i++) {
        if (ns[i * ROUNDS] < 0) continue;
        first[done] = (ns[i * ROUNDS] - clock) / m.bodies[i].range.size;
        double taken = median(ns + i * ROUNDS, ROUNDS) - clock;
        per_byte[done++] = taken / m.bodies[i].range.size;
        total += taken;
        in += m.bodies[i].range.size;
    }
    printf(
        "%s: %u functions, median %.1f ns a byte (%.1f in the first round), all %.1f, %.2f bytes "
        "of code a byte\n",
        path, done, median(per_byte, done), median(first, done), total / (double)in,
        (double)out / (double)in);
    return true;
}

int main(int argc, char **argv)
{
    bool good = argc > 1;
    for (int i = 1; i < argc; i++) good = take(argv[i]) && good;
    return good ? 0 : 1;
}
