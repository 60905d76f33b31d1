/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_vm.c - the few functions of wasmrun.h that wasi/ uses, for tests without the engine.
 */
#include "fake_vm.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct wr_memory {
    u8 *data;
    u64 size;
};

struct wr_call {
    wr_memory_t *memory;
    int exit_code;
};

struct entry {
    char name[48]; /* of wasi_unstable with "unstable." before it */
    char signature[16];
    wr_host_fn fn;
    void *env;
};

struct wr_linker {
    struct entry entry[192];
    size_t count;
};

/* ---------------------------------------------------------------- wasmrun.h */

wr_memory_t *wr_call_memory(const wr_call_t *call, uint32_t index)
{
    return index == 0 ? call->memory : NULL;
}

/* No test without the engine has a loop, or a context in its store. */
wr_call_view_t wr_call_look(const wr_call_t *call)
{
    (void)call;
    return (wr_call_view_t){0};
}

wr_bytes_t wr_call_bytes(const wr_call_t *call, uint32_t index)
{
    const wr_memory_t *m = wr_call_memory(call, index);
    return m != NULL ? (wr_bytes_t){m->data, m->size} : (wr_bytes_t){NULL, 0};
}

uint8_t *wr_memory_data(const wr_memory_t *memory) { return memory->data; }

uint64_t wr_memory_size(const wr_memory_t *memory) { return memory->size; }

wr_status_t wr_call_exit(wr_call_t *call, int code)
{
    call->exit_code = code;
    return WR_EXIT;
}

wr_status_t wr_call_trap(wr_call_t *call, const char *text)
{
    (void)call;
    (void)text;
    return WR_TRAP;
}

wr_status_t wr_exec_run(wr_exec_t *exec, wr_error_t *err)
{
    (void)exec;
    (void)err;
    return WR_INTERNAL;
}

wr_status_t wr_exec_complete(wr_exec_t *exec, wr_status_t status, const wr_slot_t *results,
                             size_t result_slots, int code)
{
    (void)exec;
    (void)status;
    (void)results;
    (void)result_slots;
    (void)code;
    return WR_ARGUMENT;
}

void wr_exec_interrupt(wr_exec_t *exec) { (void)exec; }

void wr_exec_cancel(wr_exec_t *exec) { (void)exec; }

wr_status_t wr_linker_define_raw(wr_linker_t *linker, const char *module, const char *name,
                                 const char *signature, wr_host_fn fn, void *env, wr_error_t *err)
{
    (void)err;
    bool p0 = strcmp(module, "wasi_unstable") == 0;
    if ((!p0 && strcmp(module, "wasi_snapshot_preview1") != 0) || linker->count == 192)
        return WR_ARGUMENT;
    struct entry *e = &linker->entry[linker->count++];
    snprintf(e->name, sizeof(e->name), "%s%s", p0 ? "unstable." : "", name);
    snprintf(e->signature, sizeof(e->signature), "%s", signature);
    e->fn = fn;
    e->env = env;
    return WR_OK;
}

/* A list of (module, name) pairs, which ends with NULL. */
struct wr_module {
    const char *const *names;
};

bool wr_module_import(const wr_module_t *module, size_t i, wr_importtype_t *out)
{
    const char *const *pair = &module->names[2 * i];
    if (pair[0] == NULL) return false;
    *out = (wr_importtype_t){.module = {pair[0], strlen(pair[0])},
                             .name = {pair[1], strlen(pair[1])},
                             .kind = WR_EXTERN_FUNC};
    return true;
}

