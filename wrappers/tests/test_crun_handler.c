/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_crun_handler.c - wasmrun.so as crun uses it. The handler reads the command line of its
 * process, so this program executes itself as "crun run …" in a bundle and says what the handler
 * answered.
 */
#include "crun/config.h"
#include "crun/vtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD "WRAP_CRUN_TEST_CHILD" /* in the environment: the handler's path */

static char program[PATH_MAX];
static char home[PATH_MAX]; /* a bundle, with a root file system and crun's state in it */

/* ---------------------------------------------------------------- as crun */

static struct crun_handler *open_handler(const char *path)
{
    void *file = dlopen(path, RTLD_NOW);
    if (!file) fprintf(stderr, "%s\n", dlerror());
    assert_non_null(file);
    struct crun_handler *(*get)(void) = NULL;
    *(void **)&get = dlsym(file, "run_oci_handler_get_handler");
    assert_non_null(get);
    return get();
}

static bool engine_is_open(void)
{
    char line[4096];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        found = found || strstr(line, "crun-engine.so");
    }
    if (maps) fclose(maps);
    return found;
}

/* Says what an answer came with, and forgets it. */
static void said_by(int result, struct crun_error **err)
{
    if (result < 0 && (!*err || !(*err)->text)) puts("no error");
    if (*err) {
        printf("%s\n", (*err)->text);
        free((*err)->text);
        free(*err);
        *err = NULL;
    }
}

/* Asks and loads in the order that crun does; one word for each answer. */
static int be_crun(const char *path)
{
    struct crun_error *err = NULL;
    void *cookie = NULL;
    struct crun_handler *handler = open_handler(path);
    bool named = getenv("WRAP_CRUN_TEST_NAMED"); /* then crun does not ask */
    int answer = named ? 1 : handler->can_handle_container(NULL, &err);
    said_by(answer, &err);
    printf("answer %d engine %d\n", answer, engine_is_open());
    if (answer == 1) {
        int loaded = handler->load(&cookie, &err);
        said_by(loaded, &err);
        int good = 0;
        if (loaded == 0) good = handler->configure_container(cookie, 1, NULL, NULL, "/", &err);
        said_by(good, &err);
        printf("load %d configure %d\n", loaded, good);
    }
    int done = handler->unload(cookie, &err);
    return done + handler->unload(NULL, &err);
}

/* ---------------------------------------------------------------- the frame */

static void write_file(const char *name, const char *text, size_t size)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", home, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
}

static void write_config(const char *name, const char *annotations, const char *entry)
{
    char text[1024];
    int size =
        snprintf(text, sizeof text,
                 "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"root\"},\"process\":{\"args\":"
                 "[\"%s\"],\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},\"annotations\":{%s}}",
                 entry, annotations);
    write_file(name, text, (size_t)size);
}

/* What the handler says for this command line; the caller's buffer. */
static void ask(const char *handler, const char *const *words, char *out, size_t size)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        setenv(CHILD, handler, 1);
        unsetenv("XDG_RUNTIME_DIR");
        if (chdir(home) != 0 || dup2(pipes[1], 1) < 0) _exit(99);
        execv(program, (char *const *)(void *)words);
        _exit(98);
    }
    close(pipes[1]);
    size_t got = 0;
    for (ssize_t part; got < size - 1 && (part = read(pipes[0], out + got, size - 1 - got)) > 0;) {
        got += (size_t)part;
    }
    out[got] = '\0';
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0) fprintf(stderr, "%s", out);
    assert_int_equal(status, 0);
}

static void assert_says(const char *const *words, const char *wanted)
{
    char said[4096];
    ask(WRAP_CRUN_HANDLER, words, said, sizeof said);
    if (!strstr(said, wanted)) fprintf(stderr, "wanted: %s\nsaid: %s", wanted, said);
    assert_non_null(strstr(said, wanted));
}

static const char *const run_words[] = {"crun", "run", "c1", NULL};
#define LOADED "answer 1 engine 1\nload 0 configure 0\n"
#define COMPAT "\"module.wasm.image/variant\":\"compat\""
#define SMART "\"module.wasm.image/variant\":\"compat-smart\""

