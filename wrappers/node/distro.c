/* SPDX-License-Identifier: Apache-2.0 */
/*
 * distro.c - see distro.h. Sources: containerd, docs/man/containerd-config.toml.5.md; CRI-O,
 * docs/crio.conf.d.5.md; docs.k3s.io, "Advanced Options"; docs.rke2.io, "Containerd"; MicroK8s,
 * default-args/containerd-template.toml; docs.k0sproject.io, "Runtime".
 */
#include "node/distro.h"

#include "node/file.h"

#include <string.h>

#define RANCHER(name) "/var/lib/rancher/" name "/agent/etc/containerd"

static const struct wrap_node_distro distros[] = {
    {.name = "containerd",
     .kind = WRAP_NODE_CONTAINERD,
     .config = "/etc/containerd/config.toml",
     .signs = {"/etc/containerd/config.toml", "/usr/bin/containerd", "/usr/local/bin/containerd",
               "/usr/lib/systemd/system/containerd.service",
               "/lib/systemd/system/containerd.service", "/etc/systemd/system/containerd.service"},
     .services = {"containerd"},
     .files = {"/etc/containerd/config.toml", "/etc/containerd/conf.d/wasmrun.toml"}},
    {.name = "crio",
     .kind = WRAP_NODE_CRIO,
     .config = "/etc/crio/crio.conf.d/99-wasmrun.conf",
     .signs = {"/etc/crio", "/usr/bin/crio", "/usr/local/bin/crio"},
     .services = {"crio"},
     .files = {"/etc/crio/crio.conf.d/99-wasmrun.conf"}},
    {.name = "k3s",
     .kind = WRAP_NODE_RANCHER,
     .config = RANCHER("k3s"),
     .signs = {"/var/lib/rancher/k3s/agent", "/usr/local/bin/k3s", "/etc/rancher/k3s"},
     .services = {"k3s", "k3s-agent"},
     .files = {RANCHER("k3s") "/config.toml.tmpl", RANCHER("k3s") "/config-v3.toml.tmpl",
               RANCHER("k3s") "/config-v3.toml.d/wasmrun.toml"}},
    {.name = "rke2",
     .kind = WRAP_NODE_RANCHER,
     .config = RANCHER("rke2"),
     .signs = {"/var/lib/rancher/rke2/agent", "/usr/local/bin/rke2", "/usr/bin/rke2",
               "/opt/rke2/bin/rke2", "/etc/rancher/rke2"},
     .services = {"rke2-server", "rke2-agent"},
     .files = {RANCHER("rke2") "/config.toml.tmpl", RANCHER("rke2") "/config-v3.toml.tmpl",
               RANCHER("rke2") "/config-v3.toml.d/wasmrun.toml"}},
    {.name = "microk8s",
     .kind = WRAP_NODE_CONTAINERD,
     .config = "/var/snap/microk8s/current/args/containerd-template.toml",
     .signs = {"/var/snap/microk8s/current/args/containerd-template.toml"},
     .services = {"snap.microk8s.daemon-containerd"},
     .files = {"/var/snap/microk8s/current/args/containerd-template.toml"}},
    {.name = "k0s",
     .kind = WRAP_NODE_K0S,
     .config = "/etc/k0s/containerd.toml",
     .signs = {"/etc/k0s", "/var/lib/k0s", "/usr/local/bin/k0s"},
     .services = {"k0scontroller", "k0sworker"},
     .files = {"/etc/k0s/containerd.d/wasmrun.toml", "/etc/k0s/containerd.toml"}},
};

const struct wrap_node_distro *wrap_node_distro_at(size_t i)
{
    return i < sizeof distros / sizeof distros[0] ? &distros[i] : NULL;
}

const struct wrap_node_distro *wrap_node_distro_find(const char *name)
{
    for (size_t i = 0; i < sizeof distros / sizeof distros[0]; i++) {
        if (strcmp(distros[i].name, name) == 0) return &distros[i];
    }
    return NULL;
}

bool wrap_node_distro_found(int root, const struct wrap_node_distro *distro)
{
    for (size_t i = 0; i < WRAP_NODE_SIGNS && distro->signs[i]; i++) {
        if (wrap_node_exists(root, distro->signs[i])) return true;
    }
    return false;
}
