/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates every function of the modules given and prints how often each chain came out, most
 * frequent first, one "COUNT NAME" a line; on stderr what translation cost. Nothing is executed.
 * A chain that takes an accumulator behind its first part counts as the one with slots, too: which
 * of them comes out depends on what stands before, and programs that are not here want the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "binary/module.h"
#include "isa/handlers.h"
#include "translate/translate.h"
#include "validate/validate.h"

enum { TAG_SHIFT = 32 };
#define TAG ((u64)0x5eedc0de << TAG_SHIFT)

static union vm_word words[VM_IR_COUNT];
static struct vm_backend numbers = {.words = words, .ops = VM_IR_COUNT};
static u64 counts[VM_IR_COUNT];

const struct vm_backend *vm_backend_get(enum vm_code_backend backend)
{
    (void)backend;
    return &numbers;
}

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

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

/** Reads a whole file; its bytes are freed never. */
static u8 *read_file(const char *path, usize *size)
{
    FILE *file = fopen(path, "re");
    long end = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) end = ftell(file);
    u8 *bytes = end > 0 ? malloc((usize)end) : NULL;
    *size = (usize)end;
    if (bytes && (fseek(file, 0, SEEK_SET) != 0 || fread(bytes, 1, *size, file) != *size))
        bytes = NULL;
    if (file) (void)fclose(file);
    return bytes;
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
        double start = now_ns();
        vm_status s = vm_translate(&env, &codes[i], &scratch, &err);
        double ns = now_ns() - start;
        vm_arena_free(&scratch);
        if (s != VM_OK) continue; /* it uses what can't be executed */
        count(&codes[i]);
        per_byte[done++] = ns / m->bodies[i].range.size;
        total += ns;
        bytes += m->bodies[i].range.size;
        out += codes[i].word_count * sizeof(union vm_word);
    }
    qsort(per_byte, done, sizeof *per_byte, by_value);
    if (done)
        (void)fprintf(
            stderr, "%s: %u functions, %.1f ns a byte (median %.1f), %.2f bytes of code a byte\n",
            path, done, total / (double)bytes, per_byte[done / 2], (double)out / (double)bytes);
}

static bool take(const char *path)
{
    usize size;
    u8 *bytes = read_file(path, &size);
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    if (!bytes || vm_module_decode(&m, &vm_alloc_libc, bytes, size, &err) != VM_OK) {
        (void)fprintf(stderr, "%s: can't be read\n", path);
        return false;
    }
    struct vm_code *codes = calloc(m.body_count + 1, sizeof *codes);
    if (!codes) abort();
    translate_all(path, &m, codes);
    return true;
}

/* ---- accumulators behind the first part */

static int by_name(const void *a, const void *b)
{
    return strcmp(vm_ir_name((vm_ir) * (const u32 *)a), vm_ir_name((vm_ir) * (const u32 *)b));
}

static int find_name(const void *name, const void *op)
{
    return strcmp(name, vm_ir_name((vm_ir) * (const u32 *)op));
}

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
    static u32 sorted[VM_IR_COUNT];
    char name[256];
    for (u32 i = 0; i < VM_IR_COUNT; i++) sorted[i] = i;
    qsort(sorted, VM_IR_COUNT, sizeof *sorted, by_name);
    for (u32 i = 0; i < VM_IR_COUNT; i++) {
        if (!counts[i] || strlen(vm_ir_name((vm_ir)i)) >= sizeof name) continue;
        (void)snprintf(name, sizeof name, "%s", vm_ir_name((vm_ir)i));
        for (char *at = strstr(name, "__"); at;) {
            char *next = strstr(at + 2, "__");
            part_to_slots(at + 2, next ? next : at + strlen(at));
            at = next;
        }
        if (!strcmp(name, vm_ir_name((vm_ir)i))) continue;
        const u32 *op = bsearch(name, sorted, VM_IR_COUNT, sizeof *sorted, find_name);
        if (op) counts[*op] += counts[i];
    }
}

int main(int argc, char **argv)
{
    static u32 order[VM_IR_COUNT];
    bool good = argc > 1;
    for (u32 i = 0; i < VM_IR_COUNT; i++) {
        words[i].u = TAG | i;
        order[i] = i;
    }
    for (int i = 1; i < argc; i++) good &= take(argv[i]);
    count_as_slots();
    qsort(order, VM_IR_COUNT, sizeof *order, by_count);
    for (u32 i = 0; i < VM_IR_COUNT && counts[order[i]]; i++)
        printf("%llu %s\n", (unsigned long long)counts[order[i]], vm_ir_name((vm_ir)order[i]));
    return good ? 0 : 1;
}
