/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_completion.c - `wasmrun completion SHELL`. */
#include "common/completion.h"
#include "run/run.h"

static int cmd_completion(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int id = wrap_opts_next(&opts);
    if (wrap_common_option(self, id)) {
        return WRAP_EXIT_OK;
    }
    struct wrap_program_options all = {.program = "wasmrun", .usual = &wrap_command_run};
    all.commands = wrap_commands(&all.count);
    bool one = id == WRAP_OPTS_END && opts.at + 1 == argc;
    if (one && wrap_completion_print(&all, argv[opts.at])) {
        return WRAP_EXIT_OK;
    }
    if (id == WRAP_OPTS_END) {
        wrap_say("one of bash, zsh, fish is needed");
    }
    return wrap_opts_hint(self);
}

const struct wrap_command wrap_command_completion = {
    .name = "completion",
    .usage = "wasmrun completion bash|zsh|fish",
    .summary = "Prints a completion script for a shell.",
    .notes = "bash: put it into ~/.local/share/bash-completion/completions/wasmrun\n"
             "zsh:  into a file _wasmrun in a folder of $fpath\n"
             "fish: into ~/.config/fish/completions/wasmrun.fish\n"
             "An installed wasmrun has them in place already.\n",
    .operands = "bash zsh fish",
    .run = cmd_completion,
};
