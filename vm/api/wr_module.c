/* SPDX-License-Identifier: Apache-2.0 */
/* Engines and modules: creation, loading from files, introspection. */
#include "api/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- engine */

wr_engine_t *wr_engine_new(const wr_allocator_t *allocator)
{
    struct vm_alloc alloc = vm_alloc_libc;
    if (allocator) alloc = (struct vm_alloc){.realloc = allocator->realloc, .ctx = allocator->ctx};
    struct wr_engine *e = vm_alloc_zero(&alloc, sizeof *e);
    if (!e) return NULL;
    e->alloc = alloc;
    e->features = vm_features_default();
    e->types = vm_types_new(&e->alloc);
    vm_epochs_init(&e->epochs);
    if (e->types) return e;
    vm_epochs_free(&e->epochs);
    vm_alloc_free(&alloc, e, sizeof *e);
    return NULL;
}

void wr_engine_delete(wr_engine_t *engine)
{
    if (!engine) return;
    struct vm_alloc alloc = engine->alloc;
    vm_types_delete(engine->types);
    vm_epochs_free(&engine->epochs);
    vm_alloc_free(&alloc, engine, sizeof *engine);
}

void wr_engine_tick(wr_engine_t *engine) { vm_epochs_tick(&engine->epochs); }

void wr_engine_set_load_threads(wr_engine_t *engine, unsigned threads)
{
    engine->load_threads = threads;
}

/* ---- features */

const char *wr_feature_name(size_t i)
{
    return i < VM_FEATURE_COUNT ? vm_feature_name((vm_feature)i) : NULL;
}

const char *wr_feature_since(size_t i)
{
    return i < VM_FEATURE_COUNT ? vm_feature_since((vm_feature)i) : "";
}

wr_features_t wr_features_default(void) { return vm_features_default(); }

wr_status_t wr_features_parse(const char *list, wr_features_t *set, wr_error_t *err)
{
    struct vm_feature_word bad;
    if (vm_features_parse(list, set, &bad)) {
        api_error_clear(err);
        return WR_OK;
    }
    char words[WR_ERROR_TEXT];
    (void)vm_features_print_words(words, sizeof words);
    int shown = bad.size < 40 ? (int)bad.size : 40;
    return api_error_text(err, WR_ARGUMENT, "no feature '%.*s'; there are %s", shown, bad.text,
                          words);
}

void wr_engine_set_features(wr_engine_t *engine, wr_features_t set)
{
    engine->features = (set & vm_features_all()) | VM_FEATURE_BIT(MVP);
}

/* ---- loading */

/** Takes over `bytes` in any case. */
static wr_status_t module_from(wr_engine_t *engine, void *bytes, usize size, const char *name,
                               wr_module_t **out, wr_error_t *err)
{
    struct vm_err e;
    vm_err_init(&e);
    struct wr_module *m = vm_alloc_zero(&engine->alloc, sizeof *m);
    vm_status s = VM_OOM;
    if (m) {
        struct vm_load from = {.alloc = &engine->alloc,
                               .types = engine->types,
                               .features = engine->features,
                               .threads = engine->load_threads,
                               .bytes = bytes,
                               .size = size,
                               .name = name ? name : "module"};
        s = vm_program_new(&from, &m->program, &e);
    } else {
        (void)vm_err_set(&e, VM_ERR_OOM, VM_NO_OFFSET, NULL);
    }
    if (s != VM_OK) {
        vm_alloc_free(&engine->alloc, bytes, size);
        vm_alloc_free(&engine->alloc, m, sizeof *m);
        return api_error(err, &e, name);
    }
    m->engine = engine;
    m->program->handle = m;
    api_error_clear(err);
    *out = m;
    return WR_OK;
}

