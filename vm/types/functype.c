/* SPDX-License-Identifier: Apache-2.0 */
/* Function types as WebAssembly text. */
#include "types/deftype.h"

#include <string.h>

/* Output as snprintf gives it: `len` counts on past `cap`. */
struct printer {
    char *buf;
    usize cap, len;
};

static void print_text(struct printer *out, const char *text)
{
    usize size = strlen(text);
    if (out->len < out->cap) {
        usize room = out->cap - out->len - 1;
        usize part = size < room ? size : room;
        memcpy(out->buf + out->len, text, part);
        out->buf[out->len + part] = '\0';
    }
    out->len += size;
}

/* " (param i32 i64)", or nothing for no types. */
static void print_list(struct printer *out, const char *keyword, const vm_valtype *types, u32 count)
{
    if (count == 0) return;
    print_text(out, " (");
    print_text(out, keyword);
    for (u32 i = 0; i < count; i++) {
        char name[40];
        vm_valtype_print(types[i], name, sizeof name);
        print_text(out, " ");
        print_text(out, name);
    }
    print_text(out, ")");
}

usize vm_functype_print(const struct vm_functype *t, char *buf, usize cap)
{
    struct printer out = {buf, cap, 0};
    print_text(&out, "(func");
    if (t->param_count) print_list(&out, "param", t->types, t->param_count);
    if (t->result_count) print_list(&out, "result", t->types + t->param_count, t->result_count);
    print_text(&out, ")");
    return out.len;
}
