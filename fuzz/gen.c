/* SPDX-License-Identifier: Apache-2.0 */
/* Modules: index spaces, imports, segments, and their sections. */
#include "gen.h"

#include "gen_state.h"
#include "host.h"

#include <stdio.h>

/* ---- imports */

static void put_name(struct bytes *b, const char *s)
{
    bytes_u64(b, strlen(s));
    bytes_put(b, s, strlen(s));
}

static void begin_import(struct gen *g, const char *module, const char *name, u8 kind)
{
    put_name(&g->imports, module);
    put_name(&g->imports, name);
    bytes_u8(&g->imports, kind);
    g->import_count++;
}

/** spec binary-limits */
static void put_limits(struct bytes *b, const struct gen_limits *l)
{
    bytes_u8(b, (u8)((l->has_max ? 1 : 0) | (l->is_shared ? 2 : 0) | (l->is_64 ? 4 : 0) |
                     (l->one_byte ? 8 : 0)));
    bytes_u64(b, l->min);
    if (l->has_max) bytes_u64(b, l->max);
    if (l->one_byte) bytes_u8(b, 0); /* log2 of the page size */
}

static u32 add_func(struct gen *g, u32 type, bool is_leaf)
{
    g->m->funcs[g->m->func_count] = (struct gen_func){.type = type, .is_leaf = is_leaf};
    return g->m->func_count++;
}

static struct gen_types letters(const char *s)
{
    struct gen_types t = {0};
    for (; *s && *s != ':'; s++)
        t.t[t.n++] = *s == 'r' ? VM_FUNCREF : *s == 'e' ? VM_EXTERNREF : gen_letter(*s);
    return t;
}

static bool may_import(const struct gen *g, u32 f)
{
    if (f == HOST_VECTORS) return gen_has(g, GEN_HOST_MORE) && gen_has(g, GEN_SIMD);
    if (f == HOST_THROW)
        return gen_has(g, GEN_HOST_MORE) && gen_has(g, GEN_EXCEPTIONS | GEN_LEGACY_EXCEPTIONS);
    return true;
}

static void import_host_funcs(struct gen *g)
{
    for (u32 i = 0; i < HOST_FUNC_COUNT; i++) {
        if (!may_import(g, i)) continue;
        if (!gen_percent(g, 40)) continue;
        struct gen_types params = letters(host_func_signature[i]);
        struct gen_types results = letters(strchr(host_func_signature[i], ':') + 1);
        u32 type = gen_type_index(g, &params, &results);
        begin_import(g, "host", host_func_name[i], 0);
        bytes_u64(&g->imports, type);
        add_func(g, type, false);
    }
}

static void import_table(struct gen *g, const char *module, const char *name, struct gen_table t)
{
    begin_import(g, module, name, 1);
    gen_put_valtype(&g->imports, t.elem);
    put_limits(&g->imports, &t.limits);
    memset(t.known, 0, sizeof t.known);
    g->m->tables[g->m->table_count++] = t;
}

static void import_memory(struct gen *g, const char *module, const char *name, struct gen_limits l)
{
    begin_import(g, module, name, 2);
    put_limits(&g->imports, &l);
    g->m->memories[g->m->memory_count++] = l;
}

static void import_global(struct gen *g, const char *module, const char *name, struct gen_global x)
{
    begin_import(g, module, name, 3);
    gen_put_valtype(&g->imports, x.type);
    bytes_u8(&g->imports, x.is_mutable);
    g->m->globals[g->m->global_count++] = x;
}

static void import_tag(struct gen *g, const char *module, const char *name, u32 type)
{
    begin_import(g, module, name, 4);
    bytes_u8(&g->imports, 0);
    bytes_u64(&g->imports, type);
    g->m->tags[g->m->tag_count++] = type;
}

