/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: the bytes are decisions of the generator, or a module when they begin as one;
 * the program runs on every configuration and the oracle, and any difference ends the fuzzer.
 */
#include "diff.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct diff_report r = {0};
    struct gen_case g = {0};
    struct diff_case c = {.count = 1, .seed = size};
    if (size > 8 && memcmp(data, "\0asm", 4) == 0) {
        bytes_put(&g.module[0], data, size);
        g.count = 1;
    } else {
        struct choice choice = choice_bytes(data, size);
        gen_case_new(&choice, GEN_ALL, &g);
        c.count = g.count;
        c.must_validate = true;
        c.seed = 0;
    }
    memcpy(c.module, g.module, sizeof c.module);
    diff_run(&c, &r);
    gen_case_free(&g);
    if (r.verdict == DIFF_FOUND) {
        (void)fprintf(stderr, "exec_diff: %s\n", r.text);
        abort();
    }
    return 0;
}
