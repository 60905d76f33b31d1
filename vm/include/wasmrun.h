/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wasmrun.h - the complete public API of libwasmrun, a WebAssembly interpreter.
 *
 * Objects and who owns them:
 *
 *   wr_engine_t   shared by everything below; thread-safe; outlives all of it
 *   wr_module_t   decoded, validated, immutable; thread-safe; outlives its instances' store
 *   wr_linker_t   a table of importable things; confined to one thread while things are defined,
 *                 then any number of threads may instantiate through it; outlives the stores
 *                 instantiated through it, whose imported functions are its definitions
 *   wr_store_t    owns instances, functions, memories, tables, globals; confined to one thread
 *   wr_exec_t     one call in progress with its own value stack; used with its store only, deleted
 *                 before or after it
 *   wr_shared_memory_t  a reference to a memory that several stores use at the same time, each on
 *                 its own thread; thread-safe
 *
 * Pointers to wr_instance_t, wr_func_t, wr_memory_t, wr_table_t, wr_global_t and wr_tag_t are
 * borrowed: they live until their store is deleted. A result marked `own` is deleted by the caller
 * with the matching wr_*_delete. Every function may be given NULL where it says so and nowhere
 * else.
 *
 * Errors: functions that can fail return wr_status_t (WR_OK is 0) and fill a wr_error_t that the
 * caller provides (it may be NULL). Nothing here aborts or exits on bad input or lack of memory.
 */
#ifndef WASMRUN_H
#define WASMRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WR_API __attribute__((visibility("default")))
#else
#define WR_API
#endif
/** Marks a result or argument whose ownership passes to the receiver. */
#ifndef own
#define own
#endif

/* ---------------------------------------------------------------- basic types */

typedef struct wr_engine wr_engine_t;
typedef struct wr_module wr_module_t;
typedef struct wr_linker wr_linker_t;
typedef struct wr_store wr_store_t;
typedef struct wr_exec wr_exec_t;
typedef struct wr_instance wr_instance_t;
typedef struct wr_func wr_func_t;
typedef struct wr_memory wr_memory_t;
typedef struct wr_shared_memory wr_shared_memory_t;
typedef struct wr_table wr_table_t;
typedef struct wr_global wr_global_t;
typedef struct wr_tag wr_tag_t;
typedef struct wr_exception wr_exception_t;
/** The call a host function is answering; valid until that function returns. */
typedef struct wr_call wr_call_t;

typedef enum wr_status {
    WR_OK = 0,
    WR_MALFORMED,   /**< the bytes are not a module */
    WR_INVALID,     /**< the module does not validate */
    WR_UNSUPPORTED, /**< uses a feature that is off, or what this build cannot execute */
    WR_LINK,        /**< an import is missing or of another type */
    WR_TRAP,        /**< execution trapped: see wr_error_t.trap and frames */
    WR_EXCEPTION,   /**< a Wasm exception left the outermost function */
    WR_EXIT,        /**< the guest asked to end: see wr_exec_exit_code */
    WR_PENDING,     /**< a host function has not answered yet */
    WR_YIELD,       /**< stopped by wr_exec_interrupt; run it again to go on */
    WR_CANCELLED,   /**< ended by wr_exec_cancel */
    WR_LIMIT,       /**< a documented limit or a store limit was exceeded */
    WR_OOM,         /**< the allocator answered NULL */
    WR_IO,          /**< a file could not be read */
    WR_NOT_FOUND,   /**< no such file, export or index */
    WR_ARGUMENT,    /**< the caller's arguments do not fit (count, type, store) */
    WR_INTERNAL,    /**< a fault of this library */
    WR_FUEL         /**< the store's fuel is used up; run again after wr_store_set_fuel */
} wr_status_t;

/** Bytes with a length: Wasm names may hold any Unicode character, U+0000 included. */
typedef struct wr_name {
    const char *data;
    size_t size;
} wr_name_t;

typedef enum wr_valkind {
    WR_I32 = 0,
    WR_I64,
    WR_F32,
    WR_F64,
    WR_V128,
    WR_FUNCREF,
    WR_EXTERNREF,
    WR_OTHERREF, /**< a reference type that has no name of its own in this API yet */
    WR_EXNREF
} wr_valkind_t;

/** A typed value. Float members hold the exact bits through `i32`/`i64` too. */
typedef struct wr_val {
    wr_valkind_t kind;
    union {
        uint32_t i32;
        uint64_t i64;
        float f32;
        double f64;
        uint8_t v128[16];
        wr_func_t *func; /**< NULL is ref.null func */
        void *ref;       /**< externref: the host's pointer; NULL is ref.null extern */
        /** Borrowed: wr_exception_hold it before its store runs or throws again. NULL: ref.null */
        wr_exception_t *exn;
    } of;
} wr_val_t;

