/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dwarf.c - finds the function at an address and what was inlined there: one walk over the entries
 * (DIEs) of the unit that has the address. DWARF 5, sections 2.17, 3.3 and 7.5.
 */
#include "common/dwarf_read.h"

#include <stdio.h>
#include <string.h>

enum tag { TAG_COMPILE_UNIT = 0x11, TAG_INLINED = 0x1d, TAG_SUBPROGRAM = 0x2e };
enum attribute {
    AT_NAME = 0x03,
    AT_STMT_LIST = 0x10,
    AT_LOW_PC = 0x11,
    AT_HIGH_PC = 0x12,
    AT_COMP_DIR = 0x1b,
    AT_ABSTRACT_ORIGIN = 0x31,
    AT_SPECIFICATION = 0x47,
    AT_RANGES = 0x55,
    AT_CALL_COLUMN = 0x57,
    AT_CALL_FILE = 0x58,
    AT_CALL_LINE = 0x59,
    AT_LINKAGE_NAME = 0x6e,
    AT_STR_OFFSETS_BASE = 0x72,
    AT_ADDR_BASE = 0x73,
    AT_RNGLISTS_BASE = 0x74,
    AT_MIPS_LINKAGE_NAME = 0x2007
};
enum { ABBREVS = 1024, CHAIN_MAX = 32, ORIGINS_MAX = 8 };

/** An entry: those of its attributes that matter here. */
struct die {
    uint64_t tag; /* 0: the end of a list of children */
    bool has_children;
    struct wrap_value name, linkage, low, high, ranges, origin;
    struct wrap_value comp_dir, lines, str_offsets, addr_base, rnglists_base;
    uint64_t call_file, call_line, call_column;
};

/** Where the abbreviation of a code is, for the codes that come first, as compilers number them. */
struct abbrevs {
    const uint8_t *at[ABBREVS];
    struct wrap_cursor rest; /* from the first that is not in `at` */
};

/* ---------------------------------------------------------------- abbreviations */

static void skip_specs(struct wrap_dwarf *dwarf, struct wrap_cursor *c)
{
    enum { IMPLICIT_CONST = 0x21 };
    while (!c->bad && wrap_spend(dwarf, 1)) {
        uint64_t attribute = wrap_read_uleb(c);
        uint64_t form = wrap_read_uleb(c);
        if (form == IMPLICIT_CONST) {
            wrap_read_sleb(c);
        }
        if (!attribute && !form) {
            return;
        }
    }
    c->bad = true;
}

static void index_abbrevs(struct wrap_dwarf *dwarf, uint64_t offset, struct abbrevs *out)
{
    memset(out->at, 0, sizeof out->at);
    out->rest = wrap_cursor_at(dwarf, WRAP_DWARF_ABBREV, offset);
    for (uint64_t i = 1; i < ABBREVS && !out->rest.bad; i++) {
        struct wrap_cursor c = out->rest;
        uint64_t code = wrap_read_uleb(&c);
        if (code != i) {
            return; /* also 0, the end */
        }
        out->at[i] = c.at;
        wrap_read_uleb(&c);
        wrap_skip(&c, 1);
        skip_specs(dwarf, &c);
        out->rest = c;
    }
}

/* At the tag of the abbreviation; bad when there is none. */
static struct wrap_cursor find_abbrev(struct wrap_dwarf *dwarf, const struct abbrevs *abbrevs,
                                      uint64_t code)
{
    struct wrap_cursor c = abbrevs->rest;
    if (code < ABBREVS && abbrevs->at[code]) {
        c.at = abbrevs->at[code];
        c.bad = false;
        return c;
    }
    while (!c.bad && wrap_spend(dwarf, 1)) {
        uint64_t found = wrap_read_uleb(&c);
        if (!found) {
            break;
        }
        if (found == code) {
            return c;
        }
        wrap_read_uleb(&c);
        wrap_skip(&c, 1);
        skip_specs(dwarf, &c);
    }
    c.bad = true;
    return c;
}

/* ---------------------------------------------------------------- entries */

