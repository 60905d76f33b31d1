/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_program.c - guests of containers from file to exit code, each in a process of its own, and
 * what is said about those that can't begin.
 */
#include "common/program.h"

#include "program_modules.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES(array) .module = array, .size = sizeof(array)

/** A guest and its configuration; annotations are "KEY", "VALUE" pairs. */
struct guest {
    const unsigned char *module;
    size_t size;
    const char *func;
    const char *args[4];
    const char *env[4];
    struct wrap_preopen preopens[2];
    struct wrap_key_value annotations[4];
    const char *cwd;
    bool waits; /* is made ready, writes a point, then runs */
};

static size_t count_of(const char *const *texts)
{
    size_t count = 0;
    while (count < 4 && texts[count]) {
        count++;
    }
    return count;
}

static int module_file(const struct guest *guest)
{
    int fd = memfd_create("module", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(write(fd, guest->module, guest->size) == (ssize_t)guest->size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static bool load(const struct guest *guest, struct wrap_program **out, struct wrap_error *err)
{
    struct wrap_spec spec = {0};
    const char *args[4], *env[4];
    memcpy(args, guest->args, sizeof args);
    memcpy(env, guest->env, sizeof env);
    spec.annotations = (struct wrap_key_value *)(uintptr_t)guest->annotations;
    while (spec.annotation_count < 4 && guest->annotations[spec.annotation_count].key) {
        spec.annotation_count++;
    }
    struct wrap_program_config config = {
        .module_fd = module_file(guest),
        .name = "/app.wasm",
        .func = guest->func,
        .args = {args, count_of(args)},
        .env = {env, count_of(env)},
        .cwd = guest->cwd,
        .preopens = guest->preopens,
        .preopen_count = guest->preopens[0].host ? guest->preopens[1].host ? 2 : 1 : 0,
        .spec = &spec,
    };
    bool good = wrap_program_load(&config, out, err);
    close(config.module_fd);
    return good;
}

/* ---------------------------------------------------------------- guests that run */

/** How a guest's process ended. */
struct end {
    int code; /* -1: by a signal */
    struct wrap_error why;
    char output[4096]; /* standard error */
};

static void run_child(const struct guest *guest, int output, struct wrap_error *why)
{
    struct wrap_program *program = NULL;
    struct wrap_error err = {0};
    dup2(output, STDERR_FILENO);
    if (!load(guest, &program, &err)) {
        fprintf(stderr, "cannot load: %s\n", err.text);
        _exit(99);
    }
    if (guest->waits) {
        wrap_program_make_ready(program);
        fputc('.', stderr);
    }
    int code = wrap_program_run(program, why);
    wrap_program_delete(program);
    _exit(code);
}

static struct end run(const struct guest *guest)
{
    struct end end = {.code = -1};
    int output = memfd_create("output", MFD_CLOEXEC), status = 0;
    struct wrap_error *why =
        mmap(NULL, sizeof *why, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(output >= 0 && why != MAP_FAILED);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        run_child(guest, output, why);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    end.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    end.why = *why;
    ssize_t size = pread(output, end.output, sizeof end.output - 1, 0);
    assert_true(size >= 0);
    end.output[size] = 0;
    munmap(why, sizeof *why);
    close(output);
    return end;
}

struct run_row {
    const char *name;
    struct guest guest;
    int code;
};
static const struct run_row run_rows[] = {
    {"plain", {BYTES(plain_wasm)}, 0},
    {"exit code", {BYTES(exit42_wasm)}, 42},
    {"exit code of nine bits", {BYTES(exit300_wasm)}, 300 & 0xff},
    {"function of a library", {BYTES(library_wasm), .func = "run"}, 7},
    {"function beside _start", {BYTES(exit42_wasm), .func = "_start"}, 42},
    {"arguments and environment",
     {BYTES(counts_wasm), .args = {"a", "b c", ""}, .env = {"A=1", "B=", "A=2"}},
     32},
    {"no arguments", {BYTES(counts_wasm)}, 0},
    {"working directory", {BYTES(counts_wasm), .cwd = "/app"}, 1},
    {"working directory of the environment",
     {BYTES(counts_wasm), .cwd = "/app", .env = {"PWD=/", "A=1"}},
     2},
    {"working directory as ever", {BYTES(counts_wasm), .cwd = "/"}, 0},
    {"a thread that exits while the main one waits", {BYTES(threads_wasm)}, 42},
    {"no preopens", {BYTES(preopens_wasm)}, 3},
    {"two preopens",
     {BYTES(preopens_wasm), .preopens = {{"/", "/", true}, {"/tmp", "/tmp", false}}},
     5},
    {"a listener",
     {BYTES(socket_wasm), .annotations = {{"io.wasmrun/listen", "127.0.0.1:0"}}},
     6 /* a stream socket */},
    {"a listener and no network",
     {BYTES(socket_wasm),
      .annotations = {{"io.wasmrun/listen", "127.0.0.1:0"}, {"io.wasmrun/net", "none"}}},
     6},
    {"two listeners",
     {BYTES(socket_wasm), .annotations = {{"io.wasmrun/listen", "127.0.0.1:0,[::1]:0"},
                                          {"io.wasmrun/net", "10.0.0.0/8:80,unix"}}},
     6},
};

static void test_run_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof run_rows / sizeof run_rows[0]; i++) {
        struct end end = run(&run_rows[i].guest);
        if (strstr(end.output, "annot assign") || strstr(end.output, "::1")) {
            print_message("SKIPPED: %s: no IPv6 here: %s", run_rows[i].name, end.output);
            continue;
        }
        if (end.code != run_rows[i].code || end.why.code != WRAP_OK || end.output[0]) {
            fail_msg("%s: %d, '%s', '%s'", run_rows[i].name, end.code, end.why.text, end.output);
        }
    }
}

/* Nobody can notice that a guest was made ready before its start. */
static void test_made_ready_is_not_begun(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof run_rows / sizeof run_rows[0]; i++) {
        struct guest guest = run_rows[i].guest;
        guest.waits = true;
        struct end end = run(&guest);
        if (strstr(end.output, "annot assign") || strstr(end.output, "::1")) {
            print_message("SKIPPED: %s: no IPv6 here: %s", run_rows[i].name, end.output);
            continue;
        }
        if (end.code != run_rows[i].code || strcmp(end.output, ".") != 0) {
            fail_msg("%s: %d, '%s'", run_rows[i].name, end.code, end.output);
        }
    }
    struct guest says = {BYTES(start_says_wasm), .waits = true};
    struct end end = run(&says);
    assert_int_equal(end.code, 0);
    assert_string_equal(end.output, ".S"); /* its start function comes after the start */
    struct guest wrong = {BYTES(data_outside_wasm)};
    struct end at_once = run(&wrong);
    wrong.waits = true;
    end = run(&wrong);
    assert_int_equal(at_once.code, 134);
    assert_int_equal(end.code, at_once.code);
    assert_string_equal(end.why.text, at_once.why.text);
    assert_int_equal(end.output[0], '.');
    assert_string_equal(end.output + 1, at_once.output);
}

/* Programs of a process that has prepared share an engine and a table of functions. */
static void test_prepared_programs_run(void **state)
{
    (void)state;
    assert_true(wrap_program_prepare());
    assert_true(wrap_program_prepare());
    test_run_table(state);
    for (int i = 0; i < 2; i++) {
        const struct guest guest = {BYTES(plain_wasm)};
        struct wrap_program *first = NULL, *second = NULL;
        assert_true(load(&guest, &first, NULL) && load(&guest, &second, NULL));
        assert_int_equal(wrap_program_run(second, NULL), 0);
        assert_int_equal(wrap_program_run(first, NULL), 0);
        wrap_program_delete(first);
        wrap_program_delete(second);
    }
    wrap_program_unprepare();
    wrap_program_unprepare();
}

static void test_trap_is_134_with_backtrace_and_reason(void **state)
{
    (void)state;
    const struct guest guest = {BYTES(trap_wasm)};
    struct end end = run(&guest);
    assert_int_equal(end.code, 128 + SIGABRT);
    assert_non_null(strstr(end.why.text, "/app.wasm: trap: unreachable"));
    assert_non_null(strstr(end.output, "/app.wasm: trap: unreachable"));
    assert_non_null(strstr(end.output, "#0 "));
    assert_non_null(strstr(end.output, "_start"));
}

static void test_closed_stream_is_closed_for_the_guest(void **state)
{
    (void)state;
    const struct guest guest = {BYTES(plain_wasm)};
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        struct wrap_program *program = NULL;
        close(0);
        close(1);
        int hold = open("/", O_PATH | O_CLOEXEC); /* so that the module is not stream 0 */
        int hold_too = open("/", O_PATH | O_CLOEXEC);
        bool good = hold == 0 && hold_too == 1 && load(&guest, &program, NULL);
        _exit(good ? wrap_program_run(program, NULL) : 99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Process 1 of a pid namespace, which the kernel keeps TERM from, runs a guest without end. */
static int spin_as_init(void)
{
    const struct guest guest = {BYTES(spin_wasm)};
    int status = 0, ready[2];
    char byte = 0;
    if (unshare(CLONE_NEWPID) != 0 || pipe(ready) != 0) {
        return 77;
    }
    pid_t child = fork();
    if (!child) {
        struct wrap_program *program = NULL;
        bool good = load(&guest, &program, NULL) && write(ready[1], "r", 1) == 1;
        _exit(good ? wrap_program_run(program, NULL) : 99);
    }
    close(ready[1]);
    if (child < 0 || read(ready[0], &byte, 1) != 1) {
        return 98;
    }
    while (waitpid(child, &status, WNOHANG) == 0) { /* until its handler stands */
        kill(child, SIGTERM);
        usleep(1000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static void test_term_ends_process_1(void **state)
{
    (void)state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        alarm(60);
        _exit(spin_as_init());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        print_message("SKIPPED: no pid namespace can be made here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
}

/* ---------------------------------------------------------------- guests that can't begin */

struct bad_row {
    struct guest guest;
    enum wrap_code code;
    const char *text;
};
static const unsigned char component[] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};
static const unsigned char newer[] = {0, 'a', 's', 'm', 2, 0, 0, 0};
static const unsigned char text_module[] = "(module)";
static const unsigned char script[] = "#!/bin/sh\n";
static const unsigned char empty[] = "";

static const struct bad_row bad_rows[] = {
    {{BYTES(component)}, WRAP_UNIMPLEMENTED, "/app.wasm: is a component"},
    {{.module = text_module, .size = 8}, WRAP_UNIMPLEMENTED, "/app.wasm: is in the text format"},
    {{.module = script, .size = 10},
     WRAP_INVALID_ARGUMENT,
     "/app.wasm: is not a WebAssembly module"},
    {{.module = empty}, WRAP_INVALID_ARGUMENT, "/app.wasm: "},
    {{BYTES(newer)}, WRAP_INVALID_ARGUMENT, "/app.wasm: malformed"},
    {{.module = plain_wasm, .size = sizeof plain_wasm - 2},
     WRAP_INVALID_ARGUMENT,
     "/app.wasm: malformed"},
    {{BYTES(missing_wasm)}, WRAP_INVALID_ARGUMENT, "1 import cannot be satisfied: env.foo (func"},
    {{BYTES(params_wasm), .func = "f"},
     WRAP_INVALID_ARGUMENT,
     "'f' takes parameters: (func (param"},
    {{BYTES(plain_wasm), .func = "g"}, WRAP_NOT_FOUND, "/app.wasm: exports no function 'g'"},
    {{BYTES(exit42_wasm), .func = "memory"}, WRAP_NOT_FOUND, "exports no function 'memory'"},
    {{BYTES(library_wasm)}, WRAP_INVALID_ARGUMENT, "is a library"},
    {{BYTES(plain_wasm), .env = {"A"}}, WRAP_INVALID_ARGUMENT, "environment 'A'"},
    {{BYTES(plain_wasm), .env = {"=A"}}, WRAP_INVALID_ARGUMENT, "environment"},
    {{BYTES(plain_wasm), .preopens = {{"/no/such", "/", false}}}, WRAP_NOT_FOUND, "/no/such"},
    {{BYTES(plain_wasm), .annotations = {{"io.wasmrun/net", "some"}}},
     WRAP_INVALID_ARGUMENT,
     "annotation io.wasmrun/net 'some'"},
    {{BYTES(plain_wasm), .annotations = {{"io.wasmrun/net", ",,"}}},
     WRAP_INVALID_ARGUMENT,
     "not inherit, none or rules"},
    {{BYTES(plain_wasm), .annotations = {{"io.wasmrun/listen", "host:80"}}},
     WRAP_INVALID_ARGUMENT,
     "annotation io.wasmrun/listen 'host:80'"},
    {{BYTES(plain_wasm), .annotations = {{"io.wasmrun/resolve", "yes"}}},
     WRAP_INVALID_ARGUMENT,
     "annotation io.wasmrun/resolve 'yes'"},
};

static void test_bad_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        struct wrap_program *program = NULL;
        struct wrap_error err = {0};
        if (load(&bad_rows[i].guest, &program, &err)) {
            fail_msg("row %zu ('%s') is accepted", i, bad_rows[i].text);
        }
        assert_null(program);
        if (err.code != bad_rows[i].code || !strstr(err.text, bad_rows[i].text)) {
            fail_msg("row %zu: %d '%s', not %d '%s'", i, (int)err.code, err.text,
                     (int)bad_rows[i].code, bad_rows[i].text);
        }
    }
}

/* ---------------------------------------------------------------- network */

struct net_row {
    const char *net, *resolve, *listen; /* annotations, NULL: none */
    bool good, any, unixes, resolves;
};
static const struct net_row net_rows[] = {
    {NULL, NULL, NULL, true, true, true, true},
    {"inherit", "false", NULL, true, true, true, false},
    {"none", NULL, NULL, true, false, false, false},
    {"none", NULL, "1.2.3.4:5", true, true, false, false},
    {"none", "true", NULL, true, false, false, true},
    {"unix", NULL, NULL, true, false, true, true},
    {"10.0.0.0/8", NULL, NULL, true, true, false, true},
    {"10.0.0.0/8:80,unix,::/0", NULL, NULL, true, true, true, true},
    {"", NULL, NULL, false, false, false, false},
    {"none", "1", NULL, false, false, false, false},
};

static void test_net_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof net_rows / sizeof net_rows[0]; i++) {
        const struct net_row *row = &net_rows[i];
        struct wrap_key_value annotations[3];
        struct wrap_spec spec = {.annotations = annotations};
        struct wrap_program_net net;
        const char *const pairs[3][2] = {{"io.wasmrun/net", row->net},
                                         {"io.wasmrun/resolve", row->resolve},
                                         {"io.wasmrun/listen", row->listen}};
        for (size_t k = 0; k < 3; k++) {
            if (pairs[k][1]) {
                annotations[spec.annotation_count++] =
                    (struct wrap_key_value){pairs[k][0], pairs[k][1]};
            }
        }
        assert_int_equal(wrap_program_net_of(&spec, &net, NULL), row->good);
        if (row->good) {
            assert_int_equal(net.any, row->any);
            assert_int_equal(net.inherit, !row->net || strcmp(row->net, "inherit") == 0);
            assert_int_equal(net.unixes, row->unixes);
            assert_int_equal(net.resolve, row->resolves);
            assert_string_equal(net.listen, row->listen ? row->listen : "");
        }
    }
    wrap_program_delete(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_table),
        cmocka_unit_test(test_made_ready_is_not_begun),
        cmocka_unit_test(test_prepared_programs_run),
        cmocka_unit_test(test_trap_is_134_with_backtrace_and_reason),
        cmocka_unit_test(test_closed_stream_is_closed_for_the_guest),
        cmocka_unit_test(test_term_ends_process_1),
        cmocka_unit_test(test_bad_table),
        cmocka_unit_test(test_net_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
