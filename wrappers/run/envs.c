/* SPDX-License-Identifier: Apache-2.0 */
/* envs.c - what the guest's environment is made of: --env, --env-inherit, --env-file. */
#include "run/options.h"

#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool wrap_env_add(struct wrap_run_options *run, const char *option, const char *value)
{
    if (!value[0] || value[0] == '=') {
        wrap_say("--%s '%s': no name before the '='", option, value);
        return false;
    }
    if (strchr(value, '=')) {
        return wrap_list_add(&run->envs, &run->env_count, value);
    }
    const char *host = getenv(value);
    if (!host) {
        return true;
    }
    char *text = NULL;
    if (asprintf(&text, "%s=%s", value, host) < 0) {
        wrap_say("out of memory");
        return false;
    }
    bool good = wrap_list_add(&run->envs, &run->env_count, text);
    free(text);
    return good;
}

bool wrap_env_inherit(struct wrap_run_options *run)
{
    for (char **at = environ; at && *at; at++) {
        bool named = (*at)[0] != '=' && strchr(*at, '=');
        if (named && !wrap_list_add(&run->envs, &run->env_count, *at)) {
            return false;
        }
    }
    return true;
}

/* A line without what ends it, also when that is "\r\n". */
static void cut_end(char *line)
{
    size_t length = strlen(line);
    if (length && line[length - 1] == '\r') {
        line[length - 1] = 0;
    }
}

bool wrap_env_file(struct wrap_run_options *run, const char *path)
{
    enum { FILE_MAX = 1 << 20 }; /* what a guest's environment may have */
    size_t size = 0;
    char *text = wrap_file_read("env-file", path, FILE_MAX, &size);
    if (!text) {
        return false;
    }
    bool good = strlen(text) == size;
    if (!good) {
        wrap_say("--env-file: %s: has a NUL byte", path);
    }
    unsigned number = 0;
    char *rest = text;
    for (char *line = NULL; good && (line = strsep(&rest, "\n"));) {
        number++;
        cut_end(line);
        if (!line[0] || line[0] == '#') {
            continue;
        }
        char name[32];
        snprintf(name, sizeof name, "env-file: line %u:", number);
        good = wrap_env_add(run, name, line);
    }
    free(text);
    return good;
}
