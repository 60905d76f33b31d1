/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dwarf.h - from an address to functions, files and lines: what a backtrace needs of DWARF 2 to 5,
 * read from memory each time it is asked. Input is hostile: every read is checked, and all that is
 * done for one module shares a budget of work. Nothing is allocated.
 */
#ifndef WRAPPERS_COMMON_DWARF_H
#define WRAPPERS_COMMON_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wrap_bytes {
    const uint8_t *data;
    size_t size;
};

enum wrap_dwarf_section {
    WRAP_DWARF_INFO,
    WRAP_DWARF_ABBREV,
    WRAP_DWARF_LINE,
    WRAP_DWARF_STR,
    WRAP_DWARF_LINE_STR,
    WRAP_DWARF_STR_OFFSETS,
    WRAP_DWARF_ADDR,
    WRAP_DWARF_RANGES,
    WRAP_DWARF_RNGLISTS,
    WRAP_DWARF_SECTIONS
};

/** The name of a section, ".debug_info"; NULL past the last. */
const char *wrap_dwarf_section_name(unsigned section);

/** One module's sections, the caller's; set `budget` (steps of work) before the first use. */
struct wrap_dwarf {
    struct wrap_bytes section[WRAP_DWARF_SECTIONS];
    uint64_t budget;
};

enum { WRAP_DWARF_NAME = 512, WRAP_DWARF_PATH = 512 };

/** One source-level frame at an address. */
struct wrap_dwarf_frame {
    char function[WRAP_DWARF_NAME]; /**< as linkers know it (mangled), else plain; "": not known */
    char file[WRAP_DWARF_PATH]; /**< "": not known */
    uint64_t line; /**< 0: not known */
    uint64_t column; /**< 0: not known */
};

/**
 * The frames at `pc` (an offset in the code section), innermost first: inlined functions and then
 * the function itself. How many, up to `cap`; 0 when nothing is known.
 */
size_t wrap_dwarf_lookup(struct wrap_dwarf *dwarf, uint64_t pc, struct wrap_dwarf_frame *out,
                         size_t cap);

#endif
