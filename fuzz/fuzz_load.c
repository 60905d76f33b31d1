/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: decode and validate any bytes, then free. What a valid module does when it runs
 * is fuzz_exec_diff's.
 */
#include "binary/module.h"
#include "validate/validate.h"

#include <stdlib.h>

/* Bytes held, and how many more requests are granted; -1: all. */
struct heap {
    usize live;
    i64 grants;
};

static void *heap_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    struct heap *h = ctx;
    if (new_bytes == 0) {
        free(ptr);
        h->live -= ptr ? old_bytes : 0;
        return NULL;
    }
    if (h->grants == 0) return NULL;
    if (h->grants > 0) h->grants--;
    void *moved = realloc(ptr, new_bytes);
    if (moved) h->live += new_bytes - (ptr ? old_bytes : 0);
    return moved;
}

/* A broken promise of the headers: stop where the fuzzer sees it. */
static void must(bool holds)
{
    if (!holds) abort();
}

static void load(const u8 *data, usize size, i64 grants, vm_features features)
{
    struct heap heap = {.grants = grants};
    const struct vm_alloc alloc = {heap_realloc, &heap};
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    vm_status status = vm_module_decode(&m, &alloc, data, size, &err);
    must(status == err.status);
    if (status != VM_OK) {
        must(heap.live == 0);
        return;
    }
    struct vm_name name;
    (void)vm_module_func_name(&m, (u32)size, &name);
    status = vm_validate_module(&m, features, &alloc, &err);
    must(status == err.status);
    vm_module_free(&m);
    must(heap.live == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u32 mix = 2166136261u;
    for (usize i = 0; i < size; i++) mix = (mix ^ data[i]) * 16777619u;
    load(data, size, -1, vm_features_all());
    if (mix % 4 == 0) load(data, size, -1, vm_features_executable());
    if (mix % 4 == 1) load(data, size, mix >> 2 & 63, vm_features_all());
    return 0;
}
