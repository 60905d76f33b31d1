/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modelled.c - see modelled.h. What is compared of a call: whether it succeeds (PERM where the path
 * leads out), and all that it answers; of the tree: names, kinds, contents, targets, links.
 */
#include "modelled.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 64, DEPTH = 16, TREE_EVERY = 32, SMALL = 64, LISTING = 8192 };

/* ---------------------------------------------------------------- arguments from bytes */

static u32 take(struct modelled *w) { return w->used < w->size ? w->data[w->used++] : 0; }

/* One to four components, sometimes with slashes before or after. */
static const char *take_path(struct modelled *w, char out[PATH_ROOM])
{
    static const char *const names[] = {"a", "b", "c", "a", "b", "a", "b", "d", ".", ".."};
    static const u8 counts[] = {1, 1, 1, 1, 2, 2, 3, 4};
    u32 shape = take(w), count = counts[shape % 8];
    out[0] = '\0';
    if (shape % 61 == 0) return strcpy(out, shape % 2 ? "" : "/a");
    for (u32 i = 0; i < count; i++) {
        if (i > 0) strcat(out, shape % 16 == 5 ? "//" : "/");
        strcat(out, names[take(w) % (sizeof(names) / sizeof(names[0]))]);
    }
    if (shape >= 224) strcat(out, "/");
    return out;
}

static bool is_kind(const struct modelled *w, u32 fd, enum model_kind kind)
{
    return w->fd[fd].open && w->m.node[w->fd[fd].node].kind == kind;
}

/* The preopen, or a directory that is open; sometimes any number. */
static u32 take_fd(struct modelled *w)
{
    u32 n = take(w);
    for (u32 i = 0; n >= 160 && n < 240 && i < MODELLED_FDS; i++) {
        u32 fd = (n + i) % MODELLED_FDS;
        if (is_kind(w, fd, MODEL_DIR)) return fd;
    }
    return n < 240 ? MODELLED_FIRST : n % MODELLED_FDS;
}

/* Of what is open and no directory, if there is one. */
static u32 take_file(struct modelled *w)
{
    u32 n = take(w);
    for (u32 i = 0; i < MODELLED_FDS; i++) {
        u32 fd = (n + i) % MODELLED_FDS;
        if (is_kind(w, fd, MODEL_FILE)) return fd;
    }
    return n % MODELLED_FDS;
}

static int dir_node(const struct modelled *w, u32 fd) { return w->fd[fd].node; }

/* ---------------------------------------------------------------- judging */

static void differ(struct modelled *w, const char *what, const char *detail)
{
    if (w->wrong[0] == '\0')
        snprintf(w->wrong, sizeof(w->wrong), "call %zu: %s: %s", w->calls, what, detail);
}

/* Whether a call did what the model says; true when both succeeded. */
static bool judge(struct modelled *w, const char *what, wasi_errno got, enum model_result want)
{
    char detail[256];
    bool fine = want == MODEL_OK       ? got == WASI_E_SUCCESS
                : want == MODEL_ESCAPE ? got == WASI_E_PERM
                                       : got != WASI_E_SUCCESS;
    w->good += got == WASI_E_SUCCESS;
    if (fine) return got == WASI_E_SUCCESS;
    static const char *const results[] = {"success", "failure", "PERM"};
    snprintf(detail, sizeof(detail), "got %s, the model says %s", wasi_errno_name(got),
             results[want]);
    differ(w, what, detail);
    return false;
}

static void same(struct modelled *w, const char *what, u64 got, u64 want)
{
    char detail[64];
    if (got == want) return;
    snprintf(detail, sizeof(detail), "%llu, the model says %llu", (unsigned long long)got,
             (unsigned long long)want);
    differ(w, what, detail);
}

/* Words of a call for the message. */
static const char *say(char out[256], const char *name, u32 fd, const char *path)
{
    snprintf(out, 256, "%s(%u, \"%s\")", name, fd, path);
    return out;
}

/* ---------------------------------------------------------------- calls with one path */

typedef void call_fn(struct modelled *w);

