/* SPDX-License-Identifier: Apache-2.0 */
/* Loading on several threads: the same verdict and the same error as on one. */
#include "wasmrun.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FUNCS = 60, BODY_BYTES = 100000 };

static size_t put_leb(unsigned char *p, size_t value)
{
    size_t n = 0;
    do {
        p[n] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
        n++;
    } while (value);
    return n;
}

/* FUNCS functions () -> () of nops; those marked bad drop a value that is not there. */
static unsigned char *build(const char bad[FUNCS], size_t *size)
{
    static const unsigned char head[] = {0, 'a', 's',  'm', 1, 0, 0,         0,    1,
                                         4, 1,   0x60, 0,   0, 3, FUNCS + 1, FUNCS};
    const size_t code_bytes = FUNCS * (3 + BODY_BYTES) + 1;
    unsigned char *bytes = calloc(1, sizeof head + FUNCS + 8 + code_bytes);
    unsigned char *p = bytes;
    assert_non_null(bytes);
    memcpy(p, head, sizeof head);
    p += sizeof head + FUNCS; /* type 0 for all */
    *p++ = 10;
    p += put_leb(p, code_bytes);
    *p++ = FUNCS;
    for (int i = 0; i < FUNCS; i++) {
        assert_int_equal(put_leb(p, BODY_BYTES), 3);
        p += 3;
        memset(p, 0x01, BODY_BYTES);
        p[0] = 0;
        if (bad[i]) p[BODY_BYTES / 2] = 0x1a;
        p[BODY_BYTES - 1] = 0x0b;
        p += BODY_BYTES;
    }
    *size = (size_t)(p - bytes);
    return bytes;
}

static wr_status_t load(const char bad[FUNCS], unsigned threads, wr_error_t *err)
{
    size_t size;
    unsigned char *bytes = build(bad, &size);
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    assert_non_null(engine);
    wr_engine_set_load_threads(engine, threads);
    wr_status_t s = wr_module_new(engine, bytes, size, &module, err);
    wr_module_delete(module);
    wr_engine_delete(engine);
    free(bytes);
    return s;
}

static void test_a_good_module_is_valid_on_any_number_of_threads(void **state)
{
    (void)state;
    static const char none[FUNCS];
    for (unsigned threads = 0; threads <= 17; threads++)
        assert_int_equal(load(none, threads, NULL), WR_OK);
}

static void test_the_first_bad_function_is_told_on_any_number_of_threads(void **state)
{
    (void)state;
    for (int first = 0; first < FUNCS; first += 7) {
        char bad[FUNCS] = {0};
        wr_error_t one, many;
        for (int i = first; i < FUNCS; i += 3) bad[i] = 1;
        assert_int_equal(load(bad, 1, &one), WR_INVALID);
        assert_int_equal(one.func_idx, first);
        for (unsigned threads = 0; threads <= 8; threads += 2) {
            assert_int_equal(load(bad, threads, &many), WR_INVALID);
            assert_int_equal(many.func_idx, first);
            assert_true(many.offset == one.offset);
            assert_string_equal(many.text, one.text);
        }
    }
}

/* (func (export "a") (ref.i31 (i32.const 0)) drop)  (func (export "b")) */
static const unsigned char small[] = {0,    'a', 's',  'm', 1,    0,    0,    0,    1,  4,  1,
                                      0x60, 0,   0,    3,   3,    2,    0,    0,    7,  9,  2,
                                      1,    'a', 0,    0,   1,    'b',  0,    1,    10, 12, 2,
                                      7,    0,   0x41, 0,   0xfb, 0x1c, 0x1a, 0x0b, 2,  0,  0x0b};

/* (func (atomic.fence)) */
static const unsigned char fence[] = {0, 'a', 's', 'm', 1,  0, 0, 0, 1, 4,    1, 0x60, 0,   0,
                                      3, 2,   1,   0,   10, 7, 1, 5, 0, 0xfe, 3, 0,    0x0b};
enum { FENCE_OFFSET = 23 };

static void test_what_is_switched_off_is_refused_by_name_and_place(void **state)
{
    (void)state;
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    wr_error_t err;
    wr_features_t set = wr_features_default();
    assert_int_equal(wr_features_parse("-threads", &set, &err), WR_OK);
    wr_engine_set_features(engine, set);
    assert_int_equal(wr_module_new(engine, fence, sizeof fence, &module, &err), WR_UNSUPPORTED);
    assert_string_equal(err.text, "unsupported instruction: atomic.fence needs feature threads "
                                  "(--features +threads)");
    assert_int_equal(err.offset, FENCE_OFFSET);
    assert_int_equal(err.func_idx, 0);
    wr_engine_set_features(engine, wr_features_default());
    assert_int_equal(wr_module_new(engine, fence, sizeof fence, &module, &err), WR_OK);
    wr_module_delete(module);
    wr_engine_delete(engine);
}

static wr_status_t call(wr_store_t *store, wr_instance_t *instance, const char *name,
                        wr_error_t *err)
{
    wr_extern_t item;
    assert_true(wr_instance_export(instance, (wr_name_t){name, 1}, &item));
    return wr_call(store, item.of.func, NULL, 0, NULL, 0, err);
}

static void test_what_cannot_be_executed_traps_with_its_name_when_called(void **state)
{
    (void)state;
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    wr_linker_t *linker = NULL;
    wr_store_t *store = NULL;
    wr_instance_t *instance = NULL;
    wr_error_t err;
    assert_int_equal(wr_module_new(engine, small, sizeof small, &module, &err), WR_OK);
    assert_int_equal(wr_linker_new(engine, &linker, &err), WR_OK);
    assert_int_equal(wr_store_new(engine, NULL, &store, &err), WR_OK);
    assert_int_equal(wr_linker_instantiate(linker, store, module, NULL, &instance, &err), WR_OK);
    assert_int_equal(call(store, instance, "b", &err), WR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(call(store, instance, "a", &err), WR_TRAP);
        assert_string_equal(err.trap, "unsupported instruction");
        assert_string_equal(err.text, "unsupported instruction: ref.i31 (offset 0x25)");
        assert_int_equal(err.frames, 1);
    }
    wr_store_delete(store);
    wr_linker_delete(linker);
    wr_module_delete(module);
    wr_engine_delete(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_module_is_valid_on_any_number_of_threads),
        cmocka_unit_test(test_what_is_switched_off_is_refused_by_name_and_place),
        cmocka_unit_test(test_what_cannot_be_executed_traps_with_its_name_when_called),
        cmocka_unit_test(test_the_first_bad_function_is_told_on_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
