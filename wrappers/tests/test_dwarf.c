/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dwarf.c - the DWARF reader on a small unit made here, in versions 4 and 5; then on every
 * truncation of it and with every byte changed, where nothing but bad answers may happen.
 */
#include "common/dwarf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECTION_MAX = 512, BUDGET = 100000 };

struct buffer {
    uint8_t data[SECTION_MAX];
    size_t size;
};

/** The sections of one unit; those that it does not use are empty. */
struct unit {
    struct buffer section[WRAP_DWARF_SECTIONS];
};

static void u8_(struct buffer *b, unsigned value)
{
    assert_true(b->size < SECTION_MAX);
    b->data[b->size++] = (uint8_t)value;
}

static void bytes(struct buffer *b, size_t count, const unsigned *values)
{
    for (size_t i = 0; i < count; i++) {
        u8_(b, values[i]);
    }
}
#define BYTES(b, ...)                                                                              \
    bytes(b, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned),                           \
          (const unsigned[]){__VA_ARGS__})

static void u16_(struct buffer *b, unsigned value)
{
    u8_(b, value & 0xff);
    u8_(b, value >> 8);
}

static void u32_(struct buffer *b, uint32_t value)
{
    u16_(b, value & 0xffff);
    u16_(b, value >> 16);
}

static void text(struct buffer *b, const char *value)
{
    for (size_t i = 0; i <= strlen(value); i++) {
        u8_(b, (unsigned char)value[i]);
    }
}

/* Writes the length of a unit that began at `begin`. */
static void close_unit(struct buffer *b, size_t begin)
{
    uint32_t length = (uint32_t)(b->size - begin - 4);
    for (int i = 0; i < 4; i++) {
        b->data[begin + (size_t)i] = (uint8_t)(length >> (8 * i));
    }
}

/* ---------------------------------------------------------------- the unit */

static void make_abbrevs(struct buffer *b, int version)
{
    /* 1: unit: name, low_pc, high_pc, stmt_list, comp_dir */
    BYTES(b, 1, 0x11, 1, 0x03, 0x08, 0x11, 0x01, 0x12, 0x06, 0x10, 0x17, 0x1b, 0x08, 0, 0);
    /* 2: function: linkage_name, low_pc, high_pc */
    BYTES(b, 2, 0x2e, 1, 0x6e, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0);
    /* 3: inlined: abstract_origin, ranges, call_file, call_line, call_column */
    BYTES(b, 3, 0x1d, 0, 0x31, 0x13, 0x55, version == 5 ? 0x23 : 0x17, 0x58, 0x0b, 0x59, 0x0b, 0x57,
          0x0b, 0, 0);
    /* 4: abstract function: name (an index in version 5) */
    BYTES(b, 4, 0x2e, 0, 0x03, version == 5 ? 0x25 : 0x08, 0, 0);
    u8_(b, 0);
}

static void make_info(struct buffer *b, int version)
{
    u32_(b, 0);
    u16_(b, (unsigned)version);
    if (version == 5) {
        BYTES(b, 1, 4); /* a unit of code, addresses of 4 bytes */
    }
    u32_(b, 0);
    if (version == 4) {
        u8_(b, 4);
    }
    u8_(b, 1);
    text(b, "a.c");
    u32_(b, 0x10);
    u32_(b, 0x40);
    u32_(b, 0);
    text(b, "/src");
    size_t origin = b->size;
    u8_(b, 4);
    if (version == 5) {
        u8_(b, 0);
    } else {
        text(b, "small");
    }
    u8_(b, 2);
    text(b, "_ZN3bigEv");
    u32_(b, 0x10);
    u32_(b, 0x20);
    u8_(b, 3);
    u32_(b, (uint32_t)origin);
    if (version == 5) {
        u8_(b, 0);
    } else {
        u32_(b, 0);
    }
    BYTES(b, 1, 30, 7);
    BYTES(b, 0, 0); /* ends of the function's and the unit's children */
    close_unit(b, 0);
}

