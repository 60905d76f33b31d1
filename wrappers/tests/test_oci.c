/* SPDX-License-Identifier: Apache-2.0 */
/* test_oci.c - states on disk and command lines of the OCI runtime; live/live_oci.py has the rest.
 */
#include "common/text.h"
#include "oci/cmd_create.h"
#include "oci/oci.h"
#include "oci/state.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/wasmrun-oci-test-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(root); /* each case has removed what it made */
}

static char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make(const char *id, struct wrap_oci_state_doc *out)
{
    struct wrap_error err = {0};
    assert_true(wrap_oci_state_new(root, id, out, &err));
    out->bundle = strdup("/a bundle\n\"");
    out->rootfs = strdup("/rootfs");
    out->version = strdup("1.0.2");
    out->cgroup = strdup("/group");
    out->created = strdup("2026-01-01T00:00:00Z");
    out->annotations = json_pack("{s:s}", "key", "value");
    out->owner = 7;
}

static void drop(struct wrap_oci_state_doc *state)
{
    struct wrap_error err = {0};
    assert_true(wrap_oci_state_remove(root, state, &err));
    wrap_oci_state_close(state);
}

/* ---------------------------------------------------------------- states */

static void test_a_state_is_read_as_it_was_written(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc made, read;
    struct wrap_error err = {0};
    make("one", &made);
    made.pid = 77;
    made.started = UINT64_C(123456789012);
    made.paused = made.systemd = true;
    assert_true(wrap_oci_state_save(&made, &err));
    assert_true(wrap_oci_state_open(root, "one", WRAP_OCI_READ, &read, &err));
    assert_string_equal(read.id, "one");
    assert_string_equal(read.bundle, made.bundle);
    assert_string_equal(read.cgroup, "/group");
    assert_string_equal(read.version, "1.0.2");
    assert_int_equal(read.pid, 77);
    assert_int_equal(read.started, made.started);
    assert_int_equal(read.owner, 7);
    assert_true(read.paused && read.systemd);
    assert_string_equal(json_string_value(json_object_get(read.annotations, "key")), "value");
    wrap_oci_state_close(&read);
    drop(&made);
    assert_false(wrap_oci_state_open(root, "one", WRAP_OCI_READ, &read, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
}

static void test_a_name_is_used_once(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc made, second;
    struct wrap_error err = {0};
    make("two", &made);
    assert_false(wrap_oci_state_new(root, "two", &second, &err));
    assert_int_equal(err.code, WRAP_ALREADY_EXISTS);
    drop(&made);
}

static void test_roots_are_made_with_their_parents(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc made;
    struct wrap_error err = {0};
    char deep[128];
    snprintf(deep, sizeof deep, "%s/a/b", root);
    assert_true(wrap_oci_state_new(deep, "x", &made, &err));
    assert_true(wrap_oci_state_remove(deep, &made, &err));
    wrap_oci_state_close(&made);
    assert_int_equal(rmdir(path_of("a/b")), 0);
    assert_int_equal(rmdir(path_of("a")), 0);
}

/* What a killed `create` leaves: nothing, a draft, or the document without a process. */
static void test_half_made_states_can_be_removed(void **unused)
{
    (void)unused;
    static const char *const left[] = {NULL, "half/wasmrun.json.new", "half/wasmrun.config.json",
                                       "half/wasmrun.start"};
    struct wrap_oci_state_doc read;
    struct wrap_error err = {0};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_int_equal(mkdir(path_of("half"), 0700), 0);
        if (left[i]) {
            put(left[i], "{");
        }
        assert_int_equal(wrap_oci_state_open(root, "half", WRAP_OCI_READ, &read, NULL), !!left[i]);
        if (left[i]) {
            assert_int_equal(wrap_oci_status_of(&read), WRAP_OCI_STOPPED);
            wrap_oci_state_close(&read);
        }
        assert_true(wrap_oci_state_open(root, "half", WRAP_OCI_CHANGE, &read, &err));
        assert_int_equal(read.pid, 0);
        drop(&read);
    }
}

static void test_folders_of_other_runtimes_are_not_ours(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc read;
    struct wrap_error err = {0};
    assert_int_equal(mkdir(path_of("linux"), 0700), 0);
    put("linux/state.json", "{}");
    assert_false(wrap_oci_state_open(root, "linux", WRAP_OCI_READ, &read, NULL));
    assert_false(wrap_oci_state_open(root, "linux", WRAP_OCI_CHANGE, &read, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    unlink(path_of("linux/state.json"));
    rmdir(path_of("linux"));
}

static void test_hostile_documents_are_errors(void **unused)
{
    (void)unused;
    static const char *const bad[] = {"", "{", "[]", "null", "7", "{\"pid\":1,\"pid\":2}"};
    static const char *const odd[] = {
        "{}", "{\"pid\":-5,\"owner\":-1,\"started\":-1,\"bundle\":7,\"annotations\":[]}",
        "{\"pid\":99999999999999,\"owner\":99999999999999,\"paused\":\"yes\"}"};
    struct wrap_oci_state_doc read;
    assert_int_equal(mkdir(path_of("bad"), 0700), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put("bad/wasmrun.json", bad[i]);
        assert_false(wrap_oci_state_open(root, "bad", WRAP_OCI_READ, &read, NULL));
    }
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct wrap_error err = {0};
        put("bad/wasmrun.json", odd[i]);
        assert_true(wrap_oci_state_open(root, "bad", WRAP_OCI_READ, &read, &err));
        assert_int_equal(read.pid, 0);
        assert_int_equal(read.owner, 0);
        json_t *doc = wrap_oci_state_json(&read, "stopped");
        assert_non_null(doc);
        json_decref(doc);
        wrap_oci_state_close(&read);
    }
    unlink(path_of("bad/wasmrun.json"));
    rmdir(path_of("bad"));
}

/* delete --force: the group is in the copy of config.json, or there is none. */
static void test_what_is_broken_can_be_removed(void **unused)
{
    (void)unused;
    static const struct {
        const char *config, *group;
        bool systemd;
    } rows[] = {
        {"{", "", false},
        {"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"linux\":{}}", "/bad", false},
        {"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"linux\":{\"cgroupsPath\":\"a/b\"}}",
         "/a/b", false},
        {"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"linux\":{\"cgroupsPath\":\"a.slice:b:c\"}}",
         "a.slice:b:c", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wrap_oci_state_doc read;
        struct wrap_error err = {0};
        assert_int_equal(mkdir(path_of("bad"), 0700), 0);
        put("bad/wasmrun.json", "{\"pid\":");
        put("bad/wasmrun.config.json", rows[i].config);
        assert_false(wrap_oci_state_open(root, "bad", WRAP_OCI_CHANGE, &read, NULL));
        assert_true(wrap_oci_state_open(root, "bad", WRAP_OCI_REMOVE, &read, &err));
        assert_string_equal(read.cgroup, rows[i].group);
        assert_int_equal(read.systemd, rows[i].systemd);
        assert_int_equal(read.pid, 0);
        drop(&read);
    }
}

static void test_a_link_is_no_container(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc made, read;
    struct wrap_error err = {0};
    make("real", &made);
    assert_true(wrap_oci_state_save(&made, &err));
    assert_int_equal(symlink("real", path_of("link")), 0);
    assert_false(wrap_oci_state_open(root, "link", WRAP_OCI_REMOVE, &read, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    unlink(path_of("link"));
    drop(&made);
}

static void test_ids_are_names(void **unused)
{
    (void)unused;
    static const char *const good[] = {"a", "a.b", "A_b-c+1", "..."};
    static const char *const bad[] = {"", ".", "..", "a/b", "../x", "a b", "a\n", "\xc3\xa4"};
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[255] = 0;
    assert_true(wrap_oci_id_check(longest, NULL));
    longest[255] = 'x';
    longest[256] = 0;
    assert_false(wrap_oci_id_check(longest, NULL));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(wrap_oci_id_check(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(wrap_oci_id_check(bad[i], NULL));
    }
}

/* ---------------------------------------------------------------- status */

static void test_a_process_is_known_by_its_start(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc made;
    uint64_t ticks = 0;
    make("live", &made);
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_CREATING); /* we hold the lock */
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    assert_true(wrap_oci_process_started(child, &ticks));
    made.pid = child;
    made.started = ticks;
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_RUNNING);
    int fd = wrap_oci_state_pidfd(&made);
    assert_true(fd >= 0);
    close(fd);
    made.paused = true;
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_PAUSED);
    made.started++; /* the number is another's */
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_STOPPED);
    assert_int_equal(wrap_oci_state_pidfd(&made), -1);
    made.started--;
    kill(child, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_STOPPED); /* a zombie */
    waitpid(child, NULL, 0);
    assert_false(wrap_oci_process_started(child, &ticks));
    assert_false(wrap_oci_process_started(0, &ticks));
    assert_false(wrap_oci_process_started(-1, &ticks));
    drop(&made);
}

static void test_a_start_is_told_once(void **unused)
{
    (void)unused;
    struct wrap_oci_state_doc made;
    struct wrap_error err = {0};
    uint64_t ticks = 0;
    char byte = 1;
    make("start", &made);
    assert_false(wrap_oci_start_go(&made, NULL)); /* there is nothing to wait at */
    int fd = wrap_oci_start_make(&made, &err);
    assert_true(fd >= 0);
    assert_true(wrap_oci_process_started(getpid(), &ticks));
    made.pid = getpid();
    made.started = ticks;
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_CREATED);
    assert_true(wrap_oci_start_go(&made, &err));
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_RUNNING);
    assert_false(wrap_oci_start_go(&made, NULL));
    close(fd);
    /* Nobody waits, but the FIFO is there: a `start` was killed behind its byte. */
    fd = wrap_oci_start_make(&made, &err);
    close(fd);
    assert_false(wrap_oci_start_go(&made, NULL));
    assert_int_equal(wrap_oci_status_of(&made), WRAP_OCI_RUNNING);
    drop(&made);
}