static void import_host(struct gen *g)
{
    static const struct gen_types none = {0};
    import_host_funcs(g);
    if (may_import(g, HOST_THROW) && gen_percent(g, 50)) {
        struct gen_types params = letters(HOST_TAG_SIGNATURE);
        import_tag(g, "host", "tag", gen_type_index(g, &params, &none));
    }
    if (gen_percent(g, 20)) {
        struct gen_table t = {
            .elem = VM_FUNCREF,
            .limits = {.min = HOST_TABLE_MIN, .max = HOST_TABLE_MAX, .has_max = true}};
        import_table(g, "host", "table", t);
    }
    if (gen_percent(g, 20)) {
        struct gen_limits l = {.min = HOST_MEMORY_MIN, .max = HOST_MEMORY_MAX, .has_max = true};
        import_memory(g, "host", "memory", l);
    }
    for (u32 i = 0; i < HOST_GLOBALS; i++) {
        char name[16];
        if (!gen_percent(g, 30)) continue;
        (void)snprintf(name, sizeof name, "g%u", i);
        struct gen_global x = {.type = letters(&host_globals[i].type).t[0],
                               .is_mutable = host_globals[i].is_mutable};
        if (host_globals[i].type == 'e') x.type = VM_EXTERNREF;
        import_global(g, "host", name, x);
    }
}

/** A type that means the same in every module. */
static bool is_closed(const struct gen_types *t)
{
    for (u32 i = 0; i < t->n; i++)
        if (vm_valtype_is_indexed(t->t[i])) return false;
    return true;
}

static void import_lib_funcs(struct gen *g)
{
    const struct gen_module *lib = g->lib;
    char name[16];
    for (u32 i = 0; i < lib->func_count && g->m->func_count < GEN_FUNCS / 2; i++) {
        const struct gen_type *t = &lib->types[lib->funcs[i].type];
        if (!gen_percent(g, 50) || !is_closed(&t->params) || !is_closed(&t->results)) continue;
        u32 type = gen_type_index(g, &t->params, &t->results);
        (void)snprintf(name, sizeof name, "f%u", i);
        begin_import(g, "a", name, 0);
        bytes_u64(&g->imports, type);
        add_func(g, type, false);
    }
}

static void import_lib_tags(struct gen *g)
{
    const struct gen_module *lib = g->lib;
    char name[16];
    for (u32 i = 0; i < lib->tag_count && g->m->tag_count < GEN_TAGS / 2; i++) {
        const struct gen_types *t = &lib->types[lib->tags[i]].params;
        static const struct gen_types none = {0};
        if (!gen_percent(g, 70) || !is_closed(t)) continue;
        u32 type = gen_type_index(g, t, &none);
        (void)snprintf(name, sizeof name, "x%u", i);
        import_tag(g, "a", name, type);
    }
}

/** Exports of the first module, under its index spaces' names. */
static void import_lib(struct gen *g)
{
    const struct gen_module *lib = g->lib;
    char name[16];
    import_lib_funcs(g);
    import_lib_tags(g);
    for (u32 i = 0; i < lib->table_count && g->m->table_count < GEN_TABLES - 2; i++) {
        (void)snprintf(name, sizeof name, "t%u", i);
        if (gen_percent(g, 50) && !vm_valtype_is_indexed(lib->tables[i].elem))
            import_table(g, "a", name, lib->tables[i]);
    }
    u32 room = gen_has(g, GEN_MULTI_MEMORY) ? GEN_MEMORIES - 2 : 1;
    for (u32 i = 0; i < lib->memory_count && g->m->memory_count < room; i++) {
        (void)snprintf(name, sizeof name, "m%u", i);
        if (gen_percent(g, 50)) import_memory(g, "a", name, lib->memories[i]);
    }
    for (u32 i = 0; i < lib->global_count && g->m->global_count < GEN_GLOBALS / 2; i++) {
        (void)snprintf(name, sizeof name, "g%u", i);
        if (!gen_percent(g, 30) || vm_valtype_is_indexed(lib->globals[i].type)) continue;
        if (!lib->globals[i].is_fuel) import_global(g, "a", name, lib->globals[i]);
    }
}

/* ---- index spaces */

static struct gen_types signature_part(struct gen *g)
{
    struct gen_types t = {.n = gen_below(g, 4)};
    if (gen_percent(g, 12)) t.n = gen_below(g, 9);
    if (gen_percent(g, 2)) t.n = GEN_ARITY;
    for (u32 i = 0; i < t.n; i++) t.t[i] = gen_any_type(g);
    return t;
}

