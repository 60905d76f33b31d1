/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - values of the JSON scripts: making arguments, comparing and printing results. */
#include "spectest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- tables */

struct value_type {
    const char *name;
    wr_valkind_t kind;
};

/* How a type's name in a script maps to the API. */
static const struct value_type value_types[] = {
    {"i32", WR_I32},
    {"i64", WR_I64},
    {"f32", WR_F32},
    {"f64", WR_F64},
    {"v128", WR_V128},
    {"funcref", WR_FUNCREF},
    {"nullfuncref", WR_FUNCREF},
    {"externref", WR_EXTERNREF},
    {"nullexternref", WR_EXTERNREF},
    {"anyref", WR_OTHERREF},
    {"eqref", WR_OTHERREF},
    {"i31ref", WR_OTHERREF},
    {"structref", WR_OTHERREF},
    {"arrayref", WR_OTHERREF},
    {"exnref", WR_EXNREF},
    {"nullref", WR_OTHERREF},
    {"nullexnref", WR_EXNREF},
    {"hostref", WR_OTHERREF},
    {"refnull", WR_OTHERREF},
};

struct lane_type {
    const char *name;
    unsigned bytes;
    bool is_float;
};

static const struct lane_type lane_types[] = {
    {"i8", 1, false},  {"i16", 2, false}, {"i32", 4, false},
    {"i64", 8, false}, {"f32", 4, true},  {"f64", 8, true},
};

static const struct value_type *find_type(const char *name)
{
    for (size_t i = 0; name && i < sizeof value_types / sizeof value_types[0]; i++) {
        if (strcmp(value_types[i].name, name) == 0) {
            return &value_types[i];
        }
    }
    return NULL;
}

static const struct lane_type *find_lanes(const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "lane_type"));
    for (size_t i = 0; name && i < sizeof lane_types / sizeof lane_types[0]; i++) {
        if (strcmp(lane_types[i].name, name) == 0) {
            return &lane_types[i];
        }
    }
    return NULL;
}

/* ---------------------------------------------------------------- scalars */

static bool parse_bits(const char *text, uint64_t *out)
{
    if (!text || text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    return *end == 0;
}

/* Bits against a number or a NaN pattern; `bytes` is the width of the type. */
static bool bits_match(const char *expected, uint64_t got, unsigned bytes)
{
    uint64_t sign = bytes == 4 ? UINT64_C(0x80000000) : UINT64_C(0x8000000000000000);
    uint64_t quiet = bytes == 4 ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
    if (expected && strcmp(expected, "nan:canonical") == 0) {
        return (got & ~sign) == quiet;
    }
    if (expected && strcmp(expected, "nan:arithmetic") == 0) {
        return (got & quiet) == quiet;
    }
    uint64_t want = 0;
    return parse_bits(expected, &want) && want == got;
}

static uint64_t load_lane(const uint8_t *from, unsigned bytes)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < bytes; i++) {
        bits |= (uint64_t)from[i] << (8 * i);
    }
    return bits;
}

static bool parse_lanes(const json_t *json, uint8_t out[16])
{
    const struct lane_type *lanes = find_lanes(json);
    const json_t *list = json_object_get(json, "value");
    if (!lanes || json_array_size(list) != 16 / lanes->bytes) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint64_t bits = 0;
        if (!parse_bits(json_string_value(json_array_get(list, i)), &bits)) {
            return false;
        }
        for (unsigned byte = 0; byte < lanes->bytes; byte++) {
            out[i * lanes->bytes + byte] = (uint8_t)(bits >> (8 * byte));
        }
    }
    return true;
}

