/* SPDX-License-Identifier: Apache-2.0 */
/* Explores functions: translates, lists, writes the two sides and the counts. */
#include "debug/explore.h"

#include "debug/show.h"
#include "interp/enter.h"
#include "translate/translate.h"

#include <stdio.h>

enum { SIDE_COLUMN = 44, TYPE_BYTES = 1024, DEPTH_SHOWN = 8 };

/** Counts for the end. */
struct sums {
    u64 functions, wasm, wasm_bytes, ir, code_bytes, refused;
};

struct explorer {
    struct vm_program *program;
    struct vm_codeset *set;
    struct vm_decoder_table *table;
    struct vm_func_names names;
    struct vm_arena scratch;
    struct vm_line line;
    struct sums sums;
};

/* ---- one function */

static void write_head(struct explorer *x, const struct vm_shown *s)
{
    const struct vm_module *m = &x->program->module;
    const struct vm_code *code = s->code;
    const struct vm_listing *l = s->listing;
    u32 frame = atomic_load_explicit(&code->frame_slots, memory_order_relaxed);
    char type[TYPE_BYTES];
    (void)vm_functype_print(vm_module_functype(m, code->func_idx), type, sizeof type);
    vm_line_add(&x->line, "func ");
    vm_show_func(s, &x->line, code->func_idx);
    vm_line_add(&x->line, "  %s", type);
    vm_line_end(&x->line);
    vm_line_add(&x->line, "  slots: %u below the frame (parameters, results), %u of the header",
                code->below, (u32)VM_FRAME_SLOTS);
    if (!l->is_far)
        vm_line_add(&x->line, ", %d of other locals, %lld of the operand stack",
                    l->first_home - VM_FRAME_SLOTS, (long long)frame - l->first_home);
    vm_line_add(&x->line, "; code: %u words", code->word_count);
    vm_line_end(&x->line);
}

static void add_ir(struct explorer *x, const struct vm_shown *s, const struct vm_listed_ir *ir)
{
    vm_line_pad(&x->line, SIDE_COLUMN);
    vm_line_add(&x->line, "| %5u  ", ir->word);
    vm_show_ir(s, &x->line, ir);
    vm_line_end(&x->line);
}

/** First Wasm instruction that an internal one came from; VM_NO_INDEX: not known. */
static u32 first_link(const struct explorer *x, const struct vm_listing *l, u32 i)
{
    u32 count = vm_listing_links(x->table, l->ir.data[i].op);
    for (u32 k = 0; k < count; k++) {
        u32 link = l->links.data[l->ir.data[i].first_link + k];
        if (link != VM_NO_INDEX) return link;
    }
    return VM_NO_INDEX;
}

/** True when one of the parts of internal instruction `i` came from Wasm instruction `w`. */
static bool has_link(const struct explorer *x, const struct vm_listing *l, u32 i, u32 w)
{
    u32 count = vm_listing_links(x->table, l->ir.data[i].op);
    for (u32 k = 0; k < count; k++)
        if (l->links.data[l->ir.data[i].first_link + k] == w) return true;
    return false;
}

static void write_wasm(struct explorer *x, const struct vm_shown *s, u32 w)
{
    const struct vm_listed_wasm *in = &s->listing->wasm.data[w];
    u32 depth = in->depth < DEPTH_SHOWN ? in->depth : DEPTH_SHOWN;
    vm_line_add(&x->line, "  %06x %*s", in->insn.offset, (int)(2 * depth), "");
    vm_show_wasm(s, &x->line, &in->insn);
    if (!in->insn.reachable && in->insn.op != VM_OP_END && in->insn.op != VM_OP_ELSE)
        vm_line_add(&x->line, "  (never)");
}

