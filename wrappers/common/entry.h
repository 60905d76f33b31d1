/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h - who runs a container: our engine, a Linux runtime, or (the usual pause container of a
 * pod) nobody but a process that waits. Annotations first, then the first bytes of args[0].
 */
#ifndef WRAPPERS_COMMON_ENTRY_H
#define WRAPPERS_COMMON_ENTRY_H

#include "common/spec.h"

enum wrap_kind {
    WRAP_KIND_LOOK, /**< the file has to be looked at: wrap_entry_look */
    WRAP_KIND_WASM,
    WRAP_KIND_LINUX,
    WRAP_KIND_PAUSE,
};

/** args[0] of a process, "/path.wasm#func": pieces, freed by wrap_entry_fini. */
struct wrap_entry {
    char *path; /**< as written, without #func */
    char *func; /**< NULL: _start */
};

/**
 * What the annotations alone say: module.wasm.image/variant=compat and run.oci.handler=wasm (or
 * wasmrun) are WASM, compat-smart, wasm-smart and nothing at all are LOOK, another value of either
 * is an error. Of a sandbox container (io.kubernetes.cri.container-type=sandbox), which gets the
 * annotations of its pod, they say nothing: it is PAUSE when its args are "/pause", else LOOK.
 */
bool wrap_kind_of(const struct wrap_spec *spec, enum wrap_kind *out, struct wrap_error *err);

/** Splits args[0]. False: no memory, or an empty path or function. */
bool wrap_entry_parse(const struct wrap_process *process, struct wrap_entry *out,
                      struct wrap_error *err);
void wrap_entry_fini(struct wrap_entry *entry);

/**
 * Opens the entry beneath `rootfs_fd` (symbolic links stay inside), for reading: a path with a
 * slash as it is (relative: to cwd), another through PATH of the process and then in cwd and "/".
 * NOT_FOUND names what was searched. `*fd` is the caller's.
 */
bool wrap_entry_open(int rootfs_fd, const struct wrap_process *process,
                     const struct wrap_entry *entry, int *fd, struct wrap_error *err);
/**
 * WASM for "\0asm" (a module or a component) and for text that begins with "(module" or
 * "(component" behind white space and comments; LINUX for ELF, "#!" and all else. Offset unmoved.
 */
enum wrap_kind wrap_entry_look(int fd);

#endif
