/* SPDX-License-Identifier: Apache-2.0 */
/* test_stack.c - what is given back of a stack, and beginning it again. */
#include "common/stack.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEEP = 256 * 1024, GOOD = 7, BAD = 8, PATIENCE_S = 20 };

/* Of the mapping that holds `at`, in KiB. */
static long resident_kib(uintptr_t at)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    char line[256];
    bool here = false;
    long found = -1;
    while (file && found < 0 && fgets(line, sizeof line, file)) {
        unsigned long from;
        unsigned long to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) here = at >= from && at < to;
        if (here) (void)sscanf(line, "Rss: %ld", &found);
    }
    if (file) fclose(file);
    return found;
}

static __attribute__((noinline)) void use_stack(void)
{
    volatile char bytes[DEEP];
    for (size_t i = 0; i < sizeof bytes; i += 512) bytes[i] = 1;
}

static void test_stack_below_is_given_back(void **state)
{
    (void)state;
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    use_stack();
    long before = resident_kib(frame);
    wrap_stack_forget();
    long after = resident_kib(frame);
    if (!VM_SANITIZED) assert_true(before >= DEEP / 1024 && after <= before - DEEP / 1024 / 2);
}

static uintptr_t frame_before;

static void go(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    wrap_stack_forget();
    use_stack();
    _exit(VM_SANITIZED || frame > frame_before ? GOOD : BAD);
}

static __attribute__((noinline)) void begin_again(void)
{
    frame_before = (uintptr_t)__builtin_frame_address(0);
    wrap_stack_begin_again(go);
}

static int code_of(void (*run)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(PATIENCE_S);
        run();
        _exit(BAD);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_stack_begins_again_above(void **state)
{
    (void)state;
    assert_int_equal(code_of(begin_again), GOOD);
}

static void go_in_thread(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    wrap_stack_forget();
    _exit(VM_SANITIZED || frame < frame_before ? GOOD : BAD);
}

static void *thread(void *unused)
{
    (void)unused;
    frame_before = (uintptr_t)__builtin_frame_address(0);
    wrap_stack_begin_again(go_in_thread);
}

static void in_thread(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, thread, NULL) == 0) pthread_join(other, NULL);
}

static void test_another_stack_goes_on(void **state)
{
    (void)state;
    assert_int_equal(code_of(in_thread), GOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_below_is_given_back),
        cmocka_unit_test(test_stack_begins_again_above),
        cmocka_unit_test(test_another_stack_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
