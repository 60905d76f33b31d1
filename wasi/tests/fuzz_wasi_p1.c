/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a sequence of WASI calls (sequence.h). Stops when something
 * outside the guest's directories has changed or was read.
 */
#include "sequence.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fake f;
    size_t good;
    fake_init(&f);
    sequence_init(&f);
    (void)sequence_run(&f, data, size, &good);
    const char *wrong = sequence_check(&f);
    if (wrong != NULL) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
    fake_fini(&f);
    return 0;
}
