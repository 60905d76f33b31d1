/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.c - see model.h. Written from what POSIX says of each call, not from wasi/fd.
 */
#include "model.h"

#include <string.h>

enum { LINKS_FOLLOWED = 40, REST = 4096 };

/* ---------------------------------------------------------------- nodes and entries */

void model_init(struct model *m)
{
    memset(m, 0, sizeof(*m));
    for (int i = 0; i < MODEL_ENTRIES; i++) m->entry[i].dir = -1;
    m->node[MODEL_ROOT] = (struct model_node){.kind = MODEL_DIR, .opens = 1};
}

static int free_node(const struct model *m)
{
    for (int i = 0; i < MODEL_NODES; i++)
        if (m->node[i].kind == MODEL_FREE) return i;
    return -1;
}

static int free_entry(const struct model *m)
{
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (m->entry[i].dir < 0) return i;
    return -1;
}

bool model_has_room(const struct model *m) { return free_node(m) >= 0 && free_entry(m) >= 0; }

static int entry_of(const struct model *m, int dir, const char *name)
{
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (m->entry[i].dir == dir && strcmp(m->entry[i].name, name) == 0) return i;
    return -1;
}

int model_at(const struct model *m, int dir, const char *name)
{
    int i = entry_of(m, dir, name);
    return i < 0 ? -1 : m->entry[i].node;
}

static bool is_dir(const struct model *m, int node)
{
    return node >= 0 && m->node[node].kind == MODEL_DIR;
}

/* A directory has one parent, the root is its own; -1: it has been removed. */
static int parent_of(const struct model *m, int dir)
{
    if (dir == MODEL_ROOT) return MODEL_ROOT;
    for (int i = 0; i < MODEL_ENTRIES; i++)
        if (m->entry[i].dir >= 0 && m->entry[i].node == dir) return m->entry[i].dir;
    return -1;
}

u32 model_links(const struct model *m, int node)
{
    u32 n = node == MODEL_ROOT;
    for (int i = 0; i < MODEL_ENTRIES; i++) n += m->entry[i].dir >= 0 && m->entry[i].node == node;
    return n;
}

u32 model_count(const struct model *m, int dir)
{
    u32 n = 0;
    for (int i = 0; i < MODEL_ENTRIES; i++) n += m->entry[i].dir == dir;
    return n;
}

static void free_unused(struct model *m, int node)
{
    if (m->node[node].opens == 0 && model_links(m, node) == 0) m->node[node].kind = MODEL_FREE;
}

void model_hold(struct model *m, int node) { m->node[node].opens++; }

void model_drop(struct model *m, int node)
{
    m->node[node].opens--;
    free_unused(m, node);
}

static void add_entry(struct model *m, int dir, const char *name, int node)
{
    struct model_entry *e = &m->entry[free_entry(m)];
    e->dir = dir;
    e->node = node;
    strcpy(e->name, name);
}

static void remove_entry(struct model *m, int entry)
{
    int node = m->entry[entry].node;
    m->entry[entry].dir = -1;
    free_unused(m, node);
}

static int add_node(struct model *m, int dir, const char *name, enum model_kind kind)
{
    int node = free_node(m);
    m->node[node] = (struct model_node){.kind = kind};
    add_entry(m, dir, name, node);
    return node;
}

static bool is_above(const struct model *m, int above, int dir)
{
    for (; dir >= 0; dir = parent_of(m, dir)) {
        if (dir == above) return true;
        if (dir == MODEL_ROOT) return false;
    }
    return false;
}

/* ---------------------------------------------------------------- paths */

/* Where a path leads. */
struct place {
    enum model_result result;
    int node; /* -1: nothing is there, but `name` may be put into `dir` */
    int dir;
    char name[MODEL_NAME];
    bool slash; /* slashes come after the last component */
    bool dot;   /* of a parent: the last component is "." or ".." */
};

static struct place at_node(int node) { return (struct place){.node = node, .dir = -1}; }

static struct place refused(enum model_result result)
{
    return (struct place){.result = result, .node = -1};
}

/* Cuts the first component off `rest`; whether slashes follow it. */
static bool take_name(char *rest, char name[MODEL_NAME])
{
    size_t skip = strspn(rest, "/"), len = strcspn(rest + skip, "/");
    memcpy(name, rest + skip, len);
    name[len] = '\0';
    bool slash = rest[skip + len] == '/';
    skip += len + strspn(rest + skip + len, "/");
    memmove(rest, rest + skip, strlen(rest + skip) + 1);
    return slash;
}

/* Puts a symlink's target in front of what is left to walk. */
static void splice(char *rest, const struct model_node *link, bool slash)
{
    char left[REST];
    strcpy(left, rest);
    memcpy(rest, link->bytes, link->size);
    rest[link->size] = '\0';
    if (slash) strcat(rest, "/");
    strcat(rest, left);
}

