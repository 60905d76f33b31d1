/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasmedge.c - WasmEdge's socket functions: addresses as {buffer, length} in guest memory.
 *
 * An address of 4 or 16 bytes is IPv4 or IPv6 in network order, one of 128 bytes a family (u16) and
 * then the address, for a Unix socket its path. The first version tells the family of an address as
 * 4 or 6, not as it names families elsewhere; programs rely on it.
 */
#include "p1/message.h"
#include "p1/p1.h"
#include "sockext/sockext.h"

#include <string.h>
#include <sys/un.h>

enum { STORAGE_BYTES = 128, STORAGE_ADDR = 126, V4_BYTES = 4, V6_BYTES = 16 };
enum { AF_WE_INET4 = 1, AF_WE_INET6 = 2, AF_WE_UNIX = 3 };
enum { TYPE_ANY = 0, TYPE_DGRAM = 1, TYPE_STREAM = 2 };

/* ---------------------------------------------------------------- addresses */

/* {buf, len} at `addr`: its bytes in guest memory. */
static wasi_errno address_bytes(struct wasi_call *c, u32 addr, u8 **bytes, u32 *len)
{
    u8 head[8];
    wasi_errno e = wasi_mem_read(&c->mem, addr, head, sizeof(head));
    if (e != WASI_E_SUCCESS) return e;
    *len = wasi_get32(head + 4);
    *bytes = wasi_mem_at(&c->mem, wasi_get32(head), *len);
    return *bytes != NULL ? WASI_E_SUCCESS : WASI_E_FAULT;
}

/* What a guest says of an address. */
struct request {
    u32 addr; /* of {buf, len} */
    u32 port;
    bool bind; /* else it is connected or sent to */
};

/* A guest's address; `keep` is closed by the caller after the address was used. */
static wasi_errno get_address(struct wasi_call *c, const struct request *q, struct wasi_addr *out,
                              int *keep)
{
    u8 copy[STORAGE_BYTES], *bytes;
    u32 len;
    *keep = -1;
    wasi_errno e = address_bytes(c, q->addr, &bytes, &len);
    if (e != WASI_E_SUCCESS) return e;
    bool known = len == V4_BYTES || len == V6_BYTES || len == STORAGE_BYTES;
    if (q->port > UINT16_MAX || !known) return WASI_E_INVAL;
    wasi_guest_read(copy, bytes, len);
    bytes = copy;
    int family = len == V4_BYTES ? AF_WE_INET4 : AF_WE_INET6;
    if (len == STORAGE_BYTES) {
        family = wasi_get16(bytes);
        bytes += 2;
    }
    char path[STORAGE_ADDR + 1] = "";
    switch (family) {
    case AF_WE_INET4: wasi_addr_set(out, AF_INET, bytes, (u16)q->port); return e;
    case AF_WE_INET6: wasi_addr_set(out, AF_INET6, bytes, (u16)q->port); return e;
    case AF_WE_UNIX:
        memcpy(path, bytes, STORAGE_ADDR);
        return wasi_sock_unix(c, path, q->bind, out, keep);
    default: return WASI_E_INVAL;
    }
}

/* Writes an address into a guest's buffer; 16 bytes do for IPv4 as well. */
static wasi_errno put_address(const struct wasi_addr *addr, u8 *bytes, u32 len)
{
    const u8 *from = wasi_addr_bytes(addr);
    bool is_v6 = addr->of.any.sa_family == AF_INET6;
    u32 size = from == NULL ? 0 : is_v6 ? V6_BYTES : V4_BYTES;
    u8 storage[STORAGE_BYTES] = {0};
    if (len == STORAGE_BYTES) {
        wasi_put16(storage, from == NULL ? AF_WE_UNIX : is_v6 ? AF_WE_INET6 : AF_WE_INET4);
        if (size > 0) memcpy(storage + 2, from, size);
        wasi_guest_write(bytes, storage, sizeof(storage));
        return WASI_E_SUCCESS;
    }
    if (len < size) return WASI_E_INVAL;
    if (size > 0) wasi_guest_write(bytes, from, size);
    return WASI_E_SUCCESS;
}

/* ---------------------------------------------------------------- opening and connecting */

wasi_errno wasi_we_open(struct wasi_call *c)
{
    static const int families[] = {AF_INET, AF_INET, AF_INET6, AF_UNIX}; /* unspecified: IPv4 */
    u32 family = c->arg[0].i32 & 0xff, type = c->arg[1].i32, guest_fd;
    u8 *out = wasi_mem_at(&c->mem, c->arg[2].i32, 4);
    if (out == NULL) return WASI_E_FAULT;
    if (family > AF_WE_UNIX || type > TYPE_STREAM) return WASI_E_INVAL;
    int host_type = type == TYPE_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
    wasi_errno e = wasi_sock_open(c, families[family], host_type, &guest_fd);
    if (e == WASI_E_SUCCESS) wasi_guest_put32(out, guest_fd);
    return e;
}

