/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes a module: header, order of sections, agreement between sections. What stands in a
 * section is in sections.c and types.c.
 */
#include "binary/module.h"

#include "binary/decode.h"

#include <string.h>

/* spec binary-module */
static const u8 magic[4] = {0x00, 'a', 's', 'm'};
static const u8 version[4] = {1, 0, 0, 0};

enum { SECTION_CUSTOM = 0, SECTION_IDS = 14 };

/* Place of each section in the module, from 1. spec binary-module */
static const u8 rank_of[SECTION_IDS] = {
    [1] = 1,   /* type */
    [2] = 2,   /* import */
    [3] = 3,   /* function */
    [4] = 4,   /* table */
    [5] = 5,   /* memory */
    [13] = 6,  /* tag */
    [6] = 7,   /* global */
    [7] = 8,   /* export */
    [8] = 9,   /* start */
    [9] = 10,  /* element */
    [12] = 11, /* data count */
    [10] = 12, /* code */
    [11] = 13, /* data */
};

static const char component[] = "is a component, not a core module";

/* The component model splits the version's four bytes: version, and layer, which is 1. */
static bool is_component(const struct vm_cursor *c)
{
    return !c->failed && vm_cursor_left(c) >= sizeof(version) && c->p[2] == 1 && c->p[3] == 0;
}

/* spec binary-magic, binary-version: `what` must stand at the cursor. */
static void expect_bytes(struct vm_cursor *c, const u8 *what, vm_error_id id, const char *detail)
{
    if (c->failed) return;
    if (vm_cursor_left(c) < sizeof(magic)) {
        (void)vm_cursor_fail_at(c, VM_ERR_END, (u64)(c->end - c->start), NULL);
    } else if (memcmp(c->p, what, sizeof(magic)) != 0) {
        (void)vm_cursor_fail(c, id, detail);
    } else {
        c->p += sizeof(magic);
    }
}

/* spec binary-customsec */
static void read_custom(struct vm_decoder *d, struct vm_cursor *c, struct vm_section *s)
{
    s->name.data = vm_cursor_name(c, &s->name.size);
    if (c->failed) return;
    u64 start = vm_cursor_offset(c);
    usize size = vm_cursor_left(c);
    const u8 *payload = vm_cursor_bytes(c, size);
    s->payload = vm_range_from(c, start);
    if (s->name.size == 4 && memcmp(s->name.data, "name", 4) == 0)
        vm_decode_names(d->m, payload, size);
}

/* spec binary-section: one section, which must come after the one of rank *last. */
static void read_section(struct vm_decoder *d, struct vm_cursor *c, u8 *last)
{
    u64 offset = vm_cursor_offset(c);
    struct vm_section s = {.id = vm_cursor_u8(c)};
    if (s.id >= SECTION_IDS) {
        vm_decode_fail_byte(c, VM_ERR_SECTION_ID, offset);
        return;
    }
    if (s.id != SECTION_CUSTOM && rank_of[s.id] <= *last) {
        (void)vm_cursor_fail_at(c, VM_ERR_SECTION_ORDER, offset, NULL);
        return;
    }
    if (s.id != SECTION_CUSTOM) *last = rank_of[s.id];

    u32 size = vm_cursor_count(c);
    u64 start = vm_cursor_offset(c);
    const u8 *p = vm_cursor_bytes(c, size);
    if (!p) return;
    s.payload = vm_range_from(c, start);
    struct vm_cursor inner = {.start = c->start, .p = p, .end = p + size, .err = c->err};
    if (s.id == SECTION_CUSTOM) {
        read_custom(d, &inner, &s);
    } else {
        vm_decode_section(d, &inner, s.id);
    }
    if (!inner.failed && inner.p != inner.end)
        (void)vm_cursor_fail(&inner, VM_ERR_SECTION_SIZE, NULL);
    c->failed = inner.failed;
    if (!c->failed) VM_DECODER_PUSH(d, c, &d->sections, s);
}

