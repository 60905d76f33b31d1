/* SPDX-License-Identifier: Apache-2.0 */
/* measure.c - one measured run of one engine: fresh files, a child process, its CPU time. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------------------------------------------------------------- files */

static bool copy_file(const char *from, const char *to)
{
    char buffer[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ssize_t got = -1;
    while (in >= 0 && out >= 0 && (got = read(in, buffer, sizeof buffer)) > 0) {
        if (write(out, buffer, (size_t)got) != got) {
            got = -1;
            break;
        }
    }
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    return got == 0;
}

/* Into a directory that may exist. */
static bool copy_tree(const char *from, const char *to)
{
    char *const roots[] = {(char *)(uintptr_t)from, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    bool good = walk != NULL;
    for (FTSENT *entry = walk ? fts_read(walk) : NULL; entry; entry = fts_read(walk)) {
        char *target = bench_format("%s%s", to, entry->fts_path + strlen(from));
        if (entry->fts_info == FTS_D) {
            good &= mkdir(target, 0755) == 0 || errno == EEXIST;
        } else if (entry->fts_info == FTS_F && strcmp(entry->fts_name, ".keep") != 0) {
            good &= copy_file(entry->fts_path, target);
        }
        free(target);
    }
    if (walk) fts_close(walk);
    return good;
}

void bench_remove_tree(const char *path)
{
    char *const roots[] = {(char *)(uintptr_t)path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry = walk ? fts_read(walk) : NULL; entry; entry = fts_read(walk)) {
        if (entry->fts_info == FTS_DP) {
            rmdir(entry->fts_path);
        } else if (entry->fts_info != FTS_D) {
            unlink(entry->fts_path);
        }
    }
    if (walk) fts_close(walk);
}

/* The guest's root is `root`: directory /data is root/data, directory / is root itself. */
static char *host_dir(const char *root, const char *guest)
{
    size_t length = strlen(guest);
    while (length && guest[length - 1] == '/') length--;
    return bench_format("%s%s%.*s", root, guest[0] == '/' ? "" : "/", (int)length, guest);
}

static bool copy_fixtures(const struct bench_workload *workload, const char *root)
{
    bool good = true;
    for (size_t i = 0; i < workload->dir_count; i++) {
        char *host = host_dir(root, workload->dirs[i].guest);
        good &= copy_tree(workload->dirs[i].fixture, host);
        free(host);
    }
    return good;
}

/* Where a child runs and what it reads and writes. */
struct place {
    char *root;
    char *input;
    char *output;
    char *errors;
    char *count; /* cachegrind's log */
};

/* ---------------------------------------------------------------- the command line */

struct substitution {
    const char *key; /* with braces */
    const char *value;
};

static char *substitute(const char *text, const struct substitution *list, size_t count)
{
    char *out = bench_strdup("");
    while (*text) {
        size_t i = 0;
        while (i < count && strncmp(text, list[i].key, strlen(list[i].key)) != 0) i++;
        char *grown =
            i < count ? bench_format("%s%s", out, list[i].value) : bench_format("%s%c", out, *text);
        free(out);
        out = grown;
        text += i < count ? strlen(list[i].key) : 1;
    }
    return out;
}

static void add_formatted(struct bench_words *out, const char *format,
                          const struct substitution *list, size_t count)
{
    struct bench_words parts = {0};
    bench_words_split(&parts, format);
    for (size_t i = 0; i < parts.count; i++) {
        bench_words_add(out, substitute(parts.list[i], list, count));
    }
    bench_words_fini(&parts);
}

static void add_dirs(struct bench_words *out, const struct bench_engine *engine,
                     const struct bench_workload *workload, const char *root)
{
    for (size_t i = 0; i < workload->dir_count; i++) {
        char *host = host_dir(root, workload->dirs[i].guest);
        const struct substitution list[] = {{"{host}", host}, {"{guest}", workload->dirs[i].guest}};
        add_formatted(out, engine->dir_format, list, 2);
        free(host);
    }
}

static void add_envs(struct bench_words *out, const struct bench_engine *engine,
                     const struct bench_workload *workload)
{
    for (size_t i = 0; i < workload->envs.count; i++) {
        const struct substitution list[] = {{"{env}", workload->envs.list[i]}};
        add_formatted(out, engine->env_format, list, 1);
    }
}

static void make_command(struct bench_words *out, const struct bench_engine *engine,
                         const struct bench_workload *workload, const struct place *place)
{
    const char *root = place->root;
    const struct substitution list[] = {{"{module}", workload->module}, {"{cwd}", root}};
    if (engine->is_counted) {
        /* Not callgrind: it takes each jump from handler to handler for a call that is nested. */
        bench_words_split(out, "valgrind --tool=cachegrind --cache-sim=no --branch-sim=no "
                               "--cachegrind-out-file=/dev/null");
        bench_words_add(out, bench_format("--log-file=%s", place->count));
    }
    for (size_t i = 0; i < engine->command.count; i++) {
        const char *word = engine->command.list[i];
        if (strcmp(word, "{dirs}") == 0) {
            add_dirs(out, engine, workload, root);
        } else if (strcmp(word, "{envs}") == 0) {
            add_envs(out, engine, workload);
        } else if (strcmp(word, "{args}") == 0) {
            for (size_t k = 0; k < workload->args.count; k++) {
                bench_words_add(out, bench_strdup(workload->args.list[k]));
            }
        } else {
            bench_words_add(out, substitute(word, list, 2));
        }
    }
}

/* ---------------------------------------------------------------- the child */

static bool make_input(const struct bench_workload *workload, const char *path)
{
    if (workload->stdin_file) return copy_file(workload->stdin_file, path);
    FILE *file = fopen(path, "we");
    if (!file) return false;
    if (workload->stdin_text) fputs(workload->stdin_text, file);
    return fclose(file) == 0;
}

static bool redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0644);
    return fd >= 0 && dup2(fd, to) == to && (fd == to || close(fd) == 0);
}

