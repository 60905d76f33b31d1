/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.c - crun-engine.so: everything that a guest needs, linked into one file that asks for
 * nothing but libc, since in the container nothing of the host can be opened any more.
 */
#include "crun/engine.h"

#include "common/entry.h"
#include "common/text.h"
#include "crun/borrowed.h"
#include "sandbox/inside.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

struct wrap_crun_guest {
    struct wrap_spec *spec;
    char bundle[PATH_MAX]; /* "": the current folder */
    bool landlock; /* the kernel has it */
    char *environment; /* the block that crun was started with */
    size_t environment_size;
};

/* ---------------------------------------------------------------- before the fork */

static void give(const struct wrap_error *error, char *why)
{
    snprintf(why, WRAP_CRUN_TEXT, "wasmrun: %s", error->text);
}

/* Where a running container came from. */
static bool read_bundle(const char *status, char bundle[PATH_MAX], struct wrap_error *err)
{
    json_error_t problem;
    json_t *root = json_load_file(status, 0, &problem);
    const char *text = json_string_value(json_object_get(root, "bundle"));
    bool good = text && strlen(text) < PATH_MAX;
    if (good) strcpy(bundle, text);
    json_decref(root);
    return good || wrap_fail(err, WRAP_FAILED_PRECONDITION, "%.300s: names no bundle", status);
}

/* proc(5), stat: behind the bracket that closes the name comes field 3; 50 and 51 are env_start and
 * env_end. */
