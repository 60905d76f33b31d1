/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_task.c - lives of containers: creation, end, removal; hooks, Linux runtimes, systemd.
 */
#include "task_fixture.h"

/* ---------------------------------------------------------------- a life */

static void test_life_tells_its_events_in_order(void **state)
{
    (void)state;
    fake.life = FAKE_ENDS;
    fake.busy = 2; /* the group is not free at once */
    until_good(create("a", "plain", false));
    struct step *waited = wait_for("a", "");
    until_good(start("a", ""));
    until_good(waited);
    assert_int_equal(waited->status, 7);
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start exit delete ");
    assert_null(proc_of("a", ""));
}

static void test_second_create_and_start_are_refused(void **state)
{
    (void)state;
    struct step *first = create("a", "plain", false);
    assert_int_equal(create("a", "plain", false)->err.code, WRAP_ALREADY_EXISTS);
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION);
    until_good(first);
    until_good(start("a", ""));
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION);
    assert_int_equal(delete ("a", "", false)->err.code, WRAP_FAILED_PRECONDITION);
}

static void test_creation_that_fails_leaves_nothing(void **state)
{
    static const enum fake_life lives[] = {FAKE_FAILS, FAKE_DIES, FAKE_DIES_READY,
                                           FAKE_DIES_CREATED};
    (void)state;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        fake.life = lives[i];
        struct step *made = create("a", i == 3 ? "hooked" : "plain", false);
        struct step *waited = wait_for("a", "");
        until_end(made);
        /* One that was ready may have been so for a moment. */
        assert_true(made->err.code || lives[i] == FAKE_DIES_READY);
        until_end(waited);
        delete_all();
    }
    fake.life = FAKE_RUNS;
    fake.no_group = true;
    struct step *made = create("a", "plain", false);
    until_end(made);
    assert_int_equal(made->err.code, WRAP_ALREADY_EXISTS);
    fake.no_group = false;
    made = create("a", "badly", false);
    until_end(made);
    assert_int_equal(made->err.code, WRAP_FAILED_PRECONDITION);
    assert_non_null(strstr(made->err.text, "/bin/false"));
}

/* Create is answered before the module is read; what is wrong with it is the answer to Start, which
 * may come before or after. Only where the child's end is seen first it is the answer to Create. */
static void test_bad_module_is_the_answer_to_start(void **state)
{
    static const enum fake_life lives[] = {FAKE_FAILS_LOCKED, FAKE_DIES_LOCKED};
    (void)state;
    unsigned seen = 0;
    for (unsigned i = 0; i < 8; i++) {
        bool says = lives[i % 2] == FAKE_FAILS_LOCKED;
        bool early = i & 2;
        fake.life = lives[i % 2];
        fake.load_ms = early ? 30 : 0;
        struct step *made = create("a", i & 4 ? "hooked" : "plain", false);
        until_end(made);
        if (made->err.code) {
            assert_non_null(strstr(made->err.text, says ? "not a module" : "died with status 1"));
            assert_null(proc_of("a", ""));
            continue;
        }
        seen++;
        struct step *waited = wait_for("a", "");
        if (!early) until_good(waited);
        struct step *started = start("a", "");
        until_end(started);
        assert_int_equal(started->err.code, says ? WRAP_NOT_FOUND : WRAP_UNKNOWN);
        assert_non_null(strstr(started->err.text, says ? "not a module" : "died with status 1"));
        until_good(waited);
        assert_int_equal(waited->status, says ? 126 : 1);
        assert_int_equal(start("a", "")->err.code, started->err.code);
        until_good(delete ("a", "", false));
        assert_null(strstr(history(), "start"));
        assert_string_equal(strrchr(history(), 'c'), "create exit delete ");
    }
    assert_true(seen > 0);
    fake.load_ms = 0;
}

static void test_start_waits_for_the_module(void **state)
{
    (void)state;
    fake.life = FAKE_ENDS;
    fake.load_ms = 50;
    until_good(create("a", "plain", false));
    struct step *started = start("a", "");
    struct step *waited = wait_for("a", "");
    assert_int_equal(started->ends, 0);
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION); /* one is in progress */
    until_good(started);
    until_good(waited);
    assert_int_equal(waited->status, 7);
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start exit delete ");
    /* Killed while it waits. */
    fake.life = FAKE_RUNS;
    until_good(create("b", "plain", false));
    started = start("b", "");
    waited = wait_for("b", "");
    assert_true(signal_proc("b", "", SIGKILL));
    until_end(started);
    assert_int_equal(started->err.code, WRAP_UNKNOWN);
    until_good(waited);
    assert_int_equal(waited->status, 128 + SIGKILL);
    fake.load_ms = 0;
}

