/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates every function of the modules given and prints how often each chain came out, most
 * frequent first, one "COUNT NAME" a line; on stderr what translation cost. Nothing is executed.
 *
 *   chain_census [--weigh|--pins] {[--counts FILE] MODULE}…
 *
 * --weigh prints what each chain saves instead, as a share of its module's instructions run (summed
 * over the modules), for chains that are in the table and for those that translation had use for
 * but missed. How often code runs is in FILE (interp/profile.h), or guessed: four times per loop
 * around it.
 *
 * --pins prints how often each chain would run, "WEIGHT 0 CHAIN" a line, weighed the same way, and
 * how often with which pins, were there all of these: "WEIGHT SLOTS CHAIN_pPINS".
 *
 * A chain that takes an accumulator behind its first part counts as the one with slots, too: which
 * of them comes out depends on what stands before, and programs that are not here want the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "binary/module.h"
#include "isa/gen/census.h"
#include "isa/handlers.h"
#include "translate/census.h"
#include "validate/validate.h"

enum { TAG_SHIFT = 32 };
#define TAG ((u64)0x5eedc0de << TAG_SHIFT)

static struct vm_backend numbers = {.first = TAG, .ops = VM_IR_COUNT};
static u64 counts[VM_IR_COUNT];

const struct vm_backend *vm_backend_get(enum vm_code_backend backend)
{
    (void)backend;
    return &numbers;
}

/* ---- instructions by name */

static const char *name_of(vm_ir op)
{
    static char *names[VM_IR_COUNT];
    char name[VM_IR_NAME_SIZE];
    if (!names[op]) names[op] = strdup(vm_ir_name(op, name));
    if (!names[op]) abort();
    return names[op];
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of((vm_ir) * (const u32 *)a), name_of((vm_ir) * (const u32 *)b));
}

static int find_name(const void *name, const void *op)
{
    return strcmp(name, name_of((vm_ir) * (const u32 *)op));
}

/** VM_IR_COUNT: there is none of that name. */
static vm_ir named(const char *name)
{
    static u32 sorted[VM_IR_COUNT];
    static bool ready;
    for (u32 i = 0; i < VM_IR_COUNT && !ready; i++) sorted[i] = i;
    if (!ready) qsort(sorted, VM_IR_COUNT, sizeof *sorted, by_name);
    ready = true;
    const u32 *op = bsearch(name, sorted, VM_IR_COUNT, sizeof *sorted, find_name);
    return op ? (vm_ir)*op : VM_IR_COUNT;
}

/* ---- weights */

static struct weighing {
    bool on;
    struct place {
        u32 offset;
        double count;
    } *places; /* of the module at hand, by offset; NULL: guess */
    u32 place_count;
    u32 body_start; /* of the function at hand */
    struct begun {
        u32 word;
        double weight;
        vm_pinning pins;
    } *begun;
    u32 begun_count, begun_cap;
    double total; /* of the module at hand */
    double used[VM_IR_COUNT], used_all[VM_IR_COUNT]; /* of the module; of all, shares */
    struct missed {
        u64 key; /* chain, part, form, plus one; 0: free */
        double weight, all;
    } *missed;
    struct with_pins {
        vm_ir op; /* 0: free */
        vm_pinning pins;
        double weight, all;
    } *pinned;
} weighing;

enum { MISSED_MAX = 1 << 20, LOOPS_MAX = 4 };