static int set_up(void **state)
{
    static const char module[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    char path[PATH_MAX + 64];
    (void)state;
    snprintf(home, sizeof home, "%s/wasmrun-crun-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(home)) return -1;
    static const char *const folders[] = {"root", "state", "state/c1", "alone", "alone/handlers"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", home, folders[i]);
        if (mkdir(path, 0700) != 0) return -1;
    }
    write_file("root/module", module, sizeof module);
    write_file("root/script", "#!/bin/sh\n", 10);
    return 0;
}

static int tear_down(void **state)
{
    char command[PATH_MAX + 16];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command);
}

/* ---------------------------------------------------------------- the vtable */

static void test_vtable_is_what_crun_expects(void **state)
{
    (void)state;
    struct crun_handler *handler = open_handler(WRAP_CRUN_HANDLER);
    assert_string_equal(handler->name, "wasmrun");
    assert_string_equal(handler->alias, "wasm");
    assert_string_equal(handler->feature, "WASM:wasmrun");
    assert_non_null(handler->load);
    assert_non_null(handler->unload); /* crun calls it without a look */
    assert_non_null(handler->run_func);
    assert_non_null(handler->exec_func);
    assert_non_null(handler->can_handle_container);
    assert_null(handler->modify_oci_configuration);
    assert_null(handler->close_fds);
    for (size_t i = 0; i < sizeof handler->later / sizeof handler->later[0]; i++) {
        assert_null(handler->later[i]);
    }
    assert_int_equal(offsetof(struct crun_handler, can_handle_container), 8 * sizeof(void *));
    assert_int_equal(offsetof(struct crun_handler, close_fds), 10 * sizeof(void *));
    assert_false(engine_is_open());
}

/* ---------------------------------------------------------------- who is taken */

static void test_config_without_annotation_opens_nothing(void **state)
{
    (void)state;
    write_config("config.json", "\"a\":\"b\"", "/module");
    assert_says(run_words, "answer 0 engine 0\n");
    write_config("config.json", "\"run.oci.handler\":\"wasm\"", "/module"); /* crun's own to see */
    assert_says(run_words, "answer 0 engine 0\n");
}

static void test_config_missing_or_no_file_opens_nothing(void **state)
{
    char path[PATH_MAX + 64];
    (void)state;
    snprintf(path, sizeof path, "%s/config.json", home);
    unlink(path);
    assert_says(run_words, "answer 0 engine 0\n");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_says(run_words, "answer 0 engine 0\n");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_says(run_words, "answer 0 engine 0\n");
    assert_int_equal(rmdir(path), 0);
}

static void test_compat_is_taken(void **state)
{
    (void)state;
    write_config("config.json", COMPAT, "/script");
    assert_says(run_words, LOADED);
    write_config("config.json", "\"module.wasm.image\\/variant\":\"compat\"", "/module");
    assert_says(run_words, LOADED);
}

static void test_compat_smart_looks_at_the_entry(void **state)
{
    (void)state;
    write_config("config.json", SMART, "/module#main");
    assert_says(run_words, LOADED);
    write_config("config.json", SMART, "/script");
    assert_says(run_words, "answer 0 engine 1\n");
    write_config("config.json", SMART, "/absent.wasm"); /* in a volume, perhaps */
    assert_says(run_words, LOADED);
    write_config("config.json", SMART, "/absent");
    assert_says(run_words, "answer 0 engine 1\n");
    write_config("config.json", "\"run.oci.handler\":\"wasm-smart\"", "/script");
    assert_says(run_words, "answer 0 engine 1\n");
}

static void test_mention_elsewhere_is_not_taken(void **state)
{
    (void)state;
    write_config("config.json", "\"note\":\"module.wasm.image/variant\"", "/module");
    assert_says(run_words, "answer 0 engine 1\n");
}

static void test_sandbox_is_not_taken(void **state)
{
    (void)state;
    write_config("config.json", COMPAT ",\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"",
                 "/pause");
    assert_says(run_words, "answer 0 engine 1\n");
}

/* ---------------------------------------------------------------- what goes wrong */

static void test_bad_config_fails_where_crun_cleans_up(void **state)
{
    static const char broken[] = "{\"annotations\":{\"module.wasm.image/variant\":";
    (void)state;
    write_config("config.json", "\"module.wasm.image/variant\":\"other\"", "/module");
    assert_says(run_words, "unknown value 'other'\nload 0 configure -1\n");
    write_file("config.json", broken, sizeof broken - 1);
    assert_says(run_words, "\nload 0 configure -1\n");
}

static void test_engine_missing_is_one_line(void **state)
{
    char path[2 * PATH_MAX + 64];
    char said[4096];
    (void)state;
    snprintf(path, sizeof path, "cp " WRAP_CRUN_HANDLER " '%s/alone/handlers/wasmrun.so'", home);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/alone/handlers/wasmrun.so", home);
    write_config("config.json", "", "/module");
    ask(path, run_words, said, sizeof said);
    assert_string_equal(said, "answer 0 engine 0\n");
    write_config("config.json", COMPAT, "/module");
    ask(path, run_words, said, sizeof said);
    assert_non_null(strstr(said, "answer 1 engine 0\nwasmrun: "));
    assert_non_null(strstr(said, "crun-engine.so"));
    assert_non_null(strstr(said, "\nload 0 configure -1\n"));
}

static void test_exec_reads_crun_s_copy(void **state)
{
    char root[PATH_MAX + 16];
    char status[PATH_MAX + 32];
    (void)state;
    snprintf(root, sizeof root, "--root=%s/state", home);
    const char *const words[] = {"crun", root, "exec", "-e", "A=b", "--cwd=/", "c1", "/x", NULL};
    write_config("config.json", COMPAT, "/module"); /* of another container */
    write_config("state/c1/config.json", "", "/module");
    assert_says(words, "answer 0 engine 0\n");
    write_config("state/c1/config.json", SMART, "/module");
    assert_says(words, "answer 1 engine 1\n");
    assert_says(words, "names no bundle\nload -1 configure 0\n");
    int size = snprintf(status, sizeof status, "{\"bundle\":\"%s\"}", home);
    write_file("state/c1/status", status, (size_t)size);
    assert_says(words, LOADED);
    write_config("state/c1/config.json", SMART, "/script");
    assert_says(words, "answer 0 engine 1\n");
}

static void test_named_handler_is_loaded_unasked(void **state)
{
    static const char *const list[] = {"crun", "list", NULL};
    (void)state;
    setenv("WRAP_CRUN_TEST_NAMED", "1", 1);
    write_config("config.json", "", "/module");
    assert_says(run_words, "answer 1 engine 0\nload 0 configure 0\n");
    assert_says(list, "names no container\nload -1 configure 0\n");
    unsetenv("WRAP_CRUN_TEST_NAMED");
}

/* ---------------------------------------------------------------- command lines */

struct line_row {
    const char *words; /* one blank between two */
    const char *path; /* NULL: none */
    const char *status;
};
static const struct line_row line_rows[] = {
    {"crun run a", "config.json", ""},
    {"crun create --bundle /b --pid-file /p a", "config.json", ""},
    {"crun --root /r --log /l --log-format json create --bundle /b a", "config.json", ""},
    {"crun --root /r run -f other.json a", "/r/a/config.json", ""},
    {"crun --root=/r run --config=other.json -d a", "/r/a/config.json", ""},
    {"crun run -dfother.json a", "/run/crun/a/config.json", ""},
    {"crun exec a b c", "/run/crun/a/config.json", "/run/crun/a/status"},
    {"crun --root /r exec -u 1000:1 -tc CAP_KILL -- a", "/r/a/config.json", "/r/a/status"},
    {"crun --systemd-cgroup exec --process /p --detach --tty a", "/run/crun/a/config.json",
     "/run/crun/a/status"},
    {"crun update -r - a", "/run/crun/a/config.json", "/run/crun/a/status"},
    {"crun update --memory 5 --pids-limit=3 a", "/run/crun/a/config.json", "/run/crun/a/status"},
    {"crun exec", NULL, NULL},
    {"crun exec ../a", NULL, NULL},
    {"crun exec ..", NULL, NULL},
    {"crun --root", NULL, NULL},
    {"crun", NULL, NULL},
};

static void test_command_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof line_rows / sizeof line_rows[0]; i++) {
        struct wrap_crun_config config;
        char line[256];
        size_t size = strlen(line_rows[i].words) + 1;
        memcpy(line, line_rows[i].words, size);
        for (size_t at = 0; at < size; at++) {
            if (line[at] == ' ') line[at] = '\0';
        }
        bool found = wrap_crun_config_find(line, size, NULL, &config);
        if (found != (line_rows[i].path != NULL)) fprintf(stderr, "%s\n", line_rows[i].words);
        assert_int_equal(found, line_rows[i].path != NULL);
        if (!found) continue;
        assert_string_equal(config.path, line_rows[i].path);
        assert_string_equal(config.status, line_rows[i].status);
    }
}

