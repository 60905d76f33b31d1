/* SPDX-License-Identifier: Apache-2.0 */
/* bpf.h - a small interpreter of classic BPF, as far as filters of seccomp use it. */
#ifndef WRAPPERS_TESTS_BPF_H
#define WRAPPERS_TESTS_BPF_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cmocka.h>

static uint32_t bpf_load(const struct seccomp_data *data, uint32_t at)
{
    uint32_t word = 0;
    assert_true(at % 4 == 0 && at + 4 <= sizeof *data);
    memcpy(&word, (const char *)data + at, 4);
    return word;
}

/** The answer of a filter; fails the test for what the kernel would refuse. */
static uint32_t bpf_run(const struct sock_filter *code, size_t length,
                        const struct seccomp_data *data)
{
    uint32_t a = 0;
    size_t at = 0;
    for (;;) {
        assert_true(at < length); /* no path runs off the end */
        const struct sock_filter *in = &code[at++];
        bool jumps = false;
        switch (in->code) {
        case BPF_LD | BPF_W | BPF_ABS: a = bpf_load(data, in->k); continue;
        case BPF_ALU | BPF_AND | BPF_K: a &= in->k; continue;
        case BPF_RET | BPF_K: return in->k;
        case BPF_JMP | BPF_JA: at += in->k; continue;
        case BPF_JMP | BPF_JEQ | BPF_K: jumps = a == in->k; break;
        case BPF_JMP | BPF_JGE | BPF_K: jumps = a >= in->k; break;
        case BPF_JMP | BPF_JGT | BPF_K: jumps = a > in->k; break;
        case BPF_JMP | BPF_JSET | BPF_K: jumps = (a & in->k) != 0; break;
        default: fail_msg("an instruction that filters do not use: 0x%x", in->code);
        }
        at += jumps ? in->jt : in->jf;
    }
}

#endif