static void find_environment(struct wrap_crun_guest *guest)
{
    enum { ENV_START = 50 - 3 };
    char text[2048];
    FILE *file = fopen("/proc/self/stat", "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[size] = '\0';
    char *at = strrchr(text, ')');
    for (int i = 0; at && i <= ENV_START; i++) at = strchr(at + 1, ' ');
    if (!at) return;
    unsigned long start = strtoul(at, &at, 10);
    unsigned long end = strtoul(at, NULL, 10);
    if (start && start < end) {
        guest->environment = (char *)start; // NOLINT(performance-no-int-to-ptr)
        guest->environment_size = end - start;
    }
}

static struct wrap_crun_guest *open_guest(const struct wrap_crun_config *config, char *why)
{
    struct wrap_error error = {0};
    struct wrap_crun_guest *guest = calloc(1, sizeof *guest);
    bool good = guest && wrap_crun_borrow();
    if (!good) wrap_fail(&error, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    good = good && (!config->status[0] || read_bundle(config->status, guest->bundle, &error)) &&
           wrap_spec_load(config->path, &guest->spec, &error);
    if (!good) {
        give(&error, why);
        free(guest);
        return NULL;
    }
    find_environment(guest);
    guest->landlock = wrap_landlock_version() > 0;
    return guest;
}

static void close_guest(struct wrap_crun_guest *guest)
{
    if (!guest) return;
    wrap_spec_free(guest->spec);
    free(guest);
}

static int open_root(const struct wrap_crun_guest *guest)
{
    int bundle =
        guest->bundle[0] ? open(guest->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC) : AT_FDCWD;
    if (guest->bundle[0] && bundle < 0) return -1;
    int root = openat(bundle, guest->spec->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (bundle >= 0) close(bundle);
    return root;
}

/* What cannot be seen yet, in a volume say, goes by its name. */
static bool looks_like_wasm(const struct wrap_crun_guest *guest)
{
    struct wrap_entry entry;
    struct wrap_error ignored = {0};
    int module = -1;
    int root = open_root(guest);
    bool wasm = false;
    if (wrap_entry_parse(&guest->spec->process, &entry, &ignored)) {
        size_t length = strlen(entry.path);
        if (root >= 0 && wrap_entry_open(root, &guest->spec->process, &entry, &module, &ignored)) {
            wasm = wrap_entry_look(module) == WRAP_KIND_WASM;
            close(module);
        } else {
            wasm = length > 5 && strcmp(entry.path + length - 5, ".wasm") == 0;
        }
        wrap_entry_fini(&entry);
    }
    if (root >= 0) close(root);
    return wasm;
}

static bool has_annotation(const struct wrap_spec *spec)
{
    const char *handler = wrap_spec_annotation(spec, "run.oci.handler");
    return wrap_spec_annotation(spec, "module.wasm.image/variant") ||
           (handler && strcmp(handler, "wasm-smart") == 0);
}

static int selects(const struct wrap_crun_guest *guest, char *why)
{
    struct wrap_error error = {0};
    enum wrap_kind kind;
    if (!guest->spec->has_process || !has_annotation(guest->spec)) return 0;
    if (!wrap_kind_of(guest->spec, &kind, &error)) {
        give(&error, why);
        return -1;
    }
    return kind == WRAP_KIND_WASM || (kind == WRAP_KIND_LOOK && looks_like_wasm(guest));
}

/* ---------------------------------------------------------------- in the container */

static _Noreturn void fail(const struct wrap_error *error)
{
    wrap_say("%s", error->text);
    _exit(error->code == WRAP_NOT_FOUND ? WRAP_EXIT_NOT_FOUND : WRAP_EXIT_INVALID);
}

static size_t count_of(char *const *items)
{
    size_t count = 0;
    while (items[count]) count++;
    return count;
}

/* The process as crun has made it: words, environment and folder are crun's word. */
static void process_now(struct wrap_process *out, char *const argv[], char cwd[PATH_MAX])
{
    out->args = (struct wrap_strings){(const char **)(void *)argv, count_of(argv)};
    out->env = (struct wrap_strings){(const char **)environ, environ ? count_of(environ) : 0};
    out->cwd = getcwd(cwd, PATH_MAX) && cwd[0] == '/' ? cwd : "/";
}

static int open_entry(const struct wrap_process *process, struct wrap_error *err)
{
    struct wrap_entry entry;
    int module = -1;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        wrap_fail_errno(err, errno, "/");
        return -1;
    }
    if (wrap_entry_parse(process, &entry, err)) {
        (void)wrap_entry_open(root, process, &entry, &module, err);
        wrap_entry_fini(&entry);
    }
    close(root);
    return module;
}

/* crun was told by its name or by compat-smart to ask us, and it is a Linux program. */
static _Noreturn void execute(const char *path, char *const argv[])
{
    struct wrap_error error = {0};
    execv(path, argv);
    wrap_fail_errno(&error, errno, "exec of %.200s", path);
    fail(&error);
}

static void run(const struct wrap_crun_guest *guest, const char *path, char *const argv[],
                bool first)
{
    char cwd[PATH_MAX];
    struct wrap_error error = {0};
    struct wrap_process process = guest->spec->process;
    enum wrap_kind kind;
    (void)wrap_crun_borrow(); /* crun has made another environment */
    if (!wrap_kind_of(guest->spec, &kind, &error)) fail(&error);
    process_now(&process, argv, cwd);
    /* Whoever is beside the guest in its container could read crun's own in /proc/1/environ. */
    if (guest->environment) memset(guest->environment, 0, guest->environment_size);
    int module = open_entry(&process, &error);
    bool wasm = module >= 0 && wrap_entry_look(module) == WRAP_KIND_WASM;
    if (!wasm && kind != WRAP_KIND_WASM) execute(path, argv);
    if (module < 0) fail(&error);
    if (!wasm && !first) {
        wrap_fail(&error, WRAP_FAILED_PRECONDITION,
                  "exec of %.200s: a Linux program in a Wasm container", argv[0]);
        fail(&error);
    }
    const struct wrap_inside inside = {
        .spec = guest->spec,
        .process = &process,
        .module = module,
        .landlock = guest->landlock,
    };
    wrap_inside_run(&inside);
}

/* The only symbol of the file. */
extern const struct wrap_crun_engine wrap_crun_engine;
__attribute__((visibility("default"))) const struct wrap_crun_engine wrap_crun_engine = {
    .interface = WRAP_CRUN_INTERFACE,
    .open = open_guest,
    .selects = selects,
    .run = run,
    .close = close_guest,
};
