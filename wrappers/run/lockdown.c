/* SPDX-License-Identifier: Apache-2.0 */
/* lockdown.c - --sandbox: what of the sandbox a run wants, and what is said when it lacks. */
#include "run/run.h"

#include <stdlib.h>

/* Names are looked up over the internet; the C library does without its local helpers. */
static enum wrap_sandbox_net network_of(const struct wrap_net *net)
{
    if (wrap_net_wants_unix(net)) {
        return WRAP_SANDBOX_UNIX;
    }
    return wrap_net_wanted(net) || net->resolve ? WRAP_SANDBOX_INET : WRAP_SANDBOX_NO_NET;
}

bool wrap_lock_down(const struct wrap_run_options *options)
{
    struct wrap_sandbox_result result;
    if (options->sandbox == WRAP_SANDBOX_OFF) {
        return true;
    }
    struct wrap_sandbox_path *paths = calloc(options->dir_count + 1, sizeof paths[0]);
    if (!paths) {
        wrap_say("out of memory");
        return false;
    }
    for (size_t i = 0; i < options->dir_count; i++) {
        paths[i] = (struct wrap_sandbox_path){
            .host = options->dirs[i].host,
            .read_only = options->dirs[i].read_only,
        };
    }
    const struct wrap_sandbox sandbox = {
        .mode = options->sandbox,
        .paths = paths,
        .path_count = options->dir_count,
        .network = network_of(&options->net),
        .resolve = options->net.resolve,
    };
    wrap_timeout_settle();
    bool good = wrap_sandbox_apply(&sandbox, &result);
    free(paths);
    if (!good) {
        wrap_say("--sandbox: %s", result.missing);
    } else if (result.missing[0]) {
        wrap_say("the sandbox lacks %s (--sandbox=off runs without one)", result.missing);
    }
    return good;
}
