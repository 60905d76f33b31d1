/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_artifact.c - fetching a module from a containerd that is right, wrong, slow or no containerd
 * at all (fake_containerd.py): each ends once, in a file with the bytes or in one error. And what
 * manifests lead to.
 */
#include "shim/artifact.h"
#include "shim/media.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MODULE_SIZE = 8 + 256 * 1000, SOON_MS = 700 };

static char folder[] = "/tmp/wasmrun-artifact-XXXXXX";
static pid_t server;
static int server_input = -1, server_output = -1;

/* ---------------------------------------------------------------- the other side */

/* 0: it serves; else there is no Python with grpc. */
static int start_server(void **state)
{
    int in[2];
    int out[2];
    char word[16] = "";
    uv_loop_t loop;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop); /* the first one leaves descriptors open, for all that follow */
    uv_loop_close(&loop);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(pipe(in) | pipe(out), 0);
    server = fork();
    if (server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", WRAP_TESTS_DIR "/fake_containerd.py", folder, "space",
              NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server_input = in[1];
    server_output = out[0]; /* open to the end: an interpreter may write a line in two */
    ssize_t got = read(server_output, word, sizeof word - 1);
    if (got <= 0 || strncmp(word, "ready", 5) != 0) {
        server_input = -1;
        print_message("SKIPPED: no /usr/bin/python3 with grpc\n");
    }
    return 0;
}

