/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_completion.c - `completion`: a completion script for a shell. */
#include "common/completion.h"
#include "common/text.h"
#include "oci/oci.h"

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int code = 0;
    int at = wrap_oci_parse(&opts, NULL, NULL, words, &code);
    if (at < 0) {
        return code;
    }
    struct wrap_program_options all = {.program = WRAP_OCI_PROGRAM,
                                       .usual = &wrap_oci_global_command};
    all.commands = wrap_oci_commands(&all.count);
    if (wrap_completion_print(&all, argv[at])) {
        return 0;
    }
    wrap_say("completion: one of bash, zsh, fish is needed, not '%s'", argv[at]);
    return WRAP_OCI_FAILED;
}

const struct wrap_command wrap_oci_completion = {
    .name = "completion",
    .usage = WRAP_OCI_PROGRAM " completion bash|zsh|fish",
    .summary = "Prints a completion script for a shell.",
    .operands = "bash zsh fish",
    .run = run,
};