wasi_errno wasi_we_bind(struct wasi_call *c)
{
    const struct request q = {.addr = c->arg[1].i32, .port = c->arg[2].i32, .bind = true};
    struct wasi_addr addr;
    WASI_AUTO_CLOSE int keep = -1;
    wasi_errno e = get_address(c, &q, &addr, &keep);
    return e == WASI_E_SUCCESS ? wasi_sock_bind(c, &addr) : e;
}

wasi_errno wasi_we_connect(struct wasi_call *c)
{
    const struct request q = {.addr = c->arg[1].i32, .port = c->arg[2].i32};
    struct wasi_addr addr;
    WASI_AUTO_CLOSE int keep = -1;
    wasi_errno e = get_address(c, &q, &addr, &keep);
    return e == WASI_E_SUCCESS ? wasi_sock_connect(c, &addr) : e;
}

wasi_errno wasi_we_listen(struct wasi_call *c) { return wasi_sock_listen(c, c->arg[1].i32); }

wasi_errno wasi_we_accept(struct wasi_call *c) { return wasi_put_accepted(c, 0, c->arg[1].i32); }

wasi_errno wasi_we_accept_v2(struct wasi_call *c) { return wasi_p1_sock_accept(c); }

/* ---------------------------------------------------------------- messages */

wasi_errno wasi_we_recv_v2(struct wasi_call *c) { return wasi_p1_sock_recv(c); }

wasi_errno wasi_we_send_v2(struct wasi_call *c) { return wasi_p1_sock_send(c); }

/* Receives, and puts the sender's address at argument 3; its port at `port`, 0: is not told. */
static wasi_errno recv_from(struct wasi_call *c, u32 port, u32 len, u32 roflags)
{
    struct wasi_addr from;
    struct wasi_sock_msg msg = {.flags = c->arg[4].i32, .addr = &from};
    u8 *bytes, *number = port != 0 ? wasi_mem_at(&c->mem, port, 2) : NULL;
    u32 room;
    wasi_errno e = address_bytes(c, c->arg[3].i32, &bytes, &room);
    if (e == WASI_E_SUCCESS && port != 0 && number == NULL) e = WASI_E_FAULT;
    if (e == WASI_E_SUCCESS && room < V4_BYTES) e = WASI_E_INVAL; /* before anything is taken */
    if (e == WASI_E_SUCCESS) e = wasi_recv_to(c, &msg, len, roflags);
    if (e != WASI_E_SUCCESS || from.len == 0) return e;
    if (number != NULL) wasi_guest_put16(number, wasi_addr_port(&from));
    return put_address(&from, bytes, room);
}

wasi_errno wasi_we_recv_from(struct wasi_call *c)
{
    return recv_from(c, 0, c->arg[5].i32, c->arg[6].i32);
}

wasi_errno wasi_we_recv_from_v2(struct wasi_call *c)
{
    return recv_from(c, c->arg[5].i32, c->arg[6].i32, c->arg[7].i32);
}

wasi_errno wasi_we_send_to(struct wasi_call *c)
{
    const struct request q = {.addr = c->arg[3].i32, .port = c->arg[4].i32};
    struct wasi_addr to;
    WASI_AUTO_CLOSE int keep = -1;
    wasi_errno e = get_address(c, &q, &to, &keep);
    struct wasi_sock_msg msg = {.flags = c->arg[5].i32, .addr = &to};
    return e == WASI_E_SUCCESS ? wasi_send_from(c, &msg, c->arg[6].i32) : e;
}

/* ---------------------------------------------------------------- names */

static wasi_errno put_name(struct wasi_call *c, bool peer, u32 type, u32 port)
{
    struct wasi_addr name;
    u8 *bytes, *number = wasi_mem_at(&c->mem, port, 4);
    u32 len;
    wasi_errno e = address_bytes(c, c->arg[1].i32, &bytes, &len);
    if (e == WASI_E_SUCCESS && number == NULL) e = WASI_E_FAULT;
    if (e == WASI_E_SUCCESS && type == 0 && len != STORAGE_BYTES) e = WASI_E_INVAL;
    if (e == WASI_E_SUCCESS) e = wasi_sock_name(c, peer, &name);
    if (e == WASI_E_SUCCESS) e = put_address(&name, bytes, len);
    if (e != WASI_E_SUCCESS) return e;
    wasi_guest_put32(number, wasi_addr_port(&name));
    u8 kind[4];
    wasi_put32(kind, name.of.any.sa_family == AF_INET6 ? 6 : 4);
    return type != 0 ? wasi_mem_write(&c->mem, type, kind, sizeof(kind)) : e;
}

wasi_errno wasi_we_local(struct wasi_call *c)
{
    return put_name(c, false, c->arg[2].i32, c->arg[3].i32);
}

wasi_errno wasi_we_peer(struct wasi_call *c)
{
    return put_name(c, true, c->arg[2].i32, c->arg[3].i32);
}

wasi_errno wasi_we_local_v2(struct wasi_call *c) { return put_name(c, false, 0, c->arg[2].i32); }

wasi_errno wasi_we_peer_v2(struct wasi_call *c) { return put_name(c, true, 0, c->arg[2].i32); }

/* ---------------------------------------------------------------- options */