static void do_open(struct modelled *w)
{
    char path[PATH_ROOM], text[256];
    u32 fd = take_fd(w), flags = take(w), how_rights = take(w);
    int node = -1;
    u32 len = fake_str(w->f, FAKE_PATH, take_path(w, path));
    struct model_open how = {.follow = flags % 2 == 0,
                             .create = (flags & 2) != 0,
                             .directory = (flags & 28) == 28,
                             .exclusive = (flags & 96) == 96,
                             .truncate = (flags & 136) == 136,
                             .write = how_rights % 3 != 0};
    u32 oflags = (how.create ? WASI_OFLAG_CREAT : 0u) | (how.exclusive ? WASI_OFLAG_EXCL : 0u) |
                 (how.truncate ? WASI_OFLAG_TRUNC : 0u) |
                 (how.directory ? WASI_OFLAG_DIRECTORY : 0u);
    u64 rights = how.write ? WASI_RIGHTS_ALL : WASI_RIGHTS_ALL & ~WASI_RIGHTS_WRITING;
    bool append = how_rights % 8 == 1;
    wasi_errno e = CALL(w->f, "path_open", fd, how.follow, FAKE_PATH, len, oflags, rights,
                        WASI_RIGHTS_ALL, append ? WASI_FDFLAG_APPEND : 0, FAKE_OUT);
    enum model_result want = is_kind(w, fd, MODEL_DIR)
                                 ? model_open(&w->m, dir_node(w, fd), path, how, &node)
                                 : MODEL_FAIL;
    snprintf(text, sizeof(text), "path_open(%u, \"%s\", %u, %s%s)", fd, path, oflags,
             how.write ? "write" : "read", how.follow ? ", follow" : "");
    if (!judge(w, text, e, want)) return;
    u32 opened = fake_u32(w->f, FAKE_OUT);
    if (opened >= MODELLED_FDS || w->fd[opened].open) { /* more than we keep */
        (void)CALL(w->f, "fd_close", opened);
        return;
    }
    w->fd[opened] = (struct modelled_fd){true, append, how.write, node, 0};
    model_hold(&w->m, node);
}

typedef enum model_result one_path_fn(struct model *m, int dir, const char *path);

static void do_one_path(struct modelled *w, const char *name, one_path_fn *model)
{
    char path[PATH_ROOM], text[256];
    u32 fd = take_fd(w);
    (void)take_path(w, path);
    wasi_errno e = fake_path_call(w->f, name, fd, path);
    enum model_result want =
        is_kind(w, fd, MODEL_DIR) ? model(&w->m, dir_node(w, fd), path) : MODEL_FAIL;
    (void)judge(w, say(text, name, fd, path), e, want);
}

static void do_mkdir(struct modelled *w) { do_one_path(w, "path_create_directory", model_mkdir); }
static void do_rmdir(struct modelled *w) { do_one_path(w, "path_remove_directory", model_rmdir); }
static void do_unlink(struct modelled *w) { do_one_path(w, "path_unlink_file", model_unlink); }

/* What filestat says of a node. */
static void compare_stat(struct modelled *w, const char *what, int node)
{
    static const u8 types[] = {[MODEL_DIR] = WASI_FILETYPE_DIR,
                               [MODEL_FILE] = WASI_FILETYPE_REGULAR,
                               [MODEL_LINK] = WASI_FILETYPE_SYMLINK};
    const struct model_node *n = &w->m.node[node];
    same(w, what, w->f->mem[FAKE_OUT + 16], types[n->kind]);
    if (n->kind == MODEL_DIR) return;
    same(w, what, fake_u64(w->f, FAKE_OUT + 24), model_links(&w->m, node));
    same(w, what, fake_u64(w->f, FAKE_OUT + 32), n->size);
}

/* The node that a path of one of the calls that only look leads to. */
static enum model_result find(struct modelled *w, u32 fd, const char *path, bool follow, int *node)
{
    if (!is_kind(w, fd, MODEL_DIR)) return MODEL_FAIL;
    return model_find(&w->m, dir_node(w, fd), path, follow, node);
}