static bool lanes_match(const json_t *json, const uint8_t got[16])
{
    const struct lane_type *lanes = find_lanes(json);
    const json_t *list = json_object_get(json, "value");
    if (!lanes || json_array_size(list) != 16 / lanes->bytes) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint64_t bits = load_lane(got + i * lanes->bytes, lanes->bytes);
        if (!bits_match(json_string_value(json_array_get(list, i)), bits, lanes->bytes)) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- references */

/* Host object n is the pointer n + 1, so that object 0 is not null. */
static bool parse_host_pointer(const char *text, void **out)
{
    uint64_t number = 0;
    if (!parse_bits(text, &number)) {
        return false;
    }
    *out = (void *)(uintptr_t)(number + 1);
    return true;
}

static bool is_reference(wr_valkind_t kind)
{
    return kind == WR_FUNCREF || kind == WR_EXTERNREF || kind == WR_EXNREF || kind == WR_OTHERREF;
}

static const void *pointer_of(const wr_val_t *value)
{
    return value->kind == WR_FUNCREF ? (const void *)value->of.func : value->of.ref;
}

bool spec_value_from_json(const json_t *json, wr_val_t *out, const char **skip)
{
    const char *name = json_string_value(json_object_get(json, "type"));
    const char *text = json_string_value(json_object_get(json, "value"));
    const struct value_type *type = find_type(name);
    memset(out, 0, sizeof *out);
    *skip = "argument of a kind the runner does not know";
    if (!type) {
        return false;
    }
    out->kind = type->kind;
    uint64_t bits = 0;
    switch (type->kind) {
    case WR_I32:
    case WR_F32:
        out->of.i64 = 0;
        if (!parse_bits(text, &bits)) {
            return false;
        }
        out->of.i32 = (uint32_t)bits;
        return true;
    case WR_I64:
    case WR_F64: return parse_bits(text, &out->of.i64);
    case WR_V128: return parse_lanes(json, out->of.v128);
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_EXNREF:
    case WR_OTHERREF: break;
    }
    if (text && strcmp(text, "null") == 0) {
        return true;
    }
    *skip = "argument of a kind the API cannot express";
    return type->kind == WR_EXTERNREF && parse_host_pointer(text, &out->of.ref);
}

static enum spec_match match_if(bool equal) { return equal ? SPEC_MATCH : SPEC_MISMATCH; }

/* `text` is NULL (any non-null reference of the kind), "null" or the number of a host object. */
static enum spec_match match_reference(const struct value_type *type, const char *text,
                                       const wr_val_t *got)
{
    const void *pointer = pointer_of(got);
    if (strcmp(type->name, "refnull") == 0) {
        return match_if(!pointer);
    }
    if (got->kind != type->kind && got->kind != WR_OTHERREF && type->kind != WR_OTHERREF) {
        return SPEC_MISMATCH;
    }
    if (text && strcmp(text, "null") == 0) {
        return match_if(!pointer);
    }
    if (!pointer) {
        return SPEC_MISMATCH;
    }
    if (type->kind == WR_EXTERNREF && text) {
        void *want = NULL;
        return match_if(parse_host_pointer(text, &want) && want == pointer);
    }
    /* Which sort of heap object it is does not show through the API. */
    return type->kind == WR_OTHERREF ? SPEC_CANNOT_TELL : SPEC_MATCH;
}

enum spec_match spec_value_match(const json_t *expected, const wr_val_t *got)
{
    const char *name = json_string_value(json_object_get(expected, "type"));
    const json_t *choices = json_object_get(expected, "values");
    for (size_t i = 0; i < json_array_size(choices); i++) {
        enum spec_match match = spec_value_match(json_array_get(choices, i), got);
        if (match != SPEC_MISMATCH) {
            return match;
        }
    }
    const struct value_type *type = find_type(name);
    if (!type) {
        return SPEC_MISMATCH;
    }
    const char *text = json_string_value(json_object_get(expected, "value"));
    if (is_reference(type->kind)) {
        return is_reference(got->kind) ? match_reference(type, text, got) : SPEC_MISMATCH;
    }
    if (got->kind != type->kind) {
        return SPEC_MISMATCH;
    }
    switch (type->kind) {
    case WR_I32:
    case WR_F32: return match_if(bits_match(text, got->of.i32, 4));
    case WR_I64:
    case WR_F64: return match_if(bits_match(text, got->of.i64, 8));
    case WR_V128: return match_if(lanes_match(expected, got->of.v128));
    default: return SPEC_MISMATCH;
    }
}

void spec_value_print(const wr_val_t *value, char *buf, size_t cap)
{
    const void *pointer = is_reference(value->kind) ? pointer_of(value) : NULL;
    switch (value->kind) {
    case WR_I32: snprintf(buf, cap, "i32:%" PRIu32, value->of.i32); break;
    case WR_I64: snprintf(buf, cap, "i64:%" PRIu64, value->of.i64); break;
    case WR_F32:
        snprintf(buf, cap, "f32:%" PRIu32 " (0x%08" PRIx32 ", %g)", value->of.i32, value->of.i32,
                 (double)value->of.f32);
        break;
    case WR_F64:
        snprintf(buf, cap, "f64:%" PRIu64 " (0x%016" PRIx64 ", %g)", value->of.i64, value->of.i64,
                 value->of.f64);
        break;
    case WR_V128:
        snprintf(buf, cap, "v128:0x%016" PRIx64 "%016" PRIx64, load_lane(value->of.v128 + 8, 8),
                 load_lane(value->of.v128, 8));
        break;
    case WR_FUNCREF: snprintf(buf, cap, "funcref:%s", pointer ? "a function" : "null"); break;
    case WR_EXTERNREF:
        if (pointer) {
            snprintf(buf, cap, "externref:%" PRIuPTR, (uintptr_t)pointer - 1);
        } else {
            snprintf(buf, cap, "externref:null");
        }
        break;
    case WR_EXNREF:
    case WR_OTHERREF: snprintf(buf, cap, "ref:%s", pointer ? "non-null" : "null"); break;
    default: snprintf(buf, cap, "value of unknown kind %d", (int)value->kind); break;
    }
}
