/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_stats.c - what figures of both versions share. */
#include "sandbox/cgroup_stats.h"
#include "sandbox/cgroup_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool wrap_cgroup_stats(const struct wrap_cgroup *cgroup, struct wrap_cgroup_stats *out,
                       struct wrap_error *err)
{
    memset(out, 0, sizeof *out);
    out->version = cgroup->host->version;
    for (size_t i = 0; i < cgroup->host->count; i++) {
        int dir = wrap_cgroup_dir(cgroup, &cgroup->host->items[i]);
        if (dir >= 0) {
            close(dir);
            cgroup->ops->stats(cgroup, out);
            return true;
        }
    }
    return wrap_fail(err, WRAP_NOT_FOUND, "cgroup: %.200s is not there", cgroup->place.path);
}

void wrap_stats_memory(int dir, struct wrap_cgroup_stats *out)
{
    char text[8192];
    char *rest = NULL;
    if (wrap_cgroup_read(dir, "memory.stat", text, sizeof text) <= 0) {
        return;
    }
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *space = strchr(line, ' ');
        struct wrap_cgroup_stat *row = &out->memory[out->memory_count];
        if (!space || (size_t)(space - line) >= sizeof row->name) {
            continue;
        }
        memcpy(row->name, line, (size_t)(space - line));
        row->name[space - line] = '\0';
        row->value = strtoull(space + 1, NULL, 10);
        if (++out->memory_count == WRAP_CGROUP_STAT_MAX) {
            return;
        }
    }
}

void wrap_stats_pids(int dir, struct wrap_cgroup_stats *out)
{
    (void)wrap_cgroup_number(dir, "pids.current", &out->pids_current);
    if (wrap_cgroup_number(dir, "pids.max", &out->pids_limit) && out->pids_limit == UINT64_MAX) {
        out->pids_limit = 0;
    }
}

struct wrap_cgroup_io *wrap_stats_io(struct wrap_cgroup_stats *out, uint64_t major, uint64_t minor,
                                     const char *op)
{
    static const char *const ops[] = {"Read", "Write", "Sync", "Async", "Discard", "Total"};
    const char *known = NULL;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        known = strcmp(op, ops[i]) == 0 ? ops[i] : known;
    }
    if (!known) {
        return NULL;
    }
    for (size_t i = 0; i < out->io_count; i++) {
        struct wrap_cgroup_io *row = &out->io[i];
        if (row->major == major && row->minor == minor && row->op == known) {
            return row;
        }
    }
    if (out->io_count == WRAP_CGROUP_IO_MAX) {
        return NULL;
    }
    struct wrap_cgroup_io *row = &out->io[out->io_count++];
    *row = (struct wrap_cgroup_io){.major = major, .minor = minor, .op = known};
    return row;
}

void wrap_stats_page_sizes(int dir, const char *suffix, struct wrap_cgroup_stats *out)
{
    static const char prefix[] = "hugetlb.";
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        if (copy >= 0) {
            close(copy);
        }
        return;
    }
    for (struct dirent *entry = readdir(stream); entry && out->huge_count < WRAP_CGROUP_HUGE_MAX;
         entry = readdir(stream)) {
        const char *size = entry->d_name + sizeof prefix - 1;
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0) {
            continue;
        }
        size_t length = strcspn(size, ".");
        struct wrap_cgroup_huge *huge = &out->huge[out->huge_count];
        if (strcmp(size + length, suffix) == 0 && length < sizeof huge->page_size) {
            memcpy(huge->page_size, size, length);
            huge->page_size[length] = '\0';
            out->huge_count++;
        }
    }
    closedir(stream);
}

void wrap_stats_huge(int dir, const char *page_size, const char *what, uint64_t *out)
{
    char file[64];
    snprintf(file, sizeof file, "hugetlb.%s.%s", page_size, what);
    (void)wrap_cgroup_number(dir, file, out);
}
