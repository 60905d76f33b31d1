/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.c - the guest of a container: its module, its world, its run. The path to its first
 * instruction: nothing is done here that could be done later.
 */
#include "common/program.h"

#include "common/failure.h"
#include "common/process.h"
#include "common/text.h"
#include "common/trace.h"
#include "wasmrun_wasi.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ITEM_TEXT = 128, LISTEN_MAX = 64 };

struct wrap_program {
    char *name; /* own */
    char *func; /* own; NULL: _start */
    wr_engine_t *engine;
    bool own_engine;
    wr_module_t *module;
    wr_wasi_t *wasi;
    wr_store_t *store;
    wr_exec_t *exec;
    wr_linker_t *linker; /* with WASI, whose context is the data of the store */
    wr_wasi_threads_t *threads; /* NULL: the module asks for none, nor for a shared memory */
    struct instantiation {
        bool done;
        wr_status_t status;
        wr_error_t why;
        wr_instance_t *instance;
    } made;
};

static wr_engine_t *prepared; /* one thread: see wrap_program_prepare */

#define NO_ERROR ((wr_error_t){.offset = UINT64_MAX, .func_idx = UINT32_MAX})

/* ---------------------------------------------------------------- what programs share */

/* NULL: no memory. */
static wr_engine_t *engine_make(void)
{
    wr_engine_t *engine = wr_engine_new(NULL);
    if (engine) {
        /* More threads would count against the container's limit of processes. */
        wr_engine_set_load_threads(engine, 1);
    }
    return engine;
}

bool wrap_program_prepare(void)
{
    wrap_choose_names();
    prepared = prepared ? prepared : engine_make();
    return prepared != NULL;
}

void wrap_program_unprepare(void)
{
    wr_engine_delete(prepared);
    prepared = NULL;
}

void wrap_program_delete(struct wrap_program *program)
{
    if (!program) {
        return;
    }
    wr_wasi_threads_delete(program->threads);
    wr_exec_delete(program->exec);
    wr_store_delete(program->store);
    wr_linker_delete(program->linker);
    wr_wasi_delete(program->wasi);
    wr_module_delete(program->module);
    if (program->own_engine) {
        wr_engine_delete(program->engine);
    }
    free(program->func);
    free(program->name);
    free(program);
}

static bool no_memory(struct wrap_error *err)
{
    return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

static enum wrap_code code_of(wr_status_t status)
{
    switch (status) {
    case WR_MALFORMED:
    case WR_INVALID:
    case WR_LINK:
    case WR_ARGUMENT: return WRAP_INVALID_ARGUMENT;
    case WR_UNSUPPORTED: return WRAP_UNIMPLEMENTED;
    case WR_OOM:
    case WR_LIMIT: return WRAP_RESOURCE_EXHAUSTED;
    case WR_NOT_FOUND: return WRAP_NOT_FOUND;
    default: return WRAP_INTERNAL;
    }
}

static bool fail_wr(const struct wrap_program *program, wr_status_t status, const wr_error_t *why,
                    struct wrap_error *err)
{
    char line[WRAP_FAILURE_TEXT];
    wrap_failure_line(program->name, status, why, line);
    return wrap_fail(err, code_of(status), "%s", line);
}

/* ---------------------------------------------------------------- the module */

/* What can be told from the first bytes, better than the engine says it. */
static bool check_format(const struct wrap_program *program, int fd, struct wrap_error *err)
{
    static const unsigned char magic[4] = {0, 'a', 's', 'm'};
    unsigned char head[8] = {0};
    ssize_t size = pread(fd, head, sizeof head, 0);
    if (size < (ssize_t)sizeof magic) {
        return true; /* also what can't be looked at beforehand: the engine reads and tells */
    }
    if (memcmp(head, magic, sizeof magic) != 0) {
        bool text = head[0] == '(' || head[0] == ';' || strchr(" \t\r\n", head[0]);
        return wrap_fail(err, text ? WRAP_UNIMPLEMENTED : WRAP_INVALID_ARGUMENT, "%s: %s",
                         program->name,
                         text ? "is in the text format: translate it with wat2wasm first"
                              : "is not a WebAssembly module");
    }
    /* Bytes 4 and 5 are the version, 6 and 7 the layer: 1 is the component model. */
    if (size == (ssize_t)sizeof head && head[6] == 1 && head[7] == 0) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED,
                         "%s: is a component: only core modules with WASI preview1 can run",
                         program->name);
    }
    return true;
}

