/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - who a container's process is, and how little that means. */
#include "sandbox/child.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Capabilities that mean something for a process that can't execute another one. */
static const cap_value_t useful[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID,
                                     CAP_NET_BIND_SERVICE};
enum { USEFUL = sizeof useful / sizeof useful[0] };

/* What a program would have after execve: root the bounding set (and what it is given), others
 * only what is ambient. */
static uint64_t granted(const struct wrap_process *process)
{
    const struct wrap_caps *caps = &process->caps;
    if (!process->has_caps) return 0;
    return process->uid == 0 ? caps->effective & caps->permitted & caps->bounding
                             : caps->ambient & caps->permitted & caps->bounding;
}

static size_t kept(const struct wrap_process *process, cap_value_t out[USEFUL])
{
    size_t count = 0;
    uint64_t wanted = granted(process);
    for (size_t i = 0; i < USEFUL; i++) {
        if (wanted & (UINT64_C(1) << useful[i])) out[count++] = useful[i];
    }
    return count;
}

static bool is_kept(cap_value_t cap, const cap_value_t *keep, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (keep[i] == cap) return true;
    }
    return false;
}

bool wrap_bounding_drop(const struct wrap_process *process, struct wrap_error *err)
{
    cap_value_t keep[USEFUL];
    size_t count = kept(process, keep);
    for (cap_value_t cap = 0;; cap++) {
        if (is_kept(cap, keep, count) || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) continue;
        return (errno == EINVAL && cap > CAP_NET_RAW) || /* behind the last one of this kernel */
               wrap_fail_errno(err, errno, "dropping capabilities");
    }
}

static bool set_caps(const cap_value_t *keep, size_t count, struct wrap_error *err)
{
    cap_t caps = cap_init();
    bool good = caps != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = cap_set_flag(caps, CAP_PERMITTED, 1, &keep[i], CAP_SET) == 0 &&
               cap_set_flag(caps, CAP_EFFECTIVE, 1, &keep[i], CAP_SET) == 0;
    }
    good = good && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           cap_set_proc(caps) == 0;
    if (!good) wrap_fail_errno(err, errno, "capabilities");
    if (caps) cap_free(caps);
    return good;
}

static bool set_ids(const struct wrap_process *process, struct wrap_error *err)
{
    _Static_assert(sizeof(gid_t) == sizeof process->groups[0], "one is the other");
    if (setgroups(process->group_count, process->groups) != 0) {
        return wrap_fail_errno(err, errno, "process.user.additionalGids");
    }
    if (setresgid(process->gid, process->gid, process->gid) != 0) {
        return wrap_fail_errno(err, errno, "process.user.gid %u", process->gid);
    }
    return setresuid(process->uid, process->uid, process->uid) == 0 ||
           wrap_fail_errno(err, errno, "process.user.uid %u", process->uid);
}

bool wrap_identity_set(const struct wrap_setup *setup, struct wrap_error *err)
{
    const struct wrap_process *process = setup->process;
    cap_value_t keep[USEFUL];
    size_t count = kept(process, keep);
    if (setup->users >= 0 && setns(setup->users, CLONE_NEWUSER) != 0) {
        return wrap_fail_errno(err, errno, "user namespace");
    }
    /* A user namespace begins with all of them. */
    if (setup->users >= 0 && !wrap_bounding_drop(process, err)) return false;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
        return wrap_fail_errno(err, errno, "keeping capabilities");
    }
    if (!set_ids(process, err) || !set_caps(keep, count, err)) return false;
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return wrap_fail_errno(err, errno, "no_new_privs");
    }
    umask(process->umask == (uint32_t)-1 ? 0022 : (mode_t)(process->umask & 0777));
    /* A change of identity clears it. That the parent is still there shows at the control pipe. */
    int ending = setup->config->detached ? 0 : SIGKILL;
    return prctl(PR_SET_PDEATHSIG, ending, 0, 0, 0) == 0 ||
           wrap_fail_errno(err, errno, "dying with the parent");
}

bool wrap_identity_reduce(struct wrap_error *err)
{
    cap_value_t keep[USEFUL];
    size_t count = 0;
    cap_t now = cap_get_proc();
    if (!now) return wrap_fail_errno(err, errno, "capabilities");
    for (size_t i = 0; i < USEFUL; i++) {
        cap_flag_value_t has = CAP_CLEAR;
        bool stays = geteuid() == 0
                         ? cap_get_flag(now, useful[i], CAP_EFFECTIVE, &has) == 0 && has == CAP_SET
                         : cap_get_ambient(useful[i]) == 1;
        if (stays) keep[count++] = useful[i];
    }
    cap_free(now);
    return set_caps(keep, count, err);
}
