/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h - images and artifacts of modules, written as one tar file. Not here: the command line
 * (run/cmd_pack.c), whether modules are valid.
 */
#ifndef WRAPPERS_PACK_PACK_H
#define WRAPPERS_PACK_PACK_H

#include "pack/files.h"
#include "pack/ref.h"

#include <jansson.h>

enum wrap_pack_format {
    WRAP_PACK_OCI,     /**< an image with one layer of files */
    WRAP_PACK_ARTIFACT /**< a module as a layer of its own kind */
};

struct wrap_pack {
    enum wrap_pack_format format;
    struct wrap_ref ref;
    const char *os;
    const char *arch;
    const char *variant; /**< of the architecture; "": none */
    int64_t time;        /**< of all that has one */
    char *entrypoint;    /**< own; "/hello.wasm", a function may follow after # */
    json_t *args;        /**< own: array; Cmd */
    json_t *env;         /**< own: array of "K=V" */
    json_t *labels;      /**< own: object */
    json_t *annotations; /**< own: object; of the manifest */
    const char *workdir; /**< NULL: none given */
    struct wrap_pack_files files; /**< finished; of an artifact exactly the module */
};

/** Writes the tar file to `sink`. Thread rule: none, it has no state. */
bool wrap_pack_write(const struct wrap_pack *pack, wrap_tar_sink sink, void *ctx,
                     struct wrap_error *err);
/** Frees what `pack` owns. */
void wrap_pack_free(struct wrap_pack *pack);

/** Whether these bytes begin like a component, which is no core module. */
bool wrap_component_is(const char *bytes, size_t size);
/**
 * {"exports":[...],"imports":[...]} of a component: the names, sorted. NULL: it is malformed, or
 * memory is out. The caller's. Source: the component model's binary format.
 */
json_t *wrap_component_names(const char *bytes, size_t size);

#endif
