/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a sequence of WASI calls; the first byte says of which kind. Raw
 * ones (sequence.h) must leave alone what is outside the guest's directories; those of files
 * (modelled.h) must do what a model of a file system does, with either resolver.
 */
#include "modelled.h"
#include "sequence.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const char *run_raw(struct fake *f, const u8 *data, size_t size)
{
    size_t good;
    sequence_init(f);
    (void)sequence_run(f, data, size, &good);
    return sequence_check(f);
}

static const char *run_modelled(struct fake *f, const u8 *data, size_t size)
{
    static struct modelled w;
    modelled_init(&w, f);
    return modelled_run(&w, data, size);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct fake f;
    u8 kind = size > 0 ? data[0] : 0;
    size_t skip = size > 0;
    fake_init(&f);
    f.wasi->resolver.mode = (kind & 2) != 0 ? WASI_RESOLVE_WALK : WASI_RESOLVE_PROBE;
    const char *wrong = (kind & 1) != 0 ? run_modelled(&f, data + skip, size - skip)
                                        : run_raw(&f, data + skip, size - skip);
    if (wrong != NULL) {
        fprintf(stderr, "%s\n", wrong);
        abort();
    }
    fake_fini(&f);
    return 0;
}
