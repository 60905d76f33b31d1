/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ints.h - short integer names and attributes of wasi/ (its counterpart of vm/base/port.h).
 */
#ifndef WASI_ABI_INTS_H
#define WASI_ABI_INTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

#define WASI_MUST_USE __attribute__((warn_unused_result))

#endif
