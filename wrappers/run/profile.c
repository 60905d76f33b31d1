/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c - samples a guest: a thread interrupts it at regular times, its own thread then looks
 * at its calls and lets it go on. Not here: the tree of calls, the files' forms.
 */
#include "run/profile.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TICK_NS = 1000000, NS_PER_SECOND = 1000000000 };
/* A function of the tree: its module's place in `modules` above its index (under 2,000,001). */
enum { FUNC_BITS = 21, MODULES_MAX = 1024 };

struct wrap_profile {
    const char *path;
    const char *title;
    bool svg;
    FILE *file;
    wr_exec_t *exec;
    wr_wasi_t *wasi;
    struct wrap_calls calls;
    const wr_module_t *modules[MODULES_MAX]; /* seen in samples */
    uint32_t module_count;
    pthread_t sampler;
    bool sampling;
    atomic_bool over; /* the sampler shall end; relaxed: it is joined */
};

/* SIGINT or SIGTERM that has come: the guest ends, the profile is written, then the process. */
static atomic_int caught; /* relaxed: nothing else is handed over */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text);
    size_t size = strlen(ending);
    return length > size && strcmp(text + length - size, ending) == 0;
}

bool wrap_profile_path_good(const char *path)
{
    return ends_with(path, ".svg") || ends_with(path, ".folded");
}

/* ---------------------------------------------------------------- the sampler */

static void add_tick(struct timespec *at)
{
    at->tv_nsec += TICK_NS;
    if (at->tv_nsec >= NS_PER_SECOND) {
        at->tv_nsec -= NS_PER_SECOND;
        at->tv_sec++;
    }
}

static void *sample_regularly(void *arg)
{
    struct wrap_profile *profile = arg;
    struct timespec now;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    while (!atomic_load_explicit(&profile->over, memory_order_relaxed)) {
        add_tick(&at);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec > at.tv_nsec)) {
            at = now; /* late: ticks are left out, not made up for */
            add_tick(&at);
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        if (atomic_load_explicit(&caught, memory_order_relaxed)) {
            wr_exec_cancel(profile->exec); /* again and again, as --timeout does */
            wr_wasi_wake(profile->wasi);
        } else {
            wr_exec_interrupt(profile->exec);
        }
    }
    return NULL;
}

static void on_signal(int number) { atomic_store_explicit(&caught, number, memory_order_relaxed); }

/* The second signal of a kind does what it always does. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction old;
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
            sigaction(numbers[i], &action, NULL);
        }
    }
}

/* ---------------------------------------------------------------- the guest's side */

struct wrap_profile *wrap_profile_open(const char *path, const char *title)
{
    struct wrap_profile *profile = calloc(1, sizeof *profile);
    if (!profile) {
        wrap_say("out of memory");
        return NULL;
    }
    profile->path = path;
    profile->title = title;
    profile->svg = ends_with(path, ".svg");
    profile->file = fopen(path, "we");
    if (!profile->file) {
        wrap_say("--profile: %s: %s", path, strerror(errno));
        free(profile);
        return NULL;
    }
    return profile;
}

bool wrap_profile_start(struct wrap_profile *profile, wr_exec_t *exec, wr_wasi_t *wasi)
{
    profile->exec = exec;
    profile->wasi = wasi;
    catch_signals();
    /* The sampler takes no signals: those of the process belong to the guest's thread. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    profile->sampling = pthread_create(&profile->sampler, NULL, sample_regularly, profile) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return profile->sampling;
}

/* The function as the tree knows it. */
static uint32_t func_key(struct wrap_profile *profile, const wr_frame_t *frame)
{
    uint32_t i = 0;
    while (i < profile->module_count && profile->modules[i] != frame->module) {
        i++;
    }
    if (i == MODULES_MAX) {
        return WRAP_NODE_DEEP; /* more modules than --preload takes */
    }
    if (i == profile->module_count) {
        profile->modules[profile->module_count++] = frame->module;
    }
    return i << FUNC_BITS | frame->func_idx;
}

void wrap_profile_sample(struct wrap_profile *profile)
{
    wr_frame_t frames[WRAP_STACK_MAX + 1];
    uint32_t funcs[WRAP_STACK_MAX];
    size_t count = wr_exec_frames(profile->exec, frames, WRAP_STACK_MAX + 1);
    bool cut = count > WRAP_STACK_MAX;
    count = cut ? WRAP_STACK_MAX : count;
    for (size_t i = 0; i < count; i++) {
        funcs[i] = func_key(profile, &frames[i]);
    }
    wrap_calls_add(&profile->calls, funcs, count, cut);
}

static void func_name(const void *ctx, uint32_t func, char *buf, size_t cap)
{
    const struct wrap_profile *profile = ctx;
    const uint32_t index = func & ((UINT32_C(1) << FUNC_BITS) - 1);
    wr_module_func_name(profile->modules[func >> FUNC_BITS], index, buf, cap);
}

static bool write_file(struct wrap_profile *profile)
{
    wrap_calls_finish(&profile->calls);
    if (profile->svg) {
        wrap_write_flames(profile->file, &profile->calls, profile->title, func_name, profile);
    } else {
        wrap_write_folded(profile->file, &profile->calls, func_name, profile);
    }
    bool good = fflush(profile->file) == 0 && !ferror(profile->file);
    if (!good) {
        wrap_say("--profile: %s: %s", profile->path, strerror(errno));
    }
    return good;
}

bool wrap_profile_stop(struct wrap_profile *profile)
{
    if (profile->sampling) {
        atomic_store_explicit(&profile->over, true, memory_order_relaxed);
        pthread_join(profile->sampler, NULL);
    }
    bool good = write_file(profile);
    fclose(profile->file);
    wrap_calls_free(&profile->calls);
    free(profile);
    return good;
}

void wrap_profile_raise(void)
{
    int number = atomic_load_explicit(&caught, memory_order_relaxed);
    if (number) {
        signal(number, SIG_DFL);
        raise(number);
    }
}
