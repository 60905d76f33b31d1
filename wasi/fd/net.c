/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.c - the network policy: its texts and its answers.
 */
#include "fd/net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 80, V4_BYTES = 4, V6_BYTES = 16 };

static const u8 mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void wasi_addr_set(struct wasi_addr *out, int family, const void *bytes, u16 port)
{
    memset(out, 0, sizeof(*out));
    if (family == AF_INET6) {
        out->of.v6.sin6_family = AF_INET6;
        out->of.v6.sin6_port = htons(port);
        memcpy(&out->of.v6.sin6_addr, bytes, V6_BYTES);
        out->len = sizeof(out->of.v6);
        return;
    }
    out->of.v4.sin_family = AF_INET;
    out->of.v4.sin_port = htons(port);
    memcpy(&out->of.v4.sin_addr, bytes, V4_BYTES);
    out->len = sizeof(out->of.v4);
}

u16 wasi_addr_port(const struct wasi_addr *addr)
{
    if (addr->of.any.sa_family == AF_INET6) return ntohs(addr->of.v6.sin6_port);
    return addr->of.any.sa_family == AF_INET ? ntohs(addr->of.v4.sin_port) : 0;
}

const u8 *wasi_addr_bytes(const struct wasi_addr *addr)
{
    if (addr->of.any.sa_family == AF_INET6) return addr->of.v6.sin6_addr.s6_addr;
    if (addr->of.any.sa_family == AF_INET) return (const u8 *)&addr->of.v4.sin_addr;
    return NULL;
}

/* ---------------------------------------------------------------- texts */

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
    char *end;
    if (text[0] < '0' || text[0] > '9') return false;
    *out = strtoul(text, &end, 10);
    return *end == '\0' && *out <= max;
}

/* Cuts "HOST:PORT" or "[HOST]:PORT" in two; `*port` NULL when there is none. */
static bool split(char *text, char **host, char **port)
{
    *host = text;
    *port = NULL;
    char *colon = strrchr(text, ':');
    if (text[0] == '[') {
        char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) return false;
        *host = text + 1;
        *port = end[1] == ':' ? end + 2 : NULL;
        *end = '\0';
    } else if (colon != NULL && strchr(text, ':') == colon) { /* several: IPv6 without a port */
        *colon = '\0';
        *port = colon + 1;
    }
    return true;
}

bool wasi_addr_parse(const char *text, struct wasi_addr *out)
{
    char copy[TEXT_MAX], *host, *port;
    u8 bytes[V6_BYTES];
    unsigned long number;
    if (snprintf(copy, sizeof(copy), "%s", text) >= TEXT_MAX || !split(copy, &host, &port))
        return false;
    if (port == NULL || !parse_number(port, UINT16_MAX, &number)) return false;
    int family = inet_pton(AF_INET, host, bytes) == 1 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && inet_pton(AF_INET6, host, bytes) != 1) return false;
    wasi_addr_set(out, family, bytes, (u16)number);
    return true;
}

bool wasi_net_add(struct wasi_net *net, const char *text)
{
    char copy[TEXT_MAX], *host, *port;
    unsigned long number = 0, bits;
    struct wasi_net_rule rule = {0};
    if (strcmp(text, "unix") == 0) {
        net->unix_too = true;
        return true;
    }
    if (net->count == WASI_NET_RULES || snprintf(copy, sizeof(copy), "%s", text) >= TEXT_MAX ||
        !split(copy, &host, &port))
        return false;
    if (port != NULL && (!parse_number(port, UINT16_MAX, &number) || number == 0)) return false;
    char *slash = strchr(host, '/');
    if (slash != NULL) *slash++ = '\0';
    rule.is_v6 = inet_pton(AF_INET, host, rule.addr) != 1;
    if (rule.is_v6 && inet_pton(AF_INET6, host, rule.addr) != 1) return false;
    unsigned long most = rule.is_v6 ? V6_BYTES * 8 : V4_BYTES * 8;
    bits = most;
    if (slash != NULL && !parse_number(slash, most, &bits)) return false;
    rule.bits = (u8)bits;
    rule.port = (u16)number;
    net->rule[net->count++] = rule;
    return true;
}

/* ---------------------------------------------------------------- answers */

bool wasi_net_is_on(const struct wasi_net *net)
{
    return net->all || net->unix_too || net->count > 0;
}

static bool same_bits(const u8 *a, const u8 *b, u32 bits)
{
    if (memcmp(a, b, bits / 8) != 0) return false;
    u32 rest = bits % 8;
    return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

bool wasi_net_allows(const struct wasi_net *net, const struct wasi_addr *addr)
{
    const u8 *bytes = wasi_addr_bytes(addr);
    if (bytes == NULL) return false;
    if (net->all) return true;
    bool is_v6 = addr->of.any.sa_family == AF_INET6;
    if (is_v6 && memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        bytes += sizeof(mapped_prefix);
        is_v6 = false;
    }
    u16 port = wasi_addr_port(addr);
    for (u32 i = 0; i < net->count; i++) {
        const struct wasi_net_rule *rule = &net->rule[i];
        if (rule->is_v6 == is_v6 && (rule->port == 0 || rule->port == port) &&
            same_bits(rule->addr, bytes, rule->bits))
            return true;
    }
    return false;
}
