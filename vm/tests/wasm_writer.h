/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes whole modules from C, readably: functions by letter signature and instruction macros. For
 * tests that execute; nothing is checked here, so wrong modules can be written too.
 *
 *   struct wasm w = {0};
 *   wasm_func(&w, "ii:i", "add", "", CODE(LOCAL_GET(0), LOCAL_GET(1), I32_ADD));
 *
 * Letters of types: i I f F V r (funcref) e (externref) x (exnref). Index spaces must be filled
 * imports first.
 */
#ifndef VM_TESTS_WASM_WRITER_H
#define VM_TESTS_WASM_WRITER_H

#include "base/port.h"

/** Growing bytes, from the C library's heap. */
struct wasm_bytes {
    u8 *data;
    usize size, cap;
};
void wasm_put(struct wasm_bytes *b, const void *data, usize size);
void wasm_put_u8(struct wasm_bytes *b, u32 value);
void wasm_put_u32(struct wasm_bytes *b, u32 value);
void wasm_put_name(struct wasm_bytes *b, const char *name);

/** One section under construction. */
struct wasm_section {
    struct wasm_bytes bytes;
    u32 count;
};

/** A module under construction; zero-initialised is empty. */
struct wasm {
    struct wasm_section types, imports, funcs, tables, memories, globals, exports, elems, codes;
    struct wasm_section datas, names, tags;
    u32 func_count, table_count, memory_count, global_count, tag_count; /* imports included */
    u32 start;                                               /* function index + 1 */
    bool has_passive;                                        /* a data count is needed */
};

/** Bytes of instructions; the final end is added by the functions that take code. */
struct wasm_code {
    const u8 *data;
    usize size;
};
#define CODE(...) ((struct wasm_code){(const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__})})
#define NO_CODE ((struct wasm_code){(const u8[]){0}, 0})

u32 wasm_type(struct wasm *w, const char *signature);
u32 wasm_import_func(struct wasm *w, const char *module, const char *name, const char *signature);
u32 wasm_import_memory(struct wasm *w, const char *module, const char *name, u32 min);
u32 wasm_import_shared_memory(struct wasm *w, const char *module, const char *name, u32 min,
                              u32 max);
u32 wasm_import_table(struct wasm *w, const char *module, const char *name, u32 min);
u32 wasm_import_global(struct wasm *w, const char *module, const char *name, char letter,
                       bool is_mutable);
/** `name` NULL: not exported. `locals`: a letter each, behind the parameters. */
u32 wasm_func(struct wasm *w, const char *signature, const char *name, const char *locals,
              struct wasm_code code);
/** The same with `count` locals of one type. */
u32 wasm_func_locals(struct wasm *w, const char *signature, const char *name, u32 count,
                     char letter, struct wasm_code code);
/** `max` UINT32_MAX: none. */
u32 wasm_memory(struct wasm *w, u32 min, u32 max, const char *name);
u32 wasm_shared_memory(struct wasm *w, u32 min, u32 max, const char *name);
u32 wasm_table(struct wasm *w, char letter, u32 min, u32 max, const char *name);
u32 wasm_global(struct wasm *w, char letter, bool is_mutable, struct wasm_code init,
                const char *name);
/** `signature`: "i:". */
u32 wasm_tag(struct wasm *w, const char *signature, const char *name);
u32 wasm_import_tag(struct wasm *w, const char *module, const char *name, const char *signature);
void wasm_export(struct wasm *w, const char *name, u32 kind, u32 index);
/** Active segments at constant offsets. */
void wasm_elem(struct wasm *w, u32 table, u32 offset, const u32 *funcs, u32 count);
void wasm_data(struct wasm *w, u32 memory, u32 offset, const char *bytes, u32 size);
void wasm_data_passive(struct wasm *w, const char *bytes, u32 size);
/** A declarative segment, so that ref.func may name the function. */
void wasm_declare(struct wasm *w, u32 func);
void wasm_start(struct wasm *w, u32 func);
/** Name section entry; in ascending order of functions. */
void wasm_name(struct wasm *w, u32 func, const char *name);
/** Puts the module together and forgets its parts; the bytes are freed by the caller. */
struct wasm_bytes wasm_finish(struct wasm *w);

