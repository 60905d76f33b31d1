/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog.c - cancels a call that hangs, and names the command on a fatal signal. */
#include "spectest.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* After the cancel an engine has this long to notice before the whole run is given up. */
enum { GRACE_S = 30 };

/* ---------------------------------------------------------------- crash message */

/* Written by a thread, read by it in the signal handler. */
static _Thread_local char crash_script[512];
static _Thread_local volatile long crash_line;

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
enum { FATAL_COUNT = sizeof fatal_signals / sizeof fatal_signals[0] };
static struct sigaction fatal_previous[FATAL_COUNT];

static void put_place(const char *what)
{
    char digits[24];
    size_t at = sizeof digits;
    unsigned long line = (unsigned long)crash_line;
    do {
        digits[--at] = (char)('0' + line % 10);
        line /= 10;
    } while (line);
    const char *const head[] = {"\nwasm-spectest: ", what, " in ", crash_script, ":"};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        (void)!write(STDERR_FILENO, head[i], strlen(head[i]));
    }
    (void)!write(STDERR_FILENO, digits + at, sizeof digits - at);
    (void)!write(STDERR_FILENO, "\n", 1);
}

/* Says where, then lets the fault happen again under the handler that stood before. */
static void on_fatal(int sig)
{
    put_place("fatal signal");
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        sigaction(fatal_signals[i], &fatal_previous[i], NULL);
    }
    if (sig == SIGABRT) {
        raise(sig);
    }
}

void spec_crash_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fatal;
    action.sa_flags = SA_ONSTACK;
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        sigaction(fatal_signals[i], &action, &fatal_previous[i]);
    }
}

void spec_crash_place(const char *script, long line)
{
    if (script && strcmp(crash_script, script) != 0) {
        snprintf(crash_script, sizeof crash_script, "%s", script);
    }
    crash_line = line;
}

/* ---------------------------------------------------------------- watchdog */

/* One tick a second; coarse on purpose, so that arming costs one uncontended lock. */
static void tick(const struct spec_watchdog *dog, struct spec_watch *watch)
{
    watch->elapsed_s++;
    if (watch->elapsed_s == dog->limit_s) {
        watch->fired = true;
        wr_exec_cancel(watch->exec);
    }
    if (watch->elapsed_s >= dog->limit_s + GRACE_S) {
        spec_crash_place(watch->script, watch->line);
        put_place("hang (cancelling did not help)");
        _exit(1);
    }
}

static void *watch(void *arg)
{
    struct spec_watchdog *dog = arg;
    pthread_mutex_lock(&dog->lock);
    while (!dog->stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        int woken = pthread_cond_timedwait(&dog->wake, &dog->lock, &until);
        for (struct spec_watch *w = dog->watches; woken != 0 && w; w = w->next) {
            tick(dog, w);
        }
    }
    pthread_mutex_unlock(&dog->lock);
    return NULL;
}

bool spec_watchdog_start(struct spec_watchdog *dog, unsigned limit_s)
{
    pthread_condattr_t attr;
    memset(dog, 0, sizeof *dog);
    dog->limit_s = limit_s;
    if (pthread_condattr_init(&attr) != 0) {
        return false;
    }
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&dog->lock, NULL);
    pthread_cond_init(&dog->wake, &attr);
    pthread_condattr_destroy(&attr);
    return pthread_create(&dog->thread, NULL, watch, dog) == 0;
}

void spec_watchdog_arm(struct spec_watchdog *dog, struct spec_watch *watch)
{
    pthread_mutex_lock(&dog->lock);
    watch->elapsed_s = 0;
    watch->fired = false;
    watch->next = dog->watches;
    dog->watches = watch;
    pthread_mutex_unlock(&dog->lock);
}

bool spec_watchdog_disarm(struct spec_watchdog *dog, struct spec_watch *watch)
{
    pthread_mutex_lock(&dog->lock);
    struct spec_watch **at = &dog->watches;
    while (*at != watch) {
        at = &(*at)->next;
    }
    *at = watch->next;
    bool fired = watch->fired;
    pthread_mutex_unlock(&dog->lock);
    return fired;
}

void spec_watchdog_stop(struct spec_watchdog *dog)
{
    pthread_mutex_lock(&dog->lock);
    dog->stop = true;
    pthread_cond_signal(&dog->wake);
    pthread_mutex_unlock(&dog->lock);
    pthread_join(dog->thread, NULL);
    pthread_cond_destroy(&dog->wake);
    pthread_mutex_destroy(&dog->lock);
}