static void keep(struct die *die, uint64_t attribute, const struct wrap_value *value)
{
    switch (attribute) {
    case AT_NAME: die->name = *value; break;
    case AT_LINKAGE_NAME:
    case AT_MIPS_LINKAGE_NAME: die->linkage = *value; break;
    case AT_LOW_PC: die->low = *value; break;
    case AT_HIGH_PC: die->high = *value; break;
    case AT_RANGES: die->ranges = *value; break;
    case AT_ABSTRACT_ORIGIN:
    case AT_SPECIFICATION: die->origin = *value; break;
    case AT_COMP_DIR: die->comp_dir = *value; break;
    case AT_STMT_LIST: die->lines = *value; break;
    case AT_STR_OFFSETS_BASE: die->str_offsets = *value; break;
    case AT_ADDR_BASE: die->addr_base = *value; break;
    case AT_RNGLISTS_BASE: die->rnglists_base = *value; break;
    case AT_CALL_FILE: die->call_file = value->number; break;
    case AT_CALL_LINE: die->call_line = value->number; break;
    case AT_CALL_COLUMN: die->call_column = value->number; break;
    default: break;
    }
}

static void read_die(struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                     const struct abbrevs *abbrevs, struct wrap_cursor *c, struct die *out)
{
    enum { IMPLICIT_CONST = 0x21 };
    *out = (struct die){0};
    uint64_t code = wrap_read_uleb(c);
    if (!code || c->bad) {
        return;
    }
    struct wrap_cursor specs = find_abbrev(dwarf, abbrevs, code);
    out->tag = wrap_read_uleb(&specs);
    out->has_children = wrap_read_uint(&specs, 1) != 0;
    while (!specs.bad && !c->bad && wrap_spend(dwarf, 1)) {
        uint64_t attribute = wrap_read_uleb(&specs);
        uint64_t form = wrap_read_uleb(&specs);
        int64_t implicit = form == IMPLICIT_CONST ? wrap_read_sleb(&specs) : 0;
        if (!attribute && !form) {
            return;
        }
        struct wrap_value value;
        wrap_read_form(unit, c, form, implicit, &value);
        keep(out, attribute, &value);
    }
    c->bad = true;
}

/* ---------------------------------------------------------------- addresses */

/* DWARF 2 to 4: pairs in .debug_ranges. */
static bool in_old_ranges(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t offset,
                          uint64_t pc)
{
    struct wrap_cursor c = wrap_cursor_at(dwarf, WRAP_DWARF_RANGES, offset);
    const uint64_t top = unit->address_size == 8 ? UINT64_MAX : UINT32_MAX;
    uint64_t base = unit->low_pc;
    while (!c.bad && wrap_spend(dwarf, 1)) {
        uint64_t low = wrap_read_uint(&c, unit->address_size);
        uint64_t high = wrap_read_uint(&c, unit->address_size);
        if (c.bad || (!low && !high)) {
            return false;
        }
        if (low == top) {
            base = high;
        } else if (base + low <= pc && pc < base + high) {
            return true;
        }
    }
    return false;
}

enum range_entry {
    RLE_END,
    RLE_BASE_ADDRESSX,
    RLE_STARTX_ENDX,
    RLE_STARTX_LENGTH,
    RLE_OFFSET_PAIR,
    RLE_BASE_ADDRESS,
    RLE_START_END,
    RLE_START_LENGTH
};

static uint64_t read_address(const struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                             struct wrap_cursor *c, bool by_index)
{
    uint64_t address = 0;
    if (!by_index) {
        return wrap_read_uint(c, unit->address_size);
    }
    const struct wrap_value value = {.kind = WRAP_CLASS_ADDRX, .number = wrap_read_uleb(c)};
    (void)wrap_value_address(dwarf, unit, &value, &address);
    return address;
}

/* One entry of a list of version 5; false: the end. `*low` == `*high`: no range. */
static bool read_range(const struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                       struct wrap_cursor *c, uint64_t *base, uint64_t range[2])
{
    uint64_t kind = wrap_read_uint(c, 1);
    range[0] = range[1] = 0;
    switch (kind) {
    case RLE_BASE_ADDRESSX:
    case RLE_BASE_ADDRESS:
        *base = read_address(dwarf, unit, c, kind == RLE_BASE_ADDRESSX);
        return true;
    case RLE_STARTX_ENDX:
    case RLE_START_END:
        range[0] = read_address(dwarf, unit, c, kind == RLE_STARTX_ENDX);
        range[1] = read_address(dwarf, unit, c, kind == RLE_STARTX_ENDX);
        return true;
    case RLE_STARTX_LENGTH:
    case RLE_START_LENGTH:
        range[0] = read_address(dwarf, unit, c, kind == RLE_STARTX_LENGTH);
        range[1] = range[0] + wrap_read_uleb(c);
        return true;
    case RLE_OFFSET_PAIR:
        range[0] = *base + wrap_read_uleb(c);
        range[1] = *base + wrap_read_uleb(c);
        return true;
    default: return false;
    }
}

