/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of vector instructions beyond their signatures: lane numbers. spec valid-instr-vec */
#include "validate/rules.h"

/* Lanes of the shape in the mnemonic of extract_lane and replace_lane. */
static u32 lanes_of(vm_op op)
{
    switch (op) {
    case VM_OP_I8X16_EXTRACT_LANE_S:
    case VM_OP_I8X16_EXTRACT_LANE_U:
    case VM_OP_I8X16_REPLACE_LANE: return 16;
    case VM_OP_I16X8_EXTRACT_LANE_S:
    case VM_OP_I16X8_EXTRACT_LANE_U:
    case VM_OP_I16X8_REPLACE_LANE: return 8;
    case VM_OP_I32X4_EXTRACT_LANE:
    case VM_OP_I32X4_REPLACE_LANE:
    case VM_OP_F32X4_EXTRACT_LANE:
    case VM_OP_F32X4_REPLACE_LANE: return 4;
    default: return 2;
    }
}

static bool check_lane_below(struct vm_walker *w, u32 lane, u32 lanes)
{
    return lane < lanes || vm_walk_fail_index(w, VM_ERR_LANE_INDEX, lane);
}

bool vm_check_lane(struct vm_walker *w)
{
    return check_lane_below(w, w->insn.a, lanes_of(w->insn.op)) && vm_check_signature(w);
}

/* v128.load8_lane and the like: as many lanes as the access fits into 16 bytes. */
bool vm_check_memarg_lane(struct vm_walker *w)
{
    return check_lane_below(w, w->insn.a, 16u >> vm_rules[w->insn.op].align) && vm_check_memarg(w);
}

bool vm_check_shuffle(struct vm_walker *w)
{
    for (u32 i = 0; i < 16; i++) {
        if (!check_lane_below(w, w->insn.imm.bytes[i], 32)) return false;
    }
    return vm_check_signature(w);
}
