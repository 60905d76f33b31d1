/* SPDX-License-Identifier: Apache-2.0 */
/* timeout.c - a helper thread that ends the guest when its time is over. */
#include "run/run.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, GRACE_MS = 2000, RETRY_MS = 20 };

/* lock: guards these three, so that they are not deleted while they are being cancelled. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wr_exec_t *watched_exec;
static wr_wasi_t *watched_wasi;
static bool has_ended; /* the guest that was watched */
static struct timespec deadline;
static atomic_bool fired;
static bool helper_locks;
static sem_t helper_locked; /* posted when the helper has given up files */

static void cancel_watched(void)
{
    pthread_mutex_lock(&lock);
    if (watched_exec) {
        wr_exec_cancel(watched_exec);
    }
    if (watched_wasi) {
        wr_wasi_wake(watched_wasi);
    }
    pthread_mutex_unlock(&lock);
}

static bool guest_has_ended(void)
{
    pthread_mutex_lock(&lock);
    bool ended = has_ended;
    pthread_mutex_unlock(&lock);
    return ended;
}

static void sleep_until(const struct timespec *until)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL) != 0) {
    }
}

static void *wait_for_deadline(void *arg)
{
    if (arg) {
        wrap_sandbox_helper();
        sem_post(&helper_locked);
    }
    sleep_until(&deadline);
    /* release: pairs with the acquire of wrap_timeout_fired */
    atomic_store_explicit(&fired, true, memory_order_release);
    /*
     * Again and again: a cancel between two calls, or a wake before a wait, could be lost. A host
     * call that never notices must not keep the process alive.
     */
    for (int i = 0; i < GRACE_MS / RETRY_MS; i++) {
        cancel_watched();
        const struct timespec pause = {0, RETRY_MS * 1000000L};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    if (guest_has_ended()) { /* what comes after it, a core dump say, takes its time */
        return NULL;
    }
    static const char text[] = "wasmrun: timed out; the guest did not stop and was killed\n";
    static const char json[] = "{\"message\":\"the guest did not stop and was killed\","
                               "\"error\":\"timed out\",\"exit_code\":124}\n";
    bool as_json = wrap_errors_json();
    (void)!write(STDERR_FILENO, as_json ? json : text, (as_json ? sizeof json : sizeof text) - 1);
    _exit(WRAP_EXIT_TIMEOUT);
}

bool wrap_timeout_start(uint64_t ns, bool locked)
{
    helper_locks = locked;
    if (locked && sem_init(&helper_locked, 0, 0) != 0) {
        return false;
    }
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    uint64_t total = ns + (uint64_t)deadline.tv_nsec;
    deadline.tv_sec += (time_t)(total / NS_PER_S);
    deadline.tv_nsec = (long)(total % NS_PER_S);

    /* The helper takes no signals: those of the process belong to the guest's thread. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * 1024);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    bool good = pthread_create(&thread, &attr, wait_for_deadline, locked ? &deadline : NULL) == 0;
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

void wrap_timeout_settle(void)
{
    while (helper_locks && sem_wait(&helper_locked) != 0) {
    }
    helper_locks = false;
}

void wrap_timeout_watch(wr_exec_t *exec, wr_wasi_t *wasi)
{
    pthread_mutex_lock(&lock);
    watched_exec = exec;
    watched_wasi = wasi;
    pthread_mutex_unlock(&lock);
    if (exec && wrap_timeout_fired()) {
        cancel_watched();
    }
}

void wrap_timeout_ended(void)
{
    pthread_mutex_lock(&lock);
    has_ended = true;
    pthread_mutex_unlock(&lock);
}

bool wrap_timeout_fired(void) { return atomic_load_explicit(&fired, memory_order_acquire); }
