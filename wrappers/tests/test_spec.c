/* SPDX-License-Identifier: Apache-2.0 */
/* test_spec.c - configurations: what is read, and what is refused with the name of the member. */
#include "common/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The members that each configuration must have, and others. */
#define WITH(members) "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}" members "}"
#define PROCESS(members) WITH(",\"process\":{\"args\":[\"/a\"],\"cwd\":\"/\"" members "}")
#define LINUX(members) WITH(",\"linux\":{" members "}")
#define RESOURCES(members) LINUX("\"resources\":{" members "}")
#define SECCOMP(members) LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"" members "}")
#define NEW(type) "{\"type\":\"" type "\"}"

static struct wrap_spec *parse(const char *json)
{
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    if (!wrap_spec_parse(json, strlen(json), &spec, &err)) {
        fail_msg("%s: %s", json, err.text);
    }
    return spec;
}

/* ---------------------------------------------------------------- refused */

struct bad_row {
    const char *json;
    const char *text; /* that the error has */
};

static const struct bad_row bad_rows[] = {
    {"", "line 1"},
    {"{", "line 1"},
    {"[]", "not an object"},
    {"3", "line 1"},
    {"{}", "ociVersion: missing"},
    {"{\"ociVersion\":1}", "ociVersion: not a string"},
    {"{\"ociVersion\":\"1.0.2\"}", "root: missing"},
    {"{\"ociVersion\":\"0.6\",\"root\":{\"path\":\"r\"}}", "ociVersion: '0.6' is not 1.x"},
    {"{\"ociVersion\":\"1.0.2\",\"root\":{}}", "root.path: missing"},
    {"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"\"}}", "root.path: is empty"},
    {WITH(",\"root\":{\"path\":\"b\"}"), "duplicate"},
    {WITH(",\"hostname\":\"a\\u0000b\""), "\\u0000"},
    {WITH(",\"hostname\":\"\xff\""), "decode"},
    {WITH(",\"hostname\":\"a\""), "hostname: needs a uts namespace"},
    {WITH(",\"process\":[]"), "process: not an object"},
    {WITH(",\"process\":{}"), "process.args: missing"},
    {WITH(",\"process\":{\"args\":[],\"cwd\":\"/\"}"), "process.args: is empty"},
    {WITH(",\"process\":{\"args\":[\"a\",1],\"cwd\":\"/\"}"), "process.args[1]: not a string"},
    {WITH(",\"process\":{\"args\":[\"a\"]}"), "process.cwd: missing"},
    {WITH(",\"process\":{\"args\":[\"a\"],\"cwd\":\"a\"}"), "process.cwd: not an absolute path"},
    {PROCESS(",\"terminal\":1"), "process.terminal: not true or false"},
    {PROCESS(",\"user\":{\"uid\":-1}"), "process.user.uid: not an integer from 0 to 4294967295"},
    {PROCESS(",\"user\":{\"uid\":4294967296}"), "process.user.uid: not an integer"},
    {PROCESS(",\"user\":{\"uid\":1.5}"), "process.user.uid: not an integer"},
    {PROCESS(",\"user\":{\"uid\":\"0\"}"), "process.user.uid: not an integer"},
    {PROCESS(",\"user\":{\"umask\":512}"), "process.user.umask: not an integer from 0 to 511"},
    {PROCESS(",\"user\":{\"additionalGids\":[-1]}"), "process.user.additionalGids: not integers"},
    {PROCESS(",\"env\":[\"A\"]"), "process.env: 'A' is not NAME=VALUE"},
    {PROCESS(",\"env\":[\"=A\"]"), "process.env: '=A' is not NAME=VALUE"},
    {PROCESS(",\"oomScoreAdj\":1001"), "process.oomScoreAdj: not an integer from -1000 to 1000"},
    {PROCESS(",\"capabilities\":{\"bounding\":\"CAP_KILL\"}"),
     "capabilities.bounding: not an array"},
    {PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]"),
     "process.rlimits[0].type: unknown 'RLIMIT_X'"},
    {PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]"),
     "process.rlimits[0].soft: larger than hard"},
    {PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},"
             "{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]"),
     "process.rlimits: one type is given twice"},
    {PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":18446744073709551616}]"),
     "too big integer"},
    {WITH(",\"mounts\":[{\"type\":\"proc\"}]"), "mounts[0].destination: missing"},
    {WITH(",\"mounts\":[{\"destination\":\"/a\",\"options\":[2]}]"), "mounts[0].options[0]: not a"},
    {WITH(",\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,\"hostID\":0,"
          "\"size\":1}]}]"),
     "mounts[0].uidMappings: must be given along"},
    {WITH(",\"hooks\":{\"prestart\":[{\"path\":\"a\"}]}"),
     "hooks.prestart[0].path: not an absolute"},
    {WITH(",\"hooks\":{\"poststop\":[{\"path\":\"/a\",\"timeout\":0}]}"),
     "hooks.poststop[0].timeout: not an integer from 1"},
    {WITH(",\"annotations\":{\"a\":1}"), "annotations.a: not a string"},
    {WITH(",\"annotations\":[]"), "annotations: not an object"},
    {LINUX("\"namespaces\":[" NEW("pid") "," NEW("pid") "]"),
     "linux.namespaces[1]: 'pid' is given"},
    {LINUX("\"namespaces\":[" NEW("disk") "]"), "linux.namespaces[0].type: unknown 'disk'"},
    {LINUX("\"namespaces\":[{\"type\":\"pid\",\"path\":\"ns\"}]"), "path: not an absolute path"},
    {LINUX("\"namespaces\":[" NEW("user") "]"), "linux.uidMappings: a new user namespace"},
    {LINUX("\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]"),
     "linux.uidMappings: need a user namespace"},
    {LINUX("\"uidMappings\":[{\"containerID\":4294967295,\"hostID\":0,\"size\":2}]"),
     "linux.uidMappings[0].size: not a range"},
    {LINUX("\"maskedPaths\":[\"proc\"]"), "linux.maskedPaths: 'proc' is not an absolute path"},
    {LINUX("\"maskedPaths\":[\"/proc\"]"), "linux.maskedPaths: need a mount namespace"},
    {LINUX("\"rootfsPropagation\":\"x\""), "linux.rootfsPropagation: unknown 'x'"},
    {LINUX("\"devices\":[{\"type\":\"x\",\"path\":\"/a\"}]"), "linux.devices[0].type: not c, u, b"},
    {LINUX("\"devices\":[{\"type\":\"c\",\"path\":\"/a\",\"minor\":1}]"),
     "devices[0].major: missing"},
    {LINUX("\"sysctl\":{\"net.core.somaxconn\":\"1\"}"), "linux.sysctl: 'net.core.somaxconn'"},
    {LINUX("\"namespaces\":[" NEW("network") "],\"sysctl\":{\"kernel.panic\":\"1\"}"),
     "linux.sysctl: 'kernel.panic'"},
    {LINUX("\"namespaces\":[" NEW("network") "],\"sysctl\":{\"net/../kernel/panic\":\"1\"}"),
     "linux.sysctl: 'net/../kernel/panic'"},
    {LINUX("\"namespaces\":[" NEW("ipc") "],\"sysctl\":{\"kernel.shmmaxx\":\"1\"}"),
     "linux.sysctl: 'kernel.shmmaxx'"},
    {RESOURCES("\"memory\":{\"limit\":-2}"),
     "linux.resources.memory.limit: not an integer from -1"},
    {RESOURCES("\"memory\":{\"limit\":9223372036854775808}"),
     "linux.resources.memory.limit: not an"},
    {RESOURCES("\"memory\":{\"swappiness\":101}"),
     "memory.swappiness: not an integer from 0 to 100"},
    {RESOURCES("\"cpu\":{\"cpus\":\"0\\n1\"}"), "linux.resources.cpu.cpus: not a list"},
    {RESOURCES("\"devices\":[{\"allow\":true,\"access\":\"rx\"}]"), "devices[0].access: 'rx'"},
    {RESOURCES("\"devices\":[{\"type\":\"x\"}]"), "linux.resources.devices[0].type: unknown"},
    {RESOURCES("\"blockIO\":{\"weightDevice\":[{\"major\":8}]}"), "weightDevice[0].minor: missing"},
    {RESOURCES("\"blockIO\":{\"throttleReadBpsDevice\":{}}"),
     "throttleReadBpsDevice: not an array"},
    {RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"../2MB\",\"limit\":1}]"), "pageSize: '../2MB'"},
    {RESOURCES("\"unified\":{\"../memory.max\":\"1\"}"),
     "linux.resources.unified: '../memory.max'"},
    {RESOURCES("\"network\":{\"priorities\":[{\"name\":\"a/b\",\"priority\":1}]}"),
     "priorities[0].name: not the name"},
    {LINUX("\"seccomp\":{}"), "linux.seccomp.defaultAction: missing"},
    {LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NONE\"}"), "unknown 'SCMP_ACT_NONE'"},
    {SECCOMP(",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}]"), "names: is empty"},
    {SECCOMP(",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\",\"errnoRet\":1}]"),
     "linux.seccomp.syscalls[0].errnoRet: the action takes none"},
    {SECCOMP(",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\","
             "\"args\":[{\"index\":6,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]"),
     "syscalls[0].args[0].index: not an integer from 0 to 5"},
    {SECCOMP(",\"defaultErrnoRet\":4096"), "linux.seccomp.defaultErrnoRet: not an integer from 0"},
    {SECCOMP(",\"architectures\":[\"PDP11\"]"), "linux.seccomp.architectures: unknown 'PDP11'"},
};