/* What only threads call (threads.c); none of these tests has any. */
// clang-format off
wr_store_t *wr_call_store(const wr_call_t *c) { (void)c; return NULL; }
wr_status_t wr_store_new(wr_engine_t *e, const wr_store_config_t *c, wr_store_t **o, wr_error_t *err)
{ (void)e; (void)c; (void)o; (void)err; return WR_INTERNAL; }
void wr_store_delete(wr_store_t *s) { (void)s; }
void wr_store_set_data(wr_store_t *s, void *d) { (void)s; (void)d; }
void *wr_store_data(const wr_store_t *s) { (void)s; return NULL; }
void wr_store_set_fuel(wr_store_t *s, uint64_t f) { (void)s; (void)f; }
uint64_t wr_store_fuel(const wr_store_t *s) { (void)s; return 0; }
wr_status_t wr_exec_new(wr_store_t *s, wr_exec_t **o, wr_error_t *err)
{ (void)s; (void)o; (void)err; return WR_INTERNAL; }
void wr_exec_delete(wr_exec_t *x) { (void)x; }
wr_status_t wr_exec_start(wr_exec_t *x, wr_func_t *f, const wr_val_t *a, size_t n, wr_error_t *err)
{ (void)x; (void)f; (void)a; (void)n; (void)err; return WR_INTERNAL; }
wr_status_t wr_linker_instantiate(wr_linker_t *l, wr_store_t *s, const wr_module_t *m, wr_exec_t *x,
                                  wr_instance_t **o, wr_error_t *err)
{ (void)l; (void)s; (void)m; (void)x; (void)o; (void)err; return WR_INTERNAL; }
bool wr_instance_export(wr_instance_t *i, wr_name_t n, wr_extern_t *o)
{ (void)i; (void)n; (void)o; return false; }
bool wr_module_export(const wr_module_t *m, size_t i, wr_exporttype_t *o)
{ (void)m; (void)i; (void)o; return false; }
size_t wr_module_export_type(const wr_module_t *m, size_t i, char *b, size_t c)
{ (void)m; (void)i; (void)b; (void)c; return 0; }
bool wr_module_import_memory_type(const wr_module_t *m, size_t i, wr_limits_t *o)
{ (void)m; (void)i; (void)o; return false; }
wr_status_t wr_memory_new(wr_store_t *s, wr_limits_t l, wr_memory_t **o, wr_error_t *err)
{ (void)s; (void)l; (void)o; (void)err; return WR_INTERNAL; }
wr_shared_memory_t *wr_memory_shared(wr_memory_t *m) { (void)m; return NULL; }
void wr_shared_memory_delete(wr_shared_memory_t *m) { (void)m; }
wr_status_t wr_linker_define_shared_memory(wr_linker_t *l, wr_name_t m, wr_name_t n,
                                           wr_shared_memory_t *s, wr_error_t *err)
{ (void)l; (void)m; (void)n; (void)s; (void)err; return WR_INTERNAL; }
// clang-format on

/* ---------------------------------------------------------------- a guest */

