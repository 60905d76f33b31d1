/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder on hand-assembled modules: every section, every error. */
#include "binary/cursor.h"
#include "binary/module.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "module_builder.h"

static struct vm_module decode_ok(const u8 *bytes, usize size)
{
    struct vm_module m;
    struct vm_err err;
    vm_err_init(&err);
    vm_status status = vm_module_decode(&m, &vm_alloc_libc, bytes, size, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(status, VM_OK);
    return m;
}

/* -------- what is decoded */

static void assert_name(struct vm_name n, const char *want)
{
    assert_int_equal(n.size, strlen(want));
    assert_memory_equal(n.data, want, n.size);
}

static void assert_range(const struct vm_module *m, struct vm_range r, const char *want, usize size)
{
    assert_int_equal(r.size, size);
    assert_memory_equal(m->bytes + r.start, want, size);
}
#define ASSERT_RANGE(m, r, literal) assert_range(m, r, literal, sizeof(literal) - 1)

static void test_types_groups_supertypes_and_slots(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    assert_int_equal(m.types.count, 5);
    const struct vm_deftype *t = m.types.types;

    assert_int_equal(t[0].kind, VM_COMP_FUNC);
    assert_true(t[0].is_final);
    assert_int_equal(t[0].super, VM_NO_TYPE);
    assert_int_equal(t[0].of.func.param_count, 2);
    assert_int_equal(t[0].of.func.result_count, 1);
    assert_int_equal(t[0].of.func.types[0], VM_I32);
    assert_int_equal(t[0].of.func.types[1], VM_I64);
    assert_int_equal(t[0].of.func.types[2], VM_F32);
    assert_int_equal(t[0].of.func.param_slots, 2);

    for (u32 i = 1; i <= 2; i++) {
        assert_int_equal(t[i].kind, VM_COMP_STRUCT);
        assert_int_equal(t[i].rec_first, 1);
        assert_int_equal(t[i].rec_count, 2);
        assert_int_equal(t[i].of.agg.count, 2);
        assert_int_equal(t[i].of.agg.fields[0].type, VM_REFTYPE(true, 2));
        assert_true(t[i].of.agg.fields[0].is_mutable);
        assert_int_equal(t[i].of.agg.fields[1].type, VM_I8);
        assert_false(t[i].of.agg.fields[1].is_mutable);
    }
    assert_false(t[1].is_final);
    assert_int_equal(t[1].depth, 0);
    assert_true(t[2].is_final);
    assert_int_equal(t[2].super, 1);
    assert_int_equal(t[2].depth, 1);

    assert_int_equal(t[3].kind, VM_COMP_ARRAY);
    assert_int_equal(t[3].rec_first, 3);
    assert_int_equal(t[3].rec_count, 1);
    assert_int_equal(t[3].of.agg.fields[0].type, VM_I16);
    assert_int_equal(t[4].of.func.param_count, 0);
    vm_module_free(&m);
}

static void test_imports_come_first_in_each_index_space(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    assert_int_equal(m.import_count, 5);
    for (u32 kind = 0; kind < 5; kind++) {
        assert_int_equal(m.n_imported[kind], 1);
        assert_int_equal(m.imports[kind].kind, kind);
        assert_int_equal(m.imports[kind].index, 0);
        assert_name(m.imports[kind].module, "m");
    }
    assert_name(m.imports[2].name, "me");
    assert_name(m.imports[4].name, "");

    assert_int_equal(m.func_count, 3);
    assert_int_equal(m.funcs[0], 4);
    assert_int_equal(m.funcs[1], 4);
    assert_int_equal(m.funcs[2], 0);
    assert_ptr_equal(vm_module_functype(&m, 2), &m.types.types[0].of.func);
    assert_int_equal(m.tag_count, 2);
    assert_int_equal(m.tags[1], 4);
    vm_module_free(&m);
}

static void test_tables_memories_globals(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    assert_int_equal(m.table_count, 3);
    assert_int_equal(m.tables[0].type.elem, VM_FUNCREF);
    assert_int_equal(m.tables[0].type.limits.min, 1);
    assert_int_equal(m.tables[0].type.limits.max, 2);
    assert_true(m.tables[0].type.limits.has_max);
    assert_int_equal(m.tables[1].type.elem, VM_EXTERNREF);
    assert_false(m.tables[1].type.limits.has_max);
    assert_true(m.tables[1].type.limits.max == UINT64_MAX);
    assert_int_equal(m.tables[1].init.size, 0);
    ASSERT_RANGE(&m, m.tables[2].init, "\xd0\x70\x0b");

    assert_int_equal(m.memory_count, 3);
    assert_false(m.memories[0].is_64);
    assert_int_equal(m.memories[0].page_log2, 16);
    assert_true(m.memories[1].is_64);
    assert_false(m.memories[1].has_max);
    assert_true(m.memories[2].is_shared);

    assert_int_equal(m.global_count, 3);
    assert_int_equal(m.globals[0].init.size, 0);
    assert_int_equal(m.globals[1].type.type, VM_I32);
    assert_true(m.globals[1].type.is_mutable);
    ASSERT_RANGE(&m, m.globals[1].init, "\x41\x2a\x0b");
    assert_int_equal(m.globals[2].type.type, VM_REFTYPE(true, 1));
    vm_module_free(&m);
}

static void test_exports_start_and_sections(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    assert_int_equal(m.export_count, 2);
    assert_name(m.exports[0].name, "e");
    assert_int_equal(m.exports[0].index, 1);
    assert_ptr_equal(vm_module_find_export(&m, (const u8 *)"e", 1), &m.exports[0]);
    assert_ptr_equal(vm_module_find_export(&m, (const u8 *)"", 0), &m.exports[1]);
    assert_null(vm_module_find_export(&m, (const u8 *)"x", 1));
    assert_int_equal(m.start, 1);
    assert_int_equal(b.bytes[m.start_offset], 1);

    assert_int_equal(m.section_count, b.end_count - 1);
    assert_int_equal(m.sections[0].id, 0);
    assert_name(m.sections[0].name, "hi");
    ASSERT_RANGE(&m, m.sections[0].payload, "payload");
    assert_int_equal(m.sections[1].id, 1);
    ASSERT_RANGE(&m, m.sections[3].payload, "\2\4\0");
    vm_module_free(&m);
}

static void test_elems_all_eight_forms(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    const u32 func = VM_HEAP_ABSTRACT | VM_HEAP_FUNC;
    const struct {
        u8 mode;
        bool is_exprs;
        u32 table, count;
        vm_valtype type;
    } want[8] = {
        {VM_SEGMENT_ACTIVE, false, 0, 2, VM_REFTYPE(false, func)},
        {VM_SEGMENT_PASSIVE, false, 0, 1, VM_REFTYPE(false, func)},
        {VM_SEGMENT_ACTIVE, false, 1, 1, VM_REFTYPE(false, func)},
        {VM_SEGMENT_DECLARATIVE, false, 0, 1, VM_REFTYPE(false, func)},
        {VM_SEGMENT_ACTIVE, true, 0, 1, VM_FUNCREF},
        {VM_SEGMENT_PASSIVE, true, 0, 2, VM_FUNCREF},
        {VM_SEGMENT_ACTIVE, true, 1, 1, VM_EXTERNREF},
        {VM_SEGMENT_DECLARATIVE, true, 0, 1, VM_REFTYPE(true, 4)},
    };
    assert_int_equal(m.elem_count, 8);
    for (u32 i = 0; i < 8; i++) {
        const struct vm_elem_decl *e = &m.elems[i];
        assert_int_equal(e->mode, want[i].mode);
        assert_int_equal(e->is_exprs, want[i].is_exprs);
        assert_int_equal(e->table, want[i].table);
        assert_int_equal(e->count, want[i].count);
        assert_int_equal(e->type, want[i].type);
        assert_int_equal(e->offset.size, want[i].mode == VM_SEGMENT_ACTIVE ? 3 : 0);
    }
    ASSERT_RANGE(&m, m.elems[0].items, "\0\1");
    ASSERT_RANGE(&m, m.elems[5].items, "\xd2\0\x0b\xd0\x70\x0b");
    vm_module_free(&m);
}

static void test_code_and_data(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    assert_int_equal(m.body_count, 2);
    ASSERT_RANGE(&m, m.bodies[0].range, "\0\x0b");
    ASSERT_RANGE(&m, m.bodies[1].range, "\0\x43\0\0\0\0\x0b");
    assert_true(m.has_data_count);
    assert_int_equal(m.data_count, 3);
    assert_int_equal(m.datas[0].mode, VM_SEGMENT_ACTIVE);
    ASSERT_RANGE(&m, m.datas[0].offset, "\x41\0\x0b");
    ASSERT_RANGE(&m, m.datas[0].bytes, "hi");
    assert_int_equal(m.datas[1].mode, VM_SEGMENT_PASSIVE);
    assert_int_equal(m.datas[1].bytes.size, 0);
    assert_int_equal(m.datas[2].memory, 1);
    ASSERT_RANGE(&m, m.datas[2].bytes, "x");
    vm_module_free(&m);
}

static void test_names_are_found(void **state)
{
    (void)state;
    struct builder b;
    build_rich(&b);
    struct vm_module m = decode_ok(b.bytes, b.size);
    struct vm_name n;
    assert_name(m.module_name, "mod");
    assert_true(vm_module_func_name(&m, 0, &n));
    assert_name(n, "imp");
    assert_true(vm_module_func_name(&m, 1, &n));
    assert_name(n, "f");
    assert_false(vm_module_func_name(&m, 2, &n));
    vm_module_free(&m);
}

static void test_names_bad_section_is_ignored(void **state)
{
    (void)state;
#define SIZED(literal) literal, sizeof(literal) - 1
    static const struct {
        const char *content;
        usize size;
    } bad[] = {
        {SIZED("\4name\1\x7f")},                /* subsection longer than the section */
        {SIZED("\4name\1\5\2\0\3im")},          /* cut name */
        {SIZED("\4name\1\4\1\0\1\xff")},        /* not UTF-8 */
        {SIZED("\4name\1\5\1\x80\x80\x80\x80")}, /* cut index */
        {SIZED("\4name\0\2\5m")},
        {SIZED("\4name\1")},
    };
    for (usize i = 0; i < VM_COUNT(bad); i++) {
        struct builder b = {0};
        put(&b, HEADER, 8);
        section(&b, 0, bad[i].content, bad[i].size);
        struct vm_module m = decode_ok(b.bytes, b.size);
        struct vm_name n;
        assert_false(vm_module_func_name(&m, 0, &n));
        assert_int_equal(m.module_name.size, 0);
        vm_module_free(&m);
    }
}

static void test_minimal_modules_decode(void **state)
{
    (void)state;
#define MODULE(literal) HEADER literal, sizeof(HEADER literal) - 1
    static const struct {
        const char *bytes;
        usize size;
    } ok[] = {
        // clang-format off
        {MODULE("")},
        {MODULE("\0\1\0")},                           /* custom, empty name */
        {MODULE("\1\1\0" "\2\1\0" "\3\1\0" "\4\1\0" "\5\1\0" "\x0d\1\0" "\6\1\0" "\7\1\0"
                "\x09\1\0" "\x0c\1\0" "\x0a\1\0" "\x0b\1\0")}, /* all empty, in order */
        {MODULE("\1\3\1\x4e\0")},                     /* a group without types */
        {MODULE("\5\x83\x80\x80\x80\0\1\0\0")},       /* overlong size of five bytes */
        {MODULE("\5\4\1\x08\1\0")},                   /* page size 1 */
        {MODULE("\6\x09\1\x7f\0\x02\x40\x0b\x41\0\x0b")}, /* a block: for validation to refuse */
        {MODULE("\x0b\3\1\1\0")},                     /* data without a data count */
        // clang-format on
    };
    for (usize i = 0; i < VM_COUNT(ok); i++) {
        struct vm_module m = decode_ok((const u8 *)ok[i].bytes, ok[i].size);
        assert_int_equal(m.start, VM_NO_INDEX);
        vm_module_free(&m);
    }
}

static void test_page_size_is_kept(void **state)
{
    (void)state;
    struct vm_module m = decode_ok((const u8 *)HEADER "\5\5\1\x09\1\2\0", 8 + 7);
    assert_int_equal(m.memories[0].page_log2, 0);
    assert_int_equal(m.memories[0].max, 2);
    vm_module_free(&m);
}

/* -------- errors */

struct bad_case {
    const char *what, *bytes;
    usize size;
    vm_error_id id;
    u64 offset;
};

#define BAD(what, literal, id, offset) {what, MODULE(literal), VM_ERR_##id, offset}

// clang-format off
static const struct bad_case bad_cases[] = {
    BAD("unknown section", "\x0e\1\0", SECTION_ID, 8),
    BAD("section without a size", "\0", END_OF_SECTION, 9),
    BAD("section past the end", "\1\3\0", LENGTH, 9),
    BAD("size of six bytes", "\1\x80\x80\x80\x80\x80\0", INT_LONG, 9),
    BAD("size over 32 bits", "\1\x80\x80\x80\x80\x10", INT_LARGE, 9),
    BAD("section twice", "\1\1\0\1\1\0", SECTION_ORDER, 11),
    BAD("section too late", "\3\1\0\1\1\0", SECTION_ORDER, 11),
    BAD("tag after global", "\6\1\0\x0d\1\0", SECTION_ORDER, 11),
    BAD("tag before memory", "\x0d\1\0\5\1\0", SECTION_ORDER, 11),
    BAD("data count after code", "\x0a\1\0\x0c\1\0", SECTION_ORDER, 11),
    BAD("bytes left in a section", "\1\2\0\0", SECTION_SIZE, 11),
    BAD("custom section without a name", "\0\0", END_OF_SECTION, 10),
    BAD("custom name too long", "\0\2\5x", LENGTH, 10),
    BAD("custom name not UTF-8", "\0\2\1\xff", UTF8, 11),
    BAD("custom name with a surrogate", "\0\4\3\xed\xa0\x80", UTF8, 11),

    BAD("count past the section", "\1\1\5", LENGTH, 10),
    BAD("count just past the section", "\1\1\1", END_OF_SECTION, 11),
    BAD("definition type", "\1\2\1\x61", DEFTYPE, 11),
    BAD("definition type as two bytes", "\1\5\1\xe0\x7f\0\0", INT_LONG, 11),
    BAD("value type of a result", "\1\6\1\x60\1\x70\1\x40", VALTYPE, 15),
    BAD("value type of a parameter", "\1\5\1\x60\1\x01\0", VALTYPE, 13),
    BAD("heap type", "\1\6\1\x60\1\x63\x40\0", HEAPTYPE, 14),
    BAD("type index behind the type", "\1\6\1\x60\1\x63\1\0", UNKNOWN_TYPE, 14),
    BAD("type index past the group", "\1\x0a\1\x4e\2\x5e\x63\2\0\x5e\x7f\0", UNKNOWN_TYPE, 15),
    BAD("field mutability", "\1\4\1\x5e\x78\2", MUTABILITY, 13),
    BAD("storage type", "\1\4\1\x5e\x79\0", VALTYPE, 12),
    BAD("two supertypes", "\1\x9\1\x50\2\0\0\x60\0\0\0", SUB_TYPE, 12),
    BAD("supertype is itself", "\1\7\1\x50\1\0\x60\0\0", UNKNOWN_TYPE, 13),
    BAD("sub within sub", "\1\7\1\x50\0\x50\0\x60\0", DEFTYPE, 13),
    BAD("group within a group", "\1\x6\1\x4e\1\x4e\1\x60", DEFTYPE, 13),

    BAD("import kind", "\2\5\1\0\0\5\0", IMPORT_KIND, 13),
    BAD("import name not UTF-8", "\2\6\1\1\x80\0\0\0", UTF8, 12),
    BAD("import field not UTF-8", "\2\6\1\0\1\x80\0\0", UTF8, 13),
    BAD("imported tag's attribute", "\2\6\1\0\0\4\1\0", TAG_ATTRIBUTE, 14),
    BAD("imported global's mutability", "\2\6\1\0\0\3\x7f\2", MUTABILITY, 15),
    BAD("import without a type", "\2\4\1\0\0\0", END_OF_SECTION, 14),

    BAD("table of numbers", "\4\4\1\x7f\0\0", REFTYPE, 11),
    BAD("shared table", "\4\5\1\x70\3\0\0", LIMITS_FLAGS, 12),
    BAD("table with a page size", "\4\4\1\x70\x08\0", LIMITS_FLAGS, 12),
    BAD("table of an unknown type", "\4\5\1\x63\0\0\0", UNKNOWN_TYPE, 12),
    BAD("initialised table, second byte", "\4\3\1\x40\1", ZERO_BYTE, 12),
    BAD("initialised table without END", "\4\x7\1\x40\0\x70\0\0\x01", END_OF_SECTION, 17),
    BAD("memory flags", "\5\3\1\x10\0", LIMITS_FLAGS, 11),
    BAD("memory minimum too long", "\5\x0d\1\0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", INT_LONG, 12),
    BAD("memory minimum too large", "\5\x0c\1\0\x80\x80\x80\x80\x80\x80\x80\x80\x80\2", INT_LARGE, 12),
    BAD("page size of 2^64", "\5\4\1\x08\0\x40", LIMITS_FLAGS, 13),
    BAD("global mutability", "\6\5\1\x7f\2\x41\0", MUTABILITY, 12),
    BAD("global without END", "\6\5\1\x7f\0\x41\0", END_OF_SECTION, 15),
    BAD("illegal opcode", "\6\5\1\x7f\0\xff\x0b", ILLEGAL_OPCODE, 13),
    BAD("hole among the opcodes", "\6\5\1\x7f\0\x27\x0b", ILLEGAL_OPCODE, 13),
    BAD("illegal prefixed opcode", "\6\7\1\x7f\0\xfb\x1f\x0b\0", ILLEGAL_OPCODE, 13),
    BAD("ELSE without if", "\6\5\1\x7f\0\x05\x0b", END_EXPECTED, 13),
    BAD("memory flags of a load", "\6\7\1\x7f\0\x28\x80\1\0", MEMOP_FLAGS, 14),
    BAD("cut float", "\6\6\1\x7d\0\x43\0\0", END_OF_SECTION, 16),
    BAD("catch clause", "\6\7\1\x7f\0\x1f\x40\1\4", CATCH_KIND, 16),
    BAD("tag attribute", "\x0d\3\1\1\0", TAG_ATTRIBUTE, 11),
    BAD("export kind", "\7\4\1\0\5\0", EXPORT_KIND, 12),
    BAD("start with more behind", "\x08\2\0\0", SECTION_SIZE, 11),

    BAD("element flags", "\x09\2\1\x08", ELEM_KIND, 11),
    BAD("element kind", "\x09\4\1\1\1\0", ELEM_KIND, 12),
    BAD("element type", "\x09\4\1\5\x7f\0", REFTYPE, 12),
    BAD("more items than bytes", "\x09\4\1\1\0\3", LENGTH, 13),
    BAD("code without functions", "\x0a\4\1\2\0\x0b", FUNC_CODE_COUNT, 14),
    BAD("functions without code", "\3\2\1\0", FUNC_CODE_COUNT, 12),
    BAD("body past the section", "\3\2\1\0\x0a\4\1\4\0\x0b", LENGTH, 15),
    BAD("data flags", "\x0b\2\1\3", DATA_KIND, 11),
    BAD("data longer than the section", "\x0b\4\1\1\3\0", LENGTH, 12),
    BAD("data count without data", "\x0c\1\1", DATA_COUNT, 11),
    BAD("data count differs", "\x0c\1\2\x0b\3\1\1\0", DATA_COUNT, 16),
};
// clang-format on

static void test_errors_id_and_offset(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(bad_cases); i++) {
        const struct bad_case *bad = &bad_cases[i];
        struct counter n = {0};
        const struct vm_alloc alloc = {counting_realloc, &n};
        struct vm_module m;
        struct vm_err err;
        vm_err_init(&err);
        vm_status status = vm_module_decode(&m, &alloc, (const u8 *)bad->bytes, bad->size, &err);
        if (err.id != bad->id || err.offset != bad->offset)
            fail_msg("%s: got '%s' at %u", bad->what, err.text, (unsigned)err.offset);
        assert_int_equal(status, vm_error_status(bad->id));
        assert_int_equal(n.live, 0);
    }
}

