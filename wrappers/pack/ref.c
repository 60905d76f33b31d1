/* SPDX-License-Identifier: Apache-2.0 */
/* ref.c - the grammar of image names, by hand: it is regular and small. */
#include "pack/ref.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

/** A piece of the text. */
struct piece {
    const char *at;
    size_t size;
};

static bool wrong(struct wrap_error *err, const char *text, const char *what)
{
    return wrap_fail(err, WRAP_INVALID_ARGUMENT, "'%.300s' is no image name: %s", text, what);
}

/* How many bytes from `at` on, at most `most`, are of `set`. */
static size_t span(const char *at, size_t most, const char *set)
{
    size_t size = strspn(at, set);
    return size < most ? size : most;
}

/* Between two words of a part of the path stands ".", "_", "__" or dashes. */
static size_t separator(const char *at, size_t left)
{
    if (left && *at == '-') {
        return span(at, left, "-");
    }
    size_t low = span(at, left, "_");
    if (low) {
        return low <= 2 ? low : 0;
    }
    return left && *at == '.' ? 1 : 0;
}

static bool part_good(const char *at, size_t left)
{
    while (left) {
        size_t word = span(at, left, LOWER DIGIT);
        at += word;
        left -= word;
        if (!word || !left) {
            return word > 0;
        }
        size_t between = separator(at, left);
        at += between;
        left -= between;
        if (!between) {
            return false;
        }
    }
    return false;
}

static bool path_good(struct piece path)
{
    for (const char *at = path.at, *end = path.at + path.size;;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        if (!part_good(at, (size_t)((slash ? slash : end) - at))) {
            return false;
        }
        if (!slash) {
            return true;
        }
        at = slash + 1;
    }
}

/* A label of a host's name: letters, digits, dashes within. */
static bool label_good(const char *at, size_t size)
{
    return size && span(at, size, LOWER UPPER DIGIT "-") == size && at[0] != '-' &&
           at[size - 1] != '-';
}

static bool host_good(const char *at, size_t size)
{
    if (size > 2 && at[0] == '[' && at[size - 1] == ']') {
        return span(at + 1, size - 2, DIGIT "abcdefABCDEF:") == size - 2;
    }
    for (const char *end = at + size;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        if (!label_good(at, (size_t)((dot ? dot : end) - at))) {
            return false;
        }
        if (!dot) {
            return true;
        }
        at = dot + 1;
    }
}

static bool domain_good(struct piece domain)
{
    size_t size = domain.size;
    size_t port = 0;
    while (port < size && strchr(DIGIT, domain.at[size - 1 - port])) {
        port++;
    }
    if (port && port < size && domain.at[size - 1 - port] == ':') {
        size -= port + 1;
    }
    return host_good(domain.at, size);
}

/* What stands before the first slash is a host if it looks like one; else it is part of the path.
 */
static struct piece take_domain(struct piece *name)
{
    const char *slash = memchr(name->at, '/', name->size);
    size_t size = slash ? (size_t)(slash - name->at) : 0;
    bool local = size == strlen("localhost") && memcmp(name->at, "localhost", size) == 0;
    bool host = false;
    for (size_t i = 0; i < size; i++) {
        host = host || strchr(".:" UPPER, name->at[i]);
    }
    struct piece domain = {name->at, local || host ? size : 0};
    if (domain.size) {
        name->at += size + 1;
        name->size -= size + 1;
    }
    return domain;
}

static bool is(struct piece piece, const char *word)
{
    return piece.size == strlen(word) && memcmp(piece.at, word, piece.size) == 0;
}

static bool tag_good(const char *tag)
{
    size_t size = strlen(tag);
    return size && size <= WRAP_REF_TAG_MAX && span(tag, size, LOWER UPPER DIGIT "_.-") == size &&
           tag[0] != '.' && tag[0] != '-';
}

bool wrap_ref_parse(const char *text, struct wrap_ref *out, struct wrap_error *err)
{
    if (strchr(text, '@')) {
        return wrong(err, text, "a digest is not chosen, it is what the bytes give");
    }
    const char *slash = strrchr(text, '/');
    const char *colon = strrchr(slash ? slash : text, ':');
    struct piece path = {text, colon ? (size_t)(colon - text) : strlen(text)};
    const char *tag = colon ? colon + 1 : "latest";
    struct piece domain = take_domain(&path);
    if (domain.size && !domain_good(domain)) {
        return wrong(err, text, "the host");
    }
    if (!domain.size || is(domain, "index.docker.io")) {
        domain = (struct piece){"docker.io", strlen("docker.io")};
    }
    if (!path_good(path)) {
        return wrong(err, text,
                     "lowercase letters and digits, between them one of . _ __ or dashes");
    }
    if (!tag_good(tag)) {
        return wrong(err, text, "the tag");
    }
    const char *library =
        is(domain, "docker.io") && !memchr(path.at, '/', path.size) ? "library/" : "";
    if (domain.size + 1 + strlen(library) + path.size > WRAP_REF_NAME_MAX) {
        return wrong(err, text, "longer than 255 characters");
    }
    int size = snprintf(out->full, sizeof out->full, "%.*s/%s%.*s:%s", (int)domain.size, domain.at,
                        library, (int)path.size, path.at, tag);
    out->tag = out->full + (size_t)size - strlen(tag);
    return true;
}
