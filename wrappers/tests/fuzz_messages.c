/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_messages.c - the first byte picks a type, the rest is unpacked as it; what that gives is
 * packed, and unpacking that must give the same. The last pick is what `start` reads on stdin.
 */
#include "shim/bootstrap.h"
#include "shim/proto/bootstrap.pb-c.h"
#include "shim/proto/events.pb-c.h"
#include "shim/proto/metrics_v1.pb-c.h"
#include "shim/proto/metrics_v2.pb-c.h"
#include "shim/proto/options.pb-c.h"
#include "shim/proto/sandbox.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/proto/ttrpc.pb-c.h"
#include "shim/ttrpc.h"

#include <stdlib.h>
#include <string.h>

static const ProtobufCMessageDescriptor *const types[] = {
    &task__create_task_request__descriptor,
    &ttrpc__request__descriptor,
    &ttrpc__response__descriptor,
    &task__exec_process_request__descriptor,
    &task__update_task_request__descriptor,
    &task__kill_request__descriptor,
    &task__id_request__descriptor,
    &task__close_iorequest__descriptor,
    &task__resize_pty_request__descriptor,
    &task__wait_request__descriptor,
    &task__state_response__descriptor,
    &task__pids_response__descriptor,
    &wire__any__descriptor,
    &options__runc__descriptor,
    &options__generic__descriptor,
    &sandbox__create_sandbox_request__descriptor,
    &sandbox__sandbox_status_response__descriptor,
    &bootstrap__params__descriptor,
    &bootstrap__runtime_info__descriptor,
    &events__forward_request__descriptor,
    &events__task_create__descriptor,
    &metrics_v1__metrics__descriptor,
    &metrics_v2__metrics__descriptor,
};
enum { TYPES = sizeof types / sizeof *types };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_type(const ProtobufCMessageDescriptor *type, const uint8_t *data, size_t size)
{
    ProtobufCMessage *first = wrap_message_unpack(type, data, size);
    if (!first) {
        return;
    }
    size_t packed_size = protobuf_c_message_get_packed_size(first);
    uint8_t *packed = malloc(packed_size + 1);
    if (protobuf_c_message_pack(first, packed) != packed_size) {
        abort();
    }
    /* Repeated fields of which the last one counts make it shorter, so that it may take less
     * memory than is needed: then there is no second. */
    ProtobufCMessage *second = wrap_message_unpack(type, packed, packed_size);
    if (second) {
        uint8_t *again = malloc(packed_size + 1);
        if (protobuf_c_message_get_packed_size(second) != packed_size ||
            protobuf_c_message_pack(second, again) != packed_size ||
            memcmp(packed, again, packed_size) != 0) {
            abort();
        }
        free(again);
    }
    wrap_message_free(second);
    wrap_message_free(first);
    free(packed);
}

static void fuzz_bootstrap(const uint8_t *data, size_t size)
{
    static const struct wrap_bootstrap_args args = {"n", "i",     "/a",  "",    "",   "",
                                                    "",  "start", false, false, false};
    static const struct wrap_bootstrap_info info = {"name", "1", "r", "{}"};
    struct wrap_bootstrap bootstrap;
    struct wrap_error err = {0};
    char address[256];
    uint8_t *answer;
    size_t answer_size;
    wrap_bootstrap_read(&args, data, size, "2", &bootstrap);
    if (wrap_bootstrap_address(bootstrap.socket_dir, &args, bootstrap.options_type, address,
                               sizeof address, &err) &&
        wrap_bootstrap_answer(&bootstrap, address, &answer, &answer_size, &err)) {
        free(answer);
    }
    wrap_bootstrap_fini(&bootstrap);
    if (wrap_bootstrap_info(&info, data, size, &answer, &answer_size, &err)) {
        free(answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    unsigned pick = data[0] % (TYPES + 1);
    if (pick < TYPES) {
        fuzz_type(types[pick], data + 1, size - 1);
    } else {
        fuzz_bootstrap(data + 1, size - 1);
    }
    return 0;
}