/** An untyped 8-byte stack slot; v128 takes two. 32-bit values use the low half. */
typedef union wr_slot {
    uint32_t i32;
    uint64_t i64;
    float f32;
    double f64;
    void *ref;
} wr_slot_t;

/* ---------------------------------------------------------------- errors */

enum { WR_ERROR_TEXT = 512, WR_ERROR_FRAMES = 64 };

/** One Wasm frame of a backtrace, innermost first. */
typedef struct wr_frame {
    const wr_module_t *module;
    uint32_t func_idx; /**< index in the module's function index space */
    uint64_t file_offset; /**< of the instruction, from the start of the module's file */
} wr_frame_t;

/** Caller-owned; plain data, may be copied. Frames name modules, which must still live. */
typedef struct wr_error {
    wr_status_t status;
    const char *trap; /**< WR_TRAP: the spec's message, static; NULL otherwise */
    uint64_t offset; /**< byte offset in the module's file, UINT64_MAX if none */
    uint32_t func_idx; /**< function being decoded or validated, UINT32_MAX if none */
    char text[WR_ERROR_TEXT]; /**< one line, UTF-8, no newline at the end */
    uint32_t frames; /**< how many of `frame` are filled */
    uint32_t frames_left_out; /**< in the middle, after WR_ERROR_FRAMES / 2 */
    wr_frame_t frame[WR_ERROR_FRAMES];
} wr_error_t;

/** A short English name of a status ("invalid module"), static. Any thread. */
WR_API const char *wr_status_name(wr_status_t status);
/** The library's version, "MAJOR.MINOR.PATCH", static. Any thread. */
WR_API const char *wr_version(void);

/* ---------------------------------------------------------------- engine */

/** The embedder's allocator, called by all threads that use the engine. realloc(ctx, NULL, 0, n)
 * allocates, (ctx, p, old, 0) frees. */
typedef struct wr_allocator {
    void *(*realloc)(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes);
    void *ctx;
} wr_allocator_t;

/** New engine; `allocator` NULL means the C library's. NULL when out of memory. */
WR_API own wr_engine_t *wr_engine_new(const wr_allocator_t *allocator);
/** Deletes an engine; everything made from it must be gone. NULL is allowed. */
WR_API void wr_engine_delete(own wr_engine_t *engine);

/**
 * How many threads may validate a large module (more than 2 MiB of code), the calling one included:
 * 0, the default, as many as there are processors; 1 none but the caller's. They end before the
 * load returns. Not while modules are being loaded.
 */
WR_API void wr_engine_set_load_threads(wr_engine_t *engine, unsigned threads);

/**
 * A set of WebAssembly's features: bit i is the feature that wr_feature_name(i) names. Bits differ
 * between versions of the library; names do not.
 */
typedef uint64_t wr_features_t;

/** "simd", static; NULL behind the last. Any thread. */
WR_API const char *wr_feature_name(size_t i);
/** The release of the standard that has feature i first, "2.0"; "" when none has yet. Static. */
WR_API const char *wr_feature_since(size_t i);
/** What an engine's modules may use at first: Wasm 3.0, threads, legacy exceptions. Any thread. */
WR_API wr_features_t wr_features_default(void);
/**
 * Applies a list like "-simd,+wide-arithmetic" to *set: words between commas, each a feature to add
 * (+ or nothing) or to take away (-), or a set that replaces all before it: mvp, wasm-1.0,
 * wasm-2.0, wasm-3.0, default, all. WR_ARGUMENT, with an error that lists the names, for a word
 * that is none; *set stays as it was. Any thread.
 */
WR_API wr_status_t wr_features_parse(const char *list, wr_features_t *set, wr_error_t *err);
/**
 * What modules loaded from now on may use; others are refused, WR_UNSUPPORTED, with what needs
 * which feature and where. Bits without a name are ignored. Not while modules are being loaded.
 */
WR_API void wr_engine_set_features(wr_engine_t *engine, wr_features_t set);

/**
 * One tick of the engine's epoch clock: interrupts running execs whose time slice is over
 * (wr_exec_set_epochs). Call it at regular times from one thread. Any thread, no signal handler.
 */
WR_API void wr_engine_tick(wr_engine_t *engine);

/* ---------------------------------------------------------------- modules */

typedef enum wr_extern_kind {
    WR_EXTERN_FUNC = 0,
    WR_EXTERN_TABLE,
    WR_EXTERN_MEMORY,
    WR_EXTERN_GLOBAL,
    WR_EXTERN_TAG
} wr_extern_kind_t;

