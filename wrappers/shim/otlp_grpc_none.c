/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_grpc_none.c - of builds without libnghttp2. */
#include "shim/spans_impl.h"

bool wrap_otlp_grpc(const struct wrap_otlp_config *config, int socket, const uint8_t *request,
                    size_t size, struct wrap_error *err)
{
    (void)config;
    (void)socket;
    (void)request;
    (void)size;
    return wrap_fail(err, WRAP_UNIMPLEMENTED, "this build has no gRPC: use http/protobuf");
}
