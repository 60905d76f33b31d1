/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop_host.c - runs copies of a WASI program in one loop, for tests of parking, slices and ends.
 *
 *   loop_host [--park] [--copies N] [--slice-ns N] [--kill-ms N] [--stop-ms N] [--grace-ms N]
 *             [--wake-ms N] [--strict-poll] [--dir HOST::GUEST] [--env K=V] [--net RULE]
 *             [--allow-resolve] [--report] FILE [ARGS…]
 *
 * Values may also follow an '='. --net is inherit, or allow= and one rule.
 *
 * Each copy has a store and context of its own and gets its number in COPY. The exit code is that
 * of the first copy, as bin/wasmrun gives it: 124 killed. --report prints a line at the end:
 * "ended N exited N killed N trapped N ms N cpu_ms N rss_kib N".
 */
#include "wasmrun.h"
#include "wasmrun_wasi.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { EXIT_KILLED = 124, EXIT_BAD = 126, EXIT_TRAP = 134, WORDS = 16 };

struct options {
    const char *dirs[WORDS], *envs[WORDS], *net;
    int dir_count, env_count;
    bool park, strict, report, resolve;
    long copies, slice_ns, kill_ms, stop_ms, grace_ms, wake_ms;
    char **argv;
    int argc;
};

struct copy {
    wr_wasi_t *wasi;
    wr_store_t *store;
    wr_exec_t *exec;
    wr_task_t *task; /* NULL: ended */
    int code;
};

static struct options options = {.copies = 1, .slice_ns = -1, .grace_ms = 1000};
static struct copy *copies;
static wr_engine_t *engine;
static wr_module_t *module;
static wr_linker_t *linker; /* of all copies */
static long exited, killed, trapped;

static void fail(const char *what, const wr_error_t *err)
{
    fprintf(stderr, "loop_host: %s: %s\n", what, err->text);
    exit(EXIT_BAD);
}

static void on_done(wr_task_t *task, wr_status_t status, const wr_error_t *err, void *env)
{
    struct copy *c = env;
    (void)task;
    c->task = NULL;
    if (status == WR_OK || status == WR_EXIT) {
        c->code = status == WR_OK ? 0 : wr_exec_exit_code(c->exec) & 0xff;
        exited++;
    } else if (status == WR_CANCELLED) {
        c->code = EXIT_KILLED;
        killed++;
    } else {
        fprintf(stderr, "loop_host: %s\n", err->text);
        c->code = EXIT_TRAP;
        trapped++;
    }
    wr_exec_delete(c->exec);
    wr_store_delete(c->store);
    wr_wasi_delete(c->wasi);
}

static void add_dir(wr_wasi_t *wasi, const char *value, wr_error_t *err)
{
    char host[4096];
    const char *split = strstr(value, "::");
    snprintf(host, sizeof host, "%.*s", split ? (int)(split - value) : 4000, value);
    if (wr_wasi_preopen_dir(wasi, host, split ? split + 2 : host, false, err) != WR_OK)
        fail("--dir", err);
}

static void add_env(wr_wasi_t *wasi, const char *value, wr_error_t *err)
{
    char key[256];
    const char *split = strchr(value, '=');
    if (!split) return;
    snprintf(key, sizeof key, "%.*s", (int)(split - value), value);
    if (wr_wasi_set_env(wasi, key, split + 1, err) != WR_OK) fail("--env", err);
}

static void make_world(struct copy *c, long number, wr_error_t *err)
{
    char text[32];
    if (wr_wasi_new(&c->wasi, err) != WR_OK) fail("context", err);
    wr_wasi_set_strict_poll(c->wasi, options.strict);
    for (int i = 0; i < options.dir_count; i++) add_dir(c->wasi, options.dirs[i], err);
    for (int i = 0; i < options.env_count; i++) add_env(c->wasi, options.envs[i], err);
    if (options.resolve) wr_wasi_net_allow_resolve(c->wasi);
    if (options.net && strcmp(options.net, "inherit") == 0) wr_wasi_net_inherit(c->wasi);
    if (options.net && strncmp(options.net, "allow=", 6) == 0 &&
        wr_wasi_net_allow(c->wasi, options.net + 6, err) != WR_OK)
        fail("--net", err);
    snprintf(text, sizeof text, "%ld", number);
    if (options.copies > 1 && wr_wasi_set_env(c->wasi, "COPY", text, err) != WR_OK)
        fail("COPY", err);
    if (wr_wasi_set_args(c->wasi, (const char *const *)options.argv, (size_t)options.argc, err) !=
        WR_OK)
        fail("arguments", err);
}

static void spawn(wr_loop_t *loop, struct copy *c, long number)
{
    wr_error_t err;
    wr_instance_t *instance = NULL;
    wr_extern_t start;
    const wr_store_config_t config = {.stack_bytes = options.copies > 100 ? 64 * 1024 : 0};
    make_world(c, number, &err);
    if (wr_store_new(engine, &config, &c->store, &err) != WR_OK ||
        wr_exec_new(c->store, &c->exec, &err) != WR_OK)
        fail("cannot begin", &err);
    wr_store_set_data(c->store, c->wasi);
    if (wr_linker_instantiate(linker, c->store, module, c->exec, &instance, &err) != WR_OK)
        fail("cannot begin", &err);
    const wr_task_config_t task = {c->exec, c->wasi, on_done, c};
    if (!wr_instance_export(instance, (wr_name_t){"_start", 6}, &start)) exit(EXIT_BAD);
    if (wr_exec_start(c->exec, start.of.func, NULL, 0, &err) != WR_OK ||
        wr_loop_spawn(loop, &task, &c->task, &err) != WR_OK)
        fail("cannot begin", &err);
}

