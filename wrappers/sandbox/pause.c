/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause.c - the process that holds a pod's namespaces. It is a copy of the shim, and gives all of
 * that back: what stays mapped is one page of code, which all share, and one for a new stack. From
 * then on there is no C library: system calls are made here.
 */
#include "common/stack.h"
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers' runtimes can't do without what is mapped. */
enum { UNMAPS = !VM_SANITIZED };

/* In a section of its own, which is all that stays; no helpers of compilers are there. */
#define BARE                                                                                       \
    __attribute__((no_sanitize("address", "undefined"), no_stack_protector, noinline,              \
                   section("wrap_pause_text")))
extern const char __start_wrap_pause_text[];
extern const char __stop_wrap_pause_text[];
enum { KERNEL_SIGSET = 8 };

/* What stays, in a page-aligned range each. */
struct range {
    uintptr_t from, to;
};
enum { STACK_PAGES = 2 }; /* one is touched */

/* What `settle` needs: it begins on another stack. */
static struct {
    struct range text;
    struct range own;   /* its stack */
    struct range stack; /* the one before; empty: not found, and nothing is given back */
    uintptr_t page;
} last;

/* ---------------------------------------------------------------- while there is a C library */

static void find_stack(const struct wrap_setup *setup)
{
    uintptr_t local = (uintptr_t)__builtin_frame_address(0);
    int fd = openat(setup->proc, "maps", O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    char line[512];
    while (file && fgets(line, sizeof line, file)) {
        char *end;
        struct range row = {.from = strtoul(line, &end, 16)};
        row.to = *end == '-' ? strtoul(end + 1, NULL, 16) : 0;
        if (local >= row.from && local < row.to) last.stack = row;
    }
    if (file) {
        fclose(file);
    } else if (fd >= 0) {
        close(fd);
    }
}

/* Its own five calls. Everything else kills it. */
static void allow_own_calls(void)
{
    const struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigtimedwait, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_restart_syscall, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof filter / sizeof filter[0],
                                       .filter = (struct sock_filter *)(uintptr_t)filter};
    (void)!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

void wrap_pause_prepare(const struct wrap_setup *setup)
{
    if (UNMAPS) find_stack(setup);
    prctl(PR_SET_NAME, "pause", 0, 0, 0);
}

/* ---------------------------------------------------------------- without one */

#if defined(__x86_64__)
BARE static long call4(long number, long a, long b, long c, long d)
{
    long out;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(out)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return out;
}
#elif defined(__aarch64__)
BARE static long call4(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#error "a pause container knows x86-64 and aarch64"
#endif

BARE static void unmap(uintptr_t from, uintptr_t to)
{
    if (from < to) call4(SYS_munmap, (long)from, (long)(to - from), 0, 0);
}

/* Both ranges that stay lie below the stack that was there. */
BARE static void give_back(struct range text, struct range own, uintptr_t stack_end, uintptr_t page)
{
    struct range low = text.from < own.from ? text : own;
    struct range high = text.from < own.from ? own : text;
    unmap(page, low.from);
    unmap(low.to, high.from);
    unmap(high.to, stack_end);
}

BARE static _Noreturn void wait_for_end(void)
{
    const uint64_t all = ~UINT64_C(0);
    for (;;) {
        long number = call4(SYS_rt_sigtimedwait, (long)&all, 0, 0, KERNEL_SIGSET);
        if (number == SIGTERM || number == SIGINT) {
            call4(SYS_exit_group, 0, 0, 0, 0);
        }
        while (number == SIGCHLD && call4(SYS_wait4, -1, 0, WNOHANG, 0) > 0) {
        }
    }
}

/* From here on nothing else may be called or returned to. */
BARE static _Noreturn void settle(void)
{
    if (last.own.to) give_back(last.text, last.own, last.stack.to, last.page);
    wait_for_end();
}

/* Maps a stack of its own and fills `last`; without, everything stays as it is. */
static void plan(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t size = STACK_PAGES * page;
    void *own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uintptr_t from = (uintptr_t)own;
    last.page = page;
    last.text = (struct range){(uintptr_t)__start_wrap_pause_text & ~(page - 1),
                               ((uintptr_t)__stop_wrap_pause_text + page - 1) & ~(page - 1)};
    if (own != MAP_FAILED && from + size <= last.stack.from && last.text.to <= last.stack.from) {
        last.own = (struct range){from, from + size};
    }
}

/* The kernel would write where nothing is mapped. */
static bool leave_rseq(void)
{
    enum { RSEQ_UNREGISTER = 1, RSEQ_LENGTH = 32 };
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    return __rseq_size == 0 || syscall(SYS_rseq, area, RSEQ_LENGTH, RSEQ_UNREGISTER, RSEQ_SIG) == 0;
}

/* On the stack that stays: of the old one nothing may be needed any more. */
__attribute__((no_sanitize("address", "undefined"))) static void on_own_stack(void)
{
    allow_own_calls();
    settle();
}

/* Not instrumented: sanitizers make calls of their own before one that does not return. */
__attribute__((no_sanitize("address", "undefined"))) _Noreturn void wrap_pause(void)
{
    sigset_t all;
    /* Blocked and waited for: a first process would drop those that it has no handler for. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    syscall(SYS_close_range, 0, ~0U, 0);
    if (UNMAPS) plan();
    if (last.own.to && leave_rseq()) wrap_stack_jump(last.own.to, on_own_stack);
    last.own.to = 0;
    on_own_stack();
    __builtin_unreachable();
}
