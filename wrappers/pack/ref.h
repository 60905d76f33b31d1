/* SPDX-License-Identifier: Apache-2.0 */
/* ref.h - names of images: their grammar, and what a short one stands for. */
#ifndef WRAPPERS_PACK_REF_H
#define WRAPPERS_PACK_REF_H

#include "common/error.h"

enum { WRAP_REF_NAME_MAX = 255, WRAP_REF_TAG_MAX = 128 };

struct wrap_ref {
    char full[WRAP_REF_NAME_MAX + WRAP_REF_TAG_MAX + 64]; /**< docker.io/library/hello:latest */
    const char *tag; /**< points into `full` */
};

/**
 * Reads [DOMAIN/]PATH[:TAG]. As docker does, a name without a domain is one of docker.io, there
 * beneath library/ when it has one part; the tag is "latest" unless given. False: `err` says what
 * is wrong with it. A digest is refused: nobody can choose that. Source: the distribution
 * project's grammar of references.
 */
bool wrap_ref_parse(const char *text, struct wrap_ref *out, struct wrap_error *err);

#endif
