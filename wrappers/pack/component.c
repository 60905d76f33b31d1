/* SPDX-License-Identifier: Apache-2.0 */
/* component.c - what a component imports and exports: names alone, nothing else is looked at. */
#include "pack/pack.h"

#include <string.h>

enum { SECTION_IMPORT = 10, SECTION_EXPORT = 11, HEADER = 8, ITEMS_MAX = 10000 };

/** Bytes being read; `bad` once they were not what they should be. */
struct reader {
    const unsigned char *at;
    const unsigned char *end;
    bool bad;
};

static unsigned take_byte(struct reader *in)
{
    if (in->at == in->end) {
        in->bad = true;
        return 0;
    }
    return *in->at++;
}

static uint32_t take_u32(struct reader *in)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        unsigned byte = take_byte(in);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            return value;
        }
    }
    in->bad = true;
    return 0;
}

/* importname and exportname: a kind, then the name; kind 2 has a suffix of the version. */
static json_t *take_name(struct reader *in)
{
    unsigned kind = take_byte(in);
    uint32_t size = take_u32(in);
    if (in->bad || kind > 2 || size > (size_t)(in->end - in->at)) {
        in->bad = true;
        return NULL;
    }
    json_t *name = json_stringn((const char *)in->at, size); /* NULL: not UTF-8 */
    in->at += size;
    if (kind == 2) {
        size = take_u32(in);
        in->bad = in->bad || size > (size_t)(in->end - in->at);
        in->at += in->bad ? 0 : size;
    }
    in->bad = in->bad || !name;
    return name;
}

/* externdesc */
static void skip_desc(struct reader *in)
{
    unsigned kind = take_byte(in);
    switch (kind) {
    case 0: /* a core module */ in->bad = in->bad || take_byte(in) != 0x11; break;
    case 2: /* a value, bound by its type or equal to another */
    case 3: /* a type, equal to another or a new resource */
        if (take_byte(in) == 1 && kind == 3) {
            return;
        }
        break;
    case 1:
    case 4:
    case 5: break;
    default: in->bad = true;
    }
    (void)take_u32(in);
}

static void skip_sort_index(struct reader *in)
{
    if (take_byte(in) == 0) {
        (void)take_byte(in);
    }
    (void)take_u32(in);
    if (take_byte(in) == 1) {
        skip_desc(in);
    }
}

static void take_names(struct reader *in, bool exports, json_t *out)
{
    uint32_t count = take_u32(in);
    in->bad = in->bad || count > ITEMS_MAX;
    while (!in->bad && count--) {
        json_t *name = take_name(in);
        if (exports) {
            skip_sort_index(in);
        } else {
            skip_desc(in);
        }
        in->bad = json_array_append_new(out, name) != 0 || in->bad;
    }
    in->bad = in->bad || in->at != in->end;
}

bool wrap_component_is(const char *bytes, size_t size)
{
    /* Layer 1 in the upper half of what is the version of a core module. */
    return size >= HEADER && memcmp(bytes, "\0asm", 4) == 0 && bytes[6] == 1 && bytes[7] == 0;
}

json_t *wrap_component_names(const char *bytes, size_t size)
{
    const unsigned char *all = (const unsigned char *)bytes;
    struct reader in = {all + HEADER, all + size, size < HEADER};
    json_t *exports = json_array();
    json_t *imports = json_array();
    while (!in.bad && in.at < in.end) {
        unsigned id = take_byte(&in);
        uint32_t length = take_u32(&in);
        if (in.bad || length > (size_t)(in.end - in.at)) {
            in.bad = true;
            break;
        }
        struct reader section = {in.at, in.at + length, false};
        if (id == SECTION_IMPORT || id == SECTION_EXPORT) {
            take_names(&section, id == SECTION_EXPORT, id == SECTION_EXPORT ? exports : imports);
        }
        in.bad = section.bad;
        in.at += length;
    }
    json_t *names = in.bad ? NULL : json_pack("{s:O, s:O}", "exports", exports, "imports", imports);
    json_decref(exports);
    json_decref(imports);
    return names;
}
