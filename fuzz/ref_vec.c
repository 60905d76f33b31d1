/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector instructions lane by lane over bytes. Which one it is follows from its mnemonic; lanes of
 * floats are the scalar instructions of ref_num.c. What relaxed instructions leave open is chosen
 * as docs/decisions says: they are their strict namesakes, and madd rounds twice.
 *
 * A vector's `open` has bit i for lane i of f32x4 and bit 4+i for lane i of f64x2: a NaN whose bits
 * are open. Instructions of another shape that read such a lane leak.
 */
#include "ref_machine.h"

#include <string.h>

struct vec {
    u8 b[16];
    u8 open;
};

/** One instruction: operands as they were pushed, what it makes, its lanes. */
struct job {
    u32 op;
    const char *fn; /* mnemonic behind the point */
    u32 size, lanes; /* bytes of a lane of the shape before the point */
    bool is_float;
    struct ref_val in[3];
    struct vec a, b, c, out;
    struct ref_val scalar; /* result, when it is none of vectors */
    const u8 *imm;
    bool leaked;
};

/* ---- lanes */

static u64 get(const struct vec *v, u32 size, u32 i)
{
    u64 x = 0;
    for (u32 k = 0; k < size; k++) x |= (u64)v->b[i * size + k] << 8 * k;
    return x;
}

static i64 sign_extend(u64 x, u32 size)
{
    u64 sign = (u64)1 << (8 * size - 1);
    return (i64)((x ^ sign) - sign);
}

static i64 get_s(const struct vec *v, u32 size, u32 i)
{
    return sign_extend(get(v, size, i), size);
}

static void put(struct vec *v, u32 size, u32 i, u64 x)
{
    for (u32 k = 0; k < size; k++) v->b[i * size + k] = (u8)(x >> 8 * k);
}

static struct vec unpack(struct ref_val v)
{
    struct vec out = {.open = v.open};
    put(&out, 8, 0, v.bits);
    put(&out, 8, 1, v.high);
    return out;
}

static struct ref_val pack(const struct vec *v)
{
    return (struct ref_val){.bits = get(v, 8, 0), .high = get(v, 8, 1), .open = v->open};
}

static u8 open_bit(u32 size, u32 i) { return (u8)(size == 4 ? 1 << i : 16 << i); }
/** Lanes of the other float shape. */
static u8 foreign(u32 size) { return size == 4 ? 0x30 : 0x0f; }
/** The lane of each shape that byte `i` is in. */
static u8 open_at(u32 i) { return (u8)(open_bit(4, i / 4) | open_bit(8, i / 8)); }

static void see(struct job *j, const struct vec *v) { j->leaked |= v->open != 0; }

static u64 clamp(i64 x, i64 low, i64 high) { return (u64)(x < low ? low : x > high ? high : x); }
static u64 clamp_s(i64 x, u32 size)
{
    i64 top = (i64)1 << (8 * size - 1);
    return clamp(x, -top, top - 1);
}
static u64 clamp_u(i64 x, u32 size) { return clamp(x, 0, ((i64)1 << 8 * size) - 1); }

static bool is(const struct job *j, const char *fn) { return strcmp(j->fn, fn) == 0; }
static bool starts(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }
static bool ends_u(const char *s)
{
    usize n = strlen(s);
    return strcmp(s + n - 2, "_u") == 0 || (n > 7 && strcmp(s + n - 7, "_u_zero") == 0);
}

/* ---- integers: two operands. spec op-iadd and on */

static const char *const int2[] = {"add",       "sub",       "mul",           "eq",
                                   "ne",        "lt_s",      "lt_u",          "gt_s",
                                   "gt_u",      "le_s",      "le_u",          "ge_s",
                                   "ge_u",      "min_s",     "min_u",         "max_s",
                                   "max_u",     "avgr_u",    "add_sat_s",     "add_sat_u",
                                   "sub_sat_s", "sub_sat_u", "q15mulr_sat_s", "relaxed_q15mulr_s"};

