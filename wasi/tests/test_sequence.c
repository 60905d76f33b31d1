/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sequence.c - random sequences of calls: nothing outside the preopens changes or is read.
 * SEQUENCES in the environment is how many; the seed is their number.
 */
#include "sequence.h"

#include <stdio.h>
#include <stdlib.h>

enum { BYTES = 6000, DEFAULT_SEQUENCES = 150 };

static void fill(u8 *data, u64 seed)
{
    u64 x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < BYTES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        data[i] = (u8)(x >> 24);
    }
}

static void test_random_calls_stay_inside(void **state)
{
    static u8 data[BYTES];
    (void)state;
    const char *wanted = getenv("SEQUENCES");
    u64 count = wanted != NULL ? strtoull(wanted, NULL, 10) : DEFAULT_SEQUENCES;
    size_t calls = 0, all_good = 0, good;
    for (u64 seed = 1; seed <= count; seed++) {
        struct fake f;
        fake_init(&f);
        sequence_init(&f);
        fill(data, seed);
        calls += sequence_run(&f, data, BYTES, &good);
        all_good += good;
        const char *wrong = sequence_check(&f);
        if (wrong != NULL) fail_msg("sequence %llu: %s", (unsigned long long)seed, wrong);
        fake_fini(&f);
    }
    printf("%zu calls, %zu of them succeeded\n", calls, all_good);
    assert_true(all_good > calls / 20); /* else it only tests the checks of arguments */
}

/* The check itself sees what it is there for. */
static void test_the_check_sees_a_change(void **state)
{
    (void)state;
    static const char *const files[] = {"canary", "out/secret", "ro/f", "new", "out/new"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct fake f;
        fake_init(&f);
        sequence_init(&f);
        assert_null(sequence_check(&f));
        host_write(&f, files[i], "changed");
        assert_non_null(sequence_check(&f));
        fake_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_calls_stay_inside),
        cmocka_unit_test(test_the_check_sees_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
