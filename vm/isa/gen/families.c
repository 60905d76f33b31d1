/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which chains there can be: closed families, in the order of what they save
 * (docs/performance.md). Those that real programs have use for are named in chains.list, which
 * `./dev fusion` makes; the others are not instructions. A chain's parents are made before it.
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
/* Of vectors: what programs use much. The rest has the accumulator forms, and stores behind it. */
#define VBITS "v128_and v128_andnot v128_or v128_xor"
#define VADD                                                                                       \
    "i8x16_add i8x16_sub i16x8_add i16x8_sub i32x4_add i32x4_sub i64x2_add i64x2_sub f32x4_add "   \
    "f32x4_sub f64x2_add f64x2_sub"
#define VMUL                                                                                       \
    "i16x8_mul i32x4_mul i64x2_mul f32x4_mul f32x4_div f64x2_mul f64x2_div i32x4_dot_i16x8_s "     \
    "i16x8_extmul_low_i8x16_s i16x8_extmul_high_i8x16_s i16x8_extmul_low_i8x16_u "                 \
    "i16x8_extmul_high_i8x16_u i32x4_extmul_low_i16x8_s i32x4_extmul_high_i16x8_s "                \
    "i32x4_extmul_low_i16x8_u i32x4_extmul_high_i16x8_u i64x2_extmul_low_i32x4_s "                 \
    "i64x2_extmul_high_i32x4_s i64x2_extmul_low_i32x4_u i64x2_extmul_high_i32x4_u "                \
    "i16x8_q15mulr_sat_s"
#define VCMP                                                                                       \
    "i8x16_eq i8x16_ne i8x16_lt_s i8x16_lt_u i8x16_gt_s i8x16_gt_u i8x16_le_s i8x16_le_u "         \
    "i8x16_ge_s i8x16_ge_u i16x8_eq i16x8_ne i16x8_lt_s i16x8_gt_s i16x8_gt_u i32x4_eq i32x4_ne "  \
    "i32x4_lt_s i32x4_gt_s i32x4_gt_u i64x2_eq f32x4_eq f32x4_ne f32x4_lt f32x4_gt f32x4_le "      \
    "f32x4_ge f64x2_eq f64x2_lt f64x2_gt f64x2_le f64x2_ge"
#define VMINMAX                                                                                    \
    "i8x16_min_s i8x16_min_u i8x16_max_s i8x16_max_u i16x8_min_s i16x8_min_u i16x8_max_s "         \
    "i16x8_max_u i32x4_min_s i32x4_min_u i32x4_max_s i32x4_max_u f32x4_min f32x4_max f32x4_pmin "  \
    "f32x4_pmax f64x2_min f64x2_max f64x2_pmin f64x2_pmax i8x16_avgr_u i16x8_avgr_u"
#define VSAT                                                                                       \
    "i8x16_add_sat_s i8x16_add_sat_u i8x16_sub_sat_s i8x16_sub_sat_u i16x8_add_sat_s "             \
    "i16x8_add_sat_u i16x8_sub_sat_s i16x8_sub_sat_u i8x16_narrow_i16x8_s i8x16_narrow_i16x8_u "   \
    "i16x8_narrow_i32x4_s i16x8_narrow_i32x4_u i8x16_swizzle i8x16_shuffle"
#define VSHIFT                                                                                     \
    "i8x16_shl i8x16_shr_s i8x16_shr_u i16x8_shl i16x8_shr_s i16x8_shr_u i32x4_shl i32x4_shr_s "   \
    "i32x4_shr_u i64x2_shl i64x2_shr_s i64x2_shr_u"
#define VWIDEN                                                                                     \
    "i16x8_extend_low_i8x16_s i16x8_extend_high_i8x16_s i16x8_extend_low_i8x16_u "                 \
    "i16x8_extend_high_i8x16_u i32x4_extend_low_i16x8_s i32x4_extend_high_i16x8_s "                \
    "i32x4_extend_low_i16x8_u i32x4_extend_high_i16x8_u i64x2_extend_low_i32x4_s "                 \
    "i64x2_extend_high_i32x4_s i64x2_extend_low_i32x4_u i64x2_extend_high_i32x4_u "                \
    "i16x8_extadd_pairwise_i8x16_s i16x8_extadd_pairwise_i8x16_u i32x4_extadd_pairwise_i16x8_s "   \
    "i32x4_extadd_pairwise_i16x8_u"
