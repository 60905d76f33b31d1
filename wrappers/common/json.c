/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - JSON strings on a stream, whatever bytes they are made from. */
#include "common/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_tail(unsigned char c) { return (c & 0xc0) == 0x80; }

size_t wrap_utf8_sequence(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < size; i++) {
        if (i >= left || !is_tail(at[i])) {
            return 0;
        }
    }
    bool overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    bool surrogate = first == 0xed && at[1] >= 0xa0;
    bool large = first == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || large ? 0 : size;
}

void wrap_json_string(FILE *to, const char *text, size_t size)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', to);
    for (size_t i = 0; i < size;) {
        size_t length = wrap_utf8_sequence(at + i, size - i);
        if (!length) {
            fputs("\\ufffd", to);
            i++;
            continue;
        }
        bool c1 = length == 2 && at[i] == 0xc2 && at[i + 1] < 0xa0;
        if (at[i] == '"' || at[i] == '\\') {
            fprintf(to, "\\%c", at[i]);
        } else if (at[i] < 0x20 || at[i] == 0x7f || c1) {
            fprintf(to, "\\u%04x", (unsigned)(c1 ? at[i + 1] : at[i]));
        } else {
            fwrite(at + i, 1, length, to);
        }
        i += length;
    }
    fputc('"', to);
}

void wrap_json_field(FILE *to, const char *key, const char *text, size_t size)
{
    fprintf(to, "\"%s\":", key);
    wrap_json_string(to, text, size);
}

void wrap_json_more(FILE *to, const char *key, const char *text)
{
    fputc(',', to);
    wrap_json_field(to, key, text, strlen(text));
}