static void do_stat(struct modelled *w)
{
    char path[PATH_ROOM], text[256];
    u32 fd = take_fd(w);
    bool follow = take(w) % 2;
    int node;
    wasi_errno e = fake_stat(w->f, fd, take_path(w, path), follow);
    say(text, follow ? "path_filestat_get, follow" : "path_filestat_get", fd, path);
    if (judge(w, text, e, find(w, fd, path, follow, &node))) compare_stat(w, text, node);
}

static void do_times(struct modelled *w)
{
    char path[PATH_ROOM], text[256];
    u32 fd = take_fd(w);
    bool follow = take(w) % 2;
    int node;
    u32 len = fake_str(w->f, FAKE_PATH, take_path(w, path));
    wasi_errno e = CALL(w->f, "path_filestat_set_times", fd, follow, FAKE_PATH, len, 5, 7, 5);
    say(text, "path_filestat_set_times", fd, path);
    (void)judge(w, text, e, find(w, fd, path, follow, &node));
}

static void do_readlink(struct modelled *w)
{
    char path[PATH_ROOM], text[256];
    u32 fd = take_fd(w);
    int node;
    u32 len = fake_str(w->f, FAKE_PATH, take_path(w, path));
    wasi_errno e =
        CALL(w->f, "path_readlink", fd, FAKE_PATH, len, FAKE_DATA, MODEL_BYTES, FAKE_OUT);
    enum model_result want = find(w, fd, path, false, &node);
    if (want == MODEL_OK && w->m.node[node].kind != MODEL_LINK) want = MODEL_FAIL;
    if (!judge(w, say(text, "path_readlink", fd, path), e, want)) return;
    const struct model_node *n = &w->m.node[node];
    same(w, text, fake_u32(w->f, FAKE_OUT), n->size);
    if (memcmp(w->f->mem + FAKE_DATA, n->bytes, n->size) != 0) differ(w, text, "another target");
}

/* ---------------------------------------------------------------- calls with two paths */

static void do_symlink(struct modelled *w)
{
    char target[PATH_ROOM], path[PATH_ROOM], text[256];
    u32 fd = take_fd(w);
    u32 len = fake_str(w->f, FAKE_PATH, take_path(w, target));
    u32 len2 = fake_str(w->f, FAKE_PATH2, take_path(w, path));
    wasi_errno e = CALL(w->f, "path_symlink", FAKE_PATH, len, fd, FAKE_PATH2, len2);
    enum model_result want = is_kind(w, fd, MODEL_DIR)
                                 ? model_symlink(&w->m, target, dir_node(w, fd), path)
                                 : MODEL_FAIL;
    snprintf(text, sizeof(text), "path_symlink(\"%s\", %u, \"%s\")", target, fd, path);
    (void)judge(w, text, e, want);
}

static void do_two_paths(struct modelled *w, bool is_link)
{
    char path[PATH_ROOM], path2[PATH_ROOM], text[256];
    u32 fd = take_fd(w), fd2 = take_fd(w);
    bool follow = is_link && take(w) % 2;
    u32 len = fake_str(w->f, FAKE_PATH, take_path(w, path));
    u32 len2 = fake_str(w->f, FAKE_PATH2, take_path(w, path2));
    wasi_errno e = is_link
                       ? CALL(w->f, "path_link", fd, follow, FAKE_PATH, len, fd2, FAKE_PATH2, len2)
                       : CALL(w->f, "path_rename", fd, FAKE_PATH, len, fd2, FAKE_PATH2, len2);
    enum model_result want = MODEL_FAIL;
    if (is_kind(w, fd, MODEL_DIR) && is_kind(w, fd2, MODEL_DIR))
        want = is_link ? model_link(&w->m, dir_node(w, fd), path, follow, dir_node(w, fd2), path2)
                       : model_rename(&w->m, dir_node(w, fd), path, dir_node(w, fd2), path2);
    snprintf(text, sizeof(text), "%s(%u, \"%s\", %u, \"%s\")%s",
             is_link ? "path_link" : "path_rename", fd, path, fd2, path2, follow ? ", follow" : "");
    (void)judge(w, text, e, want);
}

