/* SPDX-License-Identifier: Apache-2.0 */
/* toml_value.c - strings, numbers, arrays and inline tables of a TOML file. */
#include "node/toml_impl.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- strings */

static bool starts(const struct wrap_toml_reader *in, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(in->end - in->at) >= size && memcmp(in->at, word, size) == 0;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(lead[size] | c);
    return size;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* \uXXXX and \UXXXXXXXX, behind the letter. Never longer than its text. */
static bool unicode(struct wrap_toml_reader *in, int digits, char **out)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, in->at++) {
        int digit = in->at < in->end ? hex_digit(*in->at) : -1;
        if (digit < 0) return wrap_toml_bad(in, "an escape needs %d hexadecimal digits", digits);
        c = c << 4 | (uint32_t)digit;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        return wrap_toml_bad(in, "an escape is no character");
    }
    *out += put_utf8(*out, c);
    return true;
}

/* A backslash before the end of a line takes all white space away that follows. */
static bool continued(struct wrap_toml_reader *in)
{
    const char *from = in->at;
    wrap_toml_blanks(in);
    if (!wrap_toml_newline(in)) {
        in->at = from;
        return false;
    }
    do {
        wrap_toml_blanks(in);
    } while (wrap_toml_newline(in));
    return true;
}

static bool escape(struct wrap_toml_reader *in, bool lines, char **out)
{
    static const char letters[] = "btnfr\"\\", meant[] = "\b\t\n\f\r\"\\";
    in->at++;
    if (lines && continued(in)) return true;
    char c = in->at < in->end ? *in->at : '\0';
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        in->at++;
        *(*out)++ = meant[letter - letters];
        return true;
    }
    if (c != 'u' && c != 'U') return wrap_toml_bad(in, "an unknown escape in a string");
    in->at++;
    return unicode(in, c == 'u' ? 4 : 8, out);
}

/* One or two quotes may stand before the three that end a string of lines. */
static bool ends_here(struct wrap_toml_reader *in, char quote, bool long_one, char **out)
{
    if (*in->at != quote) return false;
    if (!long_one) {
        in->at++;
        return true;
    }
    size_t count = 0;
    while (count < 5 && (size_t)(in->end - in->at) > count && in->at[count] == quote) {
        count++;
    }
    size_t kept = count >= 3 ? count - 3 : count;
    memset(*out, quote, kept);
    *out += kept;
    in->at += count;
    return count >= 3;
}

static bool plain(struct wrap_toml_reader *in, bool long_one, char **out)
{
    unsigned char c = (unsigned char)*in->at;
    const char *from = in->at;
    if (long_one && wrap_toml_newline(in)) {
        memcpy(*out, from, (size_t)(in->at - from));
        *out += in->at - from;
        return true;
    }
    if (c == '\n' || c == '\r') return wrap_toml_bad(in, "a string is not closed");
    if ((c < ' ' && c != '\t') || c == 0x7f) {
        return wrap_toml_bad(in, "a control character in a string");
    }
    *(*out)++ = *in->at++;
    return true;
}

/* Into `out`, which has room for all that is left of the file. */
static bool body(struct wrap_toml_reader *in, char quote, bool long_one, char **out)
{
    for (;;) {
        if (in->at == in->end) return wrap_toml_bad(in, "a string is not closed");
        const char *before = in->at;
        if (ends_here(in, quote, long_one, out)) return true;
        if (in->at != before) continue;
        bool good =
            *in->at == '\\' && quote == '"' ? escape(in, long_one, out) : plain(in, long_one, out);
        if (!good) return false;
    }
}

/* Bytes to the farthest place where the string can end: what its text has room in. */
static size_t room(const struct wrap_toml_reader *in, bool long_one)
{
    size_t left = (size_t)(in->end - in->at);
    const char *end = long_one ? NULL : memchr(in->at, '\n', left);
    if (long_one) {
        char triple[4] = {in->at[-1], in->at[-1], in->at[-1], 0};
        end = memmem(in->at, left, triple, 3);
        /* The three may be escaped: then the string is longer. */
        if (end && end > in->at && end[-1] == '\\') end = NULL;
    }
    return end ? (size_t)(end - in->at) + 8 : left;
}

bool wrap_toml_string(struct wrap_toml_reader *in, bool lines, char **text, size_t *size)
{
    char quote = *in->at;
    bool long_one = lines && starts(in, quote == '"' ? "\"\"\"" : "'''");
    in->at += long_one ? 3 : 1;
    *text = malloc(room(in, long_one) + 1);
    if (!*text) return wrap_toml_bad(in, "no memory");
    char *out = *text;
    if (long_one) (void)wrap_toml_newline(in);
    if (!body(in, quote, long_one, &out)) {
        free(*text);
        *text = NULL;
        return false;
    }
    *out = '\0';
    *size = (size_t)(out - *text);
    char *fitting = realloc(*text, *size + 1); /* many strings may share one long line */
    *text = fitting ? fitting : *text;
    return true;
}

/* ---------------------------------------------------------------- numbers, dates */

/* Digits of a base with single underscores between them: how many bytes; 0: none. */
static size_t digits(const char *at, int base)
{
    size_t size = 0;
    for (;; size++) {
        int digit = hex_digit(at[size]);
        bool between = at[size] == '_' && size > 0 && at[size - 1] != '_';
        if (!between && (digit < 0 || digit >= base)) break;
    }
    return size > 0 && at[size - 1] == '_' ? 0 : size;
}

