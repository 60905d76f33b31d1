/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll.c - poll_oneoff: clocks and descriptors together, level-triggered.
 *
 * Every subscription is copied out of guest memory before anything is written back. A fault in one
 * subscription is an event of its own and makes the call return at once. A call that waits is tried
 * again from the start, so nothing is held meanwhile but the time at which it began.
 *
 * Programs made for edge-triggered polling (tokio) ask for READ and WRITE of every connection and
 * would never sleep: a connection can nearly always be written to. So readiness to write that has
 * been reported, and not been used by any call since, is stale: when nothing else is ready it is
 * held back for up to STALE_NS (not with strict_poll). The call is still level-triggered, it
 * returns late.
 */
#include "fd/rights.h"
#include "p1/p1.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { SMALL = 16 };

#define STALE_NS UINT64_C(20000000)

/* CLOCK_REALTIME may be set while we sleep: look again at least this often. */
#define REALTIME_SLICE_NS UINT64_C(1000000000)

enum clock_kind { CLOCK_NONE, CLOCK_MONO_AT, CLOCK_REAL_AT };

struct sub {
    u64 userdata;
    u64 deadline; /* of a clock, in nanoseconds of its kind */
    u64 nbytes;
    struct wasi_fd *fd; /* of a good descriptor subscription */
    u16 error;
    u16 flags;
    u8 type; /* WASI_EVENT_* */
    u8 clock;
    bool ready;
    bool known; /* ready, but reported before: stale, or no edge */
};

struct poll {
    struct wasi_call *call;
    struct sub *sub;
    u32 count;
    struct pollfd *host; /* one entry a host descriptor */
    u32 hosts;
    bool edge; /* epoll_oneoff: what has been reported is reported anew after it has been used */
};

/* ---------------------------------------------------------------- subscriptions */

static void fail_sub(struct sub *s, wasi_errno e)
{
    s->error = (u16)e;
    s->ready = true;
}

