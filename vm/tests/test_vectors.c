/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v128 values through translation: two slots each, an accumulator of their own, locals, labels,
 * calls, globals, far frames, accesses at the ends of memories. What single instructions compute is
 * test_sem_vec.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/world.h"

enum { PAGE = 65536 };

#if defined(__aarch64__)
enum { STORES_ARE_WHOLE = 0 };
#else
enum { STORES_ARE_WHOLE = 1 };
#endif

/* the two lanes of the topmost v128 as a hash: low + 3 * high; uses local `v` */
#define HASH(v)                                                                                    \
    LOCAL_TEE(v), I64X2_EXTRACT_LANE(0), LOCAL_GET(v), I64X2_EXTRACT_LANE(1), I64(3), I64_MUL,     \
        I64_ADD
/* a v128 of two i64 locals */
#define PAIR(lo, hi) LOCAL_GET(lo), I64X2_SPLAT, LOCAL_GET(hi), I64X2_REPLACE_LANE(1)

static u64 hash(u64 lo, u64 hi) { return lo + 3 * hi; }

static void locals(struct world *w)
{
    struct wasm m = {0};
    /* a result that a local takes, a copy of it, and both changed */
    wasm_func(&m, "II:I", "copies", "VVV",
              CODE(PAIR(0, 1), LOCAL_SET(2), LOCAL_GET(2), LOCAL_SET(3), LOCAL_GET(2), LOCAL_GET(3),
                   I64X2_ADD, LOCAL_TEE(2), LOCAL_GET(3), I64X2_SUB, HASH(4), LOCAL_GET(2), HASH(4),
                   I64_ADD));
    /* a read that was put off must have the old value */
    wasm_func(&m, "II:I", "old", "VV",
              CODE(PAIR(0, 1), LOCAL_SET(2), LOCAL_GET(2), LOCAL_GET(2), LOCAL_GET(2), I64X2_ADD,
                   LOCAL_SET(2), LOCAL_GET(2), I64X2_SUB, HASH(3)));
    /* locals without a value are zero, both halves */
    wasm_func(&m, "II:I", "zero", "IVIVIV", CODE(LOCAL_GET(3), HASH(7)));
    /* 64-bit results beside and over the slots of vectors that are gone */
    wasm_func(&m, "II:I", "mixed", "V",
              CODE(PAIR(0, 1), DROP, LOCAL_GET(0), LOCAL_GET(1), I64_ADD, LOCAL_GET(0),
                   LOCAL_GET(1), I64_MUL, PAIR(0, 1), V128_NOT, HASH(2), I64_ADD, I64_ADD));
    wr_instance_t *in = world_instance(w, &m);
    const u64 a = 0x123456789abcdef0, b = 0xfedcba9876543211;
    world_gives(w, in, "copies", ARGS(a, b), ARGS(hash(a, b) + hash(2 * a, 2 * b)));
    world_gives(w, in, "old", ARGS(a, b), ARGS(hash(-a, -b)));
    world_gives(w, in, "zero", ARGS(a, b), ARGS(0));
    world_gives(w, in, "mixed", ARGS(a, b), ARGS(a + b + a * b + hash(~a, ~b)));
}
static void test_locals_of_two_slots_keep_both(void **state)
{
    (void)state;
    world_each(locals);
}

static void sums(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, NULL);
    /* 0: bytes, 1: address; sum in 2 */
    wasm_func(&m, "i:I", "sum", "iVV",
              CODE(BLOCK(VOID), LOOP(VOID), LOCAL_GET(1), LOCAL_GET(0), I32_GE_U, BR_IF(1),
                   LOCAL_GET(2), LOCAL_GET(1), V128_LOAD(64), I64X2_ADD, LOCAL_SET(2), LOCAL_GET(1),
                   LOCAL_GET(2), V128_STORE(4096), LOCAL_GET(1), I32(16), I32_ADD, LOCAL_SET(1),
                   BR(0), END, END, LOCAL_GET(2), HASH(3)));
    wasm_func(&m, "i:", "fill", "",
              CODE(LOOP(VOID), LOCAL_GET(0), LOCAL_GET(0), I64_EXTEND_I32_U, I64_STORE(64),
                   LOCAL_GET(0), I32(8), I32_SUB, LOCAL_TEE(0), I32(0), I32_GE_U - 1, BR_IF(0),
                   END));
    wasm_func(&m, "i:I", "peek", "", CODE(LOCAL_GET(0), I64_LOAD(0)));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "fill", ARGS(1024 - 8), NO_ARGS);
    u64 lo = 0, hi = 0;
    for (u64 at = 0; at < 1024; at += 16) {
        lo += at;
        hi += at + 8;
    }
    world_gives(w, in, "sum", ARGS(1024), ARGS(hash(lo, hi)));
    world_gives(w, in, "peek", ARGS(4096 + 1024 - 16), ARGS(lo));
    world_gives(w, in, "peek", ARGS(4096 + 1024 - 8), ARGS(hi));
}
static void test_a_loop_sums_vectors_and_stores_each_sum(void **state)
{
    (void)state;
    world_each(sums);
}