static void test_bad_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        struct wrap_spec *spec = NULL;
        struct wrap_error err = {0};
        const char *json = bad_rows[i].json;
        if (wrap_spec_parse(json, strlen(json), &spec, &err)) {
            fail_msg("%s: is accepted", json);
        }
        assert_null(spec);
        assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
        if (!strstr(err.text, bad_rows[i].text)) {
            fail_msg("%s: '%s' has no '%s'", json, err.text, bad_rows[i].text);
        }
    }
}

/* ---------------------------------------------------------------- not honoured */

static const struct bad_row refused_rows[] = {
    {WITH(""), NULL},
    {LINUX("\"intelRdt\":{}"), NULL},
    {LINUX("\"intelRdt\":{\"closID\":\"a\"}"), "linux.intelRdt"},
    {LINUX("\"personality\":{\"domain\":\"LINUX\"}"), NULL},
    {LINUX("\"personality\":{\"domain\":\"LINUX32\"}"), "linux.personality"},
    {LINUX("\"namespaces\":[" NEW("time") "]"), "linux.namespaces[0]"},
    {LINUX("\"timeOffsets\":{\"monotonic\":{\"secs\":1}}"), "linux.timeOffsets"},
    {LINUX("\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}"), "linux.memoryPolicy"},
    {LINUX("\"netDevices\":{\"eth0\":{}}"), "linux.netDevices"},
    {RESOURCES("\"rdma\":{\"mlx5\":{\"hcaHandles\":1}}"), "linux.resources.rdma"},
    {RESOURCES("\"blockIO\":{\"leafWeight\":10}"), "linux.resources.blockIO.leafWeight"},
    {PROCESS(",\"scheduler\":{\"policy\":\"SCHED_RR\"}"), "process.scheduler"},
    {PROCESS(",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_RT\"}"), "process.ioPriority"},
    {PROCESS(",\"execCPUAffinity\":{\"initial\":\"0\"}"), "process.execCPUAffinity"},
    {SECCOMP(",\"listenerPath\":\"/run/x\""), "linux.seccomp.listenerPath"},
    {LINUX("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}"), "linux.seccomp.defaultAction"},
    {SECCOMP(",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"),
     "linux.seccomp.syscalls[0].action"},
    {WITH(",\"vm\":{\"kernel\":{\"path\":\"/k\"}}"), "vm"},
    {WITH(",\"windows\":{\"layerFolders\":[\"a\"]}"), "windows"},
    {WITH(",\"solaris\":null,\"zos\":{}"), NULL},
    {WITH(",\"somethingNew\":{\"a\":1}"), NULL},
};

