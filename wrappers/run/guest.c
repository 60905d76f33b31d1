/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - one guest from file to exit code: load, give it its world, link, run, report. */
#include "run/run.h"

#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** All that one run owns; deleted in the order that the headers ask for. */
struct guest {
    const struct wrap_run_options *options;
    const char *name; /* of the file, for messages */
    wr_engine_t *engine;
    wr_module_t *module;
    wr_module_t **preloads; /* as many as options->preload_count, NULL at the end */
    wr_wasi_t *wasi;
    wr_linker_t *linker;
    wr_store_t *store;
    wr_exec_t *exec;
    wr_wasi_threads_t *threads; /* NULL: the module asks for none, nor for a shared memory */
    wr_exec_t *ended;           /* that ended the guest: `exec`, or a thread's */
    wr_instance_t *instance;
    struct wrap_profile *profile; /* NULL: none */
    struct wrap_core *core;       /* NULL: none */
    struct wrap_times times;
    int stdin_fd; /* of --stdin, -1: none */
};

static void guest_fini(struct guest *guest)
{
    wrap_timeout_watch(NULL, NULL);
    wrap_core_close(guest->core);
    wr_wasi_threads_delete(guest->threads);
    wr_exec_delete(guest->exec);
    wr_linker_delete(guest->linker);
    wr_store_delete(guest->store);
    wr_wasi_delete(guest->wasi);
    wr_module_delete(guest->module);
    for (size_t i = 0; guest->preloads && i < guest->options->preload_count; i++) {
        wr_module_delete(guest->preloads[i]);
    }
    free(guest->preloads);
    if (guest->stdin_fd >= 0) {
        close(guest->stdin_fd);
    }
    wr_engine_delete(guest->engine);
}

static wr_name_t name_of(const char *text) { return (wr_name_t){text, strlen(text)}; }

/* ---------------------------------------------------------------- the entry */

