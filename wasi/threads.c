/* SPDX-License-Identifier: Apache-2.0 */
/*
 * threads.c - wasi.thread-spawn, and the end of all threads of a guest. What they do in WASI calls:
 * threads_call.c.
 */
#include "threads.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Thread numbers: from 1, below this. */
#define TID_END (UINT32_C(1) << 29)
/* Of an OS thread; guests have stacks of their own. */
#define STACK_BYTES ((size_t)1 << 20)

static const char entry[] = "wasi_thread_start";

/* The thread that runs here; NULL: none that a guest has made. */
static _Thread_local struct wasi_thread *self;

struct wasi_wait *wasi_threads_wait(struct wr_wasi_threads *group, wasi_errno *e)
{
    struct wasi_wait *w = self != NULL && self->group == group ? &self->wait : &group->wasi->wait;
    *e = w->wake_fd < 0 ? wasi_wait_init(w) : WASI_E_SUCCESS;
    return *e == WASI_E_SUCCESS ? w : NULL;
}

static bool same_name(wr_name_t name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static bool is_spawn(const wr_importtype_t *import)
{
    return import->kind == WR_EXTERN_FUNC && same_name(import->module, "wasi") &&
           same_name(import->name, "thread-spawn");
}

/* Whether import `i` is a shared memory; its type. */
static bool is_shared_memory(const wr_module_t *module, size_t i, wr_limits_t *limits)
{
    return wr_module_import_memory_type(module, i, limits) && limits->is_shared;
}

bool wr_wasi_threads_wanted(const wr_module_t *module)
{
    wr_importtype_t import;
    wr_limits_t limits;
    for (size_t i = 0; wr_module_import(module, i, &import); i++) {
        if (is_spawn(&import) || is_shared_memory(module, i, &limits)) return true;
    }
    return false;
}

static bool exports_entry(const wr_module_t *module)
{
    char type[40];
    wr_exporttype_t item;
    for (size_t i = 0; wr_module_export(module, i, &item); i++) {
        if (item.kind != WR_EXTERN_FUNC || !same_name(item.name, entry)) continue;
        (void)wr_module_export_type(module, i, type, sizeof(type));
        return strcmp(type, "(func (param i32 i32))") == 0;
    }
    return false;
}

/* ---------------------------------------------------------------- the end of all */

/* `who` (NULL: the main thread) ends the guest, unless another did before. Under the lock. */
static void end_all(struct wr_wasi_threads *group, struct wasi_thread *who, wr_status_t status)
{
    if (group->ended) return;
    group->ended = true;
    group->ender = who;
    group->end = status;
    for (struct wasi_link *l = group->alive.next; l != &group->alive; l = l->next) {
        struct wasi_thread *t = WASI_LINK_OWNER(l, struct wasi_thread, link);
        if (t != who) wr_exec_cancel(t->exec);
    }
    if (who != NULL) wr_exec_cancel(group->config.exec);
    wasi_holds_kick(&group->holds);
}

static void thread_delete(struct wasi_thread *t)
{
    if (t == NULL) return;
    wr_exec_delete(t->exec);
    wr_store_delete(t->store);
    wasi_wait_fini(&t->wait);
    free(t);
}

/* Takes a thread off the living. Under the lock. */
static void leave(struct wasi_thread *t)
{
    wasi_link_remove(&t->link);
    t->group->count--;
    pthread_cond_broadcast(&t->group->left);
}

/* Who has asked for a thread waits here until it is instantiated. On that thread's maker's stack;
 * under the lock. */
struct wasi_starting {
    struct wasi_wait *wait;
    bool over;
    wr_status_t status; /* once over */
};

/* Instantiates the module again and prepares the call of its entry. */
static wr_status_t prepare(struct wasi_thread *t)
{
    const wr_wasi_threads_config_t *config = &t->group->config;
    const wr_val_t args[] = {{.kind = WR_I32, .of.i32 = t->tid},
                             {.kind = WR_I32, .of.i32 = t->start_arg}};
    wr_instance_t *instance;
    wr_extern_t item;
    wr_status_t s = wr_linker_instantiate(config->linker, t->store, config->module, t->exec,
                                          &instance, &t->err);
    if (s != WR_OK) return s;
    if (!wr_instance_export(instance, (wr_name_t){entry, sizeof(entry) - 1}, &item))
        return WR_INTERNAL; /* exports_entry has seen it */
    return wr_exec_start(t->exec, item.of.func, args, 2, &t->err);
}

/* Statuses of an instantiation whose code ran and ended the guest, as the thread would have. */
static bool ends_guest(wr_status_t s)
{
    return s == WR_TRAP || s == WR_EXIT || s == WR_EXCEPTION || s == WR_FUEL || s == WR_CANCELLED;
}

/* How the instantiation went, to who waits for it. False: nobody does any more. */
static bool announce(struct wasi_thread *t, wr_status_t status)
{
    struct wr_wasi_threads *group = t->group;
    pthread_mutex_lock(&group->wasi->lock);
    if (ends_guest(status)) end_all(group, t, status);
    struct wasi_starting *starting = t->starting;
    if (starting != NULL) {
        starting->over = true;
        starting->status = status;
        wasi_wait_kick(starting->wait);
        t->starting = NULL;
    }
    pthread_mutex_unlock(&group->wasi->lock);
    return starting != NULL;
}

static wr_status_t run(struct wasi_thread *t)
{
    wr_status_t status;
    do {
        status = wr_exec_run(t->exec, &t->err);
    } while (status == WR_YIELD);
    if (status != WR_PENDING) return status;
    return wasi_fail(&t->err, WR_TRAP, "a host function suspended a thread of the guest");
}

static void *thread_main(void *arg)
{
    struct wasi_thread *t = arg;
    struct wr_wasi_threads *group = t->group;
    self = t;
    wr_status_t status = prepare(t);
    bool told = announce(t, status);
    if (status == WR_OK)
        status = run(t);
    else if (told && !ends_guest(status))
        status = WR_OK; /* thread-spawn has answered an error: the guest goes on */
    pthread_mutex_lock(&group->wasi->lock);
    if (status != WR_OK) end_all(group, t, status);
    leave(t);
    t->handle = pthread_self();
    wasi_link_append(&group->gone, &t->link);
    pthread_mutex_unlock(&group->wasi->lock);
    return NULL;
}

/* Joins threads that have gone; who ended the guest is kept, for its exec. */
static void reap(struct wr_wasi_threads *group)
{
    struct wasi_link list;
    pthread_mutex_lock(&group->wasi->lock);
    wasi_link_take(&list, &group->gone);
    const struct wasi_thread *ender = group->ender;
    pthread_mutex_unlock(&group->wasi->lock);
    while (!wasi_link_is_alone(&list)) {
        struct wasi_thread *t = WASI_LINK_OWNER(list.next, struct wasi_thread, link);
        wasi_link_remove(&t->link);
        pthread_join(t->handle, NULL);
        if (t != ender) thread_delete(t);
    }
}

/* ---------------------------------------------------------------- a new thread */

/* Half of what the maker has left: threads do not multiply fuel. */
static void share_fuel(struct wasi_thread *t, wr_store_t *maker)
{
    if (!t->group->store_config.use_fuel) return;
    uint64_t half = wr_store_fuel(maker) / 2;
    wr_store_set_fuel(maker, wr_store_fuel(maker) - half);
    wr_store_set_fuel(t->store, half);
}

/* Store and exec. NULL: no memory. */
static struct wasi_thread *thread_new(struct wr_wasi_threads *group, wr_call_t *call, u32 start_arg)
{
    struct wasi_thread *t = calloc(1, sizeof(*t));
    if (t == NULL) return NULL;
    t->group = group;
    t->start_arg = start_arg;
    wasi_wait_clear(&t->wait);
    wasi_link_init(&t->link);
    if (wr_store_new(group->config.engine, &group->store_config, &t->store, NULL) != WR_OK ||
        wr_exec_new(t->store, &t->exec, NULL) != WR_OK) {
        thread_delete(t);
        return NULL;
    }
    wr_store_set_data(t->store, wr_store_data(wr_call_store(call)));
    share_fuel(t, wr_call_store(call));
    return t;
}

static bool is_alive(const struct wr_wasi_threads *group, u32 tid)
{
    for (struct wasi_link *l = group->alive.next; l != &group->alive; l = l->next)
        if (WASI_LINK_OWNER(l, struct wasi_thread, link)->tid == tid) return true;
    return false;
}

/* Makes it one of the living: it gets a number and can be cancelled. AGAIN: there are too many. */
static wasi_errno enter(struct wasi_thread *t)
{
    struct wr_wasi_threads *group = t->group;
    wasi_errno e = WASI_E_AGAIN;
    pthread_mutex_lock(&group->wasi->lock);
    if (group->ended) {
        e = WASI_E_CANCELED;
    } else if (group->count < group->config.max_threads) {
        do {
            group->last_tid = group->last_tid + 1 < TID_END ? group->last_tid + 1 : 1;
        } while (is_alive(group, group->last_tid));
        t->tid = group->last_tid;
        group->count++;
        wasi_link_append(&group->alive, &t->link);
        e = WASI_E_SUCCESS;
    }
    pthread_mutex_unlock(&group->wasi->lock);
    return e;
}

/* An OS thread that takes no signals: those of the process are for the embedder's threads. What a
 * fault of its own raises can't be held back. */
static bool start(struct wasi_thread *t)
{
    pthread_attr_t attr;
    pthread_t handle; /* not in `t`, which may have been deleted when it is known */
    sigset_t most, before;
    if (pthread_attr_init(&attr) != 0) return false;
    sigfillset(&most);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) sigdelset(&most, faults[i]);
    pthread_sigmask(SIG_SETMASK, &most, &before);
    bool good = pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
                pthread_create(&handle, &attr, thread_main, t) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return good;
}

