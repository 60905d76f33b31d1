/* SPDX-License-Identifier: Apache-2.0 */
/* test_entry.c - who runs a container, and finding its program beneath a root. */
#include "common/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* ---------------------------------------------------------------- annotations */

struct kind_row {
    const char *annotations; /* members of the object */
    const char *args;        /* items of the array */
    int kind;                /* -1: an error */
};
#define VARIANT "\"module.wasm.image/variant\":"
#define HANDLER "\"run.oci.handler\":"
#define SANDBOX "\"io.kubernetes.cri.container-type\":\"sandbox\""

static const struct kind_row kind_rows[] = {
    {"", "\"/a\"", WRAP_KIND_LOOK},
    {VARIANT "\"compat\"", "\"/a\"", WRAP_KIND_WASM},
    {VARIANT "\"compat-smart\"", "\"/a\"", WRAP_KIND_LOOK},
    {VARIANT "\"\"", "\"/a\"", -1},
    {VARIANT "\"Compat\"", "\"/a\"", -1},
    {HANDLER "\"wasm\"", "\"/a\"", WRAP_KIND_WASM},
    {HANDLER "\"wasmrun\"", "\"/a\"", WRAP_KIND_WASM},
    {HANDLER "\"krun\"", "\"/a\"", -1},
    {VARIANT "\"compat-smart\"," HANDLER "\"wasm\"", "\"/a\"", WRAP_KIND_WASM},
    {VARIANT "\"compat\"," HANDLER "\"x\"", "\"/a\"", -1},
    {SANDBOX, "\"/pause\"", WRAP_KIND_PAUSE},
    {SANDBOX "," VARIANT "\"compat\"", "\"/pause\"", WRAP_KIND_PAUSE},
    {SANDBOX "," VARIANT "\"compat\"", "\"/bin/init\"", WRAP_KIND_LOOK},
    {SANDBOX, "\"/pause\",\"-v\"", WRAP_KIND_LOOK},
    {"\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"", "\"/pause\"", WRAP_KIND_PAUSE},
    {"\"io.kubernetes.cri.container-type\":\"container\"", "\"/pause\"", WRAP_KIND_LOOK},
};

static struct wrap_spec *make_spec(const char *annotations, const char *args)
{
    char json[1024];
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    snprintf(json, sizeof json,
             "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"annotations\":{%s},"
             "\"process\":{\"cwd\":\"/\",\"args\":[%s]}}",
             annotations, args);
    if (!wrap_spec_parse(json, strlen(json), &spec, &err)) {
        fail_msg("%s", err.text);
    }
    return spec;
}

static void test_kind_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kind_rows / sizeof kind_rows[0]; i++) {
        const struct kind_row *row = &kind_rows[i];
        struct wrap_spec *spec = make_spec(row->annotations, row->args);
        struct wrap_error err = {0};
        enum wrap_kind kind = WRAP_KIND_LINUX;
        bool good = wrap_kind_of(spec, &kind, &err);
        if (good != (row->kind >= 0) || (good && (int)kind != row->kind)) {
            fail_msg("{%s} [%s]: %d, kind %d", row->annotations, row->args, good, (int)kind);
        }
        assert_int_equal(err.code, good ? WRAP_OK : WRAP_INVALID_ARGUMENT);
        wrap_spec_free(spec);
    }
}

/* ---------------------------------------------------------------- args[0] */

struct entry_row {
    const char *text, *path, *func;
};
static const struct entry_row entry_rows[] = {
    {"/a.wasm", "/a.wasm", NULL},
    {"/a.wasm#run", "/a.wasm", "run"},
    {"a#wasi:cli/run@0.2.0#run", "a", "wasi:cli/run@0.2.0#run"},
    {"#run", NULL, NULL},
    {"/a#", NULL, NULL},
    {"", NULL, NULL},
};

static void test_entry_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof entry_rows / sizeof entry_rows[0]; i++) {
        const struct entry_row *row = &entry_rows[i];
        const char *args[] = {row->text};
        struct wrap_process process = {.args = {args, 1}};
        struct wrap_entry entry;
        struct wrap_error err = {0};
        bool good = wrap_entry_parse(&process, &entry, &err);
        assert_int_equal(good, row->path != NULL);
        if (good) {
            assert_string_equal(entry.path, row->path);
            assert_int_equal(!entry.func, !row->func);
        }
        if (row->func) {
            assert_string_equal(entry.func, row->func);
        }
        wrap_entry_fini(&entry);
    }
}

/* ---------------------------------------------------------------- files */

static char root[PATH_MAX];

static void run_in_root(const char *command)
{
    char line[PATH_MAX + 1024];
    snprintf(line, sizeof line, "cd '%s' && %s", root, command);
    assert_int_equal(system(line), 0);
}

static int make_root(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/wrap-entry-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(root)) {
        return -1;
    }
    run_in_root(
        "mkdir -p top/bin top/app top/dir && cd top && echo outside >../secret && "
        "echo bin >bin/tool && echo app >app/tool && echo app >app/own && echo top >only && "
        "ln -s /bin/tool link && ln -s ../../../secret out && ln -s / app/up && "
        "ln -s loop loop && mkfifo pipe");
    return 0;
}

static int remove_root(void **state)
{
    char line[PATH_MAX + 16];
    (void)state;
    snprintf(line, sizeof line, "rm -rf '%s'", root);
    return system(line);
}