/* Slashes after the name of something to be made are a failure before anything is looked up. */
static struct place walk(const struct model *m, int start, const char *path, bool follow,
                         bool create)
{
    char rest[REST], name[MODEL_NAME];
    int at = start, links = 0;
    if (path[0] == '\0') return refused(MODEL_FAIL);
    strcpy(rest, path);
    if (rest[0] == '/') return refused(MODEL_ESCAPE);
    for (;;) {
        bool slash = take_name(rest, name), last = rest[0] == '\0';
        if (name[0] == '\0') return at_node(at);
        if (strcmp(name, ".") == 0) continue;
        if (strcmp(name, "..") == 0) {
            if (at == start) return refused(MODEL_ESCAPE);
            at = parent_of(m, at);
            continue;
        }
        if (create && last && slash) return refused(MODEL_FAIL);
        int node = model_at(m, at, name);
        if (node < 0) {
            struct place p = {.result = last ? MODEL_OK : MODEL_FAIL, .node = -1, .dir = at};
            strcpy(p.name, name);
            p.slash = slash;
            return p;
        }
        const struct model_node *n = &m->node[node];
        if (n->kind == MODEL_LINK && (follow || !last || slash)) {
            if (++links > LINKS_FOLLOWED) return refused(MODEL_FAIL);
            if (n->bytes[0] == '/') return refused(MODEL_ESCAPE);
            splice(rest, n, slash);
            continue;
        }
        if (n->kind != MODEL_DIR) return last && !slash ? at_node(node) : refused(MODEL_FAIL);
        at = node;
    }
}

/* The directory of the last component, followed, and what that component is, not followed. */
static struct place walk_parent(const struct model *m, int start, const char *path)
{
    char above[REST];
    struct place p = {.node = -1, .dir = start};
    if (path[0] == '\0') return refused(MODEL_FAIL);
    if (path[0] == '/') return refused(MODEL_ESCAPE);
    strcpy(above, path);
    size_t end = strlen(above);
    while (above[end - 1] == '/') end--;
    p.slash = above[end] == '/';
    above[end] = '\0';
    char *slash = strrchr(above, '/');
    strcpy(p.name, slash != NULL ? slash + 1 : above);
    p.dot = strcmp(p.name, ".") == 0 || strcmp(p.name, "..") == 0;
    if (slash != NULL) {
        slash[1] = '\0';
        struct place dir = walk(m, start, above, true, false);
        if (dir.result != MODEL_OK) return dir;
        if (!is_dir(m, dir.node)) return refused(MODEL_FAIL);
        p.dir = dir.node;
    }
    if (!p.dot) p.node = model_at(m, p.dir, p.name);
    return p;
}

/* Nothing can be made in a directory that has been removed. */
static bool is_gone(const struct model *m, int dir) { return parent_of(m, dir) < 0; }

enum model_result model_find(const struct model *m, int dir, const char *path, bool follow,
                             int *node)
{
    struct place p = walk(m, dir, path, follow, false);
    *node = p.node;
    return p.result == MODEL_OK && p.node < 0 ? MODEL_FAIL : p.result;
}

/* ---------------------------------------------------------------- calls with a path */

/* What is there already. */
static enum model_result open_node(struct model *m, int node, struct model_open how)
{
    struct model_node *n = &m->node[node];
    if (how.create && how.exclusive) return MODEL_FAIL;
    if (n->kind == MODEL_LINK) return MODEL_FAIL; /* it was not to be followed */
    if (n->kind == MODEL_DIR)
        return how.write || how.truncate || how.create ? MODEL_FAIL : MODEL_OK;
    if (how.directory) return MODEL_FAIL;
    if (how.truncate) n->size = 0;
    return MODEL_OK;
}

enum model_result model_open(struct model *m, int dir, const char *path, struct model_open how,
                             int *node)
{
    bool follow = how.follow && !(how.create && how.exclusive);
    if (how.directory && (how.create || how.exclusive || how.truncate)) return MODEL_FAIL;
    struct place p = walk(m, dir, path, follow, how.create);
    if (p.result != MODEL_OK) return p.result;
    *node = p.node;
    if (p.node >= 0) return open_node(m, p.node, how);
    if (!how.create || p.slash || is_gone(m, p.dir)) return MODEL_FAIL;
    *node = add_node(m, p.dir, p.name, MODEL_FILE);
    return MODEL_OK;
}

/* Where something new may be: nothing is there. */
static struct place walk_new(const struct model *m, int dir, const char *path)
{
    struct place p = walk_parent(m, dir, path);
    bool bad = p.result == MODEL_OK && (p.dot || p.node >= 0 || is_gone(m, p.dir));
    return bad ? refused(MODEL_FAIL) : p;
}