/* Until the thread is instantiated: WR_OK, or why it is not. Who is woken meanwhile does not wait,
 * and what it becomes is the thread's own affair. */
static wr_status_t await(struct wr_wasi_threads *group, struct wasi_thread *t,
                         struct wasi_starting *starting)
{
    pthread_mutex_t *lock = &group->wasi->lock;
    bool woken = false;
    pthread_mutex_lock(lock);
    while (!starting->over && !woken) {
        struct pollfd room;
        int ready;
        pthread_mutex_unlock(lock);
        woken = wasi_wait_until(starting->wait, &room, 0, WASI_FOREVER, &ready) != WASI_E_SUCCESS;
        pthread_mutex_lock(lock);
    }
    if (!starting->over) t->starting = NULL; /* else it may have been deleted */
    wr_status_t status = starting->over ? starting->status : WR_OK;
    pthread_mutex_unlock(lock);
    return status;
}

/* A thread that can't begin. */
static wasi_errno give_up(struct wasi_thread *t)
{
    pthread_mutex_t *lock = &t->group->wasi->lock;
    pthread_mutex_lock(lock);
    leave(t);
    pthread_mutex_unlock(lock);
    thread_delete(t);
    return WASI_E_AGAIN;
}

/* SUCCESS, AGAIN, NOMEM; CANCELED: the guest has ended, by this or another thread. */
static wasi_errno begin(struct wasi_thread *t, u32 *tid)
{
    wasi_errno e;
    struct wr_wasi_threads *group = t->group;
    struct wasi_starting starting = {.wait = wasi_threads_wait(group, &e)};
    if (e == WASI_E_SUCCESS) e = enter(t);
    if (e != WASI_E_SUCCESS) {
        thread_delete(t);
        return e == WASI_E_CANCELED ? e : WASI_E_AGAIN;
    }
    *tid = t->tid; /* now: it may be over and joined by the time start returns */
    t->starting = &starting;
    if (!start(t)) return give_up(t);
    wr_status_t s = await(group, t, &starting);
    if (s == WR_OK) return WASI_E_SUCCESS;
    return ends_guest(s) ? WASI_E_CANCELED : s == WR_OOM ? WASI_E_NOMEM : WASI_E_AGAIN;
}