static void do_link(struct modelled *w) { do_two_paths(w, true); }
static void do_rename(struct modelled *w) { do_two_paths(w, false); }

/* ---------------------------------------------------------------- descriptors */

static void put_iov(struct modelled *w, u32 len)
{
    wasi_put32(w->f->mem + FAKE_IOV, FAKE_DATA);
    wasi_put32(w->f->mem + FAKE_IOV + 4, len);
}

static void do_read(struct modelled *w)
{
    u8 want[SMALL];
    char text[64];
    u32 fd = take_file(w), n = take(w) % SMALL;
    bool positioned = take(w) % 2;
    struct modelled_fd *d = &w->fd[fd];
    u64 at = positioned ? take(w) % SMALL : d->at;
    put_iov(w, n);
    wasi_errno e = positioned ? CALL(w->f, "fd_pread", fd, FAKE_IOV, 1, at, FAKE_OUT)
                              : CALL(w->f, "fd_read", fd, FAKE_IOV, 1, FAKE_OUT);
    snprintf(text, sizeof(text), "fd_%sread(%u, %u)", positioned ? "p" : "", fd, n);
    if (!judge(w, text, e, is_kind(w, fd, MODEL_FILE) ? MODEL_OK : MODEL_FAIL)) return;
    u32 got = model_read(&w->m, d->node, at, want, n);
    same(w, text, fake_u32(w->f, FAKE_OUT), got);
    if (memcmp(w->f->mem + FAKE_DATA, want, got) != 0) differ(w, text, "other bytes");
    if (!positioned) d->at += got;
}

static void do_write(struct modelled *w)
{
    char text[64];
    u32 fd = take_file(w), n = take(w) % 24;
    bool positioned = take(w) % 2;
    struct modelled_fd *d = &w->fd[fd];
    bool may = is_kind(w, fd, MODEL_FILE) && d->write;
    u64 at = positioned ? take(w) % SMALL : may && d->append ? w->m.node[d->node].size : d->at;
    if (may && at + n > MODEL_BYTES) return;
    memset(w->f->mem + FAKE_DATA, (int)('a' + w->calls % 26), n);
    put_iov(w, n);
    wasi_errno e = positioned ? CALL(w->f, "fd_pwrite", fd, FAKE_IOV, 1, at, FAKE_OUT)
                              : CALL(w->f, "fd_write", fd, FAKE_IOV, 1, FAKE_OUT);
    snprintf(text, sizeof(text), "fd_%swrite(%u, %u)", positioned ? "p" : "", fd, n);
    enum model_result want =
        may ? model_write(&w->m, d->node, at, w->f->mem + FAKE_DATA, n) : MODEL_FAIL;
    if (!judge(w, text, e, want)) return;
    same(w, text, fake_u32(w->f, FAKE_OUT), n);
    if (!positioned && n > 0) d->at = at + n;
}

static void do_seek(struct modelled *w)
{
    char text[64];
    u32 fd = take_file(w), whence = take(w) % 3;
    i64 by = (i64)(take(w) % SMALL) - 16, from = 0;
    bool is_file = is_kind(w, fd, MODEL_FILE);
    if (is_file && whence == WASI_WHENCE_CUR) from = (i64)w->fd[fd].at;
    if (is_file && whence == WASI_WHENCE_END) from = w->m.node[w->fd[fd].node].size;
    if (from + by > MODEL_BYTES) return;
    wasi_errno e = CALL(w->f, "fd_seek", fd, (u64)by, whence, FAKE_OUT);
    snprintf(text, sizeof(text), "fd_seek(%u, %lld, %u)", fd, (long long)by, whence);
    if (!judge(w, text, e, is_file && from + by >= 0 ? MODEL_OK : MODEL_FAIL)) return;
    w->fd[fd].at = (u64)(from + by);
    same(w, text, fake_u64(w->f, FAKE_OUT), w->fd[fd].at);
}

