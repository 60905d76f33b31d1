/* SPDX-License-Identifier: Apache-2.0 */
/*
 * {"seed", "modules": [hex…], "steps": [{"trap"} of each instance, {"m", "f", "args", "trap",
 * "results"} of each call, null], "state": [{"m0": [pages, hash], "t0": [value…], "g0": value, …}
 * of each instance], "trace": hex} A value is [type letter, bits in hex]; a funcref's bits are
 * "null", "MODULE:INDEX" or "h:INDEX"; an exnref ("x") has "null" or "exn"; a v128 32 digits, and
 * behind them its open lanes (ref_vec.c). An uncaught exception's trap is "exception", with "tag"
 * ["MODULE", index] and its values as results. "sigs" are the functions', "vars" says which globals
 * are mutable.
 */
#include "diff_json.h"

#include <stdarg.h>
#include <stdio.h>

static VM_PRINTF(2, 3) void text(struct bytes *out, const char *format, ...)
{
    char buf[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buf, sizeof buf, format, args);
    va_end(args);
    bytes_put(out, buf, (usize)n);
}

void json_begin(struct bytes *out, const struct diff_case *c)
{
    if (!out) return;
    out->size = 0;
    text(out, "{\"seed\":%llu,\"modules\":[", (unsigned long long)c->seed);
    for (u32 i = 0; i < c->count; i++) {
        text(out, "%s\"", i ? "," : "");
        for (usize k = 0; k < c->module[i].size; k++) text(out, "%02x", c->module[i].data[k]);
        text(out, "\"");
    }
    text(out, "],\"steps\":[");
}

static void tag_of(struct bytes *out, const struct ref_tag *t, struct ref_instance *const *inst,
                   u32 count)
{
    for (u32 i = 0; i < count; i++)
        for (u32 k = 0; k < inst[i]->module->tag_count; k++) {
            if (inst[i]->tags[k] != t) continue;
            text(out, ",\"tag\":[%u,%u]", i, k);
            return;
        }
}

static void end_of(struct bytes *out, const struct ref_end *end)
{
    if (end->kind == REF_EXCEPTION)
        text(out, "\"trap\":\"exception\"");
    else if (end->kind == REF_TRAP)
        text(out, "\"trap\":\"%s\"", vm_trap_text(end->trap));
    else
        text(out, "\"trap\":null");
}

void json_instance(struct bytes *out, const struct ref_end *end)
{
    if (!out) return;
    text(out, "{");
    end_of(out, end);
    text(out, "},");
}

static void func_value(struct bytes *out, const struct ref_func *f)
{
    if (!f)
        text(out, "[\"r\",\"null\"]");
    else if (f->inst)
        text(out, "[\"r\",\"%u:%u\"]", f->inst->number, f->index);
    else
        text(out, "[\"r\",\"h:%u\"]", f->index);
}

static char letter(vm_valtype t)
{
    if (t >= VM_V128 && t <= VM_I32) return "VFfIi"[t - VM_V128];
    if (ref_is_exn(t)) return 'x';
    return ref_is_func(t) ? 'r' : 'e';
}

static void value(struct bytes *out, vm_valtype t, struct ref_val v)
{
    if (ref_is_func(t))
        func_value(out, (const struct ref_func *)(uintptr_t)v.bits);
    else if (ref_is_exn(t))
        text(out, "[\"x\",\"%s\"]", v.bits ? "exn" : "null");
    else if (t == VM_V128)
        text(out, "[\"V\",\"%016llx%016llx\",%u]", (unsigned long long)v.high,
             (unsigned long long)v.bits, v.open);
    else
        text(out, "[\"%c\",\"%llx\"]", letter(t), (unsigned long long)v.bits);
}

/** The signature of a function as host.h writes them. */
static void signature(struct bytes *out, const struct vm_functype *t)
{
    for (u32 i = 0; i <= t->param_count + t->result_count; i++) {
        if (i == t->param_count) text(out, ":");
        if (i < t->param_count + t->result_count) text(out, "%c", letter(t->types[i]));
    }
}

