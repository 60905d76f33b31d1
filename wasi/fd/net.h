/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h - which addresses a guest may use. Nothing is allowed at first.
 */
#ifndef WASI_FD_NET_H
#define WASI_FD_NET_H

#include "abi/ints.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { WASI_NET_RULES = 64 };

/** Addresses of one family with the same first `bits` bits, and one port. */
struct wasi_net_rule {
    u8 addr[16];
    u8 bits;
    bool is_v6;
    u16 port; /**< 0: any */
};

struct wasi_net {
    bool all;     /**< every address, and Unix sockets */
    bool resolve; /**< names may be looked up */
    bool unix_too; /**< Unix sockets beneath preopens */
    u32 count;
    struct wasi_net_rule rule[WASI_NET_RULES];
};

/** A socket address of any family. */
struct wasi_addr {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } of;
    socklen_t len;
};

/** Adds what "CIDR[:PORT]", "[V6/BITS]:PORT" or "unix" allows; false: not such a text, or too many.
 */
bool wasi_net_add(struct wasi_net *net, const char *text);
/** Whether there is a network at all. */
bool wasi_net_is_on(const struct wasi_net *net);
/** Whether an internet address and port are allowed; an IPv4-mapped one counts as IPv4. */
bool wasi_net_allows(const struct wasi_net *net, const struct wasi_addr *addr);

/** "HOST:PORT" or "[V6]:PORT" with a numeric host as an address. */
bool wasi_addr_parse(const char *text, struct wasi_addr *out);
/** An address of family AF_INET or AF_INET6 from its bytes in network order. */
void wasi_addr_set(struct wasi_addr *out, int family, const void *bytes, u16 port);
u16 wasi_addr_port(const struct wasi_addr *addr);
/** The address in network order, 4 or 16 bytes; NULL for another family. */
const u8 *wasi_addr_bytes(const struct wasi_addr *addr);

#endif