void fake_init(struct fake *f)
{
    memset(f, 0, sizeof(*f));
    f->linker = calloc(1, sizeof(*f->linker));
    f->memory = calloc(1, sizeof(*f->memory));
    f->mem = calloc(1, FAKE_MEMORY);
    assert_non_null(f->linker);
    assert_non_null(f->memory);
    assert_non_null(f->mem);
    f->memory->data = f->mem;
    f->memory->size = FAKE_MEMORY;
    assert_int_equal(wr_wasi_new(&f->wasi, NULL), WR_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(wr_wasi_set_stdio(f->wasi, i, -1, NULL), WR_OK);
    assert_int_equal(wr_wasi_link(f->wasi, f->linker, NULL), WR_OK);
    strcpy(f->dir, "/tmp/wasi-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fake_fini(struct fake *f)
{
    wr_wasi_delete(f->wasi);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f->mem);
    free(f->memory);
    free(f->linker);
}

void fake_preopen(struct fake *f, const char *sub, const char *guest, bool read_only)
{
    wr_status_t s = wr_wasi_preopen_dir(f->wasi, host_path(f, sub), guest, read_only, NULL);
    assert_int_equal(s, WR_OK);
}

static const struct entry *find(const struct fake *f, const char *name, size_t params)
{
    for (size_t i = 0; i < f->linker->count; i++)
        if (strcmp(f->linker->entry[i].name, name) == 0 &&
            strcspn(f->linker->entry[i].signature, ":") == params)
            return &f->linker->entry[i];
    fail_msg("no function %s of %zu parameters", name, params);
    return NULL;
}

const char *fake_signature(const struct fake *f, const char *name)
{
    for (size_t i = 0; i < f->linker->count; i++)
        if (strcmp(f->linker->entry[i].name, name) == 0) return f->linker->entry[i].signature;
    return NULL;
}

size_t fake_link_imports(struct fake *f, const char *const *names)
{
    const struct wr_module module = {names};
    f->linker->count = 0;
    assert_int_equal(wr_wasi_link_imports(f->linker, &module, NULL), WR_OK);
    return f->linker->count;
}

wasi_errno fake_call(struct fake *f, const char *name, size_t count, const u64 *args)
{
    const struct entry *e = find(f, name, count);
    wr_slot_t slots[16];
    memset(slots, 0xa5, sizeof(slots)); /* upper halves of i32 arguments are not the guest's */
    for (size_t i = 0; i < count; i++) {
        if (e->signature[i] == 'i')
            slots[i].i32 = (u32)args[i];
        else
            slots[i].i64 = args[i];
    }
    wr_call_t call = {.memory = f->memory};
    f->status = e->fn(&call, slots, e->env);
    f->exit_code = call.exit_code;
    return f->status == WR_OK ? (wasi_errno)slots[0].i32 : WASI_E_SUCCESS;
}

u32 fake_str(struct fake *f, u32 addr, const char *s)
{
    memcpy(f->mem + addr, s, strlen(s));
    return (u32)strlen(s);
}

u32 fake_u32(const struct fake *f, u32 addr) { return wasi_get32(f->mem + addr); }

u64 fake_u64(const struct fake *f, u32 addr) { return wasi_get64(f->mem + addr); }

wasi_errno fake_open(struct fake *f, u32 dir, const char *path, u32 oflags, u64 rights, u32 *fd)
{
    u32 len = fake_str(f, FAKE_PATH, path);
    wasi_errno e =
        CALL(f, "path_open", dir, 1, FAKE_PATH, len, oflags, rights, WASI_RIGHTS_ALL, 0, FAKE_OUT);
    *fd = e == WASI_E_SUCCESS ? fake_u32(f, FAKE_OUT) : UINT32_MAX;
    return e;
}

static u32 put_iov(struct fake *f, u32 len)
{
    wasi_put32(f->mem + FAKE_IOV, FAKE_DATA);
    wasi_put32(f->mem + FAKE_IOV + 4, len);
    return FAKE_IOV;
}

wasi_errno fake_write(struct fake *f, u32 fd, const char *s)
{
    u32 len = fake_str(f, FAKE_DATA, s);
    return CALL(f, "fd_write", fd, put_iov(f, len), 1, FAKE_OUT);
}

wasi_errno fake_read(struct fake *f, u32 fd, char *out, u32 size)
{
    wasi_errno e = CALL(f, "fd_read", fd, put_iov(f, size - 1), 1, FAKE_OUT);
    u32 len = e == WASI_E_SUCCESS ? fake_u32(f, FAKE_OUT) : 0;
    assert_true(len < size);
    memcpy(out, f->mem + FAKE_DATA, len);
    out[len] = '\0';
    return e;
}

wasi_errno fake_path_call(struct fake *f, const char *name, u32 fd, const char *path)
{
    u32 len = fake_str(f, FAKE_PATH, path);
    return CALL(f, name, fd, FAKE_PATH, len);
}

wasi_errno fake_stat(struct fake *f, u32 fd, const char *path, bool follow)
{
    u32 len = fake_str(f, FAKE_PATH, path);
    return CALL(f, "path_filestat_get", fd, follow, FAKE_PATH, len, FAKE_OUT);
}

/* ---------------------------------------------------------------- the host's side */

const char *host_path(const struct fake *f, const char *sub)
{
    static _Thread_local char path[4][512]; /* some tests race the host */
    static _Thread_local int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof(path[0]), "%s%s%s", f->dir, sub[0] != '\0' ? "/" : "", sub);
    return p;
}

void host_mkdir(const struct fake *f, const char *sub)
{
    assert_int_equal(mkdir(host_path(f, sub), 0777), 0);
}

void host_write(const struct fake *f, const char *sub, const char *text)
{
    int fd = open(host_path(f, sub), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

void host_symlink(const struct fake *f, const char *target, const char *sub)
{
    assert_int_equal(symlink(target, host_path(f, sub)), 0);
}

bool host_exists(const struct fake *f, const char *sub)
{
    struct stat st;
    return lstat(host_path(f, sub), &st) == 0;
}

void host_expect(const struct fake *f, const char *sub, const char *text)
{
    char got[4096] = "";
    int fd = open(host_path(f, sub), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, got, sizeof(got) - 1);
    close(fd);
    assert_true(n >= 0);
    got[n] = '\0';
    assert_string_equal(got, text);
}
