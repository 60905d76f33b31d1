/* SPDX-License-Identifier: Apache-2.0 */
/* Modules and bodies of hostile sizes, and lack of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "types/limits.h"
#include "validate_fixture.h"

#define ALL vm_features_all()

/* ---------------------------------------------------------------- counted memory */

struct counter {
    usize live, peak;
    u32 calls, fail_at; /* 0: never */
};

static void *counting_realloc(void *ctx, void *ptr, usize old_bytes, usize new_bytes)
{
    struct counter *n = ctx;
    if (new_bytes == 0) {
        free(ptr);
        n->live -= old_bytes;
        return NULL;
    }
    if (++n->calls == n->fail_at) return NULL;
    void *p = realloc(ptr, new_bytes);
    assert_non_null(p);
    n->live += new_bytes - old_bytes;
    if (n->live > n->peak) n->peak = n->live;
    return p;
}

/* ---------------------------------------------------------------- hostile sizes */

static void repeat(struct bytes *b, const u8 *data, usize size, u32 times)
{
    for (u32 i = 0; i < times; i++) put(b, data, size);
}

static vm_status judge_body(const struct bytes *body, struct vm_err *err)
{
    struct subject s = {.body = body->data, .body_size = body->size};
    return judge_subject(&s, ALL, err);
}

static void test_a_million_nested_blocks_are_valid(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS);
    repeat(&body, LIT(BLOCK(EMPTY)), 1000000);
    repeat(&body, LIT(END), 1000000);
    PUT(&body, END);
    assert_int_equal(judge_body(&body, &err), VM_OK);
    /* One END short: the error comes at the end of the body. */
    body.size--;
    assert_int_equal(judge_body(&body, &err), VM_MALFORMED);
    free(body.data);
}

static void test_a_wide_br_table_is_valid(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS BLOCK(EMPTY) BLOCK(EMPTY) I32 "\x0e");
    put_u32(&body, 100000);
    repeat(&body, LIT("\0\1"), 50000);
    PUT(&body, "\0" END END END);
    assert_int_equal(judge_body(&body, &err), VM_OK);
    free(body.data);
}

static void test_too_wide_a_br_table_exceeds_a_limit(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS I32 "\x0e");
    put_u32(&body, VM_MAX_BR_TABLE + 1);
    repeat(&body, LIT("\0"), VM_MAX_BR_TABLE + 2);
    PUT(&body, END);
    assert_int_equal(judge_body(&body, &err), VM_LIMIT);
    free(body.data);
}

static void test_too_many_operands_exceed_a_limit(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, NO_LOCALS);
    repeat(&body, LIT(I32), 1100000);
    PUT(&body, UNREACHABLE END);
    assert_int_equal(judge_body(&body, &err), VM_LIMIT);
    free(body.data);
}

/* The evaluator's stack is as large as this limit says. */
static void test_constant_expression_of_many_operands_exceeds_a_limit(void **state)
{
    (void)state;
    for (u32 n = VM_MAX_CONSTEXPR_STACK; n <= VM_MAX_CONSTEXPR_STACK + 1; n++) {
        struct bytes global = {0}, module = {0};
        struct vm_err err;
        PUT(&global, "\1\x7f\0"); /* one immutable i32 */
        repeat(&global, LIT("\x41\1"), n);
        repeat(&global, LIT("\x6a"), n - 1);
        PUT(&global, END);
        PUT(&module, MODULE_HEADER);
        put_section(&module, 6, global.data, global.size);
        assert_int_equal(judge(&module, ALL, &err), n > VM_MAX_CONSTEXPR_STACK ? VM_LIMIT : VM_OK);
        free(global.data);
        free(module.data);
    }
}

/* Locals set in a block are unset at its end: the work is in the sets, not in the locals. */
static void test_many_blocks_that_set_one_of_many_locals_are_valid(void **state)
{
    (void)state;
    struct bytes body = {0};
    struct vm_err err;
    PUT(&body, "\1\xd0\x86\3\x64\0"); /* 50,000 of (ref 0) */
    repeat(&body, LIT(BLOCK(EMPTY) "\xd2\1\x21\xcf\x86\3\x20\xcf\x86\3" DROP END), 100000);
    PUT(&body, END);
    assert_int_equal(judge_body(&body, &err), VM_OK);
    body.size--;
    PUT(&body, "\x20\xcf\x86\3" DROP END);
    assert_int_equal(judge_body(&body, &err), VM_INVALID);
    assert_int_equal(err.id, VM_ERR_UNINIT_LOCAL);
    free(body.data);
}

/* 49,000 locals a body, each needing a value: what is not touched is not written out. */
static void test_many_tiny_bodies_of_many_locals_are_valid(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct bytes funcs = {0}, code = {0}, b = {0};
    struct vm_err err;
    put_u32(&funcs, COUNT);
    put_u32(&code, COUNT);
    repeat(&funcs, LIT("\0"), COUNT);
    repeat(&code, LIT("\7\1\xe8\xfe\2\x64\0" END), COUNT);
    PUT(&b, MODULE_HEADER);
    PUT_SECTION(&b, 1, "\1\x60\0\0");
    put_section(&b, 3, funcs.data, funcs.size);
    put_section(&b, 10, code.data, code.size);
    struct counter counter = {0};
    struct vm_alloc alloc = {counting_realloc, &counter};
    struct vm_module m;
    vm_err_init(&err);
    assert_int_equal(vm_module_decode(&m, &alloc, b.data, b.size, &err), VM_OK);
    usize before = counter.live;
    counter.peak = 0;
    assert_int_equal(vm_validate_module(&m, ALL, &alloc, &err), VM_OK);
    assert_true(counter.peak < before + 200000);
    vm_module_free(&m);
    assert_true(counter.live == 0);
    free(funcs.data);
    free(code.data);
    free(b.data);
}