/** What an import or export is; text is written by wr_module_import_type and its like. */
typedef struct wr_importtype {
    wr_name_t module;
    wr_name_t name;
    wr_extern_kind_t kind;
} wr_importtype_t;

typedef struct wr_exporttype {
    wr_name_t name;
    wr_extern_kind_t kind;
    uint32_t index; /**< in the index space of its kind */
} wr_exporttype_t;

/**
 * Decodes and validates a module from `size` bytes, which are copied.
 * Errors: WR_MALFORMED, WR_INVALID, WR_UNSUPPORTED, WR_LIMIT, WR_OOM. Any thread.
 */
WR_API wr_status_t wr_module_new(wr_engine_t *engine, const void *bytes, size_t size,
                                 own wr_module_t **out, wr_error_t *err);
/**
 * The same from a file, read (not mapped) into private memory; errors name the file.
 * Errors: also WR_IO, WR_NOT_FOUND.
 */
WR_API wr_status_t wr_module_load(wr_engine_t *engine, const char *path, own wr_module_t **out,
                                  wr_error_t *err);
/** The same from an open descriptor, read to its end (not closed). `name` is for messages. */
WR_API wr_status_t wr_module_load_fd(wr_engine_t *engine, int fd, const char *name,
                                     own wr_module_t **out, wr_error_t *err);
/** Deletes a module; all stores with instances of it must be gone. NULL is allowed. */
WR_API void wr_module_delete(own wr_module_t *module);

/** The file or module name for messages; never NULL. */
WR_API const char *wr_module_name(const wr_module_t *module);
WR_API size_t wr_module_import_count(const wr_module_t *module);
WR_API size_t wr_module_export_count(const wr_module_t *module);
/** Fills `out`; false when `i` is out of range. Names live as long as the module. */
WR_API bool wr_module_import(const wr_module_t *module, size_t i, wr_importtype_t *out);
WR_API bool wr_module_export(const wr_module_t *module, size_t i, wr_exporttype_t *out);
typedef struct wr_limits {
    uint64_t min;
    uint64_t max; /**< UINT64_MAX: none */
    bool is_64; /**< addressed by i64 */
    bool is_shared; /**< memories: for several threads; needs a maximum */
} wr_limits_t;
/**
 * The type of memory `index` of the module's index space, imports first, or of import `i`; false
 * when there is none, or that import is no memory. Sizes in pages of 64 KiB. Any thread.
 */
WR_API bool wr_module_memory_type(const wr_module_t *module, uint32_t index, wr_limits_t *out);
WR_API bool wr_module_import_memory_type(const wr_module_t *module, size_t i, wr_limits_t *out);
/**
 * Writes the type of import (or export) `i` as WebAssembly text, "(func (param i32) (result i32))",
 * cut to `cap` bytes with a final NUL. Returns the whole length, as snprintf does.
 */
WR_API size_t wr_module_import_type(const wr_module_t *module, size_t i, char *buf, size_t cap);
WR_API size_t wr_module_export_type(const wr_module_t *module, size_t i, char *buf, size_t cap);
/** The same for item `index` of a kind's index space, imported or not; "" when there is none. */
WR_API size_t wr_module_item_type(const wr_module_t *module, wr_extern_kind_t kind, uint32_t index,
                                  char *buf, size_t cap);
/** Writes the name of a function (name section, else export, else "func[N]"); as snprintf. */
WR_API size_t wr_module_func_name(const wr_module_t *module, uint32_t func_idx, char *buf,
                                  size_t cap);

typedef struct wr_module_stats {
    uint64_t file_bytes;
    uint32_t types, imports, funcs, tables, memories, globals, tags, exports, elems, datas;
    uint32_t customs;
    uint64_t code_bytes;
} wr_module_stats_t;
WR_API void wr_module_stats(const wr_module_t *module, wr_module_stats_t *out);

/** A section as it stands in the file; lives as long as the module. */
typedef struct wr_section {
    uint8_t id;
    wr_name_t name; /**< of a custom section, else its standard name */
    uint64_t file_offset; /**< of the payload */
    uint64_t size;
    const uint8_t *data; /**< the payload; of a custom section what follows its name */
} wr_section_t;
WR_API bool wr_module_section(const wr_module_t *module, size_t i, wr_section_t *out);

/* ---------------------------------------------------------------- stores */

typedef enum wr_backend {
    WR_BACKEND_AUTO = 0, /**< the fastest that this build and processor have */
    WR_BACKEND_TAIL, /**< tail-call handlers for the architecture's baseline */
    WR_BACKEND_LOOP, /**< the portable switch loop */
    WR_BACKEND_TAIL_V3 /**< tail-call handlers for x86-64-v3 */
} wr_backend_t;

