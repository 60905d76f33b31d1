/* SPDX-License-Identifier: Apache-2.0 */
/* invoke.c - `--invoke`: words into typed arguments, typed results into lines. */
#include "run/run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_name(wr_valkind_t kind)
{
    static const char *const names[] = {
        [WR_I32] = "i32",
        [WR_I64] = "i64",
        [WR_F32] = "f32",
        [WR_F64] = "f64",
        [WR_V128] = "v128",
        [WR_FUNCREF] = "funcref",
        [WR_EXTERNREF] = "externref",
        [WR_OTHERREF] = "ref",
        [WR_EXNREF] = "exnref",
    };
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}

/* ---------------------------------------------------------------- arguments */

/* Decimal or 0x hexadecimal from -2^(bits-1) to 2^bits-1. */
static bool parse_int(const char *text, unsigned bits, uint64_t *out)
{
    bool negative = text[0] == '-';
    const char *digits = text + (negative || text[0] == '+');
    if (digits[0] < '0' || digits[0] > '9') {
        return false;
    }
    bool hex = digits[0] == '0' && (digits[1] | 0x20) == 'x';
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(digits, &end, hex ? 16 : 10);
    uint64_t limit = negative ? UINT64_C(1) << (bits - 1) : UINT64_MAX >> (64 - bits);
    if (errno || *end || (hex && end == digits + 2) || number > limit) {
        return false;
    }
    *out = negative ? 0 - number : number;
    return true;
}

/* What strtod takes: decimal, hexadecimal, inf, nan; not empty, no space. Overflow is refused. */
static bool parse_float(const char *text, wr_valkind_t kind, wr_val_t *out)
{
    if (!text[0] || strchr(" \t\n\v\f\r", text[0])) {
        return false;
    }
    char *end = NULL;
    bool infinite = false;
    errno = 0;
    if (kind == WR_F32) {
        out->of.f32 = strtof(text, &end);
        infinite = isinf(out->of.f32);
    } else {
        out->of.f64 = strtod(text, &end);
        infinite = isinf(out->of.f64);
    }
    return end != text && !*end && !(errno == ERANGE && infinite);
}

static bool parse_value(const char *text, wr_valkind_t kind, wr_val_t *out)
{
    uint64_t bits = 0;
    memset(out, 0, sizeof *out);
    out->kind = kind;
    switch (kind) {
    case WR_I32:
        if (!parse_int(text, 32, &bits)) {
            return false;
        }
        out->of.i32 = (uint32_t)bits;
        return true;
    case WR_I64: return parse_int(text, 64, &out->of.i64);
    case WR_F32:
    case WR_F64: return parse_float(text, kind, out);
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_EXNREF:
    case WR_OTHERREF: return strcmp(text, "null") == 0;
    default: return false;
    }
}

/* Adds to a text of `cap` bytes; what does not fit is left out. */
static void add_text(char *text, size_t cap, const char *before, const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, cap - length, "%s%s", before, more);
}

/* "add i32 i32 -> i32" */
static void format_signature(const char *name, const wr_func_t *func, char *buf, size_t cap)
{
    buf[0] = 0;
    add_text(buf, cap, "", name);
    for (size_t i = 0; i < wr_func_param_count(func); i++) {
        add_text(buf, cap, " ", kind_name(wr_func_param(func, i)));
    }
    for (size_t i = 0; i < wr_func_result_count(func); i++) {
        add_text(buf, cap, i ? " " : " -> ", kind_name(wr_func_result(func, i)));
    }
}

bool wrap_invoke_args(const char *name, const wr_func_t *func, char **words, size_t count,
                      wr_val_t *out)
{
    size_t wanted = wr_func_param_count(func);
    if (wanted > WRAP_MAX_VALUES || wr_func_result_count(func) > WRAP_MAX_VALUES) {
        wrap_say("function '%s' has more than %d parameters or results", name, WRAP_MAX_VALUES);
        return false;
    }
    if (wanted != count) {
        char signature[1024];
        format_signature(name, func, signature, sizeof signature);
        wrap_say_detail(signature, "function '%s' takes %zu argument%s, %zu given:", name, wanted,
                        wanted == 1 ? "" : "s", count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        wr_valkind_t kind = wr_func_param(func, i);
        if (kind == WR_V128) {
            wrap_say("argument %zu of '%s' is a v128, which cannot be given as a word", i + 1,
                     name);
            return false;
        }
        if (!parse_value(words[i], kind, &out[i])) {
            wrap_say("argument %zu of '%s' must be of type %s, got '%s'", i + 1, name,
                     kind_name(kind), words[i]);
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- results */

static void print_nan(bool negative, uint64_t payload, uint64_t canonical)
{
    printf("%snan", negative ? "-" : "");
    if (payload != canonical) {
        printf(":0x%" PRIx64, payload);
    }
    putchar('\n');
}

/* The fewest digits that read back as the same number. */
static void print_f32(float value, uint32_t bits)
{
    if (isnan(value)) {
        print_nan(bits >> 31, bits & 0x7fffff, 0x400000);
        return;
    }
    char text[64];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) {
            break;
        }
    }
    puts(text);
}

static void print_f64(double value, uint64_t bits)
{
    if (isnan(value)) {
        print_nan(bits >> 63, bits & UINT64_C(0xfffffffffffff), UINT64_C(0x8000000000000));
        return;
    }
    char text[64];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    puts(text);
}

static void print_v128(const uint8_t bytes[16])
{
    fputs("0x", stdout);
    for (int i = 15; i >= 0; i--) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
}

void wrap_invoke_print(const wr_val_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const wr_val_t *value = &values[i];
        switch (value->kind) {
        case WR_I32: printf("%" PRId32 "\n", (int32_t)value->of.i32); break;
        case WR_I64: printf("%" PRId64 "\n", (int64_t)value->of.i64); break;
        case WR_F32: print_f32(value->of.f32, value->of.i32); break;
        case WR_F64: print_f64(value->of.f64, value->of.i64); break;
        case WR_V128: print_v128(value->of.v128); break;
        case WR_FUNCREF: puts(value->of.func ? "function" : "null"); break;
        default: puts(value->of.ref ? kind_name(value->kind) : "null"); break;
        }
    }
}
