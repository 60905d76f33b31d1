/* SPDX-License-Identifier: Apache-2.0 */
/* dwarf_line.c - line programs: DWARF 5, section 6.2, and their older forms. */
#include "common/dwarf_read.h"

#include <stdio.h>
#include <string.h>

enum { FORMATS_MAX = 16 };

/** The head of a line program. */
struct head {
    struct wrap_unit unit; /* sizes, for forms */
    struct wrap_cursor tables;
    struct wrap_cursor program;
    uint64_t min_length;
    int8_t line_base;
    uint8_t line_range;
    uint8_t opcode_base;
    const uint8_t *lengths; /* of opcode - 1 */
};

static bool read_head(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, struct head *out)
{
    struct wrap_cursor c = wrap_cursor_at(dwarf, WRAP_DWARF_LINE, unit->lines);
    *out = (struct head){.unit = *unit};
    wrap_read_unit_length(&c, &out->unit.offset_size);
    out->unit.version = (unsigned)wrap_read_uint(&c, 2);
    if (out->unit.version < 2 || out->unit.version > 5) {
        return false;
    }
    if (out->unit.version == 5) {
        wrap_skip(&c, 2); /* sizes of addresses and segments */
    }
    uint64_t length = wrap_read_uint(&c, out->unit.offset_size);
    out->program = c;
    wrap_skip(&out->program, length);
    out->min_length = wrap_read_uint(&c, 1);
    wrap_skip(&c, out->unit.version >= 4 ? 2 : 1); /* operations of an instruction, is_stmt */
    out->line_base = (int8_t)wrap_read_uint(&c, 1);
    out->line_range = (uint8_t)wrap_read_uint(&c, 1);
    out->opcode_base = (uint8_t)wrap_read_uint(&c, 1);
    out->lengths = c.at;
    wrap_skip(&c, out->opcode_base ? out->opcode_base - 1u : 0);
    out->tables = c;
    return !c.bad && !out->program.bad && out->line_range && out->opcode_base;
}

/* ---------------------------------------------------------------- rows */

enum standard {
    LNS_EXTENDED = 0,
    LNS_COPY,
    LNS_ADVANCE_PC,
    LNS_ADVANCE_LINE,
    LNS_SET_FILE,
    LNS_SET_COLUMN,
    LNS_NEGATE_STMT,
    LNS_SET_BASIC_BLOCK,
    LNS_CONST_ADD_PC,
    LNS_FIXED_ADVANCE_PC
};
enum extended { LNE_END_SEQUENCE = 1, LNE_SET_ADDRESS = 2 };

struct state {
    uint64_t address;
    struct wrap_place place;
    bool has_row; /* the sequence has one already: `row` */
    bool dead;    /* it begins at 0: of a function that was linked out */
    uint64_t row_address;
    struct wrap_place row;
};

static void reset(struct state *s) { *s = (struct state){.place = {.file = 1, .line = 1}}; }

/* A row: whether the one before it holds for `pc`. */
static bool add_row(struct state *s, uint64_t pc)
{
    if (s->has_row && !s->dead && s->row_address <= pc && pc < s->address) {
        return true;
    }
    s->dead = s->has_row ? s->dead : s->address == 0;
    s->has_row = true;
    s->row_address = s->address;
    s->row = s->place;
    return false;
}

/* An extended operation; true: `pc` is found. */
static bool extended(struct state *s, struct wrap_cursor *c, uint64_t pc)
{
    uint64_t length = wrap_read_uleb(c);
    struct wrap_cursor in = *c;
    wrap_skip(c, length);
    if (c->bad || !length) {
        return false;
    }
    in.end = c->at;
    switch (wrap_read_uint(&in, 1)) {
    case LNE_END_SEQUENCE:
        if (add_row(s, pc)) {
            return true;
        }
        reset(s);
        return false;
    case LNE_SET_ADDRESS:
        s->address = length <= 9 ? wrap_read_uint(&in, (unsigned)length - 1) : 0;
        return false;
    default: return false;
    }
}

/* A special operation: both at once, and a row. */
static bool special(const struct head *h, struct state *s, uint8_t op, uint64_t pc)
{
    unsigned adjusted = (unsigned)op - h->opcode_base;
    s->address += adjusted / h->line_range * h->min_length;
    s->place.line += (uint64_t)(int64_t)(h->line_base + (int)(adjusted % h->line_range));
    return add_row(s, pc);
}

static void unknown_standard(const struct head *h, struct wrap_cursor *c, uint8_t op)
{
    for (unsigned i = 0; i < h->lengths[op - 1]; i++) {
        wrap_read_uleb(c);
    }
}

static bool standard(const struct head *h, struct state *s, struct wrap_cursor *c, uint8_t op,
                     uint64_t pc)
{
    switch (op) {
    case LNS_EXTENDED: return extended(s, c, pc);
    case LNS_COPY: return add_row(s, pc);
    case LNS_ADVANCE_PC: s->address += wrap_read_uleb(c) * h->min_length; return false;
    case LNS_ADVANCE_LINE: s->place.line += (uint64_t)wrap_read_sleb(c); return false;
    case LNS_SET_FILE: s->place.file = wrap_read_uleb(c); return false;
    case LNS_SET_COLUMN: s->place.column = wrap_read_uleb(c); return false;
    case LNS_NEGATE_STMT:
    case LNS_SET_BASIC_BLOCK: return false;
    case LNS_CONST_ADD_PC:
        s->address += (255u - h->opcode_base) / h->line_range * h->min_length;
        return false;
    case LNS_FIXED_ADVANCE_PC: s->address += wrap_read_uint(c, 2); return false;
    default: unknown_standard(h, c, op); return false;
    }
}

