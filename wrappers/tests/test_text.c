/* SPDX-License-Identifier: Apache-2.0 */
/* test_text.c - sizes, durations, edit distance and the escaping of messages. */
#include "common/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct number_row {
    const char *text;
    bool good;
    uint64_t value;
};

static void test_size_table(void **state)
{
    static const struct number_row rows[] = {
        {"1", true, 1},
        {"65536", true, 65536},
        {"64k", true, 65536},
        {"64K", true, 65536},
        {"16m", true, 16u << 20},
        {"2g", true, UINT64_C(2) << 30},
        {"1T", true, UINT64_C(1) << 40},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"18014398509481984k", false, 0},
        {"0", false, 0},
        {"", false, 0},
        {"k", false, 0},
        {"-1", false, 0},
        {" 1", false, 0},
        {"1kb", false, 0},
        {"1x", false, 0},
        {"1 k", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 0;
        assert_int_equal(wrap_parse_size(rows[i].text, &value), rows[i].good);
        if (rows[i].good) assert_true(value == rows[i].value);
    }
}

static void test_duration_table(void **state)
{
    static const struct number_row rows[] = {
        {"5", true, UINT64_C(5000000000)},
        {"500ms", true, 500000000},
        {"1.5s", true, 1500000000},
        {"2m", true, UINT64_C(120000000000)},
        {"1h", true, UINT64_C(3600000000000)},
        {"10us", true, 10000},
        {"7ns", true, 7},
        {"0", false, 0},
        {"0.1ns", false, 0},
        {"", false, 0},
        {"s", false, 0},
        {"-1", false, 0},
        {"1.2.3", false, 0},
        {"1 s", false, 0},
        {"1d", false, 0},
        {"nan", false, 0},
        {"1e3", false, 0},
        {"999999999999999", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 0;
        assert_int_equal(wrap_parse_duration(rows[i].text, &value), rows[i].good);
        if (rows[i].good) assert_true(value == rows[i].value);
    }
}

static void test_distance_table(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        {"", "", 0},       {"dir", "dir", 0}, {"dirr", "dir", 1}, {"dri", "dir", 2},
        {"env", "dir", 3}, {"", "abc", 3},    {"abcd", "", 4},    {"abcdef", "ghijkl", 4},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(wrap_distance(rows[i].a, rows[i].b, 3), rows[i].distance);
    }
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    assert_int_equal(wrap_distance(longer, longer, 3), 4);
}

static void test_print_escapes_controls(void **state)
{
    char *text = NULL;
    size_t size = 0;
    (void)state;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    wrap_print(to, "%s\n", "a\x1b[0m\n\t\x7f\xc2\x9b\xc3\xa9");
    fclose(to);
    assert_string_equal(text, "a\\x1b[0m\\x0a\\x09\\x7f\\xc2\\x9b\xc3\xa9\n");
    free(text);
}

/* Both pieces in one write: a pipe in packet mode keeps writes apart. */
static void test_messages_are_written_at_once(void **state)
{
    (void)state;
    struct wrap_message message;
    char text[64];
    int ends[2];
    int before = dup(STDERR_FILENO);
    assert_int_equal(pipe2(ends, O_DIRECT), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    wrap_say("one\n%s", "two");
    wrap_message_begin(&message);
    fputs("first\n", message.to);
    wrap_print(message.to, "second %d\n", 2);
    wrap_message_end(&message);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    static const char *const wanted[] = {"wasmrun: one\\x0atwo\n", "first\nsecond 2\n"};
    for (size_t i = 0; i < 2; i++) {
        ssize_t size = read(ends[0], text, sizeof text - 1);
        assert_true(size > 0);
        text[size] = 0;
        assert_string_equal(text, wanted[i]);
    }
    assert_int_equal(read(ends[0], text, sizeof text), 0);
    close(ends[0]);
}

static void test_times_are_those_of_the_calendar(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00"},
        {-1, "1969-12-31T23:59:59"},
        {951782399, "2000-02-28T23:59:59"},
        {951782400, "2000-02-29T00:00:00"},
        {4107542400, "2100-03-01T00:00:00"},
        {-62167219200, "0000-01-01T00:00:00"},
        {253402300799, "9999-12-31T23:59:59"},
    };
    char text[WRAP_TIME_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(wrap_time_text(rows[i].seconds, text));
        assert_string_equal(text, rows[i].text);
    }
    for (int64_t seconds = -62167219200; seconds < 253402300800; seconds += 86400 * 25 + 3671) {
        struct tm parts;
        time_t time = (time_t)seconds;
        char wanted[80];
        assert_non_null(gmtime_r(&time, &parts));
        snprintf(wanted, sizeof wanted, "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        assert_true(wrap_time_text(seconds, text));
        assert_string_equal(text, wanted);
    }
    static const int64_t outside[] = {INT64_MIN, -62167219201, 253402300800, INT64_MAX};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        assert_false(wrap_time_text(outside[i], text));
        assert_string_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size_table),
        cmocka_unit_test(test_duration_table),
        cmocka_unit_test(test_distance_table),
        cmocka_unit_test(test_times_are_those_of_the_calendar),
        cmocka_unit_test(test_print_escapes_controls),
        cmocka_unit_test(test_messages_are_written_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