static void do_set_size(struct modelled *w)
{
    char text[64];
    u32 fd = take_file(w), size = take(w) % MODEL_BYTES;
    bool may = is_kind(w, fd, MODEL_FILE) && w->fd[fd].write;
    wasi_errno e = CALL(w->f, "fd_filestat_set_size", fd, size);
    snprintf(text, sizeof(text), "fd_filestat_set_size(%u, %u)", fd, size);
    (void)judge(w, text, e, may ? model_set_size(&w->m, w->fd[fd].node, size) : MODEL_FAIL);
}

static void do_fd_stat(struct modelled *w)
{
    char text[64];
    u32 fd = take_fd(w);
    wasi_errno e = CALL(w->f, "fd_filestat_get", fd, FAKE_OUT);
    snprintf(text, sizeof(text), "fd_filestat_get(%u)", fd);
    if (judge(w, text, e, w->fd[fd].open ? MODEL_OK : MODEL_FAIL) &&
        is_kind(w, fd, MODEL_FILE)) /* a removed directory may have any number of links */
        compare_stat(w, text, w->fd[fd].node);
}

/* Every name of the model once, "." and ".."; nothing at all of a directory that was removed. */
static void do_readdir(struct modelled *w)
{
    char text[64], name[MODEL_NAME];
    u32 fd = take_fd(w), found = 0, dots = 0;
    wasi_errno e = CALL(w->f, "fd_readdir", fd, FAKE_DATA, LISTING, 0, FAKE_OUT);
    bool is_dir = is_kind(w, fd, MODEL_DIR);
    snprintf(text, sizeof(text), "fd_readdir(%u)", fd);
    if (!judge(w, text, e, is_dir ? MODEL_OK : MODEL_FAIL)) return;
    int dir = dir_node(w, fd);
    for (u32 at = 0, end = fake_u32(w->f, FAKE_OUT); at < end;) {
        u32 len = wasi_get32(w->f->mem + FAKE_DATA + at + 16);
        if (len >= MODEL_NAME) {
            differ(w, text, "a name that nobody made");
            return;
        }
        memcpy(name, w->f->mem + FAKE_DATA + at + WASI_DIRENT_BYTES, len);
        name[len] = '\0';
        dots += strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        found += model_at(&w->m, dir, name) >= 0;
        at += WASI_DIRENT_BYTES + len;
    }
    same(w, text, found, model_count(&w->m, dir));
    same(w, text, dots, model_links(&w->m, dir) > 0 ? 2 : 0);
}

static void forget(struct modelled *w, u32 fd)
{
    if (!w->fd[fd].open) return;
    w->fd[fd].open = false;
    model_drop(&w->m, w->fd[fd].node);
}

static void do_close(struct modelled *w)
{
    u32 fd = take_file(w);
    if (fd == MODELLED_FIRST) return;
    wasi_errno e = CALL(w->f, "fd_close", fd);
    if (judge(w, "fd_close", e, w->fd[fd].open ? MODEL_OK : MODEL_FAIL)) forget(w, fd);
}

static void do_renumber(struct modelled *w)
{
    char text[64];
    u32 from = take_file(w), to = take_fd(w);
    if (from == MODELLED_FIRST || to == MODELLED_FIRST) return;
    wasi_errno e = CALL(w->f, "fd_renumber", from, to);
    bool may = w->fd[from].open && w->fd[to].open;
    snprintf(text, sizeof(text), "fd_renumber(%u, %u)", from, to);
    if (!judge(w, text, e, may ? MODEL_OK : MODEL_FAIL) || from == to) return;
    forget(w, to);
    w->fd[to] = w->fd[from];
    w->fd[from].open = false;
}

/* ---------------------------------------------------------------- the trees */

static void compare_file(struct modelled *w, const char *sub, const struct model_node *n)
{
    char got[MODEL_BYTES + 1];
    ssize_t len = -1;
    if (n->kind == MODEL_LINK) {
        len = readlink(host_path(w->f, sub), got, sizeof(got));
    } else {
        int fd = open(host_path(w->f, sub), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) len = read(fd, got, sizeof(got));
        if (fd >= 0) close(fd);
    }
    if (len != (ssize_t)n->size || memcmp(got, n->bytes, n->size) != 0)
        differ(w, sub, "other contents");
}

