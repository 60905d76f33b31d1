/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - WasmEdge's sock_getaddrinfo: the guest has linked as many nodes as it has room for, the
 * host fills them and cuts the list behind the last.
 */
#include "fd/net.h"
#include "loop/dns.h"
#include "sockext/sockext.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

/* addrinfo: flags u16@0, family u8@2, socktype u8@3, protocol u8@4, addrlen u32@8, addr*@12,
 * canonname*@16, canonnamelen u32@20, next*@24. sockaddr: family u8@0, data_len u32@4, data*@8. */
enum { INFO_BYTES = 28, SOCKADDR_BYTES = 12, NAME_MAX_BYTES = 1025, NODES_MAX = 256 };
enum { V4_DATA = 6, V6_DATA = 18 }; /* port in network order, then the address */

wasi_errno wasi_eai_errno(int eai)
{
    enum { FIRST = 77 };
    static const int order[] = {EAI_ADDRFAMILY, EAI_AGAIN,   EAI_BADFLAGS, EAI_FAIL,
                                EAI_FAMILY,     EAI_MEMORY,  EAI_NODATA,   EAI_NONAME,
                                EAI_SERVICE,    EAI_SOCKTYPE};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (order[i] == eai) return (wasi_errno)(FIRST + (int)i);
    return (wasi_errno)(FIRST + 10);
}

/* A guest string as a C string; "" becomes NULL. */
static wasi_errno get_name(struct wasi_call *c, u32 addr, u32 len, char buf[NAME_MAX_BYTES],
                           const char **out)
{
    *out = NULL;
    if (len >= NAME_MAX_BYTES) return WASI_E_NAMETOOLONG;
    wasi_errno e = wasi_mem_read(&c->mem, addr, buf, len);
    if (e != WASI_E_SUCCESS) return e;
    while (len > 0 && buf[len - 1] == '\0') len--; /* with its NUL, as some do */
    buf[len] = '\0';
    if (memchr(buf, '\0', len) != NULL) return WASI_E_INVAL;
    if (len > 0) *out = buf;
    return e;
}

static wasi_errno get_hints(struct wasi_call *c, u32 addr, struct addrinfo *out)
{
    static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
    static const int types[] = {0, SOCK_DGRAM, SOCK_STREAM};
    u8 info[INFO_BYTES];
    *out = (struct addrinfo){.ai_family = AF_UNSPEC};
    if (addr == 0) return WASI_E_SUCCESS;
    wasi_errno e = wasi_mem_read(&c->mem, addr, info, sizeof(info));
    if (e != WASI_E_SUCCESS) return e;
    if (info[2] > 2) return wasi_eai_errno(EAI_FAMILY);
    if (info[3] > 2) return wasi_eai_errno(EAI_SOCKTYPE);
    /* passive 1, canonname 2, numerichost 4, numericserv 8, v4mapped 16, all 32, addrconfig 64 */
    u16 flags = wasi_get16(info);
    static const int hosts[] = {AI_PASSIVE,  AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV,
                                AI_V4MAPPED, AI_ALL,       AI_ADDRCONFIG};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if ((flags & 1u << i) != 0) out->ai_flags |= hosts[i];
    out->ai_family = families[info[2]];
    out->ai_socktype = types[info[3]];
    out->ai_protocol = info[4] == 1 ? IPPROTO_TCP : info[4] == 2 ? IPPROTO_UDP : 0;
    return e;
}

/* Port and address behind the guest's sockaddr at `addr`, within the room it says it has. */
static wasi_errno put_sockaddr(struct wasi_call *c, u32 addr, const struct addrinfo *from)
{
    u8 head[SOCKADDR_BYTES], data[V6_DATA];
    wasi_errno e = wasi_mem_read(&c->mem, addr, head, sizeof(head));
    if (e != WASI_E_SUCCESS) return e;
    struct wasi_addr a = {.len = from->ai_addrlen};
    memcpy(&a.of, from->ai_addr, from->ai_addrlen);
    u32 len = from->ai_family == AF_INET6 ? V6_DATA : V4_DATA;
    data[0] = (u8)(wasi_addr_port(&a) >> 8);
    data[1] = (u8)wasi_addr_port(&a);
    memcpy(data + 2, wasi_addr_bytes(&a), len - 2);
    if (wasi_get32(head + 4) < len) return WASI_E_OVERFLOW;
    head[0] = from->ai_family == AF_INET6 ? 2 : 1;
    wasi_put32(head + 4, len);
    e = wasi_mem_write(&c->mem, wasi_get32(head + 8), data, len);
    return e == WASI_E_SUCCESS ? wasi_mem_write(&c->mem, addr, head, sizeof(head)) : e;
}

