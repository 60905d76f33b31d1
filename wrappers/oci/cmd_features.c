/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_features.c - `features`: what config.json may ask of us. */
#include "oci/oci.h"
#include "sandbox/features.h"

#include <stdio.h>
#include <stdlib.h>

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {0, 0};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int code = 0;
    if (wrap_oci_parse(&opts, NULL, NULL, words, &code) < 0) {
        return code;
    }
    char *text = wrap_features_json();
    bool good = text && puts(text) >= 0;
    free(text);
    return good ? 0 : WRAP_OCI_FAILED;
}

const struct wrap_command wrap_oci_features = {
    .name = "features",
    .usage = WRAP_OCI_PROGRAM " features",
    .summary = "Prints what Wasm containers can, as JSON.",
    .run = run,
};