static bool exports_func(const wr_module_t *module, const char *name)
{
    wr_exporttype_t item;
    size_t length = strlen(name);
    for (size_t i = 0; wr_module_export(module, i, &item); i++) {
        if (item.kind == WR_EXTERN_FUNC && item.name.size == length &&
            memcmp(item.name.data, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Checks before anything runs that there is something to call; prints why not. */
static bool check_entry(const struct guest *guest)
{
    const char *invoke = guest->options->invoke;
    if (exports_func(guest->module, invoke ? invoke : "_start")) {
        return true;
    }
    if (invoke) {
        wrap_say("%s: no exported function '%s'; it exports:", guest->name, invoke);
    } else if (exports_func(guest->module, "_initialize")) {
        wrap_say("%s: a library (it exports _initialize, not _start); --invoke calls one of:",
                 guest->name);
    } else {
        wrap_say("%s: not a program (no _start); --invoke calls one of:", guest->name);
    }
    wrap_report_exports(guest->module, WR_EXTERN_FUNC);
    return false;
}

/* ---------------------------------------------------------------- the guest's world */

/* The guest's name when none is given: the file's without directory and ".wasm". */
static char *default_argv0(const char *file)
{
    static const char ending[] = ".wasm";
    const size_t ending_len = sizeof ending - 1;
    const char *slash = strrchr(file, '/');
    const char *base = slash && slash[1] ? slash + 1 : file;
    size_t length = strlen(base);
    if (length > ending_len && strcmp(base + length - ending_len, ending) == 0) {
        length -= ending_len;
    }
    return strndup(base, length);
}

static wr_status_t set_args(struct guest *guest, wr_error_t *err)
{
    const struct wrap_run_options *options = guest->options;
    /* With --invoke the words are the function's arguments, not the program's. */
    size_t extra = options->invoke ? 0 : options->arg_count;
    const char **argv = malloc((extra + 1) * sizeof argv[0]);
    char *name = default_argv0(options->file);
    if (!argv || !name) {
        free(argv);
        free(name);
        return WR_OOM;
    }
    argv[0] = options->argv0 ? options->argv0 : name;
    for (size_t i = 0; i < extra; i++) {
        argv[i + 1] = options->args[i];
    }
    wr_status_t status = wr_wasi_set_args(guest->wasi, argv, extra + 1, err);
    free(argv);
    free(name);
    return status;
}

/* `text` is K=V. */
static wr_status_t set_env(struct guest *guest, const char *text, wr_error_t *err)
{
    const char *equals = strchr(text, '=');
    char *key = strndup(text, (size_t)(equals - text));
    if (!key) {
        return WR_OOM;
    }
    wr_status_t status = wr_wasi_set_env(guest->wasi, key, equals + 1, err);
    free(key);
    return status;
}

static bool add_dir(struct guest *guest, const struct wrap_dir *dir)
{
    wr_error_t err = {0};
    wr_status_t status =
        wr_wasi_preopen_dir(guest->wasi, dir->host, dir->guest, dir->read_only, &err);
    if (status != WR_OK) {
        wrap_say("cannot give host '%s' as guest '%s'%s: %s", dir->host, dir->guest,
                 dir->read_only ? ", read-only" : "",
                 err.text[0] ? err.text : wr_status_name(status));
    }
    return status == WR_OK;
}

/* Whether a name stands for everything that wasi-libc looks up by a relative name. */
static bool is_root(const char *name)
{
    return strcmp(name, "/") == 0 || strcmp(name, ".") == 0 || strcmp(name, "./") == 0;
}

/*
 * --cwd. WASI preview1 has no working directory: programs begin in "/", or (Go's) where PWD says.
 * wasi-libc looks relative names up in the last of the directories named "/" or ".".
 */
static bool set_cwd(struct guest *guest)
{
    const struct wrap_run_options *options = guest->options;
    wr_error_t err = {0};
    size_t which = 0;
    char *path = wrap_dir_locate(options, options->cwd, &which);
    if (!path) {
        return false;
    }
    bool rooted = false;
    for (size_t i = 0; i < options->dir_count; i++) {
        rooted = rooted || is_root(options->dirs[i].guest);
    }
    char dot[] = ".";
    struct wrap_dir dir = {path, dot, options->dirs[which].read_only};
    bool good = (rooted || add_dir(guest, &dir)) &&
                wr_wasi_set_env(guest->wasi, "PWD", options->cwd, &err) == WR_OK;
    free(path);
    return good;
}

static bool add_dirs(struct guest *guest)
{
    for (size_t i = 0; i < guest->options->dir_count; i++) {
        if (!add_dir(guest, &guest->options->dirs[i])) {
            return false;
        }
    }
    return !guest->options->cwd || set_cwd(guest);
}

/* --stdin */
static bool open_stdin(struct guest *guest)
{
    const char *file = guest->options->stdin_file;
    wr_error_t err = {0};
    if (!file) {
        return true;
    }
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        wrap_say("--stdin: %s: %s", file, strerror(errno));
        return false;
    }
    guest->stdin_fd = fd;
    return wr_wasi_set_stdio(guest->wasi, 0, fd, &err) == WR_OK;
}

/* A stream that only holds its number (see main.c) is closed for the guest. */
static wr_status_t close_held_streams(struct guest *guest, wr_error_t *err)
{
    wr_status_t status = WR_OK;
    for (int fd = 0; fd <= 2 && status == WR_OK; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags >= 0 && (flags & O_PATH) != 0) {
            status = wr_wasi_set_stdio(guest->wasi, fd, -1, err);
        }
    }
    return status;
}

/* Exit code, 0 when the world stands. */
static int make_world(struct guest *guest)
{
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    wr_status_t status = wr_wasi_new(&guest->wasi, &err);
    if (status == WR_OK) {
        status = close_held_streams(guest, &err);
    }
    if (status == WR_OK) {
        status = set_args(guest, &err);
    }
    for (size_t i = 0; status == WR_OK && i < guest->options->env_count; i++) {
        status = set_env(guest, guest->options->envs[i], &err);
    }
    if (status == WR_LIMIT || status == WR_ARGUMENT) {
        wrap_say("arguments or environment: %s", err.text);
        return WRAP_EXIT_USAGE;
    }
    if (status != WR_OK) {
        return wrap_report(guest->name, status, &err);
    }
    bool given =
        add_dirs(guest) && open_stdin(guest) && wrap_net_apply(&guest->options->net, guest->wasi);
    return given ? WRAP_EXIT_OK : WRAP_EXIT_USAGE;
}

static wr_status_t link_threads(struct guest *guest, wr_error_t *err)
{
    const wr_wasi_threads_config_t config = {
        .engine = guest->engine,
        .linker = guest->linker,
        .module = guest->module,
        .store = guest->store,
        .exec = guest->exec,
        .store_config = &guest->options->store,
        .max_threads = guest->options->max_threads,
    };
    guest->ended = guest->exec;
    if (!wr_wasi_threads_wanted(guest->module)) {
        return WR_OK;
    }
    return wr_wasi_threads_new(guest->wasi, &config, &guest->threads, err);
}

static int link_guest(struct guest *guest)
{
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    wr_status_t status = wr_linker_new(guest->engine, &guest->linker, &err);
    if (status == WR_OK) {
        status = wr_wasi_link(guest->wasi, guest->linker, &err);
    }
    if (status == WR_OK) {
        status = wr_store_new(guest->engine, &guest->options->store, &guest->store, &err);
    }
    if (status == WR_OK) {
        wr_store_set_fuel(guest->store, guest->options->fuel);
        guest->times.fuel = guest->options->fuel;
        status = wr_exec_new(guest->store, &guest->exec, &err);
    }
    if (status == WR_OK) {
        status = link_threads(guest, &err);
    }
    if (status != WR_OK) {
        return wrap_report(guest->name, status, &err);
    }
    return WRAP_EXIT_OK;
}

/* ---------------------------------------------------------------- running */

/* What a guest that has begun ends in, all its threads with it: 126 is for those that could not
 * begin. */
static int end_code(struct guest *guest, const char *name, wr_status_t status, wr_error_t *err)
{
    if (guest->threads) {
        status = wr_wasi_threads_finish(guest->threads, status, &guest->ended, err);
    }
    wrap_timeout_ended(); /* what follows, a core dump or a profile, takes its time */
    bool ended = status == WR_OK || status == WR_EXIT;
    if (ended && wrap_timeout_fired()) {
        /* Woken from a wait by the timeout, it went on to its end before the next check. */
        return wrap_report(name, WR_CANCELLED, err);
    }
    if (ended) {
        return status == WR_EXIT ? wr_exec_exit_code(guest->ended) & 0xff : WRAP_EXIT_OK;
    }
    int code = wrap_report(name, status, err);
    if (guest->core && code == WRAP_EXIT_TRAP) {
        wrap_core_write(guest->core, guest->ended, guest->name);
    }
    bool began = status != WR_ARGUMENT; /* a _start with parameters never did */
    return began && code == WRAP_EXIT_INVALID ? WRAP_EXIT_TRAP : code;
}

static wr_status_t call(struct guest *guest, wr_func_t *func, const wr_val_t *args, size_t count,
                        wr_error_t *err)
{
    wr_status_t status = wr_exec_start(guest->exec, func, args, count, err);
    if (status != WR_OK) {
        return status;
    }
    while ((status = wr_exec_run(guest->exec, err)) == WR_YIELD) {
        if (guest->profile) {
            wrap_profile_sample(guest->profile);
        }
    }
    return status;
}

/* Calls an export without arguments when there is one. */
static wr_status_t call_plain(struct guest *guest, wr_instance_t *instance, const char *name,
                              wr_error_t *err)
{
    wr_extern_t item;
    if (!wr_instance_export(instance, name_of(name), &item) || item.kind != WR_EXTERN_FUNC) {
        return WR_OK;
    }
    return call(guest, item.of.func, NULL, 0, err);
}

static int invoke(struct guest *guest)
{
    const struct wrap_run_options *options = guest->options;
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    wr_extern_t item;
    wr_val_t args[WRAP_MAX_VALUES];
    wr_val_t results[WRAP_MAX_VALUES];
    if (!wr_instance_export(guest->instance, name_of(options->invoke), &item) ||
        item.kind != WR_EXTERN_FUNC ||
        !wrap_invoke_args(options->invoke, item.of.func, options->args, options->arg_count, args)) {
        return WRAP_EXIT_USAGE;
    }
    wr_status_t status = call_plain(guest, guest->instance, "_initialize", &err);
    if (status == WR_OK) {
        status = call(guest, item.of.func, args, options->arg_count, &err);
    }
    int code = end_code(guest, guest->name, status, &err);
    if (status != WR_OK || code != WRAP_EXIT_OK) {
        return code;
    }
    size_t count = wr_func_result_count(item.of.func);
    status = wr_exec_results(guest->exec, results, count);
    if (status != WR_OK) {
        return wrap_report(guest->name, status, &err);
    }
    wrap_invoke_print(results, count);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        wrap_say("cannot write the results");
        return WRAP_EXIT_TRAP;
    }
    return WRAP_EXIT_OK;
}

static int run_instance(struct guest *guest)
{
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    if (guest->options->invoke) {
        return invoke(guest);
    }
    wr_status_t status = call_plain(guest, guest->instance, "_start", &err);
    return end_code(guest, guest->name, status, &err);
}

/*
 * Instantiates a module, the `index`th of --preload or the last one, the program itself; exit code.
 * Its imports are looked at only here: earlier modules may provide them.
 */
static int instantiate(struct guest *guest, size_t index, const char *name, wr_instance_t **out)
{
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    bool last = index == guest->options->preload_count;
    const wr_module_t *module = last ? guest->module : guest->preloads[index];
    if (wrap_report_missing(name, guest->linker, module) > 0) {
        return WRAP_EXIT_INVALID;
    }
    wr_status_t status =
        wr_linker_instantiate(guest->linker, guest->store, module, guest->exec, out, &err);
    if (status == WR_EXIT || status == WR_TRAP || status == WR_EXCEPTION ||
        status == WR_CANCELLED || status == WR_FUEL) {
        *out = NULL;
        return end_code(guest, name, status, &err);
    }
    return status == WR_OK ? WRAP_EXIT_OK : wrap_report(name, status, &err);
}

/* --preload: instantiated, initialised, its exports offered to those after it. */
static int preload(struct guest *guest, size_t index, bool *ended)
{
    const struct wrap_preload *one = &guest->options->preloads[index];
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    wr_instance_t *instance = NULL;
    int code = instantiate(guest, index, one->file, &instance);
    *ended = !instance;
    if (!instance) {
        return code;
    }
    wr_status_t status = call_plain(guest, instance, "_initialize", &err);
    if (status != WR_OK) {
        *ended = true;
        return end_code(guest, one->file, status, &err);
    }
    status = wr_linker_define_instance(guest->linker, name_of(one->name), instance, &err);
    *ended = status != WR_OK;
    return status == WR_OK ? WRAP_EXIT_OK : wrap_report(one->file, status, &err);
}

/* Makes all instances; `*ended` when the program shall not be called any more. */
static int make_instances(struct guest *guest, bool *ended)
{
    *ended = false;
    for (size_t i = 0; i < guest->options->preload_count; i++) {
        int code = preload(guest, i, ended);
        if (*ended) {
            return code;
        }
    }
    int code = instantiate(guest, guest->options->preload_count, guest->name, &guest->instance);
    *ended = !guest->instance;
    return code;
}

static int run_linked(struct guest *guest)
{
    bool ended = false;
    const char *core = guest->options->coredump;
    if (core && !(guest->core = wrap_core_open(core))) {
        return WRAP_EXIT_USAGE;
    }
    if (!wrap_lock_down(guest->options)) {
        return WRAP_EXIT_INVALID;
    }
    wrap_timeout_watch(guest->exec, guest->wasi);
    uint64_t begin = wrap_now_ns();
    int code = make_instances(guest, &ended);
    uint64_t begun = wrap_now_ns();
    guest->times.instantiate_ns = begun - begin;
    if (ended) {
        return code;
    }
    if (guest->profile && !wrap_profile_start(guest->profile, guest->exec, guest->wasi)) {
        wrap_say("cannot start the --profile thread");
        return WRAP_EXIT_INVALID;
    }
    code = run_instance(guest);
    guest->times.run_ns = wrap_now_ns() - begun;
    return code;
}

/* With --profile, if asked for; one that cannot be written is an error of its own. */
static int run_watched(struct guest *guest)
{
    const char *path = guest->options->profile;
    if (!path) {
        return run_linked(guest);
    }
    guest->profile = wrap_profile_open(path, wr_module_name(guest->module));
    if (!guest->profile) {
        return WRAP_EXIT_USAGE;
    }
    int code = run_linked(guest);
    bool written = wrap_profile_stop(guest->profile);
    return written || code != WRAP_EXIT_OK ? code : WRAP_EXIT_USAGE;
}

static int load_preloads(struct guest *guest)
{
    const struct wrap_run_options *options = guest->options;
    int code = WRAP_EXIT_OK;
    guest->preloads = calloc(options->preload_count + 1, sizeof guest->preloads[0]);
    if (!guest->preloads) {
        wrap_say("out of memory");
        return WRAP_EXIT_INVALID;
    }
    for (size_t i = 0; i < options->preload_count && code == WRAP_EXIT_OK; i++) {
        (void)wrap_module_load(guest->engine, options->preloads[i].file, &guest->preloads[i],
                               &code);
    }
    return code;
}

static int run_steps(struct guest *guest)
{
    int code = WRAP_EXIT_OK;
    guest->engine = wrap_engine_new(guest->options->features);
    if (!guest->engine) {
        return WRAP_EXIT_INVALID;
    }
    uint64_t begin = wrap_now_ns();
    if (!wrap_module_load(guest->engine, guest->options->file, &guest->module, &code)) {
        return code;
    }
    code = load_preloads(guest);
    if (code != WRAP_EXIT_OK) {
        return code;
    }
    guest->times.load_ns = wrap_now_ns() - begin;
    if (!check_entry(guest)) {
        return WRAP_EXIT_USAGE;
    }
    code = make_world(guest);
    if (code == WRAP_EXIT_OK) {
        code = link_guest(guest);
    }
    return code == WRAP_EXIT_OK ? run_watched(guest) : code;
}

int wrap_run_guest(const struct wrap_run_options *options)
{
    struct guest guest = {
        .options = options, .name = wrap_file_name(options->file), .stdin_fd = -1};
    /* A closed pipe is EPIPE for the guest, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    if (!options->profile) { /* which has its own way with them */
        wrap_heed_signals();
    }
    if (options->timeout_ns &&
        !wrap_timeout_start(options->timeout_ns, options->sandbox != WRAP_SANDBOX_OFF)) {
        wrap_say("cannot start the --timeout thread");
        return WRAP_EXIT_INVALID;
    }
    int code = run_steps(&guest);
    if (options->stats && guest.module) {
        wrap_stats_print(guest.name, &guest.times, guest.module, guest.store);
    }
    guest_fini(&guest);
    wrap_profile_raise();
    return code;
}
