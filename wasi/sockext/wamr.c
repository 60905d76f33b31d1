/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wamr.c - WAMR's socket functions: typed addresses and one function for each option.
 *
 * addr (24): kind i32@0 (0 IPv4, 1 IPv6); IPv4: u8[4]@4, port u16@8; IPv6: u16[8]@4, port u16@20.
 * All numbers little-endian, the parts of an IPv6 address and ports too. addr_info (28): addr, type
 * i32.
 */
#include "loop/dns.h"
#include "p1/message.h"
#include "p1/p1.h"
#include "sockext/sockext.h"

#include <netdb.h>
#include <string.h>

enum { ADDR_BYTES = 24, INFO_BYTES = 28, HINTS_BYTES = 12, NAME_MAX_BYTES = 1025 };
enum { KIND_IPV4 = 0, KIND_IPV6 = 1, TYPE_DGRAM = 0, TYPE_STREAM = 1 };

/* ---------------------------------------------------------------- addresses */

/* The address of `kind` whose bytes begin at `p`. */
static wasi_errno from_guest(struct wasi_addr *out, u32 kind, const u8 *p, u16 port)
{
    u8 v6[16];
    if (kind > KIND_IPV6) return WASI_E_INVAL;
    for (int i = 0; i < 16; i++) v6[i] = p[i ^ 1]; /* each part the other way round */
    wasi_addr_set(out, kind == KIND_IPV6 ? AF_INET6 : AF_INET, kind == KIND_IPV6 ? v6 : p, port);
    return WASI_E_SUCCESS;
}

static wasi_errno get_address(struct wasi_call *c, u32 addr, struct wasi_addr *out)
{
    u8 bytes[ADDR_BYTES];
    wasi_errno e = wasi_mem_read(&c->mem, addr, bytes, sizeof(bytes));
    if (e != WASI_E_SUCCESS) return e;
    u32 kind = wasi_get32(bytes);
    return from_guest(out, kind, bytes + 4, wasi_get16(bytes + (kind == KIND_IPV6 ? 20 : 8)));
}

static void to_guest(u8 out[ADDR_BYTES], const struct wasi_addr *addr)
{
    const u8 *bytes = wasi_addr_bytes(addr);
    memset(out, 0, ADDR_BYTES);
    if (bytes == NULL) return; /* a Unix socket has no address here */
    if (addr->of.any.sa_family != AF_INET6) {
        memcpy(out + 4, bytes, 4);
        wasi_put16(out + 8, wasi_addr_port(addr));
        return;
    }
    wasi_put32(out, KIND_IPV6);
    for (int i = 0; i < 16; i++) out[4 + i] = bytes[i ^ 1];
    wasi_put16(out + 20, wasi_addr_port(addr));
}

static wasi_errno put_address(struct wasi_call *c, u32 addr, const struct wasi_addr *from)
{
    u8 bytes[ADDR_BYTES];
    to_guest(bytes, from);
    return wasi_mem_write(&c->mem, addr, bytes, sizeof(bytes));
}

/* ---------------------------------------------------------------- sockets and messages */

/* The first argument is a descriptor whose address pool WAMR would look into: -1 in practice. */
wasi_errno wasi_wamr_open(struct wasi_call *c)
{
    u32 family = c->arg[1].i32, type = c->arg[2].i32, guest_fd;
    u8 *out = wasi_mem_at(&c->mem, c->arg[3].i32, 4);
    if (out == NULL) return WASI_E_FAULT;
    if (family > KIND_IPV6 || type > TYPE_STREAM) return WASI_E_INVAL;
    wasi_errno e = wasi_sock_open(c, family == KIND_IPV6 ? AF_INET6 : AF_INET,
                                  type == TYPE_DGRAM ? SOCK_DGRAM : SOCK_STREAM, &guest_fd);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(out, guest_fd);
    return e;
}

wasi_errno wasi_wamr_bind(struct wasi_call *c)
{
    struct wasi_addr addr;
    wasi_errno e = get_address(c, c->arg[1].i32, &addr);
    return e == WASI_E_SUCCESS ? wasi_sock_bind(c, &addr) : e;
}

wasi_errno wasi_wamr_connect(struct wasi_call *c)
{
    struct wasi_addr addr;
    wasi_errno e = get_address(c, c->arg[1].i32, &addr);
    return e == WASI_E_SUCCESS ? wasi_sock_connect(c, &addr) : e;
}

wasi_errno wasi_wamr_close(struct wasi_call *c)
{
    return wasi_fdtable_close(&c->wasi->fds, c->arg[0].i32);
}