static void test_refused_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
        struct wrap_spec *spec = parse(refused_rows[i].json);
        if (!refused_rows[i].text) {
            assert_null(spec->unsupported);
        } else if (!spec->unsupported || strcmp(spec->unsupported, refused_rows[i].text) != 0) {
            fail_msg("%s: unsupported is '%s'", refused_rows[i].json,
                     spec->unsupported ? spec->unsupported : "nothing");
        }
        wrap_spec_free(spec);
    }
}

/* ---------------------------------------------------------------- read */

static void test_defaults_have_no_null_strings(void **state)
{
    (void)state;
    struct wrap_spec *spec = parse(WITH(",\"hooks\":null,\"linux\":null,\"mounts\":null"));
    assert_string_equal(spec->version, "1.0.2");
    assert_string_equal(spec->root, "rootfs");
    assert_string_equal(spec->hostname, "");
    assert_string_equal(spec->domainname, "");
    assert_string_equal(spec->cgroups_path, "");
    assert_string_equal(spec->rootfs_propagation, "");
    assert_string_equal(spec->mount_label, "");
    assert_string_equal(spec->process.cwd, "");
    assert_string_equal(spec->process.apparmor_profile, "");
    assert_string_equal(spec->process.selinux_label, "");
    assert_false(spec->has_process);
    assert_false(spec->has_resources);
    assert_false(spec->has_seccomp);
    assert_int_equal(spec->process.umask, UINT32_MAX);
    assert_int_equal(spec->namespaces_new, 0);
    assert_null(wrap_spec_annotation(spec, "a"));
    wrap_spec_free(spec);
}

