/* SPDX-License-Identifier: Apache-2.0 */
/* test_toml.c - the reader of TOML and the marked lines of the node installer. */
#include "node/block.h"
#include "node/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wrap_toml *read_text(const char *text)
{
    struct wrap_error err = {0};
    struct wrap_toml *root = wrap_toml_read(text, strlen(text), &err);
    if (!root) fail_msg("%s: %s", text, err.text);
    return root;
}

static const struct wrap_toml *at(const struct wrap_toml *root, const char *a, const char *b,
                                  const char *c)
{
    const char *path[] = {a, b, c, NULL};
    return wrap_toml_find(root, path);
}

static void test_tables_and_keys_are_found(void **state)
{
    (void)state;
    struct wrap_toml *root =
        read_text("a = 1\n[b.\"c d\"]\ne = 'x'\nf.g = true\n[[h]]\ni = 1\n[[h]]\n"
                  "i = 2\n[h.j]\nk = [\"m\", 2]\nl = { n = { o = 1.5 } }\n");
    assert_int_equal(wrap_toml_get(root, "a")->number, 1);
    assert_true(wrap_toml_is(at(root, "b", "c d", "e"), "x"));
    assert_int_equal(at(root, "b", "c d", "f")->first->kind, WRAP_TOML_BOOLEAN);
    assert_int_equal(at(root, "h", "i", NULL)->number, 2); /* the last one */
    assert_int_equal(at(root, "h", "j", "k")->kind, WRAP_TOML_ARRAY);
    assert_true(wrap_toml_is(at(root, "h", "j", "k")->first, "m"));
    assert_true(at(root, "h", "j", "l")->closed && at(root, "h", "j", "l")->first->closed);
    assert_null(at(root, "a", "b", NULL));
    assert_int_equal(at(root, "b", "c d", "e")->line, 3);
    wrap_toml_free(root);
}

static void test_strings_mean_their_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a = \"x\\ty\\u00e9\\U0001F600\\\"\"", "x\ty\xc3\xa9\xf0\x9f\x98\x80\""},
        {"a = 'x\\t'", "x\\t"},
        {"a = \"\"\"\nx\"\"\\\n   y\"\"\"\"\"", "x\"\"y\"\""},
        {"a = \"\"\"x\\\"\"\" \"\"\"", "x\"\"\" "},
        {"a = '''\n'x'''''", "'x''"},
        {"a = \"\"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wrap_toml *root = read_text(rows[i].text);
        const struct wrap_toml *value = wrap_toml_get(root, "a");
        assert_int_equal(value->kind, WRAP_TOML_STRING);
        assert_string_equal(value->text, rows[i].want);
        wrap_toml_free(root);
    }
}

static void test_errors_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a = 1\n[b]\nc\n", "line 3: '=' is missing"},
        {"a = \"\"\"\n\n\n", "line 4: a string is not closed"},
        {"[a]\n\n[a]\n", "line 3: 'a' is defined already, in line 1"},
        {"a = [1,\n\n,]", "line 3: a value is missing"},
        {"a = 1\nb = \xff\n", "line 2: it is not UTF-8 text"},
        {"a = 12:00", "line 1: '12:00' is no value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wrap_error err = {0};
        assert_null(wrap_toml_read(rows[i].text, strlen(rows[i].text), &err));
        assert_string_equal(err.text, rows[i].want);
    }
}

static void test_headers_of_templates(void **state)
{
    (void)state;
    static const char line[] = "  [plugins.'a.b' . \"c\"] # x";
    char parts[32], small[4];
    assert_int_equal(wrap_toml_header(line, strlen(line), parts, sizeof parts), 3);
    assert_memory_equal(parts, "plugins\0a.b\0c", 14);
    assert_int_equal(wrap_toml_header(line, strlen(line), small, sizeof small), 0);
    assert_int_equal(wrap_toml_header("{{ if }}", 8, parts, sizeof parts), 0);
    assert_int_equal(wrap_toml_header("[a", 2, parts, sizeof parts), 0);
    assert_int_equal(wrap_toml_header("", 0, parts, sizeof parts), 0);
}

static void test_marks_give_back_what_was_there(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a\n", "a", "a\n\n", "\n", "a\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wrap_error err = {0};
        struct wrap_node_text rest = {.data = (char *)texts[i], .size = strlen(texts[i])}, all,
                              back;
        struct wrap_node_text lines = {.data = (char *)"x = 1\n", .size = 6};
        bool ours = false;
        assert_true(wrap_node_block_append(&rest, &lines, &all, &err));
        assert_non_null(strstr(all.data, "\nx = 1\n# END wasmrun-node\n"));
        assert_true(wrap_node_block_strip(all.data, all.size, &back, &ours, &err));
        assert_true(ours);
        assert_string_equal(back.data, texts[i]);
        free(all.data);
        free(back.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_and_keys_are_found),
        cmocka_unit_test(test_strings_mean_their_escapes),
        cmocka_unit_test(test_errors_name_their_line),
        cmocka_unit_test(test_headers_of_templates),
        cmocka_unit_test(test_marks_give_back_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
