/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the counts of profile builds. Empty in others. */
#include "interp/profile.h"

#if VM_PROFILE
#include <stdio.h>
#include <stdlib.h>

u64 vm_profile_counts[VM_IR_COUNT], vm_profile_pairs[VM_IR_COUNT][VM_IR_COUNT];
u32 vm_profile_last = VM_IR_COUNT;

/* instructions by address, open addressing; those that find no room are not counted */
enum { PLACES = 1 << 20 };
#define NOWHERE UINT32_MAX
static struct place {
    const union vm_word *pc;
    u64 count;
    u32 offset; /* in the file */
} places[PLACES];

/** Offset of the first Wasm instruction of the one at `pc`; NOWHERE: of no function. */
static u32 offset_of(const union vm_word *pc, const struct vm_code *code)
{
    if (!code || !code->words || pc < code->words || pc >= code->words + code->word_count)
        return NOWHERE;
    u32 word = (u32)(pc - code->words), lo = 0, hi = code->map_count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (code->map[mid].word < word)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < code->map_count && code->map[lo].word == word ? code->map[lo].offset : NOWHERE;
}

/** The place at `pc`; NULL: there is no room for it. */
static struct place *place_at(const union vm_word *pc, const struct vm_code *code)
{
    usize i = ((uintptr_t)pc >> 3) * 0x9e3779b97f4a7c15u >> 44;
    for (u32 tries = 0; tries < 64; tries++, i = (i + 1) % PLACES) {
        struct place *p = &places[i];
        if (!p->pc) *p = (struct place){.pc = pc, .offset = offset_of(pc, code)};
        if (p->pc == pc) return p;
    }
    return NULL;
}

void vm_profile_at(const union vm_word *pc, const union vm_slot *fp)
{
    const struct vm_code *code = fp[VM_FRAME_CODE].cptr;
    struct place *p = place_at(pc, code);
    if (!p) return;
    bool entered = p->count++ == 0 && code && pc == code->words;
    for (u32 i = 0; entered && i < code->map_count; i++) /* what never runs is told, too */
        (void)place_at(code->words + code->map[i].word, code);
}

/** Lines "count NAME", "count NAME NEXT", and "@ count offset". */
static __attribute__((destructor)) void write_counts(void)
{
    const char *path = getenv("WASMRUN_COUNTS");
    FILE *file = path ? fopen(path, "we") : NULL;
    if (!file) return;
    for (u32 a = 0; a < VM_IR_COUNT; a++) {
        char name[VM_IR_NAME_SIZE], next[VM_IR_NAME_SIZE];
        if (!vm_profile_counts[a]) continue;
        (void)fprintf(file, "%llu %s\n", (unsigned long long)vm_profile_counts[a],
                      vm_ir_name((vm_ir)a, name));
        for (u32 b = 0; b < VM_IR_COUNT; b++)
            if (vm_profile_pairs[a][b])
                (void)fprintf(file, "%llu %s %s\n", (unsigned long long)vm_profile_pairs[a][b],
                              name, vm_ir_name((vm_ir)b, next));
    }
    for (usize i = 0; i < PLACES; i++)
        if (places[i].pc && places[i].offset != NOWHERE)
            (void)fprintf(file, "@ %llu %u\n", (unsigned long long)places[i].count,
                          places[i].offset);
    (void)fclose(file);
}
#endif
