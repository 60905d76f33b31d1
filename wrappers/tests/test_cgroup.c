/* SPDX-License-Identifier: Apache-2.0 */
/* test_cgroup.c - names of groups, conversions of limits, and what a host says of itself. */
#include "sandbox/cgroup_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- names */

static bool place(const char *path, const char *id, bool systemd, struct wrap_cgroup_place *out)
{
    struct wrap_cgroup_config config = {.path = path, .id = id, .systemd = systemd};
    struct wrap_error err = {0};
    bool good = wrap_cgroup_place_of(&config, out, &err);
    assert_int_equal(err.code, good ? WRAP_OK : WRAP_INVALID_ARGUMENT);
    return good;
}

static void test_paths_of_files(void **state)
{
    static const struct {
        const char *path, *id, *want;
        bool relative;
    } rows[] = {
        {"/kubepods/pod1/abc", "x", "/kubepods/pod1/abc", false},
        {"", "abc", "/abc", false},
        {"abc", "x", "/abc", true},
        {"a/b.c", "x", "/a/b.c", true},
        {"a.slice:cri:x", "x", "/a.slice:cri:x", true},
        {"/...", "x", "/...", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wrap_cgroup_place made;
        assert_true(place(rows[i].path, rows[i].id, false, &made));
        assert_string_equal(made.path, rows[i].want);
        assert_int_equal(made.relative, rows[i].relative);
        assert_null(made.unit);
        wrap_cgroup_place_fini(&made);
    }
}

static void test_paths_that_are_refused(void **state)
{
    static const char *const paths[] = {
        "/", "..", "/a/../b", "a/..", "/a//b", "a/", "//a", ".", "/./a", "/a\nb", "/a\x7f", "/a\tb",
    };
    static const char *const ids[] = {"", "..", ".", "a/b", "a\nb"};
    struct wrap_cgroup_place made;
    char text[5000];
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_false(place(paths[i], "x", false, &made));
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_false(place("", ids[i], false, &made));
    }
    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[300] = '\0'; /* one name */
    assert_false(place(text, "x", false, &made));
    for (size_t i = 0; i < sizeof text; i += 100) {
        text[i] = '/';
    }
    text[300] = 'a';
    text[4999] = '\0';
    assert_false(place(text, "x", false, &made));
}

static void test_paths_of_systemd(void **state)
{
    static const struct {
        const char *path, *want, *unit;
    } rows[] = {
        {"a-b-c.slice:cri:x", "/a.slice/a-b.slice/a-b-c.slice/cri-x.scope", "cri-x.scope"},
        {"system.slice:run:x", "/system.slice/run-x.scope", "run-x.scope"},
        {":run:x", "/system.slice/run-x.scope", "run-x.scope"},
        {"-.slice:run:x", "/run-x.scope", "run-x.scope"},
        {"a.slice::x", "/a.slice/x.scope", "x.scope"},
        {"", "/system.slice/wasmrun-id.scope", "wasmrun-id.scope"},
    };
    static const char *const wrong[] = {
        "a.slice:b",         "a:b:c",         "a.slice:b:c:d", "/a/b",           "a--b.slice:b:c",
        "-a.slice:b:c",      "a-.slice:b:c",  ".slice:b:c",    "a/b.slice:b:c",  "a.slice:b/../c:d",
        "a.slice:b:../../c", "a.slice:b:c d", "a.slice:b:",    "..slice/..:b:c", "a.slice:b:c\n",
    };
    struct wrap_cgroup_place made;
    char text[600];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(place(rows[i].path, "id", true, &made));
        assert_string_equal(made.path, rows[i].want);
        assert_string_equal(made.unit, rows[i].unit);
        wrap_cgroup_place_fini(&made);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(place(wrong[i], "id", true, &made));
    }
    snprintf(text, sizeof text, "a.slice:b:%0*d", 300, 1);
    assert_false(place(text, "id", true, &made));
}

/* ---------------------------------------------------------------- conversions */

static void test_weights(void **state)
{
    (void)state;
    assert_int_equal(wrap_weight_of_shares(2), 1);
    assert_int_equal(wrap_weight_of_shares(1024), 39);
    assert_int_equal(wrap_weight_of_shares(262144), 10000);
    assert_int_equal(wrap_weight_of_shares(-5), 1);
    assert_int_equal(wrap_weight_of_shares(INT64_MAX), 10000);
    assert_int_equal(wrap_weight_of_blkio(10), 1);
    assert_int_equal(wrap_weight_of_blkio(500), 4950);
    assert_int_equal(wrap_weight_of_blkio(1000), 10000);
}

static void test_shares_that_v1_has_not_are_refused(void **state)
{
    static const int64_t good[] = {0, 2, 262144};
    static const int64_t bad[] = {1, -1, 262145, INT64_MAX, INT64_MIN};
    struct wrap_error why = {0};
    struct wrap_resources r = {.cpu_shares = {true, 1}, .cpu_idle = {true, 1}};
    (void)state;
    assert_true(wrap_shares_check(&r, &why)); /* idle: they are not set */
    r.cpu_idle.value = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        r.cpu_shares.value = good[i];
        assert_true(wrap_shares_check(&r, &why));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why = (struct wrap_error){0};
        r.cpu_shares.value = bad[i];
        assert_false(wrap_shares_check(&r, &why));
        assert_int_equal(why.code, WRAP_INVALID_ARGUMENT);
        assert_non_null(
            strstr(why.text, bad[i] < 2 ? "the minimum is 2" : "the maximum is 262144"));
    }
}

