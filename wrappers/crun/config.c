/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - crun tells a handler nothing that we may look at: its arguments are read once more. Of
 * its options only those count that take the next word as their value.
 */
#include "crun/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- the command line */

/* Options with a value, of crun 1.8.1 and newer; argp takes any beginning of a name that is clear.
 */
static const char *const global_options[] = {"cgroup-manager", "log",  "log-format",
                                             "log-level",      "root", "rootless"};
static const char *const command_options[] = {
    "apparmor",
    "bundle",
    "cap",
    "cgroup",
    "config",
    "console-socket",
    "cwd",
    "env",
    "pid-file",
    "preserve-fds",
    "process",
    "process-label",
    "resources",
    "user",
    "blkio-weight",
    "cpu-period",
    "cpu-quota",
    "cpu-share",
    "cpu-rt-period",
    "cpu-rt-runtime",
    "cpuset-cpus",
    "cpuset-mems",
    "kernel-memory",
    "kernel-memory-tcp",
    "memory",
    "memory-reservation",
    "memory-swap",
    "pids-limit",
    "l3-cache-schema",
    "mem-bw-schema",
};
/* Letters with a value, of all commands; -t has one only in the same word. */
static const char command_letters[] = "bfpuecr";

/* The words of a command line, one after the other. */
struct words {
    const char *at;
    const char *end;
};

static const char *next(struct words *words)
{
    const char *word = words->at;
    if (word >= words->end) return NULL;
    words->at = word + strlen(word) + 1;
    return word;
}

struct option {
    const char *name; /* what it begins with; NULL: none of ours */
    const char *value; /* NULL: it has none */
};

static const char *named(const char *word, size_t length, const char *const *names, size_t count)
{
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(names[i], word, length) != 0) continue;
        if (!names[i][length]) return names[i];
        found = names[i];
    }
    return found;
}

/* Takes a word that begins with '-' apart, and the next one when it is its value. */
static struct option take(const char *word, struct words *words, bool global)
{
    struct option out = {0};
    if (word[1] != '-') {
        for (const char *c = word + 1; *c && !global; c++) {
            if (!strchr(command_letters, *c)) continue;
            out.name = *c == 'f' ? "config" : "";
            out.value = c[1] ? c + 1 : next(words);
            break;
        }
        return out;
    }
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    out.name = global ? named(word + 2, length, global_options,
                              sizeof global_options / sizeof global_options[0])
                      : named(word + 2, length, command_options,
                              sizeof command_options / sizeof command_options[0]);
    if (equals) {
        out.value = equals + 1;
    } else if (out.name) {
        out.value = next(words);
    }
    return out;
}

struct line {
    const char *root; /* --root; NULL */
    const char *command;
    const char *ident; /* of the container */
    bool other_file; /* --config */
};

static bool parse(const char *text, size_t size, struct line *out)
{
    struct words words = {text, text + size};
    *out = (struct line){0};
    if (!size || text[size - 1] || !next(&words)) return false;
    for (const char *word; (word = next(&words)) != NULL;) {
        bool is_option = word[0] == '-' && word[1];
        if (is_option && strcmp(word, "--") == 0) continue;
        if (is_option) {
            struct option option = take(word, &words, !out->command);
            if (!option.name || !option.value) continue;
            if (!out->command && strcmp(option.name, "root") == 0) out->root = option.value;
            out->other_file = out->other_file || strcmp(option.name, "config") == 0;
        } else if (!out->command) {
            out->command = word;
        } else {
            out->ident = word;
            return word[0] && !strchr(word, '/') && strcmp(word, ".") != 0 &&
                   strcmp(word, "..") != 0;
        }
    }
    return false;
}

static bool fits(int length) { return length > 0 && length < PATH_MAX; }

bool wrap_crun_config_find(const char *text, size_t size, const char *runtime_dir,
                           struct wrap_crun_config *out)
{
    struct line line;
    *out = (struct wrap_crun_config){0};
    if (!parse(text, size, &line)) return false;
    bool begins = strcmp(line.command, "create") == 0 || strcmp(line.command, "run") == 0;
    if (begins && !line.other_file) {
        strcpy(out->path, "config.json");
        return true;
    }
    bool by_session = !line.root && runtime_dir && runtime_dir[0];
    const char *root = line.root ? line.root : by_session ? runtime_dir : "/run/crun";
    const char *below = by_session ? "/crun" : "";
    return fits(snprintf(out->path, sizeof out->path, "%s%s/%s/config.json", root, below,
                         line.ident)) &&
           (begins || fits(snprintf(out->status, sizeof out->status, "%s%s/%s/status", root, below,
                                    line.ident)));
}

/* ---------------------------------------------------------------- the cheap test */

static bool has(const char *bytes, size_t size, const char *word)
{
    return memmem(bytes, size, word, strlen(word)) != NULL;
}

bool wrap_crun_config_mentions_us(const char *path)
{
    enum { CHUNK = 1 << 16, OVERLAP = 32 };
    char bytes[OVERLAP + CHUNK];
    size_t kept = 0;
    bool found = false;
    struct stat st;
    /* Neither a FIFO nor a device may make crun wait. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    bool more = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    while (more && !found) {
        ssize_t got = read(fd, bytes + kept, CHUNK);
        more = got > 0;
        size_t size = kept + (more ? (size_t)got : 0);
        /* The slash behind the first one may be written "\/". */
        found = has(bytes, size, "module.wasm.image") || has(bytes, size, "\"wasm-smart\"");
        kept = size < OVERLAP ? size : OVERLAP;
        memmove(bytes, bytes + size - kept, kept);
    }
    close(fd);
    return found;
}