static u64 int2_lane(u32 k, u32 size, u64 a, u64 b)
{
    i64 sa = sign_extend(a, size), sb = sign_extend(b, size), ua = (i64)a, ub = (i64)b;
    switch (k) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a == b ? UINT64_MAX : 0;
    case 4: return a != b ? UINT64_MAX : 0;
    case 5: return sa < sb ? UINT64_MAX : 0;
    case 6: return a < b ? UINT64_MAX : 0;
    case 7: return sa > sb ? UINT64_MAX : 0;
    case 8: return a > b ? UINT64_MAX : 0;
    case 9: return sa <= sb ? UINT64_MAX : 0;
    case 10: return a <= b ? UINT64_MAX : 0;
    case 11: return sa >= sb ? UINT64_MAX : 0;
    case 12: return a >= b ? UINT64_MAX : 0;
    case 13: return sa < sb ? a : b;
    case 14: return a < b ? a : b;
    case 15: return sa > sb ? a : b;
    case 16: return a > b ? a : b;
    case 17: return (a + b + 1) / 2;
    case 18: return clamp_s(sa + sb, size);
    case 19: return clamp_u(ua + ub, size);
    case 20: return clamp_s(sa - sb, size);
    case 21: return clamp_u(ua - ub, size);
    default: return clamp_s((sa * sb + 0x4000) >> 15, size);
    }
}

static bool int_binary(struct job *j)
{
    u32 k = 0;
    while (k < VM_COUNT(int2) && !is(j, int2[k])) k++;
    if (k == VM_COUNT(int2)) return false;
    see(j, &j->a);
    see(j, &j->b);
    for (u32 i = 0; i < j->lanes; i++)
        put(&j->out, j->size, i,
            int2_lane(k, j->size, get(&j->a, j->size, i), get(&j->b, j->size, i)));
    return true;
}

static bool int_unary(struct job *j)
{
    if (!is(j, "abs") && !is(j, "neg") && !is(j, "popcnt")) return false;
    see(j, &j->a);
    for (u32 i = 0; i < j->lanes; i++) {
        u64 x = get(&j->a, j->size, i), ones = 0;
        bool negate = is(j, "neg") || get_s(&j->a, j->size, i) < 0;
        for (u64 y = x; y; y >>= 1) ones += y & 1;
        put(&j->out, j->size, i, is(j, "popcnt") ? ones : negate ? -x : x);
    }
    return true;
}

static bool int_shift(struct job *j)
{
    if (!is(j, "shl") && !is(j, "shr_s") && !is(j, "shr_u")) return false;
    u32 by = (u32)j->in[1].bits % (8 * j->size);
    see(j, &j->a);
    for (u32 i = 0; i < j->lanes; i++) {
        u64 x = get(&j->a, j->size, i);
        i64 s = sign_extend(x, j->size);
        for (u32 n = by; n; n--) s = s < 0 ? -1 - (-1 - s) / 2 : s / 2;
        put(&j->out, j->size, i, is(j, "shl") ? x << by : is(j, "shr_s") ? (u64)s : x >> by);
    }
    return true;
}

/** The lane of half the width that makes lane i: of the low or the high half, by sign or not. */
static i64 half_lane(const struct job *j, const struct vec *v, u32 i)
{
    u32 half = j->size / 2, at = i + (strstr(j->fn, "_high_") ? j->lanes : 0);
    return ends_u(j->fn) ? (i64)get(v, half, at) : get_s(v, half, at);
}

static u64 dot_lane(const struct job *j, u32 i)
{
    u32 half = j->size / 2;
    i64 sum = get_s(&j->a, half, 2 * i) * get_s(&j->b, half, 2 * i) +
              get_s(&j->a, half, 2 * i + 1) * get_s(&j->b, half, 2 * i + 1);
    return (u64)(j->size == 2 && sum > INT16_MAX ? INT16_MAX : sum); /* i32x4.dot_i16x8_s wraps */
}

/** i16x8 lanes saturate, then neighbours are added, then the third operand. */
static u64 dot_add_lane(const struct job *j, u32 i)
{
    struct job narrow = *j;
    u64 sum = get(&j->c, 4, i);
    narrow.size = 2;
    for (u32 k = 2 * i; k < 2 * i + 2; k++)
        sum += (u64)sign_extend(dot_lane(&narrow, k) & 0xffff, 2);
    return sum;
}