static void child(const struct bench_words *command, const struct place *place, unsigned timeout_s)
{
    const struct rlimit cpu = {timeout_s, timeout_s};
    if (redirect(place->input, O_RDONLY, 0) &&
        redirect(place->output, O_WRONLY | O_CREAT | O_TRUNC, 1) &&
        redirect(place->errors, O_WRONLY | O_CREAT | O_TRUNC, 2) && chdir(place->root) == 0 &&
        setrlimit(RLIMIT_CPU, &cpu) == 0) {
        execvp(command->list[0], command->list);
    }
    dprintf(2, "cannot run %s: %s\n", command->list[0], strerror(errno));
    _exit(127);
}

static double ms_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) * 1e3 +
           (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

static double ms_of(const struct timeval *time)
{
    return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

static void first_line(const char *path, char *buf, size_t cap)
{
    FILE *file = fopen(path, "re");
    buf[0] = 0;
    if (!file) return;
    if (!fgets(buf, (int)cap, file)) buf[0] = 0;
    buf[strcspn(buf, "\n")] = 0;
    fclose(file);
}

static bool first_line_is(const char *path, const char *line)
{
    char said[120];
    first_line(path, said, sizeof said);
    return strcmp(said, line) == 0;
}

static void judge(const struct bench_workload *workload, const struct place *place, int status,
                  struct bench_run *out)
{
    char said[120];
    first_line(place->errors, said, sizeof said);
    if (!WIFEXITED(status)) {
        snprintf(out->problem, sizeof out->problem, "signal %d: %s", WTERMSIG(status), said);
    } else if (WEXITSTATUS(status) != workload->exit_code) {
        snprintf(out->problem, sizeof out->problem, "exit %d, not %d: %s", WEXITSTATUS(status),
                 workload->exit_code, said);
    } else if (!bench_sha256_file(place->output, out->sha256)) {
        snprintf(out->problem, sizeof out->problem, "no output file");
    } else if (workload->line && !first_line_is(place->output, workload->line)) {
        snprintf(out->problem, sizeof out->problem, "wrong checksum: %s", said);
    } else if (workload->sha256 && strcmp(workload->sha256, out->sha256) != 0) {
        snprintf(out->problem, sizeof out->problem, "wrong output: %s", said);
    } else {
        out->good = true;
    }
}

static void spawn(const struct bench_words *command, const struct bench_workload *workload,
                  const struct place *place, unsigned timeout_s, struct bench_run *out)
{
    struct timespec start;
    struct rusage usage;
    int status = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t pid = fork();
    if (pid == 0) child(command, place, timeout_s);
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        snprintf(out->problem, sizeof out->problem, "cannot start a process");
        return;
    }
    out->wall_ms = ms_since(&start);
    out->cpu_ms = ms_of(&usage.ru_utime) + ms_of(&usage.ru_stime);
    out->rss_kib = usage.ru_maxrss;
    judge(workload, place, status, out);
}

/* The line "==1== I   refs:      1,234" of cachegrind's log takes the place of the time. */
static void read_count(const struct place *place, struct bench_run *out)
{
    char line[256];
    double count = 0;
    FILE *file = fopen(place->count, "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *digit = strstr(line, "I   refs:");
        if (digit) count = 0;
        for (; digit && *digit; digit++) {
            if (*digit >= '0' && *digit <= '9') count = count * 10 + (*digit - '0');
        }
    }
    if (file) fclose(file);
    out->cpu_ms = count / 1e6;
    if (count > 0 || !out->good) return;
    out->good = false;
    snprintf(out->problem, sizeof out->problem, "no count in cachegrind's log");
}

void bench_run_once(const struct bench_engine *engine, const struct bench_workload *workload,
                    const char *scratch, unsigned timeout_s, struct bench_run *out)
{
    memset(out, 0, sizeof *out);
    struct place place = {bench_format("%s/root", scratch), bench_format("%s/stdin", scratch),
                          bench_format("%s/stdout", scratch), bench_format("%s/stderr", scratch),
                          bench_format("%s/count", scratch)};
    struct bench_words command = {0};
    if (mkdir(place.root, 0755) != 0 || !copy_fixtures(workload, place.root) ||
        !make_input(workload, place.input)) {
        snprintf(out->problem, sizeof out->problem, "cannot copy the fixtures");
    } else {
        make_command(&command, engine, workload, &place);
        spawn(&command, workload, &place, timeout_s, out);
        if (engine->is_counted) read_count(&place, out);
    }
    bench_remove_tree(place.root);
    bench_words_fini(&command);
    free(place.input);
    free(place.output);
    free(place.errors);
    free(place.count);
    free(place.root);
}
