/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features.c - what config.json may ask of us, whatever this host has of it. containerd reads idmap
 * and "rro" from it before it offers user namespaces and recursive read-only mounts to a pod.
 *
 * Source: OCI runtime specification 1.2, features.md and features-linux.md.
 */
#include "sandbox/features.h"

#include "sandbox/container.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/capability.h>

// clang-format off
static const char *const hooks[] = {
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL};
static const char *const namespaces[] = {
    "cgroup", "ipc", "mount", "network", "pid", "user", "uts", NULL};
static const char *const actions[] = {
    "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP", NULL};
static const char *const operators[] = {
    "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
    "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE", NULL};
static const char *const archs[] = {
    "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
    NULL};
// clang-format on

static json_t *list_of(const char *const *words)
{
    json_t *list = json_array();
    for (; *words; words++) {
        json_array_append_new(list, json_string(*words));
    }
    return list;
}

static json_t *mount_options(void)
{
    json_t *list = json_array();
    const char *name = NULL;
    for (size_t i = 0; (name = wrap_mount_option(i)); i++) {
        json_array_append_new(list, json_string(name));
    }
    return list;
}

static json_t *capabilities(void)
{
    json_t *list = json_array();
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
        char *name = cap_to_name(cap);
        for (char *at = name; at && *at; at++) {
            *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
        }
        json_array_append_new(list, json_string(name));
        cap_free(name);
    }
    return list;
}

static json_t *enabled(bool value) { return json_pack("{s:b}", "enabled", value); }

static json_t *linux_part(void)
{
    json_t *cgroup = json_pack("{s:b, s:b, s:b, s:b, s:b}", "v1", 1, "v2", 1, "systemd", 1,
                               "systemdUser", 0, "rdma", 0);
    json_t *seccomp = json_pack("{s:b, s:o, s:o, s:o}", "enabled", 1, "actions", list_of(actions),
                                "operators", list_of(operators), "archs", list_of(archs));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o}}", "namespaces",
                     list_of(namespaces), "capabilities", capabilities(), "cgroup", cgroup,
                     "seccomp", seccomp, "apparmor", enabled(true), "selinux", enabled(true),
                     "intelRdt", enabled(false), "mountExtensions", "idmap", enabled(true));
}

char *wrap_features_json(void)
{
    json_t *document =
        json_pack("{s:s, s:s, s:o, s:o, s:o}", "ociVersionMin", "1.0.0", "ociVersionMax", "1.2.0",
                  "hooks", list_of(hooks), "mountOptions", mount_options(), "linux", linux_part());
    char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    return text;
}
