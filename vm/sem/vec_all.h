/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions lane by lane: plain loops that compilers turn into vector instructions. */
#ifndef VM_SEM_VEC_ALL_H
#define VM_SEM_VEC_ALL_H
#include "base/fbits.h"
#include "sem/convert.h"
#include "sem/float.h"
#include "sem/int.h"
#define LANES(A, n)                                                                                \
    union {                                                                                        \
        v128 v;                                                                                    \
        A l[n];                                                                                    \
    }
#define V1(name, A, R, n, expr)                                                                    \
    VM_INLINE v128 sem_##name(v128 v)                                                              \
    {                                                                                              \
        LANES(A, 16 / sizeof(A)) x = {.v = v};                                                     \
        LANES(R, 16 / sizeof(R)) z = {.v = {0, 0}};                                                \
        for (u32 i = 0; i < (n); i++) {                                                            \
            const A a = x.l[i];                                                                    \
            z.l[i] = (R)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
#define V2(name, A, R, n, expr)                                                                    \
    VM_INLINE v128 sem_##name(v128 v, v128 q)                                                      \
    {                                                                                              \
        LANES(A, 16 / sizeof(A)) x = {.v = v}, y = {.v = q};                                       \
        LANES(R, 16 / sizeof(R)) z = {.v = {0, 0}};                                                \
        for (u32 i = 0; i < (n); i++) {                                                            \
            const A a = x.l[i], b = y.l[i];                                                        \
            z.l[i] = (R)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
#define V3(name, A, n, expr)                                                                       \
    VM_INLINE v128 sem_##name(v128 v, v128 q, v128 p)                                              \
    {                                                                                              \
        LANES(A, 16 / sizeof(A)) x = {.v = v}, y = {.v = q}, w = {.v = p}, z = {.v = {0, 0}};      \
        for (u32 i = 0; i < (n); i++) {                                                            \
            const A a = x.l[i], b = y.l[i], c = w.l[i];                                            \
            z.l[i] = (A)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
#define VS(name, A, bits, expr)                                                                    \
    VM_INLINE v128 sem_##name(v128 v, u32 s)                                                       \
    {                                                                                              \
        LANES(A, 16 / sizeof(A)) x = {.v = v}, z = {.v = {0, 0}};                                  \
        s &= (bits) - 1;                                                                           \
        for (u32 i = 0; i < 16 / sizeof(A); i++) {                                                 \
            const A a = x.l[i];                                                                    \
            z.l[i] = (A)(expr);                                                                    \
        }                                                                                          \
        return z.v;                                                                                \
    }
#define VX(name, R, A, ...) VM_INLINE R sem_##name(A)
VM_INLINE i32 vec_sat(i32 v, i32 lo, i32 hi) { return v < lo ? lo : v > hi ? hi : v; }

V2(i8x16_add, u8, u8, 16, (u32)a + b)
V2(i8x16_sub, u8, u8, 16, (u32)a - b)
V1(i8x16_neg, u8, u8, 16, (u32)0 - a)
V1(i8x16_abs, i8, u8, 16, a < 0 ? (u32)0 - (u32)a : (u32)a)
V2(i8x16_eq, u8, u8, 16, a == b ? -1 : 0)
V2(i8x16_ne, u8, u8, 16, a != b ? -1 : 0)
V2(i8x16_lt_s, i8, u8, 16, a < b ? -1 : 0)
V2(i8x16_lt_u, u8, u8, 16, a < b ? -1 : 0)
V2(i8x16_gt_s, i8, u8, 16, a > b ? -1 : 0)
V2(i8x16_gt_u, u8, u8, 16, a > b ? -1 : 0)
V2(i8x16_le_s, i8, u8, 16, a <= b ? -1 : 0)
V2(i8x16_le_u, u8, u8, 16, a <= b ? -1 : 0)
V2(i8x16_ge_s, i8, u8, 16, a >= b ? -1 : 0)
V2(i8x16_ge_u, u8, u8, 16, a >= b ? -1 : 0)
V2(i8x16_min_s, i8, i8, 16, a < b ? a : b)
V2(i8x16_min_u, u8, u8, 16, a < b ? a : b)
V2(i8x16_max_s, i8, i8, 16, a > b ? a : b)
V2(i8x16_max_u, u8, u8, 16, a > b ? a : b)
VS(i8x16_shl, u8, 8, (u32)a << s)
VS(i8x16_shr_u, u8, 8, a >> s)
VS(i8x16_shr_s, i8, 8, a >> s)
VM_INLINE u32 sem_i8x16_all_true(v128 v)
{
    LANES(u8, 16) x = {.v = v};
    u32 r = 1;
    for (u32 i = 0; i < 16; i++) r &= x.l[i] != 0;
    return r;
}
VM_INLINE u32 sem_i8x16_bitmask(v128 v)
{
    LANES(i8, 16) x = {.v = v};
    u32 r = 0;
    for (u32 i = 0; i < 16; i++) r |= (u32)(x.l[i] < 0) << i;
    return r;
}
VM_INLINE v128 sem_i8x16_splat(u32 a)
{
    LANES(u8, 16) z = {.v = {0, 0}};
    for (u32 i = 0; i < 16; i++) z.l[i] = (u8)a;
    return z.v;
}
VM_INLINE v128 sem_i8x16_replace_lane(v128 v, u32 a, u32 lane)
{
    LANES(u8, 16) z = {.v = v};
    z.l[lane & 15] = (u8)a;
    return z.v;
}
VM_INLINE u32 sem_i8x16_extract_lane_s(v128 v, u32 lane)
{
    LANES(i8, 16) z = {.v = v};
    return (u32)(i32)z.l[lane & 15];
}
VM_INLINE u32 sem_i8x16_extract_lane_u(v128 v, u32 lane)
{
    LANES(u8, 16) z = {.v = v};
    return z.l[lane & 15];
}
V2(i8x16_add_sat_s, i8, i8, 16, vec_sat(a + b, -128, 127))
V2(i8x16_sub_sat_s, i8, i8, 16, vec_sat(a - b, -128, 127))
V2(i8x16_add_sat_u, u8, u8, 16, vec_sat(a + b, 0, 255))
V2(i8x16_sub_sat_u, u8, u8, 16, vec_sat(a - b, 0, 255))
V2(i8x16_avgr_u, u8, u8, 16, ((u32)a + b + 1) >> 1)
VM_INLINE v128 sem_i8x16_narrow_i16x8_s(v128 v, v128 q)
{
    LANES(i16, 8) x = {.v = v}, y = {.v = q};
    LANES(i8, 16) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) {
        z.l[i] = (i8)vec_sat(x.l[i], -128, 127);
        z.l[i + 8] = (i8)vec_sat(y.l[i], -128, 127);
    }
    return z.v;
}
VM_INLINE v128 sem_i8x16_narrow_i16x8_u(v128 v, v128 q)
{
    LANES(i16, 8) x = {.v = v}, y = {.v = q};
    LANES(u8, 16) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) {
        z.l[i] = (u8)vec_sat(x.l[i], 0, 255);
        z.l[i + 8] = (u8)vec_sat(y.l[i], 0, 255);
    }
    return z.v;
}
V2(i16x8_add, u16, u16, 8, (u32)a + b)
V2(i16x8_sub, u16, u16, 8, (u32)a - b)
V2(i16x8_mul, u16, u16, 8, (u32)a *b)
V1(i16x8_neg, u16, u16, 8, (u32)0 - a)
V1(i16x8_abs, i16, u16, 8, a < 0 ? (u32)0 - (u32)a : (u32)a)
V2(i16x8_eq, u16, u16, 8, a == b ? -1 : 0)
V2(i16x8_ne, u16, u16, 8, a != b ? -1 : 0)
V2(i16x8_lt_s, i16, u16, 8, a < b ? -1 : 0)
V2(i16x8_lt_u, u16, u16, 8, a < b ? -1 : 0)
V2(i16x8_gt_s, i16, u16, 8, a > b ? -1 : 0)
V2(i16x8_gt_u, u16, u16, 8, a > b ? -1 : 0)
V2(i16x8_le_s, i16, u16, 8, a <= b ? -1 : 0)
V2(i16x8_le_u, u16, u16, 8, a <= b ? -1 : 0)
V2(i16x8_ge_s, i16, u16, 8, a >= b ? -1 : 0)
V2(i16x8_ge_u, u16, u16, 8, a >= b ? -1 : 0)
V2(i16x8_min_s, i16, i16, 8, a < b ? a : b)
V2(i16x8_min_u, u16, u16, 8, a < b ? a : b)
V2(i16x8_max_s, i16, i16, 8, a > b ? a : b)
V2(i16x8_max_u, u16, u16, 8, a > b ? a : b)
VS(i16x8_shl, u16, 16, (u32)a << s)
VS(i16x8_shr_u, u16, 16, a >> s)
VS(i16x8_shr_s, i16, 16, a >> s)
VM_INLINE u32 sem_i16x8_all_true(v128 v)
{
    LANES(u16, 8) x = {.v = v};
    u32 r = 1;
    for (u32 i = 0; i < 8; i++) r &= x.l[i] != 0;
    return r;
}
VM_INLINE u32 sem_i16x8_bitmask(v128 v)
{
    LANES(i16, 8) x = {.v = v};
    u32 r = 0;
    for (u32 i = 0; i < 8; i++) r |= (u32)(x.l[i] < 0) << i;
    return r;
}
VM_INLINE v128 sem_i16x8_splat(u32 a)
{
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (u16)a;
    return z.v;
}
VM_INLINE v128 sem_i16x8_replace_lane(v128 v, u32 a, u32 lane)
{
    LANES(u16, 8) z = {.v = v};
    z.l[lane & 7] = (u16)a;
    return z.v;
}
VM_INLINE u32 sem_i16x8_extract_lane_s(v128 v, u32 lane)
{
    LANES(i16, 8) z = {.v = v};
    return (u32)(i32)z.l[lane & 7];
}
VM_INLINE u32 sem_i16x8_extract_lane_u(v128 v, u32 lane)
{
    LANES(u16, 8) z = {.v = v};
    return z.l[lane & 7];
}
V2(i16x8_add_sat_s, i16, i16, 8, vec_sat(a + b, -32768, 32767))
V2(i16x8_sub_sat_s, i16, i16, 8, vec_sat(a - b, -32768, 32767))
V2(i16x8_add_sat_u, u16, u16, 8, vec_sat(a + b, 0, 65535))
V2(i16x8_sub_sat_u, u16, u16, 8, vec_sat(a - b, 0, 65535))
V2(i16x8_avgr_u, u16, u16, 8, ((u32)a + b + 1) >> 1)
VM_INLINE v128 sem_i16x8_narrow_i32x4_s(v128 v, v128 q)
{
    LANES(i32, 4) x = {.v = v}, y = {.v = q};
    LANES(i16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) {
        z.l[i] = (i16)vec_sat(x.l[i], -32768, 32767);
        z.l[i + 4] = (i16)vec_sat(y.l[i], -32768, 32767);
    }
    return z.v;
}
VM_INLINE v128 sem_i16x8_narrow_i32x4_u(v128 v, v128 q)
{
    LANES(i32, 4) x = {.v = v}, y = {.v = q};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) {
        z.l[i] = (u16)vec_sat(x.l[i], 0, 65535);
        z.l[i + 4] = (u16)vec_sat(y.l[i], 0, 65535);
    }
    return z.v;
}
VM_INLINE v128 sem_i16x8_extend_low_i8x16_s(v128 v)
{
    LANES(i8, 16) x = {.v = v};
    LANES(i16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = x.l[i + 0];
    return z.v;
}
VM_INLINE v128 sem_i16x8_extmul_low_i8x16_s(v128 v, v128 q)
{
    LANES(i8, 16) x = {.v = v}, y = {.v = q};
    LANES(i16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (i16)((i32)x.l[i + 0] * (i32)y.l[i + 0]);
    return z.v;
}
VM_INLINE v128 sem_i16x8_extend_high_i8x16_s(v128 v)
{
    LANES(i8, 16) x = {.v = v};
    LANES(i16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = x.l[i + 8];
    return z.v;
}
VM_INLINE v128 sem_i16x8_extmul_high_i8x16_s(v128 v, v128 q)
{
    LANES(i8, 16) x = {.v = v}, y = {.v = q};
    LANES(i16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (i16)((i32)x.l[i + 8] * (i32)y.l[i + 8]);
    return z.v;
}
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_s(v128 v)
{
    LANES(i8, 16) x = {.v = v};
    LANES(i16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (i16)((i16)x.l[2 * i] + (i16)x.l[2 * i + 1]);
    return z.v;
}
VM_INLINE v128 sem_i16x8_extend_low_i8x16_u(v128 v)
{
    LANES(u8, 16) x = {.v = v};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = x.l[i + 0];
    return z.v;
}
VM_INLINE v128 sem_i16x8_extmul_low_i8x16_u(v128 v, v128 q)
{
    LANES(u8, 16) x = {.v = v}, y = {.v = q};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (u16)((i32)x.l[i + 0] * (i32)y.l[i + 0]);
    return z.v;
}
VM_INLINE v128 sem_i16x8_extend_high_i8x16_u(v128 v)
{
    LANES(u8, 16) x = {.v = v};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = x.l[i + 8];
    return z.v;
}
VM_INLINE v128 sem_i16x8_extmul_high_i8x16_u(v128 v, v128 q)
{
    LANES(u8, 16) x = {.v = v}, y = {.v = q};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (u16)((i32)x.l[i + 8] * (i32)y.l[i + 8]);
    return z.v;
}
VM_INLINE v128 sem_i16x8_extadd_pairwise_i8x16_u(v128 v)
{
    LANES(u8, 16) x = {.v = v};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++) z.l[i] = (u16)((u16)x.l[2 * i] + (u16)x.l[2 * i + 1]);
    return z.v;
}
V2(i32x4_add, u32, u32, 4, (u32)a + b)
V2(i32x4_sub, u32, u32, 4, (u32)a - b)
V2(i32x4_mul, u32, u32, 4, (u32)a *b)
V1(i32x4_neg, u32, u32, 4, (u32)0 - a)
V1(i32x4_abs, i32, u32, 4, a < 0 ? (u32)0 - (u32)a : (u32)a)
V2(i32x4_eq, u32, u32, 4, a == b ? -1 : 0)
V2(i32x4_ne, u32, u32, 4, a != b ? -1 : 0)
V2(i32x4_lt_s, i32, u32, 4, a < b ? -1 : 0)
V2(i32x4_lt_u, u32, u32, 4, a < b ? -1 : 0)
V2(i32x4_gt_s, i32, u32, 4, a > b ? -1 : 0)
V2(i32x4_gt_u, u32, u32, 4, a > b ? -1 : 0)
V2(i32x4_le_s, i32, u32, 4, a <= b ? -1 : 0)
V2(i32x4_le_u, u32, u32, 4, a <= b ? -1 : 0)
V2(i32x4_ge_s, i32, u32, 4, a >= b ? -1 : 0)
V2(i32x4_ge_u, u32, u32, 4, a >= b ? -1 : 0)
V2(i32x4_min_s, i32, i32, 4, a < b ? a : b)
V2(i32x4_min_u, u32, u32, 4, a < b ? a : b)
V2(i32x4_max_s, i32, i32, 4, a > b ? a : b)
V2(i32x4_max_u, u32, u32, 4, a > b ? a : b)
VS(i32x4_shl, u32, 32, (u32)a << s)
VS(i32x4_shr_u, u32, 32, a >> s)
VS(i32x4_shr_s, i32, 32, a >> s)
VM_INLINE u32 sem_i32x4_all_true(v128 v)
{
    LANES(u32, 4) x = {.v = v};
    u32 r = 1;
    for (u32 i = 0; i < 4; i++) r &= x.l[i] != 0;
    return r;
}
VM_INLINE u32 sem_i32x4_bitmask(v128 v)
{
    LANES(i32, 4) x = {.v = v};
    u32 r = 0;
    for (u32 i = 0; i < 4; i++) r |= (u32)(x.l[i] < 0) << i;
    return r;
}
VM_INLINE v128 sem_i32x4_splat(u32 a)
{
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (u32)a;
    return z.v;
}
VM_INLINE v128 sem_i32x4_replace_lane(v128 v, u32 a, u32 lane)
{
    LANES(u32, 4) z = {.v = v};
    z.l[lane & 3] = (u32)a;
    return z.v;
}
VM_INLINE u32 sem_i32x4_extract_lane(v128 v, u32 lane)
{
    LANES(u32, 4) z = {.v = v};
    return z.l[lane & 3];
}
VM_INLINE v128 sem_i32x4_extend_low_i16x8_s(v128 v)
{
    LANES(i16, 8) x = {.v = v};
    LANES(i32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = x.l[i + 0];
    return z.v;
}
VM_INLINE v128 sem_i32x4_extmul_low_i16x8_s(v128 v, v128 q)
{
    LANES(i16, 8) x = {.v = v}, y = {.v = q};
    LANES(i32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (i32)((i32)x.l[i + 0] * (i32)y.l[i + 0]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_extend_high_i16x8_s(v128 v)
{
    LANES(i16, 8) x = {.v = v};
    LANES(i32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = x.l[i + 4];
    return z.v;
}
VM_INLINE v128 sem_i32x4_extmul_high_i16x8_s(v128 v, v128 q)
{
    LANES(i16, 8) x = {.v = v}, y = {.v = q};
    LANES(i32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (i32)((i32)x.l[i + 4] * (i32)y.l[i + 4]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_s(v128 v)
{
    LANES(i16, 8) x = {.v = v};
    LANES(i32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (i32)((i32)x.l[2 * i] + (i32)x.l[2 * i + 1]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_extend_low_i16x8_u(v128 v)
{
    LANES(u16, 8) x = {.v = v};
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = x.l[i + 0];
    return z.v;
}
VM_INLINE v128 sem_i32x4_extmul_low_i16x8_u(v128 v, v128 q)
{
    LANES(u16, 8) x = {.v = v}, y = {.v = q};
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (u32)((u32)x.l[i + 0] * (u32)y.l[i + 0]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_extend_high_i16x8_u(v128 v)
{
    LANES(u16, 8) x = {.v = v};
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = x.l[i + 4];
    return z.v;
}
VM_INLINE v128 sem_i32x4_extmul_high_i16x8_u(v128 v, v128 q)
{
    LANES(u16, 8) x = {.v = v}, y = {.v = q};
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (u32)((u32)x.l[i + 4] * (u32)y.l[i + 4]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_extadd_pairwise_i16x8_u(v128 v)
{
    LANES(u16, 8) x = {.v = v};
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = (u32)((u32)x.l[2 * i] + (u32)x.l[2 * i + 1]);
    return z.v;
}
V2(i64x2_add, u64, u64, 2, (u64)a + b)
V2(i64x2_sub, u64, u64, 2, (u64)a - b)
V2(i64x2_mul, u64, u64, 2, (u64)a *b)
V1(i64x2_neg, u64, u64, 2, (u64)0 - a)
V1(i64x2_abs, i64, u64, 2, a < 0 ? (u64)0 - (u64)a : (u64)a)
V2(i64x2_eq, u64, u64, 2, a == b ? -1 : 0)
V2(i64x2_ne, u64, u64, 2, a != b ? -1 : 0)
V2(i64x2_lt_s, i64, u64, 2, a < b ? -1 : 0)
V2(i64x2_gt_s, i64, u64, 2, a > b ? -1 : 0)
V2(i64x2_le_s, i64, u64, 2, a <= b ? -1 : 0)
V2(i64x2_ge_s, i64, u64, 2, a >= b ? -1 : 0)
VS(i64x2_shl, u64, 64, (u64)a << s)
VS(i64x2_shr_u, u64, 64, a >> s)
VS(i64x2_shr_s, i64, 64, a >> s)
VM_INLINE u32 sem_i64x2_all_true(v128 v)
{
    LANES(u64, 2) x = {.v = v};
    u32 r = 1;
    for (u32 i = 0; i < 2; i++) r &= x.l[i] != 0;
    return r;
}
VM_INLINE u32 sem_i64x2_bitmask(v128 v)
{
    LANES(i64, 2) x = {.v = v};
    u32 r = 0;
    for (u32 i = 0; i < 2; i++) r |= (u32)(x.l[i] < 0) << i;
    return r;
}
VM_INLINE v128 sem_i64x2_splat(u64 a)
{
    LANES(u64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = (u64)a;
    return z.v;
}
VM_INLINE v128 sem_i64x2_replace_lane(v128 v, u64 a, u32 lane)
{
    LANES(u64, 2) z = {.v = v};
    z.l[lane & 1] = (u64)a;
    return z.v;
}
VM_INLINE u64 sem_i64x2_extract_lane(v128 v, u32 lane)
{
    LANES(u64, 2) z = {.v = v};
    return z.l[lane & 1];
}
VM_INLINE v128 sem_i64x2_extend_low_i32x4_s(v128 v)
{
    LANES(i32, 4) x = {.v = v};
    LANES(i64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = x.l[i + 0];
    return z.v;
}
VM_INLINE v128 sem_i64x2_extmul_low_i32x4_s(v128 v, v128 q)
{
    LANES(i32, 4) x = {.v = v}, y = {.v = q};
    LANES(i64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = (i64)((i64)x.l[i + 0] * (i64)y.l[i + 0]);
    return z.v;
}
VM_INLINE v128 sem_i64x2_extend_high_i32x4_s(v128 v)
{
    LANES(i32, 4) x = {.v = v};
    LANES(i64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = x.l[i + 2];
    return z.v;
}
VM_INLINE v128 sem_i64x2_extmul_high_i32x4_s(v128 v, v128 q)
{
    LANES(i32, 4) x = {.v = v}, y = {.v = q};
    LANES(i64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = (i64)((i64)x.l[i + 2] * (i64)y.l[i + 2]);
    return z.v;
}
VM_INLINE v128 sem_i64x2_extend_low_i32x4_u(v128 v)
{
    LANES(u32, 4) x = {.v = v};
    LANES(u64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = x.l[i + 0];
    return z.v;
}
VM_INLINE v128 sem_i64x2_extmul_low_i32x4_u(v128 v, v128 q)
{
    LANES(u32, 4) x = {.v = v}, y = {.v = q};
    LANES(u64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = (u64)((u64)x.l[i + 0] * (u64)y.l[i + 0]);
    return z.v;
}
VM_INLINE v128 sem_i64x2_extend_high_i32x4_u(v128 v)
{
    LANES(u32, 4) x = {.v = v};
    LANES(u64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = x.l[i + 2];
    return z.v;
}
VM_INLINE v128 sem_i64x2_extmul_high_i32x4_u(v128 v, v128 q)
{
    LANES(u32, 4) x = {.v = v}, y = {.v = q};
    LANES(u64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = (u64)((u64)x.l[i + 2] * (u64)y.l[i + 2]);
    return z.v;
}
V1(i8x16_popcnt, u8, u8, 16, __builtin_popcount(a))
V2(i16x8_q15mulr_sat_s, i16, i16, 8, vec_sat((a * b + 0x4000) >> 15, -32768, 32767))
VM_INLINE v128 sem_i32x4_dot_i16x8_s(v128 v, v128 q)
{
    LANES(i16, 8) x = {.v = v}, y = {.v = q};
    LANES(u32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++)
        z.l[i] = (u32)(x.l[2 * i] * y.l[2 * i]) + (u32)(x.l[2 * i + 1] * y.l[2 * i + 1]);
    return z.v;
}
VM_INLINE v128 sem_v128_not(v128 a) { return ~a; }
VM_INLINE v128 sem_v128_and(v128 a, v128 b) { return a & b; }
VM_INLINE v128 sem_v128_andnot(v128 a, v128 b) { return a & ~b; }
VM_INLINE v128 sem_v128_or(v128 a, v128 b) { return a | b; }
VM_INLINE v128 sem_v128_xor(v128 a, v128 b) { return a ^ b; }
VM_INLINE v128 sem_v128_bitselect(v128 a, v128 b, v128 c) { return (a & c) | (b & ~c); }
VM_INLINE u32 sem_v128_any_true(v128 a) { return (a[0] | a[1]) != 0; }
VM_INLINE v128 sem_i8x16_swizzle(v128 v, v128 s)
{
    LANES(u8, 16) x = {.v = v}, y = {.v = s}, z = {.v = {0, 0}};
    for (u32 i = 0; i < 16; i++) z.l[i] = y.l[i] < 16 ? x.l[y.l[i] & 15] : 0;
    return z.v;
}
VM_INLINE v128 sem_i8x16_shuffle(v128 v, v128 w, v128 s)
{
    LANES(u8, 16) x = {.v = v}, q = {.v = w}, y = {.v = s}, z = {.v = {0, 0}};
    for (u32 i = 0; i < 16; i++) z.l[i] = y.l[i] < 16 ? x.l[y.l[i] & 15] : q.l[y.l[i] & 15];
    return z.v;
}

VM_INLINE v128 sem_f32x4_splat(f32 a)
{
    LANES(f32, 4) z = {.v = {0, 0}};
    for (u32 i = 0; i < 4; i++) z.l[i] = a;
    return z.v;
}
VM_INLINE f32 sem_f32x4_extract_lane(v128 v, u32 lane)
{
    LANES(f32, 4) z = {.v = v};
    return z.l[lane & 3];
}
VM_INLINE v128 sem_f32x4_replace_lane(v128 v, f32 a, u32 lane)
{
    LANES(f32, 4) z = {.v = v};
    z.l[lane & 3] = a;
    return z.v;
}
V1(f32x4_abs, f32, f32, 4, sem_f32_abs(a))
V1(f32x4_neg, f32, f32, 4, sem_f32_neg(a))
V1(f32x4_sqrt, f32, f32, 4, sem_f32_sqrt(a))
V1(f32x4_ceil, f32, f32, 4, sem_f32_ceil(a))
V1(f32x4_floor, f32, f32, 4, sem_f32_floor(a))
V1(f32x4_trunc, f32, f32, 4, sem_f32_trunc(a))
V1(f32x4_nearest, f32, f32, 4, sem_f32_nearest(a))
V2(f32x4_add, f32, f32, 4, sem_f32_add(a, b))
V2(f32x4_sub, f32, f32, 4, sem_f32_sub(a, b))
V2(f32x4_mul, f32, f32, 4, sem_f32_mul(a, b))
V2(f32x4_div, f32, f32, 4, sem_f32_div(a, b))
V2(f32x4_min, f32, f32, 4, sem_f32_min(a, b))
V2(f32x4_max, f32, f32, 4, sem_f32_max(a, b))
V2(f32x4_pmin, f32, f32, 4, b < a ? b : a)
V2(f32x4_pmax, f32, f32, 4, a < b ? b : a)
V2(f32x4_eq, f32, u32, 4, a == b ? -1 : 0)
V2(f32x4_ne, f32, u32, 4, a != b ? -1 : 0)
V2(f32x4_lt, f32, u32, 4, a < b ? -1 : 0)
V2(f32x4_gt, f32, u32, 4, a > b ? -1 : 0)
V2(f32x4_le, f32, u32, 4, a <= b ? -1 : 0)
V2(f32x4_ge, f32, u32, 4, a >= b ? -1 : 0)
V3(f32x4_relaxed_madd, f32, 4, a *b + c)
V3(f32x4_relaxed_nmadd, f32, 4, -(a *b) + c)
#define sem_f32x4_relaxed_min sem_f32x4_min
#define sem_f32x4_relaxed_max sem_f32x4_max
VM_INLINE v128 sem_f64x2_splat(f64 a)
{
    LANES(f64, 2) z = {.v = {0, 0}};
    for (u32 i = 0; i < 2; i++) z.l[i] = a;
    return z.v;
}
VM_INLINE f64 sem_f64x2_extract_lane(v128 v, u32 lane)
{
    LANES(f64, 2) z = {.v = v};
    return z.l[lane & 1];
}
VM_INLINE v128 sem_f64x2_replace_lane(v128 v, f64 a, u32 lane)
{
    LANES(f64, 2) z = {.v = v};
    z.l[lane & 1] = a;
    return z.v;
}
V1(f64x2_abs, f64, f64, 2, sem_f64_abs(a))
V1(f64x2_neg, f64, f64, 2, sem_f64_neg(a))
V1(f64x2_sqrt, f64, f64, 2, sem_f64_sqrt(a))
V1(f64x2_ceil, f64, f64, 2, sem_f64_ceil(a))
V1(f64x2_floor, f64, f64, 2, sem_f64_floor(a))
V1(f64x2_trunc, f64, f64, 2, sem_f64_trunc(a))
V1(f64x2_nearest, f64, f64, 2, sem_f64_nearest(a))
V2(f64x2_add, f64, f64, 2, sem_f64_add(a, b))
V2(f64x2_sub, f64, f64, 2, sem_f64_sub(a, b))
V2(f64x2_mul, f64, f64, 2, sem_f64_mul(a, b))
V2(f64x2_div, f64, f64, 2, sem_f64_div(a, b))
V2(f64x2_min, f64, f64, 2, sem_f64_min(a, b))
V2(f64x2_max, f64, f64, 2, sem_f64_max(a, b))
V2(f64x2_pmin, f64, f64, 2, b < a ? b : a)
V2(f64x2_pmax, f64, f64, 2, a < b ? b : a)
V2(f64x2_eq, f64, u64, 2, a == b ? -1 : 0)
V2(f64x2_ne, f64, u64, 2, a != b ? -1 : 0)
V2(f64x2_lt, f64, u64, 2, a < b ? -1 : 0)
V2(f64x2_gt, f64, u64, 2, a > b ? -1 : 0)
V2(f64x2_le, f64, u64, 2, a <= b ? -1 : 0)
V2(f64x2_ge, f64, u64, 2, a >= b ? -1 : 0)
V3(f64x2_relaxed_madd, f64, 2, a *b + c)
V3(f64x2_relaxed_nmadd, f64, 2, -(a *b) + c)
#define sem_f64x2_relaxed_min sem_f64x2_min
#define sem_f64x2_relaxed_max sem_f64x2_max
V1(i32x4_trunc_sat_f32x4_s, f32, u32, 4, sem_i32_trunc_sat_f32_s(a))
V1(i32x4_trunc_sat_f32x4_u, f32, u32, 4, sem_i32_trunc_sat_f32_u(a))
V1(i32x4_trunc_sat_f64x2_s_zero, f64, u32, 2, sem_i32_trunc_sat_f64_s(a))
V1(i32x4_trunc_sat_f64x2_u_zero, f64, u32, 2, sem_i32_trunc_sat_f64_u(a))
V1(f32x4_convert_i32x4_s, u32, f32, 4, sem_f32_convert_i32_s(a))
V1(f32x4_convert_i32x4_u, u32, f32, 4, sem_f32_convert_i32_u(a))
V1(f64x2_convert_low_i32x4_s, u32, f64, 2, sem_f64_convert_i32_s(a))
V1(f64x2_convert_low_i32x4_u, u32, f64, 2, sem_f64_convert_i32_u(a))
V1(f32x4_demote_f64x2_zero, f64, f32, 2, sem_f32_demote_f64(a))
V1(f64x2_promote_low_f32x4, f32, f64, 2, sem_f64_promote_f32(a))
#define sem_i8x16_relaxed_swizzle sem_i8x16_swizzle
#define sem_i32x4_relaxed_trunc_f32x4_s sem_i32x4_trunc_sat_f32x4_s
#define sem_i32x4_relaxed_trunc_f32x4_u sem_i32x4_trunc_sat_f32x4_u
#define sem_i32x4_relaxed_trunc_f64x2_s_zero sem_i32x4_trunc_sat_f64x2_s_zero
#define sem_i32x4_relaxed_trunc_f64x2_u_zero sem_i32x4_trunc_sat_f64x2_u_zero
#define sem_i8x16_relaxed_laneselect sem_v128_bitselect
#define sem_i16x8_relaxed_laneselect sem_v128_bitselect
#define sem_i32x4_relaxed_laneselect sem_v128_bitselect
#define sem_i64x2_relaxed_laneselect sem_v128_bitselect
#define sem_i16x8_relaxed_q15mulr_s sem_i16x8_q15mulr_sat_s
VM_INLINE v128 sem_i16x8_relaxed_dot_i8x16_i7x16_s(v128 v, v128 q)
{
    LANES(i8, 16) x = {.v = v}, y = {.v = q};
    LANES(u16, 8) z = {.v = {0, 0}};
    for (u32 i = 0; i < 8; i++)
        z.l[i] = (u16)(x.l[2 * i] * y.l[2 * i] + x.l[2 * i + 1] * y.l[2 * i + 1]);
    return z.v;
}
VM_INLINE v128 sem_i32x4_relaxed_dot_i8x16_i7x16_add_s(v128 v, v128 q, v128 c)
{
    return sem_i32x4_add(
        sem_i32x4_extadd_pairwise_i16x8_s(sem_i16x8_relaxed_dot_i8x16_i7x16_s(v, q)), c);
}
#define sem_v128_load8x8_s(v) sem_i16x8_extend_low_i8x16_s((v128){v, 0})
#define sem_v128_load8x8_u(v) sem_i16x8_extend_low_i8x16_u((v128){v, 0})
#define sem_v128_load16x4_s(v) sem_i32x4_extend_low_i16x8_s((v128){v, 0})
#define sem_v128_load16x4_u(v) sem_i32x4_extend_low_i16x8_u((v128){v, 0})
#define sem_v128_load32x2_s(v) sem_i64x2_extend_low_i32x4_s((v128){v, 0})
#define sem_v128_load32x2_u(v) sem_i64x2_extend_low_i32x4_u((v128){v, 0})
#define sem_v128_load8_splat sem_i8x16_splat
#define sem_v128_load16_splat sem_i16x8_splat
#define sem_v128_load32_splat sem_i32x4_splat
#define sem_v128_load64_splat sem_i64x2_splat
#define sem_v128_load32_zero(v) ((v128){v, 0})
#define sem_v128_load64_zero(v) ((v128){v, 0})
#define sem_v128_load8_lane sem_i8x16_replace_lane
#define sem_v128_load16_lane sem_i16x8_replace_lane
#define sem_v128_load32_lane sem_i32x4_replace_lane
#define sem_v128_load64_lane sem_i64x2_replace_lane
#define sem_v128_store8_lane sem_i8x16_extract_lane_u
#define sem_v128_store16_lane sem_i16x8_extract_lane_u
#define sem_v128_store32_lane sem_i32x4_extract_lane
#define sem_v128_store64_lane sem_i64x2_extract_lane
#endif