static wasi_errno put_canonname(struct wasi_call *c, u8 *node, const char *name)
{
    size_t len = name != NULL ? strlen(name) + 1 : 0;
    u32 room = wasi_get32(node + 20);
    if (len > room) len = room;
    wasi_put32(node + 20, (u32)len);
    return len > 0 ? wasi_mem_write(&c->mem, wasi_get32(node + 16), name, len) : WASI_E_SUCCESS;
}

/* Fills one node and finds the next. */
static wasi_errno put_node(struct wasi_call *c, u32 addr, const struct addrinfo *from, u32 *next)
{
    u8 node[INFO_BYTES];
    wasi_errno e = wasi_mem_read(&c->mem, addr, node, sizeof(node));
    if (e != WASI_E_SUCCESS) return e;
    *next = wasi_get32(node + 24);
    wasi_put16(node, 0);
    node[2] = from->ai_family == AF_INET6 ? 2 : 1;
    node[3] = from->ai_socktype == SOCK_DGRAM ? 1 : from->ai_socktype == SOCK_STREAM ? 2 : 0;
    node[4] = from->ai_protocol == IPPROTO_TCP ? 1 : from->ai_protocol == IPPROTO_UDP ? 2 : 0;
    wasi_put32(node + 8, from->ai_family == AF_INET6 ? 28 : 16);
    e = put_sockaddr(c, wasi_get32(node + 12), from);
    if (e == WASI_E_SUCCESS) e = put_canonname(c, node, from->ai_canonname);
    return e == WASI_E_SUCCESS ? wasi_mem_write(&c->mem, addr, node, sizeof(node)) : e;
}

/* All that there is room for; the rest of the guest's chain is left as it is, past `count`. */
static wasi_errno put_list(struct wasi_call *c, const struct addrinfo *list, u32 max, u32 *count)
{
    u8 head[4];
    wasi_errno e = wasi_mem_read(&c->mem, c->arg[5].i32, head, sizeof(head));
    u32 node = wasi_get32(head);
    for (; e == WASI_E_SUCCESS && list != NULL && *count < max && node != 0; list = list->ai_next) {
        if (list->ai_family != AF_INET && list->ai_family != AF_INET6) continue;
        e = put_node(c, node, list, &node);
        if (e == WASI_E_SUCCESS) ++*count;
    }
    return e;
}

wasi_errno wasi_we_getaddrinfo(struct wasi_call *c)
{
    char node_text[NAME_MAX_BYTES], service_text[NAME_MAX_BYTES];
    const char *node, *service;
    struct addrinfo hints;
    const struct addrinfo *list;
    u8 *count_out = wasi_mem_at(&c->mem, c->arg[7].i32, 4);
    u32 max = c->arg[6].i32 < NODES_MAX ? c->arg[6].i32 : NODES_MAX, count = 0;
    int eai;
    if (count_out == NULL) return WASI_E_FAULT;
    wasi_errno e = get_name(c, c->arg[0].i32, c->arg[1].i32, node_text, &node);
    if (e == WASI_E_SUCCESS) e = get_name(c, c->arg[2].i32, c->arg[3].i32, service_text, &service);
    if (e == WASI_E_SUCCESS) e = get_hints(c, c->arg[4].i32, &hints);
    if (e == WASI_E_SUCCESS && node == NULL && service == NULL) e = wasi_eai_errno(EAI_NONAME);
    if (e == WASI_E_SUCCESS) e = wasi_dns(c, node, service, &hints, &eai, &list);
    if (e != WASI_E_SUCCESS) return e;
    if (eai != 0)
        e = wasi_eai_errno(eai);
    else if (max > 0)
        e = put_list(c, list, max, &count);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(count_out, count);
    return e;
}
