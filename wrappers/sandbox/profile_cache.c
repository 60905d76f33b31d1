/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_cache.c - compiled profiles in a folder of root's that all pods of a host share. What can
 * be wrong with folder or file makes the profile be compiled again. Not here: compiling.
 *
 * A file: struct header, then the program. Its name is the SHA-256 of the profile, of our list of
 * calls and of the compiler's revision, so that another version of ours never reads it.
 */
#include "sandbox/policy.h"
#include "sandbox/profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* To be counted up when compile() writes another program for the same profile. */
enum { REVISION = 1, NAME_SIZE = SHA256_DIGEST_STRING_LENGTH, FILES_MAX = 512 };
static const char default_folder[] = "/run/wasmrun/seccomp";

struct header {
    char magic[8];
    uint32_t flags;
    uint32_t length;
    uint8_t digest[SHA256_DIGEST_LENGTH]; /* of the name, flags, length and the program */
};
static const char magic[8] = {'w', 'r', 's', 'e', 'c', 'c', 'm', 'p'};

/* ---------------------------------------------------------------- names */

static void add_number(SHA2_CTX *hash, uint64_t value)
{
    SHA256Update(hash, (const uint8_t *)&value, sizeof value);
}

/* Lengths are part of it, or lists could run into each other. */
static void add_strings(SHA2_CTX *hash, const struct wrap_strings *strings)
{
    add_number(hash, strings->count);
    for (size_t i = 0; i < strings->count; i++) {
        size_t size = strlen(strings->items[i]);
        add_number(hash, size);
        SHA256Update(hash, (const uint8_t *)strings->items[i], size);
    }
}

static void add_rule(SHA2_CTX *hash, const struct wrap_seccomp_rule *rule)
{
    add_strings(hash, &rule->names);
    add_number(hash, rule->action);
    add_number(hash, rule->errno_ret);
    add_number(hash, rule->arg_count);
    for (size_t i = 0; i < rule->arg_count; i++) {
        const struct wrap_seccomp_arg *arg = &rule->args[i];
        add_number(hash, arg->index);
        add_number(hash, arg->value);
        add_number(hash, arg->value_two);
        add_number(hash, (uint64_t)arg->op);
    }
}

static void add_own(SHA2_CTX *hash)
{
    static const char list[] =
#define SYSCALL(name, x86_64, aarch64, rule) #name " " #x86_64 " " #aarch64 ";"
#include "sandbox/syscalls.def"
#undef SYSCALL
#if defined(__x86_64__)
        "x86_64";
#else
        "aarch64";
#endif
    add_number(hash, REVISION);
    SHA256Update(hash, (const uint8_t *)list, sizeof list);
}

static void name_of(const struct wrap_seccomp *seccomp, char name[NAME_SIZE])
{
    SHA2_CTX hash;
    SHA256Init(&hash);
    add_own(&hash);
    add_number(&hash, seccomp->default_action);
    add_number(&hash, seccomp->default_errno);
    add_strings(&hash, &seccomp->flags);
    add_number(&hash, seccomp->rule_count);
    for (size_t i = 0; i < seccomp->rule_count; i++) {
        add_rule(&hash, &seccomp->rules[i]);
    }
    SHA256End(&hash, name);
}

/* With the name, so that a program is never taken for another profile's. */
static void digest_of(const char *name, const struct header *header, const struct sock_filter *code,
                      uint8_t out[SHA256_DIGEST_LENGTH])
{
    SHA2_CTX hash;
    SHA256Init(&hash);
    SHA256Update(&hash, (const uint8_t *)name, NAME_SIZE);
    add_number(&hash, header->flags);
    add_number(&hash, header->length);
    SHA256Update(&hash, (const uint8_t *)code, header->length * sizeof *code);
    SHA256Final(out, &hash);
}

/* ---------------------------------------------------------------- the folder */

/* Ours, and nobody else may write into it. */
static bool is_private(int fd, mode_t type)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

