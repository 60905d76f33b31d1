/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_annotations.c - lines of text as a container's annotations, args[0], PATH, working
 * directory, the head of its program and what a delegated runtime left: whom it belongs to, what is
 * opened, which network it gets.
 */
#include "common/delegate.h"
#include "common/entry.h"
#include "common/program.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LINES = 9, TEXT_MAX = 65536 };

/* Values in the order of the lines; the rest of the input is the file. */
enum line { VARIANT, HANDLER, TYPE, NET, LISTEN, RESOLVE, ARG, PATH, CWD };
static const char *const keys[] = {
    [VARIANT] = "module.wasm.image/variant",
    [HANDLER] = "run.oci.handler",
    [TYPE] = "io.kubernetes.cri.container-type",
    [NET] = "io.wasmrun/net",
    [LISTEN] = "io.wasmrun/listen",
    [RESOLVE] = "io.wasmrun/resolve",
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static void try_program(int fd, const struct wrap_spec *spec, const struct wrap_entry *entry)
{
    struct wrap_program *program = NULL;
    struct wrap_error err = {0};
    const struct wrap_program_config config = {
        .module_fd = fd,
        .name = entry->path,
        .func = entry->func,
        .args = spec->process.args,
        .env = spec->process.env,
        .spec = spec,
    };
    if (wrap_program_load(&config, &program, &err)) {
        wrap_program_delete(program);
    } else if (program || err.code == WRAP_OK || !err.text[0]) {
        abort();
    }
}

static void try_entry(int file, const struct wrap_spec *spec)
{
    struct wrap_entry entry;
    struct wrap_error err = {0};
    int fd = -1, root = open("/proc/self/fdinfo", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (wrap_entry_parse(&spec->process, &entry, &err)) {
        if (root >= 0 && wrap_entry_open(root, &spec->process, &entry, &fd, &err)) {
            close(fd);
        }
        (void)wrap_entry_look(file);
        try_program(file, spec, &entry);
        wrap_entry_fini(&entry);
    } else if (err.code == WRAP_OK) {
        abort();
    }
    if (root >= 0) {
        close(root);
    }
}

static void try_all(char *lines[LINES], int file)
{
    struct wrap_key_value annotations[KEYS];
    char env_text[TEXT_MAX + 8] = "PATH=";
    const char *args[] = {lines[ARG]}, *env[] = {strcat(env_text, lines[PATH])};
    struct wrap_spec spec = {
        .annotations = annotations,
        .process = {.args = {args, 1}, .env = {env, 1}, .cwd = lines[CWD]},
    };
    struct wrap_program_net net;
    struct wrap_error err = {0};
    enum wrap_kind kind = WRAP_KIND_LOOK;
    for (unsigned i = 0; i < KEYS; i++) {
        if (lines[i][0]) { /* an empty line: not given */
            annotations[spec.annotation_count++] = (struct wrap_key_value){keys[i], lines[i]};
        }
    }
    (void)wrap_kind_of(&spec, &kind, &err);
    (void)wrap_program_net_of(&spec, &net, NULL);
    try_entry(file, &spec);
}

static void try_delegate(const char *path, const char *output)
{
    char reason[128];
    pid_t pid = 0;
    wrap_delegate_reason(path, output, reason, sizeof reason);
    if (wrap_delegate_pid(path, &pid, NULL) && pid <= 0) {
        abort();
    }
}

/* Listeners that the input asks for are made in a network of our own, where that is allowed. */
static void leave_network(void)
{
    static bool left = false;
    if (!left && unshare(CLONE_NEWNET) != 0) {
        fputs("fuzz_annotations: no network of its own: listeners are the host's\n", stderr);
    }
    left = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char *lines[LINES], path[32];
    leave_network();
    if (size >= TEXT_MAX) {
        return 0;
    }
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = 0;
    char *rest = text;
    for (unsigned i = 0; i < LINES; i++) {
        static char none[] = "";
        lines[i] = rest ? strsep(&rest, "\n") : none;
    }
    file = file >= 0 ? file : memfd_create("file", MFD_CLOEXEC);
    size_t left = rest ? size - (size_t)(rest - text) : 0;
    bool written = file >= 0 && ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0 &&
                   (!left || write(file, rest, left) == (ssize_t)left) &&
                   lseek(file, 0, SEEK_SET) == 0;
    if (written) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        try_all(lines, file);
        try_delegate(path, lines[ARG]);
    }
    free(text);
    return 0;
}