struct open_row {
    const char *path; /* args[0] without function */
    const char *content;
    const char *error; /* part of it */
    int code;
};
static const struct open_row open_rows[] = {
    {"/bin/tool", "bin", NULL, WRAP_OK},
    {"tool", "bin", NULL, WRAP_OK},
    {"own", "app", NULL, WRAP_OK},
    {"only", "top", NULL, WRAP_OK},
    {"./own", "app", NULL, WRAP_OK},
    {"../bin/tool", "bin", NULL, WRAP_OK},
    {"/link", "bin", NULL, WRAP_OK},
    {"/app/up/bin/tool", "bin", NULL, WRAP_OK},
    {"/../../../only", "top", NULL, WRAP_OK},
    {"none", NULL, "no file 'none' in PATH (/x:/bin), in '/app' or in '/'", WRAP_NOT_FOUND},
    {"/none", NULL, "'/none': No such file", WRAP_NOT_FOUND},
    {"/out", NULL, "'/out': No such file", WRAP_NOT_FOUND},
    {"/loop", NULL, "'/loop': ", WRAP_INVALID_ARGUMENT},
    {"/dir", NULL, "'/dir': Is a directory", WRAP_INVALID_ARGUMENT},
    {"/pipe", NULL, "'/pipe': Permission denied", WRAP_PERMISSION_DENIED},
};

static void check_open(int top, const struct wrap_process *process, const struct open_row *row)
{
    struct wrap_entry entry = {.path = (char *)(uintptr_t)row->path};
    struct wrap_error err = {0};
    int fd = -1;
    bool good = wrap_entry_open(top, process, &entry, &fd, &err);
    if (good != (row->content != NULL) || (int)err.code != row->code) {
        fail_msg("%s: %d %s", row->path, good, err.text);
    }
    if (!good) {
        if (!strstr(err.text, row->error)) {
            fail_msg("%s: '%s' has no '%s'", row->path, err.text, row->error);
        }
        return;
    }
    char text[32] = "";
    assert_true(read(fd, text, sizeof text - 1) > 0);
    text[strcspn(text, "\n")] = 0;
    assert_string_equal(text, row->content);
    close(fd);
}

static void test_open_table(void **state)
{
    char path[PATH_MAX + 8];
    const char *env[] = {"PATH=/x:/bin"};
    struct wrap_process process = {.env = {env, 1}, .cwd = "/app"};
    (void)state;
    snprintf(path, sizeof path, "%s/top", root);
    int top = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(top >= 0);
    if (syscall(SYS_openat2, top, ".", NULL, 0) < 0 && errno == ENOSYS) { /* as in qemu-user */
        close(top);
        print_message("SKIPPED: no openat2 here\n");
        skip();
    }
    for (size_t i = 0; i < sizeof open_rows / sizeof open_rows[0]; i++) {
        check_open(top, &process, &open_rows[i]);
    }
    const struct open_row usual = {"tool", "bin", NULL, WRAP_OK}; /* without PATH: /bin is in it */
    process.env.count = 0;
    check_open(top, &process, &usual);
    close(top);
}

/* ---------------------------------------------------------------- looking */

struct look_row {
    const char *bytes;
    size_t size; /* 0: as a string */
    enum wrap_kind kind;
};
static const struct look_row look_rows[] = {
    {"\0asm\1\0\0\0", 8, WRAP_KIND_WASM},
    {"\0asm\x0d\0\1\0", 8, WRAP_KIND_WASM},
    {"\0as", 3, WRAP_KIND_LINUX},
    {"\x7f"
     "ELF",
     0, WRAP_KIND_LINUX},
    {"#!/bin/sh\n(module)", 0, WRAP_KIND_LINUX},
    {"(module)", 0, WRAP_KIND_WASM},
    {"(module $name)", 0, WRAP_KIND_WASM},
    {" \n\t(module\n)", 0, WRAP_KIND_WASM},
    {"( module)", 0, WRAP_KIND_WASM},
    {"(component)", 0, WRAP_KIND_WASM},
    {";; a (\n;;\n(module)", 0, WRAP_KIND_WASM},
    {"(; a (; b ;) ;) (module)", 0, WRAP_KIND_WASM},
    {"(; a (; b ;) (module)", 0, WRAP_KIND_LINUX},
    {";; (module)", 0, WRAP_KIND_LINUX},
    {"(modules)", 0, WRAP_KIND_LINUX},
    {"(module", 0, WRAP_KIND_LINUX},
    {"module", 0, WRAP_KIND_LINUX},
    {"(", 0, WRAP_KIND_LINUX},
    {"(;;)(", 0, WRAP_KIND_LINUX},
    {"", 0, WRAP_KIND_LINUX},
};

static void test_look_table(void **state)
{
    char path[PATH_MAX + 8];
    (void)state;
    snprintf(path, sizeof path, "%s/look", root);
    for (size_t i = 0; i < sizeof look_rows / sizeof look_rows[0]; i++) {
        const struct look_row *row = &look_rows[i];
        size_t size = row->size ? row->size : strlen(row->bytes);
        int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_true(write(fd, row->bytes, size) == (ssize_t)size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        if (wrap_entry_look(fd) != row->kind) {
            fail_msg("'%s' is looked at wrongly", row->bytes);
        }
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kind_table),
        cmocka_unit_test(test_entry_table),
        cmocka_unit_test(test_open_table),
        cmocka_unit_test(test_look_table),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
