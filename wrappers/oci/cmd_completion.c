/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_completion.c - `completion`: a completion script for a shell. */
#include "common/completion.h"
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
    opts.at = at;
    return wrap_completion_run(&all, &opts) ? 0 : WRAP_OCI_FAILED;
}

const struct wrap_command wrap_oci_completion = {
    WRAP_COMPLETION_COMMAND(WRAP_OCI_PROGRAM),
    .run = run,
};
