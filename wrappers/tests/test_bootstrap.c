/* SPDX-License-Identifier: Apache-2.0 */
/* test_bootstrap.c - command lines, what comes on stdin and what is answered, for the containerds
 * of bootstrap.h. */
#include "sandbox/features.h"
#include "shim/bootstrap.h"
#include "shim/proto/bootstrap.pb-c.h"
#include "shim/proto/options.pb-c.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGS_MAX = 16 };

static bool parse(struct wrap_bootstrap_args *out, struct wrap_error *err, const char *const *words)
{
    char *argv[ARGS_MAX] = {(char *)(uintptr_t)"shim"};
    int argc = 1;
    while (words[argc - 1]) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        argc++;
    }
    *err = (struct wrap_error){0};
    return wrap_bootstrap_parse(argc, argv, out, err);
}
#define WORDS(...)                                                                                 \
    (const char *const[]) { __VA_ARGS__, NULL }

/* ---------------------------------------------------------------- arguments */

static void test_arguments_of_start(void **state)
{
    (void)state;
    struct wrap_bootstrap_args args;
    struct wrap_error err;
    assert_true(parse(&args, &err,
                      WORDS("-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary",
                            "/usr/bin/containerd", "-id", "abc", "-debug", "start")));
    assert_string_equal(args.ns, "k8s.io");
    assert_string_equal(args.address, "/run/c.sock");
    assert_string_equal(args.publish_binary, "/usr/bin/containerd");
    assert_string_equal(args.id, "abc");
    assert_string_equal(args.bundle, "");
    assert_string_equal(args.action, "start");
    assert_true(args.debug);
    assert_false(args.version || args.info);
}

static void test_arguments_as_go_reads_them(void **state)
{
    (void)state;
    struct wrap_bootstrap_args args;
    struct wrap_error err;
    assert_true(parse(
        &args, &err,
        WORDS("--namespace=a=b", "-id=", "--debug=false", "-bundle", "-x", "--", "delete", "-v")));
    assert_string_equal(args.ns, "a=b");
    assert_string_equal(args.id, "");
    assert_string_equal(args.bundle, "-x"); /* a value may look like a flag */
    assert_string_equal(args.action, "delete");
    assert_false(args.debug || args.version);
    assert_true(parse(&args, &err, WORDS("-v")));
    assert_true(args.version);
    assert_true(parse(&args, &err, WORDS("--info=T")));
    assert_true(args.info);
    assert_true(parse(&args, &err, WORDS("-debug", "true", "-v"))); /* "true" ends the flags */
    assert_string_equal(args.action, "true");
    assert_true(args.debug && !args.version);
    assert_true(parse(&args, &err, WORDS("-")));
    assert_string_equal(args.action, "-");
    assert_true(parse(&args, &err, WORDS("-id", "1", "-id", "2")));
    assert_string_equal(args.id, "2");
    assert_string_equal(args.action, "");
}

static void test_wrong_arguments_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"-unknown", "flag provided but not defined: -unknown"},
        {"-unknown=1", "flag provided but not defined: -unknown"},
        {"-i", "flag provided but not defined: -i"},
        {"-id", "flag needs an argument: -id"},
        {"--id", "flag needs an argument: -id"},
        {"---id", "bad flag syntax: ---id"},
        {"-=x", "bad flag syntax: -=x"},
        {"-debug=maybe", "invalid boolean value \"maybe\" for -debug: parse error"},
        {"-debug=", "invalid boolean value \"\" for -debug: parse error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wrap_bootstrap_args args;
        struct wrap_error err;
        assert_false(parse(&args, &err, WORDS(cases[i][0])));
        assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
        assert_string_equal(err.text, cases[i][1]);
    }
}

/* ---------------------------------------------------------------- stdin and answers */

static const struct wrap_bootstrap_args start_args = {
    .ns = "k8s.io", .id = "abc", .address = "/run/containerd/containerd.sock"};
static const char address[] = "unix:///run/containerd/s/0123";

