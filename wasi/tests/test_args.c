/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_args.c - arguments, environment, clocks, randomness and leaving.
 */
#include "fake_vm.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct fake *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    fake_init(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fake_fini(*state);
    free(*state);
    return 0;
}

static void test_args_two_are_laid_out_with_nuls(void **state)
{
    struct fake *f = *state;
    const char *argv[] = {"prog", "", "a b"};
    assert_int_equal(wr_wasi_set_args(f->wasi, argv, 3, NULL), WR_OK);
    assert_errno(CALL(f, "args_sizes_get", 0x101, 0x203), SUCCESS); /* unaligned */
    assert_int_equal(fake_u32(f, 0x101), 3);
    assert_int_equal(fake_u32(f, 0x203), 10);
    assert_errno(CALL(f, "args_get", 0x301, 0x400), SUCCESS);
    assert_int_equal(fake_u32(f, 0x301), 0x400);
    assert_int_equal(fake_u32(f, 0x305), 0x405);
    assert_int_equal(fake_u32(f, 0x309), 0x406);
    assert_memory_equal(f->mem + 0x400, "prog\0\0a b\0", 10);
}

static void test_args_none_is_zero_and_writes_nothing(void **state)
{
    struct fake *f = *state;
    memset(f->mem, 0x77, 64);
    assert_errno(CALL(f, "args_sizes_get", 0x100, 0x104), SUCCESS);
    assert_int_equal(fake_u32(f, 0x100), 0);
    assert_int_equal(fake_u32(f, 0x104), 0);
    assert_errno(CALL(f, "args_get", 0, 0), SUCCESS);
    assert_int_equal(f->mem[0], 0x77);
}

static void test_args_at_the_end_of_memory_fault(void **state)
{
    struct fake *f = *state;
    const char *argv[] = {"prog"};
    assert_int_equal(wr_wasi_set_args(f->wasi, argv, 1, NULL), WR_OK);
    assert_errno(CALL(f, "args_get", FAKE_MEMORY - 4, FAKE_MEMORY - 16), SUCCESS);
    assert_errno(CALL(f, "args_get", FAKE_MEMORY - 3, 0), FAULT);
    assert_errno(CALL(f, "args_get", 0, FAKE_MEMORY - 4), FAULT);
    assert_errno(CALL(f, "args_get", 0xfffffffc, 0), FAULT);
    assert_errno(CALL(f, "args_sizes_get", FAKE_MEMORY - 3, 0), FAULT);
}

static void test_env_is_replaced_in_place(void **state)
{
    struct fake *f = *state;
    assert_int_equal(wr_wasi_set_env(f->wasi, "A", "1", NULL), WR_OK);
    assert_int_equal(wr_wasi_set_env(f->wasi, "AB", "two", NULL), WR_OK);
    assert_int_equal(wr_wasi_set_env(f->wasi, "C", "", NULL), WR_OK);
    assert_int_equal(wr_wasi_set_env(f->wasi, "AB", "longer=x", NULL), WR_OK);
    assert_int_equal(wr_wasi_set_env(f->wasi, "A", "", NULL), WR_OK);
    assert_errno(CALL(f, "environ_sizes_get", 0x100, 0x104), SUCCESS);
    assert_int_equal(fake_u32(f, 0x100), 3);
    assert_int_equal(fake_u32(f, 0x104), 18);
    assert_errno(CALL(f, "environ_get", 0x200, 0x300), SUCCESS);
    assert_memory_equal(f->mem + 0x300, "A=\0AB=longer=x\0C=\0", 18);
}

static void test_env_bad_names_are_refused(void **state)
{
    struct fake *f = *state;
    wr_error_t err;
    assert_int_equal(wr_wasi_set_env(f->wasi, "", "1", &err), WR_ARGUMENT);
    assert_int_equal(wr_wasi_set_env(f->wasi, "A=B", "1", &err), WR_ARGUMENT);
    assert_non_null(strstr(err.text, "A=B"));
}

static void test_text_past_one_mebibyte_is_a_limit(void **state)
{
    struct fake *f = *state;
    char *big = malloc((1 << 20) + 1);
    assert_non_null(big);
    memset(big, 'x', 1 << 20);
    big[1 << 20] = '\0';
    const char *argv[] = {big};
    wr_error_t err;
    assert_int_equal(wr_wasi_set_args(f->wasi, argv, 1, &err), WR_LIMIT);
    assert_int_equal(err.status, WR_LIMIT);
    big[(1 << 20) - 8] = '\0';
    assert_int_equal(wr_wasi_set_args(f->wasi, argv, 1, &err), WR_OK);
    assert_int_equal(wr_wasi_set_env(f->wasi, "ABCDEF", "1", &err), WR_LIMIT);
    assert_int_equal(wr_wasi_set_env(f->wasi, "ABCDE", "", &err), WR_OK);
    free(big);
}