static void test_a_million_types_are_valid(void **state)
{
    (void)state;
    struct bytes types = {0}, b = {0};
    struct vm_err err;
    put_u32(&types, VM_MAX_TYPES);
    for (u32 i = 0; i < VM_MAX_TYPES; i++) {
        if (i % 64 == 0) {
            PUT(&types, "\x50\0\x5f\0"); /* a new chain of supertypes */
        } else {
            PUT(&types, "\x50\1");
            put_u32(&types, i - 1);
            PUT(&types, "\x5f\0");
        }
    }
    PUT(&b, MODULE_HEADER);
    put_section(&b, 1, types.data, types.size);
    assert_int_equal(judge(&b, ALL, &err), VM_OK);
    free(types.data);
    free(b.data);
}

static void test_many_exports_are_valid_and_a_duplicate_is_found(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct bytes exports = {0}, b = {0};
    struct vm_err err;
    put_u32(&exports, COUNT);
    for (u32 i = 0; i < COUNT; i++) {
        u8 name[4] = {(u8)('a' + i % 26), (u8)('a' + i / 26 % 26), (u8)('a' + i / 676 % 26),
                      (u8)('a' + i / 17576)};
        put_u8(&exports, 4);
        put(&exports, name, 4);
        PUT(&exports, "\2\0");
    }
    PUT(&b, MODULE_HEADER);
    PUT_SECTION(&b, 5, "\1\0\0");
    put_section(&b, 7, exports.data, exports.size);
    assert_int_equal(judge(&b, ALL, &err), VM_OK);
    memcpy(b.data + b.size - 6, "aaaa", 4);
    assert_int_equal(judge(&b, ALL, &err), VM_INVALID);
    assert_int_equal(err.id, VM_ERR_DUPLICATE_EXPORT);
    assert_string_equal(err.text, "duplicate export name: \"aaaa\"");
    free(exports.data);
    free(b.data);
}

/* ---------------------------------------------------------------- lack of memory */

static void test_every_failing_allocation_is_oom_and_leaks_nothing(void **state)
{
    (void)state;
    struct bytes body = {0}, b = {0};
    PUT(&body, "\2\x64\x7f\1\x64\0"); /* locals in runs, one of them without default value */
    PUT(&body, "\xd2\1\x21\xe4\0"
               "\xfb\1\3" DROP);
    repeat(&body, LIT(BLOCK(EMPTY)), 20000);
    repeat(&body, LIT(I32), 20000);
    PUT(&body, UNREACHABLE);
    repeat(&body, LIT(END), 20001);
    struct subject s = {.body = body.data, .body_size = body.size};
    build_around(&b, &s);
    u32 failures = 0;
    for (u32 n = 1;; n++) {
        struct counter counter = {0};
        struct vm_alloc alloc = {counting_realloc, &counter};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        assert_int_equal(vm_module_decode(&m, &alloc, b.data, b.size, &err), VM_OK);
        counter.fail_at = counter.calls + n;
        vm_status got = vm_validate_module(&m, ALL, &alloc, &err);
        vm_module_free(&m);
        assert_true(counter.live == 0);
        if (got == VM_OK) break;
        assert_int_equal(got, VM_OOM);
        assert_int_equal(err.id, VM_ERR_OOM);
        failures++;
    }
    assert_true(failures > 10);
    free(body.data);
    free(b.data);
}

static void test_an_error_without_sink_for_it_is_still_a_status(void **state)
{
    (void)state;
    struct subject s = {.body = (const u8 *)(NO_LOCALS DROP END), .body_size = 3};
    struct bytes b = {0};
    build_around(&b, &s);
    struct vm_module m;
    assert_int_equal(vm_module_decode(&m, &vm_alloc_libc, b.data, b.size, NULL), VM_OK);
    assert_int_equal(vm_validate_module(&m, ALL, &vm_alloc_libc, NULL), VM_INVALID);
    struct vm_arena scratch;
    vm_arena_init(&scratch, &vm_alloc_libc);
    assert_int_equal(vm_walk_body(&m, TEST_FUNC, ALL, NULL, NULL, &scratch, NULL), VM_INVALID);
    vm_arena_free(&scratch);
    vm_module_free(&m);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_million_nested_blocks_are_valid),
        cmocka_unit_test(test_a_wide_br_table_is_valid),
        cmocka_unit_test(test_too_wide_a_br_table_exceeds_a_limit),
        cmocka_unit_test(test_too_many_operands_exceed_a_limit),
        cmocka_unit_test(test_constant_expression_of_many_operands_exceeds_a_limit),
        cmocka_unit_test(test_many_blocks_that_set_one_of_many_locals_are_valid),
        cmocka_unit_test(test_many_tiny_bodies_of_many_locals_are_valid),
        cmocka_unit_test(test_a_million_types_are_valid),
        cmocka_unit_test(test_many_exports_are_valid_and_a_duplicate_is_found),
        cmocka_unit_test(test_every_failing_allocation_is_oom_and_leaks_nothing),
        cmocka_unit_test(test_an_error_without_sink_for_it_is_still_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
