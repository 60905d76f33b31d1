/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_exec.c - `exec`: another process in a container, from a file or from words. */
#include "oci/launch.h"
#include "oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPT_CONSOLE = 1,
    OPT_CWD,
    OPT_ENV,
    OPT_TTY,
    OPT_USER,
    OPT_GROUPS,
    OPT_PROCESS,
    OPT_DETACH,
    OPT_PID_FILE,
    OPT_LABEL,
    OPT_APPARMOR,
    OPT_NO_PRIVS,
    OPT_CAP,
    OPT_PRESERVE,
    OPT_CGROUP,
    OPT_IGNORE_PAUSED,
    OPT_LINUX
};

// clang-format off
static const struct wrap_option options[] = {
    {"console-socket",  0,   "FILE",      OPT_CONSOLE,       "Unix socket that the terminal is sent to"},
    {"cwd",             0,   "DIR",       OPT_CWD,           "the process's PWD"},
    {"env",             'e', "NAME=VALUE", OPT_ENV,          "one more variable; may be repeated"},
    {"tty",             't', NULL,        OPT_TTY,           "with a terminal"},
    {"user",            'u', "UID[:GID]", OPT_USER,          "who it runs as"},
    {"additional-gids", 'g', "GID",       OPT_GROUPS,        "one more group; may be repeated"},
    {"process",         'p', "FILE",      OPT_PROCESS,       "JSON of the process, instead of words"},
    {"detach",          'd', NULL,        OPT_DETACH,        "do not wait for its end"},
    {"pid-file",        0,   "FILE",      OPT_PID_FILE,      "write the process's number there"},
    {"process-label",   0,   "LABEL",     OPT_LABEL,         "SELinux label"},
    {"apparmor",        0,   "PROFILE",   OPT_APPARMOR,      "AppArmor profile"},
    {"no-new-privs",    0,   NULL,        OPT_NO_PRIVS,      "guests never get any"},
    {"cap",             'c', "CAP",       OPT_CAP,           "one more capability; may be repeated"},
    {"preserve-fds",    0,   "N",         OPT_PRESERVE,      "for Linux containers; guests get none"},
    {"cgroup",          0,   "PATH",      OPT_CGROUP,        "for Linux containers"},
    {"ignore-paused",   0,   NULL,        OPT_IGNORE_PAUSED, "do not refuse when it is paused"},
    {"no-subreaper",    0,   NULL,        OPT_LINUX,         "for Linux containers"},
};
// clang-format on

enum { LIST_MAX = 256, FILE_MAX = 4 << 20 };

struct exec {
    const char *console_socket, *cwd, *process, *pid_file, *label, *apparmor, *user;
    const char *envs[LIST_MAX], *caps[LIST_MAX];
    size_t env_count, cap_count;
    long long groups[LIST_MAX];
    size_t group_count;
    bool tty, detach, ignore_paused, cgroup;
    char **words;
    int word_count;
};

static bool add(const char **list, size_t *count, const char *value, struct wrap_error *err)
{
    if (*count == LIST_MAX) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "an option is repeated too often");
    }
    list[(*count)++] = value;
    return true;
}

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    struct exec *exec = out;
    long long number = 0;
    switch (id) {
    case OPT_CONSOLE: exec->console_socket = value; break;
    case OPT_CWD: exec->cwd = value; break;
    case OPT_ENV: return add(exec->envs, &exec->env_count, value, err);
    case OPT_TTY: exec->tty = true; break;
    case OPT_USER: exec->user = value; break;
    case OPT_GROUPS:
        if (exec->group_count == LIST_MAX) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "an option is repeated too often");
        }
        return wrap_oci_number("additional-gids", value, &exec->groups[exec->group_count++], err);
    case OPT_PROCESS: exec->process = value; break;
    case OPT_DETACH: exec->detach = true; break;
    case OPT_PID_FILE: exec->pid_file = value; break;
    case OPT_LABEL: exec->label = value; break;
    case OPT_APPARMOR: exec->apparmor = value; break;
    case OPT_CAP: return add(exec->caps, &exec->cap_count, value, err);
    case OPT_PRESERVE: return wrap_oci_number("preserve-fds", value, &number, err);
    case OPT_CGROUP: exec->cgroup = true; break;
    case OPT_IGNORE_PAUSED: exec->ignore_paused = true; break;
    default: break;
    }
    return true;
}

/* ---------------------------------------------------------------- what to run */

