/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c - strings as JSON, whatever their bytes are. */
#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct string_row {
    const char *text;
    const char *json;
};

static void test_string_table(void **state)
{
    static const struct string_row rows[] = {
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"\"\\", "\"\\\"\\\\\""},
        {"\n\x1b\x7f", "\"\\u000a\\u001b\\u007f\""},
        {"\xc2\x9b", "\"\\u009b\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xff", "\"\\ufffd\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xc0\x80", "\"\\ufffd\\ufffd\""},
        {"\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"\xe2\x82x", "\"\\ufffd\\ufffdx\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);
        assert_non_null(to);
        wrap_json_string(to, rows[i].text, strlen(rows[i].text));
        assert_int_equal(fclose(to), 0);
        assert_string_equal(text, rows[i].json);
        free(text);
    }
}

static void test_fields_make_an_object(void **state)
{
    char *text = NULL;
    size_t size = 0;
    (void)state;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    fputc('{', to);
    wrap_json_field(to, "a", "x\0y", 3);
    wrap_json_more(to, "b", "z");
    fputc('}', to);
    assert_int_equal(fclose(to), 0);
    assert_string_equal(text, "{\"a\":\"x\\u0000y\",\"b\":\"z\"}");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_string_table),
        cmocka_unit_test(test_fields_make_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