typedef enum wr_memory_mode {
    WR_MEMORY_AUTO = 0, /**< guard pages where the address space allows, else explicit */
    WR_MEMORY_GUARD, /**< wanted; a memory whose reservation fails is checked explicitly */
    WR_MEMORY_EXPLICIT /**< every access checked; no signal handler is installed */
} wr_memory_mode_t;

/** Limits and choices of a store. Zero means the default that stands behind each. */
typedef struct wr_store_config {
    wr_backend_t backend;
    wr_memory_mode_t memory_mode;
    /** all memories made in the store together, shared ones too; 4 GiB each by format */
    uint64_t max_memory_bytes;
    uint64_t max_table_elems; /**< all tables together; 10,000,000 */
    uint32_t max_instances; /**< 10,000 */
    uint64_t stack_bytes; /**< value stack of one exec; 8 MiB; at least about 32 KiB */
    uint64_t max_exception_bytes; /**< exceptions that something refers to; 64 MiB */
    uint32_t max_nested_calls; /**< Wasm calling host calling Wasm…, on this C stack; 64 */
    bool use_fuel; /**< instructions are counted: see wr_store_set_fuel */
} wr_store_config_t;

/** New store; `config` NULL means all defaults. */
WR_API wr_status_t wr_store_new(wr_engine_t *engine, const wr_store_config_t *config,
                                own wr_store_t **out, wr_error_t *err);
/** Deletes a store and all that it owns. NULL is allowed. */
WR_API void wr_store_delete(own wr_store_t *store);
/** A pointer of the embedder's, NULL at first. */
WR_API void wr_store_set_data(wr_store_t *store, void *data);
WR_API void *wr_store_data(const wr_store_t *store);
/**
 * Fuel of a store with `use_fuel`, 0 at first: each instruction takes one (block, loop, else, end,
 * nop and drop none, bulk operations one whatever they move), paid in advance for code without
 * branches. An exec that would need more stops with WR_FUEL; a blocking call ends with it.
 */
WR_API void wr_store_set_fuel(wr_store_t *store, uint64_t fuel);
WR_API uint64_t wr_store_fuel(const wr_store_t *store);
/** Bytes now held by the linear memories made in the store, also by shared ones. */
WR_API uint64_t wr_store_memory_bytes(const wr_store_t *store);

/** What the guests of a store hold. Memories and tables never shrink: figures of now are the
 * highest ones, too. */
typedef struct wr_usage {
    uint64_t memory_bytes; /**< of linear memories, as wr_store_memory_bytes */
    uint64_t memory_limit_bytes; /**< what those memories may grow to together */
    uint64_t table_elems; /**< of all tables */
} wr_usage_t;
/**
 * From here on the engine writes the store's figures to `usage` whenever something is made or
 * grows, each word whole (relaxed): for other threads, and for other processes where it lies in
 * memory that is shared with them. Begins with zeros. Before the store has a memory or a table;
 * `usage` lives as long as the store and the shared memories that were made in it.
 */
WR_API void wr_store_set_usage(wr_store_t *store, wr_usage_t *usage);

/* ---------------------------------------------------------------- externs */

/** A thing that can be imported or has been exported; the pointer is borrowed from its store. */
typedef struct wr_extern {
    wr_extern_kind_t kind;
    union {
        wr_func_t *func;
        wr_table_t *table;
        wr_memory_t *memory;
        wr_global_t *global;
        wr_tag_t *tag;
    } of;
} wr_extern_t;

WR_API size_t wr_func_param_count(const wr_func_t *func);
WR_API size_t wr_func_result_count(const wr_func_t *func);
WR_API wr_valkind_t wr_func_param(const wr_func_t *func, size_t i);
WR_API wr_valkind_t wr_func_result(const wr_func_t *func, size_t i);

/** New memory of `limits` pages of 64 KiB. WR_ARGUMENT: limits that no memory has. */
WR_API wr_status_t wr_memory_new(wr_store_t *store, wr_limits_t limits, wr_memory_t **out,
                                 wr_error_t *err);
/**
 * Start of a memory; never moves while the store lives. Bytes from wr_memory_size on must not be
 * touched, and the size may grow in any call into Wasm, that of a shared memory at any time. What
 * is in a shared memory may change at any time: read it once, with wr_memory_read or wr_guest_copy.
 */
WR_API uint8_t *wr_memory_data(const wr_memory_t *memory);
WR_API uint64_t wr_memory_size(const wr_memory_t *memory); /**< in bytes */
/**
 * Grows by `pages`, of 64 KiB or, if the module says so (custom-page-sizes), of one byte; returns
 * the old size in pages or UINT64_MAX when refused.
 */
