/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed memory files: memfd. Where there is none (other systems, seccomp), nothing is made. */
#include "platform/cowfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(MFD_ALLOW_SEALING) && defined(F_ADD_SEALS)

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/** False when growing to `bytes` would be answered by SIGXFSZ, which kills. */
static bool is_size_allowed(u64 bytes)
{
    struct rlimit limit;
    return bytes <= INT64_MAX && getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY || bytes <= limit.rlim_cur);
}

int vm_cowfile_new(u64 bytes)
{
    static const char name[] = "wasm-data";
    if (!is_size_allowed(bytes)) return -1;
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd >= 0 && ftruncate(fd, (off_t)bytes) != 0) {
        vm_cowfile_delete(fd);
        return -1;
    }
    return fd;
}

bool vm_cowfile_seal(int fd)
{
    int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    return fcntl(fd, F_ADD_SEALS, seals) == 0;
}

#else

int vm_cowfile_new(u64 bytes)
{
    (void)bytes;
    return -1;
}

bool vm_cowfile_seal(int fd)
{
    (void)fd;
    return false;
}

#endif

bool vm_cowfile_write(int fd, u64 at, const void *data, usize bytes)
{
    const u8 *p = data;
    while (bytes) {
        ssize_t n = pwrite(fd, p, bytes, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        at += (u64)n;
        bytes -= (usize)n;
    }
    return true;
}

void vm_cowfile_delete(int fd) { (void)close(fd); }

enum vm_cowfile_result vm_cowfile_map(int fd, u64 at, void *p, u64 bytes)
{
    int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
    if (mmap(p, (size_t)bytes, prot, flags, fd, (off_t)at) != MAP_FAILED) return VM_COWFILE_MAPPED;
    /* some systems have taken the former pages away before they refuse */
    if (mmap(p, (size_t)bytes, prot, flags | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return VM_COWFILE_ZEROED;
    return VM_COWFILE_LOST;
}