#define VUNARY                                                                                                                    \
    "permute i16x8_rotl i32x4_rotl i64x2_rotl v128_not i8x16_abs i8x16_neg i8x16_popcnt i16x8_abs i16x8_neg i32x4_abs i32x4_neg " \
    "i64x2_abs i64x2_neg f32x4_abs f32x4_neg f32x4_sqrt f64x2_abs f64x2_neg f64x2_sqrt "                                          \
    "f32x4_convert_i32x4_s f32x4_convert_i32x4_u i32x4_trunc_sat_f32x4_s "                                                        \
    "i32x4_trunc_sat_f32x4_u f64x2_convert_low_i32x4_s f64x2_promote_low_f32x4 "                                                  \
    "f32x4_demote_f64x2_zero f32x4_ceil f32x4_floor f32x4_trunc f32x4_nearest f64x2_ceil "                                        \
    "f64x2_floor f64x2_trunc f64x2_nearest"
#define VSPLAT "i8x16_splat i16x8_splat i32x4_splat i64x2_splat f32x4_splat f64x2_splat"
#define VTO_I32                                                                                    \
    "v128_any_true i8x16_all_true i16x8_all_true i32x4_all_true i64x2_all_true i8x16_bitmask "     \
    "i16x8_bitmask i32x4_bitmask i64x2_bitmask"
#define VGET                                                                                       \
    "i8x16_extract_lane_s i8x16_extract_lane_u i16x8_extract_lane_s i16x8_extract_lane_u "         \
    "i32x4_extract_lane i64x2_extract_lane f32x4_extract_lane f64x2_extract_lane"
#define VSET                                                                                       \
    "i8x16_replace_lane i16x8_replace_lane i32x4_replace_lane i64x2_replace_lane "                 \
    "f32x4_replace_lane f64x2_replace_lane"
#define VTER                                                                                       \
    "v128_bitselect f32x4_relaxed_madd f32x4_relaxed_nmadd f64x2_relaxed_madd "                    \
    "f64x2_relaxed_nmadd i8x16_relaxed_laneselect i16x8_relaxed_laneselect "                       \
    "i32x4_relaxed_laneselect i64x2_relaxed_laneselect "                                           \
    "i32x4_relaxed_dot_i8x16_i7x16_add_s"
#define VRELAXED                                                                                   \
    "i8x16_relaxed_swizzle f32x4_relaxed_min f32x4_relaxed_max f64x2_relaxed_min "                 \
    "f64x2_relaxed_max i16x8_relaxed_q15mulr_s i16x8_relaxed_dot_i8x16_i7x16_s"
#define VPAIR VBITS " " VADD " " VMUL " " VSAT
#define VTWO VPAIR " " VCMP " " VMINMAX " " VRELAXED
/* Either way around (the translator brings what is computed last to the left), and not. */
#define VSAME                                                                                      \
    "v128_and v128_or v128_xor i8x16_add i16x8_add i32x4_add i64x2_add i16x8_mul i32x4_mul "       \
    "i32x4_dot_i16x8_s i8x16_eq i8x16_ne i16x8_eq i32x4_eq i8x16_min_s i8x16_min_u i8x16_max_s "   \
    "i8x16_max_u i16x8_min_s i16x8_max_s i32x4_min_s i32x4_max_s i8x16_add_sat_u"
#define VOTHER                                                                                     \
    "v128_andnot i8x16_sub i16x8_sub i32x4_sub i64x2_sub f32x4_add f32x4_sub f32x4_mul f32x4_div " \
    "f64x2_add f64x2_sub f64x2_mul f64x2_div i8x16_lt_s i8x16_lt_u i8x16_gt_s i8x16_gt_u "         \
    "i8x16_le_s i8x16_le_u i8x16_ge_s i8x16_ge_u i16x8_lt_s i16x8_gt_s i16x8_gt_u i32x4_lt_s "     \
    "i32x4_gt_s i32x4_gt_u f32x4_lt f32x4_gt f32x4_le f32x4_ge f32x4_min f32x4_max f64x2_lt "      \
    "f64x2_gt i8x16_sub_sat_u i8x16_swizzle"
#define VLOADS                                                                                     \
    "v128_load v128_load8x8_s v128_load8x8_u v128_load16x4_s v128_load16x4_u v128_load32x2_s "     \
    "v128_load32x2_u v128_load8_splat v128_load16_splat v128_load32_splat v128_load64_splat "      \
    "v128_load32_zero v128_load64_zero"

/** The accumulator, and constants where code without chains has none, in single instructions. */
static void singles(void)
{
    start(UNARY, "a");
    start(ALU32 " " ALU64 " i32_rotr i64_rotr", "as ac sa");
    start(TRAP32 " " TRAP64, "as ac sa");
    start("i32_shl i32_sub i64_sub i64_shl i32_shr_u", "cs ca");
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
    start(TEST " mov global_set ret_value br_table", "a");
    start("select", "ssa");
}

