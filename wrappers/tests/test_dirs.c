/* SPDX-License-Identifier: Apache-2.0 */
/* test_dirs.c - the three forms of naming a directory, and what --cwd makes of them. */
#include "run/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct dir_row {
    enum wrap_dir_form form;
    const char *value;
    const char *host; /* NULL: refused */
    const char *guest;
    bool read_only;
};

static const struct dir_row rows[] = {
    {WRAP_DIR, "a", "a", "a", false},
    {WRAP_DIR, "a:ro", "a", "a", true},
    {WRAP_DIR, "a::b", "a", "b", false},
    {WRAP_DIR, "a::b:ro", "a", "b", true},
    {WRAP_DIR, "a::ro", "a", "ro", false},
    {WRAP_DIR, "a:b", "a:b", "a:b", false}, /* one colon is part of a name */
    {WRAP_DIR, "a::b::c", "a", "b::c", false},
    {WRAP_DIR, "", NULL, NULL, false},
    {WRAP_DIR, "::b", NULL, NULL, false},
    {WRAP_DIR, "a::", NULL, NULL, false},
    {WRAP_DIR, ":ro", NULL, NULL, false},
    {WRAP_MAPDIR, "/g::h", "h", "/g", false},
    {WRAP_MAPDIR, "/g::h:ro", "h:ro", "/g", false}, /* no suffix here */
    {WRAP_MAPDIR, "/g:h", NULL, NULL, false},
    {WRAP_MAPDIR, "/g", NULL, NULL, false},
    {WRAP_MAPDIR, "::h", NULL, NULL, false},
    {WRAP_MAPDIR, "/g::", NULL, NULL, false},
    {WRAP_VOLUME, "h:/g", "h", "/g", false},
    {WRAP_VOLUME, "h:/g:ro", "h", "/g", true},
    {WRAP_VOLUME, "h:/g:rw", "h", "/g", false},
    {WRAP_VOLUME, "h:/g:rx", NULL, NULL, false},
    {WRAP_VOLUME, "h:/g:ro:ro", NULL, NULL, false},
    {WRAP_VOLUME, "h", NULL, NULL, false},
    {WRAP_VOLUME, "h::g", NULL, NULL, false},
    {WRAP_VOLUME, ":g", NULL, NULL, false},
    {WRAP_VOLUME, "h:", NULL, NULL, false},
    {WRAP_VOLUME, "h:ro", "h", "ro", false},
};

static void test_forms_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wrap_dir dir;
        bool good = wrap_dir_parse(rows[i].form, rows[i].value, &dir);
        assert_int_equal(good, rows[i].host != NULL);
        if (!good) {
            assert_null(dir.host);
            continue;
        }
        assert_string_equal(dir.host, rows[i].host);
        assert_string_equal(dir.guest, rows[i].guest);
        assert_int_equal(dir.read_only, rows[i].read_only);
        free(dir.host);
        free(dir.guest);
    }
}

/* box/in is a folder, box/out a link to the folder beside box. */
static void make_tree(char root[64])
{
    strcpy(root, "/tmp/wrap-dirs-XXXXXX");
    assert_non_null(mkdtemp(root));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("box", 0700), 0);
    assert_int_equal(mkdir("box/in", 0700), 0);
    assert_int_equal(mkdir("box/in/deep", 0700), 0);
    assert_int_equal(mkdir("other", 0700), 0);
    assert_int_equal(symlink("../other", "box/out"), 0);
    assert_int_equal(symlink("in", "box/link"), 0);
}

static void remove_tree(const char *root)
{
    static const char *const names[] = {"box/in/deep", "box/in", "box", "other"};
    unlink("box/out");
    unlink("box/link");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rmdir(names[i]);
    }
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(root), 0);
}

struct cwd_row {
    const char *guest;
    const char *end; /* of the host's path; NULL: refused */
    size_t which;
};

static void test_cwd_table(void **state)
{
    static const struct cwd_row cwds[] = {
        {"/data", "/box", 0},
        {"/data/", "/box", 0},
        {"/data/in", "/box/in", 0},
        {"data/in", "/box/in", 0},
        {"/deep", "/box/in/deep", 1},
        {"/data/link", "/box/in", 0},
        {"/data/in/deep", "/box/in/deep", 0},
        {"/data/out", NULL, 0},
        {"/data/..", NULL, 0},
        {"/data/in/../../other", NULL, 0},
        {"/database", NULL, 0},
        {"/", NULL, 0},
        {"/data/none", NULL, 0},
    };
    char root[64];
    (void)state;
    make_tree(root);
    struct wrap_run_options run = {0};
    assert_true(wrap_dir_add(&run, WRAP_VOLUME, "box:/data"));
    assert_true(wrap_dir_add(&run, WRAP_MAPDIR, "/deep::box/in/deep"));
    for (size_t i = 0; i < sizeof cwds / sizeof cwds[0]; i++) {
        size_t which = 99;
        char *path = wrap_dir_locate(&run, cwds[i].guest, &which);
        assert_int_equal(path != NULL, cwds[i].end != NULL);
        if (path) {
            size_t length = strlen(path);
            size_t end = strlen(cwds[i].end);
            assert_true(length > end);
            assert_string_equal(path + length - end, cwds[i].end);
            assert_int_equal(which, cwds[i].which);
        }
        free(path);
    }
    wrap_options_free(&run);
    remove_tree(root);
}

static void test_root_covers_everything(void **state)
{
    char root[64];
    size_t which = 99;
    (void)state;
    make_tree(root);
    struct wrap_run_options run = {0};
    assert_true(wrap_dir_add(&run, WRAP_DIR, "box::/"));
    char *path = wrap_dir_locate(&run, "/in/deep", &which);
    assert_non_null(path);
    assert_non_null(strstr(path, "/box/in/deep"));
    free(path);
    wrap_options_free(&run);
    remove_tree(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_table),
        cmocka_unit_test(test_cwd_table),
        cmocka_unit_test(test_root_covers_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
