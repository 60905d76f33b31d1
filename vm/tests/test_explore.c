/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking inside: every instruction can be read back, explored functions as text, the frames of a
 * stopped exec, counts of translated code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "debug/decode.h"
#include "tests/world.h"

/* ---- decoding */

static const struct {
    vm_ir op;
    u32 words;
} chains[] = {
#define GENERIC(name, words, level, ...) {VM_IR_##name, words},
#define CHAIN(name, words, level, ...) {VM_IR_##name, words},
#define PINNED(name, words, level, ...) {VM_IR_##name, words},
#include "isa/chains.def"
#undef GENERIC
#undef CHAIN
#undef PINNED
};

static vm_part last_part(const struct vm_decoded_op *d)
{
    return (vm_part)d->parts[d->part_count - 1].part;
}

static void test_every_instruction_is_known_with_its_size(void **state)
{
    (void)state;
    for (u32 b = 0; b < VM_CODE_BACKENDS; b++) {
        if (!vm_backend_usable((enum vm_code_backend)b)) continue;
        const struct vm_backend *backend = vm_backend_get((enum vm_code_backend)b);
        struct vm_decoder_table *t = vm_decoder_table_new(&vm_alloc_libc, backend);
        assert_non_null(t);
        union vm_word words[128] = {{0}};
        char name[VM_IR_NAME_SIZE];
        for (u32 i = 0; i < backend->ops; i++) {
            vm_ir found = vm_decoder_find(t, vm_backend_word(backend, (vm_ir)i));
            assert_true(found != VM_IR_COUNT); /* another one if they share a handler */
            if (!vm_decoder_size(t, (vm_ir)i, words, VM_COUNT(words)))
                fail_msg("%s", vm_ir_name((vm_ir)i, name));
        }
        vm_decoder_table_delete(&vm_alloc_libc, t);
    }
}

static void test_chains_have_the_size_of_their_table(void **state)
{
    (void)state;
    struct vm_decoder_table *t = vm_decoder_table_new(&vm_alloc_libc, vm_backend_get(VM_CODE_LOOP));
    union vm_word words[128] = {{0}};
    char name[VM_IR_NAME_SIZE];
    assert_non_null(t);
    for (u32 i = 0; i < VM_COUNT(chains); i++) {
        const struct vm_decoded_op *d = vm_decoder_op(t, chains[i].op);
        if (d->part_count == 0) fail_msg("%s", vm_ir_name(chains[i].op, name));
        /* the callee's entry and the labels are behind what the table counts */
        bool more = last_part(d) == VM_PART_call || last_part(d) == VM_PART_br_table;
        u32 size = vm_decoder_size(t, chains[i].op, words, VM_COUNT(words));
        if (more ? size < chains[i].words : size != chains[i].words)
            fail_msg("%s: %u words, not %u", vm_ir_name(chains[i].op, name), size, chains[i].words);
    }
    vm_decoder_table_delete(&vm_alloc_libc, t);
}

static void test_a_cut_instruction_is_not_read(void **state)
{
    (void)state;
    struct vm_decoder_table *t = vm_decoder_table_new(&vm_alloc_libc, vm_backend_get(VM_CODE_LOOP));
    union vm_word words[4] = {{0}, {0}, {0}, {0}};
    assert_non_null(t);
    assert_int_equal(vm_decoder_size(t, VM_IR_i32_add_ss, words, 1), 0);
    assert_int_equal(vm_decoder_size(t, VM_IR_i32_add_ss, words, 2), 2);
    assert_int_equal(vm_decoder_size(t, VM_IR_br_table_s, words, 1), 0);
    memset(words, 0xff, sizeof words); /* a huge count of labels */
    assert_int_equal(vm_decoder_size(t, VM_IR_br_table_s, words, VM_COUNT(words)), 0);
    vm_decoder_table_delete(&vm_alloc_libc, t);
}

/* ---- text */

/** A module with a bit of everything that explore writes in its own way. */
static void write_module(struct wasm *m)
{
    wasm_memory(m, 1, 1, NULL);
    u32 leaf = wasm_func(m, "i:i", "leaf", "", CODE(LOCAL_GET(0), I32(7), I32_ADD));
    wasm_func(m, "ii:i", "od\"d\n\x1b", "i",
              CODE(LOCAL_GET(0), I32(1), I32_ADD, LOCAL_SET(2), LOCAL_GET(2), I32_LOAD(8),
                   LOCAL_GET(1), I32_ADD, CALL((u8)leaf)));
    wasm_func(m, "i:i", "spin", "", CODE(LOOP(0x40), BR(0), END, I32(0)));
}

