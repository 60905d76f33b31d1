/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explore.c - `wasmrun explore FILE [FUNC]`: WebAssembly beside the code that is run. */
#include "run/run.h"

#include <stdio.h>

static const struct wrap_option explore_options[] = {
    WRAP_FEATURES_OPTION,
};

static void write_text(void *ctx, const char *text, size_t size)
{
    (void)fwrite(text, 1, size, ctx); /* main checks the stream */
}

static int explore(const char *file, const char *func, wr_features_t features)
{
    int code = WRAP_EXIT_OK;
    wr_module_t *module = NULL;
    wr_engine_t *engine = wrap_engine_new(features);
    if (!engine) {
        return WRAP_EXIT_INVALID;
    }
    if (wrap_module_load(engine, file, &module, &code)) {
        wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
        wr_status_t status = wr_module_explore(module, func, write_text, stdout, &err);
        if (status == WR_NOT_FOUND || status == WR_ARGUMENT) {
            wrap_say("%s: %s", wrap_file_name(file), err.text);
            code = WRAP_EXIT_USAGE;
        } else if (status != WR_OK) {
            code = wrap_report(wrap_file_name(file), status, &err);
        }
    }
    wr_module_delete(module);
    wr_engine_delete(engine);
    return code;
}

static int cmd_explore(const struct wrap_command *self, int argc, char **argv)
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
    if (opts.at >= argc || opts.at + 2 < argc) {
        wrap_say(opts.at < argc ? "more than FILE and FUNC given" : "no FILE given");
        return wrap_opts_hint(self);
    }
    return explore(argv[opts.at], opts.at + 1 < argc ? argv[opts.at + 1] : NULL, features);
}

const struct wrap_command wrap_command_explore = {
    .name = "explore",
    .usage = "wasmrun explore [--features LIST] FILE|- [FUNC]",
    .summary = "Shows functions as WebAssembly beside the internal code that is run.",
    .notes = "FUNC is an export, a name of the name section or an index; without it, all.\n"
             "\n"
             "Left: file offset and instruction. Right: word, internal instruction, operands;\n"
             "its parts are joined by __ (result used up), _k__ (and kept) or _n__ (not used),\n"
             "s, c, t, a tell where each input comes from: slot, constant, part before,\n"
             "accumulator. Operands: l3 a local, s3 a position of the operand stack, +8 an\n"
             "offset in memory, @12 a word to branch to, -> x where the result goes.\n"
             "A + stands beside what became a later part of the instruction above.\n"
             "\n"
             "Exit: 0; 125 when there is no such function; 126, 127 as for validate.\n",
    .options = explore_options,
    .option_count = sizeof explore_options / sizeof explore_options[0],
    .run = cmd_explore,
    .operands = "file any",
};
