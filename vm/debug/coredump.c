/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core dumps: sections are made in memory, but for the data section, which is measured first and
 * then written page by page. Other threads may go on with a shared memory: how large it is and
 * where it is not zero is looked at once. Not here: when one is wanted and where it goes.
 */
#include "debug/coredump.h"

#include "base/vec.h"
#include "binary/cursor.h"
#include "platform/copy.h"
#include "types/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
    FRAMES_MAX = 4096,       /* innermost first; those further out are left out */
    LOCALS_WORK = 16000000,  /* locals and groups of them read for all frames together */
    PAGE = 4096,             /* what is looked at for zeroes */
    RUN_MAX = 1 << 30,       /* bytes of one segment */
    GAP_PAGES = 4,           /* a shorter run of zeroes does not end a segment */
    MISSING = 0x01,          /* a value that is not known */
    SECTION_CUSTOM = 0,
    SECTION_MEMORY = 5,
    SECTION_GLOBAL = 6,
    SECTION_DATA = 11
};

struct bytes VM_VEC(u8);

/** A global and its number in the dump; sorted by address. */
struct numbered {
    const struct vm_global *global;
    u32 index;
};

/** Bytes of a memory that become a data segment. */
struct run {
    u32 memory;
    u64 at, size;
};

struct dump {
    const struct vm_exec *x;
    const struct vm_store *store;
    const struct vm_alloc *a;
    const struct vm_text_sink *sink;
    struct bytes out; /* of the section being made */
    const struct vm_instance **instances; /* in the order they were made */
    u32 instance_count;
    const struct vm_program **programs; /* each once */
    u32 program_count;
    struct numbered *globals;
    u64 *sizes; /* of the store's memories */
    struct VM_VEC(struct run) runs;
    u32 frames;
    u64 work;
    bool oom;
};

/* ---------------------------------------------------------------- bytes */

static void put(struct dump *d, const void *data, usize size)
{
    if (d->oom || size > UINT32_MAX || !VM_VEC_RESERVE(d->a, &d->out, size)) {
        d->oom = true;
        return;
    }
    memcpy(d->out.data + d->out.len, data, size);
    d->out.len += (u32)size;
}

static void put_u8(struct dump *d, u8 value) { put(d, &value, 1); }

static usize leb(u64 value, u8 out[10])
{
    usize n = 0;
    do {
        out[n++] = (u8)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    return n;
}

static usize signed_leb(i64 value, u8 out[10])
{
    usize n = 0;
    bool more = true;
    while (more) {
        u8 byte = value & 0x7f;
        value >>= 7; /* arithmetic: clang and gcc */
        more = !((value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40)));
        out[n++] = (u8)(byte | (more ? 0x80 : 0));
    }
    return n;
}

static void put_u32(struct dump *d, u64 value)
{
    u8 raw[10];
    put(d, raw, leb(value, raw));
}

static void put_signed(struct dump *d, i64 value)
{
    u8 raw[10];
    put(d, raw, signed_leb(value, raw));
}

static void put_name(struct dump *d, const char *name)
{
    put_u32(d, strlen(name));
    put(d, name, strlen(name));
}

static void write(const struct dump *d, const void *data, usize size)
{
    d->sink->write(d->sink->ctx, data, size);
}

/* Writes what was put as a section and begins anew; `custom` NULL: a standard one. */
static void end_section(struct dump *d, u8 id, const char *custom)
{
    u8 head[10], name_len[10];
    usize name_bytes = custom ? strlen(custom) : 0;
    usize name_leb = custom ? leb(name_bytes, name_len) : 0;
    if (d->oom) return;
    write(d, &id, 1);
    write(d, head, leb(d->out.len + name_leb + name_bytes, head));
    if (custom) {
        write(d, name_len, name_leb);
        write(d, custom, name_bytes);
    }
    write(d, d->out.data, d->out.len);
    d->out.len = 0;
}

/* ---------------------------------------------------------------- what there is */

static int by_address(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    return x->global < y->global ? -1 : x->global > y->global;
}

static u32 global_index(const struct dump *d, const struct vm_global *global)
{
    const struct numbered key = {.global = global};
    const struct numbered *found =
        bsearch(&key, d->globals, d->store->globals.len, sizeof key, by_address);
    return found ? found->index : 0;
}

static u32 memory_index(const struct dump *d, const struct vm_memory *memory)
{
    u32 i = 0;
    while (i + 1 < d->store->memories.len && d->store->memories.data[i] != memory) i++;
    return i;
}

static u32 program_index(const struct dump *d, const struct vm_program *program)
{
    u32 i = 0;
    while (i < d->program_count && d->programs[i] != program) i++;
    return i;
}

