/* SPDX-License-Identifier: Apache-2.0 */
/* The error sink and the texts and classes of errors.def. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

VM_NOINLINE const char *vm_error_text(vm_error_id id)
{
    static const char *const texts[VM_ERR_COUNT] = {
        [VM_ERR_NONE] = "",
#define ERR(id, cls, text) [VM_ERR_##id] = text,
#include "base/errors.def"
#undef ERR
    };
    return texts[(u32)id < VM_ERR_COUNT ? id : VM_ERR_INTERNAL];
}

vm_status vm_error_status(vm_error_id id)
{
    static const u8 statuses[VM_ERR_COUNT] = {
        [VM_ERR_NONE] = VM_OK,
#define ERR(id, cls, text) [VM_ERR_##id] = VM_##cls,
#include "base/errors.def"
#undef ERR
    };
    return (u32)id < VM_ERR_COUNT ? (vm_status)statuses[id] : VM_INTERNAL;
}

void vm_err_init(struct vm_err *err)
{
    err->status = VM_OK;
    err->id = VM_ERR_NONE;
    err->offset = VM_NO_OFFSET;
    err->func_idx = VM_NO_FUNC;
    err->text[0] = '\0';
}

vm_status vm_err_set(struct vm_err *err, vm_error_id id, u64 offset, const char *detail, ...)
{
    if (!err) return vm_error_status(id);
    if (err->status != VM_OK) return err->status;
    err->status = vm_error_status(id);
    err->id = id;
    err->offset = offset;

    const char *message = vm_error_text(id);
    int used = snprintf(err->text, sizeof err->text, "%s%s", message, detail ? ": " : "");
    if (!detail || used < 0 || (usize)used >= sizeof err->text) return err->status;
    va_list args;
    va_start(args, detail);
    int added = vsnprintf(err->text + used, sizeof err->text - (usize)used, detail, args);
    va_end(args);
    if (added < 0) err->text[strlen(message)] = '\0'; /* an unprintable detail: message alone */
    return err->status;
}
