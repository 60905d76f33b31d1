/* SPDX-License-Identifier: Apache-2.0 */
/* Address space on Linux and other systems with mmap. Not for files: code is never mapped. */
#include "platform/vmem.h"

#include <sys/mman.h>
#include <unistd.h>

usize vm_page_bytes(void)
{
    long n = sysconf(_SC_PAGESIZE);
    return n > 0 ? (usize)n : 4096;
}

void *vm_reserve(u64 bytes)
{
    if (bytes == 0 || bytes > SIZE_MAX / 2) return NULL;
    void *p =
        mmap(NULL, (size_t)bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

bool vm_commit(void *p, u64 bytes)
{
    return bytes == 0 || mprotect(p, (size_t)bytes, PROT_READ | PROT_WRITE) == 0;
}

void vm_release(void *p, u64 bytes)
{
    if (p) (void)munmap(p, (size_t)bytes);
}