static u32 instance_index(const struct dump *d, const struct vm_instance *inst)
{
    u32 i = 0;
    while (i < d->instance_count && d->instances[i] != inst) i++;
    return i < d->instance_count ? i : 0;
}

/* The store's list has the newest first. */
static bool collect(struct dump *d)
{
    u32 count = 0, globals = d->store->globals.len;
    for (const struct vm_instance *i = d->store->instances; i; i = i->next) count++;
    d->instances = vm_alloc_array(d->a, count + 1, sizeof *d->instances);
    d->programs = vm_alloc_array(d->a, count + 1, sizeof *d->programs);
    d->globals = vm_alloc_array(d->a, (usize)globals + 1, sizeof *d->globals);
    d->sizes = vm_alloc_array(d->a, (usize)d->store->memories.len + 1, sizeof *d->sizes);
    d->instance_count = count;
    if (!d->instances || !d->programs || !d->globals || !d->sizes) return false;
    for (u32 i = 0; i < d->store->memories.len; i++)
        d->sizes[i] = vm_memory_size(d->store->memories.data[i]);
    for (const struct vm_instance *i = d->store->instances; i; i = i->next)
        d->instances[--count] = i;
    for (u32 i = 0; i < d->instance_count; i++)
        if (program_index(d, d->instances[i]->program) == d->program_count)
            d->programs[d->program_count++] = d->instances[i]->program;
    for (u32 i = 0; i < globals; i++)
        d->globals[i] = (struct numbered){d->store->globals.data[i], i};
    qsort(d->globals, globals, sizeof *d->globals, by_address);
    return true;
}

static void dump_modules(struct dump *d)
{
    put_u32(d, d->program_count);
    for (u32 i = 0; i < d->program_count; i++) {
        put_u8(d, 0);
        put_name(d, d->programs[i]->name ? d->programs[i]->name : "");
    }
    end_section(d, SECTION_CUSTOM, "coremodules");
}

static void dump_instances(struct dump *d)
{
    put_u32(d, d->instance_count);
    for (u32 i = 0; i < d->instance_count; i++) {
        const struct vm_instance *inst = d->instances[i];
        const struct vm_module *m = &inst->program->module;
        put_u8(d, 0);
        put_u32(d, program_index(d, inst->program));
        put_u32(d, m->memory_count);
        for (u32 k = 0; k < m->memory_count; k++) put_u32(d, memory_index(d, inst->memories[k]));
        put_u32(d, m->global_count);
        for (u32 k = 0; k < m->global_count; k++) put_u32(d, global_index(d, inst->globals[k]));
    }
    end_section(d, SECTION_CUSTOM, "coreinstances");
}

/* ---------------------------------------------------------------- frames */

/* A value of the four number types; NULL or another type: missing. */
static void put_value(struct dump *d, vm_valtype type, const union vm_slot *slot)
{
    bool known = slot && (type == VM_I32 || type == VM_I64 || type == VM_F32 || type == VM_F64);
    put_u8(d, known ? (u8)type : MISSING);
    if (!known) return;
    switch (type) {
    case VM_I32: put_signed(d, (i32)slot->u32); break;
    case VM_I64: put_signed(d, (i64)slot->u64); break;
    case VM_F32: put(d, &slot->u32, 4); break; /* little-endian machines only */
    default: put(d, &slot->u64, 8); break;
    }
}

struct locals {
    const union vm_slot *at; /* of the next one; NULL: not known */
    const union vm_slot *end;
};

static void put_local(struct dump *d, struct locals *l, vm_valtype type)
{
    u32 slots = vm_valtype_slots(type);
    bool inside = l->at && l->end - l->at >= (i64)slots;
    put_value(d, type, inside ? l->at : NULL);
    l->at = inside ? l->at + slots : NULL;
}

static u64 count_locals(struct vm_cursor c, const struct vm_module *m)
{
    u64 total = 0;
    u32 groups = vm_cursor_u32(&c);
    for (u32 i = 0; i < groups && !c.failed; i++) {
        total += vm_cursor_u32(&c);
        vm_cursor_valtype(&c, m->types.count);
    }
    return total;
}