static void labels(struct world *w)
{
    struct wasm m = {0};
    /* results of an if, of a block left in three ways, and of select */
    wasm_func(&m, "iII:I", "arms", "V",
              CODE(LOCAL_GET(0), IF(T_V128), PAIR(1, 2), ELSE, PAIR(2, 1), END, HASH(3)));
    wasm_func(&m, "iII:I", "leave", "V",
              CODE(BLOCK(T_V128), PAIR(1, 2), LOCAL_GET(0), BR_IF(0), DROP, BLOCK(T_V128),
                   PAIR(2, 1), LOCAL_GET(0), I32_EQZ, BR_IF(1), END, V128_NOT, END, HASH(3)));
    wasm_func(&m, "iII:I", "table", "V",
              CODE(BLOCK(T_V128), BLOCK(T_V128), PAIR(1, 2), LOCAL_GET(0), BR_TABLE, 1, 0, 1, END,
                   V128_NOT, END, HASH(3)));
    wasm_func(&m, "iII:I", "select", "V",
              CODE(PAIR(1, 2), PAIR(2, 1), LOCAL_GET(0), 0x1c, 1, T_V128, HASH(3)));
    /* the value is in the accumulator on one way only */
    wasm_func(&m, "iII:I", "meet", "VV",
              CODE(PAIR(1, 2), LOCAL_SET(3), LOCAL_GET(0), IF(VOID), LOCAL_GET(3), V128_NOT,
                   LOCAL_SET(3), END, LOCAL_GET(3), LOCAL_GET(3), I64X2_ADD, HASH(4)));
    wr_instance_t *in = world_instance(w, &m);
    const u64 a = 5, b = 0xffff00000000;
    world_gives(w, in, "arms", ARGS(1, a, b), ARGS(hash(a, b)));
    world_gives(w, in, "arms", ARGS(0, a, b), ARGS(hash(b, a)));
    world_gives(w, in, "leave", ARGS(1, a, b), ARGS(hash(a, b)));
    world_gives(w, in, "leave", ARGS(0, a, b), ARGS(hash(b, a)));
    world_gives(w, in, "table", ARGS(0, a, b), ARGS(hash(~a, ~b)));
    world_gives(w, in, "table", ARGS(1, a, b), ARGS(hash(a, b)));
    world_gives(w, in, "table", ARGS(77, a, b), ARGS(hash(a, b)));
    world_gives(w, in, "select", ARGS(1, a, b), ARGS(hash(a, b)));
    world_gives(w, in, "select", ARGS(0, a, b), ARGS(hash(b, a)));
    world_gives(w, in, "meet", ARGS(0, a, b), ARGS(hash(2 * a, 2 * b)));
    world_gives(w, in, "meet", ARGS(1, a, b), ARGS(hash(2 * ~a, 2 * ~b)));
}
static void test_labels_take_vectors(void **state)
{
    (void)state;
    world_each(labels);
}

