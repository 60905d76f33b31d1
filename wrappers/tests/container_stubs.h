/* SPDX-License-Identifier: Apache-2.0 */
/* container_stubs.h - parts that are not there yet, weak. */
#include "common/entry.h"
#include "sandbox/cgroup.h"
#include "sandbox/profile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define W __attribute__((weak))
W const char *wrap_spec_annotation(const struct wrap_spec *s, const char *k)
{
    for (size_t i = 0; i < s->annotation_count; i++)
        if (!strcmp(s->annotations[i].key, k)) return s->annotations[i].value;
    return NULL;
}
W bool wrap_entry_parse(const struct wrap_process *p, struct wrap_entry *o, struct wrap_error *e)
{
    (void)e;
    o->path = strdup(p->args.items[0]);
    o->func = NULL;
    return true;
}
W void wrap_entry_fini(struct wrap_entry *e) { free(e->path); }
W bool wrap_entry_open(int r, const struct wrap_process *p, const struct wrap_entry *e, int *fd,
                       struct wrap_error *err)
{
    (void)p;
    *fd = openat(r, e->path + 1, O_RDONLY | O_CLOEXEC);
    return *fd >= 0 || wrap_fail_errno(err, errno, "%s", e->path);
}
W enum wrap_kind wrap_entry_look(int fd)
{
    char b[4];
    return pread(fd, b, 4, 0) == 4 && !memcmp(b, "\0asm", 4) ? WRAP_KIND_WASM : WRAP_KIND_LINUX;
}
W int wrap_cgroup_clone_fd(const struct wrap_cgroup *c)
{
    (void)c;
    return -1;
}
W bool wrap_cgroup_enter(const struct wrap_cgroup *c, struct wrap_error *e)
{
    (void)c;
    (void)e;
    return true;
}
W bool wrap_profile_get(const struct wrap_seccomp *s, const char *f, struct wrap_profile_filter *o,
                        struct wrap_error *e)
{
    (void)s;
    (void)f;
    (void)o;
    (void)e;
    return true;
}
W void wrap_profile_free(struct wrap_profile_filter *f) { (void)f; }
W int wrap_profile_apply(const struct wrap_profile_filter *f)
{
    (void)f;
    return 0;
}
