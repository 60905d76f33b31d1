/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - the list of commands of bin/wasmrun. */
#include "run/run.h"

const struct wrap_command *const *wrap_commands(size_t *count)
{
    static const struct wrap_command *const commands[] = {
        &wrap_command_run,     &wrap_command_validate, &wrap_command_inspect,
        &wrap_command_explore, &wrap_command_pack,     &wrap_command_completion,
    };
    *count = sizeof commands / sizeof commands[0];
    return commands;
}
