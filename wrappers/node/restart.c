/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart.c - see restart.h.
 *
 * In a pod that sees the node's processes (hostPID) systemctl is that of the node, called in the
 * mount namespace of process 1: the image needs neither a shell nor nsenter. containerd has no
 * signal that makes it read its configuration again.
 */
#include "node/restart.h"

#include "common/text.h"
#include "node/file.h"
#include "sandbox/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 20, AGAIN_MS = 500, STEADY = 3 /* times active in a row */ };

static void pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---------------------------------------------------------------- systemctl */

static bool is_root_of_init(const struct wrap_node *node)
{
    struct stat ours, its;
    return fstat(node->root, &ours) == 0 && stat("/proc/1/root", &its) == 0 &&
           ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

static bool can_ask(const struct wrap_node *node)
{
    return node->systemctl ||
           (is_root_of_init(node) && wrap_node_exists(node->root, "/run/systemd/system"));
}

/* In the child: into the mount namespace of process 1, if that is another. */
static bool enter_init(void)
{
    struct stat ours, its;
    if (stat("/proc/self/ns/mnt", &ours) == 0 && stat("/proc/1/ns/mnt", &its) == 0 &&
        ours.st_ino == its.st_ino) {
        return true;
    }
    int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && setns(fd, CLONE_NEWNS) == 0 && chdir("/") == 0;
}

static _Noreturn void become(const struct wrap_node *node, const char *verb, const char *unit)
{
    char *words[] = {(char *)"systemctl", (char *)verb, (char *)unit, NULL};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    (void)signal(SIGPIPE, SIG_DFL);
    if (node->systemctl) {
        words[0] = (char *)node->systemctl;
        execv(node->systemctl, words);
    } else if (enter_init()) {
        execv("/usr/bin/systemctl", words);
        execv("/bin/systemctl", words);
    }
    _exit(127);
}

/* Its exit code; -1: it was killed, by us when it took too long. */
static int systemctl(const struct wrap_node *node, const char *verb, const char *unit, long until)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child < 0) return 127;
    if (child == 0) become(node, verb, unit);
    int status = 0;
    for (;;) {
        pid_t done = waitpid(child, &status, WNOHANG);
        if (done == child) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (done < 0 && errno != EINTR) return 127;
        if (now_ms() > until) {
            kill(child, SIGKILL);
            while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
            }
            return -1;
        }
        pause_ms(STEP_MS);
    }
}

/* Active, and again after a while: a service that dies at once is active for a moment. */
static bool stays_active(const struct wrap_node *node, const char *unit, long until)
{
    for (int times = 0; times < STEADY;) {
        times = systemctl(node, "is-active", unit, until) == 0 ? times + 1 : 0;
        if (times == STEADY) return true;
        if (now_ms() > until) return false;
        pause_ms(AGAIN_MS);
    }
    return true;
}

static bool restart_one(const struct wrap_node *node, const char *unit, struct wrap_error *err)
{
    long until = now_ms() + (long)node->timeout_s * 1000;
    int code = systemctl(node, "restart", unit, until);
    if (code == -1) {
        return wrap_fail(err, WRAP_DEADLINE_EXCEEDED, "restarting %s took longer than %u s", unit,
                         node->timeout_s);
    }
    if (code != 0) {
        return wrap_fail(err, WRAP_UNAVAILABLE,
                         "%s does not start (systemctl restart ended with %d)", unit, code);
    }
    return stays_active(node, unit, until) ||
           wrap_fail(err, WRAP_UNAVAILABLE, "%s is not active after its restart", unit);
}

bool wrap_node_follows_files(const struct wrap_node *node, const struct wrap_node_distro *distro)
{
    static const char managed[] = "# k0s_managed=true";
    struct wrap_node_file file;
    struct wrap_error ignored = {0};
    if (distro->kind != WRAP_NODE_K0S ||
        !wrap_node_file_read(node->root, distro->config, WRAP_NODE_TEXT_MAX, &file, &ignored)) {
        return false;
    }
    bool follows = !file.exists || strncmp(file.data, managed, sizeof managed - 1) == 0;
    wrap_node_file_free(&file);
    return follows;
}

enum wrap_node_restarted wrap_node_restart(const struct wrap_node *node,
                                           const struct wrap_node_distro *distro,
                                           struct wrap_error *err)
{
    enum wrap_node_restarted result = WRAP_NODE_NOT_RUNNING;
    if (wrap_node_follows_files(node, distro)) return WRAP_NODE_BY_ITSELF;
    if (!can_ask(node)) return WRAP_NODE_NOT_HERE;
    for (size_t i = 0; i < WRAP_NODE_SERVICES && distro->services[i]; i++) {
        const char *unit = distro->services[i];
        int active = systemctl(node, "is-active", unit, now_ms() + (long)node->timeout_s * 1000);
        if (active == 127) return WRAP_NODE_NOT_HERE;
        if (active != 0) continue;
        wrap_print(stdout, "restarting %s\n", unit);
        if (!restart_one(node, unit, err)) return WRAP_NODE_BROKEN;
        result = WRAP_NODE_RESTARTED;
    }
    return result;
}

void wrap_node_restart_hint(const struct wrap_node_distro *distro, char *out, size_t size)
{
    const char *second = WRAP_NODE_SERVICES > 1 ? distro->services[1] : NULL;
    snprintf(out, size, "systemctl restart %s%s%s%s", distro->services[0], second ? " (or " : "",
             second ? second : "", second ? ")" : "");
}

/* ---------------------------------------------------------------- processes */

static bool is_ours(int proc, const char *pid)
{
    char path[64], text[PATH_MAX];
    snprintf(path, sizeof path, "%.20s/exe", pid);
    ssize_t length = readlinkat(proc, path, text, sizeof text - 1);
    if (length <= 0) return false;
    text[length] = '\0';
    char *deleted = strstr(text, " (deleted)");
    if (deleted) *deleted = '\0';
    const char *slash = strrchr(text, '/');
    return slash &&
           (strcmp(slash + 1, WRAP_NODE_SHIM) == 0 || strcmp(slash + 1, WRAP_NODE_OCI) == 0);
}

/* A chroot may show the processes of another system in its /proc. */
static bool is_of_node(const struct wrap_node *node, int proc)
{
    struct stat ours, its;
    return fstatat(proc, "1/root", &its, 0) < 0 || fstat(node->root, &ours) < 0 ||
           (ours.st_dev == its.st_dev && ours.st_ino == its.st_ino);
}

size_t wrap_node_running(const struct wrap_node *node, int *pid)
{
    size_t count = 0;
    int at = wrap_beneath(node->root, "/proc", WRAP_MISSING_FAIL);
    int fd = at < 0 ? -1 : openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (at >= 0) close(at);
    if (!dir) return 0;
    bool of_node = is_of_node(node, dirfd(dir));
    for (struct dirent *entry; of_node && (entry = readdir(dir));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        if (!is_ours(dirfd(dir), entry->d_name)) continue;
        *pid = atoi(entry->d_name);
        count++;
    }
    closedir(dir);
    return count;
}
