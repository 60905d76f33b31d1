/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait.c - blocking waits that another thread or a signal handler can end.
 */
#include "loop/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)

int wasi_above_streams(int fd)
{
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(fd);
    errno = error;
    return higher;
}

void wasi_wait_clear(struct wasi_wait *w)
{
    *w = (struct wasi_wait){.wake_fd = -1};
    wasi_link_init(&w->waiting);
}

wasi_errno wasi_wait_init(struct wasi_wait *w)
{
    wasi_wait_clear(w);
    w->wake_fd = wasi_above_streams(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return w->wake_fd < 0 ? wasi_errno_from_host(errno) : WASI_E_SUCCESS;
}

void wasi_wait_fini(struct wasi_wait *w)
{
    if (w->wake_fd >= 0) close(w->wake_fd);
    w->wake_fd = -1;
}

void wasi_wait_kick(const struct wasi_wait *w)
{
    int saved = errno;
    u64 one = 1;
    ssize_t r = write(w->wake_fd, &one, sizeof(one));
    (void)r; /* EAGAIN: it is awake as it can be */
    errno = saved;
}

void wasi_wait_wake(struct wasi_wait *w)
{
    atomic_store_explicit(&w->woken, true, memory_order_release);
    wasi_wait_kick(w);
}

/* Time left until the deadline; NULL for none. */
static const struct timespec *time_left(u64 deadline_ns, struct timespec *out)
{
    if (deadline_ns == WASI_FOREVER) return NULL;
    u64 now = wasi_clock_now(CLOCK_MONOTONIC);
    u64 left = deadline_ns > now ? deadline_ns - now : 0;
    out->tv_sec = (time_t)(left / NS_PER_S);
    out->tv_nsec = (long)(left % NS_PER_S);
    return out;
}

wasi_errno wasi_wait_until(struct wasi_wait *w, struct pollfd *fds, size_t n, u64 deadline_ns,
                           int *ready)
{
    *ready = 0;
    fds[n] = (struct pollfd){.fd = w->wake_fd, .events = POLLIN};
    int r;
    do {
        struct timespec ts;
        r = ppoll(fds, n + 1, time_left(deadline_ns, &ts), NULL);
    } while (r < 0 && errno == EINTR);
    if (r < 0) return wasi_errno_from_host(errno);
    bool woken = fds[n].revents != 0;
    *ready = woken ? r - 1 : r;
    if (!woken || *ready > 0) return WASI_E_SUCCESS; /* the wake stays for the next wait */
    u64 drain;
    ssize_t got = read(w->wake_fd, &drain, sizeof(drain));
    (void)got;
    /* acquire: pairs with the release of who woke */
    bool interrupted = atomic_exchange_explicit(&w->woken, false, memory_order_acquire);
    return interrupted ? WASI_E_INTR : WASI_E_SUCCESS;
}