/** Both sides: an internal instruction stands beside the first one that it came from. */
static void write_sides(struct explorer *x, const struct vm_shown *s)
{
    const struct vm_listing *l = s->listing;
    u32 i = 0;
    for (u32 w = 0; w < l->wasm.len; w++) {
        while (i < l->ir.len && w == 0 && first_link(x, l, i) == VM_NO_INDEX)
            add_ir(x, s, &l->ir.data[i++]);
        write_wasm(x, s, w);
        bool begins = i < l->ir.len && first_link(x, l, i) <= w;
        if (!begins) {
            bool later = i && has_link(x, l, i - 1, w);
            if (later) vm_line_pad(&x->line, SIDE_COLUMN);
            if (later) vm_line_add(&x->line, "|        +");
            vm_line_end(&x->line);
            continue;
        }
        add_ir(x, s, &l->ir.data[i++]);
        while (i < l->ir.len) { /* further ones, and those from nowhere */
            u32 link = first_link(x, l, i);
            if (link != VM_NO_INDEX && link > w) break;
            if (link == VM_NO_INDEX && w + 1 == l->wasm.len) break;
            add_ir(x, s, &l->ir.data[i++]);
        }
    }
    while (i < l->ir.len) add_ir(x, s, &l->ir.data[i++]);
    if (l->undecoded) {
        vm_line_pad(&x->line, SIDE_COLUMN);
        vm_line_add(&x->line, "|        (%u words that are no known instruction)", l->undecoded);
        vm_line_end(&x->line);
    }
}

static void write_tries(struct explorer *x, const struct vm_shown *s)
{
    const struct vm_handlers *h = s->code->handlers;
    for (u32 i = 0; h && i < h->try_count; i++) {
        vm_line_add(&x->line, "  ");
        vm_show_try(s, &x->line, i);
        vm_line_end(&x->line);
    }
}

static void add_ratio(struct vm_line *line, u64 a, u64 b)
{
    vm_line_add(line, "%.2f", b ? (f64)a / (f64)b : 0.0);
}

static void write_sums(struct explorer *x, const struct sums *n)
{
    struct vm_line *line = &x->line;
    vm_line_add(line, "  %llu wasm instructions, %llu internal: ", (unsigned long long)n->wasm,
                (unsigned long long)n->ir);
    add_ratio(line, n->ir, n->wasm);
    vm_line_add(line, " each; %llu bytes of code from %llu: ", (unsigned long long)n->code_bytes,
                (unsigned long long)n->wasm_bytes);
    add_ratio(line, n->code_bytes, n->wasm_bytes);
    vm_line_add(line, " a byte");
    vm_line_end(line);
}

static void count(struct explorer *x, const struct sums *n)
{
    x->sums.functions++;
    x->sums.wasm += n->wasm;
    x->sums.wasm_bytes += n->wasm_bytes;
    x->sums.ir += n->ir;
    x->sums.code_bytes += n->code_bytes;
}

static vm_status write_function(struct explorer *x, const struct vm_code *code)
{
    struct vm_listing l;
    const struct vm_module *m = &x->program->module;
    vm_status s = vm_listing_make(&l, x->program, code, x->table, &x->scratch);
    if (s == VM_OK) {
        struct vm_shown shown = {.program = x->program,
                                 .table = x->table,
                                 .names = &x->names,
                                 .listing = &l,
                                 .code = code,
                                 .codes = x->set->codes};
        const struct vm_body *body = &m->bodies[code->func_idx - m->n_imported[VM_EXTERN_FUNC]];
        struct sums n = {.wasm = l.wasm.len,
                         .wasm_bytes = body->range.size,
                         .ir = l.ir.len,
                         .code_bytes = code->word_count * sizeof(union vm_word)};
        write_head(x, &shown);
        write_sides(x, &shown);
        write_tries(x, &shown);
        write_sums(x, &n);
        count(x, &n);
    }
    vm_listing_free(&l);
    return s;
}