/* From the first thread on, calls take the lock. Until then there is nobody else. */
static void begin_sharing(struct wr_wasi_threads *group)
{
    group->wasi->group = group;
    group->wasi->fds.holds = &group->holds;
}

/* wasi.thread-spawn (start_arg) -> number of the thread, or a negative WASI errno. */
static wr_status_t spawn(wr_call_t *call, wr_slot_t *slots, void *env)
{
    struct wr_wasi_threads *group = env;
    u32 tid = 0;
    wasi_errno e = WASI_E_NOTSUP;
    if (group->startable && group->config.max_threads > 0 && group->wasi->fds.loop == NULL) {
        if (group->wasi->group == NULL) begin_sharing(group);
        reap(group);
        struct wasi_thread *t = thread_new(group, call, slots[0].i32);
        e = t != NULL ? begin(t, &tid) : WASI_E_NOMEM;
    }
    if (e == WASI_E_CANCELED) return WR_CANCELLED;
    slots[0].i64 = e == WASI_E_SUCCESS ? tid : 0U - (u32)e;
    return WR_OK;
}

/* ---------------------------------------------------------------- the public life */

/* One memory for each shared one that the module imports, charged to the main store. */
static wr_status_t define_memories(const wr_wasi_threads_config_t *config, wr_error_t *err)
{
    wr_importtype_t import;
    wr_status_t s = WR_OK;
    for (size_t i = 0; s == WR_OK && wr_module_import(config->module, i, &import); i++) {
        wr_limits_t limits;
        wr_memory_t *memory;
        if (!is_shared_memory(config->module, i, &limits)) continue;
        s = wr_memory_new(config->store, limits, &memory, err);
        if (s != WR_OK) break;
        wr_shared_memory_t *shared = wr_memory_shared(memory);
        s = wr_linker_define_shared_memory(config->linker, import.module, import.name, shared, err);
        wr_shared_memory_delete(shared);
    }
    return s;
}

