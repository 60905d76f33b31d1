/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which chains there are: closed families, in the order of what they save (docs/performance.md).
 * A chain's parents are made before it; cutting a rule only makes code slower.
 */
#include "isa/gen/fusion.h"

#define ALU32 "i32_add i32_sub i32_mul i32_and i32_or i32_xor i32_shl i32_shr_s i32_shr_u i32_rotl"
#define ALU64 "i64_add i64_sub i64_mul i64_and i64_or i64_xor i64_shl i64_shr_s i64_shr_u i64_rotl"
#define ALUF64 "f64_add f64_sub f64_mul f64_div"
#define ALUF32 "f32_add f32_sub f32_mul f32_div"
#define TRAP32 "i32_div_s i32_div_u i32_rem_s i32_rem_u"
#define TRAP64 "i64_div_s i64_div_u i64_rem_s i64_rem_u"
#define CMP32                                                                                      \
    "i32_eq i32_ne i32_lt_s i32_lt_u i32_gt_s i32_gt_u i32_le_s i32_le_u i32_ge_s i32_ge_u"
#define CMP64                                                                                      \
    "i64_eq i64_ne i64_lt_s i64_lt_u i64_gt_s i64_gt_u i64_le_s i64_le_u i64_ge_s i64_ge_u"
#define CMPF64 "f64_eq f64_ne f64_lt f64_gt f64_le f64_ge"
#define CMPF32 "f32_eq f32_ne f32_lt f32_gt f32_le f32_ge"
#define LOAD32 "i32_load i32_load8_s i32_load8_u i32_load16_s i32_load16_u"
#define LOAD64 "i64_load i64_load32_s i64_load32_u i64_load8_u"
#define LOADS LOAD32 " " LOAD64 " i64_load8_s i64_load16_s i64_load16_u f32_load f64_load"
#define STORE32 "i32_store i32_store8 i32_store16"
#define STORES STORE32 " i64_store f32_store f64_store i64_store8 i64_store16 i64_store32"
#define UNARY                                                                                      \
    "i32_clz i32_ctz i32_popcnt i32_eqz i32_extend8_s i32_extend16_s i64_clz i64_ctz i64_popcnt "  \
    "i64_eqz i64_extend8_s i64_extend16_s i64_extend32_s f64_abs f64_neg f64_sqrt i32_wrap_i64 "   \
    "i64_extend_i32_s i64_extend_i32_u f64_convert_i32_s f64_convert_i32_u f64_convert_i64_s "     \
    "f64_convert_i64_u f32_demote_f64 i32_trunc_f64_s"
#define TEST "br_if br_unless"

/** The accumulator as a source of single instructions. */
static void accumulator(void)
{
    start(UNARY, "a");
    start(ALU32 " " ALU64 " i32_rotr i64_rotr", "as ac sa");
    start(TRAP32 " " TRAP64, "as ac sa");
    start(ALUF64 " f64_min f64_max f64_copysign", "as sa sc cs ac ca");
    start(ALUF32, "sc cs");
    start(CMP32 " " CMP64, "as ac");
    start(CMPF64, "as sa sc ac");
    start(LOADS, "a c");
    start("i32_store i32_store8 i32_store16 i64_store", "cs ca cc");
    start("i32_store i32_store8 i32_store16 i64_store i64_store8 i64_store16 i64_store32",
          "as sa ac");
    start("f32_store", "as");
    start("f64_store", "as sa");
    start(TEST " mov global_set ret_value", "a");
    start("select", "ssa");
}