/** Comparisons, tests and what they test, with the branch. */
static void branches(void)
{
    struct set compared = join(start(CMP32 " " CMP64, "ss sc as ac"), start("i64_eqz", "s a"));
    /* the translator turns integer comparisons around, so that br_if is enough behind them */
    extend(compared, "br_if", "t", DROP);
    extend(start("i64_eqz", "s a"), TEST, "t", DROP);
    extend(start(CMPF64 " " CMPF32, "ss as sa sc ac"), TEST, "t", DROP);

    struct set load = start(LOAD32 " i64_load f64_load", "s a c");
    struct set alu = start(ALU32 " " ALU64, "ss sc as ac");
    struct set left = join(load, alu);
    extend(left, TEST, "t", BOTH);
    extend(extend(left, CMP32 " " CMP64, "ts tc", BOTH), "br_if", "t", DROP);
    extend(extend(start(ALUF64, "ss as sa sc"), CMPF64, "ts st tc", BOTH), TEST, "t", DROP);
    extend(extend(load, CMPF64, "ts st tc", BOTH), TEST, "t", DROP);
    /* two operations, then the test */
    struct set two =
        extend(start("i32_load i32_load8_u i32_add i32_sub", "s ss sc"), ALU32, "ts tc", DROP);
    extend(two, TEST, "t", BOTH);
    extend(extend(two, CMP32, "ts tc", BOTH), "br_if", "t", DROP);
    two = extend(start("i32_add i32_load", "sc ss s"), LOAD32, "t", BOTH);
    extend(two, TEST, "t", BOTH);
    extend(extend(two, CMP32, "ts tc", BOTH), "br_if", "t", DROP);
    /* guest interpreters: each form of the jump has a history of its own */
    struct set byte = start("i32_load8_u i32_load16_u i32_load", "s a");
    struct set index = start("i32_add i32_sub i32_and i32_shr_u", "sc ac ss as");
    always(extend(join(byte, index), "br_table", "t", BOTH));
    struct set sum = start("i32_add", "sc ac ss as");
    always(
        extend(extend(sum, "i32_load8_u i32_load16_u i32_load", "t", DROP), "br_table", "t", BOTH));
    always(extend(extend(byte, "i32_and i32_add i32_sub i32_shr_u", "tc", DROP), "br_table", "t",
                  BOTH));
    /* loop ends: updates, the last one compared */
    struct set updates = extend(start("i32_add", "sc ss"), "i32_add", "sc ss", DROP);
    struct set three = extend(updates, "i32_add", "sc", DROP);
    updates = join(updates, three);
    extend(updates, TEST, "t", KEEP);
    extend(extend(updates, CMP32, "ts tc", KEEP), "br_if", "t", DROP);
    /* an update, then a comparison of something else */
    extend(extend(join(start("i32_add", "sc ss"), updates), CMP32, "ss sc", DROP), "br_if", "t",
           DROP);
    extend(extend(start("mov const32", "s c"), CMP32, "ss sc", DROP), "br_if", "t", DROP);
}

/** Address arithmetic in loads and stores. */
static void addresses(void)
{
    struct set sum = start("i32_add", "ss sc as ac");
    struct set scaled = extend(start("i32_shl i32_and i32_mul i32_add i32_sub", "sc ac ss"),
                               "i32_add", "ts tc", BOTH);
    struct set address = join(sum, join(scaled, start("i32_and i32_shl i32_sub", "sc ss ac")));
    extend(address, LOADS, "t", BOTH);
    extend(address, STORES, "ts tc", BOTH);
    /* pointers followed */
    struct set field = start("i32_load", "s a c");
    struct set next = extend(field, LOADS, "t", BOTH);
    extend(next, LOADS, "t", BOTH);
    struct set in = extend(field, "i32_add", "ts tc", BOTH);
    extend(in, LOADS, "t", DROP);
    extend(in, STORES, "ts tc", DROP);
    extend(field, STORES, "ts tc", BOTH);
}

