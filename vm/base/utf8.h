/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 validity, as the spec's `name` production wants it. */
#ifndef VM_BASE_UTF8_H
#define VM_BASE_UTF8_H

#include "base/port.h"

/** True when all `size` bytes are well-formed UTF-8: no overlong forms, no surrogates. */
bool vm_utf8_valid(const u8 *bytes, usize size);

#endif
