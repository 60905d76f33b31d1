/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.h - names looked up by libuv's resolver, in a worker thread while the guest waits.
 */
#ifndef WASI_LOOP_DNS_H
#define WASI_LOOP_DNS_H

#include "context.h"

#include <netdb.h>

/**
 * Looks a name and a service up (either may be NULL). WASI_PARK while it is under way; SUCCESS:
 * `*error` is 0 or an EAI_* number, `*list` the answer, valid for this try. ACCES when the
 * policy has no name resolution, MFILE, NFILE, NOMEM, INTR, CANCELED.
 */
WASI_MUST_USE wasi_errno wasi_dns(struct wasi_call *c, const char *node, const char *service,
                                  const struct addrinfo *hints, int *error,
                                  const struct addrinfo **list);
/** Lets go of a lookup, done or not, when its call has its answer. NULL is allowed. */
void wasi_dns_drop(struct wasi_dns *dns);

#endif
