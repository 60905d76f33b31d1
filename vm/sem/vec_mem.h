/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meaning of the vector loads and stores beside the access itself: from what was loaded to the
 * vector, from the vector to what is stored. v128.load and v128.store need nothing.
 */
#ifndef VM_SEM_VEC_MEM_H
#define VM_SEM_VEC_MEM_H

#include "sem/vec_lane.h"
#include "sem/vec_widen.h"

/* spec exec-vload-pack: eight bytes, each lane extended to twice its width */
VM_INLINE v128 sem_v128_load8x8_s(u64 x) { return sem_i16x8_extend_low_i8x16_s((v128){x, 0}); }
VM_INLINE v128 sem_v128_load8x8_u(u64 x) { return sem_i16x8_extend_low_i8x16_u((v128){x, 0}); }
VM_INLINE v128 sem_v128_load16x4_s(u64 x) { return sem_i32x4_extend_low_i16x8_s((v128){x, 0}); }
VM_INLINE v128 sem_v128_load16x4_u(u64 x) { return sem_i32x4_extend_low_i16x8_u((v128){x, 0}); }
VM_INLINE v128 sem_v128_load32x2_s(u64 x) { return sem_i64x2_extend_low_i32x4_s((v128){x, 0}); }
VM_INLINE v128 sem_v128_load32x2_u(u64 x) { return sem_i64x2_extend_low_i32x4_u((v128){x, 0}); }

/* spec exec-vload-splat */
VM_INLINE v128 sem_v128_load8_splat(u32 x) { return sem_i8x16_splat(x); }
VM_INLINE v128 sem_v128_load16_splat(u32 x) { return sem_i16x8_splat(x); }
VM_INLINE v128 sem_v128_load32_splat(u32 x) { return sem_i32x4_splat(x); }
VM_INLINE v128 sem_v128_load64_splat(u64 x) { return sem_i64x2_splat(x); }

/* spec exec-vload-zero: the value in lane 0, the rest zero */
VM_INLINE v128 sem_v128_load32_zero(u32 x) { return (v128){x, 0}; }
VM_INLINE v128 sem_v128_load64_zero(u64 x) { return (v128){x, 0}; }

/* spec exec-vload_lane, exec-vstore_lane */
VM_INLINE v128 sem_v128_load8_lane(v128 a, u32 x, u32 lane)
{
    return sem_i8x16_replace_lane(a, x, lane);
}
VM_INLINE v128 sem_v128_load16_lane(v128 a, u32 x, u32 lane)
{
    return sem_i16x8_replace_lane(a, x, lane);
}
VM_INLINE v128 sem_v128_load32_lane(v128 a, u32 x, u32 lane)
{
    return sem_i32x4_replace_lane(a, x, lane);
}
VM_INLINE v128 sem_v128_load64_lane(v128 a, u64 x, u32 lane)
{
    return sem_i64x2_replace_lane(a, x, lane);
}
VM_INLINE u32 sem_v128_store8_lane(v128 a, u32 lane) { return sem_i8x16_extract_lane_u(a, lane); }
VM_INLINE u32 sem_v128_store16_lane(v128 a, u32 lane) { return sem_i16x8_extract_lane_u(a, lane); }
VM_INLINE u32 sem_v128_store32_lane(v128 a, u32 lane) { return sem_i32x4_extract_lane(a, lane); }
VM_INLINE u64 sem_v128_store64_lane(v128 a, u32 lane) { return sem_i64x2_extract_lane(a, lane); }

#endif
