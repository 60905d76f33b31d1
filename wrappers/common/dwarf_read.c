/* SPDX-License-Identifier: Apache-2.0 */
/* dwarf_read.c - integers, strings and attribute forms of DWARF 2 to 5 (DWARF 5, section 7). */
#include "common/dwarf_read.h"

#include <string.h>

const char *wrap_dwarf_section_name(unsigned section)
{
    static const char *const names[WRAP_DWARF_SECTIONS] = {
        ".debug_info", ".debug_abbrev",   ".debug_line",
        ".debug_str",  ".debug_line_str", ".debug_str_offsets",
        ".debug_addr", ".debug_ranges",   ".debug_rnglists",
    };
    return section < WRAP_DWARF_SECTIONS ? names[section] : NULL;
}

bool wrap_spend(struct wrap_dwarf *dwarf, uint64_t steps)
{
    dwarf->budget -= steps < dwarf->budget ? steps : dwarf->budget;
    return dwarf->budget > 0;
}

/* ---------------------------------------------------------------- cursors */

struct wrap_cursor wrap_cursor_at(const struct wrap_dwarf *dwarf, unsigned section, uint64_t offset)
{
    const struct wrap_bytes *bytes = &dwarf->section[section];
    if (!bytes->data || offset > bytes->size) {
        static const uint8_t nothing;
        return (struct wrap_cursor){&nothing, &nothing, true};
    }
    return (struct wrap_cursor){bytes->data + offset, bytes->data + bytes->size, false};
}

void wrap_skip(struct wrap_cursor *c, uint64_t bytes)
{
    if (bytes > (uint64_t)(c->end - c->at)) {
        c->bad = true;
        c->at = c->end;
    } else {
        c->at += bytes;
    }
}

uint64_t wrap_read_uint(struct wrap_cursor *c, unsigned bytes)
{
    uint64_t value = 0;
    const uint8_t *at = c->at;
    wrap_skip(c, bytes);
    for (unsigned i = 0; i < bytes && !c->bad; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

/* More bits than a number has, in groups of seven: padding beyond that is not read. */
enum { LEB_BITS = 70 };

uint64_t wrap_read_uleb(struct wrap_cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; c->at < c->end && shift < LEB_BITS; shift += 7) {
        uint8_t byte = *c->at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (!(byte & 0x80)) {
            return value;
        }
    }
    c->bad = true;
    return 0;
}

int64_t wrap_read_sleb(struct wrap_cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; c->at < c->end && shift < LEB_BITS;) {
        uint8_t byte = *c->at++;
        value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        shift += 7;
        if (!(byte & 0x80)) {
            value |= (byte & 0x40) && shift < 64 ? ~UINT64_C(0) << shift : 0;
            return (int64_t)value;
        }
    }
    c->bad = true;
    return 0;
}

const char *wrap_read_string(struct wrap_cursor *c)
{
    const uint8_t *begin = c->at;
    const uint8_t *end = memchr(begin, 0, (size_t)(c->end - begin));
    if (!end) {
        c->bad = true;
        c->at = c->end;
        return NULL;
    }
    c->at = end + 1;
    return (const char *)begin;
}

void wrap_read_unit_length(struct wrap_cursor *c, unsigned *offset_size)
{
    uint64_t length = wrap_read_uint(c, 4);
    *offset_size = 4;
    if (length == 0xffffffff) {
        length = wrap_read_uint(c, 8);
        *offset_size = 8;
    }
    if (c->bad || length > (uint64_t)(c->end - c->at)) {
        c->bad = true;
        c->end = c->at;
        return;
    }
    c->end = c->at + length;
}

/* ---------------------------------------------------------------- forms */

