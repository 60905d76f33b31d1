/* SPDX-License-Identifier: Apache-2.0 */
/* Numeric instructions as the spec words them, with the C library's mathematics. */
#include "ref_interp.h"

#include "isa/opcode.h"

#include <math.h>
#include <string.h>

static f32 to_f32(u64 bits)
{
    u32 b = (u32)bits;
    f32 f;
    memcpy(&f, &b, sizeof f);
    return f;
}

static f64 to_f64(u64 bits)
{
    f64 f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/** A result: any NaN among them is open. */
static struct ref_val f32_val(f32 f)
{
    u32 b;
    if (f != f) return (struct ref_val){.bits = 0x7fc00000, .open = 1};
    memcpy(&b, &f, sizeof b);
    return (struct ref_val){.bits = b};
}

static struct ref_val f64_val(f64 f)
{
    u64 b;
    if (f != f) return (struct ref_val){.bits = 0x7ff8000000000000, .open = 1};
    memcpy(&b, &f, sizeof b);
    return (struct ref_val){.bits = b};
}

/* ---- integers; `w` is the width in bits. spec exec-iop */

static u64 mask(u32 w) { return w == 64 ? UINT64_MAX : UINT32_MAX; }

static i64 as_signed(u64 v, u32 w)
{
    u64 sign = (u64)1 << (w - 1);
    return (i64)((v ^ sign) - sign);
}

static u64 count_leading(u64 v, u32 w)
{
    u32 n = 0;
    while (n < w && !(v >> (w - 1 - n) & 1)) n++;
    return n;
}

static u64 count_trailing(u64 v, u32 w)
{
    u32 n = 0;
    while (n < w && !(v >> n & 1)) n++;
    return n;
}

static u64 count_ones(u64 v)
{
    u64 n = 0;
    for (; v; v >>= 1) n += v & 1;
    return n;
}

static u64 rotate_left(u64 v, u64 by, u32 w)
{
    for (by %= w; by; by--) v = (v << 1 | (v >> (w - 1) & 1)) & mask(w);
    return v;
}

static u64 shift_right_signed(u64 v, u64 by, u32 w)
{
    bool negative = v >> (w - 1) & 1;
    for (by %= w; by; by--) v = v >> 1 | (negative ? (u64)1 << (w - 1) : 0);
    return v;
}

/** spec op-idiv_s, op-irem_s: towards zero; the sign of a remainder is the dividend's. */
static u64 divide_signed(struct ref_num *n, u32 w, bool remainder)
{
    i64 a = as_signed(n->a.bits, w), b = as_signed(n->b.bits, w);
    u64 ua = a < 0 ? -(u64)a : (u64)a, ub = b < 0 ? -(u64)b : (u64)b;
    if (b == 0) {
        n->trap = VM_TRAP_DIV_ZERO;
        return 0;
    }
    if (remainder) return a < 0 ? -(ua % ub) : ua % ub;
    u64 q = ua / ub;
    if ((a < 0) != (b < 0)) return -q;
    if (q == (u64)1 << (w - 1)) n->trap = VM_TRAP_INT_OVERFLOW;
    return q;
}

static u64 divide_unsigned(struct ref_num *n, bool remainder)
{
    if (n->b.bits == 0) {
        n->trap = VM_TRAP_DIV_ZERO;
        return 0;
    }
    return remainder ? n->a.bits % n->b.bits : n->a.bits / n->b.bits;
}

/** Both widths share their order in the table: `k` is the distance from clz. */
static u64 int_op(struct ref_num *n, u32 k, u32 w)
{
    u64 a = n->a.bits, b = n->b.bits;
    switch (k) {
    case 0: return count_leading(a, w);
    case 1: return count_trailing(a, w);
    case 2: return count_ones(a);
    case 3: return a + b;
    case 4: return a - b;
    case 5: return a * b;
    case 6: return divide_signed(n, w, false);
    case 7: return divide_unsigned(n, false);
    case 8: return divide_signed(n, w, true);
    case 9: return divide_unsigned(n, true);
    case 10: return a & b;
    case 11: return a | b;
    case 12: return a ^ b;
    case 13: return a << b % w;
    case 14: return shift_right_signed(a, b, w);
    case 15: return a >> b % w;
    case 16: return rotate_left(a, b, w);
    default: return rotate_left(a, w - b % w, w);
    }
}
_Static_assert(VM_OP_I32_ROTR - VM_OP_I32_CLZ == 17 && VM_OP_I64_ROTR - VM_OP_I64_CLZ == 17 &&
                   VM_OP_I32_ADD - VM_OP_I32_CLZ == 3 && VM_OP_I32_AND - VM_OP_I32_CLZ == 10 &&
                   VM_OP_I32_SHR_U - VM_OP_I32_CLZ == 15,
               "rows in the order of their codes");

/** Comparisons behind eq: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u. */
static bool int_compare(const struct ref_num *n, u32 k, u32 w)
{
    i64 a = as_signed(n->a.bits, w), b = as_signed(n->b.bits, w);
    switch (k) {
    case 0: return n->a.bits == n->b.bits;
    case 1: return n->a.bits != n->b.bits;
    case 2: return a < b;
    case 3: return n->a.bits < n->b.bits;
    case 4: return a > b;
    case 5: return n->a.bits > n->b.bits;
    case 6: return a <= b;
    case 7: return n->a.bits <= n->b.bits;
    case 8: return a >= b;
    default: return n->a.bits >= n->b.bits;
    }
}
_Static_assert(VM_OP_I32_GE_U - VM_OP_I32_EQ == 9 && VM_OP_I64_GE_U - VM_OP_I64_EQ == 9 &&
                   VM_OP_F32_GE - VM_OP_F32_EQ == 5 && VM_OP_F64_GE - VM_OP_F64_EQ == 5,
               "rows in the order of their codes");

/** eq ne lt gt le ge; f32 is exact as f64. */
static bool float_compare(f64 a, f64 b, u32 k)
{
    switch (k) {
    case 0: return a == b;
    case 1: return a != b;
    case 2: return a < b;
    case 3: return a > b;
    case 4: return a <= b;
    default: return a >= b;
    }
}

/* ---- floats: abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign */

static struct ref_val sign_op(const struct ref_num *n, u64 sign, u32 k)
{
    struct ref_val v = n->a; /* an open NaN stays one */
    if (k == 0) v.bits &= ~sign;
    if (k == 1) v.bits ^= sign;
    if (k == 13) v.bits = (v.bits & ~sign) | (n->b.bits & sign);
    return v;
}

static f64 f64_min(f64 a, f64 b)
{
    if (a != a || b != b) return (f64)NAN;
    if (a == 0 && b == 0) return signbit(a) ? a : b;
    return a < b ? a : b;
}

static f64 f64_max(f64 a, f64 b)
{
    if (a != a || b != b) return (f64)NAN;
    if (a == 0 && b == 0) return signbit(a) ? b : a;
    return a > b ? a : b;
}

static f32 f32_op(f32 a, f32 b, u32 k)
{
    switch (k) {
    case 2: return ceilf(a);
    case 3: return floorf(a);
    case 4: return truncf(a);
    case 5: return nearbyintf(a);
    case 6: return sqrtf(a);
    case 7: return a + b;
    case 8: return a - b;
    case 9: return a * b;
    case 10: return a / b;
    case 11: return (f32)f64_min((f64)a, (f64)b);
    default: return (f32)f64_max((f64)a, (f64)b);
    }
}

static f64 f64_op(f64 a, f64 b, u32 k)
{
    switch (k) {
    case 2: return ceil(a);
    case 3: return floor(a);
    case 4: return trunc(a);
    case 5: return nearbyint(a);
    case 6: return sqrt(a);
    case 7: return a + b;
    case 8: return a - b;
    case 9: return a * b;
    case 10: return a / b;
    case 11: return f64_min(a, b);
    default: return f64_max(a, b);
    }
}
_Static_assert(VM_OP_F32_COPYSIGN - VM_OP_F32_ABS == 13 && VM_OP_F32_SQRT - VM_OP_F32_ABS == 6 &&
                   VM_OP_F64_COPYSIGN - VM_OP_F64_ABS == 13 && VM_OP_F64_SQRT - VM_OP_F64_ABS == 6,
               "rows in the order of their codes");

static struct ref_val float_op(struct ref_num *n, u32 k, bool wide)
{
    if (k < 2 || k == 13) {
        if (k == 13 && n->b.open) n->leaked = true;
        return sign_op(n, wide ? (u64)1 << 63 : (u64)1 << 31, k);
    }
    return wide ? f64_val(f64_op(to_f64(n->a.bits), to_f64(n->b.bits), k))
                : f32_val(f32_op(to_f32(n->a.bits), to_f32(n->b.bits), k));
}

/* ---- conversions */

/** spec op-trunc: a float towards zero as an integer of `w` bits, trapping or saturating. */
static u64 truncate_to(struct ref_num *n, f64 x, u32 w, int how)
{
    enum { SIGNED = 1, SATURATE = 2 };
    f64 top = ldexp(1, (int)w - (how & SIGNED ? 1 : 0)), t = trunc(x);
    if (x != x) {
        if (!(how & SATURATE)) n->trap = VM_TRAP_INT_CONVERSION;
        return 0;
    }
    bool low = how & SIGNED ? t < -top : t < 0;
    if (low || t >= top) {
        if (!(how & SATURATE)) n->trap = VM_TRAP_INT_OVERFLOW;
        if (how & SIGNED) return low ? (u64)1 << (w - 1) : ((u64)1 << (w - 1)) - 1;
        return low ? 0 : mask(w);
    }
    return how & SIGNED ? (u64)(i64)t & mask(w) : (u64)t;
}

#define TRUNC(T, F)                                                                                \
    case VM_OP_I##T##_TRUNC_F##F##_S: n->out.bits = truncate_to(n, x##F, T, 1); return true;       \
    case VM_OP_I##T##_TRUNC_F##F##_U: n->out.bits = truncate_to(n, x##F, T, 0); return true;       \
    case VM_OP_I##T##_TRUNC_SAT_F##F##_S: n->out.bits = truncate_to(n, x##F, T, 3); return true;   \
    case VM_OP_I##T##_TRUNC_SAT_F##F##_U: n->out.bits = truncate_to(n, x##F, T, 2); return true;

static u64 extend(u64 v, u32 from, u32 w)
{
    v &= ((u64)1 << from) - 1;
    return (u64)as_signed(v, from) & mask(w);
}

static bool conversion(u32 op, struct ref_num *n)
{
    u64 a = n->a.bits;
    f64 x32 = (f64)to_f32(a), x64 = to_f64(a);
    switch (op) {
        TRUNC(32, 32)
        TRUNC(32, 64)
        TRUNC(64, 32)
        TRUNC(64, 64)
    case VM_OP_I32_WRAP_I64: n->out.bits = (u32)a; return true;
    case VM_OP_I64_EXTEND_I32_U: n->out.bits = a; return true;
    case VM_OP_I64_EXTEND_I32_S:
    case VM_OP_I64_EXTEND32_S: n->out.bits = extend(a, 32, 64); return true;
    case VM_OP_I32_EXTEND8_S: n->out.bits = extend(a, 8, 32); return true;
    case VM_OP_I32_EXTEND16_S: n->out.bits = extend(a, 16, 32); return true;
    case VM_OP_I64_EXTEND8_S: n->out.bits = extend(a, 8, 64); return true;
    case VM_OP_I64_EXTEND16_S: n->out.bits = extend(a, 16, 64); return true;
    case VM_OP_F32_CONVERT_I32_S: n->out = f32_val((f32)(i32)(u32)a); return true;
    case VM_OP_F32_CONVERT_I32_U: n->out = f32_val((f32)(u32)a); return true;
    case VM_OP_F32_CONVERT_I64_S: n->out = f32_val((f32)(i64)a); return true;
    case VM_OP_F32_CONVERT_I64_U: n->out = f32_val((f32)a); return true;
    case VM_OP_F64_CONVERT_I32_S: n->out = f64_val((f64)(i32)(u32)a); return true;
    case VM_OP_F64_CONVERT_I32_U: n->out = f64_val((f64)(u32)a); return true;
    case VM_OP_F64_CONVERT_I64_S: n->out = f64_val((f64)(i64)a); return true;
    case VM_OP_F64_CONVERT_I64_U: n->out = f64_val((f64)a); return true;
    case VM_OP_F32_DEMOTE_F64: n->out = f32_val((f32)x64); return true;
    case VM_OP_F64_PROMOTE_F32: n->out = f64_val(x32); return true;
    case VM_OP_I32_REINTERPRET_F32:
    case VM_OP_I64_REINTERPRET_F64:
        n->leaked |= n->a.open != 0;
        n->out.bits = a;
        return true;
    case VM_OP_F32_REINTERPRET_I32:
    case VM_OP_F64_REINTERPRET_I64: n->out.bits = a; return true;
    default: return false;
    }
}

/* ---- 128 bits in two halves: wide-arithmetic */

/** By halves of 32 bits, as on paper. */
static void multiply_wide(const u64 v[2], u64 out[2])
{
    u64 a0 = (u32)v[0], a1 = v[0] >> 32, b0 = (u32)v[1], b1 = v[1] >> 32;
    u64 middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (u32)middle;
    out[0] = v[0] * v[1];
    out[1] = a1 * b1 + (middle >> 32) + (other >> 32);
}

bool ref_wide(u32 op, u64 v[4])
{
    u64 out[2], borrow = v[0] < v[2];
    switch (op) {
    case VM_OP_I64_ADD128:
        out[0] = v[0] + v[2];
        out[1] = v[1] + v[3] + (out[0] < v[0]);
        break;
    case VM_OP_I64_SUB128:
        out[0] = v[0] - v[2];
        out[1] = v[1] - v[3] - borrow;
        break;
    case VM_OP_I64_MUL_WIDE_S:
    case VM_OP_I64_MUL_WIDE_U:
        multiply_wide(v, out);
        if (op == VM_OP_I64_MUL_WIDE_U) break;
        if (v[0] >> 63) out[1] -= v[1];
        if (v[1] >> 63) out[1] -= v[0];
        break;
    default: return false;
    }
    v[0] = out[0];
    v[1] = out[1];
    return true;
}

/* ---- choosing */

static bool within(u32 op, u32 first, u32 last, u32 *k)
{
    *k = op - first;
    return op >= first && op <= last;
}

u32 ref_num_arity(u32 op) { return vm_op_sig((vm_op)op)[1] == ':' ? 1 : 2; }

bool ref_num(u32 op, struct ref_num *n)
{
    u32 k;
    n->out = (struct ref_val){0};
    if (within(op, VM_OP_I32_CLZ, VM_OP_I32_ROTR, &k))
        n->out.bits = (u32)int_op(n, k, 32);
    else if (within(op, VM_OP_I64_CLZ, VM_OP_I64_ROTR, &k))
        n->out.bits = int_op(n, k, 64);
    else if (within(op, VM_OP_I32_EQ, VM_OP_I32_GE_U, &k))
        n->out.bits = int_compare(n, k, 32);
    else if (within(op, VM_OP_I64_EQ, VM_OP_I64_GE_U, &k))
        n->out.bits = int_compare(n, k, 64);
    else if (within(op, VM_OP_F32_EQ, VM_OP_F32_GE, &k))
        n->out.bits = float_compare((f64)to_f32(n->a.bits), (f64)to_f32(n->b.bits), k);
    else if (within(op, VM_OP_F64_EQ, VM_OP_F64_GE, &k))
        n->out.bits = float_compare(to_f64(n->a.bits), to_f64(n->b.bits), k);
    else if (within(op, VM_OP_F32_ABS, VM_OP_F32_COPYSIGN, &k))
        n->out = float_op(n, k, false);
    else if (within(op, VM_OP_F64_ABS, VM_OP_F64_COPYSIGN, &k))
        n->out = float_op(n, k, true);
    else if (op == VM_OP_I32_EQZ || op == VM_OP_I64_EQZ)
        n->out.bits = n->a.bits == 0;
    else
        return conversion(op, n);
    return true;
}