static void test_process_members(void **state)
{
    (void)state;
    struct wrap_spec *spec =
        parse(PROCESS(",\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},"
                      "\"user\":{\"uid\":1000,\"gid\":4294967294,\"umask\":18,"
                      "\"additionalGids\":[1,2,4294967295]},"
                      "\"env\":[\"A=1\",\"B=\",\"A=2\",\"AB=3\"],\"oomScoreAdj\":-999,"
                      "\"noNewPrivileges\":true,\"apparmorProfile\":\"p\",\"selinuxLabel\":\"l\","
                      "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"cap_kill\",\"CAP_NEWEST\","
                      "\"2\"],\"ambient\":[]},"
                      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,"
                      "\"hard\":18446744073709551615}]"));
    const struct wrap_process *process = &spec->process;
    assert_true(spec->has_process && process->terminal && process->no_new_privileges);
    assert_int_equal(process->rows, 24);
    assert_int_equal(process->columns, 80);
    assert_int_equal(process->uid, 1000);
    assert_int_equal(process->gid, 4294967294u);
    assert_int_equal(process->umask, 022);
    assert_int_equal(process->group_count, 3);
    assert_int_equal(process->groups[2], UINT32_MAX);
    assert_string_equal(wrap_process_env(process, "A"), "2");
    assert_string_equal(wrap_process_env(process, "B"), "");
    assert_null(wrap_process_env(process, "C"));
    assert_true(process->has_oom_score_adj);
    assert_int_equal(process->oom_score_adj, -999);
    assert_string_equal(process->apparmor_profile, "p");
    assert_string_equal(process->selinux_label, "l");
    assert_true(process->has_caps);
    assert_true(process->caps.bounding == ((UINT64_C(1) << 0) | (UINT64_C(1) << 5)));
    assert_true(process->caps.effective == 0);
    assert_int_equal(process->rlimit_count, 1);
    assert_int_equal(process->rlimits[0].resource, RLIMIT_NOFILE);
    assert_true(process->rlimits[0].soft == 1 && process->rlimits[0].hard == UINT64_MAX);
    wrap_spec_free(spec);
}

