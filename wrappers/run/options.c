/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - lists that options fill, small files that they name. */
#include "run/options.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *wrap_list_grow(void *list, size_t count, size_t size)
{
    if (count & (count - 1)) {
        return list; /* between powers of two there is room */
    }
    void *grown = realloc(list, (count ? count * 2 : 1) * size);
    if (!grown) {
        wrap_say("out of memory");
    }
    return grown;
}

bool wrap_list_add(char ***list, size_t *count, const char *word)
{
    char **grown = wrap_list_grow(*list, *count, sizeof grown[0]);
    if (!grown) {
        return false;
    }
    *list = grown;
    grown[*count] = strdup(word);
    if (!grown[*count]) {
        wrap_say("out of memory");
        return false;
    }
    (*count)++;
    return true;
}

void wrap_list_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
}

void wrap_options_free(struct wrap_run_options *run)
{
    for (size_t i = 0; i < run->dir_count; i++) {
        free(run->dirs[i].host);
        free(run->dirs[i].guest);
    }
    free(run->dirs);
    for (size_t i = 0; i < run->preload_count; i++) {
        free(run->preloads[i].name);
    }
    free(run->preloads);
    wrap_list_free(run->envs, run->env_count);
    wrap_list_free(run->args, run->arg_count);
    wrap_configs_free(run->configs);
}

bool wrap_preload_add(struct wrap_run_options *run, const char *value)
{
    enum { PRELOADS_MAX = 1000 };
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || !equals[1]) {
        wrap_say("--preload '%s' is not NAME=FILE", value);
        return false;
    }
    if (run->preload_count == PRELOADS_MAX) {
        wrap_say("--preload: more than %d modules", PRELOADS_MAX);
        return false;
    }
    struct wrap_preload *grown = wrap_list_grow(run->preloads, run->preload_count, sizeof grown[0]);
    if (!grown) {
        return false;
    }
    run->preloads = grown;
    struct wrap_preload one = {.name = strdup(value)};
    if (!one.name) {
        wrap_say("out of memory");
        return false;
    }
    one.name[equals - value] = 0;
    one.file = one.name + (equals - value) + 1;
    run->preloads[run->preload_count++] = one;
    return true;
}

/* ---------------------------------------------------------------- small files */

/* Bytes read, or `cap` + 1 when there are more, or -1. */
static ssize_t read_up_to(int fd, char *buf, size_t cap)
{
    size_t size = 0;
    while (size <= cap) {
        ssize_t got = read(fd, buf + size, cap + 1 - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        size += (size_t)got;
    }
    return (ssize_t)size;
}

char *wrap_file_read(const char *option, const char *path, size_t cap, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        wrap_say("--%s: %s: %s", option, path, strerror(errno));
        return NULL;
    }
    char *buf = malloc(cap + 2);
    ssize_t got = buf ? read_up_to(fd, buf, cap) : -1;
    int problem = errno;
    close(fd);
    if (got >= 0 && (size_t)got <= cap) {
        buf[got] = 0;
        *size = (size_t)got;
        return buf;
    }
    if (got >= 0) {
        wrap_say("--%s: %s: larger than %zu KiB", option, path, cap / 1024);
    } else {
        wrap_say("--%s: %s: %s", option, path, buf ? strerror(problem) : "out of memory");
    }
    free(buf);
    return NULL;
}
