/* SPDX-License-Identifier: Apache-2.0 */
/* The end of translated code. Making it is translate's. */
#include "isa/code.h"

#include "base/alloc.h"

void vm_code_free(const struct vm_alloc *a, struct vm_code *c)
{
    const struct vm_handlers *h = c->handlers;
    vm_alloc_free(a, c->words, (usize)c->word_count * sizeof *c->words);
    if (c->map) vm_alloc_free(a, c->map, ((usize)c->map_count + 1) * sizeof *c->map);
    if (h) vm_alloc_free(a, c->handlers, vm_handlers_bytes(h->try_count, h->catch_count));
    c->words = NULL;
    c->map = NULL;
    c->handlers = NULL;
}
