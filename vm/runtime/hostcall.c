/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of plain C functions through libffi, with checked pointers. No closures. */
#include "runtime/hostcall.h"

#include "platform/copy.h"

#include <ffi.h>
#include <string.h>

enum { ARGS_MAX = 32 };

struct vm_hostcall {
    void (*fn)(void);
    u32 count;
    char letters[ARGS_MAX + 1]; /* one per C parameter */
    char result;                /* letter or 0 */
    ffi_cif cif;
    ffi_type *types[ARGS_MAX];
    vm_valtype wasm[ARGS_MAX + 1];
    struct vm_functype functype;
};

/** The libffi and the Wasm type of a letter; false for an unknown one. `@` has no Wasm type. */
static bool letter_types(char c, ffi_type **ffi, vm_valtype *wasm)
{
    switch (c) {
    case 'i': *ffi = &ffi_type_uint32, *wasm = VM_I32; return true;
    case 'I': *ffi = &ffi_type_uint64, *wasm = VM_I64; return true;
    case 'f': *ffi = &ffi_type_float, *wasm = VM_F32; return true;
    case 'F': *ffi = &ffi_type_double, *wasm = VM_F64; return true;
    case 'e': *ffi = &ffi_type_pointer, *wasm = VM_EXTERNREF; return true;
    case '*':
    case '$': *ffi = &ffi_type_pointer, *wasm = VM_I32; return true;
    case '~': *ffi = &ffi_type_uint32, *wasm = VM_I32; return true;
    case '@': *ffi = &ffi_type_pointer, *wasm = VM_BOT; return true;
    default: return false;
    }
}

/** Fills the types from "(PARAMS)RESULT". */
static bool parse(struct vm_hostcall *h, const char *s)
{
    ffi_type *result = &ffi_type_void;
    if (*s++ != '(') return false;
    for (; *s && *s != ')'; s++) {
        vm_valtype wasm;
        bool follows = *s != '~' || (h->count && h->letters[h->count - 1] == '*');
        if (h->count == ARGS_MAX || !follows || !letter_types(*s, &h->types[h->count], &wasm))
            return false;
        h->letters[h->count++] = *s;
        if (wasm != VM_BOT) h->wasm[h->functype.param_count++] = wasm;
    }
    if (*s++ != ')') return false;
    if (*s) {
        if (!strchr("iIfFe", *s) || s[1]) return false;
        h->result = *s;
        (void)letter_types(*s, &result, &h->wasm[h->functype.param_count]);
        h->functype.result_count = 1;
    }
    h->functype.param_slots = h->functype.param_count;
    h->functype.result_slots = h->functype.result_count;
    h->functype.types = h->wasm;
    return ffi_prep_cif(&h->cif, FFI_DEFAULT_ABI, h->count, result, h->types) == FFI_OK;
}

vm_status vm_hostcall_new(const struct vm_alloc *alloc, const char *signature, void (*fn)(void),
                          struct vm_hostcall **out, struct vm_err *err)
{
    struct vm_hostcall *h = vm_alloc_zero(alloc, sizeof *h);
    if (!h) return vm_err_set(err, VM_ERR_OOM, VM_NO_OFFSET, "host function");
    h->fn = fn;
    if (!parse(h, signature)) {
        vm_alloc_free(alloc, h, sizeof *h);
        return vm_err_set(err, VM_ERR_ARGUMENT, VM_NO_OFFSET, "signature \"%s\"", signature);
    }
    *out = h;
    return VM_OK;
}

void vm_hostcall_free(const struct vm_alloc *alloc, void *hostcall)
{
    vm_alloc_free(alloc, hostcall, sizeof(struct vm_hostcall));
}

const struct vm_functype *vm_hostcall_type(const struct vm_hostcall *h) { return &h->functype; }

/** Host address of `size` bytes at a guest address, or NULL. */
static void *guest_pointer(const struct vm_call *call, u32 addr, u64 size)
{
    if (!call->inst || call->inst->program->module.memory_count == 0) return NULL;
    const struct vm_memory *m = call->inst->memories[0];
    return vm_range_ok(addr, size, vm_memory_size(m)) ? m->base + addr : NULL;
}

/** Host copies of strings, for the time of a call. */
struct copies {
    struct {
        u8 *bytes;
        usize size;
    } of[ARGS_MAX];
    u32 count;
};

static void free_copies(const struct vm_alloc *alloc, const struct copies *c)
{
    for (u32 i = 0; i < c->count; i++) vm_alloc_free(alloc, c->of[i].bytes, c->of[i].size);
}