static int stop_server(void **state)
{
    char command[64];
    (void)state;
    if (server_input >= 0) {
        close(server_input);
    }
    close(server_output);
    waitpid(server, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* ---------------------------------------------------------------- fetching */

struct outcome {
    unsigned calls;
    int fd;
    struct wrap_error err;
    bool give_up;
};

static void done(int fd, const struct wrap_error *err, void *context)
{
    struct outcome *out = context;
    out->calls++;
    out->fd = fd;
    if (err) {
        out->err = *err;
    }
}

static bool is_given_up(void *context) { return ((struct outcome *)context)->give_up; }

static size_t open_files(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

static struct outcome fetch_from(const char *socket, const char *id, unsigned limit_ms,
                                 uint64_t size_max)
{
    struct outcome out = {.fd = -1};
    struct wrap_error err = {0};
    char address[128];
    uv_loop_t loop;
    size_t before = open_files();
    snprintf(address, sizeof address, "unix://%s/%s", folder, socket);
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct wrap_artifact_config config = {
        .loop = &loop,
        .address = address,
        .ns = "space",
        .id = id,
        .size_max = size_max,
        .patience_ms = limit_ms,
        .total_ms = limit_ms ? limit_ms * 2 : 0,
        .given_up = is_given_up,
        .done = done,
        .context = &out,
    };
    out.give_up = strcmp(id, "given-up") == 0;
    assert_true(wrap_artifact_fetch(&config, &err));
    assert_int_equal(out.calls, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(out.calls, 1);
    assert_int_equal(open_files(), before + (out.fd >= 0));
    return out;
}

static struct outcome fetch(const char *id) { return fetch_from("grpc.sock", id, 0, 0); }

static void need_server(void)
{
    if (server_input < 0) {
        skip();
    }
}

static void check_module(const struct outcome *out)
{
    struct stat st;
    unsigned char bytes[16];
    assert_int_equal(out->err.code, WRAP_OK);
    assert_true(out->fd >= 0);
    assert_int_equal(fstat(out->fd, &st), 0);
    assert_int_equal(st.st_size, MODULE_SIZE);
    assert_int_equal(pread(out->fd, bytes, sizeof bytes, 0), sizeof bytes);
    assert_memory_equal(bytes, "\0asm\1\0\0\0\0\1\2\3\4\5\6\7", sizeof bytes);
    assert_true(write(out->fd, "x", 1) < 0); /* it is sealed */
    close(out->fd);
}

static void test_fetch_good_is_the_module(void **state)
{
    static const char *const ids[] = {"good", "small-pieces", "index", "index-2", "unknown-field"};
    (void)state;
    need_server();
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const struct outcome out = fetch(ids[i]);
        print_message("%s: %s\n", ids[i], out.err.text);
        check_module(&out);
    }
}

static void test_fetch_of_an_empty_layer_is_an_empty_file(void **state)
{
    (void)state;
    need_server();
    const struct outcome out = fetch("empty-module");
    struct stat st;
    assert_int_equal(fstat(out.fd, &st), 0);
    assert_int_equal(st.st_size, 0);
    close(out.fd);
}

static void test_fetch_of_ordinary_images_is_nothing(void **state)
{
    static const char *const ids[] = {"no-container", "no-image",    "gone-image",
                                      "none",         "other-image", "an-array"};
    (void)state;
    need_server();
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const struct outcome out = fetch(ids[i]);
        print_message("%s: %s\n", ids[i], out.err.text);
        assert_int_equal(out.fd, -1);
        assert_int_equal(out.err.code, WRAP_OK);
    }
}

struct wrong {
    const char *id;
    enum wrap_code code;
    const char *text;
};

static void check_wrong(const struct outcome *out, const struct wrong *wrong)
{
    print_message("%s: %s\n", wrong->id, out->err.text);
    assert_int_equal(out->fd, -1);
    assert_int_not_equal(out->err.code, WRAP_OK);
    if (wrong->code) {
        assert_int_equal(out->err.code, wrong->code);
    }
    assert_non_null(strstr(out->err.text, wrong->text));
    assert_null(strchr(out->err.text, '\n'));
}

static void test_fetch_of_wrong_answers_is_an_error(void **state)
{
    static const struct wrong rows[] = {
        {"wrong-bytes", WRAP_INVALID_ARGUMENT, "have the digest"},
        {"short", WRAP_INVALID_ARGUMENT, "ends before its size"},
        {"no-content", WRAP_INVALID_ARGUMENT, "ends before its size"},
        {"larger", WRAP_INVALID_ARGUMENT, "ends before its size"},
        {"long", WRAP_INVALID_ARGUMENT, "other bytes"},
        {"smaller", WRAP_INVALID_ARGUMENT, "other bytes"},
        {"shuffled", WRAP_INVALID_ARGUMENT, "other bytes"},
        {"endless", WRAP_INVALID_ARGUMENT, "other bytes"},
        {"huge", WRAP_RESOURCE_EXHAUSTED, "too many"},
        {"huge-manifest", WRAP_RESOURCE_EXHAUSTED, "too many"},
        {"negative", WRAP_INVALID_ARGUMENT, "negative"},
        {"two", WRAP_UNIMPLEMENTED, "2 Wasm layers"},
        {"other-digest", WRAP_INVALID_ARGUMENT, "no digest"},
        {"bad-digest", WRAP_INVALID_ARGUMENT, "no digest"},
        {"strange", WRAP_INVALID_ARGUMENT, "no digest"},
        {"bad-json", WRAP_INVALID_ARGUMENT, "not JSON"},
        {"deep-json", WRAP_INVALID_ARGUMENT, "not JSON"},
        {"index-3", WRAP_INVALID_ARGUMENT, "indices in indices"},
        {"index-4", WRAP_INVALID_ARGUMENT, "indices in indices"},
        {"denied", WRAP_PERMISSION_DENIED, "100% denied"},
        {"denied-content", WRAP_PERMISSION_DENIED, "not this one"},
        {"bad-message", WRAP_INTERNAL, "malformed"},
        {"bad-text", WRAP_INTERNAL, "malformed"},
        {"bad-piece", WRAP_INTERNAL, "malformed"},
        {"large-message", WRAP_RESOURCE_EXHAUSTED, "an answer of"},
        {"given-up", WRAP_CANCELLED, "given up"},
    };
    (void)state;
    need_server();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct outcome out = fetch(rows[i].id);
        check_wrong(&out, &rows[i]);
    }
}

static void test_fetch_above_the_limit_is_an_error(void **state)
{
    static const struct wrong wrong = {"good", WRAP_RESOURCE_EXHAUSTED, "too many"};
    (void)state;
    need_server();
    struct outcome out = fetch_from("grpc.sock", "good", 0, MODULE_SIZE - 1);
    check_wrong(&out, &wrong);
    out = fetch_from("grpc.sock", "good", 0, MODULE_SIZE);
    check_module(&out);
}

static void test_fetch_from_slow_peers_has_an_end(void **state)
{
    static const struct wrong rows[] = {
        {"silent", WRAP_DEADLINE_EXCEEDED, "silent"},
        {"empty-pieces", WRAP_DEADLINE_EXCEEDED, "too slow"},
        {"dripping", WRAP_DEADLINE_EXCEEDED, ""},
    };
    (void)state;
    need_server();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct outcome out = fetch_from("grpc.sock", rows[i].id, SOON_MS, 0);
        check_wrong(&out, &rows[i]);
    }
}

