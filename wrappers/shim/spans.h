/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.h - what the shim does and how long it takes, for OpenTelemetry's collectors: when
 * containerd's environment, which is ours, asks for it (otlp_config.h). Without, there is no
 * `struct wrap_spans`, and all of this does nothing. Finished spans wait in a queue with an end and
 * are sent in batches by helpers (aside.h): no collector, however slow, delays an answer or the
 * shim's end.
 *
 * NULL is allowed for spans and span everywhere. Loop's thread.
 */
#ifndef WRAPPERS_SHIM_SPANS_H
#define WRAPPERS_SHIM_SPANS_H

#include "common/error.h"

#include <uv.h>

struct wrap_spans;
struct wrap_span; /**< one in progress, if it is to be sent */

enum { WRAP_TRACEPARENT_SIZE = 56 };

/** NULL: nobody asks for spans, or not in a way that is understood, which the log says. */
struct wrap_spans *wrap_spans_new(uv_loop_t *loop, const char *ns);
/** Sends what is left from a process that outlives this one. No span may be in progress. */
void wrap_spans_finish(struct wrap_spans *spans);

/** A call that is served, now; `traceparent`: of the caller's W3C trace context, NULL. */
struct wrap_span *wrap_span_serve(struct wrap_spans *spans, const char *traceparent,
                                  const char *service, const char *method);
/** A part of another span; `name` is not copied. */
struct wrap_span *wrap_span_within(const struct wrap_span *parent, const char *name);
/** It begins only now. */
void wrap_span_begin_again(struct wrap_span *span);
/** At most a few attributes, whose keys are not copied. */
void wrap_span_text(struct wrap_span *span, const char *key, const char *value);
void wrap_span_number(struct wrap_span *span, const char *key, int64_t value);
/** For those that are within it; false: there is no span, and `out` is unchanged. */
bool wrap_span_traceparent(const struct wrap_span *span, char out[WRAP_TRACEPARENT_SIZE]);
/** It is over and freed; `err` NULL: it went well. */
void wrap_span_end(struct wrap_span *span, const struct wrap_error *err);
/** It is of no interest and freed. */
void wrap_span_drop(struct wrap_span *span);

#endif