/* ---------------------------------------------------------------- what happens to them later */

typedef void later_fn(struct copy *c);

static void kill_one(struct copy *c) { wr_task_kill(c->task); }
static void stop_one(struct copy *c)
{
    wr_task_stop(c->task, (uint64_t)options.grace_ms * 1000000);
}
static void wake_one(struct copy *c) { wr_wasi_wake(c->wasi); }

static void on_timer(uv_timer_t *timer)
{
    for (long i = 0; i < options.copies; i++)
        if (copies[i].task) ((later_fn *)timer->data)(&copies[i]);
}

static void later(uv_loop_t *uv, uv_timer_t *timer, long ms, later_fn *what)
{
    uv_timer_init(uv, timer);
    uv_unref((uv_handle_t *)timer);
    timer->data = (void *)what;
    if (ms > 0) uv_timer_start(timer, on_timer, (uint64_t)ms, 0);
}

/* ---------------------------------------------------------------- the command line */

static bool take(const char *word, const char *name, char ***argv, const char **value)
{
    size_t length = strlen(name);
    if (strncmp(word, name, length) == 0 && word[length] == '=') {
        *value = word + length + 1;
        return true;
    }
    if (strcmp(word, name) != 0 || !(*argv)[1]) return false;
    *value = *++*argv;
    return true;
}

static bool take_number(const char *word, char ***argv)
{
    static const struct {
        const char *name;
        long *out;
    } numbers[] = {{"--copies", &options.copies},     {"--slice-ns", &options.slice_ns},
                   {"--kill-ms", &options.kill_ms},   {"--stop-ms", &options.stop_ms},
                   {"--grace-ms", &options.grace_ms}, {"--wake-ms", &options.wake_ms}};
    const char *value;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!take(word, numbers[i].name, argv, &value)) continue;
        *numbers[i].out = strtol(value, NULL, 10);
        return true;
    }
    return false;
}

static void parse(char **argv)
{
    for (; *argv && strncmp(*argv, "--", 2) == 0; argv++) {
        const char *word = *argv;
        const char *value = NULL;
        if (strcmp(word, "--park") == 0)
            options.park = true;
        else if (strcmp(word, "--strict-poll") == 0)
            options.strict = true;
        else if (strcmp(word, "--report") == 0)
            options.report = true;
        else if (strcmp(word, "--allow-resolve") == 0)
            options.resolve = true;
        else if (take(word, "--net", &argv, &value))
            options.net = value;
        else if (strncmp(word, "--dir=", 6) == 0 && options.dir_count < WORDS)
            options.dirs[options.dir_count++] = word + 6;
        else if (strncmp(word, "--env=", 6) == 0 && options.env_count < WORDS)
            options.envs[options.env_count++] = word + 6;
        else if (!take_number(word, &argv)) {
            fprintf(stderr, "loop_host: what is %s?\n", word);
            exit(EXIT_BAD);
        }
    }
    options.argv = argv;
    while (argv[options.argc]) options.argc++;
    if (options.argc == 0 || options.copies < 1) exit(EXIT_BAD);
}

static double ms_of(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) * 1e3 + (double)(now.tv_nsec - from->tv_nsec) / 1e6;
}

static void report(const struct timespec *begun)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
    printf("ended %ld exited %ld killed %ld trapped %ld ms %.0f cpu_ms %.0f rss_kib %ld\n",
           exited + killed + trapped, exited, killed, trapped, ms_of(begun), cpu, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    (void)argc;
    uv_loop_t uv;
    uv_timer_t timers[3];
    wr_loop_t *loop;
    wr_error_t err;
    struct timespec begun;
    parse(argv + 1);
    signal(SIGPIPE, SIG_IGN);
    engine = wr_engine_new(NULL);
    if (wr_module_load(engine, options.argv[0], &module, &err) != WR_OK) fail("module", &err);
    if (wr_linker_new(engine, &linker, &err) != WR_OK || wr_wasi_link_shared(linker, &err) != WR_OK)
        fail("linker", &err);
    copies = calloc((size_t)options.copies, sizeof copies[0]);
    uv_loop_init(&uv);
    if (wr_loop_new(&uv, &loop, &err) != WR_OK) fail("loop", &err);
    wr_loop_set_park_always(loop, options.park);
    if (options.slice_ns >= 0) wr_loop_set_slice(loop, (uint64_t)options.slice_ns);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (long i = 0; i < options.copies; i++) spawn(loop, &copies[i], i);
    later(&uv, &timers[0], options.kill_ms, kill_one);
    later(&uv, &timers[1], options.stop_ms, stop_one);
    later(&uv, &timers[2], options.wake_ms, wake_one);
    uv_run(&uv, UV_RUN_DEFAULT);
    if (options.report) report(&begun);
    int code = copies[0].code;
    wr_loop_delete(loop);
    for (int i = 0; i < 3; i++) uv_close((uv_handle_t *)&timers[i], NULL);
    uv_run(&uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&uv) != 0) return EXIT_BAD; /* a handle was left open */
    free(copies);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return code;
}
