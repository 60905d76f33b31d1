/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - a JSON document of 200 records parsed into a tree and walked. size: repetitions. */
#include "workload.h"

#include <stdio.h>

enum kind { NUMBER, STRING, LIST, OBJECT, LITERAL };

struct value {
    enum kind kind;
    u32 length;         /* of the text */
    const char *text;   /* string, literal */
    const char *key;    /* in an object */
    double number;
    struct value *first, *next;
};

struct parser {
    const char *at;
    struct value *pool;
    u32 used;
};

static char *make_document(void)
{
    char *text = wl_alloc(200 * 160);
    u32 seed = 77;
    u32 at = 0;
    at += (u32)sprintf(text + at, "[\n");
    for (u32 i = 0; i < 200; i++) {
        u32 a = wl_random(&seed);
        at += (u32)sprintf(
            text + at,
            "  {\"id\": %u, \"name\": \"user \\\"%u\\\"\", \"score\": -%u.%03ue%u,\n"
            "   \"tags\": [\"t%u\", null, true, [%u, %u]], \"nested\": {\"a\": {}}}%s\n",
            i, a % 1000, a % 97, a >> 23, a % 4, a % 13, a % 7, a % 11, i < 199 ? "," : "");
    }
    sprintf(text + at, "]\n");
    return text;
}

static void skip_space(struct parser *parser)
{
    while (*parser->at == ' ' || *parser->at == '\n') parser->at++;
}

static double parse_number(struct parser *parser)
{
    double number = 0;
    double scale = 1;
    i32 exponent = 0;
    if (*parser->at == '-') scale = -1, parser->at++;
    for (; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        number = number * 10 + (*parser->at - '0');
    }
    if (*parser->at == '.') {
        for (parser->at++; *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
            number = number * 10 + (*parser->at - '0');
            scale /= 10;
        }
    }
    if (*parser->at == 'e') exponent = parser->at[1] - '0', parser->at += 2;
    for (; exponent > 0; exponent--) number *= 10;
    return number * scale;
}

static void parse_string(struct parser *parser, struct value *value)
{
    value->text = ++parser->at;
    for (; *parser->at != '"'; parser->at++) {
        if (*parser->at == '\\') parser->at++;
    }
    value->length = (u32)(parser->at++ - value->text);
}

static struct value *parse(struct parser *parser);

static void parse_list(struct parser *parser, struct value *list, char end)
{
    struct value **last = &list->first;
    parser->at++;
    for (skip_space(parser); *parser->at != end; skip_space(parser)) {
        struct value key = {.text = NULL};
        if (end == '}') {
            parse_string(parser, &key);
            parser->at++; /* the colon */
        }
        *last = parse(parser);
        (*last)->key = key.text;
        last = &(*last)->next;
        skip_space(parser);
        if (*parser->at == ',') parser->at++;
    }
    parser->at++;
}

static struct value *parse(struct parser *parser)
{
    struct value *value = &parser->pool[parser->used++];
    memset(value, 0, sizeof *value);
    skip_space(parser);
    switch (*parser->at) {
    case '{': value->kind = OBJECT, parse_list(parser, value, '}'); break;
    case '[': value->kind = LIST, parse_list(parser, value, ']'); break;
    case '"': value->kind = STRING, parse_string(parser, value); break;
    case 't':
    case 'n': value->kind = LITERAL, value->text = parser->at, parser->at += 4; break;
    default: value->kind = NUMBER, value->number = parse_number(parser); break;
    }
    return value;
}

static double weigh(const struct value *value, u32 depth)
{
    double sum = value->number * depth + value->length + (value->key ? value->key[0] : 0);
    for (const struct value *kid = value->first; kid; kid = kid->next) sum += weigh(kid, depth + 1);
    return sum;
}

u64 workload(u32 size)
{
    const char *text = make_document();
    struct value *pool = wl_alloc(200 * 20 * sizeof pool[0]);
    u64 sum = 0;
    for (u32 i = 0; i < size; i++) {
        struct parser parser = {text, pool, 0};
        sum = wl_mix(sum, wl_double_bits(weigh(parse(&parser), i)) + parser.used);
    }
    return sum;
}
