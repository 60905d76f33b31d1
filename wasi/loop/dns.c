/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.c - uv_getaddrinfo for a parked guest, or over a private libuv loop where there is none.
 */
#include "loop/dns.h"

#include "loop/loop.h"
#include "loop/uvloop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Held by the call that waits, and by libuv until it has called back. */
struct wasi_dns {
    uv_getaddrinfo_t request;
    uv_loop_t *uv;
    uv_loop_t own; /* without a loop */
    bool is_own;
    struct wr_task *task; /* who waits; NULL: nobody any more, or no loop */
    bool done;
    int error; /* UV_EAI_* or another of libuv's */
    struct addrinfo *list;
};

static void delete(struct wasi_dns *dns)
{
    if (dns->list != NULL) uv_freeaddrinfo(dns->list);
    if (dns->is_own) uv_loop_close(&dns->own);
    free(dns);
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct wasi_dns *dns = request->data;
    dns->done = true;
    dns->error = status;
    dns->list = list;
    if (dns->task != NULL)
        wasi_task_answered(dns->task);
    else if (!dns->is_own)
        delete (dns); /* its call was dropped meanwhile */
}

/* A lookup of our own loop that can't be cancelled is waited for: the resolver has time limits. */
void wasi_dns_drop(struct wasi_dns *dns)
{
    if (dns == NULL) return;
    dns->task = NULL;
    if (dns->done) {
        delete (dns);
        return;
    }
    (void)uv_cancel((uv_req_t *)&dns->request);
    if (!dns->is_own) return; /* on_answer deletes it */
    while (!dns->done) uv_run(&dns->own, UV_RUN_ONCE);
    delete (dns);
}

static int numbers(int error)
{
    switch (error) {
    case 0: return 0;
    case UV_EAI_ADDRFAMILY: return EAI_ADDRFAMILY;
    case UV_EAI_AGAIN: return EAI_AGAIN;
    case UV_EAI_BADFLAGS: return EAI_BADFLAGS;
    case UV_EAI_FAMILY: return EAI_FAMILY;
    case UV_EAI_MEMORY: return EAI_MEMORY;
    case UV_EAI_NODATA: return EAI_NODATA;
    case UV_EAI_NONAME: return EAI_NONAME;
    case UV_EAI_SERVICE: return EAI_SERVICE;
    case UV_EAI_SOCKTYPE: return EAI_SOCKTYPE;
    case UV_EAI_FAIL: return EAI_FAIL;
    default: return EAI_SYSTEM;
    }
}

static wasi_errno begin(struct wasi_call *c, const char *node, const char *service,
                        const struct addrinfo *hints)
{
    struct wasi_dns *dns = calloc(1, sizeof(*dns));
    if (dns == NULL) return WASI_E_NOMEM;
    dns->request.data = dns;
    dns->is_own = !c->can_park;
    dns->uv = dns->is_own ? &dns->own : c->wasi->fds.loop->uv;
    wasi_errno e = dns->is_own ? wasi_uv_loop_init(&dns->own) : WASI_E_SUCCESS;
    if (e != WASI_E_SUCCESS) {
        free(dns);
        return e;
    }
    int r = uv_getaddrinfo(dns->uv, &dns->request, on_answer, node, service, hints);
    c->progress.dns = dns;
    if (r == 0) return WASI_E_SUCCESS;
    dns->done = true; /* an answer of its own: a name that is too long, say */
    dns->error = r;
    return WASI_E_SUCCESS;
}

/* Waits for the answer; on its own loop that runs when its descriptor is ready. */
static wasi_errno wait(struct wasi_call *c, struct wasi_dns *dns)
{
    if (dns->is_own) {
        uv_run(&dns->own, UV_RUN_NOWAIT);
        if (dns->done) return WASI_E_SUCCESS;
        const struct pollfd one = {.fd = uv_backend_fd(&dns->own), .events = POLLIN};
        return wasi_park(c, &one, 1, WASI_FOREVER);
    }
    dns->task = wasi_loop_task(c);
    return wasi_park(c, NULL, 0, WASI_FOREVER);
}

wasi_errno wasi_dns(struct wasi_call *c, const char *node, const char *service,
                    const struct addrinfo *hints, int *error, const struct addrinfo **list)
{
    *error = 0;
    *list = NULL;
    if (!c->wasi->net.resolve) return WASI_E_ACCES;
    /* In a loop, but called where it cannot be suspended: that traps, and nothing is begun. */
    if (!c->can_park && c->wasi->fds.loop != NULL) return wasi_park(c, NULL, 0, WASI_FOREVER);
    wasi_errno e = WASI_E_SUCCESS;
    if (c->progress.dns == NULL) e = begin(c, node, service, hints);
    struct wasi_dns *dns = c->progress.dns;
    if (e == WASI_E_SUCCESS && !dns->done) e = wait(c, dns);
    if (e != WASI_E_SUCCESS) return e;
    *error = numbers(dns->error);
    *list = dns->list;
    return e;
}
