/* SPDX-License-Identifier: Apache-2.0 */
/*
 * borrowed.c - Debian's archives of libuv and jansson are compiled for programs: they reach objects
 * of libc by their distance, which a shared object can't say of another one. So crun-engine.so has
 * its own, of the same names and seen by nobody else, and takes over what is in libc's; all of the
 * file finds these. <stdio.h> and <unistd.h> would declare them otherwise.
 */
#include "crun/borrowed.h"

/* <dlfcn.h>, which brings no others along. */
#include <dlfcn.h>

#define OWN __attribute__((visibility("hidden")))

struct _IO_FILE; /* what FILE is in glibc */
extern OWN struct _IO_FILE *stdin;
extern OWN struct _IO_FILE *stderr;
extern OWN char **environ;
extern OWN const unsigned in6addr_any[4];

OWN struct _IO_FILE *stdin;
OWN struct _IO_FILE *stderr;
OWN char **environ;
OWN const unsigned in6addr_any[4] = {0};

bool wrap_crun_borrow(void)
{
    struct _IO_FILE *const *in = dlsym(RTLD_DEFAULT, "stdin");
    struct _IO_FILE *const *errors = dlsym(RTLD_DEFAULT, "stderr");
    char **const *variables = dlsym(RTLD_DEFAULT, "environ");
    if (!in || !errors || !variables) return false;
    stdin = *in;
    stderr = *errors;
    environ = *variables;
    return true;
}