WR_API uint64_t wr_memory_grow(wr_memory_t *memory, uint64_t pages);
/** Checked copies; false (and nothing done) when [addr, addr+size) is not inside the memory. */
WR_API bool wr_memory_read(const wr_memory_t *memory, uint64_t addr, void *out, size_t size);
WR_API bool wr_memory_write(wr_memory_t *memory, uint64_t addr, const void *in, size_t size);
/**
 * memcpy to or from a shared memory, which other threads may use meanwhile: no data race, and 2, 4
 * and 8 bytes that are aligned on both sides stay whole. Within bounds; may not overlap. Any
 * thread.
 */
WR_API void wr_guest_copy(void *to, const void *from, size_t size);

/*
 * Shared memories: made by wr_shared_memory_new, by wr_memory_new or by a module that defines one.
 * Each store that uses it holds a reference, as does each wr_shared_memory_t and each definition in
 * a linker; with the last it is freed. wr_memory_t of a shared memory may be used by all threads
 * that hold a reference to it.
 */

/**
 * New shared memory of 32-bit addresses and `min_pages` of 64 KiB. Nothing but `max_pages` limits
 * its growth: it is charged to no store. Errors: WR_ARGUMENT (minimum greater than maximum, maximum
 * greater than 65536), WR_LIMIT, WR_OOM. Any thread.
 */
WR_API wr_status_t wr_shared_memory_new(wr_engine_t *engine, uint64_t min_pages, uint64_t max_pages,
                                        own wr_shared_memory_t **out, wr_error_t *err);
/** Another reference to the same memory. Any thread. */
WR_API own wr_shared_memory_t *wr_shared_memory_clone(wr_shared_memory_t *shared);
/** Gives a reference back. NULL is allowed. Any thread. */
WR_API void wr_shared_memory_delete(own wr_shared_memory_t *shared);
/**
 * Makes a shared memory one of the store's, which holds a reference to it from here on; the same
 * pointer each time. NULL when out of memory.
 */
WR_API wr_memory_t *wr_store_add_shared_memory(wr_store_t *store, wr_shared_memory_t *shared);
/** A reference to a shared memory, to be taken to other stores; NULL: it is not shared. */
WR_API own wr_shared_memory_t *wr_memory_shared(wr_memory_t *memory);
WR_API bool wr_memory_is_shared(const wr_memory_t *memory);

WR_API wr_status_t wr_global_new(wr_store_t *store, bool is_mutable, const wr_val_t *value,
                                 wr_global_t **out, wr_error_t *err);
WR_API void wr_global_get(const wr_global_t *global, wr_val_t *out);
/** WR_ARGUMENT when immutable or of another kind. */
WR_API wr_status_t wr_global_set(wr_global_t *global, const wr_val_t *value);

/** New table of `kind` WR_FUNCREF, WR_EXTERNREF or WR_EXNREF, filled with null. */
WR_API wr_status_t wr_table_new(wr_store_t *store, wr_valkind_t kind, wr_limits_t limits,
                                wr_table_t **out, wr_error_t *err);
WR_API uint64_t wr_table_size(const wr_table_t *table);
WR_API bool wr_table_get(const wr_table_t *table, uint64_t i, wr_val_t *out);
WR_API wr_status_t wr_table_set(wr_table_t *table, uint64_t i, const wr_val_t *value);

/* ---------------------------------------------------------------- exceptions */

/**
 * New tag for exceptions with values of these types: `signature` is "PARAMS:", with letters as of
 * wr_linker_define_raw.
 */
WR_API wr_status_t wr_tag_new(wr_store_t *store, const char *signature, wr_tag_t **out,
                              wr_error_t *err);
WR_API size_t wr_tag_param_count(const wr_tag_t *tag);
WR_API wr_valkind_t wr_tag_param(const wr_tag_t *tag, size_t i);
/** Writes a tag's name (name section, else export, else "tag[N]"; "host tag"); as snprintf. */
WR_API size_t wr_tag_name(const wr_tag_t *tag, char *buf, size_t cap);

/**
 * New exception of a tag, held for the caller. It lives, and what its values refer to, while
 * somebody holds it or a guest refers to it; delete it before its store. Errors: WR_ARGUMENT
 * (values that do not fit), WR_OOM (also at the store's limit). Owner thread of the store, as all
 * that follows.
 */
WR_API wr_status_t wr_exception_new(wr_store_t *store, wr_tag_t *tag, const wr_val_t *values,
                                    size_t count, own wr_exception_t **out, wr_error_t *err);
/** Holds it once more. */
WR_API own wr_exception_t *wr_exception_hold(wr_exception_t *exception);
/** Ends one hold. NULL is allowed. */
WR_API void wr_exception_delete(own wr_exception_t *exception);
WR_API wr_tag_t *wr_exception_tag(const wr_exception_t *exception);
/** Fills up to `cap` values; returns how many there are. References are borrowed from it. */
WR_API size_t wr_exception_values(const wr_exception_t *exception, wr_val_t *values, size_t cap);

