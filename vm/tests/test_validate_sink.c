/* SPDX-License-Identifier: Apache-2.0 */
/* What the walker tells its sinks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/leb128.h"
#include "validate/constexpr.h"
#include "validate_fixture.h"

#define ALL vm_features_all()

/* ---------------------------------------------------------------- what a sink is told */

enum { MAX_SEEN = 64 };

struct recorder {
    u32 locals, count, stop_at, callee_params;
    u32 labels[3]; /* of the last br_table */
    vm_valtype types[8];
    struct vm_insn seen[MAX_SEEN];
    vm_valtype result_type[MAX_SEEN]; /* first result of blocks */
};

static vm_status on_begin(void *ctx, const vm_valtype *types, u32 count)
{
    struct recorder *r = ctx;
    r->locals = count;
    for (u32 i = 0; i < count && i < VM_COUNT(r->types); i++) r->types[i] = types[i];
    return VM_OK;
}

static vm_status on_insn(void *ctx, const struct vm_insn *insn)
{
    struct recorder *r = ctx;
    if (r->stop_at != 0 && r->count == r->stop_at) return VM_CANCELLED;
    assert_true(r->count < MAX_SEEN);
    r->seen[r->count] = *insn;
    bool is_block = insn->op == VM_OP_BLOCK || insn->op == VM_OP_IF || insn->op == VM_OP_ELSE ||
                    insn->op == VM_OP_END;
    if (is_block && insn->block.result_count > 0) {
        r->result_type[r->count] = insn->block.results[0];
    }
    if (insn->op == VM_OP_CALL_INDIRECT) r->callee_params = insn->func->param_count;
    const u8 *p = insn->imm.table.raw;
    for (u32 i = 0; insn->op == VM_OP_BR_TABLE && i < VM_COUNT(r->labels); i++)
        assert_int_equal(vm_leb_u32(&p, p + 5, &r->labels[i]), VM_ERR_NONE);
    r->count++;
    return VM_OK;
}

static const struct vm_sink recording = {on_begin, on_insn};

/* A decoded module around the subject; its bytes are the caller's to free, after the module. */
static u8 *decode_around(struct vm_module *m, const struct subject *s)
{
    struct bytes b = {0};
    struct vm_err err;
    build_around(&b, s);
    vm_err_init(&err);
    assert_int_equal(vm_module_decode(m, &vm_alloc_libc, b.data, b.size, &err), VM_OK);
    return b.data;
}

/* Walks the body under test with a recorder; expects `want`. */
static void record(struct recorder *r, const u8 *body, usize size, u32 type, vm_status want)
{
    struct subject s = {.type = type, .body = body, .body_size = size};
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    u8 *bytes = decode_around(&m, &s);
    assert_int_equal(vm_validate_module(&m, ALL, &vm_alloc_libc, &err), VM_OK);
    struct vm_arena scratch;
    vm_arena_init(&scratch, &vm_alloc_libc);
    assert_int_equal(vm_walk_body(&m, TEST_FUNC, ALL, &recording, r, &scratch, &err), want);
    vm_arena_free(&scratch);
    vm_module_free(&m);
    free(bytes);
}

static void test_sink_sees_locals_and_the_last_end(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT("\2\1\x7e\2\x7d"
               "\x20\0" END),
           1, VM_OK);
    assert_int_equal(r.locals, 4);
    assert_int_equal(r.types[0], VM_I32);
    assert_int_equal(r.types[1], VM_I64);
    assert_int_equal(r.types[3], VM_F32);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.seen[0].op, VM_OP_LOCAL_GET);
    assert_int_equal(r.seen[0].type, VM_I32);
    assert_int_equal(r.seen[1].op, VM_OP_END);
    assert_int_equal(r.seen[1].block.result_count, 1);
    assert_int_equal(r.seen[1].offset, r.seen[0].offset + 2);
}