static void test_the_state_document_has_runcs_members(void **unused)
{
    (void)unused;
    static const char *const keys[] = {"ociVersion", "id",      "pid",         "status", "bundle",
                                       "rootfs",     "created", "annotations", "owner"};
    struct wrap_oci_state_doc made;
    make("doc", &made);
    made.pid = 5;
    json_t *doc = wrap_oci_state_json(&made, "running");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_non_null(json_object_get(doc, keys[i]));
    }
    assert_int_equal(json_object_size(doc), sizeof keys / sizeof keys[0]);
    assert_int_equal(json_integer_value(json_object_get(doc, "pid")), 5);
    json_decref(doc);
    doc = wrap_oci_state_json(&made, "stopped");
    assert_int_equal(json_integer_value(json_object_get(doc, "pid")), 0);
    json_decref(doc);
    drop(&made);
}

/* ---------------------------------------------------------------- command lines */

static int parse(int count, const char *const *words, int *code)
{
    return wrap_oci_parse_globals(count, (char **)(uintptr_t)words, code);
}

static void test_options_before_the_command(void **unused)
{
    (void)unused;
    static const char *const words[] = {
        "oci",     "--root",     "/r",   "--log=/l", "--log-format", "json", "--systemd-cgroup",
        "--debug", "--rootless", "auto", "state",    "--root"};
    int code = 0;
    assert_int_equal(parse(12, words, &code), 10);
    assert_string_equal(wrap_oci_globals()->root, "/r");
    assert_string_equal(wrap_oci_globals()->log, "/l");
    assert_true(wrap_oci_globals()->log_json && wrap_oci_globals()->systemd_cgroup);
    assert_true(wrap_oci_globals()->debug && wrap_oci_globals()->root_given);
    static const char *const none[] = {"oci", "--rootless", "false", "list"};
    assert_int_equal(parse(4, none, &code), 3);
    assert_string_equal(wrap_oci_globals()->root, WRAP_OCI_ROOT);
    assert_null(wrap_oci_globals()->log);
}