static void test_console_size_without_terminal_is_ignored(void **state)
{
    (void)state;
    struct wrap_spec *spec = parse(PROCESS(",\"consoleSize\":{\"height\":24,\"width\":80}"));
    assert_int_equal(spec->process.rows, 0);
    assert_int_equal(spec->process.columns, 0);
    wrap_spec_free(spec);
}

static void test_large_numbers_keep_every_bit(void **state)
{
    (void)state;
    struct wrap_spec *spec = parse(
        SECCOMP(",\"syscalls\":[{\"names\":[\"a\\\"18446744073709551615\",\"b\"],"
                "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38,\"args\":["
                "{\"index\":5,\"value\":18446744073709551614,\"valueTwo\":9223372036854775808,"
                "\"op\":\"SCMP_CMP_MASKED_EQ\"},"
                "{\"index\":0,\"value\":9223372036854775807,\"op\":\"SCMP_CMP_NE\"}]}]"));
    const struct wrap_seccomp_rule *rule = &spec->seccomp.rules[0];
    assert_int_equal(spec->seccomp.rule_count, 1);
    assert_int_equal(spec->seccomp.default_errno, EPERM);
    assert_int_equal(rule->errno_ret, ENOSYS);
    assert_string_equal(rule->names.items[0], "a\"18446744073709551615");
    assert_int_equal(rule->arg_count, 2);
    assert_true(rule->args[0].value == UINT64_MAX - 1);
    assert_true(rule->args[0].value_two == UINT64_C(1) << 63);
    assert_int_equal(rule->args[0].op, WRAP_CMP_MASKED_EQ);
    assert_true(rule->args[1].value == INT64_MAX);
    wrap_spec_free(spec);
}

static void test_linux_members(void **state)
{
    (void)state;
    struct wrap_spec *spec = parse(LINUX("\"namespaces\":[" NEW("pid") "," NEW("mount") "," NEW(
        "user") ","
                "{\"type\":\"network\",\"path\":\"/n\"},{\"type\":\"ipc\",\"path\":\"\"}],"
                "\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}],"
                "\"gidMappings\":[{\"containerID\":0,\"hostID\":200000,\"size\":65536}],"
                "\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":1,\"minor\":3},"
                "{\"type\":\"p\",\"path\":\"/dev/p\",\"fileMode\":33188,\"uid\":7}],"
                "\"cgroupsPath\":\"a:b:c\",\"rootfsPropagation\":\"rslave\",\"mountLabel\":\"m\","
                "\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],"
                "\"sysctl\":{\"net/ipv4/ip_forward\":\"1\",\"fs.mqueue.msg_max\":\"5\","
                "\"kernel.shmmax\":\"6\"}"));
    assert_int_equal(spec->namespaces_new, (1 << WRAP_NS_PID) | (1 << WRAP_NS_MOUNT) |
                                               (1 << WRAP_NS_USER) | (1 << WRAP_NS_IPC));
    assert_string_equal(spec->namespace_paths[WRAP_NS_NETWORK], "/n");
    assert_null(spec->namespace_paths[WRAP_NS_IPC]);
    assert_int_equal(spec->gid_maps.items[0].host_id, 200000);
    assert_int_equal(spec->device_count, 2);
    assert_int_equal(spec->devices[0].type, 'c');
    assert_int_equal(spec->devices[0].minor, 3);
    assert_int_equal(spec->devices[0].mode, 0666);
    assert_int_equal(spec->devices[1].type, 'p');
    assert_int_equal(spec->devices[1].mode, 0644);
    assert_int_equal(spec->devices[1].uid, 7);
    assert_string_equal(spec->cgroups_path, "a:b:c");
    assert_string_equal(spec->rootfs_propagation, "rslave");
    assert_string_equal(spec->mount_label, "m");
    assert_string_equal(spec->masked_paths.items[0], "/proc/kcore");
    assert_int_equal(spec->readonly_paths.count, 1);
    assert_int_equal(spec->sysctl_count, 3);
    assert_string_equal(spec->sysctl[0].key, "net/ipv4/ip_forward");
    wrap_spec_free(spec);
}

