/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_toml.c - a configuration of a node: read as TOML, its headers line by line, our lines taken
 * out. What was read without our lines, with them appended, loses exactly them again.
 */
#include "node/block.h"
#include "node/toml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void headers(const char *text, size_t size)
{
    char parts[128];
    for (const char *at = text, *end = text + size; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
        (void)wrap_toml_header(at, length, parts, sizeof parts);
        at += length + (newline != NULL);
    }
}

static void append_and_strip(const struct wrap_node_text *rest)
{
    struct wrap_node_text lines = {.data = (char *)"a = 1\n", .size = 6}, all, back;
    struct wrap_error err = {0};
    bool ours = false;
    if (!wrap_node_block_append(rest, &lines, &all, &err)) return;
    if (!wrap_node_block_strip(all.data, all.size, &back, &ours, &err) || !ours ||
        back.size != rest->size || memcmp(back.data, rest->data, back.size) != 0) {
        __builtin_trap();
    }
    free(all.data);
    free(back.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wrap_error err = {0};
    struct wrap_node_text rest;
    bool ours = false;
    /* A copy of its own size: what is read behind the end is found. */
    char *text = malloc(size + !size);
    if (!text) return 0;
    memcpy(text, data, size);
    headers(text, size);
    wrap_toml_free(wrap_toml_read(text, size, &err));
    if (wrap_node_block_strip(text, size, &rest, &ours, &err)) {
        append_and_strip(&rest);
        free(rest.data);
    }
    free(text);
    return 0;
}