/** Loads with what uses the value, stores with what makes it. */
static void memory(void)
{
    struct set word = extend(start(LOAD32, "s a c"), ALU32, "ts tc st", BOTH);
    extend(word, STORE32, "st", BOTH);
    struct set wide = extend(start(LOAD64, "s a c"), ALU64, "ts tc st", BOTH);
    extend(wide, "i64_store", "st", BOTH);
    struct set real = extend(start("f64_load", "s a"), ALUF64, "ts st tc ct", BOTH);
    extend(real, "f64_store", "st", BOTH);
    extend(real, ALUF64, "ts st", DROP);
    extend(extend(start("f32_load", "s a"), ALUF32, "ts st", DROP), "f32_store", "st", DROP);
    struct set sum = start("i32_add", "ss sc as ac");
    struct set scaled = extend(start("i32_shl", "sc ac"), "i32_add", "ts tc", DROP);
    struct set indexed = extend(join(sum, scaled), LOADS, "t", DROP);
    extend(indexed, ALU32 " " ALU64 " " ALUF64 " " ALUF32, "ts tc st", DROP);

    extend(start(ALU32, "ss sc as ac sa"), STORE32, "st", BOTH);
    extend(start(ALU64, "ss sc as ac sa"), "i64_store i64_store32 i64_store8", "st", BOTH);
    extend(start(ALUF64, "ss as sa sc"), "f64_store", "st", BOTH);
    extend(start(ALUF32, "ss"), "f32_store", "st", BOTH);
    struct set two = extend(start(ALU32, "ss sc as ac"), ALU32, "ts tc", DROP);
    extend(two, STORE32, "st", BOTH);
    extend(extend(start(ALUF64, "ss as"), ALUF64, "ts st", DROP), "f64_store", "st", DROP);
    /* copies */
    extend(start(LOAD32, "s a c"), STORE32, "st", BOTH);
    extend(start("i64_load f64_load f32_load", "s a"), "i64_store f64_store f32_store", "st", BOTH);
    extend(extend(sum, "i32_load i64_load i32_load8_u f64_load", "t", DROP),
           "i32_store i64_store i32_store8 f64_store", "st", DROP);
    extend(start(UNARY, "s a"), STORES, "st", BOTH);
    /* fields, one after the other */
    struct set field = start("i32_load i64_load i32_load8_u", "s");
    struct set fields = extend(field, "i32_load i64_load i32_load8_u", "s", DROP);
    extend(fields, "i32_load i64_load i32_load8_u", "s", DROP);
    struct set put = start("i32_store i64_store i32_store8", "ss sc sa");
    struct set puts = extend(put, "i32_store i64_store i32_store8", "ss sc", DROP);
    extend(puts, "i32_store i64_store i32_store8", "ss sc", DROP);
    extend(put, "i32_add i32_load mov const32", "sc ss s c", DROP);
    extend(field, "i32_add", "sc ss", DROP);
    extend(start("i32_add", "sc"), "i32_load i64_load i32_load8_u f64_load", "s", DROP);
    extend(start("i32_add", "sc"), "i32_store i64_store i32_store8", "ss sc", DROP);
}

/**
 * Code for 64-bit machines with 32-bit addresses (Go's): each address is cut before it is used. No
 * program of the sample is of this kind, so the cut would take all of them.
 */
static void wide_addresses(void)
{
    struct set cut = start("i32_wrap_i64", "s a");
    struct set sum = extend(start("i64_add", "sc"), "i32_wrap_i64", "t", BOTH);
    struct set address =
        join(sum, join(cut, extend(start("i64_load", "s a"), "i32_wrap_i64", "t", BOTH)));
    struct set value = extend(address, "i64_load i64_load8_u", "t", DROP);
    always(extend(cut, "i64_load32_u i64_load32_s i32_load f64_load", "t", DROP));
    always(extend(cut, "i64_store i64_store32 i64_store8", "ts tc", DROP));
    always(extend(cut, "i64_store", "ts tc", KEEP));
    always(extend(extend(join(extend(cut, "i64_load i64_load8_u", "t", DROP),
                              start("i64_load i64_load8_u", "s a")),
                         "i64_eq i64_ne i64_lt_u i64_le_u i64_eqz", "t ts tc", DROP),
                  "br_if", "t", DROP));
    always(extend(value, "i64_add", "ts tc", DROP));
    always(extend(start("i64_load", "s a"), "i64_store", "st", BOTH));
    always(extend(start("i64_extend_i32_u", "s a"), "i64_add i64_store", "tc ts st", BOTH));
}

