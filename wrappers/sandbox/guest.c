/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest.c - from the specification to a program that is loaded and locked in: which directories it
 * sees, what Landlock leaves it, in which order the locks close.
 */
#include "sandbox/child.h"

#include "common/program.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool wrap_guest_find(struct wrap_setup *setup, enum wrap_kind *kind, struct wrap_error *err)
{
    struct wrap_entry entry;
    if (setup->module >= 0) close(setup->module);
    setup->module = -1;
    if (!wrap_entry_parse(setup->process, &entry, err)) return false;
    bool found = wrap_entry_open(setup->root, setup->process, &entry, &setup->module, err);
    wrap_entry_fini(&entry);
    if (found) *kind = wrap_entry_look(setup->module);
    return found;
}

/* ---------------------------------------------------------------- what it sees */

/* A mount as the guest finds it. */
struct seen {
    const char *path;
    bool directory;
    bool read_only;
};
struct wrap_guest_view {
    struct seen *items; /* [0] is the root */
    size_t count;
};

static bool is_read_only(const struct wrap_spec_mount *mount)
{
    bool out = false;
    for (size_t i = 0; i < mount->options.count; i++) {
        const char *option = mount->options.items[i];
        if (strcmp(option, "ro") == 0 || strcmp(option, "rro") == 0) out = true;
        if (strcmp(option, "rw") == 0) out = false;
    }
    return out;
}

/* Those that the guest's user can open; what it can't is of no use to it, as in Linux. */
static bool view_make(const struct wrap_spec *spec, struct wrap_guest_view *out)
{
    out->items = calloc(spec->mount_count + 1, sizeof out->items[0]);
    if (!out->items) return false;
    out->items[0] = (struct seen){"/", true, spec->root_readonly};
    out->count = 1;
    for (size_t i = 0; i < spec->mount_count; i++) {
        const struct wrap_spec_mount *mount = &spec->mounts[i];
        struct stat st;
        if (wrap_mount_skipped(mount)) continue;
        int fd = open(mount->destination, O_PATH | O_CLOEXEC);
        if (fd < 0) continue;
        if (fstat(fd, &st) == 0) {
            out->items[out->count++] =
                (struct seen){mount->destination, S_ISDIR(st.st_mode), is_read_only(mount)};
        }
        close(fd);
    }
    return true;
}

static bool encloses(const char *outer, const char *inner)
{
    size_t length = strlen(outer);
    while (length > 0 && outer[length - 1] == '/') length--;
    return strncmp(outer, inner, length) == 0 && (inner[length] == '/' || inner[length] == '\0');
}

/* The one that `items[index]` lies in: the nearest. */
static struct seen *encloser(const struct wrap_guest_view *view, size_t index)
{
    struct seen *best = &view->items[0];
    for (size_t i = 1; i < view->count; i++) {
        struct seen *item = &view->items[i];
        if (i != index && item->directory && strlen(item->path) > strlen(best->path) &&
            encloses(item->path, view->items[index].path)) {
            best = item;
        }
    }
    return best;
}

/* WASI's own rights of a directory have to allow what any file mounted in it does; the kernel knows
 * the difference. */
static void soften(struct wrap_guest_view *view)
{
    for (size_t i = 1; i < view->count; i++) {
        if (!view->items[i].directory && !view->items[i].read_only) {
            encloser(view, i)->read_only = false;
        }
    }
}

/* "/", and what differs from what it lies in. */
static size_t choose_preopens(const struct wrap_guest_view *view, struct wrap_preopen *out)
{
    size_t count = 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct seen *item = &view->items[i];
        if (!item->directory || (i > 0 && item->read_only == encloser(view, i)->read_only))
            continue;
        int fd = open(item->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) continue;
        close(fd);
        out[count++] = (struct wrap_preopen){item->path, item->path, item->read_only};
    }
    return count;
}

/* ---------------------------------------------------------------- its last words */

/* A file of the host, mounted in the container: before the root is changed that is its source. */
void wrap_guest_open_termination(struct wrap_setup *setup)
{
    const struct wrap_spec *spec = setup->spec;
    const char *path = wrap_spec_annotation(spec, "io.kubernetes.container.terminationMessagePath");
    for (size_t i = 0; i < spec->mount_count && setup->termination < 0; i++) {
        const struct wrap_spec_mount *mount = &spec->mounts[i];
        struct stat st;
        if (strcmp(mount->destination, path ? path : "/dev/termination-log") != 0 ||
            !wrap_mount_is_bind(mount) || wrap_mount_has(mount, "ro")) {
            continue;
        }
        const char *file = setup->inside ? mount->destination : mount->source;
        int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0) continue;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
            setup->termination = fd;
        } else {
            close(fd);
        }
    }
}