static u64 add_saturating(u64 a, u64 b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

/* When the call began: time spans count from here, however often it is tried. */
static u64 begin_of(struct wasi_call *c)
{
    if (c->progress.begin_ns == 0) c->progress.begin_ns = wasi_clock_now(CLOCK_MONOTONIC);
    return c->progress.begin_ns;
}

static void read_clock(struct poll *p, struct sub *s, const u8 *bytes)
{
    u32 id = wasi_get32(bytes + 16);
    u64 timeout = wasi_get64(bytes + 24);
    u16 flags = wasi_get16(bytes + 40);
    if (id == WASI_CLOCK_PROCESS_CPUTIME || id == WASI_CLOCK_THREAD_CPUTIME) {
        fail_sub(s, WASI_E_NOTSUP);
        return;
    }
    if (id > WASI_CLOCK_MONOTONIC || (flags & ~WASI_SUBCLOCK_ABSTIME) != 0) {
        fail_sub(s, WASI_E_INVAL);
        return;
    }
    bool absolute = (flags & WASI_SUBCLOCK_ABSTIME) != 0;
    /* A time span does not depend on where the clock stands. */
    s->clock = absolute && id == WASI_CLOCK_REALTIME ? CLOCK_REAL_AT : CLOCK_MONO_AT;
    s->deadline = absolute ? timeout : add_saturating(begin_of(p->call), timeout);
}

static void read_fd(struct poll *p, struct sub *s, const u8 *bytes)
{
    struct wasi_fd *fd = wasi_fdtable_get(&p->call->wasi->fds, wasi_get32(bytes + 16));
    u64 rights = WASI_RIGHT_POLL_FD_READWRITE;
    rights |= s->type == WASI_EVENT_FD_READ ? WASI_RIGHT_FD_READ : WASI_RIGHT_FD_WRITE;
    if (fd == NULL)
        fail_sub(s, WASI_E_BADF);
    else if ((fd->rights & rights) != rights)
        fail_sub(s, WASI_E_NOTCAPABLE);
    else
        s->fd = fd;
}

static u32 sub_bytes(const struct wasi_call *c)
{
    return c->p0 ? WASI_P0_SUBSCRIPTION_BYTES : WASI_SUBSCRIPTION_BYTES;
}

/* INVAL for an event type that does not exist: such a record has no meaning at all. */
static wasi_errno read_sub(struct poll *p, struct sub *s, const u8 *guest)
{
    u8 bytes[WASI_SUBSCRIPTION_BYTES], old[WASI_P0_SUBSCRIPTION_BYTES];
    if (p->call->p0) {
        wasi_guest_read(old, guest, sizeof(old));
        wasi_p0_subscription(bytes, old);
    } else {
        wasi_guest_read(bytes, guest, sizeof(bytes));
    }
    *s = (struct sub){.userdata = wasi_get64(bytes), .type = bytes[8]};
    if (s->type > WASI_EVENT_FD_WRITE) return WASI_E_INVAL;
    if (s->type == WASI_EVENT_CLOCK)
        read_clock(p, s, bytes);
    else
        read_fd(p, s, bytes);
    return WASI_E_SUCCESS;
}

/* ---------------------------------------------------------------- descriptors */

/* A file is always ready; what is left to read is known. */
static void ready_file(struct sub *s)
{
    struct stat st;
    off_t at = lseek(s->fd->host, 0, SEEK_CUR);
    s->ready = true;
    if (s->type != WASI_EVENT_FD_READ || at < 0 || fstat(s->fd->host, &st) != 0) return;
    s->nbytes = st.st_size > at ? (u64)(st.st_size - at) : 0;
    if (s->nbytes == 0) s->flags = WASI_EVENT_FD_HANGUP;
}

/* One host entry a descriptor, however often it is subscribed: the kernel limits their number. */
static void arm(struct poll *p, const struct sub *s)
{
    if (s->fd->poll_slot < 0) {
        s->fd->poll_slot = (int)p->hosts;
        p->host[p->hosts++] = (struct pollfd){.fd = s->fd->host};
    }
    short events = s->type == WASI_EVENT_FD_READ ? POLLIN | POLLRDHUP : POLLOUT;
    p->host[s->fd->poll_slot].events |= events;
}

static void arm_all(struct poll *p)
{
    for (u32 i = 0; i < p->count; i++) {
        struct sub *s = &p->sub[i];
        if (s->fd == NULL) continue;
        if (s->fd->may_block)
            arm(p, s);
        else
            ready_file(s);
    }
}

static void disarm_all(struct poll *p)
{
    for (u32 i = 0; i < p->count; i++)
        if (p->sub[i].fd != NULL) p->sub[i].fd->poll_slot = -1;
}

static u64 readable_bytes(int host, bool hangup)
{
    int n = 0;
    if (ioctl(host, FIONREAD, &n) == 0 && n >= 0) return (u64)n;
    return hangup ? 0 : 1; /* not known: a listening socket, say */
}

static void collect(struct poll *p, struct sub *s)
{
    if (s->fd == NULL || s->fd->poll_slot < 0) return;
    short got = p->host[s->fd->poll_slot].revents;
    bool reading = s->type == WASI_EVENT_FD_READ;
    short want = POLLERR | POLLHUP | (reading ? POLLIN | POLLRDHUP : POLLOUT);
    if ((got & POLLNVAL) != 0) {
        fail_sub(s, WASI_E_BADF);
        return;
    }
    if ((got & want) == 0) return;
    s->ready = true;
    /* A peer that sends no more may still be written to. */
    bool hangup = (got & (POLLHUP | (reading ? POLLRDHUP : POLLERR))) != 0;
    if (hangup) s->flags = WASI_EVENT_FD_HANGUP;
    if (reading)
        s->nbytes = readable_bytes(s->fd->host, hangup);
    else
        s->nbytes = hangup ? 0 : PIPE_BUF; /* at least this much, in a pipe */
}

/* ---------------------------------------------------------------- waiting */

/* Whether a ready descriptor says nothing new. */
static bool is_known(const struct poll *p, const struct sub *s)
{
    if (s->fd == NULL || s->error != 0 || !s->fd->may_block) return false;
    u8 told = s->fd->told;
    if ((s->flags & WASI_EVENT_FD_HANGUP) != 0) return p->edge && (told & WASI_TOLD_HANGUP) != 0;
    if (s->type == WASI_EVENT_FD_WRITE) return (told & WASI_TOLD_WRITE) != 0;
    return p->edge && (told & WASI_TOLD_READ) != 0;
}

/* Looks at everything once, without waiting; says whether anything new is ready. */
static bool look(struct poll *p)
{
    u64 mono = wasi_clock_now(CLOCK_MONOTONIC);
    int events = p->hosts > 0 ? poll(p->host, p->hosts, 0) : 0;
    bool fresh = false;
    for (u32 i = 0; i < p->count; i++) {
        struct sub *s = &p->sub[i];
        u64 now = s->clock == CLOCK_REAL_AT ? wasi_clock_now(CLOCK_REALTIME) : mono;
        if (s->clock != CLOCK_NONE && s->deadline != WASI_FOREVER && s->deadline <= now)
            s->ready = true;
        if (events > 0) collect(p, s);
        s->known = s->ready && is_known(p, s);
        fresh |= s->ready && !s->known;
    }
    return fresh;
}

/* Whether what is ready shall be reported now though it is not new. */
static bool stale_is_due(struct poll *p)
{
    bool stale = false, other = false;
    for (u32 i = 0; i < p->count; i++) {
        stale |= p->sub[i].ready;
        other |= !p->sub[i].ready;
    }
    if (p->edge || !stale) return false;
    return !other || p->call->wasi->strict_poll || p->call->stop != WASI_E_SUCCESS ||
           wasi_clock_now(CLOCK_MONOTONIC) >= add_saturating(begin_of(p->call), STALE_NS);
}

/* The next moment, in CLOCK_MONOTONIC, at which a clock must be looked at. */
static u64 next_deadline(struct poll *p)
{
    u64 mono = wasi_clock_now(CLOCK_MONOTONIC), real = wasi_clock_now(CLOCK_REALTIME);
    u64 next = WASI_FOREVER;
    for (u32 i = 0; i < p->count; i++) {
        const struct sub *s = &p->sub[i];
        u64 at = WASI_FOREVER;
        if (s->clock == CLOCK_MONO_AT) at = s->deadline;
        if (s->clock == CLOCK_REAL_AT) {
            u64 left = s->deadline > real ? s->deadline - real : 0;
            at = add_saturating(mono, left < REALTIME_SLICE_NS ? left : REALTIME_SLICE_NS);
        }
        if (s->known && !p->edge) at = add_saturating(begin_of(p->call), STALE_NS);
        next = at < next ? at : next;
    }
    return next;
}

/* What has been reported is not waited for, but its peer may hang up; not when that has happened.
 */
static short hangup_events(const struct poll *p, const struct sub *s)
{
    struct pollfd one = {.fd = s->fd->host, .events = POLLRDHUP};
    if (!p->edge || !s->known || (s->fd->told & WASI_TOLD_HANGUP) != 0) return 0;
    return poll(&one, 1, 0) == 0 ? POLLRDHUP : 0;
}

/* Waits for what is not ready yet. */
static wasi_errno park_poll(struct poll *p)
{
    for (u32 i = 0; i < p->hosts; i++) p->host[i].events = 0;
    for (u32 i = 0; i < p->count; i++) {
        const struct sub *s = &p->sub[i];
        if (s->fd == NULL || s->fd->poll_slot < 0) continue;
        if (s->ready)
            p->host[s->fd->poll_slot].events |= hangup_events(p, s);
        else
            arm(p, s);
    }
    u32 n = 0; /* an entry without events would still wake for an error, again and again */
    for (u32 i = 0; i < p->hosts; i++)
        if (p->host[i].events != 0) p->host[n++] = p->host[i];
    return wasi_park(p->call, p->host, n, next_deadline(p));
}

/* ---------------------------------------------------------------- the call */

static void tell(const struct sub *s)
{
    if (s->fd == NULL || s->error != 0) return;
    s->fd->told |= s->type == WASI_EVENT_FD_WRITE ? WASI_TOLD_WRITE : WASI_TOLD_READ;
    if ((s->flags & WASI_EVENT_FD_HANGUP) != 0) s->fd->told |= WASI_TOLD_HANGUP;
}

/* Events of what is ready, one after the other. */
static u32 put_events(const struct poll *p, u8 *out)
{
    u32 n = 0;
    for (u32 i = 0; i < p->count; i++) {
        const struct sub *s = &p->sub[i];
        if (!s->ready || (p->edge && s->known)) continue;
        u8 event[WASI_EVENT_BYTES] = {0};
        wasi_put64(event, s->userdata);
        wasi_put16(event + 8, s->error);
        event[10] = s->type;
        wasi_put64(event + 16, s->nbytes);
        wasi_put16(event + 24, s->flags);
        wasi_guest_write(out + (size_t)n++ * WASI_EVENT_BYTES, event, sizeof(event));
        tell(s);
    }
    return n;
}

/* With `p` and its arrays ready: `in` is read whole before `out`, which may overlap it, is written.
 */
static wasi_errno run_poll(struct poll *p, const u8 *in, u8 *out, u8 *events)
{
    for (u32 i = 0; i < p->count; i++) {
        wasi_errno e = read_sub(p, &p->sub[i], in + (size_t)i * sub_bytes(p->call));
        if (e != WASI_E_SUCCESS) return e;
    }
    arm_all(p);
    wasi_errno e = WASI_E_SUCCESS;
    if (!look(p) && !stale_is_due(p)) e = park_poll(p);
    disarm_all(p);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(events, put_events(p, out));
    return e;
}

wasi_errno wasi_poll(struct wasi_call *c, bool edge)
{
    u32 count = c->arg[2].i32;
    if (count == 0 || count > WASI_SUBSCRIPTION_LIMIT) return WASI_E_INVAL;
    const u8 *in = wasi_mem_at(&c->mem, c->arg[0].i32, (u64)count * sub_bytes(c));
    u8 *out = wasi_mem_at(&c->mem, c->arg[1].i32, (u64)count * WASI_EVENT_BYTES);
    u8 *events = wasi_mem_at(&c->mem, c->arg[3].i32, 4);
    if (in == NULL || out == NULL || events == NULL) return WASI_E_FAULT;
    struct sub small_sub[SMALL];
    struct pollfd small_host[SMALL];
    struct poll p = {.call = c, .count = count, .sub = small_sub, .host = small_host, .edge = edge};
    void *big = NULL;
    if (count > SMALL) {
        big = malloc(count * (sizeof(struct sub) + sizeof(struct pollfd)));
        if (big == NULL) return WASI_E_NOMEM;
        p.sub = big;
        p.host = (struct pollfd *)(void *)(p.sub + count);
    }
    wasi_errno e = run_poll(&p, in, out, events);
    free(big);
    return e;
}

wasi_errno wasi_p1_poll_oneoff(struct wasi_call *c) { return wasi_poll(c, false); }