/* What is inlined stands at 0x18 to 0x1c. */
static void make_ranges(struct unit *unit, int version)
{
    if (version == 4) {
        struct buffer *b = &unit->section[WRAP_DWARF_RANGES];
        u32_(b, 8); /* from the unit's low_pc */
        u32_(b, 12);
        u32_(b, 0);
        u32_(b, 0);
        return;
    }
    struct buffer *b = &unit->section[WRAP_DWARF_RNGLISTS];
    u32_(b, 0);
    BYTES(b, 5, 0, 4, 0);
    u32_(b, 1); /* one list, */
    u32_(b, 4); /* behind this word */
    BYTES(b, 4, 8, 12, 0);
    close_unit(b, 0);
    b = &unit->section[WRAP_DWARF_STR_OFFSETS];
    u32_(b, 0);
    BYTES(b, 5, 0, 0, 0);
    u32_(b, 3);
    close_unit(b, 0);
    text(&unit->section[WRAP_DWARF_STR], "xx");
    text(&unit->section[WRAP_DWARF_STR], "small");
}

static void make_files(struct buffer *b, int version)
{
    if (version == 4) {
        text(b, "inc");
        u8_(b, 0);
        text(b, "a.c");
        BYTES(b, 0, 0, 0);
        text(b, "b.h");
        BYTES(b, 1, 0, 0, 0);
        return;
    }
    BYTES(b, 1, 1, 0x08, 2); /* directories: a path; two */
    text(b, "/src");
    text(b, "inc");
    BYTES(b, 2, 1, 0x08, 2, 0x0b, 3); /* files: a path and a directory; three */
    text(b, "a.c");
    u8_(b, 0);
    text(b, "a.c");
    u8_(b, 0);
    text(b, "b.h");
    u8_(b, 1);
}

static void make_lines(struct buffer *b, int version)
{
    u32_(b, 0);
    u16_(b, (unsigned)version);
    if (version == 5) {
        BYTES(b, 4, 0);
    }
    size_t length_at = b->size;
    u32_(b, 0);
    BYTES(b, 1, 1, 1, 0xfb /* -5 */, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1);
    make_files(b, version);
    uint32_t length = (uint32_t)(b->size - length_at - 4);
    b->data[length_at] = (uint8_t)length;
    BYTES(b, 0, 5, 2, 0x10, 0, 0, 0); /* address 0x10 */
    BYTES(b, 3, 9, 5, 4, 1);          /* line 10, column 4 */
    BYTES(b, 2, 8, 4, 2, 3, 0x78, 1); /* address 0x18: file 2, line 2 */
    BYTES(b, 2, 4, 4, 1, 3, 30, 1);   /* address 0x1c: file 1, line 32 */
    BYTES(b, 2, 0x34, 0, 1, 1);       /* the end at 0x50 */
    close_unit(b, 0);
}

static struct unit make_unit(int version)
{
    struct unit unit;
    memset(&unit, 0, sizeof unit);
    make_abbrevs(&unit.section[WRAP_DWARF_ABBREV], version);
    make_info(&unit.section[WRAP_DWARF_INFO], version);
    make_ranges(&unit, version);
    make_lines(&unit.section[WRAP_DWARF_LINE], version);
    return unit;
}

static struct wrap_dwarf open_unit(const struct unit *unit)
{
    struct wrap_dwarf dwarf = {.budget = BUDGET};
    for (int i = 0; i < WRAP_DWARF_SECTIONS; i++) {
        const struct buffer *b = &unit->section[i];
        dwarf.section[i] = (struct wrap_bytes){b->size ? b->data : NULL, b->size};
    }
    return dwarf;
}

/* ---------------------------------------------------------------- answers */

struct answer {
    uint64_t pc;
    size_t count;
    const char *function, *file;
    uint64_t line, column;
};