static bool in_new_ranges(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t offset,
                          uint64_t pc)
{
    struct wrap_cursor c = wrap_cursor_at(dwarf, WRAP_DWARF_RNGLISTS, offset);
    uint64_t base = unit->low_pc;
    uint64_t range[2];
    while (!c.bad && wrap_spend(dwarf, 1) && read_range(dwarf, unit, &c, &base, range)) {
        if (!c.bad && range[0] && range[0] <= pc && pc < range[1]) {
            return true;
        }
    }
    return false;
}

static bool in_ranges(struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                      const struct wrap_value *ranges, uint64_t pc)
{
    uint64_t offset = ranges->number;
    if (unit->version < 5) {
        return in_old_ranges(dwarf, unit, offset, pc);
    }
    if (ranges->kind == WRAP_CLASS_RNGLISTX) {
        if (offset > SIZE_MAX / 16 || unit->rnglists_base > SIZE_MAX / 2) {
            return false;
        }
        struct wrap_cursor c = wrap_cursor_at(dwarf, WRAP_DWARF_RNGLISTS,
                                              unit->rnglists_base + offset * unit->offset_size);
        uint64_t from_base = wrap_read_uint(&c, unit->offset_size);
        if (c.bad || from_base > SIZE_MAX / 2) {
            return false;
        }
        offset = unit->rnglists_base + from_base;
    }
    return in_new_ranges(dwarf, unit, offset, pc);
}

/* A function that was linked out begins at 0 or just below the top. */
static bool covers(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, const struct die *die,
                   uint64_t pc)
{
    uint64_t low = 0;
    uint64_t high = 0;
    if (die->ranges.kind != WRAP_CLASS_NONE) {
        return in_ranges(dwarf, unit, &die->ranges, pc);
    }
    if (!wrap_value_address(dwarf, unit, &die->low, &low) || !low || pc < low) {
        return false;
    }
    if (wrap_value_address(dwarf, unit, &die->high, &high)) {
        return pc < high;
    }
    return die->high.kind == WRAP_CLASS_UINT && pc - low < die->high.number;
}

/* ---------------------------------------------------------------- units */

/* Reads the head of the unit at the cursor, which moves behind it; false: no unit of code. */
static bool read_unit(struct wrap_cursor *c, struct wrap_unit *out)
{
    enum { TYPE_COMPILE = 1, TYPE_PARTIAL = 3, TYPE_SKELETON = 4 };
    *out = (struct wrap_unit){.begin = c->at, .lines = UINT64_MAX, .dies = *c};
    struct wrap_cursor *dies = &out->dies;
    wrap_read_unit_length(dies, &out->offset_size);
    if (dies->bad) {
        c->bad = true;
        return false;
    }
    c->at = dies->end;
    out->version = (unsigned)wrap_read_uint(dies, 2);
    uint64_t type = TYPE_COMPILE;
    if (out->version >= 5) {
        type = wrap_read_uint(dies, 1);
        out->address_size = (unsigned)wrap_read_uint(dies, 1);
        out->abbrevs = wrap_read_uint(dies, out->offset_size);
        wrap_skip(dies, type == TYPE_SKELETON ? 8 : 0);
    } else {
        out->abbrevs = wrap_read_uint(dies, out->offset_size);
        out->address_size = (unsigned)wrap_read_uint(dies, 1);
    }
    bool known = out->version >= 2 && out->version <= 5 && type <= TYPE_SKELETON && type != 2;
    return known && !dies->bad && (out->address_size == 4 || out->address_size == 8);
}