/** Comparisons, tests and what they test, with the branch. */
static void branches(void)
{
    /* the translator turns integer comparisons around, so that br_if is enough behind them */
    extend(start(CMP32 " " CMP64, "ss sc as ac"), "br_if", "t", DROP);
    extend(start(CMPF64, "ss as sa sc ac"), TEST, "t", DROP);
    extend(start(CMPF32, "ss"), TEST, "t", DROP);
    extend(start("i64_eqz", "s a"), TEST, "t", DROP);

    struct set word = start("i32_load", "s a c");
    struct set load = join(word, start("i32_load8_s i32_load8_u i32_load16_s i32_load16_u", "s"));
    extend(start("i32_and i64_and", "ss sc as ac"), TEST, "t", DROP);
    extend(start("i32_and i32_sub", "ss sc"), TEST, "t", KEEP);
    extend(start("i32_or i32_xor i32_sub i32_shr_u", "ss sc"), TEST, "t", DROP);
    extend(join(load, start("i32_add i64_add", "sc ss")), TEST, "t", BOTH);

    extend(extend(start("i32_add", "sc ss"), CMP32, "ts tc", BOTH), "br_if", "t", DROP);
    extend(extend(start("i32_and", "sc"), CMP32, "ts tc", DROP), "br_if", "t", DROP);
    extend(extend(start("i32_sub", "ss"), CMP32, "ts tc", DROP), "br_if", "t", DROP);
    extend(extend(load, CMP32, "ts tc", DROP), "br_if", "t", DROP);
    extend(extend(join(word, start("i32_load8_u i32_load8_s", "s")), CMP32, "ts tc", KEEP), "br_if",
           "t", DROP);
    extend(extend(start("i64_add", "sc"), CMP64, "ts tc", BOTH), "br_if", "t", DROP);
    extend(extend(start("i64_load", "s"), CMP64, "ts tc", DROP), "br_if", "t", DROP);
    extend(extend(start("i32_or i32_xor", "ss"), "i32_eq i32_ne", "ts tc", DROP), "br_if", "t",
           DROP);
    extend(extend(start("f64_add f64_sub f64_load", "ss s"), CMPF64, "ts st", DROP), TEST, "t",
           DROP);
    /* an update, then a comparison of something else */
    extend(extend(start("i32_add", "sc"), CMP32, "ss sc", DROP), "br_if", "t", DROP);
}

/** Address arithmetic in loads and stores. */
static void addresses(void)
{
    struct set sum = start("i32_add", "ss sc as ac");
    struct set scaled = extend(start("i32_shl", "sc ac"), "i32_add", "ts tc", DROP);
    extend(sum, LOADS, "t", DROP);
    extend(start("i32_add", "ss sc"), LOAD32 " i64_load f64_load", "t", KEEP);
    extend(scaled, LOADS, "t", DROP);
    extend(start("i32_add", "ss sc"), STORES, "ts tc", BOTH);
    extend(start("i32_add", "as ac"), STORES, "ts", DROP);
    extend(scaled, STORES, "ts", DROP);
    extend(start("i32_and", "sc ss"), LOAD32, "t", DROP);
    /* pointers followed */
    struct set field = start("i32_load", "s a");
    extend(field, LOADS, "t", BOTH);
    extend(extend(field, "i32_load", "t", DROP), LOAD32, "t", DROP);
    extend(extend(field, "i32_add", "ts tc", DROP), LOAD32 " i64_load f64_load", "t", DROP);
}

/** Loads with what uses the value, stores with what makes it. */
static void memory(void)
{
    struct set word = extend(start("i32_load", "s a c"), ALU32, "ts tc st", BOTH);
    struct set small = extend(start("i32_load8_s i32_load8_u i32_load16_s i32_load16_u", "s"),
                              ALU32, "ts tc st", DROP);
    extend(word, "i32_store", "st", DROP);
    extend(extend(start("i32_load8_u", "s"), ALU32, "ts tc", DROP), "i32_store8", "st", DROP);
    extend(extend(start("i32_load16_u", "s"), ALU32, "ts tc", DROP), "i32_store16", "st", DROP);
    struct set wide = extend(start("i64_load", "s a"), ALU64, "ts tc st", DROP);
    extend(wide, "i64_store", "st", DROP);
    extend(start("i64_load32_u i64_load32_s i64_load8_u", "s"), ALU64, "ts tc", DROP);
    struct set real = extend(start("f64_load", "s a"), ALUF64, "ts st tc ct", DROP);
    extend(real, "f64_store", "st", DROP);
    extend(extend(start("f64_load", "s"), ALUF64, "ts st", DROP), ALUF64, "ts st", DROP);
    extend(extend(start("f32_load", "s"), ALUF32, "ts st", DROP), "f32_store", "st", DROP);
    struct set indexed = extend(start("i32_add", "ss sc"), "i32_load i32_load8_u", "t", DROP);
    extend(indexed, ALU32, "ts tc st", DROP);
    indexed = extend(start("i32_add", "ss sc"), "f64_load", "t", DROP);
    extend(indexed, ALUF64, "ts st", DROP);
    indexed = extend(extend(start("i32_shl", "sc"), "i32_add", "ts", DROP), "i32_load f64_load",
                     "t", DROP);
    extend(indexed, ALU32 " " ALUF64, "ts tc st", DROP);
    (void)small;

    extend(start(ALU32, "ss sc as ac"), STORE32, "st", DROP);
    extend(start("i32_add", "ss sc"), STORE32, "st", KEEP);
    extend(start(ALU64, "ss sc as ac"), "i64_store", "st", DROP);
    extend(start(ALUF64, "ss as sa"), "f64_store", "st", DROP);
    extend(start(ALUF32, "ss"), "f32_store", "st", DROP);
    /* copies */
    extend(start(LOAD32, "s a"), STORE32, "st", BOTH);
    extend(start("i64_load f64_load f32_load", "s a"), "i64_store f64_store f32_store", "st", BOTH);
    /* fields, one after the other */
    struct set field = start("i32_load", "s");
    extend(extend(field, "i32_load", "s", DROP), "i32_load", "s", DROP);
    extend(start("i32_load i64_load", "s"), "i64_load", "s", DROP);
    struct set put = start("i32_store i64_store i32_store8", "ss sc");
    extend(put, "i32_store i64_store i32_store8", "ss sc", DROP);
    extend(put, "i32_add", "sc", DROP);
    extend(extend(start("i32_store", "ss"), "i32_store", "ss", DROP), "i32_store", "ss", DROP);
}