static void test_state_of_a_session(void **state)
{
    static const char line[] = "crun\0exec\0a";
    struct wrap_crun_config config;
    (void)state;
    assert_true(wrap_crun_config_find(line, sizeof line, "/run/user/5", &config));
    assert_string_equal(config.path, "/run/user/5/crun/a/config.json");
    assert_true(wrap_crun_config_find(line, sizeof line, "", &config));
    assert_string_equal(config.path, "/run/crun/a/config.json");
}

static void test_any_bytes_are_a_command_line(void **state)
{
    static const char alphabet[] = "-=abcdefrun\0\0\0/.";
    struct wrap_crun_config config;
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 50000; round++) {
        char line[24];
        size_t size = seed >> 27 < sizeof line ? seed >> 27 : sizeof line;
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525 + 1013904223;
            line[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        seed = seed * 1664525 + 1013904223;
        char *copy = malloc(size + 1); /* of its own size, for AddressSanitizer */
        assert_non_null(copy);
        memcpy(copy, line, size);
        copy[size] = 'x';
        (void)wrap_crun_config_find(copy, size, NULL, &config);
        free(copy);
    }
}

static void test_path_too_long_is_none(void **state)
{
    static char line[2 * PATH_MAX] = "crun\0--root\0";
    struct wrap_crun_config config;
    (void)state;
    memset(line + 12, 'r', PATH_MAX);
    memcpy(line + 12 + PATH_MAX, "\0exec\0a", 8);
    assert_false(wrap_crun_config_find(line, 12 + PATH_MAX + 8, NULL, &config));
}