static void make_funcs(struct gen *g)
{
    u32 n = gen_range(g, 1, 6);
    if (gen_percent(g, 3)) n = 16;
    for (u32 i = 0; i < n; i++) {
        u32 type =
            i && gen_percent(g, 30) ? g->m->funcs[gen_below(g, g->m->func_count)].type : GEN_NONE;
        if (type == GEN_NONE) {
            struct gen_types params = signature_part(g), results = signature_part(g);
            type = gen_type_index(g, &params, &results);
        }
        add_func(g, type, gen_percent(g, 30));
    }
}

static struct gen_limits table_limits(struct gen *g)
{
    struct gen_limits l = {.min = gen_range(g, 1, 12)};
    l.has_max = gen_percent(g, 60);
    l.max = l.min + gen_below(g, 10);
    l.is_64 = gen_has(g, GEN_TABLE64) && gen_percent(g, 15);
    return l;
}

static void make_tables(struct gen *g)
{
    for (u32 n = gen_below(g, 3); n; n--) {
        struct gen_table t = {.elem = gen_percent(g, 60) ? VM_FUNCREF : VM_EXTERNREF,
                              .limits = table_limits(g)};
        if (gen_has(g, GEN_FUNC_REFS) && gen_percent(g, 25))
            t.elem = VM_REFTYPE(true, g->m->funcs[gen_below(g, g->m->func_count)].type);
        if (gen_has(g, GEN_EXCEPTIONS) && gen_percent(g, 30)) t.elem = VM_EXNREF;
        g->m->tables[g->m->table_count++] = t;
    }
}

static void make_memories(struct gen *g)
{
    u32 room = gen_has(g, GEN_MULTI_MEMORY) ? 4 : 1, have = g->m->memory_count;
    u32 want = gen_percent(g, 25) ? gen_below(g, 4) : 1;
    for (; want && have < room; want--, have++) {
        struct gen_limits l = {.min = gen_percent(g, 6) ? 0 : gen_range(g, 1, 2)};
        if (gen_percent(g, 2)) l.min = 20;
        l.has_max = !gen_percent(g, 25);
        l.max = l.min + gen_below(g, 4);
        l.is_64 = gen_has(g, GEN_MEMORY64) && gen_percent(g, 18);
        if (gen_has(g, GEN_CUSTOM_PAGES) && gen_percent(g, 50)) {
            l.one_byte = l.has_max = true;
            l.min = gen_below(g, gen_percent(g, 50) ? 300 : 65536) * (gen_percent(g, 10) ? 3 : 1);
            l.max = l.min + gen_below(g, 20000);
        }
        l.is_shared = gen_has(g, GEN_THREADS) && gen_percent(g, 60);
        l.has_max |= l.is_shared;
        g->m->memories[g->m->memory_count++] = l;
    }
}

static void make_tags(struct gen *g)
{
    static const struct gen_types none = {0};
    if (!gen_has(g, GEN_EXCEPTIONS | GEN_LEGACY_EXCEPTIONS)) return;
    for (u32 n = gen_range(g, 1, 3); n; n--) {
        struct gen_types params = signature_part(g);
        u32 type = gen_type_index(g, &params, &none);
        if (type != GEN_NONE) g->m->tags[g->m->tag_count++] = type;
    }
}

static void put_tags(const struct gen_module *m, struct bytes *out)
{
    bytes_u64(out, m->tag_count - m->tag_imports);
    for (u32 i = m->tag_imports; i < m->tag_count; i++) {
        bytes_u8(out, 0);
        bytes_u64(out, m->tags[i]);
    }
}

static void put_globals(struct gen *g, struct bytes *out)
{
    u32 n = gen_below(g, 8);
    bytes_u64(out, n + 1u);
    gen_put_valtype(out, VM_I32);
    bytes_put(out, "\1\x41\x1e\x0b", 4); /* "fuel", for the start function */
    g->m->fuel = g->m->global_count;
    g->m->globals[g->m->global_count++] =
        (struct gen_global){.type = VM_I32, .is_mutable = true, .is_fuel = true};
    for (u32 i = 0; i < n; i++) {
        struct gen_global x = {.type = gen_defaultable(g), .is_mutable = gen_percent(g, 70)};
        gen_put_valtype(out, x.type);
        bytes_u8(out, x.is_mutable);
        gen_constexpr(g, out, x.type, g->m->global_count);
        bytes_u8(out, 0x0b);
        g->m->globals[g->m->global_count++] = x;
    }
}