static void calls(struct world *w)
{
    struct wasm m = {0};
    u32 type = wasm_type(&m, "iVIV:VIVV"); /* moved in one piece: more than four */
    u32 swap = wasm_func(&m, "iVIV:VIVV", NULL, "",
                         CODE(LOCAL_GET(3), LOCAL_GET(2), LOCAL_GET(0), I32X4_SPLAT, LOCAL_GET(1)));
    u32 tail = wasm_func(
        &m, "iVIV:VIVV", NULL, "",
        CODE(LOCAL_GET(0), LOCAL_GET(3), LOCAL_GET(2), LOCAL_GET(1), RETURN_CALL((u8)swap)));
    u32 one = wasm_func(&m, "V:V", NULL, "", CODE(LOCAL_GET(0), LOCAL_GET(0), I64X2_ADD));
    wasm_func(&m, "II:I", "one", "V", CODE(PAIR(0, 1), CALL((u8)one), CALL((u8)one), HASH(2)));
    wasm_func(&m, "II:I", "all", "VVVI",
              CODE(I32(7), PAIR(0, 1), I64(11), PAIR(1, 0), CALL((u8)swap), LOCAL_SET(2),
                   LOCAL_SET(3), LOCAL_SET(5), HASH(4), LOCAL_GET(2), HASH(4), I64_SUB,
                   LOCAL_GET(3), HASH(4), LOCAL_GET(5), I64_MUL, I64_ADD));
    wasm_func(&m, "II:I", "tail", "VVVI",
              CODE(I32(7), PAIR(0, 1), I64(11), PAIR(1, 0), CALL((u8)tail), LOCAL_SET(2),
                   LOCAL_SET(3), LOCAL_SET(5), HASH(4), LOCAL_GET(2), HASH(4), I64_SUB,
                   LOCAL_GET(3), HASH(4), LOCAL_GET(5), I64_MUL, I64_ADD));
    (void)type;
    wr_instance_t *in = world_instance(w, &m);
    const u64 a = 0x1122334455667788, b = 99, sevens = 0x700000007;
    const u64 there = hash(b, a) - hash(a, b) + 11 * hash(sevens, sevens);
    const u64 back = hash(a, b) - hash(b, a) + 11 * hash(sevens, sevens);
    world_gives(w, in, "one", ARGS(a, b), ARGS(hash(4 * a, 4 * b)));
    world_gives(w, in, "all", ARGS(a, b), ARGS(there));
    world_gives(w, in, "tail", ARGS(a, b), ARGS(back));
}
static void test_calls_take_and_give_vectors(void **state)
{
    (void)state;
    world_each(calls);
}

static void globals(struct world *w)
{
    struct wasm m = {0};
    wasm_global(&m, 'V', true, CODE(V128_CONST8(1)), NULL);
    wasm_func(&m, "II:I", "swap", "V",
              CODE(0x23, 0, PAIR(0, 1), 0x24, 0, LOCAL_SET(2), LOCAL_GET(2), HASH(2)));
    wr_instance_t *in = world_instance(w, &m);
    const u64 ones = 0x0101010101010101;
    world_gives(w, in, "swap", ARGS(3, 4), ARGS(hash(ones, ones)));
    world_gives(w, in, "swap", ARGS(5, 6), ARGS(hash(3, 4)));
    world_gives(w, in, "swap", ARGS(0, 0), ARGS(hash(5, 6)));
}
static void test_globals_hold_vectors(void **state)
{
    (void)state;
    world_each(globals);
}

/** Locals past what 16 bits reach: 16,380 vectors, 32,760 slots, then a few more. */
static void far(struct world *w)
{
    struct wasm m = {0};
    enum { FIRST = 2, COUNT = 16500, LAST = FIRST + COUNT - 1 };
    wasm_func_locals(&m, "II:I", "far", COUNT, 'V',
                     CODE(PAIR(0, 1), LOCAL_SET_FAR(LAST), LOCAL_GET_FAR(LAST),
                          LOCAL_TEE_FAR(LAST - 1), LOCAL_GET_FAR(LAST), I64X2_ADD,
                          LOCAL_SET_FAR(LAST - 2), LOCAL_GET_FAR(LAST - 2), LOCAL_GET_FAR(LAST - 1),
                          LOCAL_GET(0), I32_WRAP_I64, 0x1c, 1, T_V128, HASH(2)));
    wr_instance_t *in = world_instance(w, &m);
    world_gives(w, in, "far", ARGS(9, 70), ARGS(hash(18, 140)));
    world_gives(w, in, "far", ARGS((u64)1 << 32, 70), ARGS(hash((u64)1 << 32, 70)));
}
static void test_far_slots_hold_vectors(void **state)
{
    (void)state;
    world_each(far);
}

/* Load or store with a lane, a constant vector beside it: opcode, bytes. */
static const struct {
    const char *name;
    u8 op, bytes;
    bool store;
} lanes[] = {{"load8", 0x54, 1, false},  {"load16", 0x55, 2, false}, {"load32", 0x56, 4, false},
             {"load64", 0x57, 8, false}, {"store8", 0x58, 1, true},  {"store16", 0x59, 2, true},
             {"store32", 0x5a, 4, true}, {"store64", 0x5b, 8, true}};
