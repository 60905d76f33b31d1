/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memmove and memset for memory that other threads use at the same time. No data races: each access
 * is one machine instruction that the compiler does not look into.
 */
#ifndef VM_PLATFORM_COPY_H
#define VM_PLATFORM_COPY_H

#include "base/port.h"

#include <string.h>

/**
 * As memmove; what is naturally aligned in `to` (1, 2, 4 or 8 bytes) is written whole, and read
 * whole if it is aligned in `from` as well. A size of 0 touches nothing. Any thread.
 */
void vm_copy_shared(void *to, const void *from, usize size);
/** The same, or plain memmove for memory that one thread uses. */
static inline void vm_copy(void *to, const void *from, usize size, bool is_shared)
{
    if (is_shared)
        vm_copy_shared(to, from, size);
    else if (size)
        memmove(to, from, size);
}
/** As memset, writing aligned words whole. */
void vm_fill_shared(void *to, u8 value, usize size);

#endif
