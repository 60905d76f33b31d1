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

/** The members of `program completion SHELL`'s row that are the same everywhere. */
#define WRAP_COMPLETION_COMMAND(program)                                                           \
    .name = "completion", .usage = program " completion bash|zsh|fish",                            \
    .summary = "Prints a completion script for a shell.", .operands = "bash zsh fish"

/** What that command does when its options are read: the one word left has to be a shell. False:
 * it is not, and standard error says so. */
bool wrap_completion_run(const struct wrap_program_options *all, const struct wrap_opts *opts);

#endif