/* What sections must agree on. spec binary-module */
static void check_counts(struct vm_decoder *d, struct vm_cursor *c)
{
    if (c->failed) return;
    if (d->funcs.len - d->m->n_imported[VM_EXTERN_FUNC] != d->bodies.len)
        (void)vm_cursor_fail(c, VM_ERR_FUNC_CODE_COUNT, NULL);
    else if (d->m->has_data_count && d->data_count != d->datas.len)
        (void)vm_cursor_fail(c, VM_ERR_DATA_COUNT, NULL);
}

/* Moves a finished array to the arena: NULL if it is empty or (cursor failed) out of memory. */
static void *settle(struct vm_decoder *d, struct vm_cursor *c, const void *data, usize bytes)
{
    if (c->failed || bytes == 0) return NULL;
    void *kept = vm_arena_alloc(&d->m->arena, bytes);
    if (!kept) {
        (void)vm_cursor_fail(c, VM_ERR_OOM, NULL);
        return NULL;
    }
    memcpy(kept, data, bytes);
    return kept;
}

#define EACH_ARRAY(X)                                                                              \
    X(types, m->types.types, m->types.count)                                                       \
    X(imports, m->imports, m->import_count)                                                        \
    X(funcs, m->funcs, m->func_count)                                                              \
    X(bodies, m->bodies, m->body_count)                                                            \
    X(tables, m->tables, m->table_count)                                                           \
    X(memories, m->memories, m->memory_count)                                                      \
    X(globals, m->globals, m->global_count)                                                        \
    X(tags, m->tags, m->tag_count)                                                                 \
    X(exports, m->exports, m->export_count)                                                        \
    X(elems, m->elems, m->elem_count)                                                              \
    X(datas, m->datas, m->data_count)                                                              \
    X(sections, m->sections, m->section_count)

/* Frees the growing arrays; when all went well their contents have gone to the arena. */
static void finish(struct vm_decoder *d, struct vm_cursor *c)
{
    struct vm_module *m = d->m;
#define SETTLE(vec, array, count)                                                                  \
    array = settle(d, c, d->vec.data, (usize)d->vec.len * sizeof(*d->vec.data));                   \
    count = d->vec.len;                                                                            \
    VM_VEC_FREE(d->alloc, &d->vec);
    EACH_ARRAY(SETTLE)
#undef SETTLE
}

vm_status vm_module_decode(struct vm_module *m, const struct vm_alloc *alloc, const u8 *bytes,
                           usize size, struct vm_err *err)
{
    struct vm_err own;
    if (!err) {
        vm_err_init(&own);
        err = &own;
    }
    if (!bytes) bytes = magic, size = 0; /* no arithmetic on NULL */
    *m = (struct vm_module){.bytes = bytes, .size = size, .start = VM_NO_INDEX};
    vm_arena_init(&m->arena, alloc);
    struct vm_decoder d = {.m = m, .alloc = alloc};
    struct vm_cursor c = {.start = bytes, .p = bytes, .end = bytes + size, .err = err};

    if (size > VM_MAX_MODULE_BYTES) (void)vm_cursor_fail(&c, VM_ERR_LIMIT, "bytes of a module");
    expect_bytes(&c, magic, VM_ERR_MAGIC, NULL);
    expect_bytes(&c, version, VM_ERR_VERSION, is_component(&c) ? component : NULL);
    u8 last = 0;
    while (!c.failed && vm_cursor_left(&c) > 0) read_section(&d, &c, &last);
    check_counts(&d, &c);
    finish(&d, &c);
    if (!c.failed) return VM_OK;
    vm_module_free(m);
    return err->status;
}

void vm_module_free(struct vm_module *m)
{
    vm_arena_free(&m->arena);
    *m = (struct vm_module){.start = VM_NO_INDEX};
}

const struct vm_export *vm_module_find_export(const struct vm_module *m, const u8 *name, u32 size)
{
    for (u32 i = 0; i < m->export_count; i++) {
        const struct vm_export *ex = &m->exports[i];
        if (ex->name.size == size && (size == 0 || memcmp(ex->name.data, name, size) == 0))
            return ex;
    }
    return NULL;
}
