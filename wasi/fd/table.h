/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h - one guest's descriptors: what each guest number stands for and what it may do.
 * Touched only by the thread that owns the store or, with threads, under the context's lock.
 */
#ifndef WASI_FD_TABLE_H
#define WASI_FD_TABLE_H

#include "abi/ints.h"
#include "abi/p1_types.h"

#include <sys/stat.h>

enum {
    WASI_FD_LIMIT = 1024,       /**< open descriptors of one guest, if nothing else is said */
    WASI_FD_LIMIT_MAX = 1 << 20, /**< what may be said */
    WASI_FD_FIRST = 3     /**< 0, 1, 2 are only ever the standard streams */
};

/** State of a socket: it has an address that was allowed, or given by the embedder. */
enum { WASI_SOCK_BOUND = 1 << 0 };

enum { WASI_TOLD_READ = 1 << 0, WASI_TOLD_WRITE = 1 << 1, WASI_TOLD_HANGUP = 1 << 2 };

struct wr_loop;
struct wasi_holds;

struct wasi_fd {
    int host;            /**< host descriptor */
    bool borrowed;       /**< the embedder's: never closed, its file status flags never changed */
    bool may_block; /**< pipe, terminal, socket: reading or writing may have to wait */
    bool never_waits; /**< a device of which reads and writes are over at once: /dev/null */
    bool is_fifo;   /**< writing to it may raise SIGPIPE */
    bool no_nowait; /**< the host answered that it has no RWF_NOWAIT here */
    bool watched;   /**< a loop has registered `host` and must be told before it is closed */
    u8 told;        /**< WASI_TOLD_*: readiness reported by a poll and not used since */
    u8 sock; /**< WASI_SOCK_* */
    u64 recv_timeout_ns, send_timeout_ns; /**< SO_RCVTIMEO and SO_SNDTIMEO; 0: none */
    int linger_s;     /**< SO_LINGER as the guest set it, when above 0 */
    bool host_append; /**< the host description itself has O_APPEND (borrowed only) */
    bool root;      /**< the directory that a preopen shows, however it was opened */
    bool read_only; /**< beneath a read-only preopen: nothing may be changed through it */
    u8 filetype; /**< WASI_FILETYPE_* */
    u16 flags; /**< WASI_FDFLAG_*, kept here and applied per call, not on the host */
    u64 rights; /**< base rights */
    u64 inheriting; /**< the most that path_open beneath it can give */
    char *preopen; /**< guest name of a preopened directory, else NULL; owned */
    u32 preopen_len; /**< bytes of that name */
    dev_t dev;       /**< which file it is */
    ino_t ino;
    int poll_slot; /**< scratch of poll_oneoff: index in its host array, -1 outside */
};

struct wasi_fdtable {
    struct wasi_fd **slot; /**< NULL where closed */
    u32 size;  /**< slots allocated, at most `limit` */
    u32 limit; /**< open descriptors; 0: WASI_FD_LIMIT */
    struct wr_loop *loop; /**< that watches descriptors of this table; NULL: none does */
    struct wasi_holds *holds; /**< of the guest's threads; NULL: it has made none */
};

/** Releases all descriptors; the table is empty afterwards, and no loop's. */
void wasi_fdtable_fini(struct wasi_fdtable *table);

/** Makes the loop let go of all descriptors, before the table leaves it. */
void wasi_fdtable_unwatch(struct wasi_fdtable *table);

/** The descriptor behind a guest number, or NULL. Valid until it is closed or renumbered. */
static inline struct wasi_fd *wasi_fdtable_get(const struct wasi_fdtable *table, u32 guest_fd)
{
    return guest_fd < table->size ? table->slot[guest_fd] : NULL;
}

/** Makes the next wasi_fdtable_add succeed. MFILE, NOMEM. */
WASI_MUST_USE wasi_errno wasi_fdtable_make_room(struct wasi_fdtable *table);
/** Puts `fd` (heap, taken over) at the lowest free number from WASI_FD_FIRST. MFILE, NOMEM. */
WASI_MUST_USE wasi_errno wasi_fdtable_add(struct wasi_fdtable *table, struct wasi_fd *fd,
                                          u32 *guest_fd);
/** Puts `fd` (taken over; NULL closes) at exactly `guest_fd`, releasing what was there. MFILE,
 * NOMEM. */
WASI_MUST_USE wasi_errno wasi_fdtable_set(struct wasi_fdtable *table, u32 guest_fd,
                                          struct wasi_fd *fd);
/** BADF. */
WASI_MUST_USE wasi_errno wasi_fdtable_close(struct wasi_fdtable *table, u32 guest_fd);
/** Moves `from` over the open descriptor `to`, which is closed; equal numbers do nothing. BADF. */
WASI_MUST_USE wasi_errno wasi_fdtable_renumber(struct wasi_fdtable *table, u32 from, u32 to);

/**
 * New descriptor over `host`, its type read from the host; `host` is taken over when it succeeds
 * and `borrowed` is false. All rights of the type, none inheriting. NULL with `*e` set on failure.
 */
struct wasi_fd *wasi_fd_new(int host, bool borrowed, wasi_errno *e);
/** Closes the host descriptor (not a borrowed one) and frees; not for a watched one. NULL is
 * allowed. */
void wasi_fd_delete(struct wasi_fd *fd);

/** WASI_FILETYPE_* of a host file; `host` is asked which kind of socket it is (-1: not asked). */
u8 wasi_filetype(const struct stat *st, int host);

#endif