/* The locals of a frame: parameters below its pointer, the others above the header. */
static void put_locals(struct dump *d, const struct vm_frame_info *f, const struct vm_module *m,
                       struct vm_range body)
{
    const struct vm_functype *sig = vm_module_functype(m, f->code->func_idx);
    struct vm_err err = {0};
    struct vm_cursor c = {.start = m->bytes,
                          .p = m->bytes + body.start,
                          .end = m->bytes + body.start + body.size,
                          .err = &err};
    struct locals params = {.at = f->fp - f->code->below, .end = f->fp};
    struct locals others = {.at = f->entered ? f->fp + VM_FRAME_SLOTS : NULL,
                            .end = d->x->stack_limit};
    struct vm_cursor ahead = c;
    u32 groups = vm_cursor_u32(&c);
    u64 declared = d->work < groups ? UINT64_MAX : count_locals(ahead, m);
    if (declared > VM_MAX_LOCALS || d->work < declared + groups + sig->param_count) {
        put_u32(d, 0);
        return;
    }
    d->work -= declared + groups + sig->param_count;
    put_u32(d, sig->param_count + declared);
    for (u32 i = 0; i < sig->param_count; i++) put_local(d, &params, sig->types[i]);
    for (u32 i = 0; i < groups; i++) {
        u32 n = vm_cursor_u32(&c);
        vm_valtype type = vm_cursor_valtype(&c, m->types.count);
        while (n-- > 0) put_local(d, &others, type);
    }
}

static bool count_frame(const struct vm_frame_info *f, void *env)
{
    (void)f;
    struct dump *d = env;
    return ++d->frames < FRAMES_MAX;
}

static bool put_frame(const struct vm_frame_info *f, void *env)
{
    struct dump *d = env;
    const struct vm_codeset *set = f->code->set;
    const struct vm_module *m = &set->program->module;
    const struct vm_range body = m->bodies[f->code - set->codes].range;
    if (d->frames == 0) return false;
    put_u8(d, 0);
    put_u32(d, instance_index(d, f->inst));
    put_u32(d, f->code->func_idx);
    put_u32(d, f->offset >= body.start ? f->offset - body.start : 0);
    put_locals(d, f, m, body);
    put_u32(d, 0); /* operand stacks are not recorded */
    return --d->frames > 0;
}

static void dump_stack(struct dump *d)
{
    put_u8(d, 0);
    put_name(d, "main");
    d->frames = 0;
    vm_exec_walk(d->x, count_frame, d);
    put_u32(d, d->frames);
    vm_exec_walk(d->x, put_frame, d);
    end_section(d, SECTION_CUSTOM, "corestack");
}

/* ---------------------------------------------------------------- globals, memories */

static void dump_memories(struct dump *d)
{
    put_u32(d, d->store->memories.len);
    for (u32 i = 0; i < d->store->memories.len; i++) {
        const struct vm_memory *m = d->store->memories.data[i];
        bool plain = m->type.page_log2 == VM_PAGE_LOG2;
        put_u8(d, (u8)((m->type.is_64 ? 4 : 0) | (plain ? 0 : 8)));
        put_u32(d, d->sizes[i] >> m->type.page_log2);
        if (!plain) put_u32(d, m->type.page_log2);
    }
    end_section(d, SECTION_MEMORY, NULL);
}

enum { OP_END = 0x0b, OP_I32_CONST = 0x41, OP_REF_NULL = 0xd0, OP_SIMD = 0xfd, SIMD_CONST = 0x0c };

static void put_constant(struct dump *d, const struct vm_global *g)
{
    vm_valtype type = g->type.type;
    bool number = type == VM_I32 || type == VM_I64;
    if (number || type == VM_F32 || type == VM_F64) {
        put_u8(d, (u8)type);
        put_u8(d, 0);
        put_u8(d, (u8)(OP_I32_CONST + (VM_I32 - type))); /* i32 i64 f32 f64: both in that order */
        if (type == VM_I32) put_signed(d, (i32)g->value[0].u32);
        if (type == VM_I64) put_signed(d, (i64)g->value[0].u64);
        if (!number) put(d, &g->value[0], type == VM_F32 ? 4 : 8);
    } else if (type == VM_V128) {
        const u8 head[] = {VM_V128, 0, OP_SIMD, SIMD_CONST};
        put(d, head, sizeof head);
        put(d, g->value, 16);
    } else { /* what a reference refers to has no form in a file */
        const u8 null[] = {VM_HEAP_EXTERN, 0, OP_REF_NULL, VM_HEAP_EXTERN};
        put(d, null, sizeof null);
    }
    put_u8(d, OP_END);
}

static void dump_globals(struct dump *d)
{
    put_u32(d, d->store->globals.len);
    for (u32 i = 0; i < d->store->globals.len; i++) put_constant(d, d->store->globals.data[i]);
    end_section(d, SECTION_GLOBAL, NULL);
}

/* ---------------------------------------------------------------- data */

