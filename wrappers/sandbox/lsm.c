/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsm.c - AppArmor profiles and SELinux labels. No execve follows, so they are changed for the
 * process as it is. A module that the kernel does not have is an error when it is asked for.
 */
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool write_attribute(int proc, const char *const names[2], const char *text, int *problem)
{
    int fd = openat(proc, names[0], O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) fd = openat(proc, names[1], O_WRONLY | O_CLOEXEC);
    size_t length = strlen(text);
    bool good = fd >= 0 && write(fd, text, length) == (ssize_t)length;
    *problem = good ? 0 : errno;
    if (fd >= 0) close(fd);
    return good;
}

static bool set_apparmor(int proc, const char *profile, struct wrap_error *err)
{
    static const char *const names[2] = {"attr/apparmor/current", "attr/current"};
    char text[512];
    int problem;
    if (snprintf(text, sizeof text, "changeprofile %s", profile) >= (int)sizeof text) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT, "process.apparmorProfile is too long");
    }
    if (write_attribute(proc, names, text, &problem)) return true;
    if (strcmp(profile, "unconfined") == 0) return true; /* a kernel without it is just that */
    return wrap_fail_errno(err, problem, "AppArmor profile %s", profile);
}

static bool set_selinux(int proc, const char *label, struct wrap_error *err)
{
    static const char *const names[2] = {"attr/selinux/current", "attr/current"};
    int problem;
    return write_attribute(proc, names, label, &problem) ||
           wrap_fail_errno(err, problem, "SELinux label %s", label);
}

bool wrap_labels_set(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_process *process = setup->process;
    return (!process->apparmor_profile[0] ||
            set_apparmor(setup->proc, process->apparmor_profile, err)) &&
           (!process->selinux_label[0] || set_selinux(setup->proc, process->selinux_label, err));
}
