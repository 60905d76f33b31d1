/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handler.c - wasmrun.so, the handler that crun opens at every start, also of containers that are
 * none of ours. So it is small, needs libc alone, does nothing when it is opened, and reads a file
 * at most when it is asked. What a guest needs is in crun-engine.so: see engine.h.
 */
#include "crun/engine.h"
#include "crun/vtable.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The container of this process: crun has one, and one thread. The cookie. */
static struct choice {
    bool made; /* by can_handle_container, for the load that follows */
    bool begins; /* create or run */
    struct wrap_crun_guest *guest; /* NULL: `why` says it */
    char why[WRAP_CRUN_TEXT];
} choice;
static const struct wrap_crun_engine *engine;

/* For crun, which prints it where its errors go. Always -1. */
static int fail(struct crun_error **err, const char *text)
{
    struct crun_error *made = calloc(1, sizeof *made);
    if (made) made->text = strdup(text);
    if (!made || !made->text) { /* crun would read it without a look */
        fprintf(stderr, "wasmrun: %s\n", text);
        _exit(EXIT_FAILURE);
    }
    *err = made;
    return -1;
}

/* ---------------------------------------------------------------- which container */

static bool find_config(struct wrap_crun_config *out)
{
    enum { LINE = 1 << 16 };
    static char line[LINE]; /* crun's words come first, those of an exec are of no interest */
    size_t size = 0;
    ssize_t got = -1;
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && size < LINE - 1 && (got = read(fd, line + size, LINE - 1 - size)) > 0) {
        size += (size_t)got;
    }
    if (fd >= 0) close(fd);
    if (size && line[size - 1]) line[size++] = '\0';
    return wrap_crun_config_find(line, size, getenv("XDG_RUNTIME_DIR"), out);
}

/* ---------------------------------------------------------------- the engine */

/* Beside the folder that this file is in. */
static bool engine_path(char out[PATH_MAX], char *why)
{
    Dl_info self;
    char here[PATH_MAX];
    /* Not by its link, which may point from one folder of handlers to another. */
    if (!dladdr((void *)&engine, &self) || !realpath(self.dli_fname, here)) {
        snprintf(why, WRAP_CRUN_TEXT, "wasmrun: can't tell where wasmrun.so is");
        return false;
    }
    int length = snprintf(out, PATH_MAX, "%s%s", dirname(here), WRAP_CRUN_FILE);
    if (length < PATH_MAX) return true;
    snprintf(why, WRAP_CRUN_TEXT, "wasmrun: the path of wasmrun.so is too long");
    return false;
}

static bool open_engine(char *why)
{
    char path[PATH_MAX];
    if (engine) return true;
    if (!engine_path(path, why)) return false;
    /* All is resolved now: in the container there is nothing to resolve it with. */
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!file) {
        snprintf(why, WRAP_CRUN_TEXT, "wasmrun: the engine can't be opened: %s", dlerror());
        return false;
    }
    const struct wrap_crun_engine *found = dlsym(file, WRAP_CRUN_SYMBOL);
    if (!found || found->interface != WRAP_CRUN_INTERFACE) {
        snprintf(why, WRAP_CRUN_TEXT, "wasmrun: %.500s belongs to another version of wasmrun.so",
                 path);
        return false;
    }
    engine = found;
    return true;
}

/* ---------------------------------------------------------------- the vtable */

/* Fills the choice. */
static void choose(const struct wrap_crun_config *config)
{
    choice.begins = !config->status[0];
    if (open_engine(choice.why)) choice.guest = engine->open(config, choice.why);
}

/*
 * Asked at each create, run, exec and update of a container that names no handler. Most have
 * nothing to do with us, so bytes are looked for first: some microseconds for a file that is in the
 * cache since crun has just read it, no parser, and the engine stays closed. A match in some other
 * string costs time, nothing else: the annotations decide.
 */
static int can_handle(void *container, struct crun_error **err)
{
    struct wrap_crun_config config;
    (void)container;
    (void)err;
    if (!find_config(&config) || !wrap_crun_config_mentions_us(config.path)) return 0;
    choose(&config);
    int answer = choice.guest ? engine->selects(choice.guest, choice.why) : -1;
    if (answer <= 0 && choice.guest) {
        engine->close(choice.guest);
        choice.guest = NULL;
    }
    choice.made = answer != 0; /* what went wrong is said by load or later */
    return choice.made;
}

static int load(void **cookie, struct crun_error **err)
{
    struct wrap_crun_config config;
    if (!choice.made && !find_config(&config)) {
        return fail(err, "wasmrun: the command line names no container");
    }
    if (!choice.made) choose(&config);
    /* crun 1.8.1 has made a control group by now, which it leaves when a handler can't be loaded on
     * cgroup v2, and removes when one fails later. */
    if (!choice.guest && !choice.begins) return fail(err, choice.why);
    *cookie = &choice;
    return 0;
}

static int configure(void *cookie, int phase, void *context, void *container, const char *rootfs,
                     struct crun_error **err)
{
    (void)cookie;
    (void)context;
    (void)container;
    (void)rootfs;
    return phase == CRUN_BEFORE_MOUNTS && !choice.guest ? fail(err, choice.why) : 0;
}

static int unload(void *cookie, struct crun_error **err)
{
    (void)err;
    if (cookie && choice.guest) engine->close(choice.guest);
    choice = (struct choice){0};
    return 0;
}

static int run(const char *path, char *const argv[], bool first)
{
    if (choice.guest) engine->run(choice.guest, path, argv, first);
    fprintf(stderr, "%s\n", choice.why);
    return -1;
}

static int run_first(void *cookie, void *container, const char *path, char *const argv[])
{
    (void)cookie;
    (void)container;
    return run(path, argv, true);
}

static int run_another(void *cookie, void *container, const char *path, char *const argv[])
{
    (void)cookie;
    (void)container;
    return run(path, argv, false);
}

static struct crun_handler handler = {
    .name = "wasmrun",
    .feature = "WASM:wasmrun",
    .alias = "wasm",
    .load = load,
    .unload = unload,
    .run_func = run_first,
    .exec_func = run_another,
    .configure_container = configure,
    .can_handle_container = can_handle,
};

__attribute__((visibility("default"))) struct crun_handler *run_oci_handler_get_handler(void)
{
    return &handler;
}