wr_status_t wr_wasi_threads_new(wr_wasi_t *wasi, const wr_wasi_threads_config_t *config,
                                wr_wasi_threads_t **out, wr_error_t *err)
{
    *out = NULL;
    struct wr_wasi_threads *group = calloc(1, sizeof(*group));
    if (group == NULL) return wasi_fail(err, WR_OOM, "out of memory");
    group->config = *config;
    if (config->store_config != NULL) group->store_config = *config->store_config;
    group->wasi = wasi;
    group->startable = exports_entry(config->module);
    wasi_link_init(&group->alive);
    wasi_link_init(&group->gone);
    wasi_holds_init(&group->holds);
    pthread_cond_init(&group->left, NULL);
    wr_status_t s = define_memories(config, err);
    if (s == WR_OK)
        s = wr_linker_define_raw(config->linker, "wasi", "thread-spawn", "i:i", spawn, group, err);
    if (s == WR_OK)
        *out = group;
    else
        wr_wasi_threads_delete(group);
    return s;
}

wr_status_t wr_wasi_threads_finish(wr_wasi_threads_t *group, wr_status_t status, wr_exec_t **exec,
                                   wr_error_t *err)
{
    pthread_mutex_lock(&group->wasi->lock);
    end_all(group, NULL, status);
    while (group->count > 0) pthread_cond_wait(&group->left, &group->wasi->lock);
    pthread_mutex_unlock(&group->wasi->lock);
    reap(group);
    *exec = group->ender != NULL ? group->ender->exec : group->config.exec;
    if (group->ender != NULL && err != NULL) *err = group->ender->err;
    return group->end;
}

void wr_wasi_threads_delete(wr_wasi_threads_t *group)
{
    if (group == NULL) return;
    wr_exec_t *exec;
    (void)wr_wasi_threads_finish(group, WR_CANCELLED, &exec, NULL);
    thread_delete(group->ender);
    if (group->wasi->group == group) {
        group->wasi->group = NULL;
        group->wasi->fds.holds = NULL;
    }
    wasi_holds_fini(&group->holds);
    pthread_cond_destroy(&group->left);
    free(group);
}