static void test_clock_ids(void **state)
{
    struct fake *f = *state;
    for (u32 id = 0; id < 4; id++) {
        wasi_put64(f->mem + 0x100, 0);
        assert_errno(CALL(f, "clock_time_get", id, 1, 0x100), SUCCESS);
        assert_true(fake_u64(f, 0x100) > 0);
        assert_errno(CALL(f, "clock_res_get", id, 0x100), SUCCESS);
        assert_true(fake_u64(f, 0x100) > 0);
    }
    assert_errno(CALL(f, "clock_time_get", 4, 1, 0x100), INVAL);
    assert_errno(CALL(f, "clock_res_get", UINT32_MAX, 0x100), INVAL);
    assert_errno(CALL(f, "clock_time_get", 0, 1, FAKE_MEMORY - 7), FAULT);
}

static void test_random_fills_exactly_what_was_asked(void **state)
{
    struct fake *f = *state;
    const u32 len = 600 * 1024; /* more than one piece */
    assert_errno(CALL(f, "random_get", 16, len), SUCCESS);
    int zero = 0;
    for (u32 i = len - 1024; i < len; i++) zero += f->mem[16 + i] == 0;
    assert_true(zero < 64);
    for (u32 i = 0; i < 16; i++) assert_int_equal(f->mem[i] + f->mem[16 + len + i], 0);
    assert_errno(CALL(f, "random_get", FAKE_MEMORY, 0), SUCCESS);
    assert_errno(CALL(f, "random_get", FAKE_MEMORY + 1, 0), FAULT);
    assert_errno(CALL(f, "random_get", 16, FAKE_MEMORY), FAULT);
}

static void test_proc_exit_ends_the_guest_with_its_code(void **state)
{
    struct fake *f = *state;
    CALL(f, "proc_exit", 33);
    assert_int_equal(f->status, WR_EXIT);
    assert_int_equal(f->exit_code, 33);
    assert_errno(fake_call(f, "sched_yield", 0, NULL), SUCCESS);
    assert_int_equal(f->status, WR_OK);
}

static void test_no_memory_faults(void **state)
{
    struct fake *f = *state;
    wr_memory_t *memory = f->memory;
    const char *argv[] = {"prog"};
    assert_int_equal(wr_wasi_set_args(f->wasi, argv, 1, NULL), WR_OK);
    f->memory = NULL;
    assert_errno(CALL(f, "args_get", 0, 0), FAULT);
    assert_errno(CALL(f, "random_get", 0, 1), FAULT);
    assert_errno(CALL(f, "random_get", 0, 0), SUCCESS);
    assert_errno(CALL(f, "clock_time_get", 0, 0, 0), FAULT);
    assert_errno(CALL(f, "poll_oneoff", 0, 0, 1, 0), FAULT);
    f->memory = memory;
}

/* A guest has no handlers: signals end it, or do nothing, as they do by default. */
static void test_proc_raise_does_what_signals_do_by_default(void **state)
{
    struct fake *f = *state;
    static const struct {
        u32 number;
        int code;
    } ends[] = {{1, 129}, {2, 130}, {6, 134}, {9, 137}, {11, 139}, {15, 143}, {23, 152}, {30, 159}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        CALL(f, "proc_raise", ends[i].number);
        assert_int_equal(f->status, WR_EXIT);
        assert_int_equal(f->exit_code, ends[i].code);
    }
    static const u32 ignored[] = {0, 16, 17, 22, 27};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        assert_errno(CALL(f, "proc_raise", ignored[i]), SUCCESS);
    assert_errno(CALL(f, "proc_raise", 18), NOTSUP);
    assert_errno(CALL(f, "proc_raise", 31), INVAL);
    assert_errno(CALL(f, "proc_raise", UINT32_MAX), INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_args_two_are_laid_out_with_nuls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_args_none_is_zero_and_writes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_args_at_the_end_of_memory_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(test_env_is_replaced_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_env_bad_names_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_past_one_mebibyte_is_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clock_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_fills_exactly_what_was_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_proc_exit_ends_the_guest_with_its_code, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_proc_raise_does_what_signals_do_by_default, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_no_memory_faults, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