wasi_errno wasi_wamr_recv_from(struct wasi_call *c)
{
    struct wasi_addr from;
    struct wasi_sock_msg msg = {.flags = c->arg[3].i32, .addr = &from};
    u8 *moved = wasi_mem_at(&c->mem, c->arg[5].i32, 4);
    if (moved == NULL || wasi_mem_at(&c->mem, c->arg[4].i32, ADDR_BYTES) == NULL)
        return WASI_E_FAULT;
    wasi_errno e = wasi_message(c, &msg, wasi_sock_recv);
    if (e != WASI_E_SUCCESS) return e;
    wasi_guest_put32(moved, (u32)msg.done);
    return put_address(c, c->arg[4].i32, &from);
}

wasi_errno wasi_wamr_send_to(struct wasi_call *c)
{
    struct wasi_addr to;
    struct wasi_sock_msg msg = {.flags = c->arg[3].i32, .addr = &to};
    wasi_errno e = get_address(c, c->arg[4].i32, &to);
    return e == WASI_E_SUCCESS ? wasi_send_from(c, &msg, c->arg[5].i32) : e;
}

wasi_errno wasi_wamr_name(struct wasi_call *c)
{
    struct wasi_addr name;
    wasi_errno e = wasi_sock_name(c, c->row->extra != 0, &name);
    return e == WASI_E_SUCCESS ? put_address(c, c->arg[1].i32, &name) : e;
}

/* ---------------------------------------------------------------- names */

/* A NUL-terminated guest string; "" and the address 0 become NULL. */
static wasi_errno get_name(struct wasi_call *c, u32 addr, char buf[NAME_MAX_BYTES],
                           const char **out)
{
    *out = NULL;
    if (addr == 0) return WASI_E_SUCCESS;
    if (addr >= c->mem.size) return WASI_E_FAULT;
    u64 room = c->mem.size - addr;
    size_t cap = room < NAME_MAX_BYTES ? (size_t)room : NAME_MAX_BYTES;
    wasi_guest_read(buf, c->mem.base + addr, cap);
    if (memchr(buf, '\0', cap) == NULL)
        return cap < NAME_MAX_BYTES ? WASI_E_FAULT : WASI_E_NAMETOOLONG;
    if (buf[0] != '\0') *out = buf;
    return WASI_E_SUCCESS;
}

/* hints: type i32@0, family i32@4, u8 whether they are to be used@8. */
static wasi_errno get_hints(struct wasi_call *c, struct addrinfo *out)
{
    u8 hints[HINTS_BYTES];
    *out = (struct addrinfo){.ai_family = AF_UNSPEC};
    if (c->arg[2].i32 == 0) return WASI_E_SUCCESS;
    wasi_errno e = wasi_mem_read(&c->mem, c->arg[2].i32, hints, sizeof(hints));
    if (e != WASI_E_SUCCESS || hints[8] == 0) return e;
    u32 type = wasi_get32(hints), family = wasi_get32(hints + 4);
    out->ai_socktype = type == TYPE_DGRAM ? SOCK_DGRAM : type == TYPE_STREAM ? SOCK_STREAM : 0;
    out->ai_family = family == 0 ? AF_INET : family == 1 ? AF_INET6 : AF_UNSPEC;
    return e;
}

/* As many as there is room for; `*count` is how many there are. */
static wasi_errno put_infos(struct wasi_call *c, const struct addrinfo *list, u32 room, u32 *count)
{
    wasi_errno e = WASI_E_SUCCESS;
    for (; e == WASI_E_SUCCESS && list != NULL; list = list->ai_next) {
        u8 info[INFO_BYTES];
        struct wasi_addr addr = {.len = list->ai_addrlen};
        bool known = list->ai_socktype == SOCK_STREAM || list->ai_socktype == SOCK_DGRAM;
        if (!known || (list->ai_family != AF_INET && list->ai_family != AF_INET6)) continue;
        memcpy(&addr.of, list->ai_addr, list->ai_addrlen);
        to_guest(info, &addr);
        wasi_put32(info + ADDR_BYTES, list->ai_socktype == SOCK_STREAM ? TYPE_STREAM : TYPE_DGRAM);
        u64 at = (u64)c->arg[3].i32 + (u64)*count * INFO_BYTES;
        if (*count < room) e = wasi_mem_write(&c->mem, at, info, sizeof(info));
        ++*count;
    }
    return e;
}