static bool load_module(struct wrap_program *program, int fd, struct wrap_error *err)
{
    wr_error_t why = NO_ERROR;
    if (!check_format(program, fd, err)) {
        return false;
    }
    program->own_engine = !prepared;
    program->engine = prepared ? prepared : engine_make();
    wr_status_t status = program->engine ? wr_module_load_fd(program->engine, fd, program->name,
                                                             &program->module, &why)
                                         : WR_OOM;
    return status == WR_OK || fail_wr(program, status, &why, err);
}

/* The index of an exported function; -1: none. */
static ssize_t find_export(const struct wrap_program *program, const char *name)
{
    wr_exporttype_t item;
    size_t length = strlen(name);
    for (size_t i = 0; wr_module_export(program->module, i, &item); i++) {
        if (item.kind == WR_EXTERN_FUNC && item.name.size == length &&
            memcmp(item.name.data, name, length) == 0) {
            return (ssize_t)i;
        }
    }
    return -1;
}

/* Whether there is something to call, and without arguments: a container has none to give. */
static bool check_entry(const struct wrap_program *program, struct wrap_error *err)
{
    static const char taking[] = "(func (param";
    const char *name = program->func ? program->func : "_start";
    char type[ITEM_TEXT];
    ssize_t at = find_export(program, name);
    if (at >= 0) {
        wr_module_export_type(program->module, (size_t)at, type, sizeof type);
        return strncmp(type, taking, sizeof taking - 1) != 0 ||
               wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: '%s' takes parameters: %s", program->name,
                         name, type);
    }
    if (!program->func && find_export(program, "_initialize") >= 0) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "%s: is a library (it exports _initialize, not _start): name a function, "
                         "\"%s#FUNCTION\"",
                         program->name, program->name);
    }
    return wrap_fail(err, WRAP_NOT_FOUND, "%s: exports no function '%s'", program->name, name);
}

/* ---------------------------------------------------------------- the guest's world */

static bool set_environment(struct wrap_program *program, const struct wrap_strings *env,
                            struct wrap_error *err)
{
    wr_error_t why = NO_ERROR;
    for (size_t i = 0; i < env->count; i++) {
        const char *equals = strchr(env->items[i], '=');
        if (!equals) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "environment '%.100s': no '='",
                             env->items[i]);
        }
        char *key = strndup(env->items[i], (size_t)(equals - env->items[i]));
        if (!key) {
            return no_memory(err);
        }
        wr_status_t status = wr_wasi_set_env(program->wasi, key, equals + 1, &why);
        free(key);
        if (status != WR_OK) {
            return fail_wr(program, status, &why, err);
        }
    }
    return true;
}

/*
 * WASI preview1 has no working directory: programs begin in "/", or (Go's) where PWD says. A
 * directory "." beside "/" would not help: wasi-libc takes both for the same.
 */
static bool set_cwd(struct wrap_program *program, const struct wrap_program_config *config,
                    struct wrap_error *err)
{
    const struct wrap_process process = {.env = config->env};
    wr_error_t why = NO_ERROR;
    if (!config->cwd || strcmp(config->cwd, "/") == 0 || wrap_process_env(&process, "PWD")) {
        return true;
    }
    wr_status_t status = wr_wasi_set_env(program->wasi, "PWD", config->cwd, &why);
    return status == WR_OK || fail_wr(program, status, &why, err);
}

/* A standard stream that is not open is closed for the guest too. */
static wr_status_t set_stdio(struct wrap_program *program, wr_error_t *why)
{
    wr_status_t status = WR_OK;
    for (int fd = 0; fd <= 2 && status == WR_OK; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            status = wr_wasi_set_stdio(program->wasi, fd, -1, why);
        }
    }
    return status;
}

typedef wr_status_t (*item_fn)(wr_wasi_t *wasi, const char *item, wr_error_t *why);

static wr_status_t listen_on(wr_wasi_t *wasi, const char *item, wr_error_t *why)
{
    return wr_wasi_listen(wasi, item, NULL, why);
}

