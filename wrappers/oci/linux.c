/* SPDX-License-Identifier: Apache-2.0 */
/* linux.c - becoming runc or crun, for containers that are not ours. */
#include "common/delegate.h"
#include "common/text.h"
#include "oci/oci.h"
#include "oci/state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* We may be installed under their names as well. */
static bool is_ourselves(const char *path)
{
    struct stat own;
    struct stat other;
    return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 &&
           own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

bool wrap_oci_linux_runtime(char *out, size_t size, struct wrap_error *err)
{
    const char *wanted = getenv(WRAP_OCI_LINUX_VARIABLE);
    wanted = wanted ? wanted : "";
    if (!wrap_delegate_find(wanted, out, size, err)) {
        return false;
    }
    if (is_ourselves(out) &&
        (wanted[0] || !wrap_delegate_find("crun", out, size, err) || is_ourselves(out))) {
        return wrap_fail(err, WRAP_NOT_FOUND,
                         "the runtime of Linux containers, %.200s, is this program", out);
    }
    return true;
}

int wrap_oci_pass_on(const char *id)
{
    char path[PATH_MAX];
    struct wrap_error err = {0};
    char **argv = wrap_oci_globals()->argv;
    if (!wrap_oci_linux_runtime(path, sizeof path, &err)) {
        if (id) {
            wrap_say("container %s does not exist", id);
            return WRAP_OCI_FAILED;
        }
        return wrap_oci_complain(&err);
    }
    argv[0] = path;
    execv(path, argv);
    wrap_fail_errno(&err, errno, "%s", path);
    return wrap_oci_complain(&err);
}

bool wrap_oci_find(const char *id, enum wrap_oci_access access, struct wrap_oci_state_doc *out,
                   int *code)
{
    struct wrap_error err = {0};
    if (wrap_oci_state_open(wrap_oci_globals()->root, id, access, out, &err)) {
        return true;
    }
    *code = err.code == WRAP_NOT_FOUND ? wrap_oci_pass_on(id) : wrap_oci_complain(&err);
    return false;
}

bool wrap_oci_find_named(const struct wrap_command *self, int argc, char **argv,
                         enum wrap_oci_access access, struct wrap_oci_state_doc *out, int *code)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int at = wrap_oci_parse(&opts, NULL, NULL, words, code);
    return at >= 0 && wrap_oci_find(argv[at], access, out, code);
}

int wrap_oci_pass_on_delete(const char *id, bool force)
{
    char path[PATH_MAX];
    if (force && !wrap_oci_linux_runtime(path, sizeof path, NULL)) {
        return 0; /* absent is fine */
    }
    return wrap_oci_pass_on(id);
}