static void make_folders(const char *folder)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path + 1; size > 0 && size < PATH_MAX && (slash = strchr(slash, '/'));
         slash++) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    (void)mkdir(folder, 0700);
}

static int open_folder(const char *folder)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int dir = open(folder, flags);
    if (dir < 0 && errno == ENOENT) {
        make_folders(folder);
        dir = open(folder, flags);
    }
    if (dir >= 0 && !is_private(dir, S_IFDIR)) {
        close(dir);
        dir = -1;
    }
    return dir;
}

/* ---------------------------------------------------------------- files */

static bool read_all(int fd, void *to, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t got = read(fd, (char *)to + at, size - at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

static bool read_file(int fd, const char *name, struct wrap_profile_filter *out)
{
    struct header header;
    struct stat st;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    if (!is_private(fd, S_IFREG) || !read_all(fd, &header, sizeof header) ||
        memcmp(header.magic, magic, sizeof magic) != 0 || header.length > BPF_MAXINSNS ||
        fstat(fd, &st) != 0 ||
        st.st_size != (off_t)(sizeof header + header.length * sizeof *out->code)) {
        return false;
    }
    struct sock_filter *code = malloc(header.length * sizeof *code + 1);
    bool good = code && read_all(fd, code, header.length * sizeof *code);
    if (good) {
        digest_of(name, &header, code, digest);
        good = memcmp(digest, header.digest, sizeof digest) == 0;
    }
    if (!good || header.length == 0) {
        free(code);
        code = NULL;
    }
    if (good) {
        *out = (struct wrap_profile_filter){code, (unsigned short)header.length, header.flags};
    }
    return good;
}

static bool look_up(int dir, const char *name, struct wrap_profile_filter *out)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool good = read_file(fd, name, out);
    close(fd);
    return good;
}

/* Profiles come from a node's files, so there are few; whoever makes many fills no memory. */
static bool is_full(int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    unsigned count = 0;
    if (!stream) {
        if (copy >= 0) {
            close(copy);
        }
        return true;
    }
    while (count < FILES_MAX && readdir(stream)) {
        count++;
    }
    closedir(stream);
    return count == FILES_MAX;
}

static bool write_file(int fd, const char *name, const struct wrap_profile_filter *filter)
{
    struct header header = {.flags = filter->flags, .length = filter->length};
    size_t size = filter->length * sizeof *filter->code;
    memcpy(header.magic, magic, sizeof magic);
    digest_of(name, &header, filter->code, header.digest);
    return write(fd, &header, sizeof header) == (ssize_t)sizeof header &&
           (size == 0 || write(fd, filter->code, size) == (ssize_t)size);
}

static void keep(int dir, const char *name, const struct wrap_profile_filter *filter)
{
    char temporary[64];
    uint64_t chance; /* numbers of processes are the same in several namespaces */
    if (is_full(dir) || getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance) {
        return;
    }
    snprintf(temporary, sizeof temporary, ".new-%016llx", (unsigned long long)chance);
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return;
    }
    bool good = write_file(fd, name, filter);
    close(fd);
    if (!good || renameat(dir, temporary, dir, name) < 0) {
        (void)unlinkat(dir, temporary, 0);
    }
}

bool wrap_profile_get(const struct wrap_seccomp *seccomp, const char *folder,
                      struct wrap_profile_filter *out, struct wrap_error *err)
{
    char name[NAME_SIZE];
    *out = (struct wrap_profile_filter){0};
    int dir = open_folder(folder ? folder : default_folder);
    if (dir < 0) {
        return wrap_profile_compile(seccomp, out, err);
    }
    name_of(seccomp, name);
    bool good = look_up(dir, name, out);
    if (!good) {
        good = wrap_profile_compile(seccomp, out, err);
        if (good) {
            keep(dir, name, out);
        }
    }
    close(dir);
    return good;
}
