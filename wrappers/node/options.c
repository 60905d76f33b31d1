/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the options of the commands; opening the root. */
#include "common/text.h"
#include "node/distro.h"
#include "node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_LONGEST = 63, TIMEOUT_S = 60, TIMEOUT_MAX_S = 3600 };

/* Folder of this program; of the process, whose one run this is. */
static char own_folder[PATH_MAX];

/* A handler of Kubernetes is a label of DNS, which is also a bare key of TOML. */
static bool is_runtime_name(const char *name)
{
    size_t size = strlen(name);
    return size >= 1 && size <= NAME_LONGEST && name[0] != '-' && name[size - 1] != '-' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
           strcmp(name, "runc") != 0 && strcmp(name, "crun") != 0;
}

/* It gets into strings of TOML and into templates. */
static bool is_folder(const char *path)
{
    if (path[0] != '/' || strlen(path) >= PATH_MAX / 2) return false;
    for (const char *at = path; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f || strchr("\"\\{}", *at)) return false;
    }
    return true;
}

static bool take_timeout(struct wrap_node *node, const char *value)
{
    uint64_t ns = 0;
    if (!wrap_parse_duration(value, &ns) || ns > (uint64_t)TIMEOUT_MAX_S * 1000000000) {
        wrap_say("option '--timeout': '%s' is no time up to an hour", value);
        return false;
    }
    node->timeout_s = (unsigned)((ns + 999999999) / 1000000000);
    return true;
}

static bool take(struct wrap_node *node, int id, const char *value)
{
    switch (id) {
    case WRAP_NODE_OPT_ROOT: node->root_path = value; return true;
    case WRAP_NODE_OPT_FROM: node->from = value; return true;
    case WRAP_NODE_OPT_SYSTEMCTL: node->systemctl = value; return true;
    case WRAP_NODE_OPT_DRY_RUN: node->dry_run = true; return true;
    case WRAP_NODE_OPT_NO_RESTART: node->no_restart = true; return true;
    case WRAP_NODE_OPT_FORCE: node->force = true; return true;
    case WRAP_NODE_OPT_JSON: node->json = true; return true;
    case WRAP_NODE_OPT_WAIT: node->wait = true; return true;
    case WRAP_NODE_OPT_TIMEOUT: return take_timeout(node, value);
    case WRAP_NODE_OPT_BIN_DIR:
        node->bin_dir = value;
        if (is_folder(value)) return true;
        wrap_say("option '--bin-dir' needs an absolute path without quotes, not '%s'", value);
        return false;
    case WRAP_NODE_OPT_RUNTIME:
        node->runtime = value;
        if (is_runtime_name(value)) return true;
        wrap_say("option '--runtime-name': '%s' is no name of lower-case letters, digits and '-' "
                 "(or is another runtime's)",
                 value);
        return false;
    default:
        node->distro = value;
        if (wrap_node_distro_find(value)) return true;
        wrap_say("option '--distro': '%s' is none of containerd, crio, k3s, rke2, microk8s, k0s",
                 value);
        return false;
    }
}

static bool find_own_folder(void)
{
    ssize_t length = readlink("/proc/self/exe", own_folder, sizeof own_folder - 1);
    if (length <= 0) return false;
    own_folder[length] = '\0';
    char *slash = strrchr(own_folder, '/');
    if (!slash) return false;
    slash[slash == own_folder] = '\0';
    return true;
}

static bool read_options(struct wrap_opts *opts, struct wrap_node *node, int *code)
{
    *code = WRAP_NODE_FAILED;
    for (int id; (id = wrap_opts_next(opts)) != WRAP_OPTS_END;) {
        if (id == WRAP_OPT_HELP || id == WRAP_OPT_VERSION) {
            id == WRAP_OPT_HELP ? wrap_opts_help(opts->command) : wrap_node_print_version();
            *code = WRAP_NODE_OK;
            return false;
        }
        if (id == WRAP_OPTS_BAD || !take(node, id, opts->value)) return false;
    }
    if (opts->at == opts->argc) return true;
    wrap_say("%s: too many words; usage: %s", opts->command->name, opts->command->usage);
    return false;
}

bool wrap_node_begin(const struct wrap_command *self, int argc, char **argv, struct wrap_node *node,
                     int *code)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    *node = (struct wrap_node){.root = -1,
                               .root_path = "/",
                               .bin_dir = "/usr/local/bin",
                               .runtime = "wasmrun",
                               .timeout_s = TIMEOUT_S};
    if (!read_options(&opts, node, code)) return false;
    if (!node->from) {
        if (!find_own_folder()) {
            wrap_say("cannot find the folder of this program; --from says where the others are");
            return false;
        }
        node->from = own_folder;
    }
    node->root = open(node->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (node->root >= 0) return true;
    wrap_say("option '--root': %s: %s", node->root_path, strerror(errno));
    return false;
}

void wrap_node_end(struct wrap_node *node)
{
    if (node->root >= 0) close(node->root);
    node->root = -1;
}

int wrap_node_complain(const struct wrap_error *err)
{
    wrap_say("%s", err->text);
    return WRAP_NODE_FAILED;
}

void wrap_node_print_version(void) { printf(WRAP_NODE_PROGRAM " %s\n", WASMRUN_VERSION); }
