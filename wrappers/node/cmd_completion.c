/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_completion.c - `completion`: a completion script for a shell. */
#include "common/completion.h"
#include "node/node.h"

static int run(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int id = wrap_opts_next(&opts);
    if (id == WRAP_OPT_HELP) {
        wrap_opts_help(self);
        return WRAP_NODE_OK;
    }
    if (id == WRAP_OPT_VERSION) {
        wrap_node_print_version();
        return WRAP_NODE_OK;
    }
    if (id != WRAP_OPTS_END) return WRAP_NODE_FAILED;
    struct wrap_program_options all = {.program = WRAP_NODE_PROGRAM,
                                       .usual = &wrap_node_global_command};
    all.commands = wrap_node_commands(&all.count);
    return wrap_completion_run(&all, &opts) ? WRAP_NODE_OK : WRAP_NODE_FAILED;
}

const struct wrap_command wrap_node_completion = {
    WRAP_COMPLETION_COMMAND(WRAP_NODE_PROGRAM),
    .run = run,
};
