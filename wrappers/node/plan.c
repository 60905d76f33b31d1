/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - see plan.h. */
#include "node/plan.h"

#include "common/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTEXT = 3 /* lines around a difference */ };

/* ---------------------------------------------------------------- making */

static bool add(struct wrap_node_plan *plan, struct wrap_node_change change, const char *path,
                struct wrap_error *err)
{
    struct wrap_node_change *grown =
        realloc(plan->changes, (plan->count + 1) * sizeof *plan->changes);
    if (grown) plan->changes = grown;
    change.path = grown ? strdup(path) : NULL;
    if (!change.path) {
        wrap_node_file_free(&change.before);
        wrap_node_file_free(&change.content);
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
    }
    plan->changes[plan->count++] = change;
    return true;
}

bool wrap_node_plan_write(struct wrap_node_plan *plan, const struct wrap_node_change *change,
                          mode_t mode, struct wrap_error *err)
{
    struct wrap_node_change made = *change;
    made.content.exists = true;
    made.content.st = (struct stat){.st_mode = S_IFREG | mode};
    made.backup = made.distro && made.before.exists;
    if (made.before.exists && made.before.size == made.content.size &&
        memcmp(made.before.data, made.content.data, made.content.size) == 0) {
        wrap_node_file_free(&made.before);
        wrap_node_file_free(&made.content);
        return true;
    }
    return add(plan, made, change->path, err);
}

bool wrap_node_plan_remove(struct wrap_node_plan *plan, const struct wrap_node_change *change,
                           struct wrap_error *err)
{
    struct wrap_node_change made = *change;
    made.remove = true;
    return add(plan, made, change->path, err);
}

void wrap_node_plan_free(struct wrap_node_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->changes[i].path);
        wrap_node_file_free(&plan->changes[i].before);
        wrap_node_file_free(&plan->changes[i].content);
    }
    free(plan->changes);
    *plan = (struct wrap_node_plan){0};
}

bool wrap_node_plan_changes(const struct wrap_node_plan *plan,
                            const struct wrap_node_distro *distro)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (!distro || plan->changes[i].distro == distro) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- printing */

static size_t line_size(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
}

static size_t count_lines(const char *at, const char *end)
{
    size_t count = 0;
    for (; at < end; at += line_size(at, end)) {
        count++;
    }
    return count;
}

/* Bytes of the whole lines that two texts have at their beginning. */
static size_t common_head(const struct wrap_node_file *a, const struct wrap_node_file *b)
{
    size_t at = 0;
    while (at < a->size && at < b->size) {
        size_t size = line_size(a->data + at, a->data + a->size);
        if (size != line_size(b->data + at, b->data + b->size) ||
            memcmp(a->data + at, b->data + at, size) != 0) {
            break;
        }
        at += size;
    }
    return at;
}

/* The same at their end, of what is behind `head`. */
static size_t common_tail(const struct wrap_node_file *a, const struct wrap_node_file *b,
                          size_t head)
{
    size_t size = 0, whole = 0;
    size_t most = (a->size < b->size ? a->size : b->size) - head;
    while (size < most && a->data[a->size - size - 1] == b->data[b->size - size - 1]) {
        size++;
        bool begins_a = size == a->size - head || a->data[a->size - size - 1] == '\n';
        bool begins_b = size == b->size - head || b->data[b->size - size - 1] == '\n';
        if (begins_a && begins_b) whole = size;
    }
    return whole;
}

static void put_lines(char mark, const char *at, const char *end, size_t most)
{
    for (; at < end && most > 0; most--) {
        size_t size = line_size(at, end);
        bool whole = at[size - 1] == '\n';
        wrap_print(stdout, "%c%.*s\n", mark, (int)(size - whole), at);
        if (!whole) puts("\\ No newline at end of file");
        at += size;
    }
}

/* Where the last CONTEXT lines before `at` begin. */
static const char *back(const char *begin, const char *at)
{
    for (int lines = 0; at > begin && lines <= CONTEXT; at--) {
        lines += at[-1] == '\n';
        if (lines > CONTEXT) return at;
    }
    return at;
}

/* One hunk: we change one place of a file. */
static void print_diff(const char *path, const struct wrap_node_file *a,
                       const struct wrap_node_file *b)
{
    size_t head = common_head(a, b), tail = common_tail(a, b, head);
    const char *head_end = a->data + head, *from = back(a->data, head_end);
    const char *a_end = a->data + a->size - tail, *b_end = b->data + b->size - tail;
    const char *tail_end = a->data + a->size;
    size_t first = count_lines(a->data, from), before = count_lines(from, head_end);
    size_t after = count_lines(a_end, tail_end);
    if (after > CONTEXT) after = CONTEXT;
    size_t a_count = before + count_lines(head_end, a_end) + after;
    size_t b_count = before + count_lines(b->data + head, b_end) + after;
    wrap_print(stdout, "--- %s\n", a->exists ? path : "/dev/null");
    wrap_print(stdout, "+++ %s\n", b->exists ? path : "/dev/null");
    printf("@@ -%zu,%zu +%zu,%zu @@\n", first + (a_count > 0), a_count, first + (b_count > 0),
           b_count);
    put_lines(' ', from, head_end, SIZE_MAX);
    put_lines('-', head_end, a_end, SIZE_MAX);
    put_lines('+', b->data + head, b_end, SIZE_MAX);
    put_lines(' ', a_end, tail_end, after);
}

