/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a constant expression ends: behind every kind of immediates, also of instructions that only
 * validation refuses there. 0x0b, the opcode of END, stands in each of them.
 */
#include "binary/module.h"
#include "isa/opcode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module_builder.h"

struct expr_case {
    const char *what, *bytes;
    usize size;
};
#define EXPR(what, literal) {what, literal, sizeof(literal) - 1}

// clang-format off
static const struct expr_case exprs[] = {
    EXPR("no immediates", "\x6a"),
    EXPR("block without types", "\x02\x40\x0b"),
    EXPR("block of a value type", "\x02\x7f\x0b"),
    EXPR("block of a type index", "\x02\x0b\x0b"),
    EXPR("if and else", "\x04\x40\x05\x0b"),
    EXPR("blocks in blocks", "\x03\x40\x02\x40\x0b\x0b"),
    EXPR("try_table", "\x1f\x40\4\0\x0b\x0b\1\x0b\x0b\2\x0b\3\x0b\x0b"),
    EXPR("legacy try", "\x06\x40\x07\x0b\x0b"),
    EXPR("legacy try with delegate", "\x06\x40\x18\x0b"),
    EXPR("br_table", "\x0e\2\x0b\x0b\x0b"),
    EXPR("label", "\x0c\x0b"),
    EXPR("function", "\x10\x0b"),
    EXPR("type", "\x14\x0b"),
    EXPR("local", "\x20\x8b\x0b"),
    EXPR("global", "\x23\x0b"),
    EXPR("table", "\x25\x0b"),
    EXPR("element segment", "\xfc\x0d\x0b"),
    EXPR("data segment", "\xfc\x09\x0b"),
    EXPR("memory", "\x3f\x0b"),
    EXPR("tag", "\x08\x0b"),
    EXPR("call_indirect", "\x11\x0b\x0b"),
    EXPR("table.copy", "\xfc\x0e\x0b\x0b"),
    EXPR("table.init", "\xfc\x0c\x0b\x0b"),
    EXPR("memory.copy", "\xfc\x0a\x0b\x0b"),
    EXPR("memory.init", "\xfc\x08\x0b\x0b"),
    EXPR("struct.get", "\xfb\x02\x0b\x0b"),
    EXPR("array.new_fixed", "\xfb\x08\x0b\x0b"),
    EXPR("array.new_data", "\xfb\x09\x0b\x0b"),
    EXPR("array.new_elem", "\xfb\x0a\x0b\x0b"),
    EXPR("array.copy", "\xfb\x11\x0b\x0b"),
    EXPR("memory access", "\x28\x0b\x8b\x0b"),
    EXPR("memory access with an index", "\x28\x4b\x0b\x0b"),
    EXPR("memory access with a lane", "\xfd\x54\x0b\x0b\x0b"),
    EXPR("lane", "\xfd\x15\x0b"),
    EXPR("i32", "\x41\x8b\x0b"),
    EXPR("i64", "\x42\x8b\x8b\x8b\x8b\x8b\x0b"),
    EXPR("f32", "\x43\x0b\x0b\x0b\x0b"),
    EXPR("f64", "\x44\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
    EXPR("v128", "\xfd\x0c\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
    EXPR("shuffle", "\xfd\x0d\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
    EXPR("select of types", "\x1c\3\x7f\x63\x0b\x7e"),
    EXPR("heap type", "\xd0\x0b"),
    EXPR("br_on_cast", "\xfb\x18\3\x0b\x0b\x0b"),
    EXPR("atomic.fence", "\xfe\x03\0"),
};
// clang-format on

/* Twelve types, so that 0x0b is one; then a global that begins with `size` bytes of an expression.
 */
static void build(struct builder *b, const char *expr, usize size, const char *rest)
{
    *b = (struct builder){0};
    put(b, HEADER, 8);
    char types[1 + 12 * 3] = {12};
    for (u32 i = 0; i < 12; i++) memcpy(types + 1 + 3 * i, "\x60\0\0", 3);
    section(b, 1, types, sizeof types);
    char global[64] = "\1\x7f\0";
    memcpy(global + 3, expr, size);
    memcpy(global + 3 + size, rest, strlen(rest));
    section(b, 6, global, 3 + size + strlen(rest));
}

static vm_status decode(const struct builder *b, struct vm_module *m, struct vm_err *err)
{
    vm_err_init(err);
    return vm_module_decode(m, &vm_alloc_libc, b->bytes, b->size, err);
}

static void test_expressions_end_behind_every_immediate(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(exprs); i++) {
        const struct expr_case *e = &exprs[i];
        struct builder b;
        struct vm_module m;
        struct vm_err err;
        build(&b, e->bytes, e->size, "\x0b");
        if (decode(&b, &m, &err) != VM_OK) fail_msg("%s: %s", e->what, err.text);
        struct vm_range init = m.globals[0].init;
        if (init.size != e->size + 1) fail_msg("%s: %u bytes", e->what, init.size);
        assert_memory_equal(m.bytes + init.start, e->bytes, e->size);
        assert_int_equal(m.bytes[init.start + e->size], 0x0b);
        vm_module_free(&m);
    }
}

/* Cut anywhere, also in front of the END. */
static void test_expressions_cut_in_an_immediate_are_malformed(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(exprs); i++) {
        for (usize size = 0; size <= exprs[i].size; size++) {
            struct builder b;
            struct vm_module m;
            struct vm_err err;
            build(&b, exprs[i].bytes, size, "");
            if (decode(&b, &m, &err) != VM_MALFORMED)
                fail_msg("%s: %zu bytes are taken", exprs[i].what, size);
            assert_true(err.offset <= b.size);
        }
    }
}

static void test_bad_immediates_are_named(void **state)
{
    (void)state;
    // clang-format off
    static const struct {
        struct expr_case expr;
        vm_error_id id;
        u32 at; /* offset in the expression */
    } bad[] = {
        {EXPR("zero byte", "\xfe\x03\1"), VM_ERR_ZERO_BYTE, 2},
        {EXPR("memory flags with a lane", "\xfd\x54\x80\1\0\0"), VM_ERR_MEMOP_FLAGS, 2},
        {EXPR("type of select", "\x1c\1\x40"), VM_ERR_VALTYPE, 2},
        {EXPR("heap type of a cast", "\xfb\x18\0\0\x40\x70"), VM_ERR_HEAPTYPE, 4},
        {EXPR("unknown type", "\xd0\x0c"), VM_ERR_UNKNOWN_TYPE, 1},
        {EXPR("block type", "\x02\x41"), VM_ERR_VALTYPE, 1},
        {EXPR("i32 of six bytes", "\x41\x80\x80\x80\x80\x80\0"), VM_ERR_INT_LONG, 1},
        {EXPR("more labels than bytes", "\x0e\x7f\0\0"), VM_ERR_LENGTH, 1},
        {EXPR("more catches than bytes", "\x1f\x40\x7f"), VM_ERR_LENGTH, 2},
        {EXPR("else behind a block's end", "\x02\x40\x0b\x05"), VM_ERR_END_EXPECTED, 3},
    };
    // clang-format on
    for (usize i = 0; i < VM_COUNT(bad); i++) {
        struct builder b;
        struct vm_module m;
        struct vm_err err;
        build(&b, bad[i].expr.bytes, bad[i].expr.size, "\x0b");
        vm_status status = decode(&b, &m, &err);
        usize start = b.size - bad[i].expr.size - 1;
        if (err.id != bad[i].id || err.offset != start + bad[i].at)
            fail_msg("%s: '%s' at %u", bad[i].expr.what, err.text, (u32)(err.offset - start));
        assert_int_equal(status, vm_error_status(bad[i].id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions_end_behind_every_immediate),
        cmocka_unit_test(test_expressions_cut_in_an_immediate_are_malformed),
        cmocka_unit_test(test_bad_immediates_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