static bool is_integer(const char *word, long long *value)
{
    char clean[72];
    size_t used = 0;
    const char *at = word;
    int base = 10;
    if (at[0] == '0' && at[1] && strchr("xob", at[1])) {
        base = at[1] == 'x' ? 16 : at[1] == 'o' ? 8 : 2;
        at += 2;
    } else if (*at == '+' || *at == '-') {
        clean[used++] = *at++;
    }
    size_t size = digits(at, base);
    if (size == 0 || at[size] || (base == 10 && at[0] == '0' && size > 1)) return false;
    for (; *at && used < sizeof clean - 1; at++) {
        if (*at != '_') clean[used++] = *at;
    }
    clean[used] = '\0';
    errno = 0;
    *value = strtoll(clean, NULL, base);
    return !errno && !*at;
}

static bool is_float(const char *at)
{
    at += *at == '+' || *at == '-';
    if (strcmp(at, "inf") == 0 || strcmp(at, "nan") == 0) return true;
    size_t size = digits(at, 10);
    if (size == 0 || (at[0] == '0' && size > 1)) return false;
    at += size;
    if (*at == '.') {
        size = digits(at + 1, 10);
        if (size == 0) return false;
        at += 1 + size;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '+' || at[1] == '-' ? 2 : 1;
        size = digits(at, 10);
        if (size == 0) return false;
        at += size;
    }
    return !*at;
}

/* The shape of dates and times, not whether there is such a day: nothing here has to know. */
static bool is_time(const char *word)
{
    static const char date[] = "dddd-dd-dd", clock[] = "dd:dd:dd";
    const char *shape = strlen(word) > 2 && word[2] == ':' ? clock : date;
    for (; *shape; shape++, word++) {
        if (*shape == 'd' ? *word < '0' || *word > '9' : *word != *shape) return false;
    }
    return word[strspn(word, "0123456789:.+-TtZz ")] == '\0';
}

static bool scalar(struct wrap_toml_reader *in, struct wrap_toml *into)
{
    char word[128];
    size_t size = 0;
    for (; in->at < in->end && size < sizeof word - 1; in->at++) {
        char c = *in->at;
        bool date = c == ' ' && size == 10 && word[4] == '-' && in->at + 1 < in->end &&
                    in->at[1] >= '0' && in->at[1] <= '9';
        if (!date && (!c || strchr(" \t\r\n,#]}[{=\"'", c))) break;
        word[size++] = c;
    }
    word[size] = '\0';
    into->kind = WRAP_TOML_OTHER;
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0) {
        into->kind = WRAP_TOML_BOOLEAN;
        into->number = word[0] == 't';
    } else if (is_integer(word, &into->number)) {
        into->kind = WRAP_TOML_INTEGER;
    } else if (!is_float(word) && !is_time(word)) {
        return wrap_toml_bad(in, size ? "'%.40s' is no value" : "a value is missing", word);
    }
    return true;
}

/* ---------------------------------------------------------------- arrays, inline tables */

static bool comma_or(struct wrap_toml_reader *in, char end, bool *more)
{
    if (in->at == in->end || (*in->at != ',' && *in->at != end)) {
        return wrap_toml_bad(in, "',' or '%c' is missing", end);
    }
    *more = *in->at++ == ',';
    return true;
}

static bool array(struct wrap_toml_reader *in, struct wrap_toml *into, unsigned depth)
{
    into->kind = WRAP_TOML_ARRAY;
    in->at++;
    for (bool more = true; more;) {
        if (!wrap_toml_space(in)) return false;
        if (in->at < in->end && *in->at == ']') {
            in->at++;
            return true;
        }
        struct wrap_toml *value = wrap_toml_add(in, into, NULL, 0);
        if (!value || !wrap_toml_value(in, value, depth) || !wrap_toml_space(in)) return false;
        if (!comma_or(in, ']', &more)) return false;
    }
    return true;
}

static void close_all(struct wrap_toml *table)
{
    table->closed = true;
    for (struct wrap_toml *at = table->first; at; at = at->next) {
        if (at->kind == WRAP_TOML_TABLE) close_all(at);
    }
}

static bool inline_table(struct wrap_toml_reader *in, struct wrap_toml *into, unsigned depth)
{
    into->kind = WRAP_TOML_TABLE;
    in->at++;
    wrap_toml_blanks(in);
    if (in->at < in->end && *in->at == '}') {
        in->at++;
        into->closed = true;
        return true;
    }
    for (bool more = true; more;) {
        wrap_toml_blanks(in);
        if (!wrap_toml_pair(in, into, depth)) return false;
        wrap_toml_blanks(in);
        if (!comma_or(in, '}', &more)) return false;
    }
    close_all(into);
    return true;
}

bool wrap_toml_value(struct wrap_toml_reader *in, struct wrap_toml *into, unsigned depth)
{
    if (depth == WRAP_TOML_DEPTH_MAX) {
        return wrap_toml_bad(in, "values in values, more than %d deep", WRAP_TOML_DEPTH_MAX);
    }
    char c = in->at < in->end ? *in->at : '\0';
    if (c == '[') return array(in, into, depth + 1);
    if (c == '{') return inline_table(in, into, depth + 1);
    if (c != '"' && c != '\'') return scalar(in, into);
    into->kind = WRAP_TOML_STRING;
    return wrap_toml_string(in, true, &into->text, &into->text_size);
}