static void test_swap_is_what_is_above_memory(void **state)
{
    static const struct {
        int64_t memory, both, want;
        bool good;
    } rows[] = {
        {100, 300, 200, true}, {100, 100, 0, true}, {100, -1, -1, true},
        {-1, -1, -1, true},    {100, 50, 0, false}, {-1, 50, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wrap_resources r = {.memory_limit = {true, rows[i].memory},
                                   .memory_swap = {true, rows[i].both}};
        int64_t swap;
        assert_int_equal(wrap_swap_of(&r, &swap, NULL), rows[i].good);
        assert_true(!rows[i].good || swap == rows[i].want);
    }
}

static void test_io_and_unified(void **state)
{
    struct wrap_io_limit limit = {"blkio.throttle.write_iops_device", 8, 16, 77};
    char line[96];
    static const char *const good[] = {"memory.high", "io.max", "hugetlb.2MB.max"};
    static const char *const bad[] = {
        "",         "memory",        "memory.",         "cgroup.procs",
        "pids.max", "../memory.max", "memory.max/../x", "memory.a b",
        ".memory",  "memory.max\n",  "mem.max"};
    (void)state;
    assert_true(wrap_io_max_of(&limit, line, sizeof line));
    assert_string_equal(line, "8:16 wiops=77");
    limit.value = 0;
    assert_true(wrap_io_max_of(&limit, line, sizeof line));
    assert_string_equal(line, "8:16 wiops=max");
    limit.file = "../cgroup.procs";
    assert_false(wrap_io_max_of(&limit, line, sizeof line));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(wrap_unified_key_valid(good[i], "cpu io memory hugetlb\n"));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(wrap_unified_key_valid(bad[i], "cpu io memory hugetlb\n"));
    }
    assert_true(wrap_page_size_valid("2MB"));
    assert_false(wrap_page_size_valid("/../2MB"));
    assert_false(wrap_page_size_valid("MB"));
}

/* ---------------------------------------------------------------- hosts */

static bool any(const char *path, bool v2)
{
    (void)v2;
    return strstr(path, "hidden") == NULL;
}

static void read_host(const char *mounts, const char *own, struct wrap_host *out)
{
    FILE *first = fmemopen((void *)(uintptr_t)mounts, strlen(mounts), "r");
    FILE *second = fmemopen((void *)(uintptr_t)own, strlen(own), "r");
    wrap_host_read(first, second, any, out);
    fclose(first);
    fclose(second);
}

static void test_host_of_v1(void **state)
{
    struct wrap_host host;
    (void)state;
    read_host("31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs rw\n"
              "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
              "33 31 0:30 /docker/x /sys/fs/cgroup/a\\040b rw - cgroup cgroup rw,memory\n"
              "34 31 0:31 / /hidden rw - cgroup cgroup rw,pids\n"
              "35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 none rw\n"
              "36 31 0:30 / /second rw - cgroup cgroup rw,memory\n"
              "broken - \n",
              "4:memory:/docker/x/y\n3:cpu,cpuacct:/\n0::/init.scope\nnonsense\n", &host);
    assert_int_equal(host.version, WRAP_CGROUP_V1);
    assert_int_equal(host.count, 3);
    assert_string_equal(host.items[0].mount, "/sys/fs/cgroup/unified");
    assert_string_equal(host.items[0].own, "/init.scope");
    assert_string_equal(host.items[1].mount, "/sys/fs/cgroup/a b");
    assert_string_equal(host.items[1].own, "/y");
    assert_string_equal(host.items[2].own, "");
    assert_true(wrap_host_with(&host, WRAP_CTL_CPU) == wrap_host_with(&host, WRAP_CTL_CPUACCT));
    assert_null(wrap_host_with(&host, WRAP_CTL_PIDS));
    wrap_host_free(&host);
}

static void test_host_of_v2_and_relative_paths(void **state)
{
    struct wrap_host host;
    struct wrap_cgroup group = {.host = &host};
    char folder[WRAP_FOLDER_MAX];
    (void)state;
    read_host("31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
              "32 31 0:29 / /old rw - cgroup cgroup rw,net_cls\n",
              "0::/system.slice/containerd.service\n", &host);
    assert_int_equal(host.version, WRAP_CGROUP_V2);
    assert_int_equal(host.count, 1);
    assert_true(place("x", "", false, &group.place));
    assert_true(wrap_cgroup_folder(&group, &host.items[0], folder));
    assert_string_equal(folder, "/sys/fs/cgroup/system.slice/x");
    host.version = WRAP_CGROUP_V1;
    assert_true(wrap_cgroup_folder(&group, &host.items[0], folder));
    assert_string_equal(folder, "/sys/fs/cgroup/system.slice/containerd.service/x");
    wrap_cgroup_place_fini(&group.place);
    wrap_host_free(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_of_files),
        cmocka_unit_test(test_paths_that_are_refused),
        cmocka_unit_test(test_paths_of_systemd),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_shares_that_v1_has_not_are_refused),
        cmocka_unit_test(test_swap_is_what_is_above_memory),
        cmocka_unit_test(test_io_and_unified),
        cmocka_unit_test(test_host_of_v1),
        cmocka_unit_test(test_host_of_v2_and_relative_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
