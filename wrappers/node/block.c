/* SPDX-License-Identifier: Apache-2.0 */
/* block.c - see block.h. */
#include "node/block.h"

#include "node/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "# BEGIN " WRAP_NODE_PROGRAM
/* The file's last line had no end, and gets none back. */
#define BEGIN_OPEN BEGIN " (the line above had no end)"
#define END "# END " WRAP_NODE_PROGRAM
/* What a guest is configured with: docs/containers.md. */
#define ANNOTATIONS "[\"module.wasm.image/*\", \"run.oci.handler\", \"io.wasmrun/*\"]"

static bool no_memory(struct wrap_error *err)
{
    return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no memory");
}

/* ---------------------------------------------------------------- marks */

static bool line_is(const char *line, size_t size, const char *text)
{
    while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' ')) {
        size--;
    }
    return size == strlen(text) && memcmp(line, text, size) == 0;
}

bool wrap_node_block_strip(const char *data, size_t size, struct wrap_node_text *rest, bool *ours,
                           struct wrap_error *err)
{
    unsigned number = 0, begun = 0;
    *rest = (struct wrap_node_text){.data = malloc(size + 1)};
    *ours = false;
    if (!rest->data) return no_memory(err);
    for (const char *at = data, *end = data + size; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
        size_t whole = length + (newline != NULL);
        bool open = line_is(at, length, BEGIN_OPEN);
        bool begins = open || line_is(at, length, BEGIN), ends = line_is(at, length, END);
        number++;
        if (begins ? begun != 0 : ends && !begun) {
            free(rest->data);
            *rest = (struct wrap_node_text){0};
            return wrap_fail(err, WRAP_FAILED_PRECONDITION,
                             "line %u: the mark '%s' lacks the other one", number,
                             begins ? BEGIN : END);
        }
        if (open && rest->size > 0) rest->size--;
        if (begins) begun = number;
        if (!begun) {
            memcpy(rest->data + rest->size, at, whole);
            rest->size += whole;
        }
        if (ends) begun = 0;
        *ours = *ours || begins;
        at += whole;
    }
    if (begun) {
        free(rest->data);
        *rest = (struct wrap_node_text){0};
        return wrap_fail(err, WRAP_FAILED_PRECONDITION,
                         "line %u: the mark '%s' lacks the other one", begun, BEGIN);
    }
    rest->data[rest->size] = '\0';
    return true;
}

/* The end of a text that was written with a stream. */
static bool finish(FILE *to, struct wrap_node_text *out, struct wrap_error *err)
{
    bool good = to && !ferror(to);
    if (to && fclose(to) != 0) good = false;
    if (good) return true;
    free(out->data);
    *out = (struct wrap_node_text){0};
    return no_memory(err);
}

bool wrap_node_block_append(const struct wrap_node_text *rest, const struct wrap_node_text *lines,
                            struct wrap_node_text *out, struct wrap_error *err)
{
    *out = (struct wrap_node_text){0};
    FILE *to = open_memstream(&out->data, &out->size);
    if (to) {
        bool open = rest->size > 0 && rest->data[rest->size - 1] != '\n';
        fwrite(rest->data, 1, rest->size, to);
        fprintf(to, "%s%s\n", open ? "\n" : "", open ? BEGIN_OPEN : BEGIN);
        fwrite(lines->data, 1, lines->size, to);
        fputs(END "\n", to);
    }
    return finish(to, out, err);
}

/* ---------------------------------------------------------------- tables */

const char *wrap_node_plugin(unsigned version)
{
    return version <= 1   ? "cri"
           : version == 2 ? "io.containerd.grpc.v1.cri"
                          : "io.containerd.cri.v1.runtime";
}

/*
 * Whether services of systemd look for programs there: then a name does, with every containerd.
 * Else the shim is named by its path, as containerd 1.6 and later allow; runtime_path is no
 * way, 1.6 does not heed it for pods, and later ones forget it after a restart (containerd's issue
 * 10811).
 */
static bool is_in_path(const char *folder)
{
    static const char *const folders[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                          "/usr/bin",        "/sbin",          "/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        if (strcmp(folders[i], folder) == 0) return true;
    }
    return false;
}

bool wrap_node_table_containerd(const struct wrap_node_table *table, struct wrap_node_text *out,
                                struct wrap_error *err)
{
    *out = (struct wrap_node_text){0};
    FILE *to = open_memstream(&out->data, &out->size);
    if (!to) return no_memory(err);
    char path[128];
    bool in_path = is_in_path(table->bin_dir);
    snprintf(path, sizeof path, "plugins.\"%s\".containerd.runtimes",
             wrap_node_plugin(table->version));
    if (table->with_base) fputs("{{ template \"base\" . }}\n", to);
    if (table->with_version) fprintf(to, "version = %u\n", table->version);
    if (table->with_runc) {
        fprintf(to, "[%s.runc]\n  runtime_type = \"io.containerd.runc.v2\"\n", path);
    }
    fprintf(to,
            "[%s.%s]\n"
            "  runtime_type = \"%s%s\"\n"
            "  pod_annotations = " ANNOTATIONS "\n"
            "  container_annotations = " ANNOTATIONS "\n"
            "  [%s.%s.options]\n"
            "    SystemdCgroup = %s\n",
            path, table->runtime, in_path ? "io.containerd.wasmrun.v1" : table->bin_dir,
            in_path ? "" : "/" WRAP_NODE_SHIM, path, table->runtime, table->systemd);
    return finish(to, out, err);
}

bool wrap_node_table_crio(const struct wrap_node_table *table, struct wrap_node_text *out,
                          struct wrap_error *err)
{
    *out = (struct wrap_node_text){0};
    FILE *to = open_memstream(&out->data, &out->size);
    if (!to) return no_memory(err);
    fprintf(to,
            "[crio.runtime.runtimes.%s]\n"
            "  runtime_path = \"%s/" WRAP_NODE_OCI "\"\n"
            "  runtime_type = \"oci\"\n"
            "  runtime_root = \"/run/wasmrun-oci\"\n",
            table->runtime, table->bin_dir);
    return finish(to, out, err);
}
