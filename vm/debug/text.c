/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text: appending, escaping, columns. */
#include "debug/text.h"

#include <stdarg.h>
#include <stdio.h>

void vm_line_add(struct vm_line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->len, sizeof l->text - l->len, format, args);
    va_end(args);
    if (n <= 0) return;
    l->len += (usize)n;
    if (l->len > sizeof l->text - 1) l->len = sizeof l->text - 1;
}

/** Length of a character that a terminal may be given, else 0. Names are valid UTF-8. */
static usize plain_size(const u8 *p, usize left)
{
    if (p[0] == '"' || p[0] == '\\' || p[0] < 0x20 || p[0] == 0x7f) return 0;
    if (p[0] < 0x80) return 1;
    usize size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    bool c1 = p[0] == 0xc2 && left > 1 && p[1] < 0xa0;
    return size <= left && !c1 ? size : 0;
}

void vm_line_add_name(struct vm_line *l, const u8 *data, usize size)
{
    enum { SHOWN = 160 };
    for (usize i = 0; i < size;) {
        usize n = plain_size(data + i, size - i);
        if (i >= SHOWN) {
            vm_line_add(l, "...");
            return;
        }
        if (n)
            vm_line_add(l, "%.*s", (int)n, (const char *)data + i);
        else
            vm_line_add(l, "\\x%02x", data[i]);
        i += n ? n : 1;
    }
}

void vm_line_pad(struct vm_line *l, usize column)
{
    do vm_line_add(l, " ");
    while (l->len < column && l->len < sizeof l->text - 1);
}

void vm_line_end(struct vm_line *l)
{
    while (l->len && l->text[l->len - 1] == ' ') l->len--;
    l->text[l->len] = '\n'; /* len is at most one less than the room */
    l->sink->write(l->sink->ctx, l->text, l->len + 1);
    l->len = 0;
}
