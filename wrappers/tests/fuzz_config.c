/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_config.c - bytes as a configuration, as the process of an Exec and as the resources of an
 * Update: everything that comes out is walked, so that a sanitizer sees what should not be there.
 */
#include "common/spec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static volatile size_t sink; /* so that nothing that is read is left out */

static void walk_text(const char *text)
{
    if (!text) {
        abort(); /* "none is NULL" */
    }
    sink += strlen(text);
}

static void walk_strings(const struct wrap_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++) {
        walk_text(strings->items[i]);
    }
}

static void walk_pairs(const struct wrap_key_value *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        walk_text(pairs[i].key);
        walk_text(pairs[i].value);
    }
}

static void walk_maps(const struct wrap_id_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        sink += maps->items[i].container_id + maps->items[i].host_id + maps->items[i].size;
    }
}

static void walk_process(const struct wrap_process *process)
{
    walk_text(process->cwd);
    walk_text(process->apparmor_profile);
    walk_text(process->selinux_label);
    walk_strings(&process->args);
    walk_strings(&process->env);
    for (size_t i = 0; i < process->group_count; i++) {
        sink += process->groups[i];
    }
    for (size_t i = 0; i < process->rlimit_count; i++) {
        sink += process->rlimits[i].soft;
        if (process->rlimits[i].soft > process->rlimits[i].hard) {
            abort();
        }
    }
    sink += wrap_process_env(process, "PATH") != NULL;
}

static void walk_resources(const struct wrap_resources *resources)
{
    sink += resources->cpus ? strlen(resources->cpus) : 0;
    sink += resources->mems ? strlen(resources->mems) : 0;
    for (size_t i = 0; i < resources->io_limit_count; i++) {
        walk_text(resources->io_limits[i].file);
    }
    for (size_t i = 0; i < resources->huge_limit_count; i++) {
        walk_text(resources->huge_limits[i].page_size);
    }
    for (size_t i = 0; i < resources->device_rule_count; i++) {
        walk_text(resources->device_rules[i].access);
    }
    walk_pairs(resources->net_priorities, resources->net_priority_count);
    walk_pairs(resources->unified, resources->unified_count);
}

static void walk_seccomp(const struct wrap_seccomp *seccomp)
{
    walk_strings(&seccomp->architectures);
    walk_strings(&seccomp->flags);
    for (size_t i = 0; i < seccomp->rule_count; i++) {
        const struct wrap_seccomp_rule *rule = &seccomp->rules[i];
        walk_strings(&rule->names);
        for (size_t k = 0; k < rule->arg_count; k++) {
            sink += rule->args[k].value + rule->args[k].index;
        }
    }
}

static void walk_mounts(const struct wrap_spec *spec)
{
    for (size_t i = 0; i < spec->mount_count; i++) {
        const struct wrap_spec_mount *mount = &spec->mounts[i];
        walk_text(mount->destination);
        walk_text(mount->type);
        walk_text(mount->source);
        walk_strings(&mount->options);
        walk_maps(&mount->uid_maps);
        walk_maps(&mount->gid_maps);
        if (mount->destination[0] != '/') {
            abort();
        }
    }
}

static void walk_hooks(const struct wrap_spec *spec)
{
    for (unsigned stage = 0; stage < WRAP_HOOK_STAGES; stage++) {
        for (size_t i = 0; i < spec->hooks[stage].count; i++) {
            walk_text(spec->hooks[stage].items[i].path);
            walk_strings(&spec->hooks[stage].items[i].args);
            walk_strings(&spec->hooks[stage].items[i].env);
        }
    }
}

static void walk(const struct wrap_spec *spec)
{
    walk_text(spec->version);
    walk_text(spec->hostname);
    walk_text(spec->domainname);
    walk_text(spec->root);
    walk_text(spec->cgroups_path);
    walk_text(spec->rootfs_propagation);
    walk_text(spec->mount_label);
    walk_process(&spec->process);
    walk_resources(&spec->resources);
    walk_seccomp(&spec->seccomp);
    walk_mounts(spec);
    walk_hooks(spec);
    walk_pairs(spec->annotations, spec->annotation_count);
    walk_pairs(spec->sysctl, spec->sysctl_count);
    walk_maps(&spec->uid_maps);
    walk_maps(&spec->gid_maps);
    walk_strings(&spec->masked_paths);
    walk_strings(&spec->readonly_paths);
    for (size_t i = 0; i < spec->device_count; i++) {
        walk_text(spec->devices[i].path);
    }
    for (unsigned i = 0; i < WRAP_NS_COUNT; i++) {
        sink += spec->namespace_paths[i] ? strlen(spec->namespace_paths[i]) : 0;
    }
    sink += spec->unsupported ? strlen(spec->unsupported) : 0;
}

typedef bool (*parse_fn)(const char *json, size_t size, struct wrap_spec **out,
                         struct wrap_error *err);

static void try_parse(parse_fn parse, const char *json, size_t size)
{
    struct wrap_spec *spec = NULL;
    struct wrap_error err = {0};
    if (parse(json, size, &spec, &err)) {
        walk(spec);
        wrap_spec_free(spec);
        return;
    }
    if (spec || err.code == WRAP_OK || !err.text[0] || strchr(err.text, '\n')) {
        abort(); /* an error says what it is, on one line */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *json = (const char *)data;
    try_parse(wrap_spec_parse, json, size);
    try_parse(wrap_spec_parse_process, json, size);
    try_parse(wrap_spec_parse_resources, json, size);
    return 0;
}