wr_status_t wr_module_new(wr_engine_t *engine, const void *bytes, size_t size, wr_module_t **out,
                          wr_error_t *err)
{
    if (size > VM_MAX_MODULE_BYTES)
        return api_error_text(err, WR_LIMIT, "a module of more than %d bytes", VM_MAX_MODULE_BYTES);
    if (size == 0) return api_error_text(err, WR_MALFORMED, "unexpected end: the module is empty");
    void *copy = vm_alloc_resize(&engine->alloc, NULL, 0, size);
    if (!copy) return api_error_text(err, WR_OOM, "out of memory");
    memcpy(copy, bytes, size);
    return module_from(engine, copy, size, NULL, out, err);
}

/** True when bytes that begin so may be a module; what can't is not read to its end. */
static bool may_be_module(const u8 *bytes, usize size)
{
    return size < 4 || memcmp(bytes, "\0asm", 4) == 0;
}

/** A private buffer that grows; `data` has `cap` bytes of which `len` are read. */
struct buffer {
    u8 *data;
    usize len, cap;
};

/** Reads to the end of file, or as far as it takes to see that it is no module. */
static vm_status read_into(const struct vm_alloc *a, int fd, struct buffer *b)
{
    for (;;) {
        ssize_t n = read(fd, b->data + b->len, b->cap - b->len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return VM_IO;
        b->len += (usize)n;
        if (n == 0 || !may_be_module(b->data, b->len)) return VM_OK;
        if (b->len > VM_MAX_MODULE_BYTES) return VM_LIMIT;
        if (b->len < b->cap) continue;
        u8 *grown = vm_alloc_resize(a, b->data, b->cap, b->cap * 2);
        if (!grown) return VM_OOM;
        b->data = grown;
        b->cap *= 2;
    }
}

/** `hint` is the size to expect. The result has exactly *size bytes; NULL when there are none. */
static vm_status read_all(const struct vm_alloc *a, int fd, usize hint, void **out, usize *size)
{
    struct buffer b = {.cap = hint + 1 > 65536 ? hint + 1 : 65536};
    b.data = vm_alloc_resize(a, NULL, 0, b.cap);
    if (!b.data) return VM_OOM;
    vm_status s = read_into(a, fd, &b);
    int error = errno;
    u8 *exact = s == VM_OK && b.len ? vm_alloc_resize(a, b.data, b.cap, b.len) : NULL;
    if (!exact) vm_alloc_free(a, b.data, b.cap);
    errno = error;
    *out = exact;
    *size = b.len;
    return s == VM_OK && b.len && !exact ? VM_OOM : s;
}

wr_status_t wr_module_load_fd(wr_engine_t *engine, int fd, const char *name, wr_module_t **out,
                              wr_error_t *err)
{
    struct stat st;
    usize hint = 0, size = 0;
    void *bytes = NULL;
    if (!name) name = "module";
    bool known = fstat(fd, &st) == 0;
    if (known && S_ISDIR(st.st_mode)) return api_error_text(err, WR_IO, "%s: is a directory", name);
    bool regular = known && S_ISREG(st.st_mode) && st.st_size > 0;
    bool too_large = regular && st.st_size > VM_MAX_MODULE_BYTES;
    if (regular && !too_large) hint = (usize)st.st_size;
    vm_status s = too_large ? VM_LIMIT : read_all(&engine->alloc, fd, hint, &bytes, &size);
    if (s == VM_OK && size == 0)
        return api_error_text(err, WR_MALFORMED, "%s: unexpected end: the file is empty", name);
    if (s == VM_OK) return module_from(engine, bytes, size, name, out, err);
    const char *why = s == VM_IO      ? strerror(errno)
                      : s == VM_LIMIT ? "larger than 1 GiB"
                                      : "out of memory";
    return api_error_text(err, api_status(s), "%s: %s", name, why);
}

wr_status_t wr_module_load(wr_engine_t *engine, const char *path, wr_module_t **out,
                           wr_error_t *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        wr_status_t s = errno == ENOENT || errno == ENOTDIR ? WR_NOT_FOUND : WR_IO;
        return api_error_text(err, s, "%s: %s", path, strerror(errno));
    }
    wr_status_t s = wr_module_load_fd(engine, fd, path, out, err);
    (void)close(fd);
    return s;
}

