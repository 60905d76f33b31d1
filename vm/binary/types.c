/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type section. Checks the format and that indices are in range; whether a declared supertype
 * fits is validation.
 */
#include "binary/decode.h"

#include <string.h>

/* spec binary-rectype, binary-subtype */
enum { REC = 0x4e, SUB_FINAL = 0x4f, SUB = 0x50 };

/* Where a type's own references may point: below the end of its recursion group. */
struct group {
    u32 first, count;
};

static u32 visible_end(struct group g) { return g.first + g.count; }

static u32 slots_of(const vm_valtype *types, u32 count)
{
    u32 slots = 0;
    for (u32 i = 0; i < count; i++) slots += vm_valtype_slots(types[i]);
    return slots;
}

/* spec binary-functype */
static void read_func(struct vm_decoder *d, struct vm_cursor *c, u32 type_count,
                      struct vm_functype *out)
{
    vm_valtype types[VM_MAX_PARAMS + VM_MAX_RESULTS];
    u32 params = vm_decode_count(c, 0, VM_MAX_PARAMS, "parameters");
    for (u32 i = 0; i < params; i++) types[i] = vm_cursor_valtype(c, type_count);
    u32 results = vm_decode_count(c, 0, VM_MAX_RESULTS, "results");
    for (u32 i = 0; i < results; i++) types[params + i] = vm_cursor_valtype(c, type_count);
    if (c->failed) return;

    u32 count = params + results;
    vm_valtype *kept = vm_arena_array(&d->m->arena, count, sizeof(*kept));
    if (!kept) {
        (void)vm_cursor_fail(c, VM_ERR_OOM, NULL);
        return;
    }
    if (count) memcpy(kept, types, count * sizeof(*kept));
    *out = (struct vm_functype){
        .param_count = params,
        .result_count = results,
        .param_slots = slots_of(kept, params),
        .result_slots = slots_of(kept + params, results),
        .types = kept,
    };
}

/* spec binary-storagetype */
static vm_valtype read_storage(struct vm_cursor *c, u32 type_count)
{
    if (c->p < c->end && (*c->p == VM_I8 || *c->p == VM_I16)) return *c->p++;
    return vm_cursor_valtype(c, type_count);
}

/* spec binary-fieldtype */
static struct vm_fieldtype read_field(struct vm_cursor *c, u32 type_count)
{
    struct vm_fieldtype f = {.type = read_storage(c, type_count)};
    u64 offset = vm_cursor_offset(c);
    u8 mutability = vm_cursor_u8(c);
    if (mutability > 1) vm_decode_fail_byte(c, VM_ERR_MUTABILITY, offset);
    f.is_mutable = mutability == 1;
    return f;
}

/* spec binary-structtype, binary-arraytype: `count` fields. */
static void read_fields(struct vm_decoder *d, struct vm_cursor *c, u32 type_count, u32 count,
                        struct vm_deftype *out)
{
    if (c->failed) return;
    struct vm_fieldtype *fields = vm_arena_array(&d->m->arena, count, sizeof(*fields));
    if (!fields) {
        (void)vm_cursor_fail(c, VM_ERR_OOM, NULL);
        return;
    }
    for (u32 i = 0; i < count && !c->failed; i++) fields[i] = read_field(c, type_count);
    out->of.agg.count = count;
    out->of.agg.fields = fields;
}

/* spec binary-comptype */
static void read_comp(struct vm_decoder *d, struct vm_cursor *c, u32 type_count,
                      struct vm_deftype *out)
{
    u64 offset = vm_cursor_offset(c);
    out->kind = vm_cursor_u8(c);
    switch (out->kind) {
    case VM_COMP_FUNC: read_func(d, c, type_count, &out->of.func); break;
    case VM_COMP_STRUCT:
        read_fields(d, c, type_count, vm_decode_count(c, 0, VM_MAX_FIELDS, "fields"), out);
        break;
    case VM_COMP_ARRAY: read_fields(d, c, type_count, 1, out); break;
    default: vm_decode_fail_byte(c, out->kind & 0x80 ? VM_ERR_INT_LONG : VM_ERR_DEFTYPE, offset);
    }
}

/* The list of supertypes, at most one, which must stand before the type. spec valid-subtype */
static void read_super(struct vm_decoder *d, struct vm_cursor *c, struct vm_deftype *out)
{
    u64 offset = vm_cursor_offset(c);
    u32 count = vm_cursor_count(c);
    if (count > 1) {
        (void)vm_cursor_fail_at(c, VM_ERR_SUB_TYPE, offset, "more than one supertype");
        return;
    }
    if (count == 0) return;
    offset = vm_cursor_offset(c);
    u32 super = vm_cursor_u32(c);
    if (c->failed) return;
    if (super >= d->types.len) {
        (void)vm_cursor_fail_at(c, VM_ERR_UNKNOWN_TYPE, offset,
                                "a supertype must be defined before its subtypes");
        return;
    }
    out->super = super;
    out->depth = d->types.data[super].depth + 1;
    if (out->depth > VM_MAX_SUBTYPE_DEPTH)
        (void)vm_cursor_fail_at(c, VM_ERR_LIMIT, offset, "chain of supertypes");
}

/* spec binary-subtype */
static void read_sub(struct vm_decoder *d, struct vm_cursor *c, struct group g)
{
    struct vm_deftype t = {
        .is_final = true, .super = VM_NO_TYPE, .rec_first = g.first, .rec_count = g.count};
    if (c->p < c->end && (*c->p == SUB || *c->p == SUB_FINAL)) {
        t.is_final = *c->p++ == SUB_FINAL;
        read_super(d, c, &t);
    }
    read_comp(d, c, visible_end(g), &t);
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->types, t);
}

void vm_decode_types(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 groups = vm_decode_count(c, 0, VM_MAX_TYPES, "types");
    for (u32 i = 0; i < groups && !c->failed; i++) {
        struct group g = {d->types.len, 1};
        if (c->p < c->end && *c->p == REC) {
            c->p++;
            g.count = vm_decode_count(c, g.first, VM_MAX_TYPES, "types");
        } else if (g.first == VM_MAX_TYPES) {
            (void)vm_cursor_fail(c, VM_ERR_LIMIT, "types");
        }
        for (u32 k = 0; k < g.count && !c->failed; k++) read_sub(d, c, g);
    }
}
