/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs.c - the three ways to name a host directory and what the guest calls it. Each has an order
 * of its own, as in the tools it comes from; none guesses.
 */
#include "run/options.h"

#include "common/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const option_names[] = {"dir", "mapdir", "volume"};

/* Cuts ":ro" off the end. */
static bool cut_read_only(char *text)
{
    size_t length = strlen(text);
    if (length < 3 || strcmp(text + length - 3, ":ro") != 0) {
        return false;
    }
    text[length - 3] = 0;
    return true;
}

/* What stands before and behind `separator`, in `text` itself; `*behind` NULL: there is none. */
static void split(char *text, const char *separator, char **behind)
{
    *behind = strstr(text, separator);
    if (*behind) {
        **behind = 0;
        *behind += strlen(separator);
    }
}

static const char *split_dir(char *text, struct wrap_dir *out)
{
    char *behind = NULL;
    split(text, "::", &behind); /* first, so that "HOST::ro" has a guest named "ro" */
    out->read_only = cut_read_only(behind ? behind : text);
    out->host = strdup(text);
    out->guest = strdup(behind ? behind : text);
    return NULL;
}

static const char *split_mapdir(char *text, struct wrap_dir *out)
{
    char *behind = NULL;
    split(text, "::", &behind);
    if (!behind) {
        return "is not GUEST::HOST (--dir takes HOST::GUEST, --volume HOST:GUEST)";
    }
    out->guest = strdup(text);
    out->host = strdup(behind);
    return NULL;
}

static const char *split_volume(char *text, struct wrap_dir *out)
{
    char *behind = NULL;
    char *more = NULL;
    if (strstr(text, "::")) {
        return "has two colons in a row: it is HOST:GUEST[:ro] (--dir takes HOST::GUEST)";
    }
    split(text, ":", &behind);
    if (!behind) {
        return "is not HOST:GUEST[:ro]";
    }
    split(behind, ":", &more);
    if (more && strcmp(more, "ro") != 0 && strcmp(more, "rw") != 0) {
        return "has something else than ro or rw behind HOST:GUEST:";
    }
    out->host = strdup(text);
    out->guest = strdup(behind);
    out->read_only = more && more[1] == 'o';
    return NULL;
}

bool wrap_dir_parse(enum wrap_dir_form form, const char *value, struct wrap_dir *out)
{
    static const char *(*const forms[])(char *, struct wrap_dir *) = {
        [WRAP_DIR] = split_dir, [WRAP_MAPDIR] = split_mapdir, [WRAP_VOLUME] = split_volume};
    *out = (struct wrap_dir){0};
    char *text = strdup(value);
    if (!text) {
        wrap_say("out of memory");
        return false;
    }
    const char *wrong = forms[form](text, out);
    free(text);
    const char *name = option_names[form];
    if (wrong) {
        wrap_say("--%s '%s' %s", name, value, wrong);
    } else if (!out->host || !out->guest) {
        wrap_say("out of memory");
    } else if (!out->host[0] || !out->guest[0]) {
        wrap_say("--%s '%s': host '%s' and guest '%s' must not be empty", name, value, out->host,
                 out->guest);
    } else {
        return true;
    }
    free(out->host);
    free(out->guest);
    *out = (struct wrap_dir){0};
    return false;
}

bool wrap_dir_add(struct wrap_run_options *run, enum wrap_dir_form form, const char *value)
{
    struct wrap_dir *dirs = wrap_list_grow(run->dirs, run->dir_count, sizeof run->dirs[0]);
    if (!dirs) {
        return false;
    }
    run->dirs = dirs;
    if (!wrap_dir_parse(form, value, &dirs[run->dir_count])) {
        return false;
    }
    run->dir_count++;
    return true;
}

/* ---------------------------------------------------------------- --cwd */

/* Names without what says nothing: "./a", "/a/" and "a" are "a"; "." and "/" are "". */
static const char *plain(const char *name, size_t *length)
{
    for (;;) {
        if (name[0] == '/') {
            name++;
        } else if (name[0] == '.' && (name[1] == '/' || !name[1])) {
            name += name[1] ? 2 : 1;
        } else {
            break;
        }
    }
    *length = strlen(name);
    while (*length && name[*length - 1] == '/') {
        (*length)--;
    }
    return name;
}

/* What of `guest` lies behind the directory named `name`; NULL: nothing does. */
static const char *behind(const char *name, const char *guest, size_t *covered)
{
    size_t guest_len = 0;
    const char *base = plain(name, covered);
    guest = plain(guest, &guest_len);
    if (guest_len < *covered || memcmp(base, guest, *covered) != 0) {
        return NULL;
    }
    bool whole = !*covered || guest_len == *covered || guest[*covered] == '/';
    return whole ? guest + *covered : NULL;
}

/* `host`/`rest` without symbolic links; NULL when there is none or it is not beneath `host`. */
static char *resolve(const char *host, const char *rest)
{
    char *base = realpath(host, NULL);
    size_t length = base ? strlen(base) : 0;
    char *joined = base ? malloc(length + strlen(rest) + 2) : NULL;
    char *path = NULL;
    if (joined) {
        strcat(strcat(strcpy(joined, base), "/"), rest);
        path = realpath(joined, NULL);
    }
    bool beneath = path && strncmp(path, base, length) == 0 &&
                   (!path[length] || path[length] == '/' || length == 1);
    if (path && !beneath) {
        errno = EXDEV;
        free(path);
        path = NULL;
    }
    free(joined);
    free(base);
    return path;
}

char *wrap_dir_locate(const struct wrap_run_options *run, const char *guest, size_t *out)
{
    const char *rest = NULL;
    size_t most = 0;
    for (size_t i = 0; i < run->dir_count; i++) {
        size_t covered = 0;
        const char *found = behind(run->dirs[i].guest, guest, &covered);
        if (found && (!rest || covered >= most)) {
            rest = found;
            most = covered;
            *out = i;
        }
    }
    if (!rest) {
        wrap_say("--cwd '%s': no directory given to the guest has it beneath it", guest);
        return NULL;
    }
    char *path = resolve(run->dirs[*out].host, rest);
    if (!path) {
        wrap_say("--cwd '%s': %s beneath host '%s', guest '%s'", guest, strerror(errno),
                 run->dirs[*out].host, run->dirs[*out].guest);
    }
    return path;
}
