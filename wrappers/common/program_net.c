/* SPDX-License-Identifier: Apache-2.0 */
/* program_net.c - what the annotations of a container say about its network. */
#include "common/program.h"

#include <string.h>

static const char *annotation(const struct wrap_spec *spec, const char *key, const char *otherwise)
{
    const char *value = wrap_spec_annotation(spec, key);
    return value ? value : otherwise;
}

/* Which kinds of sockets the rules "RULE,RULE" speak of. */
static void scan_rules(const char *rules, struct wrap_program_net *out)
{
    for (;;) {
        size_t length = strcspn(rules, ",");
        bool is_unix = length == 4 && memcmp(rules, "unix", 4) == 0;
        out->unixes = out->unixes || is_unix;
        out->any = out->any || (length && !is_unix);
        if (!rules[length]) {
            return;
        }
        rules += length + 1;
    }
}

bool wrap_program_net_of(const struct wrap_spec *spec, struct wrap_program_net *out,
                         struct wrap_error *err)
{
    const char *net = annotation(spec, "io.wasmrun/net", "inherit");
    bool none = strcmp(net, "none") == 0;
    const char *resolve = annotation(spec, "io.wasmrun/resolve", none ? "false" : "true");
    *out = (struct wrap_program_net){.listen = annotation(spec, "io.wasmrun/listen", "")};
    out->inherit = strcmp(net, "inherit") == 0;
    if (out->inherit) {
        out->any = true;
        out->unixes = true;
    } else if (!none) {
        out->rules = net;
        scan_rules(net, out);
        if (!out->any && !out->unixes) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                             "annotation io.wasmrun/net '%.100s': not inherit, none or rules", net);
        }
    }
    out->any = out->any || out->listen[0];
    out->resolve = strcmp(resolve, "true") == 0;
    if (!out->resolve && strcmp(resolve, "false") != 0) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "annotation io.wasmrun/resolve '%.100s': not true or false", resolve);
    }
    return true;
}