/* Calls `take` with each of "ITEM,ITEM". */
static bool each_item(struct wrap_program *program, const char *annotation, const char *list,
                      item_fn take, struct wrap_error *err)
{
    wr_error_t why = NO_ERROR;
    size_t count = 0;
    while (*list) {
        char item[ITEM_TEXT];
        size_t length = strcspn(list, ",");
        if (length >= sizeof item || (take == listen_on && ++count > LISTEN_MAX)) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "annotation %s: %s", annotation,
                             length >= sizeof item ? "an item is too long" : "too many items");
        }
        memcpy(item, list, length);
        item[length] = 0;
        wr_status_t status = take(program->wasi, item, &why);
        if (status != WR_OK) {
            return wrap_fail(err, code_of(status), "annotation %s '%s': %s", annotation, item,
                             why.text[0] ? why.text : wr_status_name(status));
        }
        list += length + (list[length] == ',');
    }
    return true;
}

static bool set_net(struct wrap_program *program, const struct wrap_spec *spec,
                    struct wrap_error *err)
{
    struct wrap_program_net net;
    if (!wrap_program_net_of(spec, &net, err)) {
        return false;
    }
    if (net.resolve) {
        wrap_choose_names();
        wr_wasi_net_allow_resolve(program->wasi);
    }
    if (net.rules) {
        if (!each_item(program, "io.wasmrun/net", net.rules, wr_wasi_net_allow, err)) {
            return false;
        }
    } else if (net.inherit) {
        wr_wasi_net_inherit(program->wasi);
    }
    return each_item(program, "io.wasmrun/listen", net.listen, listen_on, err);
}

static bool make_world(struct wrap_program *program, const struct wrap_program_config *config,
                       struct wrap_error *err)
{
    wr_error_t why = NO_ERROR;
    wr_status_t status = wr_wasi_new(&program->wasi, &why);
    if (status == WR_OK) {
        status = set_stdio(program, &why);
    }
    if (status == WR_OK) {
        status = wr_wasi_set_args(program->wasi, config->args.items, config->args.count, &why);
    }
    for (size_t i = 0; status == WR_OK && i < config->preopen_count; i++) {
        const struct wrap_preopen *dir = &config->preopens[i];
        status = wr_wasi_preopen_dir(program->wasi, dir->host, dir->guest, dir->read_only, &why);
    }
    if (status != WR_OK) {
        return fail_wr(program, status, &why, err);
    }
    if (config->procfs) {
        wr_wasi_hide_procfs(program->wasi);
    }
    return set_environment(program, &config->env, err) && set_cwd(program, config, err) &&
           set_net(program, config->spec, err);
}

/* ---------------------------------------------------------------- linking */

struct missing {
    char text[300];
    size_t shown;
};

static void name_missing(const wr_missing_t *missing, void *env)
{
    enum { SHOWN = 3 };
    struct missing *all = env;
    size_t used = strlen(all->text);
    const wr_importtype_t *import = &missing->import;
    if (all->shown++ >= SHOWN) {
        return;
    }
    snprintf(all->text + used, sizeof all->text - used, "%s%.*s.%.*s %s", used ? ", " : "",
             (int)(import->module.size < 60 ? import->module.size : 60), import->module.data,
             (int)(import->name.size < 60 ? import->name.size : 60), import->name.data,
             missing->wanted);
}

/* Whether all is there; what is not is compared with all there is, for the message. */
static bool check_imports(const struct wrap_program *program, struct wrap_error *err)
{
    struct missing all = {0};
    if (wr_linker_missing(program->linker, program->module, NULL, NULL) == 0) {
        return true;
    }
    (void)wr_wasi_link_shared(program->linker, NULL);
    size_t count = wr_linker_missing(program->linker, program->module, name_missing, &all);
    return !count ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT,
                     "%s: link error: %zu import%s cannot be satisfied: %s%s", program->name, count,
                     count == 1 ? "" : "s", all.text, count > 3 ? ", ..." : "");
}

static wr_status_t link_threads(struct wrap_program *program, wr_error_t *why)
{
    if (!wr_wasi_threads_wanted(program->module)) {
        return WR_OK;
    }
    const wr_wasi_threads_config_t config = {
        .engine = program->engine,
        .linker = program->linker,
        .module = program->module,
        .store = program->store,
        .exec = program->exec,
        .max_threads = WR_WASI_MAX_THREADS,
    };
    return wr_wasi_threads_new(program->wasi, &config, &program->threads, why);
}