static double weight_here(const struct vm_lower *l)
{
    const struct weighing *w = &weighing;
    double guess = 1;
    u32 loops = 0, lo = 0, hi = w->place_count;
    for (u32 i = 0; i < l->frames.len; i++)
        if (l->frames.data[i].op == VM_OP_LOOP && ++loops <= LOOPS_MAX) guess *= 4;
    if (!w->places) return guess;
    while (lo < hi) { /* the instruction here or last before */
        u32 mid = lo + (hi - lo) / 2;
        if (w->places[mid].offset <= l->offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo && w->places[lo - 1].offset >= w->body_start ? w->places[lo - 1].count : 0;
}

void vm_census_begin(const struct vm_lower *l)
{
    struct weighing *w = &weighing;
    if (!w->on) return;
    if (l->tail.insn == 0) w->begun_count = 0; /* perhaps not for the first time */
    if (w->begun_count == w->begun_cap) {
        w->begun_cap = 2 * w->begun_cap + 1024;
        w->begun = realloc(w->begun, w->begun_cap * sizeof *w->begun);
        if (!w->begun) abort();
    }
    w->begun[w->begun_count++] = (struct begun){l->tail.insn, weight_here(l), 0};
}

void vm_census_pinned(const struct vm_lower *l)
{
    struct weighing *w = &weighing;
    u32 i = w->begun_count;
    while (i && w->begun[i - 1].word > l->tail.insn) i--;
    if (i && w->begun[i - 1].word == l->tail.insn) w->begun[i - 1].pins = l->tail.pins;
}

static void weigh_pinned(vm_ir op, vm_pinning pins, double weight)
{
    u64 i = (pins * 0x9e3779b97f4a7c15u + op) * 0x9e3779b97f4a7c15u >> 44;
    struct with_pins *all = weighing.pinned;
    while (all[i].op && (all[i].op != op || all[i].pins != pins)) i = (i + 1) % MISSED_MAX;
    all[i].op = op;
    all[i].pins = pins;
    all[i].weight += weight;
}

void vm_census_missed(const struct vm_lower *l, vm_part part, u32 form)
{
    struct weighing *w = &weighing;
    if (!w->on) return;
    u64 key = ((u64)l->tail.op << 32 | (u64)part << 8 | form) + 1;
    u64 i = key * 0x9e3779b97f4a7c15u >> 44;
    while (w->missed[i].key && w->missed[i].key != key) i = (i + 1) % MISSED_MAX;
    w->missed[i].key = key;
    w->missed[i].weight += weight_here(l);
}

/** What was begun in this function and is still there. */
static void weigh_function(const struct vm_code *code)
{
    struct weighing *w = &weighing;
    for (u32 i = 0; i < w->begun_count; i++) {
        const struct begun *b = &w->begun[i];
        u64 op = b->word < code->word_count ? code->words[b->word].u ^ TAG : VM_IR_COUNT;
        bool again = i + 1 < w->begun_count && w->begun[i + 1].word <= b->word;
        if (op >= VM_IR_COUNT || again) continue;
        w->used[op] += b->weight;
        w->total += b->weight;
        if (b->pins) weigh_pinned((vm_ir)op, b->pins, b->weight);
    }
    w->begun_count = 0;
}

/** Weights of a module become shares. */
static void weigh_module(const char *path)
{
    struct weighing *w = &weighing;
    if (w->places) (void)fprintf(stderr, "%s: %.0f instructions run\n", path, w->total);
    double scale = w->total > 0 ? 1 / w->total : 0;
    for (u32 i = 0; i < VM_IR_COUNT; i++) w->used_all[i] += w->used[i] * scale;
    for (u32 i = 0; i < MISSED_MAX; i++) {
        w->missed[i].all += w->missed[i].weight * scale;
        w->missed[i].weight = 0;
        w->pinned[i].all += w->pinned[i].weight * scale;
        w->pinned[i].weight = 0;
    }
    memset(w->used, 0, sizeof w->used);
    w->total = 0;
    free(w->places);
    w->places = NULL;
    w->place_count = 0;
}

static int by_offset(const void *a, const void *b)
{
    u32 x = ((const struct place *)a)->offset, y = ((const struct place *)b)->offset;
    return x < y ? -1 : x > y;
}

static bool read_counts(const char *path)
{
    FILE *file = fopen(path, "re");
    struct weighing *w = &weighing;
    char line[1024];
    unsigned long long count;
    u32 cap = 0;
    if (!file) return false;
    while (fgets(line, sizeof line, file)) {
        struct place p;
        if (sscanf(line, "@ %llu %u", &count, &p.offset) != 2) continue;
        p.count = (double)count;
        if (w->place_count == cap) {
            cap = 2 * cap + 1024;
            w->places = realloc(w->places, cap * sizeof p);
            if (!w->places) abort();
        }
        w->places[w->place_count++] = p;
    }
    (void)fclose(file);
    if (w->places) qsort(w->places, w->place_count, sizeof *w->places, by_offset);
    return w->places != NULL;
}

static void print_missed(const struct missed *m)
{
    u64 key = m->key - 1;
    vm_part part = (vm_part)(key >> 8 & 0xffff);
    u32 inputs = vm_part_info(part)->inputs;
    char form[VM_INPUTS_MAX + 2] = "_";
    bool chained = false;
    for (u32 i = 0; i < inputs; i++) {
        u32 source = key >> 2 * i & 3;
        form[i + 1] = "scta"[source];
        chained |= source == VM_FROM_CHAIN;
    }
    if (!inputs) *form = 0;
    const char *keep = key & VM_FORM_KEEP ? (chained ? "_k" : "_n") : chained ? "" : "_n";
    printf("%.9f %s%s__%s%s\n", m->all, name_of((vm_ir)(key >> 32)), keep, vm_part_name(part),
           form);
}

/** A chain saves what each longer one made from it saves, too. */
static void print_weights(void)
{
    static double sums[VM_IR_COUNT];
    for (u32 i = VM_IR_OTHER_COUNT; i < VM_IR_COUNT; i++)
        for (vm_ir op = (vm_ir)i; op < VM_IR_COUNT; op = (vm_ir)vm_ir_steps[op].parent)
            sums[op] += weighing.used_all[i];
    for (u32 i = VM_IR_GENERIC_COUNT; i < VM_IR_COUNT; i++)
        printf("%.9f %s\n", sums[i], name_of((vm_ir)i));
    for (u32 i = 0; i < MISSED_MAX; i++)
        if (weighing.missed[i].all > 0) print_missed(&weighing.missed[i]);
}

static void print_pinned(void)
{
    for (u32 i = VM_IR_OTHER_COUNT; i < VM_IR_COUNT; i++)
        if (weighing.used_all[i] > 0)
            printf("%.9f 0 %s\n", weighing.used_all[i], name_of((vm_ir)i));
    for (u32 i = 0; i < MISSED_MAX; i++) {
        const struct with_pins *p = &weighing.pinned[i];
        if (!p->op || p->all <= 0) continue;
        u32 slots = 0;
        printf("%.9f ", p->all);
        for (vm_pinning rest = p->pins; rest; rest >>= VM_PIN_BITS) slots += (rest & 15) != 0;
        printf("%u %s_p", slots, name_of(p->op));
        for (vm_pinning rest = p->pins; rest; rest >>= VM_PIN_BITS) printf("%u", (u32)rest & 15);
        printf("\n");
    }
}

/* ---- counts */

static int by_count(const void *a, const void *b)
{
    u64 x = counts[*(const u32 *)a], y = counts[*(const u32 *)b];
    return x > y ? -1 : x < y;
}

static void count(const struct vm_code *code)
{
    for (u32 i = 0; i < code->word_count; i++) {
        u64 op = code->words[i].u ^ TAG;
        if (op < VM_IR_COUNT) counts[op]++;
    }
}

static void translate_all(const char *path, const struct vm_module *m, struct vm_code *codes)
{
    u32 done = 0;
    double *per_byte = calloc(m->body_count + 1, sizeof *per_byte), total = 0;
    u32 *canon = calloc(m->types.count + 1, sizeof *canon);
    u64 bytes = 0, out = 0;
    if (!per_byte || !canon) abort();
    for (u32 i = 0; i < m->body_count; i++) {
        struct vm_translate_env env = {.alloc = &vm_alloc_libc,
                                       .module = m,
                                       .canon = canon,
                                       .codes = codes,
                                       .mode = {VM_CODE_TAIL, VM_CODE_GUARD, false},
                                       .features = vm_features_executable()};
        struct vm_arena scratch;
        struct vm_err err;
        vm_err_init(&err);
        vm_arena_init(&scratch, &vm_alloc_libc);
        codes[i].func_idx = m->n_imported[VM_EXTERN_FUNC] + i;
        weighing.begun_count = 0;
        weighing.body_start = m->bodies[i].range.start;
        double start = census_now_ns(CLOCK_PROCESS_CPUTIME_ID);
        vm_status s = vm_translate(&env, &codes[i], &scratch, &err);
        double ns = census_now_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
        vm_arena_free(&scratch);
        if (s != VM_OK) continue; /* it uses what can't be executed */
        count(&codes[i]);
        weigh_function(&codes[i]);
        per_byte[done++] = ns / m->bodies[i].range.size;
        total += ns;
        bytes += m->bodies[i].range.size;
        out += codes[i].word_count * sizeof(union vm_word);
    }
    qsort(per_byte, done, sizeof *per_byte, census_by_value);
    if (done)
        (void)fprintf(
            stderr, "%s: %u functions, %.1f ns a byte (median %.1f), %.2f bytes of code a byte\n",
            path, done, total / (double)bytes, per_byte[done / 2], (double)out / (double)bytes);
}

static bool take(const char *path)
{
    struct vm_module m;
    if (!census_read_module(path, &m)) return false;
    struct vm_code *codes = calloc(m.body_count + 1, sizeof *codes);
    if (!codes) abort();
    translate_all(path, &m, codes);
    return true;
}

/* ---- accumulators behind the first part */

/** Writes slots for the accumulators in the form of the part that ends at `end`. */
static void part_to_slots(char *part, char *end)
{
    if (end - part > 2 && end[-2] == '_' && (end[-1] == 'k' || end[-1] == 'n')) end -= 2;
    char *form = end;
    while (form > part && form[-1] != '_') form--;
    if (form == part || strspn(form, "scta") < (usize)(end - form)) return;
    for (; form < end; form++)
        if (*form == 'a') *form = 's';
}

static void count_as_slots(void)
{
    char name[256];
    for (u32 i = 0; i < VM_IR_COUNT; i++) {
        if (!counts[i] || strlen(name_of((vm_ir)i)) >= sizeof name) continue;
        (void)snprintf(name, sizeof name, "%s", name_of((vm_ir)i));
        for (char *at = strstr(name, "__"); at;) {
            char *next = strstr(at + 2, "__");
            part_to_slots(at + 2, next ? next : at + strlen(at));
            at = next;
        }
        if (!strcmp(name, name_of((vm_ir)i))) continue;
        vm_ir op = named(name);
        if (op < VM_IR_COUNT) counts[op] += counts[i];
    }
}

int main(int argc, char **argv)
{
    static u32 order[VM_IR_COUNT];
    bool good = argc > 1, pins = false;
    weighing.missed = calloc(MISSED_MAX, sizeof *weighing.missed);
    weighing.pinned = calloc(MISSED_MAX, sizeof *weighing.pinned);
    if (!weighing.missed || !weighing.pinned) abort();
    for (u32 i = 0; i < VM_IR_COUNT; i++) order[i] = i;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--weigh")) {
            weighing.on = true;
        } else if (!strcmp(argv[i], "--pins")) {
            weighing.on = pins = true;
        } else if (!strcmp(argv[i], "--counts") && i + 1 < argc) {
            good &= read_counts(argv[++i]);
        } else {
            good &= take(argv[i]);
            weigh_module(argv[i]);
        }
    }
    if (weighing.on) {
        if (pins)
            print_pinned();
        else
            print_weights();
        return good ? 0 : 1;
    }
    count_as_slots();
    qsort(order, VM_IR_COUNT, sizeof *order, by_count);
    for (u32 i = 0; i < VM_IR_COUNT && counts[order[i]]; i++)
        printf("%llu %s\n", (unsigned long long)counts[order[i]], name_of((vm_ir)order[i]));
    return good ? 0 : 1;
}