/** Moves in groups, calls and returns, the stack pointer's prologue. */
static void moves(void)
{
    struct set one = start("mov const32", "s c");
    struct set two = extend(one, "mov const32", "s c", DROP);
    struct set three = extend(two, "mov const32", "s c", DROP);
    struct set four = extend(three, "mov", "s", DROP);
    struct set any = join(join(one, two), join(three, four));
    struct set alu = start("i32_add i32_sub i32_and i32_shl", "sc ss ac as");
    struct set load = start("i32_load i64_load i32_load8_u", "s a");
    extend(join(any, join(alu, load)), "br", "", DROP);
    extend(join(any, join(alu, load)), "call", "", DROP);
    extend(extend(alu, "mov const32", "s c t", BOTH), "br call", "", DROP);
    extend(extend(load, "mov const32", "s c", DROP), "br call", "", DROP);
    extend(one, "i32_add i32_load i32_sub", "sc ss s", DROP);
    extend(extend(one, "i32_add", "sc", DROP), "call br", "", DROP);
    extend(start(STORE32 " i64_store f64_store", "ss sa as sc"), "br", "", DROP);

    struct set frame = extend(start("global_get", ""), "i32_sub i32_add", "tc", DROP);
    extend(frame, "global_set", "t", KEEP);
    struct set enter = start("enter1 enter2 enter3 enter4 enter", "");
    frame = extend(extend(enter, "global_get", "", DROP), "i32_sub", "tc", DROP);
    extend(frame, "global_set", "t", KEEP);
    extend(enter, "const32 mov i32_load i32_eqz br_if br_unless", "c s", DROP);
    extend(extend(enter, CMP32, "sc ss", DROP), "br_if", "t", DROP);
    extend(enter, "i32_add i32_sub i32_shl i32_and", "sc ss", DROP);
    struct set leave = extend(start("i32_add", "sc"), "global_set", "t", DROP);
    extend(leave, "ret", "", DROP);
    extend(leave, "ret_value", "s c", DROP);
    extend(extend(start("global_get", ""), "i32_eqz", "t", DROP), TEST, "t", DROP);
    extend(start("global_get", ""), TEST, "t", DROP);
    extend(start("global_get", ""), ALU32, "tc ts", BOTH);
    extend(start(ALU32 " " ALU64 " " ALUF64, "ss sc as ac sa"), "ret_value", "t", DROP);
    extend(extend(start("i32_add i32_and i32_shl", "ss sc"), ALU32, "ts tc", DROP), "ret_value",
           "t", DROP);
    extend(start(LOAD32 " i64_load f64_load", "s a c"), "ret_value", "t", DROP);
    extend(start(CMP32 " " CMP64, "ss sc as ac"), "ret_value", "t", DROP);
    extend(start(UNARY, "s a"), "ret_value", "t", DROP);
    extend(start(STORES, "ss sc sa"), "ret", "", DROP);
    extend(start(CMP32 " " CMP64 " " CMPF64, "ss sc as ac"), "select", "sst", BOTH);
    extend(start("select", "sss ssa"), "select", "sst tss sts", DROP);
}

/** An operation on the result of another. */
static void pairs(void)
{
    struct set first = start(ALU32, "ss sc as ac sa");
    struct set two = extend(first, ALU32, "ts tc st", BOTH);
    extend(extend(start(ALU32, "ss sc"), ALU32, "ts tc", DROP), ALU32, "ts tc", DROP);
    extend(extend(start("i32_xor i32_add", "ss as"), "i32_rotl", "tc", BOTH), "i32_add", "ts",
           BOTH);
    extend(first, "i32_sub i32_shl", "ct", DROP);
    extend(start(ALU64, "ss sc as ac sa"), ALU64, "ts tc st", BOTH);
    extend(start(ALUF64, "ss as sa sc cs"), ALUF64, "ts st tc ct", BOTH);
    extend(extend(start(ALUF64, "ss as"), ALUF64, "ts st", DROP), ALUF64, "ts st", DROP);
    extend(start(ALUF32, "ss sc cs"), ALUF32, "ts st", BOTH);
    extend(start(UNARY, "s a"), ALU32 " " ALU64 " " ALUF64, "ts tc st", BOTH);
    extend(start(ALU32 " " ALU64 " " ALUF64, "ss sc as ac"), UNARY, "t", BOTH);
    extend(start(CMP32 " " CMP64 " " CMPF64, "ss sc as ac"), ALU32 " i64_extend_i32_u",
           "ts tc st t", DROP);
    extend(start(LOADS, "s a"), UNARY, "t", BOTH);
    extend(two, "i32_rem_u i32_rem_s", "ts tc", DROP);
    extend(first, TRAP32, "ts tc st", DROP);
    extend(start(ALU64, "ss sc as ac"), TRAP64, "ts tc st", DROP);
    /* neighbours */
    extend(extend(start("i32_add", "sc"), "i32_add", "sc ss", DROP), "i32_add", "sc", DROP);
    extend(start("i32_add", "ss"), "i32_add i64_add", "sc ss", DROP);
}