static void test_mounts_and_hooks(void **state)
{
    (void)state;
    struct wrap_spec *spec =
        parse(WITH(",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
                   "\"options\":[\"nosuid\",\"ro\"]},{\"destination\":\"data\"}],"
                   "\"hooks\":{\"createRuntime\":[{\"path\":\"/h\",\"args\":[\"h\",\"x\"],"
                   "\"env\":[\"A=1\"],\"timeout\":5}],\"poststop\":[{\"path\":\"/p\"}]},"
                   "\"annotations\":{\"a\":\"1\",\"b\":\"\"}"));
    assert_int_equal(spec->mount_count, 2);
    assert_int_equal(spec->mounts[0].options.count, 2);
    assert_string_equal(spec->mounts[0].options.items[1], "ro");
    assert_string_equal(spec->mounts[1].destination, "/data");
    assert_string_equal(spec->mounts[1].type, "");
    assert_string_equal(spec->mounts[1].source, "");
    assert_int_equal(spec->hooks[WRAP_HOOK_CREATE_RUNTIME].count, 1);
    assert_string_equal(spec->hooks[WRAP_HOOK_CREATE_RUNTIME].items[0].args.items[1], "x");
    assert_int_equal(spec->hooks[WRAP_HOOK_CREATE_RUNTIME].items[0].timeout_s, 5);
    assert_int_equal(spec->hooks[WRAP_HOOK_POSTSTOP].count, 1);
    assert_int_equal(spec->hooks[WRAP_HOOK_PRESTART].count, 0);
    assert_string_equal(wrap_spec_annotation(spec, "a"), "1");
    assert_string_equal(wrap_spec_annotation(spec, "b"), "");
    wrap_spec_free(spec);
}

/* ---------------------------------------------------------------- parts of a configuration */

static const char resources_json[] =
    "{\"devices\":[{\"allow\":false,\"access\":\"mwr\"},{\"allow\":true,\"type\":\"c\",\"major\":1,"
    "\"minor\":3,\"access\":\"rr\"},{\"allow\":true,\"type\":\"b\"}],"
    "\"memory\":{\"limit\":67108864,\"swap\":-1,\"reservation\":0,\"swappiness\":0,"
    "\"disableOOMKiller\":true},"
    "\"cpu\":{\"shares\":512,\"quota\":-1,\"period\":100000,\"cpus\":\"0-3,7\",\"mems\":\"\"},"
    "\"pids\":{\"limit\":0},"
    "\"blockIO\":{\"weight\":500,\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":300}],"
    "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":18446744073709551615}]},"
    "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}],"
    "\"network\":{\"classID\":65537,\"priorities\":[{\"name\":\"eth0\",\"priority\":7}]},"
    "\"unified\":{\"memory.high\":\"max\"}}";

static void check_limits(const struct wrap_resources *resources)
{
    assert_true(resources->memory_limit.given && resources->memory_limit.value == 67108864);
    assert_true(resources->memory_swap.given && resources->memory_swap.value == -1);
    assert_false(resources->memory_reservation.given); /* 0 is no limit to set */
    assert_true(resources->memory_swappiness.given && resources->memory_swappiness.value == 0);
    assert_true(resources->memory_disable_oom_killer);
    assert_false(resources->memory_kernel.given);
    assert_true(resources->cpu_shares.value == 512 && resources->cpu_quota.value == -1);
    assert_string_equal(resources->cpus, "0-3,7");
    assert_null(resources->mems);
    assert_true(resources->pids_limit.given && resources->pids_limit.value == 0);
}