wasi_errno wasi_wamr_resolve(struct wasi_call *c)
{
    char node_text[NAME_MAX_BYTES], service_text[NAME_MAX_BYTES];
    const char *node, *service;
    struct addrinfo hints;
    const struct addrinfo *list;
    u8 *count_out = wasi_mem_at(&c->mem, c->arg[5].i32, 4);
    u32 count = 0;
    int eai;
    if (count_out == NULL) return WASI_E_FAULT;
    wasi_errno e = get_name(c, c->arg[0].i32, node_text, &node);
    if (e == WASI_E_SUCCESS) e = get_name(c, c->arg[1].i32, service_text, &service);
    if (e == WASI_E_SUCCESS) e = get_hints(c, &hints);
    if (e == WASI_E_SUCCESS && node == NULL && service == NULL) e = WASI_E_INVAL;
    if (e == WASI_E_SUCCESS) e = wasi_dns(c, node, service, &hints, &eai, &list);
    if (e != WASI_E_SUCCESS) return e;
    if (eai != 0) return eai == EAI_AGAIN ? WASI_E_AGAIN : WASI_E_NOENT;
    e = put_infos(c, list, c->arg[4].i32, &count);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(count_out, count);
    return e;
}

/* ---------------------------------------------------------------- options */

static wasi_errno put_u8(struct wasi_call *c, u32 addr, int value)
{
    u8 byte = value > UINT8_MAX || value < 0 ? UINT8_MAX : (u8)value;
    return wasi_mem_write(&c->mem, addr, &byte, 1);
}

static wasi_errno put_u32(struct wasi_call *c, u32 addr, u32 value)
{
    u8 bytes[4];
    wasi_put32(bytes, value);
    return wasi_mem_write(&c->mem, addr, bytes, sizeof(bytes));
}

static enum wasi_sockopt option_of(const struct wasi_call *c)
{
    return (enum wasi_sockopt)c->row->extra;
}

wasi_errno wasi_wamr_get_byte(struct wasi_call *c)
{
    int value;
    wasi_errno e = wasi_sock_get_int(c, option_of(c), &value);
    return e == WASI_E_SUCCESS ? put_u8(c, c->arg[1].i32, value) : e;
}

wasi_errno wasi_wamr_get_size(struct wasi_call *c)
{
    int value;
    wasi_errno e = wasi_sock_get_int(c, option_of(c), &value);
    return e == WASI_E_SUCCESS ? put_u32(c, c->arg[1].i32, (u32)value) : e;
}

wasi_errno wasi_wamr_set_int(struct wasi_call *c)
{
    return wasi_sock_set_int(c, option_of(c), (int)c->arg[1].i32);
}

/* In microseconds. */
static u64 *timeout_of(struct wasi_call *c)
{
    return c->row->extra != 0 ? &c->fd->send_timeout_ns : &c->fd->recv_timeout_ns;
}

wasi_errno wasi_wamr_get_timeout(struct wasi_call *c)
{
    u8 bytes[8];
    wasi_put64(bytes, *timeout_of(c) / 1000);
    return wasi_mem_write(&c->mem, c->arg[1].i32, bytes, sizeof(bytes));
}

wasi_errno wasi_wamr_set_timeout(struct wasi_call *c)
{
    u64 us = c->arg[1].i64;
    *timeout_of(c) = us > UINT64_MAX / 1000 ? UINT64_MAX : us * 1000;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_wamr_get_linger(struct wasi_call *c)
{
    int seconds;
    wasi_errno e = wasi_sock_get_linger(c, &seconds);
    if (e == WASI_E_SUCCESS) e = put_u8(c, c->arg[1].i32, seconds >= 0);
    return e == WASI_E_SUCCESS ? put_u32(c, c->arg[2].i32, seconds > 0 ? (u32)seconds : 0) : e;
}

wasi_errno wasi_wamr_set_linger(struct wasi_call *c)
{
    return wasi_sock_set_linger(c, c->arg[1].i32 != 0 ? (int)(c->arg[2].i32 & 0xffff) : -1);
}

/* Argument 1: for IPv6. */
static enum wasi_sockopt loop_of(const struct wasi_call *c)
{
    return c->arg[1].i32 != 0 ? WASI_SO_MULTICAST_LOOP6 : WASI_SO_MULTICAST_LOOP4;
}

wasi_errno wasi_wamr_get_loop(struct wasi_call *c)
{
    int value;
    wasi_errno e = wasi_sock_get_int(c, loop_of(c), &value);
    return e == WASI_E_SUCCESS ? put_u8(c, c->arg[2].i32, value) : e;
}

wasi_errno wasi_wamr_set_loop(struct wasi_call *c)
{
    return wasi_sock_set_int(c, loop_of(c), c->arg[2].i32 != 0);
}

/* An address without a port: kind i32@0, bytes@4, 20 together. */
wasi_errno wasi_wamr_membership(struct wasi_call *c)
{
    u8 bytes[20];
    struct wasi_addr group;
    wasi_errno e = wasi_mem_read(&c->mem, c->arg[1].i32, bytes, sizeof(bytes));
    if (e == WASI_E_SUCCESS) e = from_guest(&group, wasi_get32(bytes), bytes + 4, 0);
    return e == WASI_E_SUCCESS ? wasi_sock_group(c, &group, c->arg[2].i32, c->row->extra != 0) : e;
}