/* ---------------------------------------------------------------- host functions */

/**
 * A raw host function. `slots` holds the arguments on entry and takes the results, both from
 * index 0 (room for the larger of the two). Answers WR_OK; wr_call_trap(…); wr_call_exit(…);
 * wr_call_throw(…); or WR_PENDING after keeping what it needs to answer later with
 * wr_exec_complete; or passes on WR_CANCELLED, WR_OOM, WR_LIMIT of a call it made, or WR_EXCEPTION
 * of the last one, which is thrown on where the host function was called. Anything else is a trap.
 * It runs on the thread that runs the exec.
 */
typedef wr_status_t (*wr_host_fn)(wr_call_t *call, wr_slot_t *slots, void *env);

WR_API wr_store_t *wr_call_store(const wr_call_t *call);
WR_API wr_exec_t *wr_call_exec(const wr_call_t *call);
/** The calling instance; NULL when the embedder called the host function itself. */
WR_API wr_instance_t *wr_call_instance(const wr_call_t *call);
/** The caller's memory `index`, or NULL when it has none. */
WR_API wr_memory_t *wr_call_memory(const wr_call_t *call, uint32_t index);
/** What host functions ask most, in one call; see the functions of these names. */
typedef struct wr_call_view {
    wr_exec_t *exec;
    void *store_data;
    bool can_suspend;
} wr_call_view_t;
WR_API wr_call_view_t wr_call_look(const wr_call_t *call);
/** Bytes of a memory, as wr_memory_data and wr_memory_size give them; {NULL, 0}: there is none. */
typedef struct wr_bytes {
    uint8_t *data;
    uint64_t size;
} wr_bytes_t;
/** Those of the caller's memory `index`. */
WR_API wr_bytes_t wr_call_bytes(const wr_call_t *call, uint32_t index);
/** False when this call may not answer WR_PENDING (a host function further out called Wasm). */
WR_API bool wr_call_can_suspend(const wr_call_t *call);
/** Ends the guest with a trap; `text` is copied. Returns WR_TRAP, to be returned. */
WR_API wr_status_t wr_call_trap(wr_call_t *call, const char *text);
/** Ends the guest with an exit code. Returns WR_EXIT, to be returned. */
WR_API wr_status_t wr_call_exit(wr_call_t *call, int code);
/**
 * Throws an exception of the calling store where the host function was called; guests may catch it.
 * What it returns is to be returned: WR_EXCEPTION, or WR_OOM, or WR_ARGUMENT (values that do not
 * fit; a trap then).
 */
WR_API wr_status_t wr_call_throw(wr_call_t *call, wr_tag_t *tag, const wr_val_t *values,
                                 size_t count);
/** The same with an exception that there is, which stays the caller's. */
WR_API wr_status_t wr_call_throw_ref(wr_call_t *call, wr_exception_t *exception);

/* ---------------------------------------------------------------- linker */

WR_API wr_status_t wr_linker_new(wr_engine_t *engine, own wr_linker_t **out, wr_error_t *err);
/** Deletes a linker; all stores instantiated through it must be gone. NULL is allowed. */
WR_API void wr_linker_delete(own wr_linker_t *linker);

/**
 * Defines a raw host function. `signature` is "PARAMS:RESULTS" with i (i32), I (i64), f (f32),
 * F (f64), V (v128), r (funcref), e (externref), x (exnref): "iI:i", ":" for none. Several
 * definitions of one name with different signatures may stand side by side: an import takes the one
 * of its type. Defining the same name and type again replaces it for later instances. Names are
 * copied. At most 64 letters.
 */
WR_API wr_status_t wr_linker_define_raw(wr_linker_t *linker, const char *module, const char *name,
                                        const char *signature, wr_host_fn fn, void *env,
                                        wr_error_t *err);

typedef void (*wr_c_fn)(void);
/**
 * Defines a plain C function, called through libffi. `signature` is "(PARAMS)RESULT", "(iI*~$@)i";
 * the result is one of i I f F e or nothing, the C parameters are: i uint32_t/int32_t   I
 * uint64_t/int64_t   f float   F double   e void * (externref)
 *   *  a pointer into the caller's memory 0 (guest type i32), checked for at least one byte,
 *   ~  after `*`: uint32_t length in bytes of the bytes it points to (guest type i32), checked
 *      instead; 0 bytes may lie at the very end of the memory,
 *   $  const char * to a NUL-terminated string inside memory 0, checked (guest type i32),
 *   @  wr_call_t * of this call (no guest parameter); after wr_call_trap or wr_call_exit on it the
 *      function's own result is not used. It can't suspend.
 * In a shared memory other threads may change what a pointer points to at any time; a string is
 * copied, and ends within 1 MiB. At most 32 parameters. A pointer or string outside the memory
 * traps with "out of bounds memory access". Errors: WR_ARGUMENT for a bad signature, WR_OOM.
 */