static u32 host_count(const struct modelled *w, const char *sub)
{
    u32 n = 0;
    DIR *dir = opendir(host_path(w->f, sub));
    while (dir != NULL && readdir(dir) != NULL) n++;
    if (dir != NULL) closedir(dir);
    return n;
}

/* All that the model has beneath `dir`, and no more: directories above `sub` are `depth`. */
static void compare_tree(struct modelled *w, const char *sub, int dir, int depth)
{
    static const mode_t kinds[] = {
        [MODEL_DIR] = S_IFDIR, [MODEL_FILE] = S_IFREG, [MODEL_LINK] = S_IFLNK};
    char path[256];
    same(w, sub, host_count(w, sub), model_count(&w->m, dir) + 2);
    for (int i = 0; i < MODEL_ENTRIES && w->wrong[0] == '\0'; i++) {
        const struct model_entry *entry = &w->m.entry[i];
        if (entry->dir != dir) continue;
        const struct model_node *n = &w->m.node[entry->node];
        struct stat st;
        snprintf(path, sizeof(path), "%s/%s", sub, entry->name);
        if (lstat(host_path(w->f, path), &st) != 0 || (st.st_mode & S_IFMT) != kinds[n->kind]) {
            differ(w, path, "is not there, or is something else");
        } else if (n->kind != MODEL_DIR) {
            same(w, path, st.st_nlink, model_links(&w->m, entry->node));
            compare_file(w, path, n);
        } else if (depth < DEPTH) {
            compare_tree(w, path, entry->node, depth + 1);
        }
    }
}

static void compare_all(struct modelled *w)
{
    compare_tree(w, "in", MODEL_ROOT, 0);
    same(w, "names beside the preopen", host_count(w, ""), 2 + 3);
    for (int i = 0; i < 2; i++) {
        const char *sub = i == 0 ? "a" : "canary";
        struct stat st;
        char got[16] = "";
        int fd = open(host_path(w->f, sub), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || read(fd, got, sizeof(got) - 1) < 0 || strcmp(got, "untouched") != 0 ||
            fstat(fd, &st) != 0 || st.st_nlink != 1 || st.st_mtim.tv_sec < 10)
            differ(w, sub, "the canary has changed");
        if (fd >= 0) close(fd);
    }
}

/* ---------------------------------------------------------------- the sequence */

void modelled_init(struct modelled *w, struct fake *f)
{
    memset(w, 0, sizeof(*w));
    w->f = f;
    host_mkdir(f, "in");
    host_write(f, "a", "untouched"); /* a name that paths use */
    host_write(f, "canary", "untouched");
    fake_preopen(f, "in", "/", false);
    model_init(&w->m);
    w->fd[MODELLED_FIRST] = (struct modelled_fd){.open = true, .node = MODEL_ROOT};
}

const char *modelled_run(struct modelled *w, const u8 *data, size_t size)
{
    static call_fn *const calls[] = {
        do_open,     do_open,  do_open,  do_open,    do_mkdir,    do_mkdir,  do_rmdir, do_unlink,
        do_symlink,  do_link,  do_link,  do_rename,  do_rename,   do_rename, do_stat,  do_times,
        do_readlink, do_read,  do_read,  do_write,   do_write,    do_write,  do_seek,  do_set_size,
        do_fd_stat,  do_close, do_close, do_readdir, do_renumber, do_symlink};
    w->data = data;
    w->size = size;
    while (w->used < w->size && w->wrong[0] == '\0' && model_has_room(&w->m)) {
        calls[take(w) % (sizeof(calls) / sizeof(calls[0]))](w);
        if (++w->calls % TREE_EVERY == 0) compare_all(w);
    }
    compare_all(w);
    return w->wrong[0] != '\0' ? w->wrong : NULL;
}