/** A branch that is not taken, and what comes then. */
static void falls(void)
{
    struct set load = start("i32_load i32_load8_u i32_load8_s", "s");
    struct set compared =
        join(start(CMP32, "ss sc as ac"), start("i64_eq i64_ne i64_lt_u", "ss sc"));
    compared = join(compared, extend(load, CMP32, "ts tc", BOTH));
    compared = join(compared, extend(start("i32_add", "sc"), CMP32, "ts tc", BOTH));
    struct set fallen = join(extend(compared, "br_if", "t", DROP), start(TEST, "s a"));
    fallen = join(fallen, extend(join(load, start("i32_and", "sc")), TEST, "t", BOTH));
    extend(extend(fallen, CMP32, "ss sc", DROP), "br_if", "t", DROP);
    extend(extend(extend(start(CMP32, "ss sc"), "br_if", "t", DROP), CMP32, "ss sc", DROP), "br_if",
           "t", DROP);
    extend(fallen, TEST, "s", DROP);
    struct set one = extend(fallen, "mov const32", "s c", DROP);
    extend(one, "br", "", DROP);
    extend(extend(one, "mov const32", "s c", DROP), "br", "", DROP);
    extend(fallen, "br ret", "", DROP);
    extend(fallen, "ret_value", "s c", DROP);
    struct set sum = extend(fallen, "i32_add i32_sub i32_and i32_shl", "sc ss", DROP);
    extend(sum, "i32_load i32_load8_u i32_add", "t ts tc", BOTH);
    extend(sum, TEST, "t", BOTH);
    extend(fallen, "i32_load i64_load f64_load i32_load8_u", "s", DROP);
    extend(fallen, "i32_store i32_store8", "ss sc", DROP);
}

/** The end of a loop in one: its last statement, the update, the branch back. */
static void loops(void)
{
    struct set put = join(start(STORES, "ss sc sa as"),
                          extend(start("i32_add", "ss sc as ac"), STORES, "ts tc", DROP));
    struct set copy = extend(start(LOAD32 " i64_load f64_load", "s a"), STORES, "st", DROP);
    struct set sum = join(extend(start(LOAD32 " f64_load", "s"), ALU32 " " ALUF64, "ts st", DROP),
                          start(ALU32 " " ALU64 " " ALUF64, "ss sc as ac sa"));
    sum = join(sum,
               extend(start(ALU32 " " ALUF64, "ss sc as ac"), ALU32 " " ALUF64, "ts tc st", DROP));
    struct set last = join(join(put, copy), join(sum, start("mov const32", "s c")));
    struct set update = extend(last, "i32_add", "sc", DROP);
    extend(update, "br_if", "t", KEEP);
    extend(extend(update, "i32_ne i32_lt_u i32_lt_s i32_gt_u", "ts tc", KEEP), "br_if", "t", DROP);
}

/** Ways into loops that carry values in the accumulators. */
static void entries(void)
{
    struct set one = start("mov const32", "s c a");
    struct set two = extend(one, "mov const32", "s c", DROP);
    struct set three = extend(two, "mov const32", "s c", DROP);
    struct set any = join(join(one, two), join(three, start("const64", "")));
    any = join(any, extend(start("i32_add i32_sub i32_and i32_shl i32_load", "s sc ss ac as"),
                           "mov const32", "s c", DROP));
    any = join(any, start("i32_add i32_sub i32_and i32_shl i32_load f64_load", "s a sc ss ac as"));
    any = join(any, extend(start(CMP32, "ss sc as ac"), "br_if", "t", DROP));
    any = join(any, start(TEST, "s a"));
    any = join(any, extend(any, "mov const32", "s c", DROP));
    extend(any, "carry", "", DROP);
}

/**
 * What an accumulator brought along is used by a later part: parts before it keep no result of its
 * class.
 */
