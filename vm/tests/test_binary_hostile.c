/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder on hostile input: limits, memory, truncation, flipped bits, failing allocation. */
#include "binary/module.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module_builder.h"

/* -------- limits */

/* A section of `head`, then `unit` `times` times. */
struct repeated {
    u8 id;
    const char *head;
    usize head_size;
    const char *unit;
    usize unit_size;
    u32 times;
};

/* A module of that one section, freed by the caller. */
static u8 *build_repeated(const struct repeated *r, usize *size)
{
    usize content = r->head_size + r->unit_size * r->times;
    u8 *bytes = malloc(8 + 6 + content);
    assert_non_null(bytes);
    memcpy(bytes, HEADER, 8);
    u8 *p = bytes + 8;
    *p++ = r->id;
    for (u32 i = 0; i < 5; i++) *p++ = (u8)((content >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
    memcpy(p, r->head, r->head_size);
    p += r->head_size;
    for (u32 i = 0; i < r->times; i++, p += r->unit_size) memcpy(p, r->unit, r->unit_size);
    *size = (usize)(p - bytes);
    return bytes;
}

static void test_limits_are_reported(void **state)
{
    (void)state;
    static const struct {
        struct repeated section;
        vm_error_id want;
    } cases[] = {
        // clang-format off
        {{1, "\1\x60\xe9\7", 4, "\x7f", 1, 1001}, VM_ERR_LIMIT},          /* parameters */
        {{1, "\1\x60\xe8\7", 4, "\x7f", 1, 1000}, VM_ERR_END_OF_SECTION}, /* 1000 are fine */
        {{1, "\1\x60\0\xe9\7", 5, "\x7f", 1, 1001}, VM_ERR_LIMIT},        /* results */
        {{1, "\1\x5f\x91\x4e", 4, "\x7f\0", 2, 10001}, VM_ERR_LIMIT},     /* fields */
        {{1, "\xc1\x84\x3d", 3, "\x5f\0", 2, 1000001}, VM_ERR_LIMIT},     /* groups */
        {{1, "\1\x4e\xc1\x84\x3d", 5, "\x5f\0", 2, 1000001}, VM_ERR_LIMIT}, /* types of one */
        {{3, "\xc1\x84\x3d", 3, "\0", 1, 1000001}, VM_ERR_LIMIT},         /* functions */
        {{5, "\x65", 1, "\0\0", 2, 101}, VM_ERR_LIMIT},                   /* memories */
        {{2, "\x65", 1, "\0\0\2\0\0", 5, 101}, VM_ERR_LIMIT},             /* imported memories */
        {{10, "\1\xf6\x97\xd3\3", 5, "\0", 1, 7654390}, VM_ERR_LIMIT},    /* bytes of a body */
        // clang-format on
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        usize size;
        u8 *bytes = build_repeated(&cases[i].section, &size);
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        assert_int_not_equal(vm_module_decode(&m, &vm_alloc_libc, bytes, size, &err), VM_OK);
        assert_int_equal(err.id, cases[i].want);
        free(bytes);
    }
}

static void test_supertypes_chain_of_64_is_a_limit(void **state)
{
    (void)state;
    for (u32 count = 64; count <= 65; count++) {
        struct builder b = {0};
        char content[512];
        usize n = 0;
        content[n++] = (char)count;
        for (u32 i = 0; i < count; i++) {
            content[n++] = 0x50;
            content[n++] = i > 0;
            if (i > 0) content[n++] = (char)(i - 1);
            content[n++] = 0x5f;
            content[n++] = 0;
        }
        put(&b, HEADER, 8);
        section(&b, 1, content, n);
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        vm_status status = vm_module_decode(&m, &vm_alloc_libc, b.bytes, b.size, &err);
        assert_int_equal(status, count == 64 ? VM_OK : VM_LIMIT);
        if (status == VM_OK) {
            assert_int_equal(m.types.types[63].depth, 63);
            vm_module_free(&m);
        }
    }
}

enum { TIMES = 90000 };
#define COUNT_OF_TIMES "\x90\xbf\5", 3

/* The entries that grow most: memory must stay within 100 times the module. */
static void test_memory_is_linear_in_the_module(void **state)
{
    (void)state;
    static const struct repeated cases[] = {
        // clang-format off
        {0, "\0", 1, "", 0, 0},
        {1, COUNT_OF_TIMES, "\x5f\0", 2, TIMES},
        {1, COUNT_OF_TIMES, "\x60\0\0", 3, TIMES},
        {1, COUNT_OF_TIMES, "\x5e\x7f\0", 3, TIMES},
        {2, COUNT_OF_TIMES, "\0\0\0\0", 4, TIMES},
        {4, COUNT_OF_TIMES, "\x70\0\0", 3, TIMES},
        {6, COUNT_OF_TIMES, "\x7f\0\x0b", 3, TIMES},
        {7, COUNT_OF_TIMES, "\0\0\0", 3, TIMES},
        {9, COUNT_OF_TIMES, "\1\0\0", 3, TIMES},
        {11, COUNT_OF_TIMES, "\1\0", 2, TIMES},
        {13, COUNT_OF_TIMES, "\0\0", 2, TIMES},
        // clang-format on
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        usize size;
        u8 *bytes = build_repeated(&cases[i], &size);
        if (i == 0) { /* many sections */
            bytes = realloc(bytes, size + 3 * TIMES);
            assert_non_null(bytes);
            for (u32 k = 0; k < TIMES; k++, size += 3) memcpy(bytes + size, "\0\1\0", 3);
        }
        struct counter n = {0};
        const struct vm_alloc alloc = {counting_realloc, &n};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        assert_int_equal(vm_module_decode(&m, &alloc, bytes, size, &err), VM_OK);
        assert_true(n.peak <= 100 * size);
        vm_module_free(&m);
        assert_int_equal(n.live, 0);
        free(bytes);
    }
}

static void test_memory_count_alone_forces_none(void **state)
{
    (void)state;
    static const u8 ids[] = {1, 2, 3, 4, 6, 7, 9, 10, 11, 13};
    for (usize i = 0; i < VM_COUNT(ids); i++) {
        /* Bytes that begin no entry. */
        const struct repeated section = {ids[i], COUNT_OF_TIMES, "\xff", 1, TIMES};
        usize size;
        u8 *bytes = build_repeated(&section, &size);
        struct counter n = {0};
        const struct vm_alloc alloc = {counting_realloc, &n};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        assert_int_equal(vm_module_decode(&m, &alloc, bytes, size, &err), VM_MALFORMED);
        assert_true(n.peak < 16384);
        assert_int_equal(n.live, 0);
        free(bytes);
    }
}

/* -------- hostile variants of the rich module */

static void test_truncated_anywhere_is_malformed_or_whole(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    for (usize size = 0; size < b.size; size++) {
        u8 *cut = malloc(size ? size : 1); /* exact, for the address sanitizer */
        assert_non_null(cut);
        memcpy(cut, b.bytes, size);
        bool is_boundary = false;
        for (u32 i = 0; i < b.end_count; i++) is_boundary |= b.ends[i] == size;
        struct counter n = {0};
        const struct vm_alloc alloc = {counting_realloc, &n};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        vm_status status = vm_module_decode(&m, &alloc, cut, size, &err);
        if (status == VM_OK) {
            assert_true(is_boundary);
            vm_module_free(&m);
        } else {
            assert_int_equal(status, VM_MALFORMED);
            assert_true(err.offset <= size);
        }
        assert_int_equal(n.live, 0);
        free(cut);
    }
}

static void test_bit_flips_never_crash_or_leak(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    u8 *bytes = malloc(b.size);
    assert_non_null(bytes);
    memcpy(bytes, b.bytes, b.size);
    for (usize bit = 0; bit < b.size * 8; bit++) {
        bytes[bit / 8] ^= (u8)(1u << bit % 8);
        struct counter n = {0};
        const struct vm_alloc alloc = {counting_realloc, &n};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        vm_status status = vm_module_decode(&m, &alloc, bytes, b.size, &err);
        assert_true(status == VM_OK || status == VM_MALFORMED || status == VM_INVALID ||
                    status == VM_LIMIT);
        assert_int_equal(status, err.status);
        if (status == VM_OK) {
            struct vm_name name;
            for (u32 i = 0; i < 3; i++) (void)vm_module_func_name(&m, i, &name);
            vm_module_free(&m);
        }
        assert_int_equal(n.live, 0);
        bytes[bit / 8] ^= (u8)(1u << bit % 8);
    }
    free(bytes);
}

static void test_failing_allocation_is_oom_and_leaks_nothing(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    u32 fail_at = 0;
    vm_status status;
    do {
        struct counter n = {.fail_at = ++fail_at};
        const struct vm_alloc alloc = {counting_realloc, &n};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        status = vm_module_decode(&m, &alloc, b.bytes, b.size, &err);
        if (status == VM_OK) {
            assert_true(n.calls < fail_at);
            vm_module_free(&m);
        } else {
            assert_int_equal(status, VM_OOM);
            assert_int_equal(err.id, VM_ERR_OOM);
        }
        assert_int_equal(n.live, 0);
    } while (status != VM_OK);
    assert_true(fail_at > 12); /* at least one for each kind of entry */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_are_reported),
        cmocka_unit_test(test_supertypes_chain_of_64_is_a_limit),
        cmocka_unit_test(test_memory_is_linear_in_the_module),
        cmocka_unit_test(test_memory_count_alone_forces_none),
        cmocka_unit_test(test_truncated_anywhere_is_malformed_or_whole),
        cmocka_unit_test(test_bit_flips_never_crash_or_leak),
        cmocka_unit_test(test_failing_allocation_is_oom_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