/* DW_FORM_*; what each means is in read_fixed and wrap_read_form. */
enum form {
    FORM_ADDR = 0x01,
    FORM_BLOCK2 = 0x03,
    FORM_BLOCK4,
    FORM_DATA2,
    FORM_DATA4,
    FORM_DATA8,
    FORM_STRING,
    FORM_BLOCK,
    FORM_BLOCK1,
    FORM_DATA1,
    FORM_FLAG,
    FORM_SDATA,
    FORM_STRP,
    FORM_UDATA,
    FORM_REF_ADDR,
    FORM_REF1,
    FORM_REF2,
    FORM_REF4,
    FORM_REF8,
    FORM_REF_UDATA,
    FORM_INDIRECT,
    FORM_SEC_OFFSET,
    FORM_EXPRLOC,
    FORM_FLAG_PRESENT,
    FORM_STRX,
    FORM_ADDRX,
    FORM_REF_SUP4,
    FORM_STRP_SUP,
    FORM_DATA16,
    FORM_LINE_STRP,
    FORM_REF_SIG8,
    FORM_IMPLICIT_CONST,
    FORM_LOCLISTX,
    FORM_RNGLISTX,
    FORM_REF_SUP8,
    FORM_STRX1,
    FORM_STRX2,
    FORM_STRX3,
    FORM_STRX4,
    FORM_ADDRX1,
    FORM_ADDRX2,
    FORM_ADDRX3,
    FORM_ADDRX4,
    FORMS
};

/* Bytes of forms of a fixed size; OFFSET and LEB depend, the others are not here. */
enum { OFFSET = 100, LEB = 101, OTHER = 0 };

struct form_row {
    uint8_t bytes;
    uint8_t kind; /* enum wrap_class */
};

static const struct form_row rows[FORMS] = {
    [FORM_DATA1] = {1, WRAP_CLASS_UINT},
    [FORM_DATA2] = {2, WRAP_CLASS_UINT},
    [FORM_DATA4] = {4, WRAP_CLASS_UINT},
    [FORM_DATA8] = {8, WRAP_CLASS_UINT},
    [FORM_FLAG] = {1, WRAP_CLASS_UINT},
    [FORM_UDATA] = {LEB, WRAP_CLASS_UINT},
    [FORM_SEC_OFFSET] = {OFFSET, WRAP_CLASS_UINT},
    [FORM_REF1] = {1, WRAP_CLASS_UNIT_REF},
    [FORM_REF2] = {2, WRAP_CLASS_UNIT_REF},
    [FORM_REF4] = {4, WRAP_CLASS_UNIT_REF},
    [FORM_REF8] = {8, WRAP_CLASS_UNIT_REF},
    [FORM_REF_UDATA] = {LEB, WRAP_CLASS_UNIT_REF},
    [FORM_REF_SIG8] = {8, WRAP_CLASS_NONE},
    [FORM_REF_SUP4] = {4, WRAP_CLASS_NONE},
    [FORM_REF_SUP8] = {8, WRAP_CLASS_NONE},
    [FORM_STRP] = {OFFSET, WRAP_CLASS_STRP},
    [FORM_LINE_STRP] = {OFFSET, WRAP_CLASS_LINE_STRP},
    [FORM_STRP_SUP] = {OFFSET, WRAP_CLASS_NONE},
    [FORM_LOCLISTX] = {LEB, WRAP_CLASS_NONE},
    [FORM_RNGLISTX] = {LEB, WRAP_CLASS_RNGLISTX},
    [FORM_STRX] = {LEB, WRAP_CLASS_STRX},
    [FORM_STRX1] = {1, WRAP_CLASS_STRX},
    [FORM_STRX2] = {2, WRAP_CLASS_STRX},
    [FORM_STRX3] = {3, WRAP_CLASS_STRX},
    [FORM_STRX4] = {4, WRAP_CLASS_STRX},
    [FORM_ADDRX] = {LEB, WRAP_CLASS_ADDRX},
    [FORM_ADDRX1] = {1, WRAP_CLASS_ADDRX},
    [FORM_ADDRX2] = {2, WRAP_CLASS_ADDRX},
    [FORM_ADDRX3] = {3, WRAP_CLASS_ADDRX},
    [FORM_ADDRX4] = {4, WRAP_CLASS_ADDRX},
};

static bool read_row(const struct wrap_unit *unit, struct wrap_cursor *c, uint64_t form,
                     struct wrap_value *out)
{
    const struct form_row *row = form < FORMS ? &rows[form] : &rows[0];
    if (row->bytes == OTHER) {
        return false;
    }
    out->kind = (enum wrap_class)row->kind;
    out->number = row->bytes == LEB      ? wrap_read_uleb(c)
                  : row->bytes == OFFSET ? wrap_read_uint(c, unit->offset_size)
                                         : wrap_read_uint(c, row->bytes);
    return true;
}