static bool int_widening(struct job *j)
{
    static const char *const fns[] = {"extend_",
                                      "extmul_",
                                      "extadd_pairwise_",
                                      "dot_",
                                      "relaxed_dot_i8x16_i7x16_s",
                                      "relaxed_dot_i8x16_i7x16_add_s"};
    u32 k = 0, half = j->size / 2;
    while (k < VM_COUNT(fns) && !starts(j->fn, fns[k])) k++;
    if (k == VM_COUNT(fns)) return false;
    see(j, &j->a);
    if (k != 0 && k != 2) see(j, &j->b);
    if (k == 5) see(j, &j->c);
    for (u32 i = 0; i < j->lanes; i++) {
        u64 x;
        switch (k) {
        case 0: x = (u64)half_lane(j, &j->a, i); break;
        case 1: x = (u64)half_lane(j, &j->a, i) * (u64)half_lane(j, &j->b, i); break;
        case 2:
            x = ends_u(j->fn) ? get(&j->a, half, 2 * i) + get(&j->a, half, 2 * i + 1)
                              : (u64)(get_s(&j->a, half, 2 * i) + get_s(&j->a, half, 2 * i + 1));
            break;
        case 5: x = dot_add_lane(j, i); break;
        default: x = dot_lane(j, i); break;
        }
        put(&j->out, j->size, i, x);
    }
    return true;
}

static bool int_narrow(struct job *j)
{
    if (!starts(j->fn, "narrow_")) return false;
    see(j, &j->a);
    see(j, &j->b);
    for (u32 i = 0; i < j->lanes; i++) {
        bool first = i < j->lanes / 2;
        i64 x = get_s(first ? &j->a : &j->b, 2 * j->size, i - (first ? 0 : j->lanes / 2));
        put(&j->out, j->size, i, ends_u(j->fn) ? clamp_u(x, j->size) : clamp_s(x, j->size));
    }
    return true;
}

/** Answers an i32. */
static bool int_test(struct job *j)
{
    bool all = is(j, "all_true"), bits = is(j, "bitmask");
    if (!all && !bits) return false;
    see(j, &j->a);
    j->scalar.bits = all;
    for (u32 i = 0; i < j->lanes; i++) {
        u64 x = get(&j->a, j->size, i);
        if (all && x == 0) j->scalar.bits = 0;
        if (bits) j->scalar.bits |= (x >> (8 * j->size - 1) & 1) << i;
    }
    return true;
}

/* ---- floats: the scalar instruction on each lane */

/** The instruction "PREFIX.fn"; looked for once. */
static u32 scalar_op(u32 op, const char *prefix, const char *fn)
{
    static u16 known[VM_OP_COUNT];
    usize n = strlen(prefix);
    for (u32 k = 0; k < VM_OP_COUNT && !known[op]; k++) {
        const char *name = vm_op_name((vm_op)k);
        if (starts(name, prefix) && name[n] == '.' && strcmp(name + n + 1, fn) == 0)
            known[op] = (u16)k;
    }
    return known[op] ? known[op] : VM_OP_ILLEGAL;
}

static struct ref_val lane_val(struct job *j, const struct vec *v, u32 size, u32 i)
{
    j->leaked |= (v->open & foreign(size)) != 0;
    return (struct ref_val){.bits = get(v, size, i), .open = (v->open & open_bit(size, i)) != 0};
}

static void put_val(struct vec *v, u32 size, u32 i, struct ref_val x)
{
    put(v, size, i, x.bits);
    if (x.open) v->open |= open_bit(size, i);
}

static struct ref_val apply(struct job *j, u32 op, struct ref_val a, struct ref_val b)
{
    struct ref_num n = {.a = a, .b = b};
    if (!ref_num(op, &n)) n.leaked = true;
    j->leaked |= n.leaked;
    return n.out;
}

/** pmin: b < a ? b : a; pmax: a < b ? b : a; bits unchanged. */
static struct ref_val pseudo(struct job *j, struct ref_val a, struct ref_val b)
{
    u32 less = j->size == 4 ? VM_OP_F32_LT : VM_OP_F64_LT;
    bool max = is(j, "pmax");
    return apply(j, less, max ? a : b, max ? b : a).bits ? b : a;
}

static bool float_lanes(struct job *j)
{
    const char *fn = starts(j->fn, "relaxed_m") ? j->fn + strlen("relaxed_") : j->fn;
    bool p = is(j, "pmin") || is(j, "pmax");
    u32 op = p ? 0 : scalar_op(j->op, j->size == 4 ? "f32" : "f64", fn);
    if (op == VM_OP_ILLEGAL) return false;
    bool compares = !p && vm_op_sig((vm_op)op)[3] == 'i';
    for (u32 i = 0; i < j->lanes; i++) {
        struct ref_val a = lane_val(j, &j->a, j->size, i), b = a, x;
        if (p || ref_num_arity(op) == 2) b = lane_val(j, &j->b, j->size, i);
        x = p ? pseudo(j, a, b) : apply(j, op, a, b);
        if (compares && x.bits) x.bits = UINT64_MAX;
        put_val(&j->out, j->size, i, x);
    }
    return true;
}