static void test_resources_alone(void **state)
{
    (void)state;
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    assert_true(wrap_spec_parse_resources(resources_json, strlen(resources_json), &spec, &err));
    const struct wrap_resources *resources = &spec->resources;
    assert_true(spec->has_resources);
    check_limits(resources);
    assert_int_equal(resources->device_rule_count, 3);
    assert_string_equal(resources->device_rules[0].access, "rwm");
    assert_int_equal(resources->device_rules[0].type, 'a');
    assert_true(resources->device_rules[0].major == -1);
    assert_string_equal(resources->device_rules[1].access, "r");
    assert_string_equal(resources->device_rules[2].access, "rwm");
    assert_true(resources->io_weight.value == 500);
    assert_int_equal(resources->io_limit_count, 2);
    assert_string_equal(resources->io_limits[0].file, "blkio.weight_device");
    assert_string_equal(resources->io_limits[1].file, "blkio.throttle.write_iops_device");
    assert_true(resources->io_limits[1].value == UINT64_MAX);
    assert_true(resources->huge_limits[0].bytes == 4194304);
    assert_true(resources->net_class_id.value == 65537);
    assert_string_equal(resources->net_priorities[0].value, "7");
    assert_string_equal(resources->unified[0].key, "memory.high");
    assert_string_equal(spec->process.cwd, "");
    wrap_spec_free(spec);
}

static void test_process_alone(void **state)
{
    static const char good[] = "{\"args\":[\"/b\",\"c\"],\"cwd\":\"/\",\"user\":{\"uid\":1}}";
    static const char bad[] = "{\"args\":[\"/b\"],\"cwd\":\"/\",\"user\":{\"uid\":-1}}";
    (void)state;
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    assert_true(wrap_spec_parse_process(good, strlen(good), &spec, &err));
    assert_true(spec->has_process);
    assert_int_equal(spec->process.args.count, 2);
    assert_int_equal(spec->process.uid, 1);
    assert_string_equal(spec->root, "");
    wrap_spec_free(spec);
    assert_false(wrap_spec_parse_process(bad, strlen(bad), &spec, &err));
    assert_null(spec);
    assert_non_null(strstr(err.text, "process.user.uid: "));
}

/* ---------------------------------------------------------------- size and depth */

static void repeat(char **at, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        *at = stpcpy(*at, text);
    }
}

static void expect_bad(const char *json, const char *text)
{
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    assert_false(wrap_spec_parse(json, strlen(json), &spec, &err));
    if (!strstr(err.text, text)) {
        fail_msg("'%s' has no '%s'", err.text, text);
    }
}

static void test_hostile_sizes_are_errors(void **state)
{
    (void)state;
    enum { ROOM = 5 << 20 };
    char *json = malloc(ROOM);
    assert_non_null(json);
    char *at = json;
    repeat(&at, "[", 100000);
    expect_bad(json, "depth");
    at = stpcpy(json, "{\"a\":[");
    repeat(&at, "{},", (4 << 20) / 3 - 10);
    expect_bad(json, "out of memory"); /* of the pool: trees grow no further */
    at = json;
    repeat(&at, " ", (4 << 20) + 1);
    expect_bad(json, "larger than 4 MiB");
    at = stpcpy(json, "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"mounts\":[");
    repeat(&at, "0,", 4097);
    strcpy(at, "0]}");
    expect_bad(json, "mounts: more than 4096 items");
    free(json);
}

static void test_reduced_one_keeps_what_is_asked_later(void **state)
{
    (void)state;
    struct wrap_spec *small = NULL;
    struct wrap_spec *spec =
        parse("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\"},\"process\":"
              "{\"args\":[\"/a.wasm#f\",\"\",\"b\"],\"cwd\":\"/\"},\"annotations\":{\"a\":\"b\"},"
              "\"linux\":{\"cgroupsPath\":\"/g/x\",\"namespaces\":[{\"type\":\"pid\"}],"
              "\"resources\":{\"pids\":{\"limit\":7}}}}");
    assert_true(wrap_spec_reduce(spec, &small));
    wrap_spec_free(spec);
    assert_string_equal(small->version, "1.0.2");
    assert_string_equal(small->cgroups_path, "/g/x");
    assert_int_equal(small->namespaces_new, 1u << WRAP_NS_PID);
    assert_true(small->has_process);
    assert_int_equal(small->process.args.count, 3);
    assert_string_equal(small->process.args.items[0], "/a.wasm#f");
    assert_string_equal(small->process.args.items[1], "");
    assert_string_equal(small->process.args.items[2], "b");
    assert_string_equal(small->root, "");
    assert_false(small->has_resources);
    assert_null(wrap_spec_annotation(small, "a"));
    wrap_spec_free(small);
    spec = parse(WITH(",\"hooks\":{\"poststop\":[{\"path\":\"/x\"}]}"));
    assert_false(wrap_spec_reduce(spec, &small));
    assert_null(small);
    wrap_spec_free(spec);
}

