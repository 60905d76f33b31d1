/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_vm.h - a stand-in for libwasmrun in the unit tests of wasi/: a linker that remembers host
 * functions, one memory, and calls by name as a guest would make them; and a scratch directory.
 */
#ifndef WASI_TESTS_FAKE_VM_H
#define WASI_TESTS_FAKE_VM_H

#include "abi/guest_mem.h"
#include "abi/p1_types.h"
#include "context.h"
#include "fd/rights.h"
#include "wasmrun_wasi.h"

#include <setjmp.h>
#include <stdarg.h>

/* cmocka wants the four above first. */
#include <cmocka.h>

enum {
    FAKE_MEMORY = 1 << 20, /* bytes of guest memory */
    FAKE_OUT = 0x1000,     /* results of calls */
    FAKE_IOV = 0x2000,     /* iovecs of fake_read and fake_write */
    FAKE_PATH = 0x4000,    /* paths given to calls */
    FAKE_PATH2 = 0x8000,
    FAKE_DATA = 0x20000 /* file contents */
};

struct fake {
    wr_wasi_t *wasi;
    wr_linker_t *linker;
    wr_memory_t *memory; /* NULL: the caller has none */
    u8 *mem;             /* its bytes */
    wr_status_t status;  /* of the last call */
    int exit_code;
    char dir[64]; /* scratch directory, preopened by fake_preopen */
};

/** A context with closed streams, linked, and an empty scratch directory. */
void fake_init(struct fake *f);
void fake_fini(struct fake *f);
/** Preopens `f->dir`/`sub` ("" for itself) as `guest`; returns nothing, fd 3 is the first. */
void fake_preopen(struct fake *f, const char *sub, const char *guest, bool read_only);

/** Links anew what a module imports: pairs of names, NULL behind the last. How much that was. */
size_t fake_link_imports(struct fake *f, const char *const *names);
/** The signature that a function of this name was defined with first, NULL: there is none. */
const char *fake_signature(const struct fake *f, const char *name);
/** Calls a function of the linker ("unstable.NAME" for one of wasi_unstable) with raw arguments;
 * the guest errno. */
wasi_errno fake_call(struct fake *f, const char *name, size_t count, const u64 *args);
#define CALL(f, name, ...)                                                                         \
    fake_call(f, name, sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64), (const u64[]){__VA_ARGS__})

/** Writes a string to guest memory without its NUL; returns its length. */
u32 fake_str(struct fake *f, u32 addr, const char *s);
u32 fake_u32(const struct fake *f, u32 addr);
u64 fake_u64(const struct fake *f, u32 addr);

/** path_open with follow; `*fd` is the guest number. */
wasi_errno fake_open(struct fake *f, u32 dir, const char *path, u32 oflags, u64 rights, u32 *fd);
/** fd_write and fd_read of one string at the present position. */
wasi_errno fake_write(struct fake *f, u32 fd, const char *s);
wasi_errno fake_read(struct fake *f, u32 fd, char *out, u32 size);
/** Calls a function whose arguments are (fd, path). */
wasi_errno fake_path_call(struct fake *f, const char *name, u32 fd, const char *path);
wasi_errno fake_stat(struct fake *f, u32 fd, const char *path, bool follow);

/** The host's side of the scratch directory; all assert success. */
const char *host_path(const struct fake *f, const char *sub);
void host_mkdir(const struct fake *f, const char *sub);
void host_write(const struct fake *f, const char *sub, const char *text);
void host_symlink(const struct fake *f, const char *target, const char *sub);
bool host_exists(const struct fake *f, const char *sub);
/** The contents of a file equal `text`. */
void host_expect(const struct fake *f, const char *sub, const char *text);

#define assert_errno(got, want) assert_string_equal(wasi_errno_name(got), #want)

#define WASI_RIGHTS_RW                                                                             \
    (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL |          \
     WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_FD_FILESTAT_SET_SIZE | WASI_RIGHT_FD_ALLOCATE |       \
     WASI_RIGHT_FD_FDSTAT_SET_FLAGS | WASI_RIGHT_POLL_FD_READWRITE)

#endif
