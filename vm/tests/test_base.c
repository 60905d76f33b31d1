/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of vm/base: LEB128, UTF-8, arena, vector, allocation and error sink. */
#include "base/arena.h"
#include "base/bits.h"
#include "base/hash.h"
#include "base/leb128.h"
#include "base/status.h"
#include "base/trap.h"
#include "base/utf8.h"
#include "base/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -------- LEB128 */

enum leb_kind { U32, U64, S32, S33, S64 };

struct leb_case {
    enum leb_kind kind;
    const char *bytes;
    u32 len;
    vm_error_id id;
    u64 value; /* the bits, sign-extended */
    u32 used;  /* 0 on failure */
};

#define OK(kind, text, value)                                                                      \
    {kind, text, sizeof text - 1, VM_ERR_NONE, (u64)(value), sizeof text - 1}
#define BAD(kind, text, id) {kind, text, sizeof text - 1, VM_ERR_##id, 0, 0}

// clang-format off
static const struct leb_case leb_cases[] = {
    OK(U32, "\x00", 0), OK(U32, "\x7f", 127), OK(U32, "\x80\x01", 128), OK(U32, "\xff\x7f", 16383),
    OK(U32, "\x80\x80\x01", 16384), OK(U32, "\x80\x80\x80\x01", 1 << 21),
    OK(U32, "\x80\x80\x80\x80\x01", 1 << 28), OK(U32, "\xff\xff\xff\xff\x0f", 0xffffffff),
    OK(U32, "\x80\x00", 0), OK(U32, "\x80\x80\x80\x80\x00", 0), OK(U32, "\x82\x80\x80\x80\x00", 2),
    BAD(U32, "", END), BAD(U32, "\x80", END), BAD(U32, "\xff\xff\xff\xff", END),
    BAD(U32, "\x80\x80\x80\x80\x10", INT_LARGE), BAD(U32, "\xff\xff\xff\xff\x1f", INT_LARGE),
    BAD(U32, "\x82\x80\x80\x80\x70", INT_LARGE), BAD(U32, "\x82\x80\x80\x80\x40", INT_LARGE),
    BAD(U32, "\x80\x80\x80\x80\x80", INT_LONG), BAD(U32, "\x80\x80\x80\x80\x80\x00", INT_LONG),
    BAD(U32, "\x80\x80\x80\x80\x90\x00", INT_LARGE),

    OK(U64, "\x00", 0), OK(U64, "\x7f", 127), OK(U64, "\x80\x01", 128),
    OK(U64, "\xff\xff\xff\xff\x0f", 0xffffffff), OK(U64, "\x80\x80\x80\x80\x10", 1ull << 32),
    OK(U64, "\x80\x80\x80\x80\x80\x01", 1ull << 35), OK(U64, "\x80\x80\x80\x80\x80\x80\x01", 1ull << 42),
    OK(U64, "\x80\x80\x80\x80\x80\x80\x80\x01", 1ull << 49),
    OK(U64, "\x80\x80\x80\x80\x80\x80\x80\x80\x01", 1ull << 56),
    OK(U64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 1ull << 63),
    OK(U64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", UINT64_MAX),
    OK(U64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 0),
    BAD(U64, "", END), BAD(U64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", END),
    BAD(U64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", INT_LARGE),
    BAD(U64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7e", INT_LARGE),
    BAD(U64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", INT_LONG),
    BAD(U64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x81\x00", INT_LONG),

    OK(S32, "\x00", 0), OK(S32, "\x3f", 63), OK(S32, "\x40", -64), OK(S32, "\x7f", -1),
    OK(S32, "\xc0\x00", 64), OK(S32, "\xbf\x7f", -65), OK(S32, "\xff\x7f", -1), OK(S32, "\x80\x7f", -128),
    OK(S32, "\x80\x80\x40", -(1 << 20)), OK(S32, "\x80\x80\x80\x40", -(1 << 27)),
    OK(S32, "\x80\x80\x80\xc0\x00", 1 << 27), OK(S32, "\xff\xff\xff\xff\x07", INT32_MAX),
    OK(S32, "\x80\x80\x80\x80\x78", INT32_MIN), OK(S32, "\xff\xff\xff\xff\x7f", -1),
    OK(S32, "\x80\x80\x80\x80\x00", 0),
    BAD(S32, "", END), BAD(S32, "\x80", END), BAD(S32, "\xff\xff\xff\xff", END),
    BAD(S32, "\x80\x80\x80\x80\x08", INT_LARGE), BAD(S32, "\xff\xff\xff\xff\x0f", INT_LARGE),
    BAD(S32, "\x80\x80\x80\x80\x70", INT_LARGE), BAD(S32, "\xff\xff\xff\xff\x4f", INT_LARGE),
    BAD(S32, "\x80\x80\x80\x80\x80\x00", INT_LONG), BAD(S32, "\xff\xff\xff\xff\xff\x7f", INT_LONG),

    OK(S33, "\x00", 0), OK(S33, "\x40", -64), OK(S33, "\x70", -16), OK(S33, "\xff\xff\xff\xff\x0f", 0xffffffff),
    OK(S33, "\x80\x80\x80\x80\x70", -(1ll << 32)), OK(S33, "\xff\xff\xff\xff\x7f", -1),
    OK(S33, "\x80\x80\x80\x80\x08", 1ll << 31),
    BAD(S33, "", END), BAD(S33, "\x80\x80", END),
    BAD(S33, "\x80\x80\x80\x80\x10", INT_LARGE), BAD(S33, "\x80\x80\x80\x80\x60", INT_LARGE),
    BAD(S33, "\x80\x80\x80\x80\x80\x00", INT_LONG), BAD(S33, "\xff\xff\xff\xff\xff\x7f", INT_LONG),

    OK(S64, "\x00", 0), OK(S64, "\x7f", -1), OK(S64, "\x80\x80\x80\x80\x78", INT32_MIN),
    OK(S64, "\x80\x80\x80\x80\x08", 1ll << 31), OK(S64, "\x80\x80\x80\x80\x80\x40", -(1ll << 41)),
    OK(S64, "\x80\x80\x80\x80\x80\x80\x40", -(1ll << 48)),
    OK(S64, "\x80\x80\x80\x80\x80\x80\x80\x40", -(1ll << 55)),
    OK(S64, "\x80\x80\x80\x80\x80\x80\x80\x80\x40", -(1ll << 62)),
    OK(S64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", INT64_MIN),
    OK(S64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", INT64_MAX),
    OK(S64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", -1),
    BAD(S64, "", END), BAD(S64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80", END),
    BAD(S64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", INT_LARGE),
    BAD(S64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7e", INT_LARGE),
    BAD(S64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", INT_LONG),
    BAD(S64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", INT_LONG),
};
// clang-format on

static vm_error_id read_leb(enum leb_kind kind, const u8 **p, const u8 *end, u64 *out)
{
    u32 u = 0;
    i32 s = 0;
    i64 l = 0;
    vm_error_id id;
    switch (kind) {
    case U32:
        id = vm_leb_u32(p, end, &u);
        *out = u;
        return id;
    case U64: return vm_leb_u64(p, end, out);
    case S32:
        id = vm_leb_s32(p, end, &s);
        *out = (u64)(i64)s;
        return id;
    case S33: id = vm_leb_s33(p, end, &l); break;
    default: id = vm_leb_s64(p, end, &l); break;
    }
    *out = (u64)l;
    return id;
}

static void test_leb_edges(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(leb_cases); i++) {
        const struct leb_case *c = &leb_cases[i];
        u8 *copy = malloc(c->len + 1); /* exactly sized below: sanitizers see reads past the end */
        memcpy(copy, c->bytes, c->len);
        copy = realloc(copy, c->len ? c->len : 1);
        const u8 *p = copy;
        u64 value = 0;
        vm_error_id id = read_leb(c->kind, &p, copy + c->len, &value);
        if (id != c->id || (usize)(p - copy) != c->used || (id == VM_ERR_NONE && value != c->value))
            fail_msg("case %zu: id %d, used %zu, value %llx", i, (int)id, (usize)(p - copy),
                     (unsigned long long)value);
        free(copy);
    }
}

static usize write_signed(i64 value, u8 *out)
{
    usize n = 0;
    for (;;) {
        u8 byte = (u8)(value & 0x7f);
        value >>= 7;
        if (value == (byte & 0x40 ? -1 : 0)) {
            out[n++] = byte;
            return n;
        }
        out[n++] = byte | 0x80;
    }
}

static usize write_unsigned(u64 value, u8 *out)
{
    usize n = 0;
    for (; value >= 0x80; value >>= 7) {
        out[n++] = (u8)(value | 0x80);
    }
    out[n++] = (u8)value;
    return n;
}

/* Each value and both neighbours of each power of two, shortest form, each prefix too short. */
static void test_leb_powers_of_two_round_trip(void **state)
{
    (void)state;
    for (u32 k = 0; k < 64 * 3; k++) {
        u64 v = ((u64)1 << k / 3) + k % 3 - 1;
        for (int kind = U32; kind <= S64; kind++) {
            u8 bytes[10];
            i64 sv = kind == S32 ? (i32)v : kind == S33 ? (i64)(v << 31) >> 31 : (i64)v;
            u64 uv = kind == U32 ? (u32)v : v;
            bool is_signed = kind >= S32;
            usize n = is_signed ? write_signed(sv, bytes) : write_unsigned(uv, bytes);
            const u8 *p = bytes;
            u64 got = 0;
            assert_int_equal(read_leb((enum leb_kind)kind, &p, bytes + n, &got), VM_ERR_NONE);
            assert_ptr_equal(p, bytes + n);
            assert_int_equal(got, is_signed ? (u64)sv : uv);
            for (usize cut = 0; cut < n; cut++) {
                p = bytes;
                assert_int_equal(read_leb((enum leb_kind)kind, &p, bytes + cut, &got), VM_ERR_END);
                assert_ptr_equal(p, bytes);
            }
        }
    }
}

/* -------- UTF-8 */

static void test_utf8_table(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
    } cases[] = {
        {"", true},
        {"ascii", true},
        {"exactly8", true},
        {"longer than eight bytes", true},
        {"\x7f", true},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"12345678\xc3\xa9", true},
        {"1234567\xc3\xa9 and on", true},
        {"\x80", false}, /* continuation alone */
        {"\xbf", false},
        {"\xc0\x80", false}, /* overlong NUL */
        {"\xc1\xbf", false}, /* overlong 7f */
        {"\xc2", false}, /* cut */
        {"\xc2\x7f", false},
        {"\xc2\xc0", false},
        {"\xe0\x80\x80", false}, /* overlong */
        {"\xe0\x9f\xbf", false},
        {"\xe1\x80", false},
        {"\xe1\x80\x7f", false},
        {"\xe1\x80\xc0", false},
        {"\xed\xa0\x80", false}, /* surrogates */
        {"\xed\xbf\xbf", false},
        {"\xf0\x80\x80\x80", false}, /* overlong */
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf1\x80\x80", false},
        {"\xf1\x80\x80\x7f", false},
        {"\xf4\x90\x80\x80", false}, /* past U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xf8\x88\x80\x80\x80", false}, /* five bytes */
        {"\xfe", false},
        {"\xff", false},
        {"12345678\x80", false},
        {"1234567\xff", false},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        usize n = strlen(cases[i].bytes);
        u8 *copy = malloc(n ? n : 1);
        memcpy(copy, cases[i].bytes, n);
        if (vm_utf8_valid(copy, n) != cases[i].valid) fail_msg("case %zu", i);
        free(copy);
    }
    assert_true(vm_utf8_valid(NULL, 0));
    assert_true(vm_utf8_valid((const u8 *)"a\0b", 3));
}

/* Every scalar value in its only form; every surrogate refused. */
static void test_utf8_every_code_point(void **state)
{
    (void)state;
    for (u32 c = 0x80; c <= 0x10ffff; c++) {
        u8 b[4];
        usize n;
        if (c < 0x800) {
            n = 2;
            b[0] = (u8)(0xc0 | c >> 6);
        } else if (c < 0x10000) {
            n = 3;
            b[0] = (u8)(0xe0 | c >> 12);
        } else {
            n = 4;
            b[0] = (u8)(0xf0 | c >> 18);
        }
        for (usize i = 1; i < n; i++) {
            b[i] = (u8)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
        }
        bool surrogate = c >= 0xd800 && c < 0xe000;
        if (vm_utf8_valid(b, n) == surrogate) fail_msg("U+%x", c);
        if (vm_utf8_valid(b, n - 1)) fail_msg("U+%x cut", c);
    }
}

/* -------- allocation */

/* Counts what is held; fails when `left` allocations have been made. */
struct counting {
    struct vm_alloc alloc;
    usize held, calls, left;
    bool bad_free;
};

static void *counting_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    struct counting *c = ctx;
    c->calls++;
    if (new_bytes == 0) {
        if (old_bytes > c->held) c->bad_free = true;
        c->held -= old_bytes;
        free(ptr);
        return NULL;
    }
    if (c->left == 0) return NULL;
    c->left--;
    void *p = realloc(ptr, new_bytes);
    c->held += new_bytes - old_bytes;
    if (!ptr) memset(p, 0xa5, new_bytes);
    return p;
}

static void counting_init(struct counting *c, usize left)
{
    *c = (struct counting){.alloc = {counting_realloc, c}, .left = left};
}

static void test_alloc_refuses_nothing_and_too_much(void **state)
{
    (void)state;
    struct counting c;
    counting_init(&c, 100);
    assert_null(vm_alloc_zero(&c.alloc, 0));
    assert_null(vm_alloc_zero(&c.alloc, SIZE_MAX));
    assert_null(vm_alloc_array(&c.alloc, SIZE_MAX / 2, 3));
    assert_null(vm_alloc_array(&c.alloc, 0, 3));
    assert_null(vm_alloc_resize(&c.alloc, NULL, 0, SIZE_MAX));
    vm_alloc_free(&c.alloc, NULL, 10);
    assert_int_equal(c.calls, 0);

    u8 *p = vm_alloc_array(&c.alloc, 4, 8);
    assert_non_null(p);
    for (usize i = 0; i < 32; i++) {
        assert_int_equal(p[i], 0);
    }
    p[31] = 7;
    p = vm_alloc_resize(&c.alloc, p, 32, 64);
    assert_int_equal(p[31], 7);
    assert_null(vm_alloc_resize(&c.alloc, p, 64, 0)); /* kept */
    assert_int_equal(c.held, 64);
    vm_alloc_free(&c.alloc, p, 64);
    assert_int_equal(c.held, 0);

    void *q = vm_alloc_zero(&vm_alloc_libc, 100);
    q = vm_alloc_resize(&vm_alloc_libc, q, 100, 200);
    assert_non_null(q);
    vm_alloc_free(&vm_alloc_libc, q, 200);
}

static void test_arena_gives_zeroed_aligned_disjoint_memory(void **state)
{
    (void)state;
    struct counting c;
    counting_init(&c, SIZE_MAX);
    struct vm_arena arena;
    vm_arena_init(&arena, &c.alloc);
    for (int round = 0; round < 3; round++) {
        u8 *last = NULL;
        for (usize n = 0; n < 3000; n = n * 5 / 4 + 1) {
            for (int k = 0; k < 20; k++) {
                u8 *p = vm_arena_alloc(&arena, n);
                assert_non_null(p);
                assert_int_equal((uintptr_t)p % 16, 0);
                assert_ptr_not_equal(p, last);
                for (usize i = 0; i < n; i++) {
                    if (p[i]) fail_msg("not zeroed");
                }
                memset(p, 0xff, n);
                last = p;
            }
        }
        assert_true(arena.total_bytes >= 20 * 3000);
        assert_int_equal(arena.total_bytes, c.held);
        vm_arena_reset(&arena);
        assert_int_equal(arena.total_bytes, c.held);
        assert_true(c.held > 0);
    }
    vm_arena_free(&arena);
    assert_int_equal(c.held, 0);
    assert_non_null(vm_arena_alloc(&arena, 1)); /* usable again */
    vm_arena_free(&arena);
    assert_int_equal(c.held, 0);
    assert_false(c.bad_free);
}

static void test_arena_large_piece_keeps_small_block(void **state)
{
    (void)state;
    struct vm_arena arena;
    vm_arena_init(&arena, &vm_alloc_libc);
    u8 *a = vm_arena_alloc(&arena, 16);
    u8 *big = vm_arena_alloc(&arena, 1 << 20);
    u8 *b = vm_arena_alloc(&arena, 16);
    assert_ptr_equal(b, a + 16);
    memset(big, 1, 1 << 20);
    usize before = arena.total_bytes;
    vm_arena_reset(&arena); /* the largest stays */
    assert_true(arena.total_bytes >= 1 << 20 && arena.total_bytes < before);
    u8 *again = vm_arena_array(&arena, 1 << 10, 1 << 10);
    assert_ptr_equal(again, big);
    assert_int_equal(again[(1 << 20) - 1], 0);
    vm_arena_free(&arena);
}

static void test_arena_out_of_memory_is_null(void **state)
{
    (void)state;
    struct counting c;
    counting_init(&c, 1);
    struct vm_arena arena;
    vm_arena_init(&arena, &c.alloc);
    assert_null(vm_arena_array(&arena, SIZE_MAX / 4, 8));
    assert_null(vm_arena_alloc(&arena, SIZE_MAX));
    assert_null(vm_arena_alloc(&arena, SIZE_MAX - 8));
    assert_non_null(vm_arena_alloc(&arena, 100));
    assert_null(vm_arena_alloc(&arena, 1 << 16));
    assert_non_null(vm_arena_alloc(&arena, 100)); /* the block still serves */
    vm_arena_free(&arena);
    assert_int_equal(c.held, 0);
}

static void test_vec_grows_and_refuses(void **state)
{
    (void)state;
    struct counting c;
    counting_init(&c, SIZE_MAX);
    struct VM_VEC(u64) v = {0};
    for (u32 i = 0; i < 10000; i++) {
        assert_true(VM_VEC_RESERVE(&c.alloc, &v, 1));
        VM_VEC_PUSH(&v, i * 3ull);
    }
    assert_int_equal(v.len, 10000);
    for (u32 i = 0; i < 10000; i++) {
        assert_int_equal(v.data[i], i * 3ull);
    }
    assert_true(c.calls < 40); /* amortised */
    u64 *data = v.data;
    u32 cap = v.cap;
    assert_false(VM_VEC_RESERVE(&c.alloc, &v, UINT32_MAX));
    c.left = 0;
    assert_false(VM_VEC_RESERVE(&c.alloc, &v, 1000000));
    assert_ptr_equal(v.data, data);
    assert_int_equal(v.cap, cap);
    VM_VEC_FREE(&c.alloc, &v);
    assert_null(v.data);
    assert_int_equal(c.held, 0);
    assert_null(vm_vec_grow(&c.alloc, NULL, &v.cap, 0, 1u << 31, SIZE_MAX / 2));
}

/* -------- errors */

static void test_err_first_wins_with_text(void **state)
{
    (void)state;
    struct vm_err err;
    vm_err_init(&err);
    assert_int_equal(err.status, VM_OK);
    assert_int_equal(err.offset, VM_NO_OFFSET);
    assert_int_equal(err.func_idx, VM_NO_FUNC);
    assert_string_equal(err.text, "");
    assert_int_equal(
        vm_err_set(&err, VM_ERR_TYPE_MISMATCH, 17, "expected %s, got %s", "i32", "f64"),
        VM_INVALID);
    assert_string_equal(err.text, "type mismatch: expected i32, got f64");
    assert_int_equal(err.offset, 17);
    assert_int_equal(vm_err_set(&err, VM_ERR_OOM, 3, NULL), VM_INVALID);
    assert_int_equal(err.id, VM_ERR_TYPE_MISMATCH);

    vm_err_init(&err);
    assert_int_equal(vm_err_set(&err, VM_ERR_MAGIC, 0, NULL), VM_MALFORMED);
    assert_string_equal(err.text, "magic header not detected");
    assert_int_equal(vm_err_set(NULL, VM_ERR_LIMIT, 0, "x"), VM_LIMIT);
}

static void test_err_long_detail_is_cut(void **state)
{
    (void)state;
    struct vm_err err;
    char detail[2 * VM_ERR_TEXT];
    memset(detail, 'x', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    vm_err_init(&err);
    assert_int_equal(vm_err_set(&err, VM_ERR_UNKNOWN_IMPORT, 0, "%s", detail), VM_LINK);
    assert_int_equal(strlen(err.text), VM_ERR_TEXT - 1);
    assert_memory_equal(err.text, "unknown import: xxx", 19);
}

static void test_error_and_trap_tables(void **state)
{
    (void)state;
    for (int id = VM_ERR_NONE + 1; id < VM_ERR_COUNT; id++) {
        assert_true(strlen(vm_error_text((vm_error_id)id)) > 3);
        assert_int_not_equal(vm_error_status((vm_error_id)id), VM_OK);
    }
    for (int trap = VM_TRAP_NONE + 1; trap < VM_TRAP_COUNT; trap++) {
        assert_true(strlen(vm_trap_text((vm_trap)trap)) > 3);
    }
    assert_string_equal(vm_trap_text(VM_TRAP_DIV_ZERO), "integer divide by zero");
    assert_string_equal(vm_trap_text((vm_trap)9999), "unknown trap");
    assert_int_equal(vm_error_status((vm_error_id)9999), VM_INTERNAL);
    assert_int_equal(vm_error_status(VM_ERR_INT_LONG), VM_MALFORMED);
}

/* -------- hash */

static void test_hash_depends_on_key_order_and_length(void **state)
{
    (void)state;
    static const struct {
        struct vm_hash_key key;
        u32 count;
        u64 words[3];
    } cases[] = {
        {{{1, 2}}, 0, {0}},          {{{1, 2}}, 1, {0}},       {{{1, 2}}, 2, {0}},
        {{{1, 2}}, 2, {1, 0}},       {{{1, 2}}, 2, {0, 1}},    {{{2, 1}}, 2, {0, 1}},
        {{{1, 2}}, 3, {7, 8, 9}},    {{{1, 2}}, 3, {9, 8, 7}}, {{{1, 3}}, 3, {9, 8, 7}},
        {{{1, 2}}, 1, {1ull << 63}},
    };
    u64 seen[VM_COUNT(cases)];
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        for (int again = 0; again < 2; again++) {
            struct vm_hash h;
            vm_hash_init(&h, &cases[i].key);
            for (u32 k = 0; k < cases[i].count; k++) {
                vm_hash_add(&h, cases[i].words[k]);
            }
            u64 hash = vm_hash_end(&h);
            if (again) assert_int_equal(hash, seen[i]);
            seen[i] = hash;
        }
        for (usize j = 0; j < i; j++) {
            assert_int_not_equal(seen[i], seen[j]);
        }
    }
}

static void test_unaligned_access(void **state)
{
    (void)state;
    u8 bytes[16] = {0};
    vm_store_u64(bytes + 1, 0x1122334455667788u);
    assert_int_equal(vm_load_u64(bytes + 1), 0x1122334455667788u);
    vm_store_u32(bytes + 3, 0xdeadbeefu);
    assert_int_equal(vm_load_u32(bytes + 3), 0xdeadbeefu);
    vm_store_u16(bytes + 5, 0xcafeu);
    assert_int_equal(vm_load_u16(bytes + 5), 0xcafeu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leb_edges),
        cmocka_unit_test(test_leb_powers_of_two_round_trip),
        cmocka_unit_test(test_utf8_table),
        cmocka_unit_test(test_utf8_every_code_point),
        cmocka_unit_test(test_alloc_refuses_nothing_and_too_much),
        cmocka_unit_test(test_arena_gives_zeroed_aligned_disjoint_memory),
        cmocka_unit_test(test_arena_large_piece_keeps_small_block),
        cmocka_unit_test(test_arena_out_of_memory_is_null),
        cmocka_unit_test(test_vec_grows_and_refuses),
        cmocka_unit_test(test_err_first_wins_with_text),
        cmocka_unit_test(test_err_long_detail_is_cut),
        cmocka_unit_test(test_error_and_trap_tables),
        cmocka_unit_test(test_hash_depends_on_key_order_and_length),
        cmocka_unit_test(test_unaligned_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
