/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c - the public life of a WASI context: making it, giving it things, deleting it.
 */
#include "context.h"

#include "fd/preopen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

wr_status_t wasi_fail(wr_error_t *err, wr_status_t status, const char *format, ...)
{
    if (err == NULL) return status;
    err->status = status;
    err->trap = NULL;
    err->offset = UINT64_MAX;
    err->func_idx = UINT32_MAX;
    err->frames = 0;
    err->frames_left_out = 0;
    va_list ap;
    va_start(ap, format);
    vsnprintf(err->text, sizeof(err->text), format, ap);
    va_end(ap);
    return status;
}

/* A guest errno as the status of a public function. */
static wr_status_t status_of(wasi_errno e)
{
    switch (e) {
    case WASI_E_SUCCESS: return WR_OK;
    case WASI_E_NOMEM: return WR_OOM;
    case WASI_E_NOENT: return WR_NOT_FOUND;
    case WASI_E_MFILE:
    case WASI_E_NFILE: return WR_LIMIT;
    default: return WR_IO;
    }
}

wr_status_t wr_wasi_new(wr_wasi_t **out, wr_error_t *err)
{
    *out = NULL;
    struct wr_wasi *wasi = calloc(1, sizeof(*wasi));
    if (wasi == NULL) return wasi_fail(err, WR_OOM, "out of memory");
    pthread_mutex_init(&wasi->lock, NULL);
    wasi_errno e = wasi_wait_init(&wasi->wait);
    for (int i = 0; i < 3 && e == WASI_E_SUCCESS; i++) {
        e = wasi_preopen_stdio(&wasi->fds, (u32)i, i);
        if (e == WASI_E_BADF) /* closed in this process: closed for the guest */
            e = WASI_E_SUCCESS;
    }
    if (e != WASI_E_SUCCESS) {
        wr_wasi_delete(wasi);
        return wasi_fail(err, status_of(e), "cannot set up WASI: %s", wasi_errno_name(e));
    }
    *out = wasi;
    return WR_OK;
}

void wr_wasi_delete(wr_wasi_t *wasi)
{
    if (wasi == NULL) return;
    wasi_fdtable_fini(&wasi->fds);
    wasi_wait_fini(&wasi->wait);
    free(wasi->bind);
    free(wasi->args.text);
    free(wasi->env.text);
    pthread_mutex_destroy(&wasi->lock);
    free(wasi);
}

/* Bytes of argument and environment text beside `except`. */
static size_t text_beside(const wr_wasi_t *wasi, const struct wasi_strings *except)
{
    size_t total = 0;
    if (except != &wasi->args) total += wasi->args.bytes;
    if (except != &wasi->env) total += wasi->env.bytes;
    return total;
}

static wr_status_t text_limit(wr_error_t *err)
{
    return wasi_fail(err, WR_LIMIT, "arguments and environment are longer than %d bytes",
                     WASI_TEXT_LIMIT);
}

wr_status_t wr_wasi_set_args(wr_wasi_t *wasi, const char *const *argv, size_t count,
                             wr_error_t *err)
{
    size_t beside = text_beside(wasi, &wasi->args), bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += strlen(argv[i]) + 1;
        if (bytes > WASI_TEXT_LIMIT - beside) return text_limit(err);
    }
    char *text = malloc(bytes + 1);
    if (text == NULL) return wasi_fail(err, WR_OOM, "out of memory");
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(argv[i]) + 1;
        memcpy(text + at, argv[i], len);
        at += len;
    }
    free(wasi->args.text);
    wasi->args = (struct wasi_strings){.text = text, .bytes = (u32)bytes, .count = (u32)count};
    return WR_OK;
}

/* Offset of variable `key` in the environment text, or its end. */
static size_t find_env(const struct wasi_strings *env, const char *key, size_t key_len)
{
    size_t at = 0;
    while (at < env->bytes) {
        const char *entry = env->text + at;
        if (strncmp(entry, key, key_len) == 0 && entry[key_len] == '=') break;
        at += strlen(entry) + 1;
    }
    return at;
}

wr_status_t wr_wasi_set_env(wr_wasi_t *wasi, const char *key, const char *value, wr_error_t *err)
{
    struct wasi_strings *env = &wasi->env;
    size_t key_len = strlen(key), entry_len = key_len + strlen(value) + 2;
    if (key_len == 0 || strchr(key, '=') != NULL)
        return wasi_fail(err, WR_ARGUMENT, "bad environment variable name \"%.100s\"", key);
    size_t at = find_env(env, key, key_len);
    size_t old_len = at < env->bytes ? strlen(env->text + at) + 1 : 0;
    size_t bytes = env->bytes - old_len + entry_len;
    if (bytes > WASI_TEXT_LIMIT - text_beside(wasi, env)) return text_limit(err);
    size_t room = bytes > env->bytes ? bytes : env->bytes;
    char *text = realloc(env->text, room);
    if (text == NULL) return wasi_fail(err, WR_OOM, "out of memory");
    memmove(text + at + entry_len, text + at + old_len, env->bytes - at - old_len);
    snprintf(text + at, entry_len, "%s=", key);
    memcpy(text + at + key_len + 1, value, entry_len - key_len - 1);
    env->text = text;
    env->bytes = (u32)bytes;
    env->count += old_len == 0;
    return WR_OK;
}

wr_status_t wr_wasi_preopen_dir(wr_wasi_t *wasi, const char *host, const char *guest,
                                bool read_only, wr_error_t *err)
{
    size_t len = strlen(guest);
    if (len == 0 || len > WASI_PATH_MAX)
        return wasi_fail(err, WR_ARGUMENT, "directory \"%.200s\": bad guest path", host);
    wasi_errno e = wasi_preopen_dir(&wasi->fds, host, guest, read_only);
    if (e == WASI_E_SUCCESS) return WR_OK;
    return wasi_fail(err, status_of(e), "cannot open directory \"%.200s\": %s", host,
                     wasi_errno_name(e));
}

wr_status_t wr_wasi_set_stdio(wr_wasi_t *wasi, int guest_fd, int host_fd, wr_error_t *err)
{
    if (guest_fd < 0 || guest_fd > 2 || host_fd < -1)
        return wasi_fail(err, WR_ARGUMENT, "stream %d: not a standard stream", guest_fd);
    wasi_errno e = wasi_preopen_stdio(&wasi->fds, (u32)guest_fd, host_fd);
    if (e == WASI_E_SUCCESS) return WR_OK;
    return wasi_fail(err, status_of(e), "stream %d: descriptor %d: %s", guest_fd, host_fd,
                     wasi_errno_name(e));
}

void wr_wasi_wake(wr_wasi_t *wasi) { wasi_wait_wake(&wasi->wait); }

void wr_wasi_hide_procfs(wr_wasi_t *wasi) { wasi->no_procfs = true; }

void wr_wasi_set_strict_poll(wr_wasi_t *wasi, bool strict) { wasi->strict_poll = strict; }

wr_status_t wr_wasi_set_max_fds(wr_wasi_t *wasi, uint32_t count, wr_error_t *err)
{
    if (count < WASI_FD_FIRST || count > WASI_FD_LIMIT_MAX)
        return wasi_fail(err, WR_ARGUMENT, "%u is not a number of descriptors from %d to %d", count,
                         WASI_FD_FIRST, WASI_FD_LIMIT_MAX);
    wasi->fds.limit = count;
    return WR_OK;
}
