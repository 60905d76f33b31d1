/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module with something of everything around one body or one constant expression under test.
 * For tests of the validator; include it behind cmocka.h.
 */
#ifndef VM_TESTS_VALIDATE_FIXTURE_H
#define VM_TESTS_VALIDATE_FIXTURE_H

#include "binary/module.h"
#include "validate/validate.h"

#include <stdlib.h>
#include <string.h>

/* -------- growing bytes */

struct bytes {
    u8 *data;
    usize size, cap;
};

static inline void put(struct bytes *b, const void *data, usize size)
{
    if (size == 0) return;
    if (b->size + size > b->cap) {
        b->cap = (b->size + size) * 2;
        b->data = realloc(b->data, b->cap);
        assert_non_null(b->data);
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void put_u8(struct bytes *b, u32 value)
{
    u8 byte = (u8)value;
    put(b, &byte, 1);
}

static inline void put_u32(struct bytes *b, u32 value)
{
    for (; value >= 0x80; value >>= 7) put_u8(b, value | 0x80);
    put_u8(b, value);
}

static inline void put_section(struct bytes *b, u8 id, const void *content, usize size)
{
    put_u8(b, id);
    put_u32(b, (u32)size);
    put(b, content, size);
}

#define LIT(literal) (const u8 *)(literal), sizeof(literal) - 1
#define PUT(b, literal) put(b, LIT(literal))
#define PUT_SECTION(b, id, literal) put_section(b, id, LIT(literal))
#define MODULE_HEADER "\0asm\1\0\0\0"

/* -------- the module around */

/*
 * Types 0..11; see build_around. Functions: 0 imported [] -> [], 1 exported [] -> [],
 * 2 [i32] -> [i32] that nothing declares, 3 the body under test.
 * Globals: 0 imported i32, 1 mutable i32, 2 i64, 3 under test. Tables: 0 funcref, 1 externref,
 * 2 funcref with i64 indices. Memories: 0, and 1 with i64 addresses. Tags: 0 [i32 i64], 1 [].
 * Elements: 0 of funcref, 1 of externref. Data: 0.
 */
struct subject {
    u32 type;        /* of the body */
    const u8 *body;  /* local declarations and expression; NULL: an empty body */
    usize body_size;
    const u8 *global; /* type, mutability, expression; NULL: i32.const 0 */
    usize global_size;
    bool without_data_count;
};

enum { TEST_FUNC = 3 };

// clang-format off
static inline void build_around(struct bytes *b, const struct subject *s)
{
    static const u8 empty_body[] = {0, 0x0b};
    static const u8 plain_global[] = {0x7f, 0, 0x41, 0, 0x0b};
    PUT(b, MODULE_HEADER);
    PUT_SECTION(b, 1, "\14"
                      "\x60\0\0"                        /* 0: [] -> [] */
                      "\x60\1\x7f\1\x7f"                /* 1: [i32] -> [i32] */
                      "\x60\0\2\x7f\x7f"                /* 2: [] -> [i32 i32] */
                      "\x5f\3\x7f\1\x78\0\x63\0\1"      /* 3: struct (mut i32) i8 (mut (ref null 0)) */
                      "\x5e\x78\1"                      /* 4: array (mut i8) */
                      "\x5e\x70\1"                      /* 5: array (mut funcref) */
                      "\x5e\x7f\0"                      /* 6: array i32 */
                      "\x5f\1\x64\0\0"                  /* 7: struct (ref 0) */
                      "\x60\2\x7f\x7e\0"                /* 8: [i32 i64] -> [] */
                      "\x5e\x64\0\1"                    /* 9: array (mut (ref 0)) */
                      "\x60\1\x64\0\1\x64\0"            /* 10: [(ref 0)] -> [(ref 0)] */
                      "\x5e\x7c\1");                    /* 11: array (mut f64) */
    PUT_SECTION(b, 2, "\2" "\1m\1f\0\0" "\1m\1g\3\x7f\0");
    put_u8(b, 3);
    put_u8(b, 4);
    PUT(b, "\3\0\1");
    put_u8(b, s->type);
    PUT_SECTION(b, 4, "\3" "\x70\0\1" "\x6f\0\1" "\x70\4\1");
    PUT_SECTION(b, 5, "\2" "\0\1" "\4\1");
    PUT_SECTION(b, 13, "\2" "\0\x8" "\0\0");
    struct bytes globals = {0};
    PUT(&globals, "\3" "\x7f\1\x41\0\x0b" "\x7e\0\x42\0\x0b");
    put(&globals, s->global ? s->global : plain_global,
        s->global ? s->global_size : sizeof plain_global);
    put_section(b, 6, globals.data, globals.size);
    PUT_SECTION(b, 7, "\1" "\1e\0\1");
    PUT_SECTION(b, 9, "\2" "\5\x70\1\xd0\x70\x0b" "\5\x6f\1\xd0\x6f\x0b");
    if (!s->without_data_count) PUT_SECTION(b, 12, "\1");
    struct bytes code = {0};
    PUT(&code, "\3" "\2\0\x0b" "\4\0\x20\0\x0b");
    put_u32(&code, (u32)(s->body ? s->body_size : sizeof empty_body));
    put(&code, s->body ? s->body : empty_body, s->body ? s->body_size : sizeof empty_body);
    put_section(b, 10, code.data, code.size);
    PUT_SECTION(b, 11, "\1" "\1\1x");
    free(code.data);
    free(globals.data);
}
// clang-format on

/* Decodes and validates; a failure to decode is told as such. */
static inline vm_status judge(const struct bytes *b, vm_features features, struct vm_err *err)
{
    struct vm_module m;
    vm_err_init(err);
    vm_status s = vm_module_decode(&m, &vm_alloc_libc, b->data, b->size, err);
    if (s != VM_OK) return s;
    s = vm_validate_module(&m, features, &vm_alloc_libc, err);
    vm_module_free(&m);
    return s;
}

static inline vm_status judge_subject(const struct subject *subject, vm_features features,
                                      struct vm_err *err)
{
    struct bytes b = {0};
    build_around(&b, subject);
    vm_status s = judge(&b, features, err);
    free(b.data);
    return s;
}

/* The module around may use everything, the bodies only `features`. */
static inline vm_status judge_subject_body(const struct subject *subject, vm_features features,
                                           struct vm_err *err)
{
    struct bytes b = {0};
    struct vm_module m;
    build_around(&b, subject);
    vm_err_init(err);
    assert_int_equal(vm_module_decode(&m, &vm_alloc_libc, b.data, b.size, err), VM_OK);
    vm_status s = vm_validate_declarations(&m, vm_features_all(), &vm_alloc_libc, err);
    if (s == VM_OK) s = vm_validate_bodies(&m, features, TEST_FUNC - 1, 1, &vm_alloc_libc, err);
    vm_module_free(&m);
    free(b.data);
    return s;
}

/* -------- instructions */

#define NO_LOCALS "\0"
#define END "\x0b"
#define UNREACHABLE "\0"
#define BLOCK(type) "\x02" type
#define LOOP(type) "\x03" type
#define IF(type) "\x04" type
#define ELSE "\x05"
#define EMPTY "\x40"
#define DROP "\x1a"
#define I32 "\x41\0"
#define I64 "\x42\0"
#define F32 "\x43\0\0\0\0"
#define F64 "\x44\0\0\0\0\0\0\0\0"
#define V128 "\xfd\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define REF_NULL(heap) "\xd0" heap
#define FUNC "\x70"
#define EXTERN "\x6f"
#define ANY "\x6e"
#define I31 "\x6c"
#define EXN "\x69"
#define NULL_FUNC REF_NULL(FUNC)
#define NULL_EXTERN REF_NULL(EXTERN)
#define DROP2 DROP DROP

#endif
