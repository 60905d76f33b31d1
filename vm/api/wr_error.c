/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and errors between the engine and the public API. */
#include "api/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// clang-format off
#define STATUSES(X)                                                                                \
    X(OK, "ok")                                                                                    \
    X(MALFORMED, "malformed module")                                                               \
    X(INVALID, "invalid module")                                                                   \
    X(UNSUPPORTED, "unsupported module")                                                           \
    X(LINK, "link error")                                                                          \
    X(TRAP, "trap")                                                                                \
    X(EXCEPTION, "uncaught exception")                                                             \
    X(EXIT, "exit")                                                                                \
    X(PENDING, "pending")                                                                          \
    X(YIELD, "interrupted")                                                                        \
    X(CANCELLED, "cancelled")                                                                      \
    X(LIMIT, "limit exceeded")                                                                     \
    X(OOM, "out of memory")                                                                        \
    X(IO, "input/output error")                                                                    \
    X(NOT_FOUND, "not found")                                                                      \
    X(ARGUMENT, "bad argument")                                                                    \
    X(INTERNAL, "internal error")                                                                  \
    X(FUEL, "out of fuel")
// clang-format on

static const u8 statuses[] = {
#define ROW(id, name) [VM_##id] = WR_##id,
    STATUSES(ROW)
#undef ROW
};

wr_status_t api_status(vm_status s)
{
    return (usize)s < VM_COUNT(statuses) ? (wr_status_t)statuses[s] : WR_INTERNAL;
}

vm_status api_to_status(wr_status_t s)
{
    for (u32 i = 0; i < VM_COUNT(statuses); i++)
        if (statuses[i] == s) return (vm_status)i;
    return VM_INTERNAL;
}

VM_NOINLINE const char *wr_status_name(wr_status_t status)
{
    static const char *const names[] = {
#define ROW(id, name) [VM_##id] = name,
        STATUSES(ROW)
#undef ROW
    };
    return names[api_to_status(status)];
}

const char *wr_version(void) { return WASMRUN_VERSION; }

void api_error_clear(wr_error_t *err)
{
    if (!err) return;
    memset(err, 0, offsetof(wr_error_t, frame));
    err->offset = UINT64_MAX;
    err->func_idx = UINT32_MAX;
}

wr_status_t api_error_text(wr_error_t *out, wr_status_t status, const char *format, ...)
{
    if (!out) return status;
    api_error_clear(out);
    out->status = status;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
    return status;
}

wr_status_t api_error(wr_error_t *out, const struct vm_err *err, const char *prefix)
{
    wr_status_t s = api_status(err->status);
    api_error_text(out, s, "%s%s%s", prefix ? prefix : "", prefix ? ": " : "", err->text);
    if (out) {
        out->offset = err->offset;
        out->func_idx = err->func_idx;
    }
    return s;
}

/* ---- traps */

struct frames {
    wr_error_t *out;
    u32 total;
};

/** Keeps the innermost half as they come and the outermost half in a ring. */
static bool add_frame(const struct vm_frame_info *info, void *env)
{
    enum { HALF = WR_ERROR_FRAMES / 2 };
    struct frames *f = env;
    u32 i = f->total < WR_ERROR_FRAMES ? f->total : HALF + (f->total - HALF) % HALF;
    struct vm_program *p = info->code->set->program;
    f->out->frame[i] = (wr_frame_t){
        .module = p->handle, .func_idx = info->code->func_idx, .file_offset = info->offset};
    f->total++;
    return true;
}

/** Puts the ring of outer frames into order. */
static void order_frames(struct frames *f)
{
    enum { HALF = WR_ERROR_FRAMES / 2 };
    f->out->frames = f->total < WR_ERROR_FRAMES ? f->total : WR_ERROR_FRAMES;
    f->out->frames_left_out = f->total - f->out->frames;
    u32 shift = f->out->frames_left_out % HALF;
    if (shift == 0) return;
    wr_frame_t ring[HALF];
    memcpy(ring, f->out->frame + HALF, sizeof ring);
    for (u32 i = 0; i < HALF; i++) f->out->frame[HALF + i] = ring[(i + shift) % HALF];
}

wr_status_t api_exec_error(wr_error_t *out, const struct vm_exec *x, vm_status s)
{
    wr_status_t status = api_status(s);
    if (!out) return status;
    if (s == VM_OK || s == VM_PENDING || s == VM_YIELD || s == VM_EXIT || s == VM_FUEL) {
        api_error_clear(out);
        out->status = status;
        return status;
    }
    if (s == VM_ARGUMENT) return api_error_text(out, status, "no call is ready to be run");
    if (s == VM_TRAP) {
        const char *text = x->trap_text[0] ? x->trap_text : vm_trap_text(x->trap);
        api_error_text(out, status, "%s", text);
        out->trap = vm_trap_text(x->trap);
    } else if (s == VM_EXCEPTION && x->exception) {
        char thrown[WR_ERROR_TEXT];
        api_exception_text(x->exception, thrown, sizeof thrown);
        api_error_text(out, status, "%s", thrown);
    } else {
        bool too_large = s == VM_LIMIT && x->stop == VM_STOP_LIMIT;
        api_error_text(out, status, "%s",
                       too_large ? "a function is too large to be translated"
                                 : wr_status_name(status));
    }
    struct frames f = {.out = out};
    vm_exec_walk(x, add_frame, &f);
    order_frames(&f);
    return status;
}
