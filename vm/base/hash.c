/* SPDX-License-Identifier: Apache-2.0 */
/* Secret keys for hash.h. */
#include "base/hash.h"

#include <sys/random.h>

void vm_hash_key_make(struct vm_hash_key *key, const void *salt)
{
    /* early in boot there may be no entropy yet: addresses are then better than waiting */
    if (getrandom(key, sizeof *key, GRND_NONBLOCK) == (ssize_t)sizeof *key) return;
    *key = (struct vm_hash_key){{(u64)(uintptr_t)salt, (u64)(uintptr_t)key}};
}