/** Copies of this many bytes are tried before all that is allowed. */
enum { STRING_FIRST = 256 };

/** Copies up to `size` bytes of a string from `p`; `*out` is NULL when it does not end there. */
static vm_trap copy_string(const struct vm_alloc *alloc, const u8 *p, usize size,
                           struct copies *copies, void **out)
{
    u8 *bytes = vm_alloc_resize(alloc, NULL, 0, size);
    if (!bytes) return VM_TRAP_OUT_OF_MEMORY;
    vm_copy_shared(bytes, p, size);
    copies->of[copies->count].bytes = bytes;
    copies->of[copies->count].size = size;
    *out = memchr(bytes, 0, size);
    if (*out) {
        *out = bytes;
        copies->count++;
    } else {
        vm_alloc_free(alloc, bytes, size);
    }
    return VM_TRAP_NONE;
}

/** A string of a shared memory: its end may go away after it has been seen, but not in a copy. */
static vm_trap shared_string(const struct vm_alloc *alloc, const u8 *p, u64 left,
                             struct copies *copies, void **out)
{
    usize most = left < VM_MAX_SHARED_STRING ? (usize)left : VM_MAX_SHARED_STRING;
    usize first = most < STRING_FIRST ? most : STRING_FIRST;
    vm_trap t = copy_string(alloc, p, first, copies, out);
    if (t == VM_TRAP_NONE && !*out && first < most) t = copy_string(alloc, p, most, copies, out);
    return t == VM_TRAP_NONE && !*out ? VM_TRAP_MEMORY : t;
}

/** A string that ends inside the memory. */
static vm_trap guest_string(const struct vm_call *call, u32 addr, struct copies *copies, void **out)
{
    u8 *p = guest_pointer(call, addr, 1);
    if (!p) return VM_TRAP_MEMORY;
    const struct vm_memory *m = call->inst->memories[0];
    u64 left = vm_memory_size(m) - addr;
    if (m->sharing) return shared_string(call->exec->alloc, p, left, copies, out);
    *out = p;
    return memchr(p, 0, (usize)left) ? VM_TRAP_NONE : VM_TRAP_MEMORY;
}

/** One argument, or why not: a bad pointer. `next_letter` is that of a length that follows. */
static vm_trap load_arg(struct vm_call *call, char letter, char next_letter, const union vm_slot *s,
                        union vm_slot *value, struct copies *copies)
{
    switch (letter) {
    case '@': value->ptr = call; return VM_TRAP_NONE;
    case '$': return guest_string(call, s->u32, copies, &value->ptr);
    case '*':
        /* a pointer with a length may be empty; one without is at least one byte */
        value->ptr = guest_pointer(call, s->u32, next_letter == '~' ? s[1].u32 : 1);
        return value->ptr ? VM_TRAP_NONE : VM_TRAP_MEMORY;
    default: *value = *s; return VM_TRAP_NONE;
    }
}

static void store_result(char letter, const union vm_slot *raw, union vm_slot *slot)
{
    switch (letter) {
    case 'i': slot->u64 = (u32)raw->u64; break; /* libffi widens integers to a register */
    case 'f': slot->u64 = raw->u32; break;
    default: slot->u64 = raw->u64; break;
    }
}

/** All arguments, for libffi; a trap or none. */
static vm_trap load_args(struct vm_call *call, const struct vm_hostcall *h, union vm_slot *slots,
                         union vm_slot values[ARGS_MAX], struct copies *copies)
{
    const union vm_slot *s = slots;
    for (u32 i = 0; i < h->count; i++) {
        vm_trap t = load_arg(call, h->letters[i], h->letters[i + 1], s, &values[i], copies);
        if (t) return t;
        s += h->letters[i] != '@';
    }
    return VM_TRAP_NONE;
}

vm_status vm_hostcall_run(struct vm_call *call, union vm_slot *slots, void *env)
{
    struct vm_hostcall *h = env;
    union vm_slot values[ARGS_MAX], result = {0};
    void *pointers[ARGS_MAX];
    struct copies copies;
    copies.count = 0;
    for (u32 i = 0; i < h->count; i++) pointers[i] = &values[i];
    const struct vm_alloc *alloc = call->exec->alloc;
    call->exec->trap = load_args(call, h, slots, values, &copies);
    call->answer = VM_TRAP;
    if (call->exec->trap == VM_TRAP_NONE) {
        call->answer = VM_OK;
        ffi_call(&h->cif, h->fn, &result, pointers);
    }
    free_copies(alloc, &copies);
    if (call->answer != VM_OK) return call->answer;
    if (h->result) store_result(h->result, &result, slots);
    return VM_OK;
}
