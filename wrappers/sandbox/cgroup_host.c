/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_host.c - which hierarchies of control groups this host has mounted, and where this process
 * is in them. Not here: groups of containers.
 *
 * Source: Linux, proc(5) mountinfo and cgroup; cgroups(7).
 */
#include "sandbox/cgroup_impl.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

static const char *const names[WRAP_CTL_COUNT] = {
    [WRAP_CTL_FREEZER] = "freezer",
    [WRAP_CTL_PIDS] = "pids",
    [WRAP_CTL_MEMORY] = "memory",
    [WRAP_CTL_CPU] = "cpu",
    [WRAP_CTL_CPUACCT] = "cpuacct",
    [WRAP_CTL_CPUSET] = "cpuset",
    [WRAP_CTL_DEVICES] = "devices",
    [WRAP_CTL_BLKIO] = "blkio",
    [WRAP_CTL_HUGETLB] = "hugetlb",
    [WRAP_CTL_NET_CLS] = "net_cls",
    [WRAP_CTL_NET_PRIO] = "net_prio",
    [WRAP_CTL_PERF_EVENT] = "perf_event",
    [WRAP_CTL_RDMA] = "rdma",
    [WRAP_CTL_MISC] = "misc",
    [WRAP_CTL_SYSTEMD] = "name=systemd",
};

/* Bits of a list like "rw,cpu,cpuacct". Changes it. */
static unsigned controllers_of(char *list)
{
    unsigned found = 0;
    char *rest = NULL;
    for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        for (unsigned i = WRAP_CTL_UNIFIED + 1; i < WRAP_CTL_COUNT; i++) {
            found |= strcmp(word, names[i]) == 0 ? 1u << i : 0;
        }
    }
    return found;
}

/* mountinfo writes white space and backslashes as three octal digits. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                     from[2] <= '7' && from[3] >= '0' && from[3] <= '7';
        *to = octal ? (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0') : *from;
        from += octal ? 4 : 1;
    }
    *to = '\0';
}

struct mount_line {
    char *root, *point, *type, *options;
};

/* "id parent dev ROOT POINT options tags… - TYPE source OPTIONS" */
static bool split_mount(char *line, struct mount_line *out)
{
    char *fields[5] = {NULL};
    char *rest = NULL;
    char *tail = strstr(line, " - ");
    if (!tail) {
        return false;
    }
    *tail = '\0';
    char *word = strtok_r(line, " ", &rest);
    for (int i = 0; i < 5 && word; i++, word = strtok_r(NULL, " ", &rest)) {
        fields[i] = word;
    }
    out->root = fields[3];
    out->point = fields[4];
    out->type = strtok_r(tail + 3, " ", &rest);
    word = strtok_r(NULL, " ", &rest);
    out->options = word ? strtok_r(NULL, " \n", &rest) : NULL;
    return out->point && out->options;
}

static bool known(const struct wrap_host *host, unsigned controllers)
{
    for (size_t i = 0; i < host->count; i++) {
        if (host->items[i].controllers & controllers) {
            return true;
        }
    }
    return false;
}

/* `own` holds the root of the mount until the group of the process is known. */
static void add_mount(struct wrap_host *host, struct mount_line *line,
                      bool (*mounted)(const char *, bool))
{
    bool v2 = strcmp(line->type, "cgroup2") == 0;
    if (!v2 && strcmp(line->type, "cgroup") != 0) {
        return;
    }
    unsigned controllers = v2 ? 1u << WRAP_CTL_UNIFIED : controllers_of(line->options);
    unescape(line->root);
    unescape(line->point);
    if (!controllers || known(host, controllers) || host->count == WRAP_HIERARCHIES_MAX ||
        !mounted(line->point, v2)) {
        return;
    }
    struct wrap_hierarchy made = {strdup(line->point), strdup(line->root), controllers};
    if (!made.mount || !made.own) {
        free(made.mount);
        free(made.own);
        return;
    }
    size_t at = host->count++;
    /* A low bit is an early controller: unified first, which everything is found by. */
    for (; at > 0 && (host->items[at - 1].controllers & -host->items[at - 1].controllers) >
                         (controllers & -controllers);
         at--) {
        host->items[at] = host->items[at - 1];
    }
    host->items[at] = made;
}

/* A group's path as it is seen from the mount, whose root may be a group itself. */
static void set_own(struct wrap_hierarchy *hierarchy, const char *path)
{
    size_t root = strcmp(hierarchy->own, "/") == 0 ? 0 : strlen(hierarchy->own);
    if (strncmp(path, hierarchy->own, root) == 0 && (path[root] == '/' || path[root] == '\0')) {
        path += root;
    }
    char *copy = strdup(strcmp(path, "/") == 0 ? "" : path);
    if (copy) {
        free(hierarchy->own);
        hierarchy->own = copy;
    }
}

/* "id:controllers:path", "0::path" on v2. */
static void read_own(struct wrap_host *host, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    char *list = strchr(line, ':');
    char *path = list ? strchr(list + 1, ':') : NULL;
    if (!path || path[1] != '/') {
        return;
    }
    *path++ = '\0';
    list++;
    unsigned controllers = *list ? controllers_of(list) : 1u << WRAP_CTL_UNIFIED;
    for (size_t i = 0; i < host->count; i++) {
        if (host->items[i].controllers & controllers) {
            set_own(&host->items[i], path);
        }
    }
}

/* v2 alone, or at the usual place, with at most leftovers of v1 elsewhere. */
static void choose_version(struct wrap_host *host)
{
    const struct wrap_hierarchy *unified = wrap_host_with(host, WRAP_CTL_UNIFIED);
    if (unified && (host->count == 1 || strcmp(unified->mount, "/sys/fs/cgroup") == 0)) {
        host->version = WRAP_CGROUP_V2;
        while (host->count > 1) {
            host->count--; /* unified is the first */
            free(host->items[host->count].mount);
            free(host->items[host->count].own);
        }
    }
}

void wrap_host_read(FILE *mountinfo, FILE *own, bool (*mounted)(const char *path, bool v2),
                    struct wrap_host *out)
{
    char *line = NULL;
    size_t room = 0;
    *out = (struct wrap_host){.version = WRAP_CGROUP_V1};
    while (getline(&line, &room, mountinfo) > 0) {
        struct mount_line mount;
        if (split_mount(line, &mount)) {
            add_mount(out, &mount, mounted);
        }
    }
    while (getline(&line, &room, own) > 0) {
        read_own(out, line);
    }
    free(line);
    choose_version(out);
}

void wrap_host_free(struct wrap_host *host)
{
    for (size_t i = 0; i < host->count; i++) {
        free(host->items[i].mount);
        free(host->items[i].own);
    }
    host->count = 0;
}

static bool is_mounted(const char *path, bool v2)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == (v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

const struct wrap_host *wrap_host_get(void)
{
    static struct wrap_host host;
    static bool done;
    if (!done) {
        FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
        FILE *own = fopen("/proc/self/cgroup", "re");
        if (mountinfo && own) {
            wrap_host_read(mountinfo, own, is_mounted, &host);
        }
        if (mountinfo) {
            fclose(mountinfo);
        }
        if (own) {
            fclose(own);
        }
        done = true;
    }
    return &host;
}

enum wrap_cgroup_version wrap_cgroup_host(void) { return wrap_host_get()->version; }

const struct wrap_hierarchy *wrap_host_with(const struct wrap_host *host,
                                            enum wrap_controller controller)
{
    for (size_t i = 0; i < host->count; i++) {
        if (host->items[i].controllers & 1u << controller) {
            return &host->items[i];
        }
    }
    return NULL;
}
