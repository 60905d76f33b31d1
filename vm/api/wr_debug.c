/* SPDX-License-Identifier: Apache-2.0 */
/* Looking inside: explored functions, counts of translated code, frames of stopped execs. */
#include "api/internal.h"
#include "debug/coredump.h"
#include "debug/explore.h"

wr_status_t wr_module_explore(const wr_module_t *module, const char *func, wr_write_fn write,
                              void *ctx, wr_error_t *err)
{
    const struct vm_text_sink sink = {.write = write, .ctx = ctx};
    vm_status s = vm_explore(module->program, func, &sink);
    switch (s) {
    case VM_OK: api_error_clear(err); return WR_OK;
    case VM_NOT_FOUND:
        return api_error_text(err, WR_NOT_FOUND, "no function '%.200s'", func ? func : "");
    case VM_ARGUMENT:
        return api_error_text(err, WR_ARGUMENT, "function '%.200s' is imported", func ? func : "");
    default: return api_error_text(err, api_status(s), "%s", wr_status_name(api_status(s)));
    }
}

/** Adds the code of one mode. Under the program's lock. */
static void add_codeset(const struct vm_program *p, const struct vm_codeset *set,
                        wr_code_stats_t *out)
{
    for (u32 i = 0; set->codes && i < p->module.body_count; i++) {
        const struct vm_code *code = &set->codes[i];
        if (!code->words) continue;
        out->wasm_bytes += p->module.bodies[i].range.size;
        out->code_bytes += code->word_count * sizeof(union vm_word);
    }
}

static bool is_translated(const struct vm_program *p, u32 i)
{
    for (u32 b = 0; b < VM_CODE_BACKENDS; b++)
        for (u32 m = 0; m < VM_CODE_MEMORIES; m++)
            for (u32 f = 0; f < 2; f++)
                if (p->sets[b][m][f].codes && p->sets[b][m][f].codes[i].words) return true;
    return false;
}

void wr_module_code_stats(const wr_module_t *module, wr_code_stats_t *out)
{
    struct vm_program *p = module->program;
    *out = (wr_code_stats_t){.funcs = p->module.body_count};
    (void)pthread_mutex_lock(&p->lock);
    for (u32 b = 0; b < VM_CODE_BACKENDS; b++)
        for (u32 m = 0; m < VM_CODE_MEMORIES; m++)
            for (u32 f = 0; f < 2; f++) add_codeset(p, &p->sets[b][m][f], out);
    for (u32 i = 0; i < p->module.body_count; i++) out->translated += is_translated(p, i);
    (void)pthread_mutex_unlock(&p->lock);
}

struct frames {
    wr_frame_t *out;
    size_t count, cap;
};

static bool add_frame(const struct vm_frame_info *info, void *env)
{
    struct frames *f = env;
    if (f->count == f->cap) return false;
    f->out[f->count++] = (wr_frame_t){.module = info->code->set->program->handle,
                                      .func_idx = info->code->func_idx,
                                      .file_offset = info->offset};
    return true;
}

size_t wr_exec_frames(const wr_exec_t *exec, wr_frame_t *out, size_t cap)
{
    struct frames f = {.out = out, .cap = cap};
    vm_exec_walk(to_exec(exec), add_frame, &f);
    return f.count;
}

wr_status_t wr_exec_coredump(const wr_exec_t *exec, const char *name, wr_write_fn write, void *ctx,
                             wr_error_t *err)
{
    const struct vm_text_sink sink = {.write = write, .ctx = ctx};
    vm_status s = vm_coredump(to_exec(exec), name, &sink);
    if (s != VM_OK) return api_error_text(err, api_status(s), "%s", wr_status_name(api_status(s)));
    api_error_clear(err);
    return WR_OK;
}
