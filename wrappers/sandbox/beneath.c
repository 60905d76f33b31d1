/* SPDX-License-Identifier: Apache-2.0 */
/*
 * beneath.c - paths as a process in a container would see them, walked by one that is not in it.
 * Each step opens one name without following it, so no change of the tree can lead outside.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 128, LINKS_MAX = 40, REST_MAX = 2 * PATH_MAX };

struct walk {
    int fds[DEPTH_MAX]; /* of the folders down to here; [0] is the root, the caller's */
    size_t depth;       /* at least 1 */
    unsigned links;
    enum wrap_missing missing;
    char rest[REST_MAX]; /* what is still to be walked */
};

static void pop_to(struct walk *walk, size_t depth)
{
    while (walk->depth > depth) {
        close(walk->fds[--walk->depth]);
    }
}

/* Cuts the next name off `rest`; false: nothing is left. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 1], int *problem)
{
    size_t skip = strspn(walk->rest, "/");
    size_t length = strcspn(walk->rest + skip, "/");
    if (length == 0) return false;
    if (length > NAME_MAX) {
        *problem = ENAMETOOLONG;
        return false;
    }
    memcpy(name, walk->rest + skip, length);
    name[length] = '\0';
    size_t used = skip + length;
    used += strspn(walk->rest + used, "/");
    memmove(walk->rest, walk->rest + used, strlen(walk->rest + used) + 1);
    return true;
}

/* The link's text takes its place in `rest`. 0, or an errno. */
static int follow(struct walk *walk, int link)
{
    char text[PATH_MAX];
    ssize_t length = readlinkat(link, "", text, sizeof text - 1);
    if (length < 0) return errno;
    size_t rest = strlen(walk->rest);
    if (++walk->links > LINKS_MAX) return ELOOP;
    if ((size_t)length + 1 + rest + 1 > sizeof walk->rest) return ENAMETOOLONG;
    memmove(walk->rest + length + 1, walk->rest, rest + 1);
    memcpy(walk->rest, text, (size_t)length);
    walk->rest[length] = '/';
    if (length > 0 && text[0] == '/') pop_to(walk, 1);
    return 0;
}

static int make(const struct walk *walk, const char *name)
{
    int at = walk->fds[walk->depth - 1];
    bool file = walk->missing == WRAP_MISSING_FILE && walk->rest[0] == '\0';
    int done = file ? mknodat(at, name, S_IFREG | 0644, 0) : mkdirat(at, name, 0755);
    return done == 0 || errno == EEXIST ? 0 : errno;
}

/* 0, or an errno. */
static int step(struct walk *walk, const char *name)
{
    if (strcmp(name, ".") == 0) return 0;
    if (strcmp(name, "..") == 0) {
        pop_to(walk, walk->depth > 1 ? walk->depth - 1 : 1);
        return 0;
    }
    int at = walk->fds[walk->depth - 1];
    int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && walk->missing != WRAP_MISSING_FAIL) {
        int problem = make(walk, name);
        if (problem) return problem;
        fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) return errno;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
        int problem = follow(walk, fd);
        close(fd);
        return problem;
    }
    if (walk->depth == DEPTH_MAX) {
        close(fd);
        return ELOOP;
    }
    walk->fds[walk->depth++] = fd;
    return 0;
}

int wrap_beneath(int root, const char *path, enum wrap_missing missing)
{
    struct walk walk = {.fds = {root}, .depth = 1, .missing = missing};
    char name[NAME_MAX + 1];
    int problem = 0;
    if (strlen(path) >= sizeof walk.rest) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(walk.rest, path);
    while (!problem && next_name(&walk, name, &problem)) {
        problem = step(&walk, name);
    }
    int found = -1;
    if (!problem && walk.depth > 1) {
        found = walk.fds[--walk.depth];
    } else if (!problem) {
        found = fcntl(root, F_DUPFD_CLOEXEC, 0);
        problem = errno;
    }
    pop_to(&walk, 1);
    errno = problem;
    return found;
}