static void test_sink_sees_constants_as_bits(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT(NO_LOCALS "\x41\x7f" DROP "\x42\x7f" DROP "\x43\0\0\xc0\xff" DROP
                         "\x44\1\0\0\0\0\0\xf8\xff" DROP END),
           0, VM_OK);
    assert_true(r.seen[0].imm.bits == 0xffffffffu);
    assert_true(r.seen[2].imm.bits == UINT64_MAX);
    assert_true(r.seen[4].imm.bits == 0xffc00000u);
    assert_true(r.seen[6].imm.bits == 0xfff8000000000001u);
    assert_int_equal(r.seen[5].type, VM_F32);
    assert_int_equal(r.seen[7].type, VM_F64);
}

static void test_sink_is_told_what_cannot_be_reached(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r, LIT(NO_LOCALS BLOCK(EMPTY) "\x0c\0" BLOCK(EMPTY) "\x01" END DROP END "\x01" END), 0,
           VM_OK);
    static const struct {
        vm_op op;
        bool reachable;
    } want[] = {{VM_OP_BLOCK, true}, {VM_OP_BR, true},   {VM_OP_BLOCK, false},
                {VM_OP_NOP, false},  {VM_OP_END, false}, {VM_OP_DROP, false},
                {VM_OP_END, false},  {VM_OP_NOP, true},  {VM_OP_END, true}};
    assert_int_equal(r.count, VM_COUNT(want));
    for (u32 i = 0; i < r.count; i++) {
        assert_int_equal(r.seen[i].op, want[i].op);
        assert_int_equal(r.seen[i].reachable, want[i].reachable);
    }
    assert_int_equal(r.seen[5].type, VM_BOT);
}

static void test_sink_sees_indices_in_binary_order(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT(NO_LOCALS I64 I32 I32 "\xfc\x0a\1\0" I32 I32 "\x11\1\0" DROP I64 I32 I32
                                     "\xfc\x0c\0\2" I64 V128 "\xfd\x58\x40\1\x07\x09" END),
           0, VM_OK);
    assert_int_equal(r.seen[3].op, VM_OP_MEMORY_COPY);
    assert_int_equal(r.seen[3].a, 1);
    assert_int_equal(r.seen[3].b, 0);
    assert_int_equal(r.seen[6].op, VM_OP_CALL_INDIRECT);
    assert_int_equal(r.seen[6].a, 1);
    assert_int_equal(r.seen[6].b, 0);
    assert_int_equal(r.callee_params, 1);
    assert_int_equal(r.seen[11].op, VM_OP_TABLE_INIT);
    assert_int_equal(r.seen[11].a, 0);
    assert_int_equal(r.seen[11].b, 2);
    assert_int_equal(r.seen[14].op, VM_OP_V128_STORE8_LANE);
    assert_int_equal(r.seen[14].imm.mem.memory, 1);
    assert_true(r.seen[14].imm.mem.offset == 7);
    assert_int_equal(r.seen[14].a, 9);
}

static void test_sink_sees_blocks(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r, LIT(NO_LOCALS I32 BLOCK("\1") IF("\x7e") I64 ELSE I64 END DROP I32 END DROP END), 0,
           VM_OK);
    static const struct {
        u32 at, params, results;
        vm_op op;
    } want[] = {{1, 1, 1, VM_OP_BLOCK}, {2, 0, 1, VM_OP_IF},  {4, 0, 1, VM_OP_ELSE},
                {6, 0, 1, VM_OP_END},   {9, 1, 1, VM_OP_END}, {11, 0, 0, VM_OP_END}};
    for (usize i = 0; i < VM_COUNT(want); i++) {
        assert_int_equal(r.seen[want[i].at].op, want[i].op);
        assert_int_equal(r.seen[want[i].at].block.param_count, want[i].params);
        assert_int_equal(r.seen[want[i].at].block.result_count, want[i].results);
    }
    assert_int_equal(r.result_type[2], VM_I64);
    assert_int_equal(r.result_type[6], VM_I64);
    assert_int_equal(r.result_type[9], VM_I32);
}

