/* SPDX-License-Identifier: Apache-2.0 */
/* artifact_none.c - without libnghttp2 containerd cannot be asked for artifacts. */
#include "shim/artifact.h"

bool wrap_artifact_fetch(const struct wrap_artifact_config *config, struct wrap_error *err)
{
    (void)config;
    return wrap_fail(err, WRAP_UNIMPLEMENTED, "this shim was built without libnghttp2");
}
