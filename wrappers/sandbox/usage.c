/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - the file that a guest's process writes its figures to. */
#include "sandbox/usage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Its room is taken at once: a page that cannot be had later would be a fault in the guest. */
static int filled(int fd)
{
    if (fd >= 0 && posix_fallocate(fd, 0, sizeof(wr_usage_t)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int wrap_usage_new(void)
{
    int fd = filled(memfd_create("wasmrun-usage", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd >= 0) (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return fd;
}

int wrap_usage_make(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int out = filled(fd);
    if (fd >= 0 && out < 0) (void)unlinkat(dir, name, 0);
    return out;
}

wr_usage_t *wrap_usage_map(int fd)
{
    void *at = mmap(NULL, sizeof(wr_usage_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

bool wrap_usage_read(int fd, wr_usage_t *out)
{
    struct stat st;
    /* Read, not mapped: who has it mapped cannot make that a fault here. */
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           pread(fd, out, sizeof *out, 0) == (ssize_t)sizeof *out;
}
