/* SPDX-License-Identifier: Apache-2.0 */
/* Custom sections that speak of code, branch hints above all: none makes a module invalid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/world.h"

#include <stdlib.h>
#include <string.h>

#define BRANCH_HINT "metadata.code.branch_hint"

struct payload {
    const char *what, *bytes;
    u32 size;
};
#define P(what, literal) {what, literal, sizeof(literal) - 1}

/* The function has one br_if, at offset 5 of its body. */
static const struct payload hints[] = {
    P("good", "\1\0\1\5\1\1"),
    P("empty", ""),
    P("no functions", "\0"),
    P("cut in the count", "\x80"),
    P("cut in the hints", "\1\0\1\5"),
    P("a count of 2^32 - 1", "\xff\xff\xff\xff\x0f"),
    P("hints of 2^32 - 1", "\1\0\xff\xff\xff\xff\x0f\5\1\1"),
    P("a count too long", "\x81\x80\x80\x80\x80\x80\0"),
    P("a function that there is not", "\1\x7f\1\5\1\1"),
    P("functions out of order", "\2\1\1\5\1\1\0\1\5\1\1"),
    P("an offset behind the body", "\1\0\1\xff\xff\3\1\1"),
    P("an offset that is no branch", "\1\0\1\1\1\1"),
    P("offsets out of order", "\1\0\2\5\1\1\1\1\0"),
    P("a hint of two bytes", "\1\0\1\5\2\1\1"),
    P("a hint that is neither", "\1\0\1\5\1\7"),
    P("bytes behind the end", "\1\0\1\5\1\1xyz"),
    P("noise", "\xff\xfe\0\xff\x7f\x80\x80"),
};

static void put_custom(struct wasm_bytes *b, const char *name, const struct payload *p)
{
    wasm_put_u8(b, 0);
    wasm_put_u32(b, (u32)strlen(name) + 1 + p->size);
    wasm_put_name(b, name);
    wasm_put(b, p->bytes, p->size);
}

/** choose(x) = x ? 1 : 2, and the section behind, before or between those of the code. */
static struct wasm_bytes hinted(const char *name, const struct payload *p, u32 place)
{
    static const u8 head[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const u8 sections[][18] = {
        {1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f},
        {3, 2, 1, 0},
        {7, 5, 1, 1, 'f', 0, 0},
        {10, 16, 1, 14, 0, 2, 0x40, 0x20, 0, 0x0d, 0, 0x41, 2, 0x0f, 0x0b, 0x41, 1, 0x0b}};
    struct wasm_bytes b = {0};
    wasm_put(&b, head, sizeof head);
    for (u32 i = 0; i < VM_COUNT(sections); i++) {
        if (i == place) put_custom(&b, name, p);
        wasm_put(&b, sections[i], sections[i][1] + 2u);
    }
    if (place >= VM_COUNT(sections)) put_custom(&b, name, p);
    return b;
}

static void runs(struct world *w, const char *name, const struct payload *p, u32 place)
{
    struct wasm_bytes b = hinted(name, p, place);
    wr_module_t *module = NULL;
    wr_instance_t *in = NULL;
    wr_status_t s = wr_module_new(w->engine, b.data, b.size, &module, &w->err);
    free(b.data);
    if (s != WR_OK) fail_msg("%s: %s", p->what, w->err.text);
    assert_int_equal(wr_linker_instantiate(w->linker, w->store, module, NULL, &in, &w->err), WR_OK);
    world_gives(w, in, "f", ARGS(1), ARGS(1));
    world_gives(w, in, "f", ARGS(0), ARGS(2));
    w->modules[w->module_count++] = module;
}

static void test_hints_good_or_bad_change_nothing(void **state)
{
    (void)state;
    for (u32 i = 0; i < VM_COUNT(hints); i++) {
        struct world w;
        world_init(&w, NULL);
        for (u32 place = 0; place < 5; place++) runs(&w, BRANCH_HINT, &hints[i], place);
        world_free(&w);
    }
}

static void test_other_metadata_is_let_be(void **state)
{
    (void)state;
    static const char *const names[] = {"metadata.code.trace_inst",
                                        "metadata.code.",
                                        "metadata.code.instr_freq",
                                        "metadata.code.compilation_priority",
                                        "target_features",
                                        "producers",
                                        "linking",
                                        "reloc.CODE",
                                        "dylink.0",
                                        "sourceMappingURL",
                                        "build_id",
                                        "",
                                        "name"};
    for (u32 i = 0; i < VM_COUNT(names); i++) {
        struct world w;
        world_init(&w, NULL);
        runs(&w, names[i], &hints[i % VM_COUNT(hints)], 4);
        runs(&w, names[i], &hints[VM_COUNT(hints) - 1], 4);
        world_free(&w);
    }
}

/* Every beginning of a good section, its size made to fit. */
static void test_any_cut_of_a_payload_is_let_be(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, NULL);
    for (u32 size = 0; size <= hints[0].size; size++) {
        struct payload cut = hints[0];
        cut.size = size;
        runs(&w, BRANCH_HINT, &cut, 3);
    }
    world_free(&w);
}

static void test_an_embedder_finds_the_section(void **state)
{
    (void)state;
    struct wasm_bytes b = hinted(BRANCH_HINT, &hints[0], 3);
    wr_engine_t *engine = wr_engine_new(NULL);
    wr_module_t *module = NULL;
    wr_section_t section;
    u32 found = 0;
    assert_int_equal(wr_module_new(engine, b.data, b.size, &module, NULL), WR_OK);
    for (size_t i = 0; wr_module_section(module, i, &section); i++) {
        if (section.id != 0) continue;
        assert_int_equal(section.name.size, strlen(BRANCH_HINT));
        assert_memory_equal(section.name.data, BRANCH_HINT, section.name.size);
        found++;
    }
    assert_int_equal(found, 1);
    wr_module_delete(module);
    wr_engine_delete(engine);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints_good_or_bad_change_nothing),
        cmocka_unit_test(test_other_metadata_is_let_be),
        cmocka_unit_test(test_any_cut_of_a_payload_is_let_be),
        cmocka_unit_test(test_an_embedder_finds_the_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
