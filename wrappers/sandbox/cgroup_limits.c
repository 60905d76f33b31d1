/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_limits.c - what both versions' limits have in common: which are asked for, numbers that
 * mean another thing on v2. Not here: files of a version.
 *
 * Source: OCI runtime specification, config-linux.md; Linux, cgroup-v2.rst. The straight line
 * between shares and weights is Kubernetes' (KEP-2254) and runc's up to 1.3: pods whose groups
 * kubelet weighs so and containers that runc weighs so stay comparable.
 */
#include "sandbox/cgroup_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SHARES_MIN = 2, SHARES_MAX = 262144 }; /* of cpu.shares in v1 */

bool wrap_given(const struct wrap_maybe *maybe) { return maybe->given && maybe->value != 0; }

bool wrap_cgroup_has_limits(const struct wrap_resources *r)
{
    return wrap_given(&r->memory_limit) || wrap_given(&r->memory_reservation) ||
           wrap_given(&r->memory_swap) || wrap_given(&r->cpu_shares) || wrap_given(&r->cpu_quota) ||
           r->cpus || r->mems || wrap_given(&r->io_weight) || r->io_limit_count ||
           r->huge_limit_count || r->unified_count ||
           (wrap_given(&r->pids_limit) && r->pids_limit.value > 0);
}

static bool has(const char *text) { return text && *text; }

bool wrap_wants_memory(const struct wrap_resources *r)
{
    return wrap_given(&r->memory_limit) || wrap_given(&r->memory_reservation) ||
           wrap_given(&r->memory_swap) || wrap_given(&r->memory_kernel) ||
           wrap_given(&r->memory_kernel_tcp) || r->memory_swappiness.given ||
           r->memory_disable_oom_killer;
}

bool wrap_wants_cpu(const struct wrap_resources *r)
{
    return wrap_given(&r->cpu_shares) || wrap_given(&r->cpu_quota) || wrap_given(&r->cpu_period) ||
           r->cpu_burst.given || wrap_given(&r->cpu_realtime_runtime) ||
           wrap_given(&r->cpu_realtime_period) || r->cpu_idle.given;
}

bool wrap_wants_cpuset(const struct wrap_resources *r) { return has(r->cpus) || has(r->mems); }

bool wrap_wants_pids(const struct wrap_resources *r) { return wrap_given(&r->pids_limit); }

bool wrap_wants_io(const struct wrap_resources *r)
{
    return wrap_given(&r->io_weight) || r->io_limit_count > 0;
}

bool wrap_wants_huge(const struct wrap_resources *r) { return r->huge_limit_count > 0; }

bool wrap_wants_net_class(const struct wrap_resources *r) { return wrap_given(&r->net_class_id); }

bool wrap_wants_net_priority(const struct wrap_resources *r) { return r->net_priority_count > 0; }

bool wrap_cgroup_put_number(int dir, const char *file, int64_t value, struct wrap_error *err)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return wrap_cgroup_put(dir, file, text, err);
}

bool wrap_cgroup_apply(const struct wrap_cgroup *cgroup, const struct wrap_cgroup_part *parts,
                       size_t count, const struct wrap_resources *resources, struct wrap_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct wrap_cgroup_part *part = &parts[i];
        if (!part->wanted(resources)) {
            continue;
        }
        if (!wrap_host_with(cgroup->host, part->controller)) {
            return wrap_fail(err, WRAP_FAILED_PRECONDITION,
                             "cgroup: this host has no controller %s, which a limit needs",
                             part->name);
        }
        int dir = wrap_cgroup_dir_of(cgroup, part->controller);
        if (dir < 0) {
            return wrap_fail_errno(err, errno, "cgroup: %s of %.200s", part->name,
                                   cgroup->place.path);
        }
        bool good = part->apply(dir, resources, err);
        close(dir);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- conversions */

static uint64_t on_line(int64_t value, int64_t low, int64_t high)
{
    value = value < low ? low : value > high ? high : value;
    return (uint64_t)(1 + (value - low) * 9999 / (high - low));
}

bool wrap_shares_check(const struct wrap_resources *r, struct wrap_error *err)
{
    int64_t shares = r->cpu_shares.value;
    bool idle = wrap_given(&r->cpu_idle); /* such a group has none */
    if (!wrap_given(&r->cpu_shares) || idle || (shares >= SHARES_MIN && shares <= SHARES_MAX)) {
        return true;
    }
    return wrap_fail(err, WRAP_INVALID_ARGUMENT, "cpu.shares (%lld): the %s is %d",
                     (long long)shares, shares < SHARES_MIN ? "minimum" : "maximum",
                     shares < SHARES_MIN ? SHARES_MIN : SHARES_MAX);
}

uint64_t wrap_weight_of_shares(int64_t shares) { return on_line(shares, SHARES_MIN, SHARES_MAX); }

uint64_t wrap_weight_of_blkio(int64_t weight) { return on_line(weight, 10, 1000); }

bool wrap_swap_of(const struct wrap_resources *r, int64_t *out, struct wrap_error *err)
{
    int64_t both = r->memory_swap.value;
    int64_t memory = r->memory_limit.value;
    *out = -1;
    if (both < 0) {
        return true;
    }
    if (!r->memory_limit.given || memory <= 0) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "memory.swap counts memory and swap together: it needs memory.limit");
    }
    if (both < memory) {
        return wrap_fail(err, WRAP_INVALID_ARGUMENT,
                         "memory.swap (%lld) is less than memory.limit (%lld)", (long long)both,
                         (long long)memory);
    }
    *out = both - memory;
    return true;
}

