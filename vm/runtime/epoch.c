/* SPDX-License-Identifier: Apache-2.0 */
/* The list of running execs that have a deadline. Setting the interrupt word is all it does. */
#include "runtime/epoch.h"

#include "runtime/exec.h"

void vm_epochs_init(struct vm_epochs *e)
{
    (void)pthread_mutex_init(&e->lock, NULL);
    e->now = 0;
    e->running = NULL;
}

void vm_epochs_free(struct vm_epochs *e) { (void)pthread_mutex_destroy(&e->lock); }

void vm_epochs_tick(struct vm_epochs *e)
{
    (void)pthread_mutex_lock(&e->lock);
    e->now++;
    for (struct vm_exec *x = e->running; x; x = x->epoch_next)
        if (e->now >= x->epoch_deadline) vm_exec_request(x, VM_INTERRUPT_YIELD);
    (void)pthread_mutex_unlock(&e->lock);
}

void vm_epochs_enter(struct vm_epochs *e, struct vm_exec *x)
{
    (void)pthread_mutex_lock(&e->lock);
    x->epoch_deadline = e->now + x->epoch_ticks;
    x->epoch_next = e->running;
    x->epoch_back = &e->running;
    if (x->epoch_next) x->epoch_next->epoch_back = &x->epoch_next;
    e->running = x;
    (void)pthread_mutex_unlock(&e->lock);
}

void vm_epochs_leave(struct vm_epochs *e, struct vm_exec *x)
{
    (void)pthread_mutex_lock(&e->lock);
    *x->epoch_back = x->epoch_next;
    if (x->epoch_next) x->epoch_next->epoch_back = x->epoch_back;
    (void)pthread_mutex_unlock(&e->lock);
}