/* A whole file of JSON; also a FIFO: who gives it waits for us to read it. */
static char *read_text(const char *file, size_t *size, struct wrap_error *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t room = 64 * 1024;
    char *text = fd >= 0 ? malloc(room) : NULL;
    ssize_t got = 1;
    if (fd < 0) wrap_fail_errno(err, errno, "%s", file);
    for (*size = 0; text && got > 0 && *size < FILE_MAX;) {
        if (*size == room) {
            char *more = realloc(text, room *= 2);
            if (!more) break;
            text = more;
        }
        do {
            got = read(fd, text + *size, room - *size);
        } while (got < 0 && errno == EINTR);
        *size += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) close(fd);
    if (text && got == 0) return text;
    free(text);
    wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: cannot be read, or is larger than 4 MiB", file);
    return NULL;
}

static bool set_user(json_t *process, const char *text, struct wrap_error *err)
{
    char *end = NULL;
    unsigned long uid = strtoul(text, &end, 10);
    unsigned long gid = 0;
    bool good = end != text && (*end == ':' || !*end) && uid < UINT32_MAX;
    if (good && *end == ':') {
        const char *from = end + 1;
        gid = strtoul(from, &end, 10);
        good = end != from && !*end && gid < UINT32_MAX;
    }
    if (!good) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "option '--user': '%.60s' is not UID[:GID]",
                         text);
    }
    json_object_set_new(process, "user",
                        json_pack("{s:I, s:I}", "uid", (json_int_t)uid, "gid", (json_int_t)gid));
    return true;
}

static void append(json_t *object, const char *key, json_t *value)
{
    if (!json_is_array(json_object_get(object, key))) {
        json_object_set_new(object, key, json_array());
    }
    json_array_append_new(json_object_get(object, key), value);
}

/* The container's own process with what the options change. */
static bool change_process(json_t *process, const struct exec *exec, struct wrap_error *err)
{
    static const char *const sets[] = {"bounding", "effective", "permitted"};
    json_object_set_new(process, "terminal", json_boolean(exec->tty));
    json_object_del(process, "consoleSize");
    json_object_set_new(process, "args", json_array());
    for (int i = 0; i < exec->word_count; i++) append(process, "args", json_string(exec->words[i]));
    for (size_t i = 0; i < exec->env_count; i++) append(process, "env", json_string(exec->envs[i]));
    if (exec->cwd) json_object_set_new(process, "cwd", json_string(exec->cwd));
    if (exec->label) json_object_set_new(process, "selinuxLabel", json_string(exec->label));
    if (exec->apparmor) {
        json_object_set_new(process, "apparmorProfile", json_string(exec->apparmor));
    }
    if (exec->user && !set_user(process, exec->user, err)) return false;
    json_t *user = json_object_get(process, "user");
    for (size_t i = 0; user && i < exec->group_count; i++) {
        append(user, "additionalGids", json_integer(exec->groups[i]));
    }
    json_t *caps = json_object_get(process, "capabilities");
    if (exec->cap_count && !caps)
        json_object_set_new(process, "capabilities", caps = json_object());
    for (size_t i = 0; i < exec->cap_count; i++) {
        for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++) {
            append(caps, sets[k], json_string(exec->caps[i]));
        }
    }
    return true;
}