bool wrap_io_max_of(const struct wrap_io_limit *limit, char *out, size_t size)
{
    static const struct {
        const char *file, *key;
    } rows[] = {
        {"blkio.throttle.read_bps_device", "rbps"},
        {"blkio.throttle.write_bps_device", "wbps"},
        {"blkio.throttle.read_iops_device", "riops"},
        {"blkio.throttle.write_iops_device", "wiops"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(limit->file, rows[i].file) != 0) {
            continue;
        }
        int at = snprintf(out, size, "%lld:%lld %s=", (long long)limit->major,
                          (long long)limit->minor, rows[i].key);
        size_t used = at > 0 && (size_t)at < size ? (size_t)at : size - 1;
        if (limit->value == 0) { /* no limit, on v1 */
            snprintf(out + used, size - used, "max");
        } else {
            snprintf(out + used, size - used, "%llu", (unsigned long long)limit->value);
        }
        return true;
    }
    return false;
}

bool wrap_page_size_valid(const char *page_size)
{
    size_t digits = strspn(page_size, "0123456789");
    const char *unit = page_size + digits;
    return digits > 0 && digits < 10 &&
           (strcmp(unit, "KB") == 0 || strcmp(unit, "MB") == 0 || strcmp(unit, "GB") == 0);
}

static bool in_list(const char *word, size_t size, const char *list)
{
    for (const char *at = list; *at;) {
        at += strspn(at, " \n");
        size_t length = strcspn(at, " \n");
        if (length == size && strncmp(at, word, size) == 0) {
            return true;
        }
        at += length;
    }
    return false;
}

bool wrap_unified_key_valid(const char *key, const char *controllers)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
    size_t controller = strcspn(key, ".");
    return strlen(key) < 128 && key[strspn(key, plain)] == '\0' && controller > 0 &&
           key[controller] == '.' && key[controller + 1] != '\0' &&
           in_list(key, controller, controllers);
}

bool wrap_cgroup_limit_huge(int dir, const struct wrap_resources *r, const char *limit_file,
                            struct wrap_error *err)
{
    for (size_t i = 0; i < r->huge_limit_count; i++) {
        const struct wrap_huge_limit *limit = &r->huge_limits[i];
        char file[64];
        char value[32];
        if (!wrap_page_size_valid(limit->page_size)) {
            return wrap_fail(err, WRAP_INVALID_ARGUMENT, "hugepageLimits: page size '%.20s'",
                             limit->page_size);
        }
        snprintf(value, sizeof value, "%llu", (unsigned long long)limit->bytes);
        snprintf(file, sizeof file, "hugetlb.%.20s.%s", limit->page_size, limit_file);
        if (!wrap_cgroup_put(dir, file, value, err)) {
            return false;
        }
        snprintf(file, sizeof file, "hugetlb.%.20s.rsvd.%s", limit->page_size, limit_file);
        (void)wrap_cgroup_write(dir, file, value); /* newer kernels count reservations too */
    }
    return true;
}