WR_API wr_status_t wr_linker_define_c(wr_linker_t *linker, const char *module, const char *name,
                                      const char *signature, wr_c_fn fn, wr_error_t *err);

/** Defines one extern; its store must be the one instantiated into. */
WR_API wr_status_t wr_linker_define(wr_linker_t *linker, wr_name_t module, wr_name_t name,
                                    wr_store_t *store, wr_extern_t item, wr_error_t *err);
/**
 * Defines a shared memory for every store: it becomes one of those instantiated into that import
 * it. The definition holds a reference until the linker is deleted.
 */
WR_API wr_status_t wr_linker_define_shared_memory(wr_linker_t *linker, wr_name_t module,
                                                  wr_name_t name, wr_shared_memory_t *shared,
                                                  wr_error_t *err);
/** Defines all exports of an instance under a module name. */
WR_API wr_status_t wr_linker_define_instance(wr_linker_t *linker, wr_name_t module,
                                             wr_instance_t *instance, wr_error_t *err);

/** An import that cannot be satisfied; strings live during the callback. */
typedef struct wr_missing {
    wr_importtype_t import;
    const char *wanted; /**< its type as text */
    const char *offered; /**< what stands under this name with another type, or NULL */
    const char *similar; /**< a near miss, "module.name", or NULL */
} wr_missing_t;
typedef void (*wr_missing_fn)(const wr_missing_t *missing, void *env);
/**
 * Calls `fn` (NULL: only counts) for every import that `linker` cannot satisfy in any store;
 * returns how many. Near misses are searched for the first hundred only.
 */
WR_API size_t wr_linker_missing(const wr_linker_t *linker, const wr_module_t *module,
                                wr_missing_fn fn, void *env);

/* ---------------------------------------------------------------- instances */

/**
 * Instantiates: resolves imports, allocates, writes segments, runs the start function to its end
 * (one that would suspend traps). The start function runs on `exec`, so that wr_exec_cancel
 * reaches it; NULL: on the exec running on this thread, else on one made for it. Errors: WR_LINK,
 * WR_TRAP, WR_EXCEPTION, WR_EXIT, WR_CANCELLED, WR_LIMIT, WR_OOM, WR_FUEL; WR_ARGUMENT when `exec`
 * has a call in progress or is of another store. After a failure the store stays usable and keeps
 * what was written before it; the failed instance counts against max_instances.
 */
WR_API wr_status_t wr_linker_instantiate(wr_linker_t *linker, wr_store_t *store,
                                         const wr_module_t *module, wr_exec_t *exec,
                                         wr_instance_t **out, wr_error_t *err);
/** Looks an export up; false when there is none of that name. */
WR_API bool wr_instance_export(wr_instance_t *instance, wr_name_t name, wr_extern_t *out);
WR_API const wr_module_t *wr_instance_module(const wr_instance_t *instance);

/* ---------------------------------------------------------------- calls */

/** Calls a function to its end, checked; blocks. A host function that suspends traps here. */
WR_API wr_status_t wr_call(wr_store_t *store, wr_func_t *func, const wr_val_t *args,
                           size_t arg_count, wr_val_t *results, size_t result_count,
                           wr_error_t *err);

/** New exec with a value stack of its own. */
WR_API wr_status_t wr_exec_new(wr_store_t *store, own wr_exec_t **out, wr_error_t *err);
/** Deletes an exec that is not running; a pending one is dropped. NULL is allowed. */
WR_API void wr_exec_delete(own wr_exec_t *exec);
/** Prepares a call; WR_ARGUMENT when the arguments do not fit or a call is in progress. */
WR_API wr_status_t wr_exec_start(wr_exec_t *exec, wr_func_t *func, const wr_val_t *args,
                                 size_t arg_count, wr_error_t *err);
/**
 * Runs until something happens: WR_OK (finished), WR_PENDING, WR_YIELD, or an end: WR_TRAP,
 * WR_EXCEPTION, WR_EXIT, WR_CANCELLED, WR_OOM, WR_LIMIT; or WR_FUEL. Owner thread of the store.
 */
