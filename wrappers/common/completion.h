/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion.h - completion scripts made from the tables of options of a program, so that there is
 * no second list of them. Not here: what a command does with its options.
 */
#ifndef WRAPPERS_COMMON_COMPLETION_H
#define WRAPPERS_COMMON_COMPLETION_H

#include "common/opts.h"

struct wrap_program_options {
    const char *program;
    const struct wrap_command *const *commands;
    size_t count;
    /** Whose options hold when no command is named: one of them, or a row without a name. */
    const struct wrap_command *usual;
};

/** Prints the script for "bash", "zsh" or "fish" on stdout; false: it is another shell. */
bool wrap_completion_print(const struct wrap_program_options *all, const char *shell);

#endif