static void test_delete_gives_up_a_creation(void **state)
{
    static const char *const bundles[] = {"plain", "hooked", "slow"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        fake.life = i == 2 ? FAKE_LINUX : FAKE_RUNS;
        struct step *made = create("a", bundles[i], false);
        turn(i == 2 ? 10 : 1); /* the slow one: its runtime is at work */
        if (!proc_of("a", "")) {
            continue;
        }
        struct step *deleted = delete ("a", "", false);
        assert_int_equal(delete ("a", "", false)->err.code, WRAP_FAILED_PRECONDITION);
        until_end(deleted);
        until_end(made);
        assert_null(proc_of("a", ""));
        assert_true(!deleted->err.code || deleted->err.code == WRAP_NOT_FOUND);
    }
}

static void test_delete_of_a_created_one_ends_it(void **state)
{
    (void)state;
    until_good(create("a", "plain", false));
    struct step *deleted = delete ("a", "", false);
    assert_int_equal(start("a", "")->err.code, WRAP_FAILED_PRECONDITION);
    assert_int_equal(update("a", 10)->err.code, WRAP_FAILED_PRECONDITION);
    until_good(deleted);
    assert_int_equal(deleted->status, 128 + SIGKILL);
    assert_string_equal(history(), "create exit delete ");
}

static void test_forced_delete_ends_one_that_runs(void **state)
{
    (void)state;
    run_task("a", "plain");
    assert_true(exec_add("a", "e"));
    until_good(start("a", "e"));
    until_good(pause_task("a", true));
    until_good(delete ("a", "", true));
    assert_string_equal(history(),
                        "create start exec-added/e exec-started/e paused exit/e exit delete ");
}

