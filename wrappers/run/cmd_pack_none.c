/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pack_none.c - `wasmrun pack` where the libraries for it were not there. */
#include "run/run.h"

static int cmd_pack(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    if (wrap_common_option(self, wrap_opts_next(&opts))) {
        return WRAP_EXIT_OK;
    }
    wrap_say("pack: this wasmrun was built without libmd, libcap and libprotobuf-c");
    return WRAP_EXIT_USAGE;
}

const struct wrap_command wrap_command_pack = {
    .name = "pack",
    .usage = "wasmrun pack",
    .summary = "(Not in this build: makes container images of modules.)",
    .run = cmd_pack,
    .operands = "files",
};
