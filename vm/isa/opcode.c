/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup tables of all instructions, made from wasm_ops.def. No decoding, no rules. */
#include "isa/opcode.h"

enum { SIG_SIZE = 8 };
struct op_row {
    char sig[SIG_SIZE];
    u8 imm, align, feature;
};

static const struct op_row rows[VM_OP_COUNT + 1] = {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [VM_OP_##id] = {sig, VM_IMM_##imm, align, VM_FEATURE_##feature},
#include "isa/wasm_ops.def"
#undef OP
    [VM_OP_ILLEGAL] = {"*", VM_IMM_NONE, 0, VM_FEATURE_MVP},
};

/* The slots of prefixed opcodes stand one prefix after the other. */
enum {
    FB_SLOTS = 0x20,
    FC_SLOTS = 0x20,
    FD_SLOTS = 0x120,
    FE_SLOTS = 0x50,
    FB_BASE = 0,
    FC_BASE = FB_BASE + FB_SLOTS,
    FD_BASE = FC_BASE + FC_SLOTS,
    FE_BASE = FD_BASE + FD_SLOTS,
    SPARE = FE_BASE + FE_SLOTS, /* where rows without a prefix go */
    SLOTS
};

#define SLOT(prefix, code)                                                                         \
    ((prefix) == 0xfb   ? FB_BASE + (code)                                                         \
     : (prefix) == 0xfc ? FC_BASE + (code)                                                         \
     : (prefix) == 0xfd ? FD_BASE + (code)                                                         \
     : (prefix) == 0xfe ? FE_BASE + (code)                                                         \
                        : SPARE)

/* Both tables say "illegal" everywhere first and then what each row wants. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

const u16 vm_op_of_byte[256] = {
    [0 ... 255] = VM_OP_ILLEGAL,
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [(prefix) ? (prefix) : (code)] = (prefix) ? VM_OP_ILLEGAL : VM_OP_##id,
#include "isa/wasm_ops.def"
#undef OP
};

static const u16 op_of_slot[SLOTS] = {
    [0 ... SLOTS - 1] = VM_OP_ILLEGAL,
#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    [SLOT(prefix, code)] = (prefix) ? VM_OP_##id : VM_OP_ILLEGAL,
#include "isa/wasm_ops.def"
#undef OP
};

#pragma GCC diagnostic pop

#define OP(id, prefix, code, name, imm, sig, align, feature, rule)                                 \
    _Static_assert(sizeof(sig) <= SIG_SIZE, "raise SIG_SIZE");                                     \
    _Static_assert((prefix) != 0 || (code) < 256, "one byte");                                     \
    _Static_assert((prefix) != 0xfb || (code) < FB_SLOTS, "raise FB_SLOTS");                       \
    _Static_assert((prefix) != 0xfc || (code) < FC_SLOTS, "raise FC_SLOTS");                       \
    _Static_assert((prefix) != 0xfd || (code) < FD_SLOTS, "raise FD_SLOTS");                       \
    _Static_assert((prefix) != 0xfe || (code) < FE_SLOTS, "raise FE_SLOTS");
#include "isa/wasm_ops.def"
#undef OP
_Static_assert(VM_OP_COUNT < UINT16_MAX, "opcodes fit the 16-bit tables");

static vm_op known(vm_op op) { return (u32)op < VM_OP_COUNT ? op : VM_OP_ILLEGAL; }

const char *vm_op_name(vm_op op)
{
    static const char *const names[VM_OP_COUNT + 1] = {
#define OP(id, prefix, code, name, imm, sig, align, feature, rule) [VM_OP_##id] = name,
#include "isa/wasm_ops.def"
#undef OP
        [VM_OP_ILLEGAL] = "<illegal>",
    };
    return names[known(op)];
}

static const struct op_row *row_of(vm_op op) { return &rows[known(op)]; }

vm_imm vm_op_imm(vm_op op) { return (vm_imm)row_of(op)->imm; }
vm_feature vm_op_feature(vm_op op) { return (vm_feature)row_of(op)->feature; }
const char *vm_op_sig(vm_op op) { return row_of(op)->sig; }
u32 vm_op_natural_align(vm_op op) { return row_of(op)->align; }

vm_op vm_op_of_prefixed(u8 prefix, u32 code)
{
    switch (prefix) {
    case 0xfb: return (vm_op)(code < FB_SLOTS ? op_of_slot[FB_BASE + code] : VM_OP_ILLEGAL);
    case 0xfc: return (vm_op)(code < FC_SLOTS ? op_of_slot[FC_BASE + code] : VM_OP_ILLEGAL);
    case 0xfd: return (vm_op)(code < FD_SLOTS ? op_of_slot[FD_BASE + code] : VM_OP_ILLEGAL);
    case 0xfe: return (vm_op)(code < FE_SLOTS ? op_of_slot[FE_BASE + code] : VM_OP_ILLEGAL);
    default: return VM_OP_ILLEGAL;
    }
}
