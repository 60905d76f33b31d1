/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is made line by line and given to a callback. Nothing about modules. */
#ifndef VM_DEBUG_TEXT_H
#define VM_DEBUG_TEXT_H

#include "base/port.h"

/** Who receives the text; `size` bytes, no final NUL. */
struct vm_text_sink {
    void (*write)(void *ctx, const char *text, usize size);
    void *ctx;
};

enum { VM_LINE_BYTES = 512 };

/** One line, cut to VM_LINE_BYTES. Zero `len` before the first use; others set `sink`. */
struct vm_line {
    const struct vm_text_sink *sink;
    usize len;
    char text[VM_LINE_BYTES];
};

/** Appends; what does not fit is left out. */
void vm_line_add(struct vm_line *l, const char *format, ...) VM_PRINTF(2, 3);
/** Appends bytes from a module: quotes, backslashes, control characters as \xNN, long ones cut. */
void vm_line_add_name(struct vm_line *l, const u8 *data, usize size);
/** Spaces up to `column`, at least one. */
void vm_line_pad(struct vm_line *l, usize column);
/** Writes the line, without spaces at its end and with a newline, and empties it. */
void vm_line_end(struct vm_line *l);

#endif
