/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_list.c - `list`: our containers below --root, and those of the Linux runtime. */
#include "common/text.h"
#include "oci/oci.h"
#include "oci/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OPT_FORMAT = 1, OPT_QUIET };

// clang-format off
static const struct wrap_option options[] = {
    {"format", 'f', "table|json", OPT_FORMAT, "how it is printed (table)"},
    {"quiet",  'q', NULL,         OPT_QUIET,  "names only"},
};
// clang-format on

struct list {
    bool json, quiet;
};

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    struct list *list = out;
    if (id == OPT_QUIET) {
        list->quiet = true;
        return true;
    }
    list->json = strcmp(value, "json") == 0;
    return list->json || strcmp(value, "table") == 0 ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT,
                     "option '--format': '%.60s' is neither table nor "
                     "json",
                     value);
}

static void add_ours(json_t *rows)
{
    const char *root = wrap_oci_globals()->root;
    DIR *folder = opendir(root);
    for (const struct dirent *row; folder && (row = readdir(folder)) != NULL;) {
        struct wrap_oci_state_doc state;
        struct wrap_error err = {0};
        if (!wrap_oci_id_check(row->d_name, NULL)) continue;
        if (!wrap_oci_state_open(root, row->d_name, WRAP_OCI_READ, &state, &err)) {
            if (err.code != WRAP_NOT_FOUND) wrap_say("%s", err.text); /* and on with the others */
            continue;
        }
        const char *status = wrap_oci_status_name(wrap_oci_status_of(&state));
        json_array_append_new(rows, wrap_oci_state_json(&state, status));
        wrap_oci_state_close(&state);
    }
    if (folder) {
        closedir(folder);
    }
}

/* ---------------------------------------------------------------- the other runtime's */

/* What a program prints, parsed; NULL: nothing that is JSON. */
static json_t *output_of(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = 0;
    json_t *out = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return NULL;
    }
    bool good = posix_spawn_file_actions_init(&actions) == 0;
    good = good && posix_spawn_file_actions_adddup2(&actions, ends[1], 1) == 0 &&
           posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *from = good ? fdopen(ends[0], "r") : NULL;
    if (from) {
        out = json_loadf(from, 0, NULL);
        fclose(from);
    } else {
        close(ends[0]);
    }
    while (good && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return out;
}

static void add_others(json_t *rows)
{
    char path[PATH_MAX];
    const struct wrap_oci *globals = wrap_oci_globals();
    const char *argv[8];
    size_t count = 0;
    if (!wrap_oci_linux_runtime(path, sizeof path, NULL)) {
        return;
    }
    argv[count++] = path;
    if (globals->root_given) {
        argv[count++] = "--root";
        argv[count++] = globals->root;
    }
    argv[count++] = "list";
    argv[count++] = "--format";
    argv[count++] = "json";
    argv[count] = NULL;
    json_t *theirs = output_of(argv);
    json_array_extend(rows, theirs);
    json_decref(theirs);
}

/* ---------------------------------------------------------------- printing */

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static void print_table(const json_t *rows)
{
    static const char *const keys[] = {"id", "", "status", "bundle", "created"};
    static const char *const titles[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED"};
    enum { COLUMNS = sizeof keys / sizeof keys[0], GAP = 4 };
    size_t widths[COLUMNS];
    size_t index;
    const json_t *row;
    for (size_t i = 0; i < COLUMNS; i++) {
        widths[i] = i == 1 ? 8 : strlen(titles[i]);
        json_array_foreach((json_t *)(uintptr_t)rows, index, row)
        {
            size_t length = keys[i][0] ? strlen(text_of(row, keys[i])) : 0;
            widths[i] = length > widths[i] ? length : widths[i];
        }
    }
    for (size_t i = 0; i < COLUMNS; i++) printf("%-*s", (int)(widths[i] + GAP), titles[i]);
    puts("OWNER");
    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        for (size_t i = 0; i < COLUMNS; i++) {
            char number[24];
            snprintf(number, sizeof number, "%lld",
                     (long long)json_integer_value(json_object_get(row, "pid")));
            printf("%-*s", (int)(widths[i] + GAP), keys[i][0] ? text_of(row, keys[i]) : number);
        }
        puts(text_of(row, "owner"));
    }
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {0, 0};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct list list = {0};
    int code = 0;
    if (wrap_oci_parse(&opts, take, &list, words, &code) < 0) {
        return code;
    }
    json_t *rows = json_array();
    add_ours(rows);
    add_others(rows);
    size_t index;
    const json_t *row;
    if (list.quiet) {
        json_array_foreach(rows, index, row) puts(text_of(row, "id"));
    } else if (list.json) {
        json_dumpf(rows, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        print_table(rows);
    }
    json_decref(rows);
    return 0;
}

const struct wrap_command wrap_oci_list = {
    .name = "list",
    .usage = WRAP_OCI_PROGRAM " list [OPTIONS]",
    .summary = "Lists containers, the Linux runtime's as well.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
