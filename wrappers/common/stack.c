/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c - the first stack is found by where the C library says that its frames began. */
#include "common/stack.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/* The C library's: where the frames of the first stack begin. */
extern void *__libc_stack_end;

static bool on_first_stack(uintptr_t frame)
{
    enum { DEEPEST = 1 << 20 }; /* the kernel leaves more than that unmapped below */
    uintptr_t end = (uintptr_t)__libc_stack_end;
    return frame < end && end - frame < DEEPEST;
}

__attribute__((noinline)) void wrap_stack_forget(void)
{
    enum { FORGOTTEN = 1 << 20 };
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    uintptr_t end = (frame & ~(page - 1)) - page; /* the calls made here have room */
    if (on_first_stack(frame) && end > FORGOTTEN) {
        /* ENOMEM: it has never been that deep. What there is of it is given back all the same. */
        (void)madvise((void *)(end - FORGOTTEN), FORGOTTEN, MADV_DONTNEED);
    }
}

#if defined(__x86_64__)
_Noreturn void wrap_stack_jump(uintptr_t stack, void (*go)(void))
{
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%1\n\t"
                     "ud2" ::"r"(stack),
                     "a"(go)
                     : "memory");
    __builtin_unreachable();
}
#elif defined(__aarch64__)
_Noreturn void wrap_stack_jump(uintptr_t stack, void (*go)(void))
{
    __asm__ volatile("mov sp, %0\n\t"
                     "mov x29, xzr\n\t"
                     "blr %1\n\t"
                     "brk #1" ::"r"(stack),
                     "r"(go)
                     : "memory");
    __builtin_unreachable();
}
#else
#error "a stack is begun again on x86-64 and aarch64"
#endif

_Noreturn void wrap_stack_begin_again(void (*go)(void))
{
    enum { ALIGNMENT = 16 };
    uintptr_t end = (uintptr_t)__libc_stack_end & ~(uintptr_t)(ALIGNMENT - 1);
    if (!VM_SANITIZED && on_first_stack((uintptr_t)__builtin_frame_address(0)))
        wrap_stack_jump(end, go);
    go();
    __builtin_unreachable();
}