static void test_header_errors(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        usize size;
        vm_error_id id;
    } bad[] = {
        {"", 0, VM_ERR_END},
        {"\0as", 3, VM_ERR_END},
        {"asm\0", 4, VM_ERR_MAGIC},
        {"\0asm", 4, VM_ERR_END},
        {"\0asm\1\0\0", 7, VM_ERR_END},
        {"\0asm\2\0\0\0", 8, VM_ERR_VERSION},
        {"\0asm\x0d\0\1\0", 8, VM_ERR_VERSION}, /* a component */
    };
    struct vm_module m;
    struct vm_err err;
    for (usize i = 0; i < VM_COUNT(bad); i++) {
        vm_err_init(&err);
        assert_int_equal(
            vm_module_decode(&m, &vm_alloc_libc, (const u8 *)bad[i].bytes, bad[i].size, &err),
            VM_MALFORMED);
        assert_int_equal(err.id, bad[i].id);
    }
    assert_int_equal(vm_module_decode(&m, &vm_alloc_libc, NULL, 0, NULL), VM_MALFORMED);
}

/* -------- cursor */

static void test_cursor_first_error_stays(void **state)
{
    (void)state;
    static const u8 bytes[] = {1, 0x80, 2};
    struct vm_err err;
    vm_err_init(&err);
    struct vm_cursor c = {.start = bytes, .p = bytes, .end = bytes + 2, .err = &err};
    assert_int_equal(vm_cursor_u8(&c), 1);
    assert_int_equal(vm_cursor_u32(&c), 0);
    assert_true(c.failed);
    assert_int_equal(err.id, VM_ERR_END_OF_SECTION);
    assert_int_equal(err.offset, 2);
    assert_int_equal(vm_cursor_u8(&c), 0);
    assert_int_equal(vm_cursor_valtype(&c, 9), VM_BOT);
    assert_null(vm_cursor_bytes(&c, 0));
    assert_int_equal(vm_cursor_fail(&c, VM_ERR_LIMIT, "later"), VM_MALFORMED);
    assert_int_equal(err.id, VM_ERR_END_OF_SECTION);
}

