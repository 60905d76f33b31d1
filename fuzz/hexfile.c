/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing cases as text. */
#include "hexfile.h"

#include <ctype.h>

static bool read_all(const char *path, struct bytes *out)
{
    char buf[4096];
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    for (size_t n = fread(buf, 1, sizeof buf, f); n; n = fread(buf, 1, sizeof buf, f))
        bytes_put(out, buf, n);
    bytes_u8(out, 0);
    return fclose(f) == 0;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** One line of hexadecimal; false when something else stands in it. */
static bool hex_line(const char *s, struct bytes *out)
{
    int high = -1;
    for (; *s && *s != '\n'; s++) {
        int d = digit(*s);
        if (isspace((unsigned char)*s)) continue;
        if (d < 0) return false;
        if (high >= 0) bytes_u8(out, (u8)(high << 4 | d));
        high = high >= 0 ? -1 : d;
    }
    return high < 0;
}

static bool parse(const char *s, struct diff_case *out)
{
    while (*s) {
        const char *end = strchr(s, '\n');
        usize size = end ? (usize)(end - s) : strlen(s);
        if (strncmp(s, "seed ", 5) == 0)
            out->seed = strtoull(s + 5, NULL, 0);
        else if (size == 6 && strncmp(s, "module", 6) == 0) {
            if (out->count++ == GEN_MODULES) return false;
        } else if (*s != '#' && size &&
                   (out->count == 0 || !hex_line(s, &out->module[out->count - 1])))
            return false;
        s += size + (end ? 1 : 0);
    }
    return out->count > 0;
}

bool hexfile_read(const char *path, struct diff_case *out)
{
    struct bytes b = {0};
    *out = (struct diff_case){0};
    bool ok = read_all(path, &b);
    if (ok && b.size > 8 && memcmp(b.data, "\0asm", 4) == 0) {
        b.size--;
        out->count = 1;
        out->module[0] = b;
        return true;
    }
    ok = ok && parse((const char *)b.data, out);
    bytes_free(&b);
    if (!ok) (void)fprintf(stderr, "%s: neither a case nor a module\n", path);
    return ok;
}

void hexfile_write(FILE *f, const struct diff_case *c, const char *comment)
{
    (void)fprintf(f, "# %s\nseed %llu\n", comment, (unsigned long long)c->seed);
    for (u32 i = 0; i < c->count; i++) {
        (void)fprintf(f, "module");
        for (usize k = 0; k < c->module[i].size; k++)
            (void)fprintf(f, "%s%02x", k % 32 ? " " : "\n", c->module[i].data[k]);
        (void)fprintf(f, "\n");
    }
}

void hexfile_free(struct diff_case *c)
{
    for (u32 i = 0; i < GEN_MODULES; i++) bytes_free(&c->module[i]);
}