void wr_module_delete(wr_module_t *module)
{
    if (!module) return;
    vm_program_delete(module->program);
    vm_alloc_free(&module->engine->alloc, module, sizeof *module);
}

/* ---- introspection */

static wr_name_t api_name(struct vm_name n)
{
    return (wr_name_t){.data = (const char *)n.data, .size = n.size};
}

const char *wr_module_name(const wr_module_t *module) { return module->program->name; }

size_t wr_module_import_count(const wr_module_t *module)
{
    return module->program->module.import_count;
}

size_t wr_module_export_count(const wr_module_t *module)
{
    return module->program->module.export_count;
}

bool wr_module_import(const wr_module_t *module, size_t i, wr_importtype_t *out)
{
    const struct vm_module *m = &module->program->module;
    if (i >= m->import_count) return false;
    *out = (wr_importtype_t){.module = api_name(m->imports[i].module),
                             .name = api_name(m->imports[i].name),
                             .kind = (wr_extern_kind_t)m->imports[i].kind};
    return true;
}

bool wr_module_export(const wr_module_t *module, size_t i, wr_exporttype_t *out)
{
    const struct vm_module *m = &module->program->module;
    if (i >= m->export_count) return false;
    *out = (wr_exporttype_t){.name = api_name(m->exports[i].name),
                             .kind = (wr_extern_kind_t)m->exports[i].kind,
                             .index = m->exports[i].index};
    return true;
}

/** " i64 1 2" and so on. */
static usize print_limits(const struct vm_limits *l, char *buf, usize cap)
{
    int n = snprintf(buf, cap, "%s%llu", l->is_64 ? "i64 " : "", (unsigned long long)l->min);
    if (!l->has_max) return (usize)n;
    bool fits = (usize)n < cap;
    return (usize)n + (usize)snprintf(fits ? buf + n : NULL, fits ? cap - (usize)n : 0, " %llu%s",
                                      (unsigned long long)l->max, l->is_shared ? " shared" : "");
}

static size_t extern_type(const struct vm_module *m, u8 kind, u32 index, char *buf, size_t cap)
{
    char part[256];
    switch (kind) {
    case VM_EXTERN_FUNC: return vm_functype_print(vm_module_functype(m, index), buf, cap);
    case VM_EXTERN_TABLE: {
        char limits[96];
        (void)print_limits(&m->tables[index].type.limits, limits, sizeof limits);
        (void)vm_valtype_print(m->tables[index].type.elem, part, sizeof part);
        return (size_t)snprintf(buf, cap, "(table %s %s)", limits, part);
    }
    case VM_EXTERN_MEMORY:
        (void)print_limits(&m->memories[index], part, sizeof part);
        return (size_t)snprintf(buf, cap, "(memory %s%s)", part,
                                m->memories[index].page_log2 == 0 ? " (pagesize 1)" : "");
    case VM_EXTERN_GLOBAL:
        (void)vm_valtype_print(m->globals[index].type.type, part, sizeof part);
        return (size_t)snprintf(
            buf, cap, m->globals[index].type.is_mutable ? "(global (mut %s))" : "(global %s)",
            part);
    default:
        (void)vm_functype_print(&m->types.types[m->tags[index]].of.func, part, sizeof part);
        return (size_t)snprintf(buf, cap, "(tag %s)", part);
    }
}

size_t wr_module_import_type(const wr_module_t *module, size_t i, char *buf, size_t cap)
{
    const struct vm_module *m = &module->program->module;
    if (i >= m->import_count) return (size_t)snprintf(buf, cap, "%s", "");
    return extern_type(m, m->imports[i].kind, m->imports[i].index, buf, cap);
}

size_t wr_module_export_type(const wr_module_t *module, size_t i, char *buf, size_t cap)
{
    const struct vm_module *m = &module->program->module;
    if (i >= m->export_count) return (size_t)snprintf(buf, cap, "%s", "");
    return extern_type(m, m->exports[i].kind, m->exports[i].index, buf, cap);
}