/* What the unit's own entry says about the others. */
static void take_root(struct wrap_dwarf *dwarf, struct wrap_unit *unit, const struct die *root)
{
    /* Without the attribute the tables begin behind the head of the first contribution. */
    const uint64_t head = unit->offset_size == 8 ? 16 : 8;
    unit->str_offsets = root->str_offsets.kind ? root->str_offsets.number : head;
    unit->addr_base = root->addr_base.kind ? root->addr_base.number : head;
    unit->rnglists_base = root->rnglists_base.kind ? root->rnglists_base.number : head + 4;
    unit->lines = root->lines.kind == WRAP_CLASS_UINT ? root->lines.number : UINT64_MAX;
    unit->comp_dir = wrap_value_string(dwarf, unit, &root->comp_dir);
    unit->low_pc = 0;
    (void)wrap_value_address(dwarf, unit, &root->low, &unit->low_pc);
}

/* ---------------------------------------------------------------- names */

/** A unit and its abbreviations. */
struct place_in_info {
    struct wrap_unit unit;
    struct abbrevs abbrevs;
};

/* Goes to the unit that has `offset` of .debug_info; false: none. */
static bool enter_unit(struct wrap_dwarf *dwarf, uint64_t offset, struct place_in_info *at)
{
    const uint8_t *info = dwarf->section[WRAP_DWARF_INFO].data;
    struct wrap_cursor c = wrap_cursor_at(dwarf, WRAP_DWARF_INFO, 0);
    while (c.at < c.end && !c.bad && wrap_spend(dwarf, 1)) {
        struct wrap_unit unit;
        bool good = read_unit(&c, &unit);
        if (offset >= (uint64_t)(c.at - info)) {
            continue;
        }
        at->unit = unit;
        struct die root;
        struct wrap_cursor dies = unit.dies;
        if (!good) {
            return false;
        }
        index_abbrevs(dwarf, unit.abbrevs, &at->abbrevs);
        read_die(dwarf, &unit, &at->abbrevs, &dies, &root);
        take_root(dwarf, &at->unit, &root);
        return !dies.bad && root.tag;
    }
    return false;
}

/* The entry that a reference leads to, in `at`, which may become another unit; false: none. */
static bool follow(struct wrap_dwarf *dwarf, struct place_in_info *at,
                   const struct wrap_value *reference, struct die *out)
{
    const uint8_t *info = dwarf->section[WRAP_DWARF_INFO].data;
    uint64_t begin = (uint64_t)(at->unit.begin - info);
    uint64_t size = (uint64_t)(at->unit.dies.end - at->unit.begin);
    uint64_t offset = reference->number;
    if (reference->kind == WRAP_CLASS_INFO_REF) {
        bool other = offset < begin || offset - begin >= size;
        if (other && !enter_unit(dwarf, offset, at)) {
            return false;
        }
        offset -= (uint64_t)(at->unit.begin - info);
        size = (uint64_t)(at->unit.dies.end - at->unit.begin);
    } else if (reference->kind != WRAP_CLASS_UNIT_REF) {
        return false;
    }
    if (offset >= size) {
        return false;
    }
    struct wrap_cursor c = {at->unit.begin + offset, at->unit.dies.end, false};
    read_die(dwarf, &at->unit, &at->abbrevs, &c, out);
    return !c.bad && out->tag;
}

/* The linkage name, else the plain one, of the entry or of what it is an instance of. */
static void write_name(struct wrap_dwarf *dwarf, const struct place_in_info *from,
                       const struct die *die, char out[WRAP_DWARF_NAME])
{
    struct place_in_info at = *from;
    struct die entry = *die;
    const char *plain = NULL;
    const char *linkage = NULL;
    for (int i = 0; i < ORIGINS_MAX && !linkage; i++) {
        linkage = wrap_value_string(dwarf, &at.unit, &entry.linkage);
        plain = plain ? plain : wrap_value_string(dwarf, &at.unit, &entry.name);
        struct die next;
        if (!follow(dwarf, &at, &entry.origin, &next)) {
            break;
        }
        entry = next;
    }
    snprintf(out, WRAP_DWARF_NAME, "%s", linkage ? linkage : plain ? plain : "");
}

/* ---------------------------------------------------------------- the walk */

/** Where frames go. */
struct frames {
    struct wrap_dwarf_frame *at;
    size_t cap;
};