WR_API wr_status_t wr_exec_run(wr_exec_t *exec, wr_error_t *err);
/** After WR_OK from run: typed results. WR_ARGUMENT: another count, or no call has finished. */
WR_API wr_status_t wr_exec_results(const wr_exec_t *exec, wr_val_t *results, size_t result_count);
/**
 * Answers the host function an exec is pending in, with the raw results (as many slots as its
 * type has) or a failure (WR_TRAP, WR_EXIT, WR_CANCELLED; `code` is the exit code), once per call.
 * Any thread, also before the host function has returned WR_PENDING (which then must neither touch
 * its slots nor call into Wasm any more). Then run the exec again, on its store's thread.
 * WR_ARGUMENT when nothing is pending or the number of result slots is wrong.
 */
WR_API wr_status_t wr_exec_complete(wr_exec_t *exec, wr_status_t status, const wr_slot_t *results,
                                    size_t result_slots, int code);
/**
 * The same with an exception of the exec's store, which the caller holds until the exec has run
 * again.
 */
WR_API wr_status_t wr_exec_complete_throw(wr_exec_t *exec, wr_exception_t *exception);
/**
 * Gives each run of an exec a time slice: it returns WR_YIELD at the `ticks`th wr_engine_tick after
 * it began, or a little later. 0, the default: none. While the exec is not running.
 */
WR_API void wr_exec_set_epochs(wr_exec_t *exec, uint32_t ticks);
/**
 * Makes a running exec return WR_YIELD soon, also one that waits in memory.atomic.wait; its next
 * run goes on with the same wait. One that is not running notices nothing. Any thread; also from a
 * signal handler.
 */
WR_API void wr_exec_interrupt(wr_exec_t *exec);
/**
 * Makes a running or pending exec end with WR_CANCELLED at its next run or check, nested calls
 * included. A cancel stays until it has ended a call, this one or, when none was in progress, the
 * next. Any thread; also from a signal handler.
 */
WR_API void wr_exec_cancel(wr_exec_t *exec);
/** After WR_EXIT. */
WR_API int wr_exec_exit_code(const wr_exec_t *exec);
/**
 * After WR_EXCEPTION, until the exec's next call: what nobody caught, held for the caller. NULL
 * otherwise.
 */
WR_API own wr_exception_t *wr_exec_exception(const wr_exec_t *exec);
/** The same of the last wr_call, or instantiation without an exec, that ended with it. */
WR_API own wr_exception_t *wr_store_exception(const wr_store_t *store);

/* ---------------------------------------------------------------- looking inside */

/** Takes a piece of text: `size` bytes, no final NUL. */
typedef void (*wr_write_fn)(void *ctx, const char *text, size_t size);
/**
 * Writes a function (an export, a name of the name section, or an index in digits; NULL: all that
 * the module defines) as text: its WebAssembly beside the internal code that the default backend
 * runs, and counts. The text is for people and its form may change; names are escaped. Errors:
 * WR_NOT_FOUND, WR_ARGUMENT (an imported function), WR_OOM. Any thread.
 */
WR_API wr_status_t wr_module_explore(const wr_module_t *module, const char *func, wr_write_fn write,
                                     void *ctx, wr_error_t *err);

/** Internal code made so far of a module, for all backends and modes that were used. */
typedef struct wr_code_stats {
    uint32_t funcs; /**< defined in the module */
    uint32_t translated; /**< of them, at least once */
    uint64_t wasm_bytes; /**< of the bodies translated, each translation counted */
    uint64_t code_bytes; /**< what they became */
} wr_code_stats_t;
/** Any thread. */
WR_API void wr_module_code_stats(const wr_module_t *module, wr_code_stats_t *out);

/**
 * The frames of an exec that has stopped (WR_YIELD, WR_PENDING, WR_FUEL, a trap), innermost first:
 * fills up to `cap`, returns how many. Owner thread of the store.
 */
WR_API size_t wr_exec_frames(const wr_exec_t *exec, wr_frame_t *out, size_t cap);

/**
 * Writes a core dump of such an exec and its store, in the format of tool-conventions/Coredump.md
 * (itself a module): frames with their locals, but not operand stacks; modules and instances by
 * number; all globals; all memories without their pages of zeroes (what is beyond 4 GiB together is
 * left out). `name` is the program's. Errors: WR_OOM. Owner thread of the store.
 */
WR_API wr_status_t wr_exec_coredump(const wr_exec_t *exec, const char *name, wr_write_fn write,
                                    void *ctx, wr_error_t *err);

/* ---------------------------------------------------------------- signals */

/**
 * For hosts that install their own SIGSEGV/SIGBUS handler after creating a guard-mode store:
 * true when the fault was a guest's and `ucontext` now continues at the trap.
 */
WR_API bool wr_signal_try(int sig, void *siginfo, void *ucontext);

#undef own
#ifdef __cplusplus
}
#endif
#endif