static void put_tables(struct gen *g, struct bytes *out)
{
    const struct gen_module *m = g->m;
    bytes_u64(out, m->table_count - m->table_imports);
    for (u32 i = m->table_imports; i < m->table_count; i++) {
        bool init = gen_has(g, GEN_FUNC_REFS) && gen_percent(g, 20);
        if (init) bytes_put(out, "\x40\0", 2);
        gen_put_valtype(out, m->tables[i].elem);
        put_limits(out, &m->tables[i].limits);
        if (!init) continue;
        /* imported globals only: the table section stands before the globals */
        gen_constexpr(g, out, m->tables[i].elem, m->global_imports);
        bytes_u8(out, 0x0b);
    }
}

static void put_memories(struct gen *g, struct bytes *out)
{
    const struct gen_module *m = g->m;
    bytes_u64(out, m->memory_count - m->memory_imports);
    for (u32 i = m->memory_imports; i < m->memory_count; i++) put_limits(out, &m->memories[i]);
}

/* ---- segments */

/** Where an active segment goes; `at` is UINT32_MAX when that is not known here. */
static void put_offset(struct gen *g, struct bytes *out, bool is_64, u32 bound, u32 *at)
{
    *at = gen_below(g, bound + 1);
    if (gen_percent(g, 2)) { /* mostly out of bounds, now and then a global */
        gen_constexpr(g, out, is_64 ? VM_I64 : VM_I32, g->m->global_count);
        *at = UINT32_MAX;
    } else {
        bytes_u8(out, is_64 ? 0x42 : 0x41);
        bytes_s64(out, *at);
    }
    bytes_u8(out, 0x0b);
}

/** spec binary-elemsec: items as function indices (flag 4 clear) or as expressions. */
static void elem_items(struct gen *g, struct bytes *out, struct gen_segment *e, bool exprs,
                       u32 *known)
{
    const struct gen_module *m = g->m;
    bytes_u64(out, e->count);
    for (u32 i = 0; i < e->count; i++) {
        u32 func = gen_below(g, m->func_count);
        if (exprs && (e->type != VM_FUNCREF || gen_percent(g, 20))) {
            gen_constexpr(g, out, e->type, m->global_count);
            bytes_u8(out, 0x0b);
            continue;
        }
        if (exprs) bytes_u8(out, 0xd2);
        bytes_u64(out, func);
        if (exprs) bytes_u8(out, 0x0b);
        if (known && i < GEN_KNOWN) known[i] = func + 1;
    }
}

static void put_elem(struct gen *g, struct bytes *out)
{
    struct gen_module *m = g->m;
    struct gen_segment e = {.type = VM_FUNCREF, .mode = (u8)gen_below(g, 3)};
    u32 table = m->table_count ? gen_below(g, m->table_count) : 0, at = 0, known[GEN_KNOWN] = {0};
    if (e.mode == 0 && m->table_count == 0) e.mode = 1;
    if (e.mode == 0)
        e.type = m->tables[table].elem;
    else if (gen_percent(g, 40))
        e.type = gen_percent(g, 50) ? VM_EXTERNREF : VM_FUNCREF;
    bool exprs = e.type != VM_FUNCREF || gen_percent(g, 40);
    bool plain = e.mode == 0 && table == 0 && e.type == VM_FUNCREF && gen_percent(g, 70);
    bytes_u8(out, (u8)((e.mode == 1 ? 1 : e.mode == 2 ? 3 : plain ? 0 : 2) | (exprs ? 4 : 0)));
    u32 limit = e.mode == 0 ? (u32)m->tables[table].limits.min : 12;
    e.count = gen_below(g, limit + 1);
    if (e.mode == 0) {
        if (!plain) bytes_u64(out, table);
        put_offset(g, out, m->tables[table].limits.is_64, limit - e.count, &at);
    }
    if (!plain) {
        if (exprs)
            gen_put_valtype(out, e.type);
        else
            bytes_u8(out, 0);
    }
    elem_items(g, out, &e, exprs, known);
    for (u32 i = 0; e.mode == 0 && i < e.count && at < GEN_KNOWN && i + at < GEN_KNOWN; i++)
        m->tables[table].known[at + i] = known[i];
    m->elems[m->elem_count++] = e;
}