static void test_fetch_from_no_containerd_is_an_error(void **state)
{
    (void)state;
    need_server();
    const struct wrong absent = {"absent", WRAP_NOT_FOUND, "absent.sock"};
    struct outcome out = fetch_from("absent.sock", "x", 0, 0);
    check_wrong(&out, &absent);
    DIR *dir = opendir(folder);
    unsigned count = 0;
    for (const struct dirent *row; (row = readdir(dir)) != NULL;) {
        if (strncmp(row->d_name, "raw-", 4) == 0) {
            const struct wrong wrong = {row->d_name, WRAP_OK, ""};
            out = fetch_from(row->d_name, "x", SOON_MS, 1 << 20);
            check_wrong(&out, &wrong);
            count++;
        }
    }
    closedir(dir);
    assert_true(count > 15);
}

/* ---------------------------------------------------------------- manifests */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ROW(type, size)                                                                            \
    "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX "\",\"size\":" #size "}"

static void test_media_types_of_the_field(void **state)
{
    (void)state;
    assert_int_equal(wrap_media_of("application/wasm"), WRAP_MEDIA_WASM);
    assert_int_equal(wrap_media_of("application/vnd.wasm.content.layer.v1+wasm"), WRAP_MEDIA_WASM);
    assert_int_equal(wrap_media_of("application/vnd.oci.image.layer.v1.tar"), WRAP_MEDIA_OTHER);
    assert_int_equal(wrap_media_of(""), WRAP_MEDIA_OTHER);
    assert_int_equal(wrap_media_of(NULL), WRAP_MEDIA_OTHER);
}

static void test_manifest_leads_to_its_only_module(void **state)
{
    static const char text[] =
        "{\"layers\":[" ROW("text/plain", 1) "," ROW("application/wasm", 7) "]}";
    struct wrap_blob blob;
    struct wrap_error err = {0};
    (void)state;
    assert_true(wrap_blob_next(WRAP_MEDIA_MANIFEST, text, strlen(text), &blob, &err));
    assert_int_equal(blob.media, WRAP_MEDIA_WASM);
    assert_int_equal(blob.size, 7);
    assert_string_equal(blob.digest, "sha256:" HEX);
}

static void test_manifest_with_strange_members_is_no_artifact_or_an_error(void **state)
{
    static const char *const texts[] = {"{}", "[]", "{\"layers\":{}}", "{\"layers\":[[],{},null]}"};
    struct wrap_blob blob;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wrap_error err = {0};
        assert_true(wrap_blob_next(WRAP_MEDIA_MANIFEST, texts[i], strlen(texts[i]), &blob, &err));
        assert_int_equal(blob.media, WRAP_MEDIA_OTHER);
        assert_true(wrap_blob_next(WRAP_MEDIA_INDEX, texts[i], strlen(texts[i]), &blob, &err));
        assert_int_equal(blob.media, WRAP_MEDIA_OTHER);
    }
    struct wrap_error err = {0};
    assert_false(wrap_blob_next(WRAP_MEDIA_MANIFEST, "nul", 3, &blob, &err));
    assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetch_good_is_the_module),
        cmocka_unit_test(test_fetch_of_an_empty_layer_is_an_empty_file),
        cmocka_unit_test(test_fetch_of_ordinary_images_is_nothing),
        cmocka_unit_test(test_fetch_of_wrong_answers_is_an_error),
        cmocka_unit_test(test_fetch_above_the_limit_is_an_error),
        cmocka_unit_test(test_fetch_from_slow_peers_has_an_end),
        cmocka_unit_test(test_fetch_from_no_containerd_is_an_error),
        cmocka_unit_test(test_media_types_of_the_field),
        cmocka_unit_test(test_manifest_leads_to_its_only_module),
        cmocka_unit_test(test_manifest_with_strange_members_is_no_artifact_or_an_error),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