static bool float_fused(struct job *j)
{
    bool negated = is(j, "relaxed_nmadd"), wide = j->size == 8;
    if (!negated && !is(j, "relaxed_madd")) return false;
    for (u32 i = 0; i < j->lanes; i++) {
        struct ref_val a = lane_val(j, &j->a, j->size, i);
        if (negated) a = apply(j, wide ? VM_OP_F64_NEG : VM_OP_F32_NEG, a, a);
        a = apply(j, wide ? VM_OP_F64_MUL : VM_OP_F32_MUL, a, lane_val(j, &j->b, j->size, i));
        a = apply(j, wide ? VM_OP_F64_ADD : VM_OP_F32_ADD, a, lane_val(j, &j->c, j->size, i));
        put_val(&j->out, j->size, i, a);
    }
    return true;
}

/** An instruction that converts the first lanes of one shape to lanes of another. */
struct conversion {
    const char *name;
    u32 op, from, to, lanes;
    bool is_int; /* what is converted */
};
static const struct conversion conversions[] = {
    {"i32x4.trunc_sat_f32x4_s", VM_OP_I32_TRUNC_SAT_F32_S, 4, 4, 4, false},
    {"i32x4.trunc_sat_f32x4_u", VM_OP_I32_TRUNC_SAT_F32_U, 4, 4, 4, false},
    {"i32x4.trunc_sat_f64x2_s_zero", VM_OP_I32_TRUNC_SAT_F64_S, 8, 4, 2, false},
    {"i32x4.trunc_sat_f64x2_u_zero", VM_OP_I32_TRUNC_SAT_F64_U, 8, 4, 2, false},
    {"i32x4.relaxed_trunc_f32x4_s", VM_OP_I32_TRUNC_SAT_F32_S, 4, 4, 4, false},
    {"i32x4.relaxed_trunc_f32x4_u", VM_OP_I32_TRUNC_SAT_F32_U, 4, 4, 4, false},
    {"i32x4.relaxed_trunc_f64x2_s_zero", VM_OP_I32_TRUNC_SAT_F64_S, 8, 4, 2, false},
    {"i32x4.relaxed_trunc_f64x2_u_zero", VM_OP_I32_TRUNC_SAT_F64_U, 8, 4, 2, false},
    {"f32x4.convert_i32x4_s", VM_OP_F32_CONVERT_I32_S, 4, 4, 4, true},
    {"f32x4.convert_i32x4_u", VM_OP_F32_CONVERT_I32_U, 4, 4, 4, true},
    {"f64x2.convert_low_i32x4_s", VM_OP_F64_CONVERT_I32_S, 4, 8, 2, true},
    {"f64x2.convert_low_i32x4_u", VM_OP_F64_CONVERT_I32_U, 4, 8, 2, true},
    {"f32x4.demote_f64x2_zero", VM_OP_F32_DEMOTE_F64, 8, 4, 2, false},
    {"f64x2.promote_low_f32x4", VM_OP_F64_PROMOTE_F32, 4, 8, 2, false},
};

static bool convert(struct job *j)
{
    const char *name = vm_op_name((vm_op)j->op);
    const struct conversion *c = conversions;
    while (c < conversions + VM_COUNT(conversions) && strcmp(c->name, name) != 0) c++;
    if (c == conversions + VM_COUNT(conversions)) return false;
    if (c->is_int) see(j, &j->a);
    for (u32 i = 0; i < c->lanes; i++) {
        struct ref_val x = lane_val(j, &j->a, c->from, i);
        put_val(&j->out, c->to, i, apply(j, c->op, x, x));
    }
    return true;
}

/* ---- lanes moved */

/**
 * Byte i of the result is byte `from` of `v`. A float lane stays open when it is moved as a whole;
 * any other use of its bytes shows them.
 */
static void move_byte(struct job *j, u32 i, const struct vec *v, u32 from)
{
    j->out.b[i] = v->b[from];
    for (u32 size = 4; size <= 8; size *= 2) {
        if (!(v->open & open_bit(size, from / size))) continue;
        u8 bit = open_bit(size, i / size);
        if (i % size != from % size) j->leaked = true;
        if (i % size == 0) j->out.open |= bit;
        if (!(j->out.open & bit)) j->leaked = true;
    }
}