/* Loads that widen, splat or fill up with zeroes. */
static const struct {
    const char *name;
    u8 op, bytes;
} loads[] = {{"8x8_s", 1, 8},     {"16x4_u", 4, 8},  {"32x2_s", 5, 8},   {"splat8", 7, 1},
             {"splat16", 8, 2},   {"splat32", 9, 4}, {"splat64", 10, 8}, {"zero32", 0x5c, 4},
             {"zero64", 0x5d, 8}, {"all", 0, 16}};

static void edge(struct world *w, wr_instance_t *in, const char *name, u32 bytes, u32 result)
{
    struct world_values none;
    assert_int_equal(world_call(w, in, name, ARGS(PAGE - bytes), &none), WR_OK);
    assert_int_equal(none.count, result);
    world_traps(w, in, name, ARGS(PAGE - bytes + 1), "out of bounds memory access");
    world_traps(w, in, name, ARGS(0xffffffff), "out of bounds memory access");
}

static void edges(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, NULL);
    for (u32 i = 0; i < VM_COUNT(lanes); i++) {
        const u8 last = (u8)(16 / lanes[i].bytes - 1);
        if (lanes[i].store)
            wasm_func(&m, "i:", lanes[i].name, "",
                      CODE(LOCAL_GET(0), V128_CONST8(7), 0xfd, lanes[i].op, 0, 0, last));
        else
            wasm_func(&m, "i:I", lanes[i].name, "",
                      CODE(LOCAL_GET(0), V128_CONST8(7), 0xfd, lanes[i].op, 0, 0, last,
                           I64X2_EXTRACT_LANE(1)));
    }
    for (u32 i = 0; i < VM_COUNT(loads); i++)
        wasm_func(&m, "i:I", loads[i].name, "",
                  CODE(LOCAL_GET(0), 0xfd, loads[i].op, 0, 0, I64X2_EXTRACT_LANE(1)));
    wasm_func(&m, "i:", "store", "", CODE(LOCAL_GET(0), V128_CONST8(9), V128_STORE(0)));
    /* an offset that reaches past 4 GiB */
    wasm_func(&m, "i:", "past", "", CODE(LOCAL_GET(0), V128_CONST8(9), V128_STORE(0xffffffff)));
    wasm_func(&m, "i:I", "peek", "", CODE(LOCAL_GET(0), I64_LOAD(0)));
    wr_instance_t *in = world_instance(w, &m);
    for (u32 i = 0; i < VM_COUNT(lanes); i++)
        edge(w, in, lanes[i].name, lanes[i].bytes, lanes[i].store ? 0 : 1);
    world_gives(w, in, "peek", ARGS(PAGE - 8), ARGS(0x0707070707070707));
    for (u32 i = 0; i < VM_COUNT(loads); i++) edge(w, in, loads[i].name, loads[i].bytes, 1);
    world_traps(w, in, "store", ARGS(PAGE - 15), "out of bounds memory access");
    /* aarch64 may do it in two accesses, and with guard pages the first is done (architecture.md)
     */
    if (STORES_ARE_WHOLE) world_gives(w, in, "peek", ARGS(PAGE - 8), ARGS(0x0707070707070707));
    world_gives(w, in, "store", ARGS(PAGE - 16), NO_ARGS);
    world_gives(w, in, "peek", ARGS(PAGE - 8), ARGS(0x0909090909090909));
    world_traps(w, in, "past", ARGS(PAGE - 16), "out of bounds memory access");
}
static void test_accesses_end_where_the_memory_does(void **state)
{
    (void)state;
    world_each(edges);
}

