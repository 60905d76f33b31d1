/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps.c - `ps`: the processes of a container, as numbers or as rows of ps(1). */
#include "oci/oci.h"
#include "oci/state.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { OPT_FORMAT = 1, PS_WORDS_MAX = 64 };

// clang-format off
static const struct wrap_option options[] = {
    {"format", 'f', "table|json", OPT_FORMAT, "rows of ps, or a list of numbers (table)"},
};
// clang-format on

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    (void)id;
    *(bool *)out = strcmp(value, "json") == 0;
    return *(bool *)out || strcmp(value, "table") == 0 ||
           wrap_fail(err, WRAP_INVALID_ARGUMENT,
                     "option '--format': '%.60s' is neither table nor json", value);
}

struct pids {
    pid_t *items;
    size_t count;
};

static bool has(const struct pids *pids, long pid)
{
    for (size_t i = 0; i < pids->count; i++) {
        if (pids->items[i] == pid) return true;
    }
    return false;
}

static void print_json(const struct pids *pids)
{
    putchar('[');
    for (size_t i = 0; i < pids->count; i++) {
        printf("%s%d", i ? "," : "", (int)pids->items[i]);
    }
    puts("]");
}

/* ---------------------------------------------------------------- rows of ps */

/* Which word of the title is PID; -1: none. */
static int pid_column(char *title)
{
    int at = 0;
    char *rest = NULL;
    for (char *word = strtok_r(title, " \t\n", &rest); word;
         word = strtok_r(NULL, " \t\n", &rest)) {
        if (strcmp(word, "PID") == 0) return at;
        at++;
    }
    return -1;
}

static long word_number(const char *line, int column)
{
    for (int i = 0; i < column; i++) {
        line += strspn(line, " \t");
        line += strcspn(line, " \t");
    }
    return strtol(line, NULL, 10);
}

/* The title, and the rows whose PID is one of them. */
static bool filter(FILE *from, const struct pids *pids, struct wrap_error *err)
{
    char *line = NULL;
    size_t room = 0;
    int column = -1;
    if (getline(&line, &room, from) > 0) {
        char *title = strdup(line); /* which is cut into words */
        column = title ? pid_column(title) : -1;
        if (column >= 0) fputs(line, stdout);
        free(title);
    }
    while (column >= 0 && getline(&line, &room, from) > 0) {
        if (has(pids, word_number(line, column))) fputs(line, stdout);
    }
    free(line);
    return column >= 0 || wrap_fail(err, WRAP_INVALID_ARGUMENT, "ps printed no column PID");
}

static bool print_table(const struct pids *pids, char **words, int count, struct wrap_error *err)
{
    static const char *const usual[] = {"ps", "-ef", NULL};
    const char *argv[PS_WORDS_MAX + 2] = {"ps"};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = 0;
    for (int i = 0; i < count && i < PS_WORDS_MAX; i++) argv[i + 1] = words[i];
    const char *const *chosen = count ? argv : usual;
    if (pipe2(ends, O_CLOEXEC) != 0) return wrap_fail_errno(err, errno, "a pipe");
    int wrong = posix_spawn_file_actions_init(&actions);
    wrong = wrong ? wrong : posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    wrong =
        wrong ? wrong
              : posix_spawnp(&pid, "ps", &actions, NULL, (char *const *)(uintptr_t)chosen, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *from = wrong ? NULL : fdopen(ends[0], "r");
    bool good = from ? filter(from, pids, err) : wrap_fail_errno(err, wrong, "ps");
    if (from) {
        fclose(from);
    } else {
        close(ends[0]);
    }
    while (!wrong && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return good;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, PS_WORDS_MAX};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_oci_state_doc state;
    struct wrap_error err = {0};
    struct pids pids = {0};
    bool json = false;
    int code = 0;
    int at = wrap_oci_parse(&opts, take, &json, words, &code);
    if (at < 0 || !wrap_oci_find(argv[at], WRAP_OCI_READ, &state, &code)) {
        return code;
    }
    struct wrap_cgroup *cgroup = wrap_oci_state_cgroup(&state, &err);
    bool good = cgroup && wrap_cgroup_pids(cgroup, &pids.items, &pids.count, &err);
    if (good && json) {
        print_json(&pids);
    } else if (good) {
        good = print_table(&pids, argv + at + 1, argc - at - 1, &err);
    }
    free(pids.items);
    wrap_cgroup_free(cgroup);
    wrap_oci_state_close(&state);
    return good ? 0 : wrap_oci_complain(&err);
}

const struct wrap_command wrap_oci_ps = {
    .name = "ps",
    .usage = WRAP_OCI_PROGRAM " ps [OPTIONS] ID [PS OPTIONS...]",
    .summary = "Lists the processes of a container.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