static void write_refused(struct explorer *x, u32 func, const struct vm_err *err)
{
    struct vm_shown shown = {.names = &x->names};
    vm_line_add(&x->line, "func ");
    vm_show_func(&shown, &x->line, func);
    vm_line_end(&x->line);
    vm_line_add(&x->line, "  not translated: %s", err->text);
    vm_line_end(&x->line);
    x->sums.refused++;
}

/** Translates into code of its own: the program's stays as it is. */
static vm_status explore_one(struct explorer *x, u32 func)
{
    struct vm_program *p = x->program;
    const struct vm_translate_env env = {.alloc = p->alloc,
                                         .module = &p->module,
                                         .canon = p->canon,
                                         .codes = x->set->codes,
                                         .mode = x->set->mode,
                                         .features = p->features & vm_features_executable()};
    struct vm_code code = {.func_idx = func,
                           .below = vm_functype_shared_slots(vm_module_functype(&p->module, func)),
                           .set = x->set};
    struct vm_err err;
    vm_err_init(&err);
    vm_status s = vm_translate(&env, &code, &x->scratch, &err);
    if (s == VM_OK) {
        s = write_function(x, &code);
        vm_code_free(p->alloc, &code);
    } else if (s != VM_OOM) {
        write_refused(x, func, &err);
        s = VM_OK;
    }
    return s;
}

/* ---- all of it */

/** What a plain run takes: the best backend, guard pages where memory 0 can have them. */
static struct vm_code_mode plain_mode(const struct vm_module *m)
{
    bool guard = vm_guard_available() && (m->memory_count == 0 || !m->memories[0].is_64);
    return (struct vm_code_mode){.backend = vm_backend_best(),
                                 .memory = guard ? VM_CODE_GUARD : VM_CODE_EXPLICIT};
}

static void write_mode(struct explorer *x)
{
    static const char *const backends[] = {"loop", "tail", "tail-v3"};
    static const char *const memories[] = {"guard", "explicit"};
    vm_line_add(&x->line, "backend %s, memory %s", backends[x->set->mode.backend],
                memories[x->set->mode.memory]);
    vm_line_end(&x->line);
}

static vm_status explore_all(struct explorer *x)
{
    const struct vm_module *m = &x->program->module;
    vm_status s = VM_OK;
    for (u32 i = m->n_imported[VM_EXTERN_FUNC]; i < m->func_count && s == VM_OK; i++) {
        s = explore_one(x, i);
        vm_line_end(&x->line);
    }
    vm_line_add(&x->line, "%llu functions", (unsigned long long)x->sums.functions);
    if (x->sums.refused)
        vm_line_add(&x->line, ", %llu not translated", (unsigned long long)x->sums.refused);
    vm_line_end(&x->line);
    write_sums(x, &x->sums);
    return s;
}

static vm_status explore(struct explorer *x, const char *func)
{
    const struct vm_module *m = &x->program->module;
    u32 index = func ? vm_func_names_find(&x->names, m, func) : 0;
    if (index == VM_NO_INDEX) return VM_NOT_FOUND;
    if (func && index < m->n_imported[VM_EXTERN_FUNC]) return VM_ARGUMENT;
    write_mode(x);
    return func ? explore_one(x, index) : explore_all(x);
}

vm_status vm_explore(struct vm_program *p, const char *func, const struct vm_text_sink *sink)
{
    struct explorer x = {.program = p, .line = {.sink = sink}};
    struct vm_code_mode mode = plain_mode(&p->module);
    vm_arena_init(&x.scratch, p->alloc);
    x.set = vm_program_codeset(p, mode);
    x.table = vm_decoder_table_new(p->alloc, vm_backend_get(mode.backend));
    vm_status s = VM_OOM;
    if (x.set && x.table && vm_func_names_init(&x.names, p->alloc, &p->module))
        s = explore(&x, func);
    vm_func_names_free(&x.names, p->alloc);
    vm_decoder_table_delete(p->alloc, x.table);
    vm_arena_free(&x.scratch);
    return s;
}