static bool link_program(struct wrap_program *program, wr_usage_t *usage, struct wrap_error *err)
{
    wr_error_t why = NO_ERROR;
    wr_status_t status = wr_store_new(program->engine, NULL, &program->store, &why);
    if (status == WR_OK) {
        wr_store_set_data(program->store, program->wasi);
        wr_store_set_usage(program->store, usage);
        status = wr_exec_new(program->store, &program->exec, &why);
    }
    if (status == WR_OK) {
        status = wr_linker_new(program->engine, &program->linker, &why);
    }
    if (status == WR_OK) {
        status = wr_wasi_link_imports(program->linker, program->module, &why);
    }
    if (status == WR_OK) {
        status = link_threads(program, &why);
    }
    return status == WR_OK ? check_imports(program, err) : fail_wr(program, status, &why, err);
}

bool wrap_program_load(const struct wrap_program_config *config, struct wrap_program **out,
                       struct wrap_error *err)
{
    struct wrap_program *program = calloc(1, sizeof *program);
    *out = NULL;
    if (!program) {
        return no_memory(err);
    }
    program->name = strdup(config->name);
    program->func = config->func ? strdup(config->func) : NULL;
    bool copied = program->name && (program->func || !config->func);
    if (!copied) {
        no_memory(err);
    }
    if (!copied || !load_module(program, config->module_fd, err) || !check_entry(program, err) ||
        !make_world(program, config, err) || !link_program(program, config->usage, err)) {
        wrap_program_delete(program);
        return false;
    }
    *out = program;
    return true;
}

/* ---------------------------------------------------------------- running */

/* Calls an export without arguments when there is one. */
static wr_status_t call(struct wrap_program *program, wr_instance_t *instance, const char *name,
                        wr_error_t *why)
{
    wr_extern_t item;
    wr_name_t wanted = {name, strlen(name)};
    if (!wr_instance_export(instance, wanted, &item) || item.kind != WR_EXTERN_FUNC) {
        return WR_OK;
    }
    wr_status_t status = wr_exec_start(program->exec, item.of.func, NULL, 0, why);
    while (status == WR_OK && (status = wr_exec_run(program->exec, why)) == WR_YIELD) {
        status = WR_OK;
    }
    return status;
}

static int report(const struct wrap_program *program, wr_status_t status, const wr_error_t *why,
                  struct wrap_error *reason)
{
    char line[WRAP_FAILURE_TEXT];
    wrap_failure_line(program->name, status, why, line);
    struct wrap_message trace;
    wrap_say("%s", line);
    wrap_message_begin(&trace);
    wrap_trace_print(trace.to, why);
    wrap_message_end(&trace);
    wrap_fail(reason, status == WR_TRAP ? WRAP_UNKNOWN : code_of(status), "%s", line);
    return wrap_failure_exit(status);
}

static void instantiate(struct wrap_program *program)
{
    struct instantiation *made = &program->made;
    made->done = true;
    made->why = NO_ERROR;
    made->status = wr_linker_instantiate(program->linker, program->store, program->module,
                                         program->exec, &made->instance, &made->why);
}

static bool has_start(const wr_module_t *module)
{
    enum { SECTION_START = 8 };
    wr_section_t section;
    for (size_t i = 0; wr_module_section(module, i, &section); i++) {
        if (section.id == SECTION_START) {
            return true;
        }
    }
    return false;
}

void wrap_program_make_ready(struct wrap_program *program)
{
    if (!has_start(program->module)) {
        instantiate(program);
    }
}

int wrap_program_run(struct wrap_program *program, struct wrap_error *why)
{
    /* A closed pipe is EPIPE for the guest, not its end. */
    signal(SIGPIPE, SIG_IGN);
    wrap_heed_signals();
    wr_exec_t *ended = program->exec;
    if (!program->made.done) {
        instantiate(program);
    }
    wr_instance_t *instance = program->made.instance;
    wr_error_t err = program->made.why;
    wr_status_t status = program->made.status;
    bool began = status == WR_OK;
    if (status == WR_OK && program->func) {
        status = call(program, instance, "_initialize", &err);
    }
    if (status == WR_OK) {
        status = call(program, instance, program->func ? program->func : "_start", &err);
    }
    if (program->threads) {
        status = wr_wasi_threads_finish(program->threads, status, &ended, &err);
    }
    if (status == WR_OK) {
        return WRAP_EXIT_OK;
    }
    if (status == WR_EXIT) {
        return wr_exec_exit_code(ended) & 0xff;
    }
    int code = report(program, status, &err, why);
    /* 126 is for those that could not begin. */
    return began && code == WRAP_EXIT_INVALID ? WRAP_EXIT_TRAP : code;
}
