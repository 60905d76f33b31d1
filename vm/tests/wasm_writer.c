/* SPDX-License-Identifier: Apache-2.0 */
/* The module writer of wasm_writer.h. */
#include "tests/wasm_writer.h"

#include <stdlib.h>
#include <string.h>

void wasm_put(struct wasm_bytes *b, const void *data, usize size)
{
    if (size == 0) return;
    if (b->size + size > b->cap) {
        b->cap = (b->size + size) * 2;
        b->data = realloc(b->data, b->cap);
        if (!b->data) abort();
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

void wasm_put_u8(struct wasm_bytes *b, u32 value)
{
    u8 byte = (u8)value;
    wasm_put(b, &byte, 1);
}

void wasm_put_u32(struct wasm_bytes *b, u32 value)
{
    for (; value >= 0x80; value >>= 7) wasm_put_u8(b, value | 0x80);
    wasm_put_u8(b, value);
}

void wasm_put_name(struct wasm_bytes *b, const char *name)
{
    wasm_put_u32(b, (u32)strlen(name));
    wasm_put(b, name, strlen(name));
}

static u32 type_byte(char letter)
{
    switch (letter) {
    case 'i': return 0x7f;
    case 'I': return 0x7e;
    case 'f': return 0x7d;
    case 'F': return 0x7c;
    case 'V': return 0x7b;
    case 'r': return 0x70;
    case 'e': return 0x6f;
    case 'x': return 0x69;
    default: abort();
    }
}

static void put_types(struct wasm_bytes *b, const char *letters, usize n)
{
    wasm_put_u32(b, (u32)n);
    for (usize i = 0; i < n; i++) wasm_put_u8(b, type_byte(letters[i]));
}

/** Types are not shared: two calls with one signature give two equal types. */
u32 wasm_type(struct wasm *w, const char *signature)
{
    const char *colon = strchr(signature, ':');
    if (!colon) abort();
    struct wasm_bytes *b = &w->types.bytes;
    wasm_put_u8(b, 0x60);
    put_types(b, signature, (usize)(colon - signature));
    put_types(b, colon + 1, strlen(colon + 1));
    return w->types.count++;
}

static struct wasm_bytes *import(struct wasm *w, const char *module, const char *name, u32 kind)
{
    struct wasm_bytes *b = &w->imports.bytes;
    w->imports.count++;
    wasm_put_name(b, module);
    wasm_put_name(b, name);
    wasm_put_u8(b, kind);
    return b;
}

static void put_limits(struct wasm_bytes *b, u32 min, u32 max)
{
    wasm_put_u8(b, max != UINT32_MAX);
    wasm_put_u32(b, min);
    if (max != UINT32_MAX) wasm_put_u32(b, max);
}

u32 wasm_import_func(struct wasm *w, const char *module, const char *name, const char *signature)
{
    u32 type = wasm_type(w, signature);
    wasm_put_u32(import(w, module, name, 0), type);
    return w->func_count++;
}

u32 wasm_import_table(struct wasm *w, const char *module, const char *name, u32 min)
{
    struct wasm_bytes *b = import(w, module, name, 1);
    wasm_put_u8(b, 0x70);
    put_limits(b, min, UINT32_MAX);
    return w->table_count++;
}

u32 wasm_import_memory(struct wasm *w, const char *module, const char *name, u32 min)
{
    put_limits(import(w, module, name, 2), min, UINT32_MAX);
    return w->memory_count++;
}

static void put_shared_limits(struct wasm_bytes *b, u32 min, u32 max)
{
    wasm_put_u8(b, 3);
    wasm_put_u32(b, min);
    wasm_put_u32(b, max);
}

u32 wasm_import_shared_memory(struct wasm *w, const char *module, const char *name, u32 min,
                              u32 max)
{
    put_shared_limits(import(w, module, name, 2), min, max);
    return w->memory_count++;
}

u32 wasm_shared_memory(struct wasm *w, u32 min, u32 max, const char *name)
{
    put_shared_limits(&w->memories.bytes, min, max);
    w->memories.count++;
    wasm_export(w, name, 2, w->memory_count);
    return w->memory_count++;
}

u32 wasm_import_global(struct wasm *w, const char *module, const char *name, char letter,
                       bool is_mutable)
{
    struct wasm_bytes *b = import(w, module, name, 3);
    wasm_put_u8(b, type_byte(letter));
    wasm_put_u8(b, is_mutable);
    return w->global_count++;
}

void wasm_export(struct wasm *w, const char *name, u32 kind, u32 index)
{
    if (!name) return;
    struct wasm_bytes *b = &w->exports.bytes;
    w->exports.count++;
    wasm_put_name(b, name);
    wasm_put_u8(b, kind);
    wasm_put_u32(b, index);
}

static u32 add_func(struct wasm *w, const char *signature, const char *name,
                    struct wasm_bytes *locals, struct wasm_code code)
{
    wasm_put_u32(&w->funcs.bytes, wasm_type(w, signature));
    w->funcs.count++;
    wasm_put(locals, code.data, code.size);
    wasm_put_u8(locals, 0x0b);
    wasm_put_u32(&w->codes.bytes, (u32)locals->size);
    wasm_put(&w->codes.bytes, locals->data, locals->size);
    w->codes.count++;
    free(locals->data);
    wasm_export(w, name, 0, w->func_count);
    return w->func_count++;
}

u32 wasm_func(struct wasm *w, const char *signature, const char *name, const char *locals,
              struct wasm_code code)
{
    struct wasm_bytes body = {0};
    wasm_put_u32(&body, (u32)strlen(locals));
    for (const char *p = locals; *p; p++) {
        wasm_put_u8(&body, 1);
        wasm_put_u8(&body, type_byte(*p));
    }
    return add_func(w, signature, name, &body, code);
}

u32 wasm_func_locals(struct wasm *w, const char *signature, const char *name, u32 count,
                     char letter, struct wasm_code code)
{
    struct wasm_bytes body = {0};
    wasm_put_u8(&body, 1);
    wasm_put_u32(&body, count);
    wasm_put_u8(&body, type_byte(letter));
    return add_func(w, signature, name, &body, code);
}

u32 wasm_memory(struct wasm *w, u32 min, u32 max, const char *name)
{
    put_limits(&w->memories.bytes, min, max);
    w->memories.count++;
    wasm_export(w, name, 2, w->memory_count);
    return w->memory_count++;
}

u32 wasm_tag(struct wasm *w, const char *signature, const char *name)
{
    u32 type = wasm_type(w, signature);
    wasm_put_u8(&w->tags.bytes, 0);
    wasm_put_u32(&w->tags.bytes, type);
    w->tags.count++;
    wasm_export(w, name, 4, w->tag_count);
    return w->tag_count++;
}

u32 wasm_import_tag(struct wasm *w, const char *module, const char *name, const char *signature)
{
    u32 type = wasm_type(w, signature);
    struct wasm_bytes *b = import(w, module, name, 4);
    wasm_put_u8(b, 0);
    wasm_put_u32(b, type);
    return w->tag_count++;
}

u32 wasm_table(struct wasm *w, char letter, u32 min, u32 max, const char *name)
{
    wasm_put_u8(&w->tables.bytes, type_byte(letter));
    put_limits(&w->tables.bytes, min, max);
    w->tables.count++;
    wasm_export(w, name, 1, w->table_count);
    return w->table_count++;
}

u32 wasm_global(struct wasm *w, char letter, bool is_mutable, struct wasm_code init,
                const char *name)
{
    struct wasm_bytes *b = &w->globals.bytes;
    wasm_put_u8(b, type_byte(letter));
    wasm_put_u8(b, is_mutable);
    wasm_put(b, init.data, init.size);
    wasm_put_u8(b, 0x0b);
    w->globals.count++;
    wasm_export(w, name, 3, w->global_count);
    return w->global_count++;
}

static void put_offset(struct wasm_bytes *b, u32 index, u32 offset)
{
    const u8 code[] = {I32(offset), END};
    wasm_put_u8(b, 2);
    wasm_put_u32(b, index);
    wasm_put(b, code, sizeof code);
}

void wasm_elem(struct wasm *w, u32 table, u32 offset, const u32 *funcs, u32 count)
{
    struct wasm_bytes *b = &w->elems.bytes;
    w->elems.count++;
    put_offset(b, table, offset);
    wasm_put_u8(b, 0);
    wasm_put_u32(b, count);
    for (u32 i = 0; i < count; i++) wasm_put_u32(b, funcs[i]);
}

void wasm_declare(struct wasm *w, u32 func)
{
    struct wasm_bytes *b = &w->elems.bytes;
    w->elems.count++;
    wasm_put(b, "\3\0\1", 3);
    wasm_put_u32(b, func);
}

void wasm_data(struct wasm *w, u32 memory, u32 offset, const char *bytes, u32 size)
{
    struct wasm_bytes *b = &w->datas.bytes;
    w->datas.count++;
    put_offset(b, memory, offset);
    wasm_put_u32(b, size);
    wasm_put(b, bytes, size);
}

void wasm_data_passive(struct wasm *w, const char *bytes, u32 size)
{
    struct wasm_bytes *b = &w->datas.bytes;
    w->datas.count++;
    w->has_passive = true;
    wasm_put_u8(b, 1);
    wasm_put_u32(b, size);
    wasm_put(b, bytes, size);
}

void wasm_start(struct wasm *w, u32 func) { w->start = func + 1; }

void wasm_name(struct wasm *w, u32 func, const char *name)
{
    wasm_put_u32(&w->names.bytes, func);
    wasm_put_name(&w->names.bytes, name);
    w->names.count++;
}

static void put_section(struct wasm_bytes *b, u8 id, struct wasm_section *s)
{
    if (s->count) {
        struct wasm_bytes head = {0};
        wasm_put_u32(&head, s->count);
        wasm_put_u8(b, id);
        wasm_put_u32(b, (u32)(head.size + s->bytes.size));
        wasm_put(b, head.data, head.size);
        wasm_put(b, s->bytes.data, s->bytes.size);
        free(head.data);
    }
    free(s->bytes.data);
}

/** Section of one number: start, data count. */
static void put_number(struct wasm_bytes *b, u8 id, u32 number)
{
    struct wasm_bytes body = {0};
    wasm_put_u32(&body, number);
    wasm_put_u8(b, id);
    wasm_put_u32(b, (u32)body.size);
    wasm_put(b, body.data, body.size);
    free(body.data);
}

/** Custom section "name" with the function names alone. */
static void put_names(struct wasm_bytes *b, struct wasm_section *s)
{
    struct wasm_bytes map = {0}, whole = {0};
    wasm_put_u32(&map, s->count);
    wasm_put(&map, s->bytes.data, s->bytes.size);
    wasm_put_name(&whole, "name");
    wasm_put_u8(&whole, 1);
    wasm_put_u32(&whole, (u32)map.size);
    wasm_put(&whole, map.data, map.size);
    wasm_put_u8(b, 0);
    wasm_put_u32(b, (u32)whole.size);
    wasm_put(b, whole.data, whole.size);
    free(map.data);
    free(whole.data);
    free(s->bytes.data);
}

struct wasm_bytes wasm_finish(struct wasm *w)
{
    struct wasm_bytes b = {0};
    wasm_put(&b, "\0asm\1\0\0\0", 8);
    put_section(&b, 1, &w->types);
    put_section(&b, 2, &w->imports);
    put_section(&b, 3, &w->funcs);
    put_section(&b, 4, &w->tables);
    put_section(&b, 5, &w->memories);
    put_section(&b, 13, &w->tags);
    put_section(&b, 6, &w->globals);
    put_section(&b, 7, &w->exports);
    if (w->start) put_number(&b, 8, w->start - 1);
    put_section(&b, 9, &w->elems);
    if (w->has_passive) put_number(&b, 12, w->datas.count);
    put_section(&b, 10, &w->codes);
    put_section(&b, 11, &w->datas);
    if (w->names.count) put_names(&b, &w->names);
    *w = (struct wasm){0};
    return b;
}
