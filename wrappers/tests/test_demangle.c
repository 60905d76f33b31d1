/* SPDX-License-Identifier: Apache-2.0 */
/* test_demangle.c - names of C++ and Rust; names that stand for endless ones. */
#include "common/demangle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

struct name_row {
    const char *mangled, *plain;
};

static const struct name_row rows[] = {
    {"main", "main"},
    {"", ""},
    {"_Zzz", "_Zzz"},
    {"_R", "_R"},
    {"_Z3fooi", "foo(int)"},
    {"__Z3fooi", "foo(int)"},
    {"_ZN3app5shareEii", "app::share(int, int)"},
    {"_ZN3BoxIiE4halfEi", "Box<int>::half(int)"},
    {"_ZNSt6vectorIiSaIiEE9push_backEOi",
     "std::vector<int, std::allocator<int> >::push_back(int&&)"},
    {"_ZN4core9panicking5panic17h0123456789abcdefE", "core::panicking::panic"},
    {"_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
     "<alloc::string::String as core::fmt::Debug>::fmt"},
    {"_RNvC6_123foo3bar", "123foo::bar"},
    {"_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"},
    {"_RNCNvC7mycrate4main0B3_", "mycrate::main::{closure#0}"},
    {"_RINvC7mycrate3foolE", "mycrate::foo::<i32>"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static bool has_library(void)
{
    char names[1][WRAP_NAME_BYTES] = {"_Z3fooi"};
    wrap_demangle(names, 1);
    return strcmp(names[0], "foo(int)") == 0;
}

static void test_name_table(void **state)
{
    char names[ROWS][WRAP_NAME_BYTES];
    (void)state;
    if (!has_library()) {
        skip(); /* built without libiberty */
    }
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(names[i], WRAP_NAME_BYTES, "%s", rows[i].mangled);
    }
    wrap_demangle(names, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(names[i], rows[i].plain);
    }
}

/* Each type is made of twice the one before it: the name doubles some 35 times. */
static void make_endless(char name[WRAP_NAME_BYTES])
{
    char *at = name + sprintf(name, "_Z1f1AIiiE");
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    at += sprintf(at, "S_IS0_S0_E");
    for (int i = 1; i < 35; i++) {
        at += sprintf(at, "S_IS%c_S%c_E", digits[i], digits[i]);
    }
}

static void test_endless_names_take_a_moment(void **state)
{
    char names[3][WRAP_NAME_BYTES] = {"_Z3fooi", "", "_Z3bari"};
    char endless[WRAP_NAME_BYTES];
    struct timespec begin;
    struct timespec end;
    (void)state;
    make_endless(endless);
    strcpy(names[1], endless);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    wrap_demangle(names, 3);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    assert_true(seconds < 5);
    assert_true(strnlen(names[1], WRAP_NAME_BYTES) < WRAP_NAME_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_table),
        cmocka_unit_test(test_endless_names_take_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