enum { OPT_TYPE = 1, OPT_ERROR = 2, OPT_LINGER = 9, OPT_RCVTIMEO = 11, OPT_SNDTIMEO = 12 };

/* Option numbers that are plain integers; WASI_SO_COUNT: another kind, or unknown. */
static const u8 int_options[] = {
    WASI_SO_REUSEADDR, WASI_SO_COUNT,  WASI_SO_COUNT,     WASI_SO_DONTROUTE, WASI_SO_BROADCAST,
    WASI_SO_SNDBUF,    WASI_SO_RCVBUF, WASI_SO_KEEPALIVE, WASI_SO_OOBINLINE, WASI_SO_COUNT,
    WASI_SO_RCVLOWAT,  WASI_SO_COUNT,  WASI_SO_COUNT,     WASI_SO_ACCEPTCONN};

static wasi_errno get_value(struct wasi_call *c, u32 name, u8 value[16], u32 *len)
{
    int number = 0;
    wasi_errno error, e = WASI_E_SUCCESS;
    *len = 4;
    switch (name) {
    case OPT_TYPE:
        number = c->fd->filetype == WASI_FILETYPE_SOCKET_DGRAM ? TYPE_DGRAM : TYPE_STREAM;
        break;
    case OPT_ERROR:
        e = wasi_sock_take_error(c, &error);
        number = (int)error;
        break;
    case OPT_LINGER:
        e = wasi_sock_get_linger(c, &number);
        wasi_put32(value + 4, number > 0 ? (u32)number : 0);
        number = number >= 0;
        *len = 8;
        break;
    case OPT_RCVTIMEO:
    case OPT_SNDTIMEO: {
        u64 ns = name == OPT_RCVTIMEO ? c->fd->recv_timeout_ns : c->fd->send_timeout_ns;
        wasi_put64(value, ns / 1000000000);
        wasi_put64(value + 8, ns % 1000000000 / 1000);
        *len = 16;
        return e;
    }
    default:
        if (name >= sizeof(int_options) || int_options[name] == WASI_SO_COUNT)
            return WASI_E_NOPROTOOPT;
        e = wasi_sock_get_int(c, (enum wasi_sockopt)int_options[name], &number);
    }
    wasi_put32(value, (u32)number);
    return e;
}

wasi_errno wasi_we_getsockopt(struct wasi_call *c)
{
    u8 value[16] = {0}, size[4];
    u32 len;
    wasi_errno e = wasi_mem_read(&c->mem, c->arg[4].i32, size, sizeof(size));
    if (e != WASI_E_SUCCESS) return e;
    if (c->arg[1].i32 != 0) return WASI_E_NOPROTOOPT; /* SOL_SOCKET is the only level */
    e = get_value(c, c->arg[2].i32, value, &len);
    if (e != WASI_E_SUCCESS) return e;
    u32 room = wasi_get32(size);
    len = room < len ? room : len;
    wasi_put32(size, len);
    e = wasi_mem_write(&c->mem, c->arg[4].i32, size, sizeof(size));
    return e == WASI_E_SUCCESS ? wasi_mem_write(&c->mem, c->arg[3].i32, value, len) : e;
}

/* {i64 seconds, i64 microseconds}; 0: no time limit. */
static wasi_errno set_timeout(u64 *out, const u8 *value, u32 len)
{
    if (len != 16) return WASI_E_INVAL;
    u64 seconds = wasi_get64(value), us = wasi_get64(value + 8);
    if (seconds > INT64_MAX || us >= 1000000) return WASI_E_DOM;
    *out = seconds > UINT64_MAX / 1000000000 - 1 ? UINT64_MAX : seconds * 1000000000 + us * 1000;
    return WASI_E_SUCCESS;
}

wasi_errno wasi_we_setsockopt(struct wasi_call *c)
{
    u8 value[16] = {0};
    u32 name = c->arg[2].i32, len = c->arg[4].i32;
    if (c->arg[1].i32 != 0) return WASI_E_NOPROTOOPT;
    if (len < 4 || len > sizeof(value)) return WASI_E_INVAL;
    wasi_errno e = wasi_mem_read(&c->mem, c->arg[3].i32, value, len);
    if (e != WASI_E_SUCCESS) return e;
    switch (name) {
    case OPT_RCVTIMEO: return set_timeout(&c->fd->recv_timeout_ns, value, len);
    case OPT_SNDTIMEO: return set_timeout(&c->fd->send_timeout_ns, value, len);
    case OPT_LINGER: {
        u32 seconds = wasi_get32(value + 4);
        if (len != 8) return WASI_E_INVAL;
        return wasi_sock_set_linger(c, wasi_get32(value) != 0 ? (int)(seconds & 0xffff) : -1);
    }
    default:
        if (name >= sizeof(int_options) || int_options[name] == WASI_SO_COUNT)
            return WASI_E_NOPROTOOPT;
        return wasi_sock_set_int(c, (enum wasi_sockopt)int_options[name], (int)wasi_get32(value));
    }
}

/* ---------------------------------------------------------------- epoll */

wasi_errno wasi_we_epoll_oneoff(struct wasi_call *c) { return wasi_poll(c, true); }