size_t wr_module_item_type(const wr_module_t *module, wr_extern_kind_t kind, uint32_t index,
                           char *buf, size_t cap)
{
    const struct vm_module *m = &module->program->module;
    const u32 counts[] = {[WR_EXTERN_FUNC] = m->func_count,
                          [WR_EXTERN_TABLE] = m->table_count,
                          [WR_EXTERN_MEMORY] = m->memory_count,
                          [WR_EXTERN_GLOBAL] = m->global_count,
                          [WR_EXTERN_TAG] = m->tag_count};
    if ((usize)kind >= VM_COUNT(counts) || index >= counts[kind])
        return (size_t)snprintf(buf, cap, "%s", "");
    return extern_type(m, (u8)kind, index, buf, cap);
}

bool wr_module_memory_type(const wr_module_t *module, uint32_t index, wr_limits_t *out)
{
    const struct vm_module *m = &module->program->module;
    if (index >= m->memory_count) return false;
    const struct vm_limits *l = &m->memories[index];
    *out = (wr_limits_t){.min = l->min,
                         .max = l->has_max ? l->max : UINT64_MAX,
                         .is_64 = l->is_64,
                         .is_shared = l->is_shared};
    return true;
}

bool wr_module_import_memory_type(const wr_module_t *module, size_t i, wr_limits_t *out)
{
    const struct vm_module *m = &module->program->module;
    return i < m->import_count && m->imports[i].kind == VM_EXTERN_MEMORY &&
           wr_module_memory_type(module, m->imports[i].index, out);
}

size_t wr_module_func_name(const wr_module_t *module, uint32_t func_idx, char *buf, size_t cap)
{
    const struct vm_module *m = &module->program->module;
    struct vm_name name;
    bool found = vm_module_func_name(m, func_idx, &name);
    for (u32 i = 0; !found && i < m->export_count; i++) {
        found = m->exports[i].kind == VM_EXTERN_FUNC && m->exports[i].index == func_idx;
        if (found) name = m->exports[i].name;
    }
    if (!found) return (size_t)snprintf(buf, cap, "func[%u]", func_idx);
    if (cap) {
        usize n = name.size < cap - 1 ? name.size : cap - 1;
        memcpy(buf, name.data, n);
        buf[n] = 0;
    }
    return name.size;
}

void wr_module_stats(const wr_module_t *module, wr_module_stats_t *out)
{
    const struct vm_module *m = &module->program->module;
    *out = (wr_module_stats_t){.file_bytes = m->size,
                               .types = m->types.count,
                               .imports = m->import_count,
                               .funcs = m->func_count,
                               .tables = m->table_count,
                               .memories = m->memory_count,
                               .globals = m->global_count,
                               .tags = m->tag_count,
                               .exports = m->export_count,
                               .elems = m->elem_count,
                               .datas = m->data_count};
    for (u32 i = 0; i < m->section_count; i++) out->customs += m->sections[i].id == 0;
    for (u32 i = 0; i < m->body_count; i++) out->code_bytes += m->bodies[i].range.size;
}

bool wr_module_section(const wr_module_t *module, size_t i, wr_section_t *out)
{
    static const char *const names[] = {"custom", "type",   "import",    "function", "table",
                                        "memory", "global", "export",    "start",    "element",
                                        "code",   "data",   "datacount", "tag"};
    const struct vm_module *m = &module->program->module;
    if (i >= m->section_count) return false;
    const struct vm_section *s = &m->sections[i];
    *out = (wr_section_t){.id = s->id,
                          .name = api_name(s->name),
                          .file_offset = s->payload.start,
                          .size = s->payload.size,
                          .data = m->bytes + s->payload.start};
    if (s->id && s->id < VM_COUNT(names))
        out->name = (wr_name_t){.data = names[s->id], .size = strlen(names[s->id])};
    return true;
}
