/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_model.c - random sequences of file calls do on the host what they do in a model, answer for
 * answer and tree for tree, with both resolvers; and the comparison sees what it is there for.
 * SEQUENCES in the environment is how many; the seed is their number.
 */
#include "modelled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BYTES = 4000, DEFAULT_SEQUENCES = 120 };

static enum wasi_resolve_mode mode;

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

static void begin(struct modelled *w, struct fake *f)
{
    fake_init(f);
    modelled_init(w, f);
    f->wasi->resolver.mode = mode;
}

static void test_random_calls_do_what_the_model_does(void **state)
{
    static u8 data[BYTES];
    static struct modelled w;
    (void)state;
    const char *wanted = getenv("SEQUENCES");
    u64 count = wanted != NULL ? strtoull(wanted, NULL, 10) : DEFAULT_SEQUENCES;
    size_t calls = 0, good = 0;
    for (u64 seed = 1; seed <= count; seed++) {
        struct fake f;
        begin(&w, &f);
        fill(data, seed);
        const char *wrong = modelled_run(&w, data, BYTES);
        if (wrong != NULL) fail_msg("sequence %llu: %s", (unsigned long long)seed, wrong);
        calls += w.calls;
        good += w.good;
        fake_fini(&f);
    }
    printf("%zu calls, %zu of them succeeded\n", calls, good);
    assert_true(good > calls / 8); /* else it only tests what fails */
}

/* Behind the guest's back, each kind of change, after a sequence that agreed. */
static void test_the_comparison_sees_a_change(void **state)
{
    static struct modelled w;
    (void)state;
    for (int what = 0; what < 8; what++) {
        struct fake f;
        u32 fd;
        begin(&w, &f);
        assert_errno(fake_open(&f, 3, "x", WASI_OFLAG_CREAT, WASI_RIGHTS_RW, &fd), SUCCESS);
        int node;
        const struct model_open how = {.create = true};
        assert_true(model_open(&w.m, MODEL_ROOT, "x", how, &node) == MODEL_OK);
        if (what == 0) host_write(&f, "in/x", "more");
        if (what == 1) host_write(&f, "in/y", "");
        if (what == 2) unlink(host_path(&f, "in/x"));
        if (what == 3) assert_int_equal(link(host_path(&f, "in/x"), host_path(&f, "y")), 0);
        if (what == 4) host_write(&f, "canary", "changed");
        if (what == 5) host_mkdir(&f, "beside");
        if (what == 6) assert_int_equal(link(host_path(&f, "a"), host_path(&f, "in/y")), 0);
        const char *wrong = modelled_run(&w, NULL, 0);
        assert_int_equal(wrong != NULL, what < 7);
        fake_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_calls_do_what_the_model_does)};
    const struct CMUnitTest once[] = {cmocka_unit_test(test_the_comparison_sees_a_change)};
    mode = WASI_RESOLVE_OPENAT2;
    int failed = cmocka_run_group_tests_name("openat2", tests, NULL, NULL);
    mode = WASI_RESOLVE_WALK;
    failed += cmocka_run_group_tests_name("walk", tests, NULL, NULL);
    return failed + cmocka_run_group_tests_name("comparison", once, NULL, NULL);
}