bool wrap_lines_find(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t pc,
                     struct wrap_place *out)
{
    struct head h;
    struct state s;
    if (unit->lines == UINT64_MAX || !read_head(dwarf, unit, &h)) {
        return false;
    }
    struct wrap_cursor c = h.program;
    reset(&s);
    while (c.at < c.end && !c.bad && wrap_spend(dwarf, 1)) {
        uint8_t op = (uint8_t)wrap_read_uint(&c, 1);
        bool found = op >= h.opcode_base ? special(&h, &s, op, pc) : standard(&h, &s, &c, op, pc);
        if (found) {
            *out = s.row;
            return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- files */

enum { LNCT_PATH = 1, LNCT_DIRECTORY = 2 };

struct entry {
    const char *name; /* NULL: none */
    uint64_t directory;
};

/* Version 5: entry `index` of the table at the cursor, which ends behind the table. */
static struct entry entry_v5(struct wrap_dwarf *dwarf, const struct head *h, struct wrap_cursor *c,
                             uint64_t index)
{
    struct entry found = {0};
    uint64_t formats[FORMATS_MAX][2];
    uint64_t count = wrap_read_uint(c, 1);
    if (count > FORMATS_MAX) {
        c->bad = true;
        return found;
    }
    for (uint64_t i = 0; i < count; i++) {
        formats[i][0] = wrap_read_uleb(c);
        formats[i][1] = wrap_read_uleb(c);
    }
    uint64_t entries = wrap_read_uleb(c);
    for (uint64_t e = 0; e < entries && count && !c->bad && wrap_spend(dwarf, count); e++) {
        for (uint64_t i = 0; i < count; i++) {
            struct wrap_value value;
            wrap_read_form(&h->unit, c, formats[i][1], 0, &value);
            if (e == index && formats[i][0] == LNCT_PATH) {
                found.name = wrap_value_string(dwarf, &h->unit, &value);
            } else if (e == index && formats[i][0] == LNCT_DIRECTORY) {
                found.directory = value.number;
            }
        }
    }
    return c->bad ? (struct entry){0} : found;
}

/* Versions 2 to 4: directory `index`, from 1; NULL: none. The cursor ends behind the table. */
static const char *directory_v2(struct wrap_dwarf *dwarf, struct wrap_cursor *c, uint64_t index)
{
    const char *found = NULL;
    for (uint64_t i = 1; wrap_spend(dwarf, 1); i++) {
        const char *name = wrap_read_string(c);
        if (!name || !name[0]) {
            break;
        }
        found = i == index ? name : found;
    }
    return found;
}

static struct entry file_v2(struct wrap_dwarf *dwarf, struct wrap_cursor *c, uint64_t index)
{
    for (uint64_t i = 1; wrap_spend(dwarf, 1); i++) {
        struct entry entry = {.name = wrap_read_string(c)};
        if (!entry.name || !entry.name[0]) {
            break;
        }
        entry.directory = wrap_read_uleb(c);
        wrap_read_uleb(c);
        wrap_read_uleb(c);
        if (i == index && !c->bad) {
            return entry;
        }
    }
    return (struct entry){0};
}

/* The file and its directory, NULL: that of the compilation. */
static struct entry find_file(struct wrap_dwarf *dwarf, const struct head *h, uint64_t index,
                              const char **directory)
{
    struct wrap_cursor c = h->tables;
    struct entry file;
    *directory = NULL;
    if (h->unit.version == 5) {
        (void)entry_v5(dwarf, h, &c, UINT64_MAX);
        file = entry_v5(dwarf, h, &c, index);
        c = h->tables;
        *directory = entry_v5(dwarf, h, &c, file.directory).name;
        return file;
    }
    (void)directory_v2(dwarf, &c, 0);
    file = file_v2(dwarf, &c, index);
    c = h->tables;
    *directory = directory_v2(dwarf, &c, file.directory);
    return file;
}

void wrap_lines_path(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t file,
                     char out[WRAP_DWARF_PATH])
{
    struct head h;
    const char *directory = NULL;
    out[0] = 0;
    if (unit->lines == UINT64_MAX || !read_head(dwarf, unit, &h)) {
        return;
    }
    struct entry entry = find_file(dwarf, &h, file, &directory);
    if (!entry.name) {
        return;
    }
    const char *base = unit->comp_dir ? unit->comp_dir : "";
    bool whole = entry.name[0] == '/';
    bool based = !whole && directory && directory[0] == '/';
    const char *first = whole || based ? "" : base;
    const char *second = whole || !directory ? "" : directory;
    /* Compilers write "." and the compilation's own directory; neither says more. */
    second = strcmp(second, ".") == 0 ? "" : second;
    snprintf(out, WRAP_DWARF_PATH, "%s%s%s%s%s", first, first[0] ? "/" : "", second,
             second[0] ? "/" : "", entry.name);
}