static void test_without_privilege_states_are_the_users(void **unused)
{
    (void)unused;
    static const char *const words[] = {"oci", "--rootless", "true", "list"};
    static const char *const named[] = {"oci", "--root", "/r", "--rootless", "true", "list"};
    static const char *const wrong[] = {"oci", "--rootless", "perhaps", "list"};
    static const char *const folders[] = {"/run/user/7", "relative", NULL};
    int code = 0;
    char *before = getenv("XDG_RUNTIME_DIR");
    before = before ? strdup(before) : NULL;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        folders[i] ? setenv("XDG_RUNTIME_DIR", folders[i], 1) : unsetenv("XDG_RUNTIME_DIR");
        assert_int_equal(parse(4, words, &code), 3);
        assert_true(wrap_oci_globals()->rootless);
        assert_string_equal(wrap_oci_globals()->root,
                            i == 0 ? "/run/user/7/wasmrun-oci" : WRAP_OCI_ROOT);
        assert_int_equal(parse(6, named, &code), 5);
        assert_string_equal(wrap_oci_globals()->root, "/r");
    }
    before ? setenv("XDG_RUNTIME_DIR", before, 1) : unsetenv("XDG_RUNTIME_DIR");
    free(before);
    wrap_say_as("test", NULL, true);
    assert_int_equal(parse(4, wrong, &code), 0);
    wrap_say_as("test", NULL, false);
}

