/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequence.c - see sequence.h. Arguments are drawn from short lists, so that calls often make
 * sense.
 */
#include "sequence.h"

#include "p1/p1.h"
#include "sockext/sockext.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS_AT = 0x1000, PATH_ROOM = 64, IOVS_AT = 0x3000, ADDRS_AT = 0x3800, OUT_AT = 0x4000 };
enum {
    DATA_AT = 0x20000,
    SUBS_AT = 0x8000,
    ALL = 2 * WASI_P1_COUNT + WASI_WE_COUNT + WASI_WAMR_COUNT
};

static const char *const paths[] = {"a",
                                    "d",
                                    "d/b",
                                    "d/../a",
                                    ".",
                                    "..",
                                    "../canary",
                                    "d/../../canary",
                                    "link",
                                    "link/x",
                                    "out",
                                    "out/secret",
                                    "abs",
                                    "abs/secret",
                                    "up",
                                    "up/canary",
                                    "/ro/f",
                                    "f",
                                    "../ro/f",
                                    "d/",
                                    "a/",
                                    "",
                                    "/",
                                    "../out/secret",
                                    "loop",
                                    "n1",
                                    "n2",
                                    "n3",
                                    "d/self",
                                    "d/self/../../canary",
                                    "/proc/self/mem",
                                    "../in"};
enum { PATH_COUNT = sizeof paths / sizeof paths[0] };

static const char secret[] = "SeCrEt-of-the-host";

/* ---------------------------------------------------------------- the world */

void sequence_init(struct fake *f)
{
    host_write(f, "canary", "untouched");
    host_mkdir(f, "out");
    host_write(f, "out/secret", secret);
    host_mkdir(f, "ro");
    host_write(f, "ro/f", "read only");
    host_mkdir(f, "in");
    host_mkdir(f, "in/d");
    host_write(f, "in/a", "0123456789");
    host_symlink(f, "../out", "in/out");
    host_symlink(f, host_path(f, "out"), "in/abs");
    host_symlink(f, "..", "in/up");
    host_symlink(f, "d", "in/link");
    host_symlink(f, "loop", "in/loop");
    host_symlink(f, ".", "in/d/self");
    fake_preopen(f, "in", "/", false);
    fake_preopen(f, "ro", "/ro", true);
    /* One port of one address, where nobody is: sockets meet only each other. */
    assert_int_equal(wr_wasi_net_allow(f->wasi, "127.99.0.1:9", NULL), WR_OK);
    assert_int_equal(wr_wasi_net_allow(f->wasi, "unix", NULL), WR_OK);
}

/* The names in a directory, one after the other in the order of the kernel. */
static size_t count_names(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    if (dir == NULL) return 0;
    while (readdir(dir) != NULL) n++;
    closedir(dir);
    return n;
}