/* -------- instructions. Small immediates are one byte (below 64), I32/U32 take any. */

#define LEB5_U(v)                                                                                  \
    (u8)(((u32)(v) & 0x7f) | 0x80), (u8)(((u32)(v) >> 7 & 0x7f) | 0x80),                           \
        (u8)(((u32)(v) >> 14 & 0x7f) | 0x80), (u8)(((u32)(v) >> 21 & 0x7f) | 0x80),                \
        (u8)((u32)(v) >> 28 & 0x0f)
#define LEB5_S(v)                                                                                  \
    (u8)(((u32)(v) & 0x7f) | 0x80), (u8)(((u32)(v) >> 7 & 0x7f) | 0x80),                           \
        (u8)(((u32)(v) >> 14 & 0x7f) | 0x80), (u8)(((u32)(v) >> 21 & 0x7f) | 0x80),                \
        (u8)(((u32)(v) >> 28 & 0x0f) | ((u32)(v) >> 31 ? 0x70 : 0))

#define VOID 0x40
#define T_I32 0x7f
#define T_I64 0x7e
#define T_F64 0x7c
#define T_EXN 0x69
#define UNREACHABLE 0x00
#define NOP 0x01
#define TRY(type) 0x06, (type)
#define CATCH(tag) 0x07, (tag)
#define THROW(tag) 0x08, (tag)
#define RETHROW(l) 0x09, (l)
#define THROW_REF 0x0a
#define DELEGATE(l) 0x18, (l)
#define CATCH_ALL 0x19
#define TRY_TABLE(type, clauses) 0x1f, (type), (clauses)
#define ON(tag, l) 0, (tag), (l) /* clauses */
#define ON_REF(tag, l) 1, (tag), (l)
#define ON_ALL(l) 2, (l)
#define ON_ALL_REF(l) 3, (l)
#define BLOCK(type) 0x02, (type)
#define LOOP(type) 0x03, (type)
#define IF(type) 0x04, (type)
#define ELSE 0x05
#define END 0x0b
#define BR(l) 0x0c, (l)
#define BR_IF(l) 0x0d, (l)
#define BR_TABLE 0x0e
#define RETURN 0x0f
#define CALL(f) 0x10, (f)
#define CALL_INDIRECT(type, table) 0x11, (type), (table)
#define RETURN_CALL(f) 0x12, (f)
#define RETURN_CALL_INDIRECT(type, table) 0x13, (type), (table)
#define CALL_REF(type) 0x14, (type)
#define RETURN_CALL_REF(type) 0x15, (type)
#define DROP 0x1a
#define SELECT 0x1b
#define LOCAL_GET(i) 0x20, (i)
#define LOCAL_SET(i) 0x21, (i)
#define LOCAL_TEE(i) 0x22, (i)
#define LOCAL_GET_FAR(i) 0x20, LEB5_U(i)
#define LOCAL_SET_FAR(i) 0x21, LEB5_U(i)
#define LOCAL_TEE_FAR(i) 0x22, LEB5_U(i)
#define GLOBAL_GET(i) 0x23, (i)
#define GLOBAL_SET(i) 0x24, (i)
#define TABLE_GET(i) 0x25, (i)
#define TABLE_SET(i) 0x26, (i)
#define I32_LOAD(offset) 0x28, 0, LEB5_U(offset)
#define I64_LOAD(offset) 0x29, 0, LEB5_U(offset)
#define I32_LOAD8_U(offset) 0x2d, 0, LEB5_U(offset)
#define I32_STORE(offset) 0x36, 0, LEB5_U(offset)
#define I64_STORE(offset) 0x37, 0, LEB5_U(offset)
#define I32_STORE8(offset) 0x3a, 0, LEB5_U(offset)
#define MEMORY_SIZE 0x3f, 0
#define MEMORY_GROW 0x40, 0
#define I32(v) 0x41, LEB5_S(v)
#define I64(v) 0x42, LEB5_S(v) /* within 32 bits */
#define I32_EQZ 0x45
#define I32_EQ 0x46
#define I32_NE 0x47
#define I32_LT_S 0x48
#define I32_LT_U 0x49
#define I32_GT_S 0x4a
#define I32_GE_U 0x4f
#define I64_EQZ 0x50
#define I32_ADD 0x6a
#define I32_SUB 0x6b
#define I32_MUL 0x6c
#define I32_DIV_S 0x6d
#define I32_AND 0x71
#define I32_OR 0x72
#define I64_ADD 0x7c
#define I64_SUB 0x7d
#define I64_MUL 0x7e
#define F64_ADD 0xa0
#define I32_WRAP_I64 0xa7
#define I64_EXTEND_I32_U 0xad
#define REF_NULL_FUNC 0xd0, 0x70
#define REF_NULL_EXN 0xd0, 0x69
#define REF_IS_NULL 0xd1
#define REF_FUNC(f) 0xd2, (f)
#define MEMORY_INIT(data) 0xfc, 8, (data), 0
#define MEMORY_COPY 0xfc, 10, 0, 0
#define MEMORY_FILL 0xfc, 11, 0
#define TABLE_GROW(t) 0xfc, 15, (t)
#define TABLE_SIZE(t) 0xfc, 16, (t)
#define T_V128 0x7b
#define V128_LOAD(offset) 0xfd, 0, 0, LEB5_U(offset)
#define V128_STORE(offset) 0xfd, 11, 0, LEB5_U(offset)
#define V128_CONST8(b) 0xfd, 12, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b
#define I32X4_SPLAT 0xfd, 17
#define I64X2_SPLAT 0xfd, 18
#define I32X4_EXTRACT_LANE(lane) 0xfd, 27, (lane)
#define I32X4_REPLACE_LANE(lane) 0xfd, 28, (lane)
#define I64X2_EXTRACT_LANE(lane) 0xfd, 29, (lane)
#define I64X2_REPLACE_LANE(lane) 0xfd, 30, (lane)
#define V128_NOT 0xfd, 77
#define V128_AND 0xfd, 78
#define V128_XOR 0xfd, 81
#define V128_BITSELECT 0xfd, 82
#define V128_ANY_TRUE 0xfd, 83
#define I32X4_SHL 0xfd, 0xab, 1
#define I32X4_SHR_U 0xfd, 0xad, 1
#define I32X4_ADD 0xfd, 0xae, 1
#define I32X4_SUB 0xfd, 0xb1, 1
#define I64X2_ADD 0xfd, 0xce, 1
#define I64X2_SUB 0xfd, 0xd1, 1
#define NOTIFY(offset) 0xfe, 0x00, 2, LEB5_U(offset)
#define WAIT32(offset) 0xfe, 0x01, 2, LEB5_U(offset)
#define WAIT64(offset) 0xfe, 0x02, 3, LEB5_U(offset)
#define FENCE 0xfe, 0x03, 0
#define I32_ATOMIC_LOAD(offset) 0xfe, 0x10, 2, LEB5_U(offset)
#define I64_ATOMIC_LOAD(offset) 0xfe, 0x11, 3, LEB5_U(offset)
#define I32_ATOMIC_STORE(offset) 0xfe, 0x17, 2, LEB5_U(offset)
#define I32_RMW_ADD(offset) 0xfe, 0x1e, 2, LEB5_U(offset)
#define I64_RMW_ADD(offset) 0xfe, 0x1f, 3, LEB5_U(offset)
#define I32_RMW8_ADD(offset) 0xfe, 0x20, 0, LEB5_U(offset)
#define I32_RMW_SUB(offset) 0xfe, 0x25, 2, LEB5_U(offset)
#define I32_RMW_XCHG(offset) 0xfe, 0x41, 2, LEB5_U(offset)
#define I32_CMPXCHG(offset) 0xfe, 0x48, 2, LEB5_U(offset)

#endif