/** Every byte of an open lane has to be one of such a lane: those of other origin show the rest. */
static void no_mixture(struct job *j, const u8 origin[16])
{
    for (u32 i = 0; i < 16; i++)
        for (u32 size = 4; size <= 8; size *= 2)
            if (j->out.open & open_bit(size, i / size) && !(origin[i] & foreign(12 - size)))
                j->leaked = true;
}

static bool shuffles(struct job *j)
{
    bool shuffle = is(j, "shuffle");
    u8 origin[16] = {0};
    if (!shuffle && !is(j, "swizzle") && !is(j, "relaxed_swizzle")) return false;
    if (!shuffle) see(j, &j->b);
    for (u32 i = 0; i < 16; i++) {
        u32 from = shuffle ? j->imm[i] : j->b.b[i];
        const struct vec *v = from < 16 ? &j->a : &j->b;
        if (!shuffle && from >= 16) continue; /* zero */
        move_byte(j, i, v, from % 16);
        origin[i] = v->open & open_at(from % 16);
    }
    no_mixture(j, origin);
    return true;
}

static bool is_mask_lane(const struct vec *m, u32 size, u32 i, u8 byte)
{
    for (u32 k = 0; k < size; k++)
        if (m->b[i * size + k] != byte) return false;
    return true;
}

/** Open lanes of `v` stay so where the mask takes them whole (all bytes `yes`). */
static void select_open(struct job *j, const struct vec *v, u8 yes)
{
    for (u32 size = 4; size <= 8; size *= 2)
        for (u32 i = 0; i < 16 / size; i++) {
            if (!(v->open & open_bit(size, i))) continue;
            if (is_mask_lane(&j->c, size, i, yes))
                j->out.open |= open_bit(size, i);
            else if (!is_mask_lane(&j->c, size, i, (u8)~yes))
                j->leaked = true;
        }
}

static bool bitwise(struct job *j)
{
    static const char *const fns[] = {"not", "and", "andnot", "or", "xor", "any_true"};
    u32 k = 0;
    if (is(j, "bitselect") || strstr(j->fn, "laneselect")) {
        see(j, &j->c);
        for (u32 i = 0; i < 16; i++)
            j->out.b[i] = (u8)((j->a.b[i] & j->c.b[i]) | (j->b.b[i] & ~j->c.b[i]));
        select_open(j, &j->a, 0xff);
        select_open(j, &j->b, 0);
        return true;
    }
    while (k < VM_COUNT(fns) && !is(j, fns[k])) k++;
    if (j->size != 16 || k == VM_COUNT(fns)) return false;
    see(j, &j->a);
    if (k >= 1 && k <= 4) see(j, &j->b);
    for (u32 i = 0; i < 16; i++) {
        u8 a = j->a.b[i], b = j->b.b[i];
        j->out.b[i] = (u8)(k == 0 ? ~a : k == 1 ? a & b : k == 2 ? a & ~b : k == 3 ? a | b : a ^ b);
        if (k == 5 && a) j->scalar.bits = 1;
    }
    return true;
}

/** Replaces a lane by bits that are not open. */
static void overwrite(struct job *j, struct vec *v, u32 size, u32 i, u64 x)
{
    for (u32 s = 4; s <= 8; s *= 2)
        for (u32 at = i * size; at < (i + 1) * size; at++) {
            u8 bit = open_bit(s, at / s);
            if (!(v->open & bit)) continue;
            if (size < s) j->leaked = true; /* the rest of it stays */
            v->open &= (u8)~bit;
        }
    put(v, size, i, x);
}

static bool single_lanes(struct job *j)
{
    u32 lane = j->imm ? *j->imm : 0;
    if (is(j, "splat")) {
        for (u32 i = 0; i < j->lanes; i++) put_val(&j->out, j->size, i, j->in[0]);
    } else if (is(j, "replace_lane")) {
        j->out = j->a;
        overwrite(j, &j->out, j->size, lane, j->in[1].bits);
        if (j->in[1].open) j->out.open |= open_bit(j->size, lane);
    } else if (starts(j->fn, "extract_lane") && j->is_float) {
        j->scalar = lane_val(j, &j->a, j->size, lane);
    } else if (starts(j->fn, "extract_lane")) {
        for (u32 k = 0; k < j->size; k++)
            j->leaked |= (j->a.open & open_at(lane * j->size + k)) != 0;
        j->scalar.bits =
            is(j, "extract_lane_s") ? (u32)get_s(&j->a, j->size, lane) : get(&j->a, j->size, lane);
    } else {
        return false;
    }
    return true;
}

/* ---- memory */

