/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program.h - a guest in a container, from an open file to its exit code. The process belongs to
 * it: one thread but for those that the guest makes, no loop, nothing but descriptors and memory is
 * needed once it is loaded. Not here: isolation (sandbox/), options of the command line (run/).
 */
#ifndef WRAPPERS_COMMON_PROGRAM_H
#define WRAPPERS_COMMON_PROGRAM_H

#include "common/error.h"
#include "common/spec.h"

/** A directory that the guest gets; a file of a bind mount is reached through its directory. */
struct wrap_preopen {
    const char *host;  /**< path in the namespace of the caller */
    const char *guest; /**< path that the guest sees */
    bool read_only;
};

struct wrap_program_config {
    int module_fd;          /**< stays the caller's */
    const char *name;       /**< of the file, in messages */
    const char *func;       /**< export that is called; NULL: _start */
    struct wrap_strings args;
    struct wrap_strings env;
    const char *cwd; /**< PWD of an environment without one; NULL: none */
    const struct wrap_preopen *preopens;
    size_t preopen_count;
    bool procfs; /**< there may be one beneath the preopens: nothing there is opened */
    const struct wrap_spec *spec; /**< its annotations */
    struct wr_usage *usage; /**< where the engine tells what the guest holds; NULL: nowhere */
};

struct wrap_program;

/**
 * What annotations of a container say about its network, all "io.wasmrun/…": net (inherit, the
 * default; none; or rules of wr_wasi_net_allow, separated by commas), listen (HOST:PORT,…), resolve
 * (true or false; the default is true unless net is none). For the sandbox as well.
 */
struct wrap_program_net {
    bool inherit; /**< no rules: everything */
    bool any;     /**< new sockets of the internet, by the guest or for `listen` */
    bool unixes;  /**< and Unix sockets */
    bool resolve; /**< names are looked up */
    const char *rules;  /**< separated by commas; NULL: inherit or none */
    const char *listen; /**< the same; "": none */
};
/** The strings are those of `spec`. Rules and addresses are checked by wrap_program_load. */
bool wrap_program_net_of(const struct wrap_spec *spec, struct wrap_program_net *out,
                         struct wrap_error *err);

/**
 * Makes the engine that all programs of this process and of its later forks use, instead of one
 * for each: for who forks programs, once, while there is one thread. Decides where names are looked
 * up, too, before an image's files could. False: no memory, and each program has its own.
 */
bool wrap_program_prepare(void);
/** Undoes it; no program is left. */
void wrap_program_unprepare(void);

/**
 * Reads, validates and links; opens preopens and listeners. All that can be said about a module
 * before it runs is an error here: text, a component, no such export or one with parameters,
 * imports that are missing. Freed by wrap_program_delete.
 */
bool wrap_program_load(const struct wrap_program_config *config, struct wrap_program **out,
                       struct wrap_error *err);
/**
 * Does in advance what of wrap_program_run nobody can notice: instantiates, unless the module has a
 * start function. For who waits before it runs; what goes wrong is wrap_program_run's to tell.
 */
void wrap_program_make_ready(struct wrap_program *program);
/**
 * Instantiates and runs (a `func` of a library after its _initialize); the exit code as containers
 * have it: the guest's own, 128 + SIGABRT for a trap (printed with its backtrace on standard
 * error), 126 when it can't begin. `why`, if not NULL, gets the reason of any end that is not the
 * guest's own. In process 1 of a pid namespace, which the kernel spares, signals that end a process
 * end it with 128 + their number.
 */
int wrap_program_run(struct wrap_program *program, struct wrap_error *why);
void wrap_program_delete(struct wrap_program *program);

#endif
