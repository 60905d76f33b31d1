/* SPDX-License-Identifier: Apache-2.0 */
/* dwarf_read.h - reading DWARF's encodings within bounds: shared by dwarf*.c, nobody else. */
#ifndef WRAPPERS_COMMON_DWARF_READ_H
#define WRAPPERS_COMMON_DWARF_READ_H

#include "common/dwarf.h"

/**
 * A place in a section. Reads past `end` set `bad` and give 0; a cursor that is bad stays so, and
 * its user looks at the end of each loop.
 */
struct wrap_cursor {
    const uint8_t *at, *end;
    bool bad;
};

/** From `offset` of a section to its end; bad when that is outside. */
struct wrap_cursor wrap_cursor_at(const struct wrap_dwarf *dwarf, unsigned section,
                                  uint64_t offset);
/** An integer of 1 to 8 bytes. */
uint64_t wrap_read_uint(struct wrap_cursor *c, unsigned bytes);
uint64_t wrap_read_uleb(struct wrap_cursor *c);
int64_t wrap_read_sleb(struct wrap_cursor *c);
/** A string that ends with NUL; NULL when bad. */
const char *wrap_read_string(struct wrap_cursor *c);
void wrap_skip(struct wrap_cursor *c, uint64_t bytes);
/** A unit's length: `*offset_size` becomes 4 or 8, and the cursor ends with the unit. */
void wrap_read_unit_length(struct wrap_cursor *c, unsigned *offset_size);
/** Takes steps from the budget; false when it is used up. */
bool wrap_spend(struct wrap_dwarf *dwarf, uint64_t steps);

/** What the size of some forms depends on, and where indirect ones look. */
struct wrap_unit {
    const uint8_t *begin; /* of the unit, in .debug_info: references count from here */
    struct wrap_cursor dies;
    unsigned version, offset_size, address_size;
    uint64_t abbrevs;      /* offset */
    uint64_t str_offsets;  /* of DW_AT_str_offsets_base */
    uint64_t addr_base;
    uint64_t rnglists_base;
    uint64_t low_pc; /* of the unit: base of its ranges */
    uint64_t lines;  /* offset in .debug_line, UINT64_MAX: none */
    const char *comp_dir;
};

/** A value of an attribute: which member holds it depends on the class. */
struct wrap_value {
    enum wrap_class {
        WRAP_CLASS_NONE,     /* skipped */
        WRAP_CLASS_UINT,     /* constants, flags, offsets */
        WRAP_CLASS_ADDRESS,
        WRAP_CLASS_ADDRX,    /* index into .debug_addr */
        WRAP_CLASS_STRING,
        WRAP_CLASS_STRP,     /* offset in .debug_str */
        WRAP_CLASS_LINE_STRP,
        WRAP_CLASS_STRX,     /* index into .debug_str_offsets */
        WRAP_CLASS_UNIT_REF, /* from the unit's beginning */
        WRAP_CLASS_INFO_REF, /* from .debug_info's */
        WRAP_CLASS_RNGLISTX
    } kind;
    uint64_t number;
    const char *string;
};

/** Reads a value of a form; `implicit` is DW_FORM_implicit_const's. */
void wrap_read_form(const struct wrap_unit *unit, struct wrap_cursor *c, uint64_t form,
                    int64_t implicit, struct wrap_value *out);
/** An address, also one by index. */
bool wrap_value_address(const struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                        const struct wrap_value *value, uint64_t *out);
/** A string, also one that stands elsewhere; NULL: none, or one of more than 64 KiB. */
const char *wrap_value_string(const struct wrap_dwarf *dwarf, const struct wrap_unit *unit,
                              const struct wrap_value *value);

/** Where an address is in the source. */
struct wrap_place {
    uint64_t file, line, column;
};
/** Looks `pc` up in the line program of a unit. */
bool wrap_lines_find(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t pc,
                     struct wrap_place *out);
/** Writes the path of file number `file`; "" when there is none. */
void wrap_lines_path(struct wrap_dwarf *dwarf, const struct wrap_unit *unit, uint64_t file,
                     char out[WRAP_DWARF_PATH]);

#endif