static void check_answers(int version)
{
    static const struct answer answers[] = {
        {0x10, 1, "_ZN3bigEv", "/src/a.c", 10, 4},
        {0x17, 1, "_ZN3bigEv", "/src/a.c", 10, 4},
        {0x18, 2, "small", "/src/inc/b.h", 2, 4},
        {0x1b, 2, "small", "/src/inc/b.h", 2, 4},
        {0x1c, 1, "_ZN3bigEv", "/src/a.c", 32, 4},
        {0x2f, 1, "_ZN3bigEv", "/src/a.c", 32, 4},
        {0x30, 1, "", "/src/a.c", 32, 4}, /* a line without a function */
        {0x0f, 0, NULL, NULL, 0, 0},
        {0x50, 0, NULL, NULL, 0, 0},
        {UINT64_MAX, 0, NULL, NULL, 0, 0},
    };
    const struct unit unit = make_unit(version);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct wrap_dwarf dwarf = open_unit(&unit);
        struct wrap_dwarf_frame frames[4];
        size_t count = wrap_dwarf_lookup(&dwarf, answers[i].pc, frames, 4);
        assert_int_equal(count, answers[i].count);
        if (!count) {
            continue;
        }
        assert_string_equal(frames[0].function, answers[i].function);
        assert_string_equal(frames[0].file, answers[i].file);
        assert_int_equal(frames[0].line, answers[i].line);
        assert_int_equal(frames[0].column, answers[i].column);
        if (count == 2) { /* where it was inlined */
            assert_string_equal(frames[1].function, "_ZN3bigEv");
            assert_string_equal(frames[1].file, "/src/a.c");
            assert_int_equal(frames[1].line, 30);
            assert_int_equal(frames[1].column, 7);
        }
    }
}

static void test_version_4(void **state)
{
    (void)state;
    check_answers(4);
}

static void test_version_5(void **state)
{
    (void)state;
    check_answers(5);
}

static void test_room_for_one_is_the_innermost(void **state)
{
    const struct unit unit = make_unit(5);
    struct wrap_dwarf dwarf = open_unit(&unit);
    struct wrap_dwarf_frame frame;
    (void)state;
    assert_int_equal(wrap_dwarf_lookup(&dwarf, 0x18, &frame, 1), 1);
    assert_string_equal(frame.function, "small");
}

static void test_without_a_budget_nothing_is_known(void **state)
{
    const struct unit unit = make_unit(5);
    struct wrap_dwarf dwarf = open_unit(&unit);
    struct wrap_dwarf_frame frame;
    (void)state;
    dwarf.budget = 3;
    assert_int_equal(wrap_dwarf_lookup(&dwarf, 0x18, &frame, 1), 0);
}

/* ---------------------------------------------------------------- hostile input */

/* Every answer must be well formed, whatever it is; sanitizers look at the rest. */
static void ask(const struct unit *unit, unsigned section, size_t size)
{
    struct wrap_dwarf dwarf = open_unit(unit);
    struct wrap_dwarf_frame frames[4];
    uint8_t *copy = malloc(size + !size); /* to the byte: reads behind it are seen */
    assert_non_null(copy);
    memcpy(copy, unit->section[section].data, size);
    dwarf.section[section] = (struct wrap_bytes){copy, size};
    size_t count = wrap_dwarf_lookup(&dwarf, 0x18, frames, 4);
    assert_in_range(count, 0, 4);
    for (size_t i = 0; i < count; i++) {
        assert_true(strnlen(frames[i].function, WRAP_DWARF_NAME) < WRAP_DWARF_NAME);
        assert_true(strnlen(frames[i].file, WRAP_DWARF_PATH) < WRAP_DWARF_PATH);
    }
    free(copy);
}

static void test_truncated_sections(void **state)
{
    (void)state;
    for (int version = 4; version <= 5; version++) {
        const struct unit unit = make_unit(version);
        for (unsigned s = 0; s < WRAP_DWARF_SECTIONS; s++) {
            for (size_t size = 0; size < unit.section[s].size; size++) {
                ask(&unit, s, size);
            }
        }
    }
}

static void test_changed_bytes(void **state)
{
    (void)state;
    for (int version = 4; version <= 5; version++) {
        struct unit unit = make_unit(version);
        for (unsigned s = 0; s < WRAP_DWARF_SECTIONS; s++) {
            struct buffer *b = &unit.section[s];
            for (size_t i = 0; i < b->size; i++) {
                uint8_t before = b->data[i];
                for (unsigned value = 0; value < 256; value++) {
                    b->data[i] = (uint8_t)value;
                    ask(&unit, s, b->size);
                }
                b->data[i] = before;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_4),
        cmocka_unit_test(test_version_5),
        cmocka_unit_test(test_room_for_one_is_the_innermost),
        cmocka_unit_test(test_without_a_budget_nothing_is_known),
        cmocka_unit_test(test_truncated_sections),
        cmocka_unit_test(test_changed_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