static void test_cursor_types(void **state)
{
    (void)state;
    static const struct {
        u8 bytes[3];
        vm_valtype type; /* VM_BOT: refused */
    } cases[] = {
        {{0x7f}, VM_I32},
        {{0x7b}, VM_V128},
        {{0x70}, VM_FUNCREF},
        {{0x69}, VM_EXNREF},
        {{0x6c}, VM_REFTYPE(true, VM_HEAP_ABSTRACT | VM_HEAP_I31)},
        {{0x64, 0x6e}, VM_REFTYPE(false, VM_HEAP_ABSTRACT | VM_HEAP_ANY)},
        {{0x63, 0x02}, VM_REFTYPE(true, 2)},
        {{0x64, 0x82, 0x00}, VM_REFTYPE(false, 2)},
        {{0x63, 0x03}, VM_BOT},       /* only three types */
        {{0x63, 0x7f}, VM_BOT},       /* i32 is no heap type */
        {{0x63, 0xf0, 0x7f}, VM_BOT}, /* func in two bytes */
        {{0x78}, VM_BOT},             /* packed */
        {{0x40}, VM_BOT},
        {{0x75}, VM_BOT},
        {{0x68}, VM_BOT},
        {{0xff, 0x00}, VM_BOT},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        const u8 *p = cases[i].bytes;
        struct vm_cursor c = {.start = p, .p = p, .end = p + 3};
        assert_int_equal(vm_cursor_valtype(&c, 3), cases[i].type);
        assert_int_equal(c.failed, cases[i].type == VM_BOT);
        c = (struct vm_cursor){.start = p, .p = p, .end = p + 3};
        vm_valtype want = vm_valtype_is_ref(cases[i].type) ? cases[i].type : VM_BOT;
        assert_int_equal(vm_cursor_reftype(&c, 3), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_groups_supertypes_and_slots),
        cmocka_unit_test(test_imports_come_first_in_each_index_space),
        cmocka_unit_test(test_tables_memories_globals),
        cmocka_unit_test(test_exports_start_and_sections),
        cmocka_unit_test(test_elems_all_eight_forms),
        cmocka_unit_test(test_code_and_data),
        cmocka_unit_test(test_names_are_found),
        cmocka_unit_test(test_names_bad_section_is_ignored),
        cmocka_unit_test(test_minimal_modules_decode),
        cmocka_unit_test(test_page_size_is_kept),
        cmocka_unit_test(test_errors_id_and_offset),
        cmocka_unit_test(test_header_errors),
        cmocka_unit_test(test_cursor_first_error_stays),
        cmocka_unit_test(test_cursor_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