static void test_sink_sees_operand_types(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r,
           LIT(NO_LOCALS F64 F64 I32 "\x1b" DROP            /* 3: select, 4: drop */
               I32 "\x25\1" DROP                        /* 6: table.get */
                   REF_NULL("\3") "\xfb\2\3\2" DROP         /* 8: ref.null, 9: struct.get */
                       REF_NULL(ANY) "\xfb\x17\3" DROP          /* 12: ref.cast null */
                           UNREACHABLE F32 F32 I32 "\x1b" DROP END),
           0, VM_OK);
    assert_int_equal(r.seen[3].type, VM_F64);
    assert_int_equal(r.seen[4].type, VM_F64);
    assert_int_equal(r.seen[6].type, VM_EXTERNREF);
    assert_int_equal(r.seen[8].type, VM_REFTYPE(true, 3));
    assert_int_equal(r.seen[9].type, VM_REFTYPE(true, 0));
    assert_int_equal(r.seen[12].type, VM_REFTYPE(true, 3));
    assert_int_equal(r.seen[18].op, VM_OP_SELECT);
    assert_int_equal(r.seen[18].type, VM_F32);
    assert_false(r.seen[18].reachable);
}

static void test_sink_can_stop_the_walk(void **state)
{
    (void)state;
    struct recorder r = {.stop_at = 1};
    record(&r, LIT(NO_LOCALS I32 DROP END), 0, VM_CANCELLED);
    assert_int_equal(r.count, 1);
}

static void test_sink_reads_the_labels_of_br_table(void **state)
{
    (void)state;
    struct recorder r = {0};
    record(&r, LIT(NO_LOCALS BLOCK(EMPTY) I32 "\x0e\2\0\x81\0\0" END END), 0, VM_OK);
    assert_int_equal(r.seen[2].op, VM_OP_BR_TABLE);
    assert_int_equal(r.seen[2].imm.table.count, 2);
    assert_int_equal(r.labels[0], 0);
    assert_int_equal(r.labels[1], 1);
    assert_int_equal(r.labels[2], 0);
    assert_int_equal(r.seen[3].offset, r.seen[2].offset + 6);
}

static void test_constant_expressions_are_told_to_a_sink(void **state)
{
    (void)state;
    struct subject s = {.global = (const u8 *)("\x7f\0" I32 "\x41\5\x6a" END), .global_size = 8};
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    u8 *bytes = decode_around(&m, &s);
    struct vm_constexpr expr = {m.globals[3].init, VM_I32, 3};
    struct vm_arena scratch;
    vm_arena_init(&scratch, &vm_alloc_libc);
    struct recorder r = {0};
    assert_int_equal(vm_walk_constexpr(&m, &expr, ALL, &recording, &r, &scratch, &err), VM_OK);
    assert_int_equal(r.count, 4);
    assert_true(r.seen[1].imm.bits == 5);
    assert_int_equal(r.seen[2].op, VM_OP_I32_ADD);
    assert_int_equal(r.seen[3].op, VM_OP_END);
    vm_arena_free(&scratch);
    vm_module_free(&m);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sink_sees_locals_and_the_last_end),
        cmocka_unit_test(test_sink_sees_constants_as_bits),
        cmocka_unit_test(test_sink_is_told_what_cannot_be_reached),
        cmocka_unit_test(test_sink_sees_indices_in_binary_order),
        cmocka_unit_test(test_sink_sees_blocks),
        cmocka_unit_test(test_sink_sees_operand_types),
        cmocka_unit_test(test_sink_can_stop_the_walk),
        cmocka_unit_test(test_sink_reads_the_labels_of_br_table),
        cmocka_unit_test(test_constant_expressions_are_told_to_a_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