static void lane_values(struct world *w)
{
    struct wasm m = {0};
    wasm_memory(&m, 1, 1, NULL);
    wasm_data(&m, 0, 0, "\x81\x02\x03\x84\x05\x06\x07\x88", 8);
    wasm_func(&m, "i:I", "load16", "V",
              CODE(LOCAL_GET(0), V128_CONST8(7), 0xfd, 0x55, 0, 1, 6, HASH(1)));
    wasm_func(&m, "i:I", "widen", "V", CODE(LOCAL_GET(0), 0xfd, 1, 0, 0, HASH(1)));
    wasm_func(
        &m, "i:i", "store8", "",
        CODE(I32(32), LOCAL_GET(0), I32X4_SPLAT, 0xfd, 0x58, 0, 0, 13, I32(32), I32_LOAD8_U(0)));
    wr_instance_t *in = world_instance(w, &m);
    const u64 sevens = 0x0707070707070707;
    world_gives(w, in, "load16", ARGS(1), ARGS(hash(sevens, 0x0707840307070707)));
    world_gives(w, in, "widen", ARGS(0), ARGS(hash(0xff8400030002ff81, 0xff88000700060005)));
    world_gives(w, in, "store8", ARGS(0xaabbccdd), ARGS(0xcc));
}
static void test_lanes_come_from_and_go_to_memory(void **state)
{
    (void)state;
    world_each(lane_values);
}

/* lanes 15 to 0 of the first, of the second, and some of each */
#define DOWN(from)                                                                                 \
    (from) + 15, (from) + 14, (from) + 13, (from) + 12, (from) + 11, (from) + 10, (from) + 9,      \
        (from) + 8, (from) + 7, (from) + 6, (from) + 5, (from) + 4, (from) + 3, (from) + 2,        \
        (from) + 1, (from)
#define ALTERNATE 16, 1, 18, 3, 20, 5, 22, 7, 24, 9, 26, 11, 28, 13, 30, 15
#define SHUFFLE 0xfd, 13

static void shuffles(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "II:I", "first", "V", CODE(PAIR(0, 1), PAIR(1, 0), SHUFFLE, DOWN(0), HASH(2)));
    wasm_func(&m, "II:I", "second", "V", CODE(PAIR(0, 1), PAIR(1, 0), SHUFFLE, DOWN(16), HASH(2)));
    wasm_func(&m, "II:I", "both", "V", CODE(PAIR(0, 1), PAIR(1, 0), SHUFFLE, ALTERNATE, HASH(2)));
    /* one local twice, just computed: also with lanes of either */
    wasm_func(&m, "II:I", "same", "VV",
              CODE(PAIR(0, 1), V128_NOT, LOCAL_TEE(2), LOCAL_GET(2), SHUFFLE, ALTERNATE,
                   LOCAL_TEE(2), LOCAL_GET(2), I64X2_ADD, HASH(3)));
    wr_instance_t *in = world_instance(w, &m);
    const u64 a = 0x0011223344556677, b = 0x8899aabbccddeeff;
    const u64 down_a = 0x7766554433221100, down_b = 0xffeeddccbbaa9988;
    world_gives(w, in, "first", ARGS(a, b), ARGS(hash(down_b, down_a)));
    world_gives(w, in, "second", ARGS(a, b), ARGS(hash(down_a, down_b)));
    world_gives(w, in, "both", ARGS(a, b), ARGS(hash(0x009922bb44dd66ff, 0x8811aa33cc55ee77)));
    world_gives(w, in, "same", ARGS(a, b), ARGS(hash(2 * ~a, 2 * ~b)));
}
static void test_shuffles_of_one_vector_are_permutations(void **state)
{
    (void)state;
    world_each(shuffles);
}

#define I32X4_ROT(v, left, right)                                                                  \
    LOCAL_GET(v), I32(left), I32X4_SHL, LOCAL_GET(v), I32(right), I32X4_SHR_U, 0xfd, 80
#define I64X2_SHL 0xfd, 0xcb, 1
#define I64X2_SHR_U 0xfd, 0xcd, 1

static u64 rotated32(u64 v, u32 n)
{
    u32 lo = (u32)v, hi = (u32)(v >> 32);
    return (lo << n | lo >> (32 - n)) | (u64)(hi << n | hi >> (32 - n)) << 32;
}