void wrap_guest_last_words(const struct wrap_setup *setup, const struct wrap_error *why)
{
    if (setup->termination >= 0 && why->code != WRAP_OK) {
        (void)!write(setup->termination, why->text, strlen(why->text));
    }
}

/* ---------------------------------------------------------------- locks */

static bool lock(struct wrap_setup *setup, const struct wrap_guest_view *view,
                 struct wrap_error *err)
{
    struct wrap_program_net net;
    struct wrap_sandbox_result *result = &setup->locks;
    if (!wrap_program_net_of(setup->spec, &net, err)) return false;
    struct wrap_sandbox_path *paths = calloc(view->count, sizeof paths[0]);
    if (!paths) return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    size_t count = 0;
    for (size_t i = 0; i < view->count; i++) {
        /* A rule allows; one that is read-only in a writable one would change nothing. */
        if (i > 0 && view->items[i].read_only) continue;
        paths[count++] = (struct wrap_sandbox_path){view->items[i].path, view->items[i].read_only};
    }
    const struct wrap_sandbox sandbox = {
        .mode = WRAP_SANDBOX_AUTO, /* of what may be missing only Landlock may */
        .paths = paths,
        .path_count = count,
        .network = net.unixes               ? WRAP_SANDBOX_UNIX
                   : net.any || net.resolve ? WRAP_SANDBOX_INET
                                            : WRAP_SANDBOX_NO_NET,
        .resolve = net.resolve,
        .profile = setup->profile.length ? &setup->profile : NULL,
    };
    bool good = wrap_sandbox_apply(&sandbox, result);
    free(paths);
    return (good && (result->seccomp || setup->inside)) ||
           wrap_fail(err, WRAP_FAILED_PRECONDITION, "sandbox: %s", result->missing);
}

/* ---------------------------------------------------------------- loading */

/* `out` and *made are the caller's; NAME=VALUE made of a trace context. */
static bool add_env(struct wrap_strings *out, const char *name, const char *value)
{
    char *row = NULL;
    if (!value) return true;
    if (asprintf(&row, "%s=%s", name, value) < 0) return false;
    out->items[out->count++] = row;
    return true;
}

static bool load(const struct wrap_setup *setup, const struct wrap_guest_view *view,
                 struct wrap_program **out, struct wrap_error *err)
{
    const struct wrap_process *process = setup->process;
    struct wrap_entry entry;
    if (!wrap_entry_parse(process, &entry, err)) return false;
    struct wrap_preopen *preopens = calloc(view->count, sizeof preopens[0]);
    struct wrap_strings env = {calloc(process->env.count + 2, sizeof env.items[0]), 0};
    bool good = preopens && env.items;
    for (size_t i = 0; good && i < process->env.count; i++) {
        env.items[env.count++] = process->env.items[i];
    }
    good = good && (setup->inside || (add_env(&env, "TRACEPARENT", setup->config->traceparent) &&
                                      add_env(&env, "TRACESTATE", setup->config->tracestate)));
    if (!good) return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    const struct wrap_program_config config = {
        .module_fd = setup->module,
        .name = entry.path,
        .func = entry.func,
        .args = process->args,
        .env = env,
        .cwd = process->cwd,
        .preopens = preopens,
        .preopen_count = choose_preopens(view, preopens),
        .procfs = setup->inside, /* else there is none: wrap_rootfs_enter */
        .spec = setup->spec,
        .usage = setup->usage,
    };
    /* What is made here lives as long as the process. */
    return wrap_program_load(&config, out, err);
}

bool wrap_guest_lock(struct wrap_setup *setup, struct wrap_guest_view **out, struct wrap_error *err)
{
    struct wrap_guest_view *view = calloc(1, sizeof *view);
    if (!view || !view_make(setup->spec, view)) {
        free(view);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    }
    *out = view;
    return lock(setup, view, err);
}

bool wrap_guest_load(const struct wrap_setup *setup, struct wrap_guest_view *view,
                     struct wrap_program **out, struct wrap_error *err)
{
    soften(view); /* Landlock has seen what is true */
    bool good = load(setup, view, out, err);
    free(view->items);
    free(view);
    return good;
}