static void test_load_names_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/wrap-spec-XXXXXX";
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_false(wrap_spec_load(path, &spec, &err));
    assert_non_null(strstr(err.text, path));
    assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
    const char *json = PROCESS("");
    assert_true(write(fd, json, strlen(json)) == (ssize_t)strlen(json));
    close(fd);
    assert_true(wrap_spec_load(path, &spec, &err));
    assert_string_equal(spec->process.args.items[0], "/a");
    wrap_spec_free(spec);
    unlink(path);
    err = (struct wrap_error){0};
    assert_false(wrap_spec_load(path, &spec, &err));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    assert_int_equal(mkfifo(path, 0600), 0);
    err = (struct wrap_error){0};
    assert_false(wrap_spec_load(path, &spec, &err));
    assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
    unlink(path);
    wrap_spec_free(NULL);
}

/* ---------------------------------------------------------------- errors */

static void test_errors_are_one_line_of_utf8(void **state)
{
    (void)state;
    struct wrap_error err = {0};
    char long_text[1000];
    assert_false(wrap_fail(&err, WRAP_NOT_FOUND, "a\nb\x1b\xff%s", "\xc3\xa9"));
    assert_string_equal(err.text, "a b ?\xc3\xa9");
    assert_false(wrap_fail(&err, WRAP_INTERNAL, "second"));
    assert_int_equal(err.code, WRAP_NOT_FOUND);
    wrap_error_prefix(&err, "in %d", 3);
    assert_string_equal(err.text, "in 3: a b ?\xc3\xa9");
    assert_false(wrap_fail(NULL, WRAP_INTERNAL, "nowhere"));
    err = (struct wrap_error){0};
    wrap_error_prefix(&err, "nothing");
    assert_string_equal(err.text, "");
    assert_false(wrap_fail_errno(&err, EACCES, "x"));
    assert_int_equal(err.code, WRAP_PERMISSION_DENIED);
    assert_string_equal(err.text, "x: Permission denied");
    memset(long_text, 'a', sizeof long_text);
    for (size_t i = 0; i + 2 < sizeof long_text; i += 2) {
        memcpy(long_text + i, "\xc3\xa9", 2);
    }
    long_text[sizeof long_text - 1] = 0;
    err = (struct wrap_error){0};
    wrap_fail(&err, WRAP_INTERNAL, "%s", long_text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(err.text[sizeof err.text - 2], '?'); /* not half a character */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_table),
        cmocka_unit_test(test_refused_table),
        cmocka_unit_test(test_defaults_have_no_null_strings),
        cmocka_unit_test(test_process_members),
        cmocka_unit_test(test_console_size_without_terminal_is_ignored),
        cmocka_unit_test(test_large_numbers_keep_every_bit),
        cmocka_unit_test(test_linux_members),
        cmocka_unit_test(test_mounts_and_hooks),
        cmocka_unit_test(test_resources_alone),
        cmocka_unit_test(test_process_alone),
        cmocka_unit_test(test_hostile_sizes_are_errors),
        cmocka_unit_test(test_reduced_one_keeps_what_is_asked_later),
        cmocka_unit_test(test_load_names_the_file),
        cmocka_unit_test(test_errors_are_one_line_of_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