/* Blocks and what else is only skipped; false when the form is not known. */
static bool skip_form(struct wrap_cursor *c, uint64_t form)
{
    switch (form) {
    case FORM_BLOCK1: wrap_skip(c, wrap_read_uint(c, 1)); return true;
    case FORM_BLOCK2: wrap_skip(c, wrap_read_uint(c, 2)); return true;
    case FORM_BLOCK4: wrap_skip(c, wrap_read_uint(c, 4)); return true;
    case FORM_BLOCK:
    case FORM_EXPRLOC: wrap_skip(c, wrap_read_uleb(c)); return true;
    case FORM_DATA16: wrap_skip(c, 16); return true;
    default: return false;
    }
}

void wrap_read_form(const struct wrap_unit *unit, struct wrap_cursor *c, uint64_t form,
                    int64_t implicit, struct wrap_value *out)
{
    *out = (struct wrap_value){0};
    if (form == FORM_INDIRECT) {
        form = wrap_read_uleb(c); /* once: a second one is not allowed */
    }
    if (read_row(unit, c, form, out) || skip_form(c, form)) {
        return;
    }
    switch (form) {
    case FORM_ADDR:
        out->kind = WRAP_CLASS_ADDRESS;
        out->number = wrap_read_uint(c, unit->address_size);
        break;
    case FORM_REF_ADDR:
        out->kind = WRAP_CLASS_INFO_REF;
        out->number =
            wrap_read_uint(c, unit->version <= 2 ? unit->address_size : unit->offset_size);
        break;
    case FORM_SDATA:
        out->kind = WRAP_CLASS_UINT;
        out->number = (uint64_t)wrap_read_sleb(c);
        break;
    case FORM_IMPLICIT_CONST:
        out->kind = WRAP_CLASS_UINT;
        out->number = (uint64_t)implicit;
        break;
    case FORM_FLAG_PRESENT:
        out->kind = WRAP_CLASS_UINT;
        out->number = 1;
        break;
    case FORM_STRING:
        out->kind = WRAP_CLASS_STRING;
        out->string = wrap_read_string(c);
        break;
    default: c->bad = true; /* its size is not known */
    }
}

/* A table in a section: from where on, and how large its entries are. */
struct table {
    unsigned section;
    uint64_t base;
    unsigned bytes;
};

static bool table_entry(const struct wrap_dwarf *dwarf, struct table table, uint64_t index,
                        uint64_t *out)
{
    if (index > SIZE_MAX / 16 || table.base > SIZE_MAX / 2) {
        return false;
    }
    struct wrap_cursor c = wrap_cursor_at(dwarf, table.section, table.base + index * table.bytes);
    *out = wrap_read_uint(&c, table.bytes);
    return !c.bad;
}

bool wrap_value_address(const struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                        const struct wrap_value *value, uint64_t *out)
{
    if (value->kind == WRAP_CLASS_ADDRX) {
        const struct table table = {WRAP_DWARF_ADDR, unit->addr_base, unit->address_size};
        return table_entry(dwarf, table, value->number, out);
    }
    *out = value->number;
    return value->kind == WRAP_CLASS_ADDRESS;
}

/* Strings are looked for only as far as a name may be long: many may share a longer one. */
static const char *string_at(const struct wrap_dwarf *dwarf, unsigned section, uint64_t offset)
{
    enum { STRING_MAX = 65536 };
    struct wrap_cursor c = wrap_cursor_at(dwarf, section, offset);
    if (c.end - c.at > STRING_MAX) {
        c.end = c.at + STRING_MAX;
    }
    return c.bad ? NULL : wrap_read_string(&c);
}

const char *wrap_value_string(const struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                              const struct wrap_value *value)
{
    uint64_t offset = 0;
    const struct table offsets = {WRAP_DWARF_STR_OFFSETS, unit->str_offsets, unit->offset_size};
    switch (value->kind) {
    case WRAP_CLASS_STRING: return value->string;
    case WRAP_CLASS_STRP: return string_at(dwarf, WRAP_DWARF_STR, value->number);
    case WRAP_CLASS_LINE_STRP: return string_at(dwarf, WRAP_DWARF_LINE_STR, value->number);
    case WRAP_CLASS_STRX:
        return table_entry(dwarf, offsets, value->number, &offset)
                   ? string_at(dwarf, WRAP_DWARF_STR, offset)
                   : NULL;
    default: return NULL;
    }
}
