/* SPDX-License-Identifier: Apache-2.0 */
/* test_delegate.c - command lines for other runtimes and reading what they leave. */
#include "common/delegate.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---------------------------------------------------------------- command lines */

static const struct wrap_delegate runc = {.binary = "runc", .root = "/run/r", .log = "/b/log.json"};
#define GLOBAL "runc --root /run/r --log /b/log.json --log-format json "

struct call_row {
    struct wrap_delegate_call call;
    const char *line;
};
static const struct call_row call_rows[] = {
    {{.op = WRAP_DELEGATE_CREATE, .id = "c", .bundle = "/b", .pid_file = "/b/init.pid"},
     GLOBAL "create --bundle /b --pid-file /b/init.pid c"},
    {{.op = WRAP_DELEGATE_CREATE,
      .id = "c",
      .bundle = "/b",
      .pid_file = "/p",
      .console_socket = "/s",
      .no_pivot = true},
     GLOBAL "create --bundle /b --pid-file /p --console-socket /s --no-pivot c"},
    {{.op = WRAP_DELEGATE_START, .id = "c"}, GLOBAL "start c"},
    {{.op = WRAP_DELEGATE_EXEC, .id = "c", .process_file = "/f", .pid_file = "/p"},
     GLOBAL "exec --process /f --detach --pid-file /p c"},
    {{.op = WRAP_DELEGATE_EXEC,
      .id = "c",
      .process_file = "/f",
      .pid_file = "/p",
      .console_socket = "/s"},
     GLOBAL "exec --process /f --console-socket /s --detach --pid-file /p c"},
    {{.op = WRAP_DELEGATE_KILL, .id = "c", .signal = 9}, GLOBAL "kill c 9"},
    {{.op = WRAP_DELEGATE_KILL, .id = "c", .signal = 15, .all = true}, GLOBAL "kill --all c 15"},
    {{.op = WRAP_DELEGATE_DELETE, .id = "c"}, GLOBAL "delete c"},
    {{.op = WRAP_DELEGATE_DELETE, .id = "c", .force = true}, GLOBAL "delete --force c"},
    {{.op = WRAP_DELEGATE_UPDATE, .id = "c"}, GLOBAL "update --resources - c"},
    {{.op = WRAP_DELEGATE_PAUSE, .id = "c"}, GLOBAL "pause c"},
    {{.op = WRAP_DELEGATE_RESUME, .id = "c"}, GLOBAL "resume c"},
};

static void join(const char *const *argv, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; argv[i]; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", argv[i]);
        assert_true(used < size);
    }
}

static void test_call_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof call_rows / sizeof call_rows[0]; i++) {
        char number[16], line[512];
        const char *argv[WRAP_DELEGATE_ARGS];
        wrap_delegate_argv(&runc, &call_rows[i].call, number, argv);
        join(argv, line, sizeof line);
        assert_string_equal(line, call_rows[i].line);
    }
}

static void test_call_without_log_with_systemd(void **state)
{
    (void)state;
    const struct wrap_delegate crun = {.binary = "crun", .root = "/r", .systemd_cgroup = true};
    const struct wrap_delegate_call call = {.op = WRAP_DELEGATE_START, .id = "c"};
    char number[16], line[512];
    const char *argv[WRAP_DELEGATE_ARGS];
    wrap_delegate_argv(&crun, &call, number, argv);
    join(argv, line, sizeof line);
    assert_string_equal(line, "crun --root /r --systemd-cgroup start c");
}

/* ---------------------------------------------------------------- files of a test */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/wrap-delegate-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char line[128];
    (void)state;
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    return system(line);
}

static const char *write_file(const char *name, const char *text, mode_t mode)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

/* ---------------------------------------------------------------- finding a runtime */