static char *process_from_words(const struct wrap_oci_state_doc *state, const struct exec *exec,
                                size_t *size, struct wrap_error *err)
{
    char *out = NULL;
    char *text = wrap_oci_state_config(state, size, err);
    json_t *config = text ? json_loadb(text, *size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *process = json_object_get(config, "process");
    if (process && change_process(process, exec, err)) out = json_dumps(process, JSON_COMPACT);
    if (!out) wrap_fail(err, WRAP_INTERNAL, "the container's process cannot be read");
    *size = out ? strlen(out) : 0;
    json_decref(config);
    free(text);
    return out;
}

static bool read_process(const struct wrap_oci_state_doc *state, const struct exec *exec,
                         struct wrap_spec **out, struct wrap_error *err)
{
    size_t size = 0;
    char *text = exec->process ? read_text(exec->process, &size, err)
                               : process_from_words(state, exec, &size, err);
    bool good = text && wrap_spec_parse_process(text, size, out, err);
    if (text && !good) wrap_error_prefix(err, "%s", exec->process ? exec->process : "process");
    free(text);
    return good;
}

/* ---------------------------------------------------------------- running it */

static bool may_exec(const struct wrap_oci_state_doc *state, const struct exec *exec,
                     struct wrap_error *err)
{
    enum wrap_oci_status status = wrap_oci_status_of(state);
    if (status == WRAP_OCI_STOPPED || status == WRAP_OCI_CREATING) {
        return wrap_fail(err, WRAP_FAILED_PRECONDITION, "cannot exec in a %s container",
                         wrap_oci_status_name(status));
    }
    return status != WRAP_OCI_PAUSED || exec->ignore_paused ||
           wrap_fail(err, WRAP_FAILED_PRECONDITION,
                     "cannot exec in a paused container (--ignore-paused overrides that)");
}

/* The process stands: now others may know of it, and it may go. */
static bool commit(const struct exec *exec, const struct wrap_oci_terminal *terminal,
                   struct wrap_child *child, struct wrap_error *err)
{
    if (exec->console_socket && !wrap_oci_terminal_send(terminal, exec->console_socket, err)) {
        return false;
    }
    if (exec->pid_file && !wrap_oci_pid_file_write(exec->pid_file, child->pid, err)) {
        return false;
    }
    if (wrap_container_go(child->control_fd)) return true;
    if (exec->pid_file) (void)unlink(exec->pid_file);
    return wrap_fail(err, WRAP_UNKNOWN, "the process is gone");
}

static bool fork_into(const struct wrap_oci_state_doc *state, const struct exec *exec,
                      const struct wrap_spec *specs[2], struct wrap_oci_running *running,
                      struct wrap_error *err)
{
    struct wrap_oci_terminal terminal;
    const struct wrap_process *process = &specs[1]->process;
    if (!wrap_oci_terminal_open(process->terminal, exec->console_socket, exec->detach, &terminal,
                                err)) {
        return false;
    }
    bool grouped = state->systemd || state->cgroup[0];
    struct wrap_cgroup *cgroup = grouped ? wrap_oci_state_cgroup(state, err) : NULL;
    struct wrap_container_config config = {
        .id = state->id,
        .bundle = state->bundle,
        .spec = specs[0],
        .kind = WRAP_KIND_WASM,
        .cgroup = cgroup,
        .stdio = {0, 1, 2},
        .console = terminal.slave,
        .detached = exec->detach,
        .start_fd = -1,
    };
    for (int i = 0; i < 3 && config.console >= 0; i++) config.stdio[i] = config.console;
    const struct wrap_container_join join = {.pid = state->pid, .process = process, .last = true};
    bool good = (cgroup || !grouped) &&
                wrap_container_fork_into(&config, &join, &running->child, err) &&
                wrap_oci_follow(&running->child, NULL, NULL, err) == WRAP_OCI_IS_READY;
    /* That it lives still shows that its number was never another's, whose namespaces we took. */
    if (good && wrap_oci_status_of(state) == WRAP_OCI_STOPPED) {
        wrap_oci_child_end(&running->child);
        good = wrap_fail(err, WRAP_FAILED_PRECONDITION, "cannot exec in a stopped container");
    }
    if (good && !commit(exec, &terminal, &running->child, err)) {
        wrap_oci_child_end(&running->child);
        good = false;
    }
    if (good && !exec->detach) {
        running->master = terminal.master;
        terminal.master = -1;
    }
    wrap_oci_terminal_close(&terminal);
    wrap_cgroup_free(cgroup);
    return good;
}

static bool begin(const struct wrap_oci_state_doc *state, const struct exec *exec,
                  struct wrap_oci_running *running, struct wrap_error *err)
{
    struct wrap_spec *own = NULL;
    struct wrap_spec *process = NULL;
    bool good = may_exec(state, exec, err) && wrap_oci_state_spec(state, &own, err) &&
                read_process(state, exec, &process, err);
    if (good) {
        const struct wrap_spec *specs[2] = {own, process};
        good = fork_into(state, exec, specs, running, err);
    }
    wrap_spec_free(own);
    wrap_spec_free(process);
    return good;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, -1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_oci_running running = {.child = {-1, -1, -1, -1}, .master = -1};
    struct wrap_oci_state_doc state;
    struct wrap_error err = {0};
    struct exec *exec = calloc(1, sizeof *exec);
    int code = WRAP_OCI_FAILED;
    int at = exec ? wrap_oci_parse(&opts, take, exec, words, &code) : -1;
    if (at < 0 || !wrap_oci_find(argv[at], WRAP_OCI_READ, &state, &code)) {
        free(exec);
        return code;
    }
    exec->words = argv + at + 1;
    exec->word_count = argc - at - 1;
    bool good = exec->process || exec->word_count ||
                wrap_fail(&err, WRAP_INVALID_ARGUMENT, "exec: neither a program nor --process");
    good = good && (!exec->cgroup || wrap_fail(&err, WRAP_UNIMPLEMENTED,
                                               "option '--cgroup' is for Linux containers"));
    good = good && (exec->detach || wrap_oci_serve_prepare(&err)) &&
           begin(&state, exec, &running, &err);
    wrap_oci_state_close(&state);
    code = !good ? wrap_oci_complain(&err) : exec->detach ? 0 : wrap_oci_serve(&running);
    if (good) running.child.pid = -1;
    wrap_oci_child_close(&running.child);
    free(exec);
    return code;
}

const struct wrap_command wrap_oci_exec = {
    .name = "exec",
    .usage = WRAP_OCI_PROGRAM " exec [OPTIONS] ID [PROGRAM ARGS...]",
    .summary = "Runs another program in a container.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .notes = "Without --detach the exit code is the program's.\n",
    .run = run,
};