static void test_options_that_are_wrong(void **unused)
{
    (void)unused;
    static const char *const rows[][4] = {
        {"oci"},
        {"oci", "--root", "relative", "list"},
        {"oci", "--log-format", "xml", "x"},
        {"oci", "--root"},
        {"oci", "--nothing", "x"},
    };
    int code = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int count = 0;
        while (count < 4 && rows[i][count]) {
            count++;
        }
        wrap_say_as("test", NULL, true);
        assert_int_equal(parse(count, rows[i], &code), 0);
        assert_int_equal(code, WRAP_OCI_FAILED);
        wrap_say_as("test", NULL, false);
    }
}

static void test_options_of_create(void **unused)
{
    (void)unused;
    static const int one[2] = {1, 1};
    char *words[] = {
        "--bundle",       "/b", "--pid-file=/p", "--no-pivot", "--console-socket", "/c",
        "--preserve-fds", "3",  "name"};
    struct wrap_opts opts = {.command = &wrap_oci_create, .argc = 9, .argv = words};
    struct wrap_oci_launch launch = {0};
    int code = 0;
    assert_int_equal(wrap_oci_parse(&opts, wrap_oci_create_take, &launch, one, &code), 8);
    assert_string_equal(launch.bundle, "/b");
    assert_string_equal(launch.pid_file, "/p");
    assert_string_equal(launch.console_socket, "/c");
}

/* Options of a command have one name and one letter each, and all of runc's commands are there. */
static void test_the_table_of_commands(void **unused)
{
    (void)unused;
    static const char *const names[] = {"create", "delete", "events", "exec",  "features",
                                        "kill",   "list",   "pause",  "ps",    "resume",
                                        "run",    "spec",   "start",  "state", "update"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct wrap_command *command = wrap_oci_find_command(names[i]);
        assert_non_null(command);
        const struct wrap_option *option = NULL;
        for (size_t k = 0; (option = wrap_opts_at(command, k)); k++) {
            assert_ptr_equal(wrap_opts_find(command, option->name), option);
            const struct wrap_option *other = NULL;
            for (size_t n = k + 1; (other = wrap_opts_at(command, n)); n++) {
                assert_true(!option->letter || option->letter != other->letter);
            }
        }
    }
    assert_null(wrap_oci_find_command("nothing"));
}

static void test_numbers(void **unused)
{
    (void)unused;
    long long out = 0;
    assert_true(wrap_oci_number("n", "-12", &out, NULL));
    assert_int_equal(out, -12);
    assert_false(wrap_oci_number("n", "", &out, NULL));
    assert_false(wrap_oci_number("n", "1x", &out, NULL));
    assert_false(wrap_oci_number("n", "99999999999999999999", &out, NULL));
}

static void test_lines_of_the_log(void **unused)
{
    (void)unused;
    char text[512] = "";
    FILE *file = tmpfile();
    assert_non_null(file);
    wrap_oci_log_line(fileno(file), true, "error", "a \"quote\"\nand\x01");
    assert_true(pread(fileno(file), text, sizeof text - 1, 0) > 0);
    json_t *row = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(row, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(row, "msg")), "a \"quote\"\nand\x01");
    assert_non_null(json_string_value(json_object_get(row, "time")));
    json_decref(row);
    assert_int_equal(ftruncate(fileno(file), 0), 0);
    memset(text, 0, sizeof text);
    wrap_oci_log_line(fileno(file), false, "warning", "plain\nline");
    assert_true(pread(fileno(file), text, sizeof text - 1, (off_t)0) >= 0);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_state_is_read_as_it_was_written),
        cmocka_unit_test(test_a_name_is_used_once),
        cmocka_unit_test(test_roots_are_made_with_their_parents),
        cmocka_unit_test(test_half_made_states_can_be_removed),
        cmocka_unit_test(test_folders_of_other_runtimes_are_not_ours),
        cmocka_unit_test(test_hostile_documents_are_errors),
        cmocka_unit_test(test_what_is_broken_can_be_removed),
        cmocka_unit_test(test_a_link_is_no_container),
        cmocka_unit_test(test_ids_are_names),
        cmocka_unit_test(test_a_process_is_known_by_its_start),
        cmocka_unit_test(test_a_start_is_told_once),
        cmocka_unit_test(test_the_state_document_has_runcs_members),
        cmocka_unit_test(test_options_before_the_command),
        cmocka_unit_test(test_without_privilege_states_are_the_users),
        cmocka_unit_test(test_options_that_are_wrong),
        cmocka_unit_test(test_options_of_create),
        cmocka_unit_test(test_the_table_of_commands),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lines_of_the_log),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
