/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - writing JSON on a stream. Not here: reading it (config.c). */
#ifndef WRAPPERS_COMMON_JSON_H
#define WRAPPERS_COMMON_JSON_H

#include <stddef.h>
#include <stdio.h>

/** Writes a string; what is not UTF-8 becomes U+FFFD, control characters are escaped. */
void wrap_json_string(FILE *to, const char *text, size_t size);
/** Writes "key":"text"; `key` needs no escaping. */
void wrap_json_field(FILE *to, const char *key, const char *text, size_t size);
/** The same for a C string, with a comma before it. */
void wrap_json_more(FILE *to, const char *key, const char *text);

/** Bytes of the UTF-8 sequence at `at`, 0 when there is none. RFC 3629, section 4. */
size_t wrap_utf8_sequence(const unsigned char *at, size_t left);

#endif