static void put_data(struct gen *g, struct bytes *out)
{
    struct gen_module *m = g->m;
    struct gen_segment d = {.mode = (u8)(m->memory_count ? gen_below(g, 2) : 1)};
    u32 memory = m->memory_count ? gen_below(g, m->memory_count) : 0, at;
    d.count = gen_below(g, gen_percent(g, 10) ? 300 : 20);
    if (d.mode == 1) {
        bytes_u8(out, 1);
    } else {
        u64 size = gen_bytes(&m->memories[memory]);
        if (d.count > size) d.count = (u32)size;
        bytes_u8(out, memory ? 2 : 0);
        if (memory) bytes_u64(out, memory);
        put_offset(g, out, m->memories[memory].is_64,
                   size > 4300      ? 4000
                   : size > d.count ? (u32)size - d.count
                                    : 0,
                   &at);
    }
    bytes_u64(out, d.count);
    for (u32 i = 0; i < d.count; i++) bytes_u8(out, (u8)gen_below(g, 256));
    m->datas[m->data_count++] = d;
}

/* ---- sections */

static void section(struct bytes *out, u8 id, struct bytes *content)
{
    bytes_u8(out, id);
    bytes_u64(out, content->size);
    bytes_append(out, content);
    content->size = 0;
}

static void put_types_section(const struct gen_module *m, struct bytes *s)
{
    bytes_u64(s, m->type_count);
    for (u32 i = 0; i < m->type_count; i++) {
        bytes_u8(s, 0x60);
        gen_put_types(s, &m->types[i].params);
        gen_put_types(s, &m->types[i].results);
    }
}

static void put_export(struct bytes *s, char letter, u8 kind, u32 index)
{
    char name[16];
    (void)snprintf(name, sizeof name, "%c%u", letter, index);
    put_name(s, name);
    bytes_u8(s, kind);
    bytes_u64(s, index);
}

static void put_exports(const struct gen_module *m, struct bytes *s)
{
    bytes_u64(s, m->func_count + m->table_count + m->memory_count + m->global_count + m->tag_count +
                     1u);
    for (u32 i = 0; i < m->func_count; i++) put_export(s, 'f', 0, i);
    for (u32 i = 0; i < m->table_count; i++) put_export(s, 't', 1, i);
    for (u32 i = 0; i < m->memory_count; i++) put_export(s, 'm', 2, i);
    for (u32 i = 0; i < m->global_count; i++) put_export(s, 'g', 3, i);
    for (u32 i = 0; i < m->tag_count; i++) put_export(s, 'x', 4, i);
    put_name(s, "fuel");
    bytes_u8(s, 3);
    bytes_u64(s, m->fuel);
}

static void put_code(struct gen *g, struct bytes *s)
{
    const struct gen_module *m = g->m;
    struct bytes body = {0};
    bytes_u64(s, m->func_count - m->func_imports);
    for (u32 i = m->func_imports; i < m->func_count; i++) {
        body.size = 0;
        gen_body(g, i, &body);
        bytes_u64(s, body.size);
        bytes_append(s, &body);
    }
    bytes_free(&body);
}

/** A start function: any defined one without parameters and results. */
static u32 start_func(struct gen *g)
{
    const struct gen_module *m = g->m;
    for (u32 i = m->func_imports; i < m->func_count; i++) {
        const struct gen_type *t = &m->types[m->funcs[i].type];
        if (t->params.n == 0 && t->results.n == 0 && gen_percent(g, 50)) return i;
    }
    return GEN_NONE;
}

/** Sections that the bodies refer to, in the order they are made. */
enum part { TABLES, MEMORIES, TAGS, GLOBALS, ELEMS, DATAS, CODE, PARTS };

static void make_parts(struct gen *g, struct bytes part[PARTS])
{
    struct bytes items = {0};
    make_funcs(g);
    make_tables(g);
    make_memories(g);
    put_tables(g, &part[TABLES]);
    put_memories(g, &part[MEMORIES]);
    make_tags(g);
    put_tags(g->m, &part[TAGS]);
    put_globals(g, &part[GLOBALS]);
    for (u32 n = gen_below(g, 4); n; n--) put_elem(g, &items);
    bytes_u64(&part[ELEMS], g->m->elem_count);
    bytes_append(&part[ELEMS], &items);
    items.size = 0;
    for (u32 n = gen_below(g, 4); n; n--) put_data(g, &items);
    bytes_u64(&part[DATAS], g->m->data_count);
    bytes_append(&part[DATAS], &items);
    bytes_free(&items);
    put_code(g, &part[CODE]);
}