static void test_kill_says_what_it_found(void **state)
{
    struct wrap_error err = {0};
    (void)state;
    run_task("a", "plain");
    assert_true(exec_add("a", "e"));
    assert_false(wrap_proc_kill(proc_of("a", "e"), SIGTERM, false, &err));
    assert_int_equal(err.code, WRAP_FAILED_PRECONDITION);
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGTERM));
    until_good(waited);
    assert_int_equal(waited->status, 128 + SIGTERM);
    err = (struct wrap_error){0};
    assert_false(wrap_proc_kill(proc_of("a", ""), SIGKILL, false, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    assert_string_equal(err.text, "process already finished");
}

/* ---------------------------------------------------------------- hooks, Linux, systemd */

static void test_hooks_that_outlive_their_task(void **state)
{
    (void)state;
    /* While createRuntime runs. */
    struct step *made = create("a", "hooked", false);
    for (int i = 0; i < 2000 && proc_of("a", "") && !proc_of("a", "")->task->hooks; i++) {
        turn(1);
    }
    assert_non_null(proc_of("a", ""));
    assert_true(signal_proc("a", "", SIGKILL));
    until_end(made);
    assert_int_equal(made->err.code, WRAP_UNKNOWN);
    /* While startContainer and poststart run. */
    fake.life = FAKE_ENDS;
    until_good(create("a", "hooked", false));
    struct step *started = start("a", "");
    assert_int_equal(delete ("a", "", false)->err.code, WRAP_FAILED_PRECONDITION);
    struct step *waited = wait_for("a", "");
    until_good(waited);
    assert_int_equal(started->ends, 1); /* Start is answered before the end is told */
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start exit delete ");
}

static void test_failing_start_hook_is_told(void **state)
{
    (void)state;
    until_good(create("a", "nostart", false));
    struct step *started = start("a", "");
    until_end(started);
    assert_int_equal(started->err.code, WRAP_FAILED_PRECONDITION);
    until_good(delete ("a", "", false));
}

static void test_linux_life(void **state)
{
    (void)state;
    fake.life = FAKE_LINUX;
    run_task("a", "plain");
    until_good(pause_task("a", true));
    until_good(pause_task("a", false));
    until_good(update("a", 10));
    struct step *waited = wait_for("a", "");
    assert_true(signal_proc("a", "", SIGTERM));
    until_good(waited);
    assert_int_equal(waited->status, 128 + SIGTERM);
    until_good(delete ("a", "", false));
    assert_string_equal(history(), "create start paused resumed exit delete ");
}

static void test_linux_container_without_pid_is_deleted(void **state)
{
    char path[128];
    (void)state;
    fake.life = FAKE_LINUX;
    struct step *made = create("a", "nopid", false);
    until_end(made);
    assert_int_not_equal(made->err.code, WRAP_OK);
    snprintf(path, sizeof path, "%s/nopid/deleted", folder);
    assert_int_equal(access(path, F_OK), 0);
    assert_null(proc_of("a", ""));
}

static void test_systemd_is_asked_aside(void **state)
{
    (void)state;
    fake.scope = true;
    until_good(create("a", "plain", true));
    until_good(start("a", ""));
    struct step *updated = update("a", 10);
    assert_int_equal(updated->ends, 0); /* later */
    until_good(updated);
    updated = update("a", 13);
    until_end(updated);
    assert_int_equal(updated->err.code, WRAP_INVALID_ARGUMENT);
    until_good(delete ("a", "", true));
    fake.life = FAKE_FAILS;
    struct step *made = create("a", "plain", true);
    until_end(made);
    assert_int_equal(made->err.code, WRAP_NOT_FOUND);
    fake.life = FAKE_LINUX;
    until_good(create("a", "plain", true));
}

static void test_shim_enters_its_group_once(void **state)
{
    struct wrap_error err = {0};
    char path[128];
    (void)state;
    struct wrap_task_options options = {
        .binary = runtime, .root = folder, .shim_cgroup = (char *)"/shims"};
    snprintf(path, sizeof path, "%s/plain", folder);
    struct wrap_task_create config = {
        .id = "a", .bundle = path, .in = "", .out = "", .err = "", .options = &options};
    fake.no_group = true;
    assert_false(wrap_task_create(&shim, &config, on_step, NULL, &err));
    assert_non_null(strstr(err.text, "ShimCgroup"));
    fake.no_group = false;
    struct step *made = step_new();
    err = (struct wrap_error){0};
    assert_true(wrap_task_create(&shim, &config, on_step, made, &err));
    until_good(made);
    assert_true(shim.in_cgroup);
}

static void test_hostile_child_is_heard_once(void **state)
{
    (void)state;
    fake.life = FAKE_HOSTILE;
    run_task("a", "hooked");
    assert_true(exec_add("a", "e"));
    until_good(start("a", "e"));
    turn(20);
    assert_string_equal(history(), "create start exec-added/e exec-started/e ");
    assert_int_equal(proc_of("a", "")->state, WRAP_STATE_RUNNING);
}

static void test_hostile_module_is_not_heard(void **state)
{
    (void)state;
    fake.life = FAKE_HOSTILE_LOCKED;
    until_good(create("a", "hooked", false));
    struct step *started = start("a", "");
    struct step *waited = wait_for("a", "");
    fake.life = FAKE_RUNS;
    run_task("b", "plain"); /* others are served */
    turn(20);
    assert_int_equal(started->ends, 0);
    assert_true(signal_proc("a", "", SIGKILL));
    until_end(started);
    assert_int_equal(started->err.code, WRAP_UNKNOWN);
    until_good(waited);
    assert_int_equal(waited->status, 128 + SIGKILL);
    /* In an exec; and a start that waits does not keep a task from being deleted. */
    fake.life = FAKE_HOSTILE_LOCKED;
    assert_true(exec_add("b", "e"));
    struct step *exec = start("b", "e");
    until_good(create("c", "plain", false));
    started = start("c", "");
    turn(20);
    assert_int_equal(exec->ends + started->ends, 0);
    until_good(delete ("c", "", false));
    assert_int_equal(started->ends, 1);
    assert_int_equal(started->err.code, WRAP_CANCELLED);
    assert_true(signal_proc("b", "e", SIGKILL));
    until_end(exec);
    assert_int_equal(exec->err.code, WRAP_UNKNOWN);
}

static void test_what_the_kernel_lacks_is_logged_once(void **state)
{
    char path[128];
    char text[1024] = "";
    (void)state;
    snprintf(path, sizeof path, "%s/log", folder);
    write_file(path, "", 0600);
    wrap_log_open(path, false);
    fake.lacks = "Landlock: not in this kernel";
    run_task("a", "plain");
    run_task("b", "plain");
    wrap_log_open("", false); /* closes it */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    const char *line = strstr(text, "level=warning msg=\"sandbox: Landlock: not in this kernel\"");
    assert_non_null(line);
    assert_non_null(strstr(line, "id=\"a\""));
    assert_null(strstr(line, "id=\"b\""));
}

static void test_ids_are_names(void **state)
{
    static const char *const bad[] = {"", "..", "a/b", "-a", "a.", "a\nb", "\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(create(bad[i], "plain", false)->err.code, WRAP_INVALID_ARGUMENT);
    }
    run_task("a", "plain");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(exec_add("a", bad[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_life_tells_its_events_in_order),
        CASE(test_bad_module_is_the_answer_to_start),
        CASE(test_start_waits_for_the_module),
        CASE(test_second_create_and_start_are_refused),
        CASE(test_creation_that_fails_leaves_nothing),
        CASE(test_delete_gives_up_a_creation),
        CASE(test_delete_of_a_created_one_ends_it),
        CASE(test_forced_delete_ends_one_that_runs),
        CASE(test_kill_says_what_it_found),
        CASE(test_hooks_that_outlive_their_task),
        CASE(test_failing_start_hook_is_told),
        CASE(test_linux_life),
        CASE(test_linux_container_without_pid_is_deleted),
        CASE(test_systemd_is_asked_aside),
        CASE(test_shim_enters_its_group_once),
        CASE(test_hostile_child_is_heard_once),
        CASE(test_hostile_module_is_not_heard),
        CASE(test_what_the_kernel_lacks_is_logged_once),
        CASE(test_ids_are_names),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
