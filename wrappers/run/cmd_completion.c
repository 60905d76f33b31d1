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
    bool good = id == WRAP_OPTS_END && wrap_completion_run(&all, &opts);
    return good ? WRAP_EXIT_OK : wrap_opts_hint(self);
}

const struct wrap_command wrap_command_completion = {
    WRAP_COMPLETION_COMMAND("wasmrun"),
    .notes = "bash: put it into ~/.local/share/bash-completion/completions/wasmrun\n"
             "zsh:  into a file _wasmrun in a folder of $fpath\n"
             "fish: into ~/.config/fish/completions/wasmrun.fish\n"
             "An installed wasmrun has them in place already.\n",
    .run = cmd_completion,
};
