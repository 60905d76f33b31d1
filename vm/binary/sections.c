/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function per section. Checks the format; indices into other sections are validation. The
 * type section is in types.c, the order of sections in module.c.
 */
#include "binary/decode.h"

#include <stdio.h>

u32 vm_decode_count(struct vm_cursor *c, u32 have, u32 limit, const char *what)
{
    u64 offset = vm_cursor_offset(c);
    u32 count = vm_cursor_count(c);
    if (c->failed) return 0;
    if (have > limit || count > limit - have) {
        (void)vm_cursor_fail_at(c, VM_ERR_LIMIT, offset, what);
        return 0;
    }
    return count;
}

void vm_decode_fail_byte(struct vm_cursor *c, vm_error_id id, u64 offset)
{
    if (c->failed) return;
    char what[16];
    (void)snprintf(what, sizeof what, "0x%02x", c->start[offset]);
    (void)vm_cursor_fail_at(c, id, offset, what);
}

/* -------- external types. spec binary-externtype */

enum {
    LIMITS_MAX = 0x01,
    LIMITS_SHARED = 0x02,
    LIMITS_64 = 0x04,
    LIMITS_PAGE_SIZE = 0x08,
    LIMITS_OF_TABLE = LIMITS_MAX | LIMITS_64,
    LIMITS_OF_MEMORY = LIMITS_OF_TABLE | LIMITS_SHARED | LIMITS_PAGE_SIZE
};

/* log2 of the page size; whether that size is allowed is validation. */
static u8 read_page_size(struct vm_cursor *c)
{
    u64 offset = vm_cursor_offset(c);
    u32 log2 = vm_cursor_u32(c);
    if (log2 < 64) return (u8)log2;
    (void)vm_cursor_fail_at(c, VM_ERR_LIMITS_FLAGS, offset, "page size out of range");
    return 0;
}

/* spec binary-limits, with the flags of the threads and custom-page-sizes proposals */
static struct vm_limits read_limits(struct vm_cursor *c, u8 allowed)
{
    struct vm_limits l = {.max = UINT64_MAX};
    u64 offset = vm_cursor_offset(c);
    u8 flags = vm_cursor_u8(c);
    if (flags & ~allowed) {
        vm_decode_fail_byte(c, VM_ERR_LIMITS_FLAGS, offset);
        return l;
    }
    l.has_max = flags & LIMITS_MAX;
    l.is_shared = flags & LIMITS_SHARED;
    l.is_64 = flags & LIMITS_64;
    l.page_log2 = allowed & LIMITS_PAGE_SIZE ? VM_PAGE_LOG2 : 0;
    l.min = vm_cursor_u64(c);
    if (l.has_max) l.max = vm_cursor_u64(c);
    if (flags & LIMITS_PAGE_SIZE) l.page_log2 = read_page_size(c);
    return l;
}

/* spec binary-tabletype */
static struct vm_tabletype read_tabletype(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_tabletype t;
    t.elem = vm_cursor_reftype(c, d->types.len);
    t.limits = read_limits(c, LIMITS_OF_TABLE);
    return t;
}

/* spec binary-globaltype */
static struct vm_globaltype read_globaltype(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_globaltype g = {.type = vm_cursor_valtype(c, d->types.len)};
    u64 offset = vm_cursor_offset(c);
    u8 mutability = vm_cursor_u8(c);
    if (mutability > 1) vm_decode_fail_byte(c, VM_ERR_MUTABILITY, offset);
    g.is_mutable = mutability == 1;
    return g;
}

/* spec binary-tagtype: the type's index */
static u32 read_tagtype(struct vm_cursor *c)
{
    u64 offset = vm_cursor_offset(c);
    if (vm_cursor_u8(c) != 0) vm_decode_fail_byte(c, VM_ERR_TAG_ATTRIBUTE, offset);
    return vm_cursor_u32(c);
}

static void add_func(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 type = vm_cursor_u32(c);
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->funcs, type);
}

static void add_table(struct vm_decoder *d, struct vm_cursor *c, const struct vm_table_decl *t)
{
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->tables, *t);
}

static void add_memory(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_limits l = read_limits(c, LIMITS_OF_MEMORY);
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->memories, l);
}

static void add_tag(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 type = read_tagtype(c);
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->tags, type);
}

/* -------- imports. spec binary-importsec */

/* Fails the cursor when no more of an index space's entries are allowed. */
static void check_room(struct vm_cursor *c, u32 have, u32 limit, const char *what)
{
    if (have >= limit) (void)vm_cursor_fail(c, VM_ERR_LIMIT, what);
}