static void explored_text(struct world *w)
{
    struct wasm m = {0};
    struct world_text *t = calloc(1, sizeof *t);
    assert_non_null(t);
    write_module(&m);
    wr_module_t *module = world_module(w, &m);
    assert_int_equal(wr_module_explore(module, "leaf", world_keep, t, &w->err), WR_OK);
    assert_non_null(strstr(t->bytes, "func 0 leaf  (func (param i32) (result i32))"));
    assert_non_null(strstr(t->bytes, "i32.add"));
    assert_non_null(strstr(t->bytes, "i32_add"));
    assert_non_null(strstr(t->bytes, " internal: "));
    assert_null(strstr(t->bytes, "func 1"));
    t->len = 0;
    assert_int_equal(wr_module_explore(module, NULL, world_keep, t, NULL), WR_OK);
    assert_non_null(strstr(t->bytes, "func 1 od\\x22d\\x0a\\x1b  ")); /* names are escaped */
    assert_non_null(strstr(t->bytes, "i32.load offset=8"));
    assert_non_null(strstr(t->bytes, "call 0 leaf"));
    assert_non_null(strstr(t->bytes, "3 functions"));
    assert_null(strstr(t->bytes, "no known instruction"));
    t->len = 0;
    assert_int_equal(wr_module_explore(module, "1", world_keep, t, &w->err), WR_OK);
    assert_non_null(strstr(t->bytes, "i32_load"));
    for (const char *p = t->bytes; *p; p++) assert_true(*p == '\n' || *p >= ' ');
    free(t);
}

static void test_explored_functions_as_text(void **state)
{
    (void)state;
    world_each(explored_text);
}

static void no_function(struct world *w)
{
    struct wasm m = {0};
    struct world_text t = {0};
    wasm_import_func(&m, "env", "host", ":");
    wasm_func(&m, ":", "run", "", CODE(NOP));
    wr_module_t *module = world_module(w, &m);
    static const char *const absent[] = {"nosuch", "", "2", "99999999999999999999", "-1", "1x"};
    for (u32 i = 0; i < VM_COUNT(absent); i++) {
        assert_int_equal(wr_module_explore(module, absent[i], world_keep, &t, &w->err),
                         WR_NOT_FOUND);
        assert_non_null(strstr(w->err.text, "no function"));
    }
    assert_int_equal(wr_module_explore(module, "0", world_keep, &t, &w->err), WR_ARGUMENT);
    assert_non_null(strstr(w->err.text, "imported"));
    assert_int_equal(t.len, 0);
    assert_int_equal(wr_module_explore(module, "1", world_keep, &t, &w->err), WR_OK);
}

static void test_no_such_function_is_not_found(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, NULL);
    no_function(&w);
    world_free(&w);
}

/* ---- frames and counts */

static wr_status_t interrupt(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)slots;
    (void)env;
    wr_exec_interrupt(wr_call_exec(call));
    return WR_OK;
}

static void stopped_frames(struct world *w)
{
    struct wasm m = {0};
    wr_exec_t *x = NULL;
    wr_frame_t frames[4];
    assert_int_equal(wr_linker_define_raw(w->linker, "env", "stop", ":", interrupt, NULL, NULL),
                     WR_OK);
    u32 stop = wasm_import_func(&m, "env", "stop", ":");
    u32 inner = wasm_func(&m, ":", NULL, "", CODE(CALL((u8)stop), LOOP(0x40), BR(0), END));
    u32 outer = wasm_func(&m, ":", "outer", "", CODE(CALL((u8)inner)));
    wr_instance_t *in = world_instance(w, &m);
    const wr_module_t *module = wr_instance_module(in);
    wr_code_stats_t stats;
    wr_module_code_stats(module, &stats);
    assert_int_equal(stats.funcs, 2);
    assert_int_equal(stats.translated, 0);
    assert_int_equal(wr_exec_new(w->store, &x, &w->err), WR_OK);
    assert_int_equal(wr_exec_frames(x, frames, 4), 0); /* nothing has begun */
    assert_int_equal(wr_exec_start(x, world_func(in, "outer"), NULL, 0, &w->err), WR_OK);
    assert_int_equal(wr_exec_frames(x, frames, 4), 0);
    assert_int_equal(wr_exec_run(x, &w->err), WR_YIELD);
    assert_int_equal(wr_exec_frames(x, frames, 4), 2);
    assert_int_equal(frames[0].func_idx, inner);
    assert_int_equal(frames[1].func_idx, outer);
    assert_ptr_equal(frames[1].module, module);
    assert_int_equal(wr_exec_frames(x, frames, 1), 1);
    assert_int_equal(wr_exec_frames(x, frames, 0), 0);
    wr_module_code_stats(module, &stats);
    assert_int_equal(stats.translated, 2);
    assert_true(stats.code_bytes > 0 && stats.wasm_bytes > 0);
    wr_exec_cancel(x);
    assert_int_equal(wr_exec_run(x, &w->err), WR_CANCELLED);
    wr_exec_delete(x);
}

static void test_frames_of_a_stopped_exec_and_counts(void **state)
{
    (void)state;
    world_each(stopped_frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_instruction_is_known_with_its_size),
        cmocka_unit_test(test_chains_have_the_size_of_their_table),
        cmocka_unit_test(test_a_cut_instruction_is_not_read),
        cmocka_unit_test(test_explored_functions_as_text),
        cmocka_unit_test(test_no_such_function_is_not_found),
        cmocka_unit_test(test_frames_of_a_stopped_exec_and_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