static void late(void)
{
    struct set load = start(LOAD32, "s c a");
    struct set sum = start("i32_add", "ss sc as");
    struct set scaled = extend(start("i32_shl", "sc"), "i32_add", "ts", DROP);
    struct set indexed = extend(join(sum, scaled), LOAD32, "t", DROP);
    struct set word = join(load, indexed);
    /* sums of what is loaded */
    struct set total = extend(word, ALU32, "ta at", DROP);
    extend(extend(start(LOAD64, "s a"), ALU64, "ta at", DROP), ALU64, "tc ts", DROP);
    extend(total, "i32_add i32_mul i32_xor i32_rotl", "tc", BOTH);
    extend(extend(load, ALU32, "tc ts", DROP), "i32_add i32_sub i32_xor i32_or", "ta", DROP);
    extend(extend(start(ALU32, "ss sc"), ALU32, "ta at", DROP), ALU32, "tc ts", BOTH);
    extend(extend(start(ALU64, "ss sc"), ALU64, "ta at", DROP), ALU64, "tc ts", BOTH);
    /* f64: what is computed is added, subtracted */
    struct set real = start("f64_load", "s a c");
    real =
        join(real, extend(join(sum, join(scaled, start("i32_add", "ac"))), "f64_load", "t", BOTH));
    extend(real, ALUF64, "ta at", BOTH);
    struct set product = join(extend(real, ALUF64, "ts st tc", DROP), start(ALUF64, "ss sc"));
    extend(product, "f64_add f64_sub f64_mul", "ta at", BOTH);
    extend(extend(start(ALUF64, "ss sc"), ALUF64, "ts st", DROP), "f64_add f64_sub f64_mul",
           "ta at", BOTH);
    extend(start(UNARY, "s a"), ALU32 " " ALU64 " " ALUF64, "ta at", DROP);
    /* addresses and stores */
    struct set at = extend(start("i32_shl i32_add i32_and", "sc ss"), "i32_add", "ta", BOTH);
    extend(at, LOADS, "t", BOTH);
    extend(at, STORES, "ts tc", DROP);
    extend(start("i32_add", "ss sc as"), STORES, "ta", DROP);
    extend(start("i32_load", "s"), STORES, "ta", DROP);
    extend(start("i32_load i32_add i32_shl", "s ss sc"), "i32_add", "ta", DROP);
    extend(extend(start("i32_load", "s"), "i32_add", "ta", DROP), LOADS, "t", DROP);
    extend(extend(word, CMP32, "ta at", DROP), "br_if", "t", DROP);
    /* loop ends: the last statement, the update */
    struct set put = start(STORES, "ss sc sa as");
    put = join(put, extend(start("i32_add", "ss sc as ac"), STORES, "ts tc ta", DROP));
    put = join(put, extend(start(LOAD32 " i64_load f64_load", "s a"), STORES, "st", DROP));
    put =
        join(put, extend(extend(sum, LOAD32 " i64_load f64_load", "t", DROP), STORES, "st", DROP));
    struct set sums = extend(real, "f64_add f64_sub f64_mul", "ts st ta at", DROP);
    sums = join(sums, extend(product, "f64_add f64_sub", "ts st ta at", DROP));
    struct set fell = extend(start(CMP32, "ss sc as ac"), "br_if", "t", DROP);
    fell = join(fell, extend(extend(load, CMP32, "ts tc ta", DROP), "br_if", "t", DROP));
    fell = join(fell, join(start(TEST, "s a"), extend(word, TEST, "t", DROP)));
    struct set update = extend(join(put, join(sums, fell)), "i32_add", "sc ac", DROP);
    extend(update, "br_if", "t", KEEP);
    extend(extend(update, "i32_ne i32_lt_u i32_lt_s i32_gt_u i32_gt_s", "ts tc", KEEP), "br_if",
           "t", DROP);
    extend(update, "br", "", DROP);
    /* a branch that is not taken */
    extend(fell, "i32_load i64_load f64_load i32_load8_u", "a", DROP);
    extend(fell, "i32_and i32_sub i32_shl", "ac as", DROP);
    extend(extend(fell, CMP32, "as ac", DROP), "br_if", "t", DROP);
}

/**
 * Rounds of hashes and ciphers: sums, exclusive ors, rotations by bytes and by bits. Closed, for
 * few programs do these in vectors and those that do spend their time there.
 */
static void rounds(void)
{
    struct set one = start("i32x4_add i64x2_add v128_xor", "ss as");
    struct set two = extend(one, "i32x4_add i64x2_add v128_xor", "ts", KEEP);
    struct set sums = join(one, two);
    always(two);
    always(extend(one, "i32x4_add i64x2_add v128_xor", "ts", DROP));
    always(start("i16x8_rotl i32x4_rotl i64x2_rotl permute", "a"));
    struct set turned = extend(sums, "i32x4_rotl i64x2_rotl permute", "t", BOTH);
    always(turned);
    always(extend(extend(sums, "i32x4_rotl i64x2_rotl permute", "t", KEEP), "i32x4_add i64x2_add",
                  "ts", KEEP));
}