/** Moves in groups, the stack pointer's prologue, returns. */
static void moves(void)
{
    struct set one = start("mov", "s");
    struct set two = extend(one, "mov", "s", DROP);
    extend(extend(two, "mov", "s", DROP), "mov", "s", DROP);
    struct set constant = start("const32", "c");
    extend(constant, "mov", "s", DROP);
    extend(one, "const32", "c", DROP);
    extend(constant, "const32", "c", DROP);
    extend(join(join(one, constant), join(two, start("i32_add", "sc ss"))), "br", "", DROP);
    extend(start("i32_add", "sc"), "mov", "s t", BOTH);
    extend(one, "i32_add", "sc", DROP);
    extend(start("i32_load", "s"), "mov", "s", DROP);
    extend(one, "i32_load", "s", DROP);
    extend(start("i32_store", "ss sc"), "br", "", DROP);

    struct set frame = extend(start("global_get", ""), "i32_sub i32_add", "tc", DROP);
    extend(frame, "global_set", "t", KEEP);
    extend(extend(start("i32_add", "sc"), "global_set", "t", DROP), "ret", "", DROP);
    extend(extend(start("i32_add", "sc"), "global_set", "t", DROP), "ret_value", "s c", DROP);
    extend(extend(start("global_get", ""), "i32_eqz", "t", DROP), TEST, "t", DROP);
    extend(start("global_get", ""), TEST, "t", DROP);
    extend(start(ALU32 " i64_add", "ss sc as ac"), "ret_value", "t", DROP);
    extend(start(LOAD32 " i64_load", "s a"), "ret_value", "t", DROP);
    extend(start(CMP32, "ss sc"), "ret_value", "t", DROP);
    extend(start(STORE32, "ss sc"), "ret", "", DROP);
    extend(start(CMP32 " " CMPF64, "ss sc"), "select", "sst", DROP);
    extend(start(CMP64, "ss"), "select", "sst", DROP);
}

/** An operation on the result of another. */
static void pairs(void)
{
    extend(start(ALU32, "ss sc"), ALU32, "ts tc st", DROP);
    extend(start(ALU32, "as ac"), ALU32, "ts tc", DROP);
    extend(start("i32_add i32_sub i32_and i32_xor i32_shl i32_shr_u", "ss sc"),
           "i32_add i32_sub i32_and i32_or i32_xor i32_shl i32_shr_u", "ts tc", KEEP);
    extend(start(ALU64, "ss sc"), ALU64, "ts tc", DROP);
    extend(start("i64_sub", "ss"), ALU64, "st", DROP);
    extend(start(ALUF64, "ss as sa"), ALUF64, "ts st", DROP);
    extend(start(ALUF32, "ss"), ALUF32, "ts st", DROP);
    extend(start("i64_extend_i32_u i64_extend_i32_s", "s"), ALU64, "ts tc st", DROP);
    extend(start("i64_shr_u i64_shl i64_add i64_mul", "ss sc as ac"), "i32_wrap_i64", "t", DROP);
    extend(extend(start("i32_xor i32_add", "ss as"), "i32_rotl", "tc", BOTH), "i32_add", "ts",
           BOTH);
    extend(extend(start("i32_mul i32_shl", "ss sc"), "i32_add", "ts tc", DROP), "i32_rem_u",
           "ts tc", DROP);
    extend(start("i32_add", "ss sc"), "i32_rem_u i32_rem_s", "ts tc", DROP);
    extend(start("f64_convert_i32_s f64_convert_i32_u", "s"), ALUF64, "ts st", DROP);
    extend(start("i32_add i32_sub", "ss sc"), "f64_convert_i32_s", "t", DROP);
    /* neighbours */
    extend(extend(start("i32_add", "sc"), "i32_add", "sc", DROP), "i32_add", "sc", DROP);
    extend(start("i32_add", "ss"), "i32_add", "sc", DROP);
}

void families(void)
{
    accumulator();
    branches();
    addresses();
    memory();
    moves();
    pairs();
}