/* The description of an import of kind `kind`, into its index space: its index there. */
static u32 read_import_type(struct vm_decoder *d, struct vm_cursor *c, u8 kind)
{
    switch (kind) {
    case VM_EXTERN_FUNC:
        check_room(c, d->funcs.len, VM_MAX_FUNCS, "functions");
        add_func(d, c);
        return d->funcs.len - 1;
    case VM_EXTERN_TABLE: {
        check_room(c, d->tables.len, VM_MAX_TABLES, "tables");
        struct vm_table_decl t = {.type = read_tabletype(d, c)};
        add_table(d, c, &t);
        return d->tables.len - 1;
    }
    case VM_EXTERN_MEMORY:
        check_room(c, d->memories.len, VM_MAX_MEMORIES, "memories");
        add_memory(d, c);
        return d->memories.len - 1;
    case VM_EXTERN_GLOBAL: {
        check_room(c, d->globals.len, VM_MAX_GLOBALS, "globals");
        struct vm_global_decl g = {.type = read_globaltype(d, c)};
        if (!c->failed) VM_DECODER_PUSH(d, c, &d->globals, g);
        return d->globals.len - 1;
    }
    default:
        check_room(c, d->tags.len, VM_MAX_TAGS, "tags");
        add_tag(d, c);
        return d->tags.len - 1;
    }
}

static struct vm_name read_name(struct vm_cursor *c)
{
    struct vm_name n;
    n.data = vm_cursor_name(c, &n.size);
    return n;
}

/* The kind byte of an import or export; `id` is the error for any other byte. */
static u8 read_kind(struct vm_cursor *c, vm_error_id id)
{
    u64 offset = vm_cursor_offset(c);
    u8 kind = vm_cursor_u8(c);
    if (kind > VM_EXTERN_TAG) vm_decode_fail_byte(c, id, offset);
    return kind;
}

static void section_import(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, 0, VM_MAX_IMPORTS, "imports");
    for (u32 i = 0; i < count && !c->failed; i++) {
        struct vm_import im;
        im.module = read_name(c);
        im.name = read_name(c);
        im.kind = read_kind(c, VM_ERR_IMPORT_KIND);
        if (c->failed) return;
        im.index = read_import_type(d, c, im.kind);
        if (c->failed) return;
        d->m->n_imported[im.kind]++;
        VM_DECODER_PUSH(d, c, &d->imports, im);
    }
}

/* -------- definitions */

/* spec binary-funcsec */
static void section_func(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, d->funcs.len, VM_MAX_FUNCS, "functions");
    for (u32 i = 0; i < count && !c->failed; i++) add_func(d, c);
}

/* spec binary-table: 0x40 0x00 announces an initial value. */
static void read_table(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_table_decl t = {0};
    bool has_init = c->p < c->end && *c->p == 0x40;
    if (has_init) {
        c->p++;
        u64 offset = vm_cursor_offset(c);
        if (vm_cursor_u8(c) != 0) (void)vm_cursor_fail_at(c, VM_ERR_ZERO_BYTE, offset, NULL);
    }
    t.type = read_tabletype(d, c);
    if (has_init) t.init = vm_decode_expr(c, d->types.len);
    add_table(d, c, &t);
}

/* spec binary-tablesec */
static void section_table(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, d->tables.len, VM_MAX_TABLES, "tables");
    for (u32 i = 0; i < count && !c->failed; i++) read_table(d, c);
}

/* spec binary-memsec */
static void section_memory(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, d->memories.len, VM_MAX_MEMORIES, "memories");
    for (u32 i = 0; i < count && !c->failed; i++) add_memory(d, c);
}

/* spec binary-tagsec */
static void section_tag(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, d->tags.len, VM_MAX_TAGS, "tags");
    for (u32 i = 0; i < count && !c->failed; i++) add_tag(d, c);
}

/* spec binary-globalsec */
static void section_global(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, d->globals.len, VM_MAX_GLOBALS, "globals");
    for (u32 i = 0; i < count && !c->failed; i++) {
        struct vm_global_decl g = {.type = read_globaltype(d, c)};
        g.init = vm_decode_expr(c, d->types.len);
        if (!c->failed) VM_DECODER_PUSH(d, c, &d->globals, g);
    }
}

/* spec binary-exportsec */
static void section_export(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, 0, VM_MAX_EXPORTS, "exports");
    for (u32 i = 0; i < count && !c->failed; i++) {
        struct vm_export ex = {.name = read_name(c)};
        ex.kind = read_kind(c, VM_ERR_EXPORT_KIND);
        ex.index = vm_cursor_u32(c);
        if (!c->failed) VM_DECODER_PUSH(d, c, &d->exports, ex);
    }
}

/* spec binary-startsec */
static void section_start(struct vm_decoder *d, struct vm_cursor *c)
{
    d->m->start_offset = vm_cursor_offset(c);
    d->m->start = vm_cursor_u32(c);
}

/* -------- element segments. spec binary-elemsec */

enum {
    ELEM_NOT_ACTIVE = 1, /* passive or declarative */
    ELEM_TABLE = 2,      /* active: table index and kind; else: declarative */
    ELEM_EXPRS = 4,
    ELEM_FLAGS_END = 8
};