/** Vectors: their accumulator, loads and stores with what uses and makes values, pairs. */
static void vectors(void)
{
    start(VTWO, "as sa");
    start(VSHIFT, "as ac");
    start(VTER, "ass sas ssa");
    start(VUNARY " " VWIDEN " " VTO_I32 " " VGET, "a");
    start(VSET, "as sa");
    start("i8x16_splat i16x8_splat i32x4_splat i64x2_splat f64x2_splat", "a");
    start("v128_store", "as sa");
    start("mov128 global_set128", "a");
    start(VLOADS, "a c");
    struct set sum = start("i32_add", "ss sc as ac");
    struct set scaled = extend(start("i32_shl", "sc ac"), "i32_add", "ts tc", DROP);
    struct set address = join(sum, scaled);
    extend(address, VLOADS, "t", BOTH);
    extend(address, "v128_store", "ts tc ta", BOTH);
    /* values loaded, values stored */
    struct set load = join(start(VLOADS, "s a c"), extend(sum, VLOADS, "t", DROP));
    struct set loaded = extend(load, VPAIR, "ts st ta at", DROP);
    extend(load, VCMP " " VMINMAX, "ts ta", DROP);
    extend(load, VBITS " " VADD, "ts st", KEEP);
    struct set plain = start("v128_load v128_load32_splat v128_load64_splat", "s a");
    extend(extend(plain, VMUL " " VADD, "ts st", DROP), VADD, "ts st ta at", DROP);
    extend(load, VWIDEN " " VUNARY " " VTO_I32, "t", BOTH);
    extend(load, VSHIFT, "tc", BOTH);
    extend(load, "v128_store", "st", BOTH);
    extend(start(VTWO, "ss as sa"), "v128_store", "st", BOTH);
    extend(start(VSHIFT, "sc ac"), "v128_store", "st", BOTH);
    extend(start(VUNARY " " VWIDEN, "s a"), "v128_store", "st", BOTH);
    extend(loaded, "v128_store", "st", DROP);
    /* constants and splats with their use */
    struct set constant = join(start("const128", ""), start(VSPLAT, "s a"));
    extend(constant, VTWO, "ts st ta at", DROP);
    /* compilers leave constants in loops, right before their use: all of these */
    always(extend(start("const128", ""), VSAME, "ts ta", DROP));
    always(extend(start("const128", ""), VOTHER, "st at", DROP));
    extend(constant, "v128_bitselect", "sst sts tss", DROP);
    extend(constant, "v128_store", "st", BOTH);
    /* an operation on the result of another */
    struct set first = join(start(VTWO, "ss as sa"), start(VSHIFT, "sc ac"));
    first = join(first, start(VUNARY " " VWIDEN, "s a"));
    extend(first, VPAIR, "ts st", DROP);
    extend(first, VBITS " " VADD, "ts", KEEP);
    extend(first, VCMP " " VMINMAX, "ts", DROP);
    extend(first, VSHIFT, "tc", BOTH);
    extend(first, VUNARY " " VWIDEN " " VTO_I32 " " VGET, "t", DROP);
    extend(first, "v128_bitselect", "sst", DROP);
    struct set sums = start(VBITS " " VADD, "ss as");
    extend(extend(sums, VBITS " " VADD, "ts", DROP), VBITS " " VADD, "ts", DROP);
    /* tests with their branch */
    struct set tested = start(VTO_I32, "s a");
    tested = join(tested, extend(start(VBITS " " VCMP, "ss as"), VTO_I32, "t", BOTH));
    tested = join(tested, extend(extend(plain, VCMP " " VBITS, "ts", DROP), VTO_I32, "t", DROP));
    extend(tested, TEST, "t", BOTH);
    extend(tested, "i32_eqz i32_and i32_xor i32_ctz", "t tc ts", DROP);
    extend(extend(tested, "i32_eq i32_ne", "tc ts", DROP), "br_if", "t", DROP);
    extend(start("mov128", "s"), "mov128 br", "s", DROP);
    /* ends of loops */
    struct set last = join(start("v128_store", "ss as"), extend(address, "v128_store", "ts", DROP));
    last = join(last, extend(start(VTWO, "ss as"), "v128_store", "st", DROP));
    last = join(last, sums);
    last = join(last, extend(plain, VADD " " VBITS, "ts st ta at", DROP));
    struct set update = extend(last, "i32_add", "sc", DROP);
    extend(update, "br_if", "t", KEEP);
    extend(extend(update, "i32_ne i32_lt_u i32_lt_s i32_gt_u", "ts tc", KEEP), "br_if", "t", DROP);
}

void families(void)
{
    static const struct {
        const char *name;
        void (*make)(void);
    } all[] = {{"singles", singles}, {"branches", branches},   {"addresses", addresses},
               {"memory", memory},   {"wide", wide_addresses}, {"moves", moves},
               {"pairs", pairs},     {"loops", loops},         {"falls", falls},
               {"entries", entries}, {"late", late},           {"vectors", vectors},
               {"rounds", rounds}};
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        family(all[i].name);
        all[i].make();
    }
}