/* ---------------------------------------------------------------- the cheap test */

static void test_mention_is_found_wherever_it_is(void **state)
{
    enum { SIZE = 1 << 18, CHUNK = 1 << 16 };
    static char text[SIZE];
    char path[PATH_MAX + 16];
    (void)state;
    snprintf(path, sizeof path, "%s/big", home);
    static const size_t places[] = {0, CHUNK - 5, CHUNK, 2 * CHUNK - 16, SIZE - 17};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        memset(text, ' ', SIZE);
        memcpy(text + places[i], "module.wasm.image", 17);
        write_file("big", text, SIZE);
        assert_true(wrap_crun_config_mentions_us(path));
    }
    text[SIZE - 1] = ' ';
    write_file("big", text, SIZE);
    assert_false(wrap_crun_config_mentions_us(path));
    write_file("big", "", 0);
    assert_false(wrap_crun_config_mentions_us(path));
    assert_false(wrap_crun_config_mentions_us(home));
    assert_false(wrap_crun_config_mentions_us("/nonexistent"));
}

int main(int argc, char **argv)
{
    const char *handler = getenv(CHILD);
    (void)argc;
    (void)argv;
    if (handler) return be_crun(handler);
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vtable_is_what_crun_expects),
        cmocka_unit_test(test_config_without_annotation_opens_nothing),
        cmocka_unit_test(test_config_missing_or_no_file_opens_nothing),
        cmocka_unit_test(test_compat_is_taken),
        cmocka_unit_test(test_compat_smart_looks_at_the_entry),
        cmocka_unit_test(test_mention_elsewhere_is_not_taken),
        cmocka_unit_test(test_sandbox_is_not_taken),
        cmocka_unit_test(test_bad_config_fails_where_crun_cleans_up),
        cmocka_unit_test(test_engine_missing_is_one_line),
        cmocka_unit_test(test_exec_reads_crun_s_copy),
        cmocka_unit_test(test_named_handler_is_loaded_unasked),
        cmocka_unit_test(test_command_lines),
        cmocka_unit_test(test_state_of_a_session),
        cmocka_unit_test(test_any_bytes_are_a_command_line),
        cmocka_unit_test(test_path_too_long_is_none),
        cmocka_unit_test(test_mention_is_found_wherever_it_is),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