static void assemble(struct gen *g, struct bytes part[PARTS], struct bytes *out)
{
    const struct gen_module *m = g->m;
    struct bytes s = {0};
    u32 start = start_func(g);
    bytes_put(out, "\0asm\1\0\0\0", 8);
    put_types_section(m, &s);
    section(out, 1, &s);
    bytes_u64(&s, g->import_count);
    bytes_append(&s, &g->imports);
    section(out, 2, &s);
    bytes_u64(&s, m->func_count - m->func_imports);
    for (u32 i = m->func_imports; i < m->func_count; i++) bytes_u64(&s, m->funcs[i].type);
    section(out, 3, &s);
    section(out, 4, &part[TABLES]);
    section(out, 5, &part[MEMORIES]);
    if (m->tag_count) section(out, 13, &part[TAGS]);
    section(out, 6, &part[GLOBALS]);
    put_exports(m, &s);
    section(out, 7, &s);
    if (start != GEN_NONE) {
        bytes_u64(&s, start);
        section(out, 8, &s);
    }
    section(out, 9, &part[ELEMS]);
    bytes_u64(&s, m->data_count);
    section(out, 12, &s);
    section(out, 10, &part[CODE]);
    section(out, 11, &part[DATAS]);
    bytes_free(&s);
}

static void make_module(struct choice *choice, u32 features, const struct gen_module *lib,
                        struct gen_module *m, struct bytes *out)
{
    struct gen *g = calloc(1, sizeof *g);
    struct bytes part[PARTS] = {{0}};
    if (!g) abort();
    g->c = choice;
    g->features = features;
    g->m = m;
    g->lib = lib;
    import_host(g);
    if (lib) import_lib(g);
    m->func_imports = m->func_count;
    m->table_imports = m->table_count;
    m->memory_imports = m->memory_count;
    m->global_imports = m->global_count;
    m->tag_imports = m->tag_count;
    make_parts(g, part);
    assemble(g, part, out);
    for (u32 i = 0; i < PARTS; i++) bytes_free(&part[i]);
    bytes_free(&g->imports);
    bytes_free(&g->code);
    free(g);
}

/** The features of a case: of the drawn ones none, or about half of them. */
static u32 draw_features(struct choice *choice, u32 asked)
{
    u32 open = asked & GEN_DRAWN, chosen = 0, eh = GEN_EXCEPTIONS | GEN_LEGACY_EXCEPTIONS;
    if (!(asked & GEN_EVERYWHERE)) open &= gen_executable();
    if (asked & GEN_ALWAYS)
        chosen = open;
    else if ((open & (GEN_DRAWN - GEN_MIXED_EXCEPTIONS)) && choice_percent(choice, 65))
        for (u32 f = GEN_SIMD; f <= GEN_CUSTOM_PAGES; f *= 2)
            if (open & f && choice_percent(choice, f == GEN_SIMD ? 60 : 40)) chosen |= f;
    if ((chosen & eh) == eh && !(chosen & GEN_MIXED_EXCEPTIONS))
        chosen &= ~(u32)(choice_percent(choice, 50) ? GEN_EXCEPTIONS : GEN_LEGACY_EXCEPTIONS);
    if ((chosen & eh) != eh) chosen &= ~(u32)GEN_MIXED_EXCEPTIONS;
    if (!(chosen & GEN_SIMD)) chosen &= ~(u32)GEN_RELAXED_SIMD;
    return (asked & ~(u32)GEN_DRAWN) | chosen;
}

void gen_case_new(struct choice *choice, u32 features, struct gen_case *out)
{
    struct gen_module *m = calloc(GEN_MODULES, sizeof *m);
    if (!m) abort();
    features = draw_features(choice, features);
    *out = (struct gen_case){.count = choice_percent(choice, 40) ? 2 : 1};
    for (u32 i = 0; i < out->count; i++)
        make_module(choice, features, i ? &m[0] : NULL, &m[i], &out->module[i]);
    free(m);
}

void gen_case_free(struct gen_case *c)
{
    for (u32 i = 0; i < c->count; i++) bytes_free(&c->module[i]);
}