static bool holds(struct fake *f, const char *sub, const char *text)
{
    char got[64] = "";
    struct stat st;
    int fd = open(host_path(f, sub), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    ssize_t n = read(fd, got, sizeof got - 1);
    bool plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
    close(fd);
    return n >= 0 && plain && strcmp(got, text) == 0;
}

const char *sequence_check(struct fake *f)
{
    if (!holds(f, "canary", "untouched")) return "the canary";
    if (!holds(f, "out/secret", secret)) return "the secret";
    if (!holds(f, "ro/f", "read only")) return "the read-only file";
    if (count_names(host_path(f, "")) != 2 + 4) return "the directory above";
    if (count_names(host_path(f, "out")) != 2 + 1) return "the directory beside";
    if (count_names(host_path(f, "ro")) != 2 + 1) return "the read-only directory";
    if (memmem(f->mem, FAKE_MEMORY, secret, sizeof secret - 1) != NULL)
        return "the secret was read";
    return NULL;
}

/* ---------------------------------------------------------------- calls */

struct source {
    const u8 *data;
    size_t size, at;
};

static u32 take(struct source *s) { return s->at < s->size ? s->data[s->at++] : 0; }

static void put_paths(struct fake *f)
{
    for (u32 i = 0; i < PATH_COUNT; i++) fake_str(f, PATHS_AT + i * PATH_ROOM, paths[i]);
}

/* Iovecs, socket addresses of three kinds, and subscriptions, all good and then changed a little.
 */
static void put_structs(struct fake *f, struct source *s)
{
    static const u8 loopback[4] = {127, 99, 0, 1};
    for (u32 i = 0; i < 4; i++) {
        wasi_put32(f->mem + IOVS_AT + 8 * i, DATA_AT + 0x100 * i);
        wasi_put32(f->mem + IOVS_AT + 8 * i + 4, take(s));
        u8 *sub = f->mem + SUBS_AT + i * WASI_SUBSCRIPTION_BYTES;
        sub[8] = (u8)(take(s) % 4);
        wasi_put32(sub + 16, take(s) % 12);
        wasi_put64(sub + 24, take(s) * UINT64_C(1000));
    }
    u8 *addr = f->mem + ADDRS_AT;
    static const u8 lengths[] = {4, 16, 128, 5};
    memset(addr, 0, 256);
    wasi_put32(addr, ADDRS_AT + 64); /* WasmEdge: {buffer, length} */
    wasi_put32(addr + 4, lengths[take(s) % 4]);
    memcpy(addr + 64, loopback, 4);
    if (take(s) % 2 == 0) { /* a Unix path */
        wasi_put16(addr + 64, 3);
        strcpy((char *)addr + 66, "/");
        strcat((char *)addr + 66, paths[take(s) % PATH_COUNT]);
    }
    addr[132] = 127; /* WAMR at 128: IPv4 */
    addr[133] = 99;
    addr[135] = 1;
    wasi_put16(addr + 136, 9);
}

static u64 small_or_odd(struct source *s)
{
    static const u64 odd[] = {UINT64_MAX, (u64)INT64_MAX + 1, 1, 2, 3, 4, 9, 16, 65536, 0x3fffffff};
    u32 n = take(s);
    return n < sizeof odd / sizeof odd[0] ? odd[n] : n % 64;
}

/* An argument of type i32: a descriptor, a pointer to something prepared, a length, a flag. */
static u64 argument(struct source *s, u32 *path)
{
    static const u32 places[] = {IOVS_AT,         ADDRS_AT,   ADDRS_AT + 128, SUBS_AT,
                                 OUT_AT,          OUT_AT + 4, OUT_AT + 64,    DATA_AT,
                                 FAKE_MEMORY - 4, FAKE_MEMORY};
    u32 kind = take(s);
    if (*path != UINT32_MAX) { /* the length after a path */
        u32 len = (u32)strlen(paths[*path]);
        *path = UINT32_MAX;
        if (kind % 16 != 0) return len;
    }
    if (kind < 100) return take(s) % 12; /* a descriptor, a small flag */
    if (kind < 170) return PATHS_AT + (*path = take(s) % PATH_COUNT) * PATH_ROOM;
    if (kind < 230) return places[take(s) % (sizeof places / sizeof places[0])];
    return small_or_odd(s);
}

static const struct wasi_row *pick(u32 n, bool *unstable)
{
    *unstable = false;
    if (n < WASI_P1_COUNT) return &wasi_p1_table[n];
    n -= WASI_P1_COUNT;
    if (n < WASI_WE_COUNT) return &wasi_we_table[n];
    n -= WASI_WE_COUNT;
    if (n < WASI_WAMR_COUNT) return &wasi_wamr_table[n];
    *unstable = wasi_p1_table[n - WASI_WAMR_COUNT].since == WASI_P1_UNSTABLE;
    return &wasi_p1_table[n - WASI_WAMR_COUNT];
}

static bool call_one(struct fake *f, struct source *s)
{
    bool unstable;
    u64 args[WASI_ARGS_MAX];
    char name[64];
    u32 path = UINT32_MAX;
    const struct wasi_row *row = pick(take(s) % ALL, &unstable);
    size_t count = strcspn(row->signature, ":");
    for (size_t i = 0; i < count; i++)
        args[i] = row->signature[i] == 'i' ? argument(s, &path) : small_or_odd(s);
    if (strcmp(row->name, "path_open") == 0) { /* rights that get somewhere */
        args[5] = args[6] = WASI_RIGHTS_ALL;
        if (take(s) % 2 == 0) args[5] = WASI_RIGHTS_RW;
    }
    snprintf(name, sizeof name, "%s%s", unstable ? "unstable." : "", row->name);
    wr_wasi_wake(f->wasi); /* what would wait for ever does not wait */
    wasi_errno e = fake_call(f, name, count, args);
    assert_true(e <= 87);
    return f->status == WR_OK && e == WASI_E_SUCCESS;
}

size_t sequence_run(struct fake *f, const u8 *data, size_t size, size_t *good)
{
    struct source s = {data, size, 0};
    size_t calls = 0;
    *good = 0;
    put_paths(f);
    while (s.at < s.size) {
        if (calls++ % 8 == 0) put_structs(f, &s);
        if (calls % 32 == 0) put_paths(f);
        *good += call_one(f, &s);
    }
    return calls;
}