static void expect_answer(const struct wrap_bootstrap *bootstrap, const char *text)
{
    uint8_t *bytes;
    size_t size;
    struct wrap_error err = {0};
    assert_true(wrap_bootstrap_answer(bootstrap, address, &bytes, &size, &err));
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
    free(bytes);
}

static void test_old_containerd_gets_the_address(void **state)
{
    (void)state;
    struct wrap_bootstrap bootstrap;
    wrap_bootstrap_read(&start_args, NULL, 0, NULL, &bootstrap);
    assert_int_equal(bootstrap.dialect, WRAP_BOOTSTRAP_PLAIN);
    assert_string_equal(bootstrap.socket_dir, "/run/containerd/s");
    assert_string_equal(bootstrap.options_type, "");
    assert_false(bootstrap.unreadable || bootstrap.debug);
    expect_answer(&bootstrap, address);
    wrap_bootstrap_fini(&bootstrap);
}

static void test_newer_containerd_gets_json(void **state)
{
    (void)state;
    static const struct {
        const char *max;
        int version;
    } cases[] = {{"2", 2}, {"3", 3}, {"4", 3}, {"1", 2}, {"x", 2}, {"3x", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wrap_bootstrap bootstrap;
        char text[128];
        wrap_bootstrap_read(&start_args, NULL, 0, cases[i].max, &bootstrap);
        snprintf(text, sizeof text, "{\"version\":%d,\"address\":\"%s\",\"protocol\":\"ttrpc\"}",
                 cases[i].version, address);
        expect_answer(&bootstrap, text);
        wrap_bootstrap_fini(&bootstrap);
    }
}

static size_t pack_any(const char *type, const ProtobufCMessage *message, uint8_t *out)
{
    Wire__Any any = WIRE__ANY__INIT;
    uint8_t value[256];
    any.type_url = (char *)(uintptr_t)type;
    any.value.len = protobuf_c_message_pack(message, value);
    any.value.data = value;
    return wire__any__pack(&any, out);
}

static void test_options_of_a_runtime_are_found(void **state)
{
    (void)state;
    uint8_t bytes[512];
    Options__Runc runc = OPTIONS__RUNC__INIT;
    runc.systemd_cgroup = true;
    runc.binary_name = (char *)(uintptr_t)"/usr/bin/crun";
    size_t size = pack_any("containerd.runc.v1.Options", &runc.base, bytes);
    struct wrap_bootstrap bootstrap;
    wrap_bootstrap_read(&start_args, bytes, size, "2", &bootstrap);
    assert_int_equal(bootstrap.dialect, WRAP_BOOTSTRAP_JSON);
    assert_string_equal(bootstrap.options_type, "containerd.runc.v1.Options");
    Options__Runc *got = options__runc__unpack(NULL, bootstrap.options_size, bootstrap.options);
    assert_non_null(got);
    assert_true(got->systemd_cgroup);
    assert_string_equal(got->binary_name, "/usr/bin/crun");
    options__runc__free_unpacked(got, NULL);
    wrap_bootstrap_fini(&bootstrap);
}

static size_t pack_params(const char *id, const char *dir, uint8_t *out)
{
    Bootstrap__Params params = BOOTSTRAP__PARAMS__INIT;
    Bootstrap__Extension extension = BOOTSTRAP__EXTENSION__INIT;
    Bootstrap__Extension other = BOOTSTRAP__EXTENSION__INIT;
    Bootstrap__Extension *extensions[] = {&other, &extension};
    Wire__Any any = WIRE__ANY__INIT;
    any.type_url = (char *)(uintptr_t)"type.googleapis.com/runtimeoptions.v1.Options";
    any.value.data = (uint8_t *)(uintptr_t)"\x1a\x01x";
    any.value.len = 3;
    extension.value = &any;
    params.instance_id = (char *)(uintptr_t)id;
    params.namespace_ = (char *)(uintptr_t)"k8s.io";
    params.log_level = -4;
    params.containerd_ttrpc_address = (char *)(uintptr_t)"/run/c.ttrpc";
    params.socket_dir = (char *)(uintptr_t)dir;
    params.n_extensions = 2;
    params.extensions = extensions;
    return bootstrap__params__pack(&params, out);
}

static void test_newest_containerd_gets_a_message(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t size = pack_params("abc", "/run/x", bytes);
    struct wrap_bootstrap bootstrap;
    wrap_bootstrap_read(&start_args, bytes, size, "2", &bootstrap);
    assert_int_equal(bootstrap.dialect, WRAP_BOOTSTRAP_MESSAGE);
    assert_int_equal(bootstrap.version, 3);
    assert_true(bootstrap.debug);
    assert_string_equal(bootstrap.socket_dir, "/run/x");
    assert_string_equal(bootstrap.ttrpc_address, "/run/c.ttrpc");
    assert_string_equal(bootstrap.options_type, "type.googleapis.com/runtimeoptions.v1.Options");
    assert_int_equal(bootstrap.options_size, 3);
    uint8_t *answer;
    struct wrap_error err = {0};
    assert_true(wrap_bootstrap_answer(&bootstrap, address, &answer, &size, &err));
    Bootstrap__Result *result = bootstrap__result__unpack(NULL, size, answer);
    assert_non_null(result);
    assert_int_equal(result->version, 3);
    assert_string_equal(result->address, address);
    assert_string_equal(result->protocol, "ttrpc");
    bootstrap__result__free_unpacked(result, NULL);
    free(answer);
    wrap_bootstrap_fini(&bootstrap);
    size = pack_params("abc", "", bytes);
    wrap_bootstrap_read(&start_args, bytes, size, "2", &bootstrap);
    assert_string_equal(bootstrap.socket_dir, "/run/containerd/s");
    wrap_bootstrap_fini(&bootstrap);
}

static void test_options_are_not_taken_for_parameters(void **state)
{
    (void)state;
    uint8_t bytes[512];
    /* An Any whose value is text parses as parameters: type_url and value are id and namespace. */
    Options__ProcessDetails text = OPTIONS__PROCESS_DETAILS__INIT;
    text.exec_id = (char *)(uintptr_t)"ascii";
    size_t size = pack_any("some.Options", &text.base, bytes);
    struct wrap_bootstrap bootstrap;
    wrap_bootstrap_read(&start_args, bytes, size, "2", &bootstrap);
    assert_int_equal(bootstrap.dialect, WRAP_BOOTSTRAP_JSON);
    assert_string_equal(bootstrap.options_type, "some.Options");
    wrap_bootstrap_fini(&bootstrap);
    size = pack_params("another", "", bytes); /* of somebody else */
    wrap_bootstrap_read(&start_args, bytes, size, "2", &bootstrap);
    assert_int_equal(bootstrap.dialect, WRAP_BOOTSTRAP_JSON);
    wrap_bootstrap_fini(&bootstrap);
}

static void test_unreadable_stdin_is_reported(void **state)
{
    (void)state;
    static const char *const cases[] = {"\x0a\x7f", "{\"instance_id\":\"abc\"}", "\xff\xff",
                                        "\x08\x01"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wrap_bootstrap bootstrap;
        wrap_bootstrap_read(&start_args, cases[i], strlen(cases[i]), "2", &bootstrap);
        assert_true(bootstrap.unreadable);
        assert_int_equal(bootstrap.dialect, WRAP_BOOTSTRAP_JSON);
        assert_string_equal(bootstrap.options_type, "");
        wrap_bootstrap_fini(&bootstrap);
    }
}

/* ---------------------------------------------------------------- information, addresses */

static void test_info_is_a_message(void **state)
{
    (void)state;
    static const struct wrap_bootstrap_info info = {.name = "io.containerd.wasmrun.v1",
                                                    .version = "1.2.3",
                                                    .revision = "r",
                                                    .features = "{\"ociVersionMin\":\"1.0.0\"}"};
    uint8_t options[256];
    Options__Generic generic = OPTIONS__GENERIC__INIT;
    size_t options_size = pack_any("runtimeoptions.v1.Options", &generic.base, options);
    uint8_t *bytes;
    size_t size;
    struct wrap_error err = {0};
    assert_true(wrap_bootstrap_info(&info, options, options_size, &bytes, &size, &err));
    Bootstrap__RuntimeInfo *got = bootstrap__runtime_info__unpack(NULL, size, bytes);
    assert_non_null(got);
    assert_string_equal(got->name, info.name);
    assert_string_equal(got->version->version, "1.2.3");
    assert_string_equal(got->version->revision, "r");
    assert_string_equal(got->options->type_url, "runtimeoptions.v1.Options");
    assert_string_equal(got->features->type_url,
                        "types.containerd.io/opencontainers/runtime-spec/1/features/Features");
    assert_int_equal(got->features->value.len, strlen(info.features));
    bootstrap__runtime_info__free_unpacked(got, NULL);
    free(bytes);
    assert_true(wrap_bootstrap_info(&info, NULL, 0, &bytes, &size, &err));
    free(bytes);
    assert_false(wrap_bootstrap_info(&info, "\x0a\x7f", 2, &bytes, &size, &err));
    assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
}

static void expect_address(const char *containerd, const char *group, const char *hex)
{
    struct wrap_bootstrap_args args = {.address = containerd, .ns = "default"};
    struct wrap_error err = {0};
    char out[128], want[128];
    assert_true(wrap_bootstrap_address("/run/containerd/s", &args, group, out, sizeof out, &err));
    snprintf(want, sizeof want, "unix:///run/containerd/s/%s", hex);
    assert_string_equal(out, want);
}

static void test_address_is_the_hash_of_the_clean_path(void **state)
{
    (void)state;
    /* printf %s /run/containerd/containerd.sock/default/pod | sha256sum */
    static const char hex[] = "8141104d8ebc9c2b18f3a613667e2e27712f88b4c7184495d51f8370e92a39f5";
    expect_address("/run/containerd/containerd.sock", "pod", hex);
    expect_address("/run//containerd/./containerd.sock/", "/pod/", hex);
    expect_address("/../run/x/../containerd/containerd.sock", "a/../pod", hex);
    struct wrap_bootstrap_args args = {.address = "/a", .ns = "b"};
    struct wrap_error err = {0};
    char dir[64], out[256];
    memset(dir, 'd', sizeof dir);
    dir[42] = 0; /* and 65 more are 107, the most that a socket's name may have */
    assert_true(wrap_bootstrap_address(dir, &args, "c", out, sizeof out, &err));
    dir[42] = 'd';
    dir[43] = 0;
    assert_false(wrap_bootstrap_address(dir, &args, "c", out, sizeof out, &err));
    assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
    assert_false(wrap_bootstrap_address("/d", &args, "c", out, 20, &err));
}

static void test_features_are_a_document(void **state)
{
    (void)state;
    char *features = wrap_features_json();
    assert_non_null(features);
    assert_non_null(strstr(features, "\"ociVersionMin\":\"1.0.0\""));
    assert_non_null(strstr(features, "\"CAP_CHECKPOINT_RESTORE\""));
    assert_non_null(strstr(features, "\"rro\""));
    assert_non_null(strstr(features, "\"mountExtensions\":{\"idmap\":{\"enabled\":true}}"));
    assert_null(strstr(features, "null")); /* which would be no memory, or no name */
    free(features);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features_are_a_document),
        cmocka_unit_test(test_arguments_of_start),
        cmocka_unit_test(test_arguments_as_go_reads_them),
        cmocka_unit_test(test_wrong_arguments_are_refused),
        cmocka_unit_test(test_old_containerd_gets_the_address),
        cmocka_unit_test(test_newer_containerd_gets_json),
        cmocka_unit_test(test_options_of_a_runtime_are_found),
        cmocka_unit_test(test_newest_containerd_gets_a_message),
        cmocka_unit_test(test_options_are_not_taken_for_parameters),
        cmocka_unit_test(test_unreadable_stdin_is_reported),
        cmocka_unit_test(test_info_is_a_message),
        cmocka_unit_test(test_address_is_the_hash_of_the_clean_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