static bool is_zero(const u8 *data, u64 size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Bytes of a memory to look at more than once: those of a shared one are copied to `page`. */
static const u8 *look(const struct vm_memory *m, u64 at, u64 bytes, u8 page[PAGE])
{
    if (!m->sharing) return m->base + at;
    vm_copy_shared(page, m->base + at, (usize)bytes);
    return page;
}

/* The next stretch of a memory of `total` bytes that is not all zero, from `from` on; size 0: none.
 */
static u64 next_run(const struct vm_memory *m, u64 total, u64 from, u64 *size)
{
    u64 begin = 0, end = 0;
    u8 page[PAGE];
    for (u64 at = from; at < total; at += PAGE) {
        if (end && end - begin >= (u64)RUN_MAX) break;
        u64 bytes = total - at < PAGE ? total - at : PAGE;
        if (is_zero(look(m, at, bytes, page), bytes)) {
            if (end && at - end >= (u64)GAP_PAGES * PAGE) break;
            continue;
        }
        begin = end ? begin : at;
        end = at + bytes;
    }
    *size = end ? end - begin : 0;
    return begin;
}

/* The head of a segment: memory, offset, length. */
static usize segment_head(const struct vm_memory *m, u32 index, u64 at, u64 size, u8 out[40])
{
    usize n = 0;
    out[n++] = index ? 2 : 0;
    if (index) n += leb(index, out + n);
    out[n++] = m->type.is_64 ? OP_I32_CONST + 1 : OP_I32_CONST;
    n += signed_leb(m->type.is_64 ? (i64)at : (i32)(u32)at, out + n);
    out[n++] = OP_END;
    return n + leb(size, out + n);
}

static usize head_of(const struct dump *d, const struct run *r, u8 out[40])
{
    return segment_head(d->store->memories.data[r->memory], r->memory, r->at, r->size, out);
}

/* Fills `runs` with all that a section can hold; the bytes that they take there. */
static u64 collect_runs(struct dump *d)
{
    const u64 cap = UINT32_MAX - 64;
    u64 bytes = 0;
    u8 head[40];
    for (u32 i = 0; i < d->store->memories.len && !d->oom; i++) {
        const struct vm_memory *m = d->store->memories.data[i];
        struct run r = {.memory = i};
        r.at = next_run(m, d->sizes[i], 0, &r.size);
        for (; r.size; r.at = next_run(m, d->sizes[i], r.at + r.size, &r.size)) {
            u64 more = head_of(d, &r, head) + r.size;
            if (d->runs.len == VM_MAX_DATAS || bytes + more > cap) return bytes;
            bytes += more;
            d->oom = !VM_VEC_RESERVE(d->a, &d->runs, 1);
            if (d->oom) return 0;
            VM_VEC_PUSH(&d->runs, r);
        }
    }
    return bytes;
}

static void write_run(const struct dump *d, const struct run *r)
{
    const struct vm_memory *m = d->store->memories.data[r->memory];
    u8 head[40], page[PAGE];
    write(d, head, head_of(d, r, head));
    u64 step = m->sharing ? PAGE : r->size;
    for (u64 at = r->at, end = r->at + r->size; at < end; at += step) {
        u64 bytes = end - at < step ? end - at : step;
        write(d, look(m, at, bytes, page), (usize)bytes);
    }
}

static void dump_data(struct dump *d)
{
    u8 id = SECTION_DATA, count[10], size[10];
    u64 bytes = d->oom ? 0 : collect_runs(d);
    if (d->oom) return;
    usize count_bytes = leb(d->runs.len, count);
    write(d, &id, 1);
    write(d, size, leb(bytes + count_bytes, size));
    write(d, count, count_bytes);
    for (u32 i = 0; i < d->runs.len; i++) write_run(d, &d->runs.data[i]);
}

vm_status vm_coredump(const struct vm_exec *x, const char *name, const struct vm_text_sink *sink)
{
    struct dump d = {
        .x = x, .store = x->store, .a = x->store->alloc, .sink = sink, .work = LOCALS_WORK};
    d.oom = !collect(&d);
    if (!d.oom) {
        write(&d, "\0asm\1\0\0\0", 8);
        put_u8(&d, 0);
        put_name(&d, name);
        end_section(&d, SECTION_CUSTOM, "core");
        dump_modules(&d);
        dump_instances(&d);
        dump_stack(&d);
        dump_memories(&d);
        dump_globals(&d);
        dump_data(&d);
    }
    u32 globals = x->store->globals.len;
    vm_alloc_free(d.a, d.instances, (d.instance_count + 1) * sizeof *d.instances);
    vm_alloc_free(d.a, d.programs, (d.instance_count + 1) * sizeof *d.programs);
    vm_alloc_free(d.a, d.globals, ((usize)globals + 1) * sizeof *d.globals);
    vm_alloc_free(d.a, d.sizes, ((usize)x->store->memories.len + 1) * sizeof *d.sizes);
    VM_VEC_FREE(d.a, &d.runs);
    VM_VEC_FREE(d.a, &d.out);
    return d.oom ? VM_OOM : VM_OK;
}