/** The function that has the address, and what is inlined there, outermost first. */
struct chain {
    uint64_t pc;
    struct die die[CHAIN_MAX];
    uint64_t depth[CHAIN_MAX];
    size_t count;
};

/* Looks at one entry at a depth; false: all is found. */
static bool visit(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, const struct die *die,
                  uint64_t depth, struct chain *chain)
{
    bool inside = chain->count && depth > chain->depth[chain->count - 1];
    if (chain->count && depth <= chain->depth[0]) {
        return false; /* behind the function */
    }
    bool wanted = chain->count ? die->tag == TAG_INLINED && inside : die->tag == TAG_SUBPROGRAM;
    if (wanted && chain->count < CHAIN_MAX && covers(dwarf, unit, die, chain->pc)) {
        chain->die[chain->count] = *die;
        chain->depth[chain->count++] = depth;
    }
    return true;
}

static void walk(struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                 const struct abbrevs *abbrevs, struct chain *chain)
{
    struct wrap_cursor c = unit->dies;
    uint64_t depth = 0;
    while (c.at < c.end && !c.bad && wrap_spend(dwarf, 1)) {
        struct die die;
        read_die(dwarf, unit, abbrevs, &c, &die);
        if (!die.tag) {
            if (depth-- <= 1) {
                return;
            }
            continue;
        }
        if (!visit(dwarf, unit, &die, depth, chain)) {
            return;
        }
        depth += die.has_children;
    }
}

/* From the chain, outermost first, to frames, innermost first: each knows where it was called. */
static size_t write_frames(struct wrap_dwarf *dwarf, const struct place_in_info *at,
                           const struct chain *chain, struct wrap_place place, struct frames out)
{
    size_t count = 0;
    for (size_t i = chain->count; i-- > 0 && count < out.cap;) {
        struct wrap_dwarf_frame *frame = &out.at[count++];
        write_name(dwarf, at, &chain->die[i], frame->function);
        wrap_lines_path(dwarf, &at->unit, place.file, frame->file);
        frame->line = place.line;
        frame->column = place.column;
        place = (struct wrap_place){chain->die[i].call_file, chain->die[i].call_line,
                                    chain->die[i].call_column};
    }
    return count;
}

/* Looks in one unit; 0: it is not there. */
static size_t look_in(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t pc,
                      struct frames out)
{
    struct place_in_info at = {.unit = *unit};
    struct die root;
    struct wrap_cursor c = unit->dies;
    struct wrap_place place = {0};
    index_abbrevs(dwarf, unit->abbrevs, &at.abbrevs);
    read_die(dwarf, unit, &at.abbrevs, &c, &root);
    if (c.bad || !root.tag) {
        return 0;
    }
    take_root(dwarf, &at.unit, &root);
    bool bounded = root.ranges.kind != WRAP_CLASS_NONE || root.high.kind != WRAP_CLASS_NONE;
    if (bounded && !covers(dwarf, &at.unit, &root, pc)) {
        return 0;
    }
    struct chain chain = {.pc = pc};
    walk(dwarf, &at.unit, &at.abbrevs, &chain);
    bool has_line = wrap_lines_find(dwarf, &at.unit, pc, &place);
    if (chain.count) {
        return write_frames(dwarf, &at, &chain, place, out);
    }
    if (!has_line) {
        return 0;
    }
    out.at[0] = (struct wrap_dwarf_frame){.line = place.line, .column = place.column};
    wrap_lines_path(dwarf, &at.unit, place.file, out.at[0].file);
    return 1;
}

size_t wrap_dwarf_lookup(struct wrap_dwarf *dwarf, uint64_t pc, struct wrap_dwarf_frame *out,
                         size_t cap)
{
    enum { UNIT_COST = 64 }; /* clearing the index of abbreviations */
    struct wrap_cursor c = wrap_cursor_at(dwarf, WRAP_DWARF_INFO, 0);
    const struct frames frames = {out, cap};
    size_t found = 0;
    while (!found && cap && c.at < c.end && !c.bad && wrap_spend(dwarf, UNIT_COST)) {
        struct wrap_unit unit;
        if (read_unit(&c, &unit)) {
            found = look_in(dwarf, &unit, pc, frames);
        }
    }
    return found;
}