enum model_result model_mkdir(struct model *m, int dir, const char *path)
{
    struct place p = walk_new(m, dir, path);
    if (p.result == MODEL_OK) (void)add_node(m, p.dir, p.name, MODEL_DIR);
    return p.result;
}

enum model_result model_rmdir(struct model *m, int dir, const char *path)
{
    struct place p = walk_parent(m, dir, path);
    if (p.result != MODEL_OK) return p.result;
    if (p.dot || !is_dir(m, p.node) || model_count(m, p.node) > 0) return MODEL_FAIL;
    remove_entry(m, entry_of(m, p.dir, p.name));
    return MODEL_OK;
}

enum model_result model_unlink(struct model *m, int dir, const char *path)
{
    struct place p = walk_parent(m, dir, path);
    if (p.result != MODEL_OK) return p.result;
    if (p.dot || p.slash || p.node < 0 || is_dir(m, p.node)) return MODEL_FAIL;
    remove_entry(m, entry_of(m, p.dir, p.name));
    return MODEL_OK;
}

enum model_result model_symlink(struct model *m, const char *target, int dir, const char *path)
{
    if (target[0] == '/') return MODEL_ESCAPE;
    if (target[0] == '\0') return MODEL_FAIL;
    struct place p = walk_new(m, dir, path);
    if (p.result != MODEL_OK) return p.result;
    if (p.slash) return MODEL_FAIL;
    struct model_node *n = &m->node[add_node(m, p.dir, p.name, MODEL_LINK)];
    n->size = (u32)strlen(target);
    memcpy(n->bytes, target, n->size);
    return MODEL_OK;
}

enum model_result model_link(struct model *m, int dir, const char *path, bool follow, int dir2,
                             const char *path2)
{
    struct place from = walk_parent(m, dir, path);
    if (from.result != MODEL_OK) return from.result;
    struct place to = walk_parent(m, dir2, path2);
    if (to.result != MODEL_OK) return to.result;
    if (follow) from = walk(m, dir, path, true, false);
    if (from.result != MODEL_OK) return from.result;
    bool plain = !from.dot && !from.slash && from.node >= 0 && !is_dir(m, from.node);
    if (!plain || to.dot || to.slash || to.node >= 0 || is_gone(m, to.dir)) return MODEL_FAIL;
    add_entry(m, to.dir, to.name, from.node);
    return MODEL_OK;
}

/* Whether what is at `to` may be replaced by what is at `from`. */
static bool may_replace(const struct model *m, const struct place *from, const struct place *to)
{
    bool dir = is_dir(m, from->node);
    if (dir && is_above(m, from->node, to->dir)) return false;
    if (to->node < 0) return true;
    return dir == is_dir(m, to->node) && model_count(m, to->node) == 0;
}

enum model_result model_rename(struct model *m, int dir, const char *path, int dir2,
                               const char *path2)
{
    struct place from = walk_parent(m, dir, path);
    if (from.result != MODEL_OK) return from.result;
    struct place to = walk_parent(m, dir2, path2);
    if (to.result != MODEL_OK) return to.result;
    if (from.dot || to.dot || from.node < 0 || is_gone(m, to.dir)) return MODEL_FAIL;
    if (!is_dir(m, from.node) && (from.slash || to.slash)) return MODEL_FAIL;
    if (from.node == to.node) return MODEL_OK;
    if (!may_replace(m, &from, &to)) return MODEL_FAIL;
    int node = from.node;
    model_hold(m, node);
    if (to.node >= 0) remove_entry(m, entry_of(m, to.dir, to.name));
    remove_entry(m, entry_of(m, from.dir, from.name));
    add_entry(m, to.dir, to.name, node);
    model_drop(m, node);
    return MODEL_OK;
}

/* ---------------------------------------------------------------- contents */

u32 model_read(const struct model *m, int file, u64 at, u8 *out, u32 n)
{
    const struct model_node *f = &m->node[file];
    if (at >= f->size) return 0;
    if (n > f->size - at) n = f->size - (u32)at;
    memcpy(out, f->bytes + at, n);
    return n;
}

enum model_result model_write(struct model *m, int file, u64 at, const u8 *bytes, u32 n)
{
    struct model_node *f = &m->node[file];
    if (n == 0) return MODEL_OK;
    if (at > MODEL_BYTES || n > MODEL_BYTES - at) return MODEL_FAIL;
    if (at > f->size) memset(f->bytes + f->size, 0, (size_t)(at - f->size));
    memcpy(f->bytes + at, bytes, n);
    if (at + n > f->size) f->size = (u32)at + n;
    return MODEL_OK;
}

enum model_result model_set_size(struct model *m, int file, u64 size)
{
    struct model_node *f = &m->node[file];
    if (size > MODEL_BYTES) return MODEL_FAIL;
    if (size > f->size) memset(f->bytes + f->size, 0, (size_t)(size - f->size));
    f->size = (u32)size;
    return MODEL_OK;
}
