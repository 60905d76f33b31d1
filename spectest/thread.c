/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c - threads of a script: each runs its commands on an OS thread of its own, with a store
 * of its own; what it shares with the others are memories. Not here: the commands themselves.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

struct spec_thread {
    pthread_t thread;
    const json_t *name;
    const json_t *commands;
    struct spec_script script;
    bool set_up;
    struct spec_thread *next; /* of its parent */
};

/* ---------------------------------------------------------------- what is shared */

static void add_shared(struct spec_item *item, wr_name_t name, wr_shared_memory_t *memory)
{
    item->shared = spec_realloc(item->shared, (item->shared_count + 1) * sizeof item->shared[0]);
    item->shared[item->shared_count++] = (struct spec_shared){.name = name, .memory = memory};
}

/* What a thread sees of an instance of its parent: the shared memories that it exports. */
static void share(struct spec_item *to, const struct spec_item *from)
{
    wr_exporttype_t type;
    wr_extern_t item;
    for (size_t i = 0; i < from->shared_count; i++) {
        add_shared(to, from->shared[i].name, wr_shared_memory_clone(from->shared[i].memory));
    }
    const wr_module_t *module = from->instance ? wr_instance_module(from->instance) : NULL;
    for (size_t i = 0; module && wr_module_export(module, i, &type); i++) {
        if (type.kind != WR_EXTERN_MEMORY ||
            !wr_instance_export(from->instance, type.name, &item)) {
            continue;
        }
        wr_shared_memory_t *memory = wr_memory_shared(item.of.memory);
        if (memory) {
            add_shared(to, type.name, memory);
        }
    }
}

wr_status_t spec_shared_define(struct spec_script *script, wr_name_t as,
                               const struct spec_item *item, wr_error_t *err)
{
    for (size_t i = 0; i < item->shared_count; i++) {
        wr_status_t status = wr_linker_define_shared_memory(
            script->linker, as, item->shared[i].name, item->shared[i].memory, err);
        if (status != WR_OK) {
            return status;
        }
    }
    return WR_OK;
}

/* ---------------------------------------------------------------- running */

static void *run(void *arg)
{
    struct spec_thread *thread = arg;
    thread->set_up = spec_script_setup(&thread->script);
    if (thread->set_up) {
        spec_script_commands(&thread->script, thread->commands);
    }
    spec_script_teardown(&thread->script);
    return NULL;
}

/* Gives the thread the instances it may see; false with a verdict when one is not there. */
static bool share_all(struct spec_script *script, const json_t *names, struct spec_thread *thread,
                      struct spec_outcome *out)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i);
        const struct spec_item *item = spec_items_find(&script->instances, name);
        if (spec_item_blocks(item, out)) {
            return false;
        }
        share(spec_items_add(&thread->script.instances, name), item);
    }
    return true;
}

void spec_thread_start(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    struct spec_thread *thread = spec_realloc(NULL, sizeof *thread);
    memset(thread, 0, sizeof *thread);
    thread->name = json_object_get(command, "name");
    thread->commands = json_object_get(command, "commands");
    thread->script.ctx = script->ctx;
    thread->script.path = script->path;
    thread->script.dir = script->dir;
    thread->script.engine = script->engine;
    bool good = share_all(script, json_object_get(command, "shared"), thread, out);
    if (good && pthread_create(&thread->thread, NULL, run, thread) != 0) {
        spec_fail(out, "cannot start a thread");
        good = false;
    }
    if (!good) {
        spec_script_teardown(&thread->script);
        free(thread);
        return;
    }
    thread->next = script->threads;
    script->threads = thread;
    spec_pass(out);
}

/* Waits for it, takes its counts over and forgets it; false when it could not even begin. */
static bool join(struct spec_script *script, struct spec_thread **at)
{
    struct spec_thread *thread = *at;
    *at = thread->next;
    pthread_join(thread->thread, NULL);
    spec_tally_merge(&script->tally, &thread->script.tally);
    bool good = thread->set_up;
    free(thread);
    return good;
}

void spec_thread_wait(struct spec_script *script, const json_t *command, struct spec_outcome *out)
{
    const json_t *name = json_object_get(command, "thread");
    struct spec_thread **at = &script->threads;
    while (*at && !json_equal((*at)->name, name)) {
        at = &(*at)->next;
    }
    if (!*at) {
        spec_fail(out, "no such thread");
    } else if (join(script, at)) {
        spec_pass(out);
    } else {
        spec_fail(out, "the thread could not be set up");
    }
}

void spec_threads_join(struct spec_script *script)
{
    while (script->threads) {
        (void)join(script, &script->threads);
    }
}
