/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_exec.c - processes beside the first one of a container. */
#include "task_fixture.h"

/* ---------------------------------------------------------------- execs */

static void test_exec_ends_before_its_container(void **state)
{
    (void)state;
    run_task("a", "plain");
    assert_true(exec_add("a", "e") && exec_add("a", "never"));
    until_good(start("a", "e"));
    struct step *never = wait_for("a", "never");
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGKILL));
    until_good(waited);
    assert_string_equal(history(),
                        "create start exec-added/e exec-added/never exec-started/e exit/e exit ");
    assert_false(exec_add("a", "late"));
    assert_int_equal(start("a", "never")->err.code, WRAP_FAILED_PRECONDITION);
    assert_int_equal(never->ends, 0);
    until_good(delete ("a", "", false)); /* the exec goes with it, and who waits is told */
    until_end(never);
}

/* The shim keeps a small part of it only, and the file, whatever becomes of its name. */
static void test_exec_has_the_whole_configuration(void **state)
{
    char path[128];
    (void)state;
    make_bundle("moved", "", PID_NS);
    run_task("a", "moved");
    assert_string_equal(fake.root, "rootfs");
    assert_string_equal(proc_of("a", "")->task->spec->root, "");
    fake.root[0] = 0;
    snprintf(path, sizeof path, "%s/moved/config.json", folder);
    assert_int_equal(unlink(path), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(exec_add("a", i ? "f" : "e"));
        until_good(start("a", i ? "f" : "e"));
        assert_string_equal(fake.root, "rootfs");
        fake.root[0] = 0;
    }
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGKILL));
    until_good(waited);
    until_good(delete ("a", "", false));
}

static void test_exec_that_starts_while_its_container_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        run_task("a", "plain");
        assert_true(exec_add("a", "e"));
        struct step *waited = wait_for("a", "");
        struct step *started = start("a", "e");
        assert_true(signal_proc("a", "", SIGKILL));
        until_good(waited);
        until_end(started);
        until_good(delete ("a", "", false));
    }
}

static void test_linux_exec_that_starts_while_its_container_ends(void **state)
{
    (void)state;
    fake.life = FAKE_LINUX;
    run_task("a", "slow");
    assert_true(exec_add("a", "e") && exec_add("a", "late"));
    struct step *waited = wait_for("a", "");
    struct step *started = start("a", "e");
    assert_true(signal_proc("a", "", SIGKILL));
    turn(10);
    assert_int_equal(waited->ends, 0); /* the runtime is not ready */
    assert_true(proc_of("a", "")->gone);
    assert_int_equal(start("a", "late")->err.code, WRAP_FAILED_PRECONDITION);
    assert_false(exec_add("a", "later"));
    until_end(started);
    until_good(waited);
    until_good(delete ("a", "", false));
}

static void test_exec_that_fails_has_stopped(void **state)
{
    (void)state;
    run_task("a", "plain");
    fake.life = FAKE_FAILS;
    assert_true(exec_add("a", "e"));
    struct step *waited = wait_for("a", "e");
    struct step *started = start("a", "e");
    until_end(started);
    assert_int_equal(started->err.code, WRAP_NOT_FOUND);
    until_good(waited);
    until_good(delete ("a", "e", false));
    assert_string_equal(history(), "create start exec-added/e ");
}

static void test_exec_of_linux_leaves_no_files(void **state)
{
    char path[128];
    (void)state;
    fake.life = FAKE_LINUX;
    run_task("a", "plain");
    snprintf(path, sizeof path, "%s/plain", folder);
    assert_true(exec_add("a", "e"));
    until_good(start("a", "e"));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *row; (row = readdir(dir));) {
        assert_true(row->d_name[0] != 'e');
    }
    closedir(dir);
    struct step *waited = wait_for("a", "e");
    assert_true(signal_proc("a", "e", SIGKILL));
    until_good(waited);
    until_good(delete ("a", "e", false));
    assert_string_equal(history(), "create start exec-added/e exec-started/e exit/e ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_exec_ends_before_its_container),
        CASE(test_exec_has_the_whole_configuration),
        CASE(test_exec_that_starts_while_its_container_ends),
        CASE(test_linux_exec_that_starts_while_its_container_ends),
        CASE(test_exec_that_fails_has_stopped),
        CASE(test_exec_of_linux_leaves_no_files),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
