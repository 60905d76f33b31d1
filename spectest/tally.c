/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c - outcomes of commands, their counts, and the table of skip reasons. */
#include "spectest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *spec_realloc(void *ptr, size_t bytes)
{
    void *grown = realloc(ptr, bytes ? bytes : 1);
    if (!grown) {
        fputs("wasm-spectest: out of memory\n", stderr);
        exit(2);
    }
    return grown;
}

char *spec_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(spec_realloc(NULL, bytes), text, bytes);
}

static void set(struct spec_outcome *out, enum spec_verdict verdict, const char *format,
                va_list args)
{
    out->verdict = verdict;
    vsnprintf(out->text, sizeof out->text, format, args);
}

void spec_pass(struct spec_outcome *out)
{
    out->verdict = SPEC_PASS;
    out->text[0] = 0;
}

void spec_note(struct spec_outcome *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(out, SPEC_PASS, format, args);
    va_end(args);
}

void spec_fail(struct spec_outcome *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(out, SPEC_FAIL, format, args);
    va_end(args);
}

void spec_skip(struct spec_outcome *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(out, SPEC_SKIP, format, args);
    va_end(args);
}

static void count_reason(struct spec_tally *tally, const char *text, size_t count)
{
    for (size_t i = 0; i < tally->reason_count; i++) {
        if (strcmp(tally->reasons[i].text, text) == 0) {
            tally->reasons[i].count += count;
            return;
        }
    }
    if (tally->reason_count == tally->reason_cap) {
        tally->reason_cap = tally->reason_cap ? tally->reason_cap * 2 : 32;
        tally->reasons = spec_realloc(tally->reasons, tally->reason_cap * sizeof tally->reasons[0]);
    }
    tally->reasons[tally->reason_count++] =
        (struct spec_reason){.text = spec_strdup(text), .count = count};
}

void spec_tally_add(struct spec_tally *tally, const struct spec_outcome *outcome)
{
    switch (outcome->verdict) {
    case SPEC_PASS: tally->passed++; break;
    case SPEC_FAIL: tally->failed++; break;
    case SPEC_SKIP:
        tally->skipped++;
        count_reason(tally, outcome->text, 1);
        break;
    }
}

void spec_tally_merge(struct spec_tally *tally, struct spec_tally *from)
{
    tally->passed += from->passed;
    tally->failed += from->failed;
    tally->skipped += from->skipped;
    for (size_t i = 0; i < from->reason_count; i++) {
        count_reason(tally, from->reasons[i].text, from->reasons[i].count);
    }
    spec_tally_fini(from);
    *from = (struct spec_tally){0};
}

static int by_count(const void *left, const void *right)
{
    const struct spec_reason *a = left;
    const struct spec_reason *b = right;
    if (a->count != b->count) {
        return a->count < b->count ? 1 : -1;
    }
    return strcmp(a->text, b->text);
}

void spec_tally_print(struct spec_tally *tally)
{
    if (tally->reason_count) {
        qsort(tally->reasons, tally->reason_count, sizeof tally->reasons[0], by_count);
        puts("skipped, by reason:");
    }
    for (size_t i = 0; i < tally->reason_count; i++) {
        printf("%8zu  %s\n", tally->reasons[i].count, tally->reasons[i].text);
    }
    printf("%zu passed, %zu failed, %zu skipped\n", tally->passed, tally->failed, tally->skipped);
}

void spec_tally_fini(struct spec_tally *tally)
{
    for (size_t i = 0; i < tally->reason_count; i++) {
        free(tally->reasons[i].text);
    }
    free(tally->reasons);
}
