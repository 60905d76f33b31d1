/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and exceptions, as the embedder sees them. */
#include "api/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- tags */

wr_status_t wr_tag_new(wr_store_t *store, const char *signature, wr_tag_t **out, wr_error_t *err)
{
    vm_valtype types[API_SIGNATURE_MAX];
    struct vm_functype sig;
    struct vm_store *s = store->store;
    if (!api_signature(signature, types, &sig) || sig.result_count)
        return api_error_text(err, WR_ARGUMENT, "bad signature \"%s\"", signature);
    u32 type = vm_types_intern_func(s->types, &sig);
    struct vm_tag *tag = type == VM_NO_TYPE ? NULL : vm_tag_new(s, type, NULL, 0);
    if (!tag) {
        if (type != VM_NO_TYPE) vm_types_release_func(s->types, type);
        return api_error_text(err, WR_OOM, "out of memory");
    }
    api_error_clear(err);
    *out = (wr_tag_t *)tag;
    return WR_OK;
}

size_t wr_tag_param_count(const wr_tag_t *tag) { return to_tag(tag)->sig->param_count; }

wr_valkind_t wr_tag_param(const wr_tag_t *tag, size_t i)
{
    const struct vm_tag *t = to_tag(tag);
    return i < t->sig->param_count ? api_valkind(t->store->types, t->sig->types[i]) : WR_OTHERREF;
}

static bool find_name(const struct vm_tag *t, struct vm_name *name)
{
    const struct vm_module *m = &t->program->module;
    bool found = vm_module_tag_name(m, t->index, name);
    for (u32 i = 0; !found && i < m->export_count; i++) {
        found = m->exports[i].kind == VM_EXTERN_TAG && m->exports[i].index == t->index;
        if (found) *name = m->exports[i].name;
    }
    return found;
}

size_t wr_tag_name(const wr_tag_t *tag, char *buf, size_t cap)
{
    const struct vm_tag *t = to_tag(tag);
    struct vm_name name;
    if (!t->program) return (size_t)snprintf(buf, cap, "host tag");
    if (!find_name(t, &name)) return (size_t)snprintf(buf, cap, "tag[%u]", t->index);
    if (cap) {
        usize n = name.size < cap - 1 ? name.size : cap - 1;
        memcpy(buf, name.data, n);
        buf[n] = 0;
    }
    return name.size;
}

/* ---- exceptions */

/** Checked values as slots; slots NULL: out of memory. */
static wr_status_t make(struct vm_store *s, struct vm_tag *tag, const wr_val_t *values,
                        struct vm_exception **out)
{
    usize bytes = ((usize)tag->sig->param_slots + 2) * sizeof(union vm_slot);
    union vm_slot *slots = vm_alloc_zero(s->alloc, bytes), *slot = slots;
    if (!slots) return WR_OOM;
    for (u32 i = 0; i < tag->sig->param_count; i++) {
        api_val_to_slots(&values[i], slot);
        slot += vm_valtype_slots(tag->sig->types[i]);
    }
    *out = vm_exception_new(s, tag, slots);
    vm_alloc_free(s->alloc, slots, bytes);
    return *out ? WR_OK : WR_OOM;
}

wr_status_t wr_exception_new(wr_store_t *store, wr_tag_t *tag, const wr_val_t *values, size_t count,
                             wr_exception_t **out, wr_error_t *err)
{
    struct vm_store *s = store->store;
    struct vm_tag *t = to_tag(tag);
    struct vm_exception *e = NULL;
    if (t->store != s) return api_error_text(err, WR_ARGUMENT, "the tag belongs to another store");
    if (count != t->sig->param_count)
        return api_error_text(err, WR_ARGUMENT, "%zu values given, the tag has %u", count,
                              t->sig->param_count);
    for (u32 i = 0; i < count; i++)
        if (!api_val_matches(s, &values[i], t->sig->types[i]))
            return api_error_text(err, WR_ARGUMENT, "value %u has the wrong type", i);
    if (make(s, t, values, &e) != WR_OK) return api_error_text(err, WR_OOM, "out of memory");
    api_error_clear(err);
    *out = wr_exception_hold((wr_exception_t *)e);
    return WR_OK;
}

wr_exception_t *wr_exception_hold(wr_exception_t *exception)
{
    to_exception(exception)->holds++;
    return exception;
}

void wr_exception_delete(wr_exception_t *exception)
{
    if (exception) to_exception(exception)->holds--;
}

wr_tag_t *wr_exception_tag(const wr_exception_t *exception)
{
    return (wr_tag_t *)to_exception(exception)->tag;
}

size_t wr_exception_values(const wr_exception_t *exception, wr_val_t *values, size_t cap)
{
    const struct vm_exception *e = to_exception(exception);
    const struct vm_functype *sig = e->tag->sig;
    const union vm_slot *slot = e->values;
    for (u32 i = 0; i < sig->param_count && i < cap; i++) {
        api_val_from_slots(e->tag->store->types, &values[i], sig->types[i], slot);
        slot += vm_valtype_slots(sig->types[i]);
    }
    return sig->param_count;
}

static wr_exception_t *held(struct vm_exception *e)
{
    return e ? wr_exception_hold((wr_exception_t *)e) : NULL;
}

wr_exception_t *wr_exec_exception(const wr_exec_t *exec)
{
    const struct vm_exec *x = to_exec(exec);
    bool uncaught = x->now.state == VM_EXEC_ENDED && x->stop == VM_STOP_EXCEPTION;
    return held(uncaught ? x->exception : NULL);
}

wr_exception_t *wr_store_exception(const wr_store_t *store)
{
    return held(store->store->exception);
}

/* ---- text */

static usize value_text(const wr_val_t *v, char *buf, usize cap)
{
    int n = 0;
    switch (v->kind) {
    case WR_I32: n = snprintf(buf, cap, "%d", (int)v->of.i32); break;
    case WR_I64: n = snprintf(buf, cap, "%lld", (long long)v->of.i64); break;
    case WR_F32: n = snprintf(buf, cap, "%.9g", (double)v->of.f32); break;
    case WR_F64: n = snprintf(buf, cap, "%.17g", v->of.f64); break;
    case WR_V128: n = snprintf(buf, cap, "v128"); break;
    default: n = snprintf(buf, cap, v->of.ref ? "ref" : "null"); break;
    }
    return n < 0 ? 0 : (usize)n;
}

void api_exception_text(const struct vm_exception *e, char *buf, usize cap)
{
    enum { SHOWN = 8, NAME_MAX_BYTES = 160 };
    char name[NAME_MAX_BYTES];
    wr_val_t values[SHOWN];
    usize count = wr_exception_values((const wr_exception_t *)e, values, SHOWN);
    (void)wr_tag_name((const wr_tag_t *)e->tag, name, sizeof name);
    for (char *c = name; *c; c++)
        if ((u8)*c < ' ' || *c == 0x7f) *c = '?'; /* names are the guest's */
    usize at = (usize)snprintf(buf, cap, "%s(", name);
    for (usize i = 0; i < count && i < SHOWN && at < cap; i++) {
        if (i) at += (usize)snprintf(buf + at, cap - at, ", ");
        if (at < cap) at += value_text(&values[i], buf + at, cap - at);
    }
    if (at < cap) (void)snprintf(buf + at, cap - at, count > SHOWN ? ", ...)" : ")");
}