/** How v128.loadNxM_s reads: bytes, extended to twice as many. */
static void load_extended(struct vec *v, const u8 *from, const char *name)
{
    u32 size = name[9] == '8' ? 1 : name[9] == '1' ? 2 : 4; /* "v128.load8x8_s" */
    struct vec raw = {0};
    memcpy(raw.b, from, 8);
    for (u32 i = 0; i < 8 / size; i++)
        put(v, 2 * size, i, ends_u(name) ? get(&raw, size, i) : (u64)get_s(&raw, size, i));
}

static void vec_load(struct machine *m, u32 op, u32 bytes)
{
    const char *name = vm_op_name((vm_op)op);
    struct vec v = {0};
    const u8 *from = ref_access(m, bytes);
    if (!from) return;
    if (strstr(name, "splat")) {
        for (u32 i = 0; i < 16; i++) v.b[i] = from[i % bytes];
    } else if (strchr(name, 'x')) {
        load_extended(&v, from, name);
    } else {
        memcpy(v.b, from, bytes);
    }
    ref_push(m, pack(&v));
}

/** Loads into, or stores, one lane; its index stands behind the memarg. */
static void vec_lane(struct machine *m, u32 bytes, bool store)
{
    struct vec v = unpack(ref_pop(m));
    struct job j = {.size = bytes};
    u8 *at = ref_access(m, bytes);
    u32 lane = *m->f->p++;
    if (!at) return;
    if (store) {
        memcpy(at, v.b + lane * bytes, bytes);
        for (u32 k = 0; k < bytes; k++) j.leaked |= (v.open & open_at(lane * bytes + k)) != 0;
    } else {
        struct vec raw = {0};
        memcpy(raw.b, at, bytes);
        overwrite(&j, &v, bytes, lane, get(&raw, bytes, 0));
        ref_push(m, pack(&v));
    }
    m->store->leaked |= j.leaked;
}

static bool vec_memory(struct machine *m, u32 op)
{
    u32 bytes = 1u << vm_op_natural_align((vm_op)op);
    const char *sig = vm_op_sig((vm_op)op);
    if (vm_op_imm((vm_op)op) == VM_IMM_MEMARG_LANE) {
        vec_lane(m, bytes, sig[3] == 0);
    } else if (sig[1] == ':') {
        vec_load(m, op, bytes);
    } else {
        struct vec v = unpack(ref_pop(m));
        u8 *at = ref_access(m, bytes);
        if (!at) return true;
        memcpy(at, v.b, 16);
        m->store->leaked |= v.open != 0;
    }
    return true;
}

/* ---- choosing */

static void shape(struct job *j, const char *name)
{
    static const struct {
        const char *name;
        u32 size;
    } shapes[] = {{"i8x16", 1}, {"i16x8", 2}, {"i32x4", 4}, {"i64x2", 8},
                  {"f32x4", 4}, {"f64x2", 8}, {"v128", 16}};
    u32 k = 0;
    while (!starts(name, shapes[k].name)) k++;
    j->size = shapes[k].size;
    j->lanes = 16 / j->size;
    j->is_float = name[0] == 'f';
    j->fn = strchr(name, '.') + 1;
}

static bool run(struct job *j)
{
    if (bitwise(j) || convert(j) || single_lanes(j) || shuffles(j)) return true;
    if (j->is_float) return float_fused(j) || float_lanes(j);
    return int_binary(j) || int_unary(j) || int_shift(j) || int_widening(j) || int_narrow(j) ||
           int_test(j);
}

bool ref_vector(struct machine *m, u32 op)
{
    const char *sig = vm_op_sig((vm_op)op), *results = strchr(sig, ':');
    struct job j = {.op = op, .imm = m->f->p};
    if (!results || !strchr(sig, 'V')) return false;
    if (sig[0] == 'a') return vec_memory(m, op);
    if (vm_op_imm((vm_op)op) == VM_IMM_V128) {
        memcpy(j.out.b, m->f->p, 16);
    } else {
        u32 n = (u32)(results - sig);
        for (u32 i = n; i-- > 0;) j.in[i] = ref_pop(m);
        j.a = unpack(j.in[0]);
        j.b = unpack(j.in[1]);
        j.c = unpack(j.in[2]);
        shape(&j, vm_op_name((vm_op)op));
        if (!run(&j)) return false;
    }
    m->f->p = ref_skip(op, m->f->p);
    ref_push(m, results[1] == 'V' ? pack(&j.out) : j.scalar);
    m->store->leaked |= j.leaked;
    return true;
}
