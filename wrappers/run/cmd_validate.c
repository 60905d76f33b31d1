/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_validate.c - `wasmrun validate FILE...`: silent when all are valid. */
#include "run/run.h"

static const struct wrap_option validate_options[] = {
    WRAP_FEATURES_OPTION,
};

static int validate_all(const struct wrap_opts *opts, wr_features_t features)
{
    int worst = WRAP_EXIT_OK;
    wr_engine_t *engine = wrap_engine_new(features);
    if (!engine) {
        return WRAP_EXIT_INVALID;
    }
    for (int i = opts->at; i < opts->argc; i++) {
        wr_module_t *module = NULL;
        int code = WRAP_EXIT_OK;
        if (!wrap_module_load(engine, opts->argv[i], &module, &code)) {
            /* An invalid file says more than one that is not there. */
            worst = worst == WRAP_EXIT_INVALID ? worst : code;
        }
        wr_module_delete(module);
    }
    wr_engine_delete(engine);
    return worst;
}

static int cmd_validate(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    wr_features_t features = wr_features_default();
    int id = 0;
    while ((id = wrap_opts_next(&opts)) != WRAP_OPTS_END) {
        if (wrap_common_option(self, id)) {
            return WRAP_EXIT_OK;
        }
        if (id != WRAP_OPT_FEATURES || !wrap_features_apply(&features, opts.value)) {
            return wrap_opts_hint(self);
        }
    }
    if (opts.at >= argc) {
        wrap_say("no FILE given");
        return wrap_opts_hint(self);
    }
    return validate_all(&opts, features);
}

const struct wrap_command wrap_command_validate = {
    .name = "validate",
    .usage = "wasmrun validate [--features LIST] FILE|-...",
    .summary = "Checks that files are valid WebAssembly modules.",
    .notes = "Prints nothing for a valid module. Exit: 0 when all are valid, 126 when one is not,\n"
             "127 when one does not exist.\n",
    .options = validate_options,
    .option_count = sizeof validate_options / sizeof validate_options[0],
    .run = cmd_validate,
    .operands = "files",
};
