/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_spec.c - `spec`: writes a config.json to begin with, for a module in rootfs/. */
#include "common/error.h"
#include "oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_BUNDLE = 1, OPT_ROOTLESS };

// clang-format off
static const struct wrap_option options[] = {
    {"bundle",   'b', "DIR", OPT_BUNDLE,   "where it is written (the current folder)"},
    {"rootless", 0,   NULL,  OPT_ROOTLESS, "refused: a container is made by root"},
};
// clang-format on

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    if (id == OPT_ROOTLESS) {
        return wrap_fail(err, WRAP_UNIMPLEMENTED,
                         "spec --rootless: containers of users are not supported");
    }
    *(const char **)out = value;
    return true;
}

/* What a guest has a use for; proc, sysfs and their like are not there for it. */
static json_t *document(void)
{
    static const char *const spaces[] = {"pid", "network", "ipc", "uts", "mount", "cgroup"};
    json_t *namespaces = json_array();
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        json_array_append_new(namespaces, json_pack("{s:s}", "type", spaces[i]));
    }
    json_t *process = json_pack("{s:b, s:{s:i, s:i}, s:[s], s:[s], s:s, s:b, s:[{s:s, s:i, s:i}]}",
                                "terminal", 0, "user", "uid", 0, "gid", 0, "args", "/main.wasm",
                                "env", "PATH=/", "cwd", "/", "noNewPrivileges", 1, "rlimits",
                                "type", "RLIMIT_NOFILE", "hard", 1024, "soft", 1024);
    json_t *tmp =
        json_pack("{s:s, s:s, s:s, s:[s, s, s, s]}", "destination", "/tmp", "type", "tmpfs",
                  "source", "tmpfs", "options", "nosuid", "nodev", "mode=1777", "size=65536k");
    return json_pack("{s:s, s:o, s:{s:s, s:b}, s:s, s:[o], s:{s:s}, s:{s:o}}", "ociVersion",
                     "1.0.2", "process", process, "root", "path", "rootfs", "readonly", 1,
                     "hostname", "wasm", "mounts", tmp, "annotations", "module.wasm.image/variant",
                     "compat", "linux", "namespaces", namespaces);
}

static bool write_new(const char *path, const char *text, struct wrap_error *err)
{
    size_t size = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool good = fd >= 0 && write(fd, text, size) == (ssize_t)size && write(fd, "\n", 1) == 1;
    if (!good) {
        wrap_fail_errno(err, errno, "%s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {0, 0};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_error err = {0};
    const char *bundle = ".";
    char path[PATH_MAX];
    int code = 0;
    if (wrap_oci_parse(&opts, take, &bundle, words, &code) < 0) {
        return code;
    }
    json_t *doc = document();
    char *text = doc ? json_dumps(doc, JSON_INDENT(4)) : NULL;
    bool good = text && (size_t)snprintf(path, sizeof path, "%s/config.json", bundle) < sizeof path;
    good = good ? write_new(path, text, &err)
                : wrap_fail(&err, WRAP_INVALID_ARGUMENT, "spec: path too long, or out of memory");
    free(text);
    json_decref(doc);
    return good ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_spec = {
    .name = "spec",
    .usage = WRAP_OCI_PROGRAM " spec [OPTIONS]",
    .summary = "Writes a config.json for rootfs/main.wasm.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
