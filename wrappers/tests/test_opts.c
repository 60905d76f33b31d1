/* SPDX-License-Identifier: Apache-2.0 */
/* test_opts.c - walking a command line by a table of options. */
#include "common/opts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { OPT_LEVEL = 1, OPT_QUIET };

static const struct wrap_option rows[] = {
    {"level", 'l', "N", OPT_LEVEL, "a value"},
    {"quiet", 0, NULL, OPT_QUIET, "a switch"},
};

static const struct wrap_command command = {
    .name = "test",
    .usage = "test",
    .summary = "test",
    .options = rows,
    .option_count = 2,
};

enum { WORDS = 6 };

struct walk_row {
    const char *words[WORDS];
    int ids[WORDS];         /* as wrap_opts_next returns them, the last is END or BAD */
    const char *last_value; /* of the last option with one; NULL: not looked at */
    int at;                 /* first operand when it ends in END */
};

static const struct walk_row walks[] = {
    {{NULL}, {WRAP_OPTS_END}, NULL, 0},
    {{"file", "--level"}, {WRAP_OPTS_END}, NULL, 0},
    {{"-", "--quiet"}, {WRAP_OPTS_END}, NULL, 0},
    {{"--quiet", "file"}, {OPT_QUIET, WRAP_OPTS_END}, NULL, 1},
    {{"--level", "3", "file"}, {OPT_LEVEL, WRAP_OPTS_END}, "3", 2},
    {{"--level=3", "file"}, {OPT_LEVEL, WRAP_OPTS_END}, "3", 1},
    {{"--level="}, {OPT_LEVEL, WRAP_OPTS_END}, "", 1},
    {{"--level=a=b"}, {OPT_LEVEL, WRAP_OPTS_END}, "a=b", 1},
    {{"--level", "--quiet"}, {OPT_LEVEL, WRAP_OPTS_END}, "--quiet", 2},
    {{"-l", "4"}, {OPT_LEVEL, WRAP_OPTS_END}, "4", 2},
    {{"--", "--quiet"}, {WRAP_OPTS_END}, NULL, 1},
    {{"-h"}, {WRAP_OPT_HELP, WRAP_OPTS_END}, NULL, 1},
    {{"--version", "-V"}, {WRAP_OPT_VERSION, WRAP_OPT_VERSION, WRAP_OPTS_END}, NULL, 2},
    {{"--level"}, {WRAP_OPTS_BAD}, NULL, 0},
    {{"--quiet=yes"}, {WRAP_OPTS_BAD}, NULL, 0},
    {{"--levels", "3"}, {WRAP_OPTS_BAD}, NULL, 0},
    {{"--lev", "3"}, {WRAP_OPTS_BAD}, NULL, 0},
    {{"-q"}, {WRAP_OPTS_BAD}, NULL, 0},
    {{"-l4"}, {WRAP_OPTS_BAD}, NULL, 0},
};

static void check_walk(const struct walk_row *row)
{
    char copies[WORDS][32];
    char *argv[WORDS];
    int argc = 0;
    while (argc < WORDS && row->words[argc]) {
        assert_true(strlen(row->words[argc]) < sizeof copies[argc]);
        argv[argc] = strcpy(copies[argc], row->words[argc]);
        argc++;
    }
    struct wrap_opts opts = {.command = &command, .argc = argc, .argv = argv};
    const char *value = NULL;
    for (int i = 0; i < WORDS; i++) {
        int id = wrap_opts_next(&opts);
        assert_int_equal(id, row->ids[i]);
        if (id == WRAP_OPTS_BAD) return;
        if (id == WRAP_OPTS_END) break;
        value = opts.value;
    }
    assert_int_equal(opts.at, row->at);
    if (row->last_value) assert_string_equal(value, row->last_value);
}

static void test_walk_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
        check_walk(&walks[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