void wrap_node_plan_print(const struct wrap_node_plan *plan)
{
    static char nothing[] = "";
    for (size_t i = 0; i < plan->count; i++) {
        const struct wrap_node_change *change = &plan->changes[i];
        char hash[WRAP_NODE_HASH];
        if (change->distro) {
            struct wrap_node_file before = change->before, after = change->content;
            before.data = before.data ? before.data : nothing;
            after.data = after.data ? after.data : nothing;
            print_diff(change->path, &before, &after);
        } else if (change->remove) {
            wrap_print(stdout, "remove %s\n", change->path);
        } else {
            wrap_node_hash(change->content.data, change->content.size, hash);
            wrap_print(stdout, "%s %s (sha256 %s)\n", change->before.exists ? "replace" : "copy to",
                       change->path, hash);
        }
    }
}

/* ---------------------------------------------------------------- carrying out */

/* The first original is kept until it is back in its place. */
static bool back_up(const struct wrap_node *node, const struct wrap_node_change *change,
                    struct wrap_error *err)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s" WRAP_NODE_BACKUP, change->path);
    if (length < 0 || (size_t)length >= sizeof path) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: too long a path", change->path);
    }
    return wrap_node_exists(node->root, path) ||
           wrap_node_file_write(node->root, path, &change->before, &change->before, err);
}

/* A backup that is what is in the file again is of no use. */
static void drop_backup(const struct wrap_node *node, const struct wrap_node_change *change)
{
    char path[PATH_MAX];
    struct wrap_node_file kept;
    struct wrap_error ignored = {0};
    snprintf(path, sizeof path, "%s" WRAP_NODE_BACKUP, change->path);
    if (!wrap_node_file_read(node->root, path, WRAP_NODE_TEXT_MAX, &kept, &ignored)) return;
    bool same = kept.exists && kept.size == change->content.size &&
                memcmp(kept.data, change->content.data, kept.size) == 0;
    if (same) {
        (void)wrap_node_file_remove(node->root, path, &ignored);
    } else if (kept.exists && !strstr(change->content.data, "# BEGIN " WRAP_NODE_PROGRAM)) {
        wrap_print(stdout, "kept %s: the file was changed since\n", path);
    }
    wrap_node_file_free(&kept);
}

static bool carry_out(const struct wrap_node *node, struct wrap_node_change *change,
                      struct wrap_error *err)
{
    if (change->remove) {
        change->done = wrap_node_file_remove(node->root, change->path, err);
    } else {
        change->done = (!change->backup || back_up(node, change, err)) &&
                       wrap_node_file_write(node->root, change->path, &change->content,
                                            change->distro ? &change->before : NULL, err);
        if (change->done && change->backup) drop_backup(node, change);
    }
    if (change->done) {
        wrap_print(stdout, "%s %s\n", change->remove ? "removed" : "wrote", change->path);
    }
    return change->done;
}

static bool take_back(const struct wrap_node *node, struct wrap_node_change *change,
                      struct wrap_error *err)
{
    bool good = change->before.exists ? wrap_node_file_write(node->root, change->path,
                                                             &change->before, &change->before, err)
                                      : wrap_node_file_remove(node->root, change->path, err);
    if (good) wrap_print(stdout, "put back %s\n", change->path);
    change->done = !good;
    return good;
}

bool wrap_node_plan_undo(const struct wrap_node *node, struct wrap_node_plan *plan,
                         const struct wrap_node_distro *distro, struct wrap_error *err)
{
    bool good = true;
    for (size_t i = plan->count; i-- > 0;) {
        struct wrap_node_change *change = &plan->changes[i];
        if (!change->distro || !change->done || (distro && change->distro != distro)) continue;
        good = take_back(node, change, err) && good;
    }
    return good;
}

bool wrap_node_plan_apply(const struct wrap_node *node, struct wrap_node_plan *plan, bool binaries,
                          struct wrap_error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct wrap_node_change *change = &plan->changes[i];
        if ((change->distro == NULL) != binaries) continue;
        if (!carry_out(node, change, err)) {
            struct wrap_error second = {0};
            if (!binaries) (void)wrap_node_plan_undo(node, plan, NULL, &second);
            return false;
        }
    }
    return true;
}