static void rotations(struct world *w)
{
    struct wasm m = {0};
    wasm_func(&m, "II:I", "left", "VV",
              CODE(PAIR(0, 1), LOCAL_SET(2), I32X4_ROT(2, 12, 20), HASH(3)));
    /* behind what computes the local, in one chain; the local is read afterwards */
    wasm_func(&m, "II:I", "behind", "VV",
              CODE(PAIR(0, 1), LOCAL_SET(2), LOCAL_GET(2), LOCAL_GET(2), I64X2_ADD, LOCAL_SET(2),
                   I32X4_ROT(2, 7, 25), LOCAL_GET(2), I64X2_ADD, HASH(3)));
    /* the right shift first, of 64 bits; result into the very local */
    wasm_func(&m, "II:I", "right", "VV",
              CODE(PAIR(0, 1), LOCAL_TEE(2), I32(24), I64X2_SHR_U, LOCAL_GET(2), I32(40), I64X2_SHL,
                   0xfd, 80, LOCAL_SET(2), LOCAL_GET(2), HASH(3)));
    /* none: counts that do not add up, two locals, something else than an or, more in between */
    wasm_func(&m, "II:I", "gap", "VV",
              CODE(PAIR(0, 1), LOCAL_SET(2), I32X4_ROT(2, 12, 21), HASH(3)));
    wasm_func(&m, "II:I", "two", "VVV",
              CODE(PAIR(0, 1), LOCAL_SET(2), PAIR(1, 0), LOCAL_SET(3), LOCAL_GET(2), I32(32 + 12),
                   I32X4_SHL, LOCAL_GET(3), I32(20), I32X4_SHR_U, 0xfd, 80, HASH(4)));
    wasm_func(&m, "II:I", "and", "VV",
              CODE(PAIR(0, 1), LOCAL_SET(2), LOCAL_GET(2), I32(12), I32X4_SHL, LOCAL_GET(2),
                   I32(20), I32X4_SHR_U, V128_AND, HASH(3)));
    wasm_func(&m, "II:I", "not", "VV",
              CODE(PAIR(0, 1), LOCAL_SET(2), LOCAL_GET(2), I32(12), I32X4_SHL, LOCAL_GET(2),
                   I32(20), I32X4_SHR_U, V128_NOT, 0xfd, 80, HASH(3)));
    /* the or is of something older and the second shift */
    wasm_func(&m, "II:I", "older", "VV",
              CODE(PAIR(0, 1), LOCAL_TEE(2), LOCAL_GET(2), I32(12), I32X4_SHL, DROP, LOCAL_GET(2),
                   I32(20), I32X4_SHR_U, 0xfd, 80, HASH(3)));
    wr_instance_t *in = world_instance(w, &m);
    const u64 a = 0x8001234589abcdef, b = 0xfedcba9870000001;
    const u64 mask20 = 0x00000fff00000fff, mask12 = 0xfffff000fffff000;
    const u64 sa = rotated32(a, 12), sb = rotated32(b, 12);
    world_gives(w, in, "left", ARGS(a, b), ARGS(hash(sa, sb)));
    world_gives(w, in, "behind", ARGS(a, b),
                ARGS(hash(rotated32(2 * a, 7) + 2 * a, rotated32(2 * b, 7) + 2 * b)));
    world_gives(w, in, "right", ARGS(a, b), ARGS(hash(a >> 24 | a << 40, b >> 24 | b << 40)));
    const u64 ga = (sa & mask12) | ((sa & mask20) >> 1 & 0x7ff000007ff);
    const u64 gb = (sb & mask12) | ((sb & mask20) >> 1 & 0x7ff000007ff);
    world_gives(w, in, "gap", ARGS(a, b), ARGS(hash(ga, gb)));
    world_gives(w, in, "two", ARGS(a, b),
                ARGS(hash((sa & mask12) | (sb & mask20), (sb & mask12) | (sa & mask20))));
    world_gives(w, in, "and", ARGS(a, b), ARGS(0));
    world_gives(w, in, "not", ARGS(a, b),
                ARGS(hash((sa & mask12) | ~(sa & mask20), (sb & mask12) | ~(sb & mask20))));
    world_gives(w, in, "older", ARGS(a, b), ARGS(hash(a | (sa & mask20), b | (sb & mask20))));
}
static void test_two_shifts_and_an_or_are_a_rotation(void **state)
{
    (void)state;
    world_each(rotations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locals_of_two_slots_keep_both),
        cmocka_unit_test(test_a_loop_sums_vectors_and_stores_each_sum),
        cmocka_unit_test(test_labels_take_vectors),
        cmocka_unit_test(test_calls_take_and_give_vectors),
        cmocka_unit_test(test_globals_hold_vectors),
        cmocka_unit_test(test_far_slots_hold_vectors),
        cmocka_unit_test(test_accesses_end_where_the_memory_does),
        cmocka_unit_test(test_lanes_come_from_and_go_to_memory),
        cmocka_unit_test(test_shuffles_of_one_vector_are_permutations),
        cmocka_unit_test(test_two_shifts_and_an_or_are_a_rotation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
