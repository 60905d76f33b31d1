/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedder in a few lines: engine, store, linker and the modules loaded, for tests through
 * wasmrun.h. Include it behind cmocka.h. Every test may run in all configurations of a store.
 */
#ifndef VM_TESTS_WORLD_H
#define VM_TESTS_WORLD_H

#include "tests/wasm_writer.h"
#include "wasmrun.h"

enum { WORLD_MODULES = 32, WORLD_VALUES = 16 };

struct world {
    wr_store_config_t config;
    wr_engine_t *engine;
    wr_store_t *store;
    wr_linker_t *linker;
    wr_module_t *modules[WORLD_MODULES];
    u32 module_count;
    wr_error_t err; /* of the last call */
};

/** Fills `w`; `config` NULL: defaults. */
void world_init(struct world *w, const wr_store_config_t *config);
void world_free(struct world *w);
/** Runs `test` in a world of each backend and memory mode that this build has. */
void world_each(void (*test)(struct world *w));
/** The same with `base` for what is not backend and mode. */
void world_each_with(const wr_store_config_t *base, void (*test)(struct world *w));

/** Loads what was written; asserts success. Owned by the world. */
wr_module_t *world_module(struct world *w, struct wasm *code);
/** Loads and instantiates; asserts success. */
wr_instance_t *world_instance(struct world *w, struct wasm *code);
/** The same; its exports are then importable under `name`. */
wr_instance_t *world_named(struct world *w, struct wasm *code, const char *name);
/** Loads and instantiates; the status of instantiation. */
wr_status_t world_try(struct world *w, struct wasm *code, wr_instance_t **out);

/** An export of a kind; asserts that it is there. */
wr_extern_t world_export(wr_instance_t *in, const char *name, wr_extern_kind_t kind);
wr_func_t *world_func(wr_instance_t *in, const char *name);

/** Raw bits of arguments and results, each in the low end. */
struct world_values {
    u32 count;
    u64 bits[WORLD_VALUES];
};
#define ARGS(...)                                                                                  \
    ((struct world_values){sizeof((const u64[]){__VA_ARGS__}) / sizeof(u64), {__VA_ARGS__}})
#define NO_ARGS ((struct world_values){0})

/** Typed values of raw arguments. */
void world_typed(const wr_func_t *f, struct world_values args, wr_val_t *out);
/** Raw bits of typed values. */
u64 world_bits(const wr_val_t *v);
/** Calls an export; results go to w's `results`. */
wr_status_t world_call(struct world *w, wr_instance_t *in, const char *name,
                       struct world_values args, struct world_values *results);
/** Asserts that a call succeeds and gives exactly one result: its bits. */
u64 world_one(struct world *w, wr_instance_t *in, const char *name, struct world_values args);
/** Asserts that a call gives these results. */
void world_gives(struct world *w, wr_instance_t *in, const char *name, struct world_values args,
                 struct world_values want);
/** Asserts that a call traps with `text`. */
void world_traps(struct world *w, wr_instance_t *in, const char *name, struct world_values args,
                 const char *text);

wr_name_t world_name(const char *s);

/** What an explorer wrote, with a NUL behind it. */
struct world_text {
    size_t len;
    char bytes[1 << 16];
};
/** Keeps it: a sink whose context is a struct world_text; asserts that there is room. */
void world_keep(void *ctx, const char *text, size_t size);

#endif