static void test_find(void **state)
{
    char found[PATH_MAX], wanted[PATH_MAX], *old = strdup(getenv("PATH") ? getenv("PATH") : "");
    struct wrap_error err = {0};
    (void)state;
    snprintf(wanted, sizeof wanted, "%s", write_file("crun-of-test", "#!/bin/sh\n", 0700));
    setenv("PATH", folder, 1);
    assert_true(wrap_delegate_find("crun-of-test", found, sizeof found, &err));
    assert_string_equal(found, wanted);
    assert_true(wrap_delegate_find(wanted, found, sizeof found, &err));
    assert_string_equal(found, wanted);
    write_file("runc", "#!/bin/sh\n", 0700);
    write_file("crun", "#!/bin/sh\n", 0700);
    assert_true(wrap_delegate_find("", found, sizeof found, &err));
    snprintf(wanted, sizeof wanted, "%s/runc", folder);
    assert_string_equal(found, wanted);
    write_file("dull", "", 0600);
    assert_false(wrap_delegate_find("dull", found, sizeof found, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    assert_false(wrap_delegate_find("/no/such/file", found, sizeof found, NULL));
    assert_false(wrap_delegate_find("crun-of-test", found, 8, NULL));
    setenv("PATH", old, 1);
    free(old);
}

/* ---------------------------------------------------------------- reasons */

struct reason_row {
    const char *log, *output, *reason;
};
static const struct reason_row reason_rows[] = {
    {"{\"level\":\"error\",\"msg\":\"first\"}\n{\"level\":\"error\",\"msg\":\"last\"}\n", "x",
     "last"},
    {"{\"level\":\"error\",\"msg\":\"bad\"}\n{\"level\":\"info\",\"msg\":\"i\"}\n\n", "x", "bad"},
    {"{\"msg\":\"a\\nb\",\"level\":\"error\"}", NULL, "a b"},
    {"{\"msg\":\"f\",\"level\":\"fatal\"}\r\n", NULL, "f"},
    {"not json\n", "one\ntwo\n", "two"},
    {"{\"level\":\"error\"}\n{\"level\":3,\"msg\":\"a\"}\n[]\n", "two", "two"},
    {"{\"level\":\"error\",\"msg\":\"cut", "", ""},
    {"", "only\n\n", "only"},
    {"", NULL, ""},
    {NULL, "said", "said"},
};

static void test_reason_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reason_rows / sizeof reason_rows[0]; i++) {
        const struct reason_row *row = &reason_rows[i];
        const char *log = row->log ? write_file("log.json", row->log, 0600) : NULL;
        char reason[64];
        wrap_delegate_reason(log, row->output, reason, sizeof reason);
        assert_string_equal(reason, row->reason);
    }
}

static void test_reason_is_read_from_the_tail_and_cut(void **state)
{
    (void)state;
    enum { SIZE = 100000 };
    char *text = malloc(SIZE + 100), reason[8];
    assert_non_null(text);
    strcpy(text, "{\"level\":\"error\",\"msg\":\"too far up\"}\n");
    size_t used = strlen(text);
    memset(text + used, '[', SIZE - used);
    strcpy(text + SIZE, "\n");
    wrap_delegate_reason(write_file("log.json", text, 0600), "end", reason, sizeof reason);
    assert_string_equal(reason, "end");
    strcpy(text + SIZE, "\n{\"level\":\"error\",\"msg\":\"0123456789\"}\n");
    wrap_delegate_reason(write_file("log.json", text, 0600), "end", reason, sizeof reason);
    assert_string_equal(reason, "0123456");
    wrap_delegate_reason("/no/such/file", "end", reason, sizeof reason);
    assert_string_equal(reason, "end");
    free(text);
}

/* ---------------------------------------------------------------- pid files */

struct pid_row {
    const char *text;
    pid_t pid; /* 0: an error */
};
static const struct pid_row pid_rows[] = {
    {"1", 1},          {"4194304\n", 4194304},
    {"", 0},           {"0", 0},
    {"-1", 0},         {"12x", 0},
    {"2147483648", 0}, {"99999999999999999999999999999999999", 0},
};

static void test_pid_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pid_rows / sizeof pid_rows[0]; i++) {
        pid_t pid = 0;
        struct wrap_error err = {0};
        bool good = wrap_delegate_pid(write_file("pid", pid_rows[i].text, 0600), &pid, &err);
        assert_int_equal(good, pid_rows[i].pid != 0);
        assert_int_equal(pid, pid_rows[i].pid);
        assert_int_equal(err.code, good ? WRAP_OK : WRAP_INTERNAL);
    }
    struct wrap_error err = {0};
    pid_t pid = 0;
    assert_false(wrap_delegate_pid("/no/such/file", &pid, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_table),
        cmocka_unit_test(test_call_without_log_with_systemd),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_reason_table),
        cmocka_unit_test(test_reason_is_read_from_the_tail_and_cut),
        cmocka_unit_test(test_pid_table),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