/* The element type; forms 0 and 4 have it fixed. */
static vm_valtype read_elem_type(struct vm_decoder *d, struct vm_cursor *c, u32 flags)
{
    bool is_written = flags & (ELEM_NOT_ACTIVE | ELEM_TABLE);
    if (flags & ELEM_EXPRS) return is_written ? vm_cursor_reftype(c, d->types.len) : VM_FUNCREF;
    u64 offset = vm_cursor_offset(c);
    if (is_written && vm_cursor_u8(c) != 0) vm_decode_fail_byte(c, VM_ERR_ELEM_KIND, offset);
    return VM_REFTYPE(false, VM_HEAP_ABSTRACT | VM_HEAP_FUNC);
}

static void read_elem_items(struct vm_decoder *d, struct vm_cursor *c, struct vm_elem_decl *e)
{
    e->count = vm_decode_count(c, 0, VM_MAX_ELEMS, "items of an element segment");
    u64 start = vm_cursor_offset(c);
    for (u32 i = 0; i < e->count && !c->failed; i++) {
        if (e->is_exprs) {
            (void)vm_decode_expr(c, d->types.len);
        } else {
            (void)vm_cursor_u32(c);
        }
    }
    e->items = vm_range_from(c, start);
}

static void read_elem(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_elem_decl e = {.mode = VM_SEGMENT_ACTIVE};
    u64 offset = vm_cursor_offset(c);
    u32 flags = vm_cursor_u32(c);
    if (flags >= ELEM_FLAGS_END) {
        vm_decode_fail_byte(c, VM_ERR_ELEM_KIND, offset);
        return;
    }
    e.is_exprs = flags & ELEM_EXPRS;
    if (flags & ELEM_NOT_ACTIVE) {
        e.mode = flags & ELEM_TABLE ? VM_SEGMENT_DECLARATIVE : VM_SEGMENT_PASSIVE;
    } else {
        if (flags & ELEM_TABLE) e.table = vm_cursor_u32(c);
        e.offset = vm_decode_expr(c, d->types.len);
    }
    e.type = read_elem_type(d, c, flags);
    read_elem_items(d, c, &e);
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->elems, e);
}

static void section_elem(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, 0, VM_MAX_ELEMS, "element segments");
    for (u32 i = 0; i < count && !c->failed; i++) read_elem(d, c);
}

/* -------- code and data */

/* spec binary-codesec: bodies are only measured here. */
static void section_code(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, 0, VM_MAX_FUNCS, "function bodies");
    for (u32 i = 0; i < count && !c->failed; i++) {
        u64 offset = vm_cursor_offset(c);
        u32 size = vm_cursor_count(c);
        if (size > VM_MAX_BODY_BYTES)
            (void)vm_cursor_fail_at(c, VM_ERR_LIMIT, offset, "bytes of a function body");
        u64 start = vm_cursor_offset(c);
        (void)vm_cursor_bytes(c, size);
        struct vm_body b = {vm_range_from(c, start)};
        if (!c->failed) VM_DECODER_PUSH(d, c, &d->bodies, b);
    }
}

/* spec binary-data */
static void read_data(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_data_decl s = {.mode = VM_SEGMENT_ACTIVE};
    u64 offset = vm_cursor_offset(c);
    u32 flags = vm_cursor_u32(c);
    if (flags > 2) {
        vm_decode_fail_byte(c, VM_ERR_DATA_KIND, offset);
        return;
    }
    if (flags == 1) {
        s.mode = VM_SEGMENT_PASSIVE;
    } else {
        if (flags == 2) s.memory = vm_cursor_u32(c);
        s.offset = vm_decode_expr(c, d->types.len);
    }
    u32 size = vm_cursor_count(c);
    u64 start = vm_cursor_offset(c);
    (void)vm_cursor_bytes(c, size);
    s.bytes = vm_range_from(c, start);
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->datas, s);
}

/* spec binary-datasec */
static void section_data(struct vm_decoder *d, struct vm_cursor *c)
{
    u32 count = vm_decode_count(c, 0, VM_MAX_DATAS, "data segments");
    for (u32 i = 0; i < count && !c->failed; i++) read_data(d, c);
}

/* spec binary-datacountsec */
static void section_data_count(struct vm_decoder *d, struct vm_cursor *c)
{
    d->data_count = vm_cursor_u32(c);
    d->m->has_data_count = true;
}

void vm_decode_section(struct vm_decoder *d, struct vm_cursor *c, u8 id)
{
    static void (*const sections[])(struct vm_decoder *, struct vm_cursor *) = {
        [1] = vm_decode_types, [2] = section_import, [3] = section_func,
        [4] = section_table,   [5] = section_memory, [6] = section_global,
        [7] = section_export,  [8] = section_start,  [9] = section_elem,
        [10] = section_code,   [11] = section_data,  [12] = section_data_count,
        [13] = section_tag,
    };
    vm_assert(id > 0 && id < VM_COUNT(sections));
    sections[id](d, c);
}
