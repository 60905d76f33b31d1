/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_config.h - OpenTelemetry's environment variables as settings. Source: its specification,
 * "Environment variable specification" and "OTLP exporter configuration". Pure.
 */
#ifndef WRAPPERS_SHIM_OTLP_CONFIG_H
#define WRAPPERS_SHIM_OTLP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WRAP_OTLP_PAIRS_MAX = 32, WRAP_OTLP_TEXT_MAX = 4096 };

/** NAME=VALUE of a list, in `text` of its list. */
struct wrap_otlp_pair {
    const char *name, *value;
};
struct wrap_otlp_pairs {
    struct wrap_otlp_pair items[WRAP_OTLP_PAIRS_MAX];
    size_t count;
    char text[WRAP_OTLP_TEXT_MAX];
};

enum wrap_otlp_sampler { WRAP_OTLP_ALWAYS, WRAP_OTLP_NEVER, WRAP_OTLP_RATIO };

struct wrap_otlp_config {
    bool grpc;       /**< else HTTP with protobuf */
    char host[256];  /**< a name or a number, IPv6 without brackets */
    char port[6];
    char path[512];  /**< of HTTP */
    char service[128];
    unsigned timeout_ms, delay_ms;
    size_t queue_max, batch_max; /**< spans */
    enum wrap_otlp_sampler sampler; /**< of spans whose parent has not decided */
    bool heeds_parent;
    uint64_t bound; /**< of RATIO: ids below it are taken */
    struct wrap_otlp_pairs headers, attributes;
};

/** A variable's value; NULL: not set. */
typedef const char *(*wrap_otlp_get)(const char *name, void *env);

/**
 * False: no spans; `note`, if not "", says why although they are asked for. What is not understood
 * in a value that can be left out is as if it was not set, as the specification wants it.
 */
bool wrap_otlp_config_read(wrap_otlp_get get, void *env, struct wrap_otlp_config *out,
                           char note[256]);

#endif
