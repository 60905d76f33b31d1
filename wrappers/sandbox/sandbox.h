/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - takes from the calling process what a guest's interpreter does not need: no new
 * privileges, files by Landlock, system calls by seccomp. For good: there is no way back.
 *
 * No code is ever generated here, so neither execve nor an executable mapping is left, which no
 * engine with a compiler can say.
 */
#ifndef WRAPPERS_SANDBOX_SANDBOX_H
#define WRAPPERS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum wrap_sandbox_mode {
    WRAP_SANDBOX_AUTO,   /**< what the kernel has; the caller says what is missing */
    WRAP_SANDBOX_STRICT, /**< all of it, or fail */
    WRAP_SANDBOX_OFF
};

/** What sockets may be made and connected; those that are open can be used always. */
enum wrap_sandbox_net {
    WRAP_SANDBOX_NO_NET,
    WRAP_SANDBOX_INET, /**< IPv4 and IPv6, streams and datagrams */
    WRAP_SANDBOX_UNIX, /**< and Unix sockets, which no rule about addresses can tell apart */
    WRAP_SANDBOX_NETS
};

struct wrap_profile_filter;

/** A directory (or file) that stays usable, with all that is beneath it. */
struct wrap_sandbox_path {
    const char *host;
    bool read_only;
};

struct wrap_sandbox {
    enum wrap_sandbox_mode mode;
    const struct wrap_sandbox_path *paths;
    size_t path_count;
    enum wrap_sandbox_net network;
    bool resolve; /**< with a network: the files that looking names up needs can be read */
    const struct wrap_profile_filter *profile; /**< calls need its consent too; NULL: none */
};

/** What is in force, and why what is not is missing ("" when all is). */
struct wrap_sandbox_result {
    int landlock; /**< the version of Landlock's rules, 0: not in force */
    bool seccomp;
    char missing[256];
};

/**
 * Applies a sandbox to all threads of the process (Landlock: to the calling one and those it makes
 * later; see wrap_sandbox_helper). Call it when everything that needs more is open.
 * False when `mode` is strict and something is missing, or a path cannot be opened; `out` says it.
 */
bool wrap_sandbox_apply(const struct wrap_sandbox *sandbox, struct wrap_sandbox_result *out);

/**
 * For a thread that exists before wrap_sandbox_apply and opens no files: takes all of them from it
 * by Landlock. Does nothing where that is missing.
 */
void wrap_sandbox_helper(void);

#endif