/** Vectors and exceptions pass a wrapper, which has the types it can be told by letters. */
bool json_can_call(const struct vm_functype *t)
{
    bool wrapped = false, plain = true;
    for (u32 i = 0; i < t->param_count + t->result_count; i++) {
        wrapped |= t->types[i] == VM_V128 || ref_is_exn(t->types[i]);
        plain &= !vm_valtype_is_indexed(t->types[i]) && vm_valtype_kind(t->types[i]) != VM_REF;
    }
    return plain || !wrapped;
}

void json_call(struct bytes *out, const struct diff_call *c, struct ref_instance *const *inst,
               u32 count)
{
    const struct vm_functype *values = c->sig;
    u32 first = c->sig->param_count, n = c->end.kind == REF_OK ? c->sig->result_count : 0;
    const struct ref_val *results = c->results;
    const struct vm_name *name = &c->export->name;
    const struct vm_functype *sig = c->sig;
    if (!out) return;
    text(out, "{\"m\":%u,\"f\":\"%.*s\",\"args\":[", c->module,
         name->size < 20 ? (int)name->size : 20, (const char *)name->data);
    for (u32 i = 0; i < sig->param_count; i++) {
        if (i) text(out, ",");
        value(out, sig->types[i], c->args[i]);
    }
    text(out, "],");
    end_of(out, &c->end);
    if (c->end.kind == REF_EXCEPTION) {
        tag_of(out, c->end.exn->tag, inst, count);
        values = c->end.exn->tag->type;
        first = 0;
        n = values->param_count;
        results = c->end.exn->vals;
    }
    text(out, ",\"results\":[");
    for (u32 i = 0; i < n; i++) {
        if (i) text(out, ",");
        value(out, values->types[first + i], results[i]);
    }
    text(out, "]},");
}

/** 32-bit FNV-1a: cheap in JavaScript too. */
static u32 hash(const u8 *p, u64 n)
{
    u32 h = 2166136261;
    for (u64 i = 0; i < n; i++) h = (h ^ p[i]) * 16777619;
    return h;
}

void json_end(struct bytes *out, struct ref_instance *const *inst, u32 count,
              const struct host_state *host)
{
    if (!out) return;
    text(out, "null],\"state\":[");
    for (u32 i = 0; i < count; i++) {
        const struct vm_module *m = inst[i]->module;
        text(out, "%s{", i ? "," : "");
        for (u32 k = 0; k < m->memory_count; k++)
            text(out, "\"m%u\":[%llu,%u],", k, (unsigned long long)inst[i]->memories[k]->pages,
                 hash(inst[i]->memories[k]->data, ref_memory_bytes(inst[i]->memories[k])));
        for (u32 k = 0; k < m->table_count; k++) {
            const struct ref_table *t = inst[i]->tables[k];
            text(out, "\"t%u\":[", k);
            for (u64 e = 0; e < t->size; e++) {
                if (e) text(out, ",");
                value(out, m->tables[k].type.elem, (struct ref_val){.bits = t->elems[e]});
            }
            text(out, "],");
        }
        for (u32 k = 0; k < m->global_count; k++) {
            text(out, "\"g%u\":", k);
            value(out, inst[i]->globals[k]->type, inst[i]->globals[k]->value);
            text(out, ",");
        }
        text(out, "\"vars\":[");
        for (u32 k = 0; k < m->global_count; k++)
            text(out, "%s%d", k ? "," : "", m->globals[k].type.is_mutable);
        text(out, "],\"sigs\":[");
        for (u32 k = 0; k < m->func_count; k++) {
            text(out, "%s\"", k ? "," : "");
            signature(out, vm_module_functype(m, k));
            text(out, "\"");
        }
        text(out, "]}");
    }
    text(out, "],\"trace\":\"%llx\"}\n", (unsigned long long)host->trace);
}
