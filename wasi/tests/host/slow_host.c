/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_host.c - preloaded by test_parked.py: a host whose names and whose disk take $SLOW_MS.
 */
#include <netdb.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    (void)node;
    (void)service;
    (void)hints;
    (void)list;
    static const int ms_per_s = 1000;
    const char *text = getenv("SLOW_MS");
    long ms = text != NULL ? strtol(text, NULL, 10) : 0;
    const struct timespec time = {ms / ms_per_s, ms % ms_per_s * 1000000};
    nanosleep(&time, NULL);
    return EAI_AGAIN;
}

int fsync(int fd)
{
    (void)fd;
    (void)getaddrinfo(NULL, NULL, NULL, NULL);
    return 0;
}
