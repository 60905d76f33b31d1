/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule written by hand: a body it accepts and one it refuses, with the message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "validate_fixture.h"

struct body_case {
    const char *what;
    u32 type;
    const u8 *body;
    usize size;
    vm_error_id want;
};

/* Functions of type 0 but where said; the final END is added. */
#define OK(what, code) {what, 0, LIT(NO_LOCALS code END), VM_ERR_NONE}
#define BAD(what, code, id) {what, 0, LIT(NO_LOCALS code END), VM_ERR_##id}
#define MISMATCH(what, code) BAD(what, code, TYPE_MISMATCH)
#define TYPED(what, type, code, id) {what, type, LIT(NO_LOCALS code END), VM_ERR_##id}
#define LOCALS(what, type, locals, code, id) {what, type, LIT(locals code END), VM_ERR_##id}

static void check_cases(const struct body_case *cases, usize count)
{
    unsigned wrong = 0;
    for (usize i = 0; i < count; i++) {
        const struct body_case *c = &cases[i];
        struct subject s = {.type = c->type, .body = c->body, .body_size = c->size};
        struct vm_err err;
        vm_status got = judge_subject(&s, vm_features_all(), &err);
        bool good = err.id == c->want && got == vm_error_status(c->want);
        if (good && got != VM_OK) good = err.func_idx == TEST_FUNC && err.offset != VM_NO_OFFSET;
        if (good) continue;
        wrong++;
        print_error("%s: wanted \"%s\", got \"%s\" in function %u\n", c->what,
                    vm_error_text(c->want), err.text, err.func_idx);
    }
    assert_int_equal(wrong, 0);
}

// clang-format off
static const struct body_case control[] = {
    OK("nop", "\x01"),
    OK("unreachable gives any type", UNREACHABLE "\x6a" DROP),
    MISMATCH("a value is left", I32),
    MISMATCH("nothing to drop", DROP),
    OK("block without types", BLOCK(EMPTY) END),
    OK("block with a result", BLOCK("\x7f") I32 END DROP),
    MISMATCH("block without its result", BLOCK("\x7f") END DROP),
    MISMATCH("block cannot see below", I32 BLOCK(EMPTY) DROP END DROP),
    OK("block of type 1", I32 BLOCK("\1") END DROP),
    MISMATCH("block of type 1 without parameter", BLOCK("\1") END DROP),
    BAD("block of an unknown type", BLOCK("\x20") END, UNKNOWN_TYPE),
    BAD("block of a struct type", BLOCK("\3") END, UNKNOWN_TYPE),
    OK("loop", LOOP("\x7f") I32 END DROP),
    OK("branch to a loop takes parameters", I32 LOOP("\1") "\x0c\0" END DROP),
    MISMATCH("branch to a loop without them", I32 LOOP("\1") DROP "\x0c\0" END DROP),
    OK("if", I32 IF(EMPTY) END),
    MISMATCH("if without condition", IF(EMPTY) END),
    OK("if else", I32 IF("\x7f") I32 ELSE I32 END DROP),
    MISMATCH("if with a result needs else", I32 IF("\x7f") I32 END DROP),
    OK("if passes its parameters on", I32 I32 IF("\1") END DROP),
    MISMATCH("else leaves nothing", I32 IF("\x7f") I32 ELSE END DROP),
    MISMATCH("then leaves nothing", I32 IF("\x7f") ELSE I32 END DROP),
    OK("else begins reachable", I32 IF(EMPTY) UNREACHABLE ELSE END),
    MISMATCH("else is not polymorphic", I32 IF(EMPTY) UNREACHABLE ELSE DROP END),
    BAD("else in a block", BLOCK(EMPTY) ELSE END, END_EXPECTED),
    BAD("a second else", I32 IF(EMPTY) ELSE ELSE END, END_EXPECTED),
    OK("br", BLOCK("\x7f") I32 "\x0c\0" END DROP),
    MISMATCH("br without value", BLOCK("\x7f") "\x0c\0" END DROP),
    BAD("br too far", "\x0c\1", UNKNOWN_LABEL),
    OK("br to the function", "\x0c\0"),
    OK("br_if keeps values", BLOCK("\x7f") I32 I32 "\x0d\0" END DROP),
    MISMATCH("br_if without condition", BLOCK("\x7f") I32 "\x0d\0" END DROP),
    BAD("br_if too far", I32 "\x0d\1", UNKNOWN_LABEL),
    OK("br_table", BLOCK(EMPTY) I32 "\x0e\2\0\1\0" END),
    MISMATCH("br_table without index", BLOCK(EMPTY) "\x0e\0\0" END),
    MISMATCH("br_table with other arity", BLOCK("\x7f") I32 I32 "\x0e\1\0\1" END DROP),
    MISMATCH("br_table with other types", BLOCK("\x7e") BLOCK("\x7f") I32 I32 "\x0e\1\0\1" END
             DROP I64 END DROP),
    BAD("br_table too far", I32 "\x0e\1\0\7\0", UNKNOWN_LABEL),
    BAD("br_table beyond the body", I32 "\x0e\x7f\0\0", END_OF_SECTION),
    OK("return", I32 "\x0f"),
    TYPED("return with a value", 1, I32 "\x0f", NONE),
    TYPED("return without it", 1, "\x0f", TYPE_MISMATCH),
    OK("call", I32 "\x10\2" DROP),
    MISMATCH("call without argument", "\x10\2" DROP),
    BAD("call of nothing", "\x10\7", UNKNOWN_FUNC),
    OK("call_indirect", I32 I32 "\x11\1\0" DROP),
    OK("call_indirect of a 64-bit table", I32 I64 "\x11\1\2" DROP),
    MISMATCH("call_indirect with i64", I32 I64 "\x11\1\0" DROP),
    MISMATCH("call_indirect of externref", I32 I32 "\x11\1\1" DROP),
    BAD("call_indirect of no table", I32 I32 "\x11\1\7" DROP, UNKNOWN_TABLE),
    BAD("call_indirect of no type", I32 I32 "\x11\x20\0" DROP, UNKNOWN_TYPE),
    BAD("call_indirect of a struct", I32 I32 "\x11\3\0" DROP, UNKNOWN_TYPE),
    OK("call_ref", I32 REF_NULL("\1") "\x14\1" DROP),
    MISMATCH("call_ref of another type", I32 REF_NULL("\0") "\x14\1" DROP),
    BAD("call_ref of a struct type", REF_NULL("\3") "\x14\3", UNKNOWN_TYPE),
    OK("return_call", "\x12\0"),
    MISMATCH("return_call with other results", I32 "\x12\2"),
    TYPED("return_call of the same type", 1, I32 "\x12\2", NONE),
    OK("return_call_indirect", I32 "\x13\0\0"),
    MISMATCH("return_call_indirect with other results", I32 I32 "\x13\1\0"),
    OK("return_call_ref", REF_NULL("\0") "\x15\0"),
    MISMATCH("return_call_ref with other results", I32 REF_NULL("\1") "\x15\1"),
};

static const struct body_case parametric[] = {
    OK("drop", I32 DROP),
    OK("select", F64 F64 I32 "\x1b" DROP),
    OK("select of vectors", V128 V128 I32 "\x1b" DROP),
    MISMATCH("select of two types", F64 F32 I32 "\x1b" DROP),
    BAD("select of references", NULL_FUNC NULL_FUNC I32 "\x1b" DROP, NO_DROP_VALUE),
    OK("select of one unknown", UNREACHABLE F32 I32 "\x1b" "\x8c" DROP),
    MISMATCH("select keeps what is known", UNREACHABLE F32 I32 "\x1b" "\x9a" DROP),
    OK("select with type", NULL_FUNC NULL_FUNC I32 "\x1c\1\x70" DROP),
    MISMATCH("select with another type", NULL_FUNC NULL_FUNC I32 "\x1c\1\x6f" DROP),
    BAD("select with no type", I32 I32 I32 "\x1c\0" DROP, RESULT_ARITY),
    BAD("select with two types", I32 I32 I32 "\x1c\2\x7f\x7f" DROP, RESULT_ARITY),
    LOCALS("local.get", 1, "\1\1\x7e", "\x20\1" DROP "\x20\0", NONE),
    LOCALS("local.get of nothing", 1, "\1\1\x7e", "\x20\2" DROP "\x20\0", UNKNOWN_LOCAL),
    LOCALS("local.set", 0, "\1\1\x7e", I64 "\x21\0", NONE),
    LOCALS("local.set of another type", 0, "\1\1\x7e", I32 "\x21\0", TYPE_MISMATCH),
    LOCALS("local.tee", 0, "\1\1\x7e", I64 "\x22\0" DROP, NONE),
    LOCALS("local.tee of another type", 0, "\1\1\x7e", I32 "\x22\0" DROP, TYPE_MISMATCH),
    LOCALS("local behind the expanded ones", 0, "\3\xe4\0\x7f\xe4\0\x7e\xe4\0\x7d",
           "\x20\xab\2" "\x8c" DROP "\x20\x64" "\x7b" DROP, NONE),
    LOCALS("the last local", 0, "\2\x64\x7f\x64\x7d", "\x20\xc7\1" "\x8c" DROP, NONE),
    LOCALS("behind the last", 0, "\2\x64\x7f\x64\x7d", "\x20\xc8\1" DROP, UNKNOWN_LOCAL),
    LOCALS("unset reference", 0, "\1\1\x64\0", "\x20\0" DROP, UNINIT_LOCAL),
    LOCALS("set reference", 0, "\1\1\x64\0", "\xd2\1\x21\0\x20\0" DROP, NONE),
    LOCALS("tee sets too", 0, "\1\1\x64\0", "\xd2\1\x22\0" DROP "\x20\0" DROP, NONE),
    LOCALS("unset again behind the block", 0, "\1\1\x64\0",
           BLOCK(EMPTY) "\xd2\1\x21\0\x20\0" DROP END "\x20\0" DROP, UNINIT_LOCAL),
    LOCALS("unset again in else", 0, "\1\1\x64\0",
           I32 IF(EMPTY) "\xd2\1\x21\0" ELSE "\x20\0" DROP END, UNINIT_LOCAL),
    LOCALS("set outside stays", 0, "\1\1\x64\0",
           "\xd2\1\x21\0" BLOCK(EMPTY) "\xd2\1\x21\0" END "\x20\0" DROP, NONE),
    LOCALS("parameters are set", 10, "\1\1\x64\0", "\x20\0", NONE),
    OK("global.get", "\x23\1" DROP),
    BAD("global.get of nothing", "\x23\7" DROP, UNKNOWN_GLOBAL),
    OK("global.set", I32 "\x24\1"),
    MISMATCH("global.set of another type", I64 "\x24\1"),
    BAD("global.set of a constant", I64 "\x24\2", IMMUTABLE_GLOBAL),
    BAD("global.set of nothing", I32 "\x24\7", UNKNOWN_GLOBAL),
};

static const struct body_case memories[] = {
    OK("i32.load", I32 "\x28\2\0" DROP),
    OK("i32.load less aligned", I32 "\x28\0\0" DROP),
    BAD("i32.load more aligned", I32 "\x28\3\0" DROP, ALIGNMENT),
    OK("load from memory 1", I64 "\x28\x42\1\0" DROP),
    MISMATCH("load from memory 1 by i32", I32 "\x28\x42\1\0" DROP),
    BAD("load from memory 2", I32 "\x28\x42\2\0" DROP, UNKNOWN_MEMORY),
    BAD("flags of a load", I32 "\x28\x80\1\0" DROP, MEMOP_FLAGS),
    OK("largest offset", I32 "\x28\2\xff\xff\xff\xff\x0f" DROP),
    BAD("offset of 2^32", I32 "\x28\2\x80\x80\x80\x80\x10" DROP, OFFSET_RANGE),
    OK("offset of 2^32 in memory 1", I64 "\x28\x42\1\x80\x80\x80\x80\x10" DROP),
    BAD("offset of eleven bytes", I32 "\x28\2\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0" DROP,
        INT_LONG),
    OK("f64.store", I32 F64 "\x39\3\0"),
    MISMATCH("f64.store of f32", I32 F32 "\x39\3\0"),
    OK("memory.size", "\x3f\0" "\x45" DROP),
    OK("memory.size of memory 1", "\x3f\1" "\x50" DROP),
    BAD("memory.size of no memory", "\x3f\2" DROP, UNKNOWN_MEMORY),
    OK("memory.grow", I64 "\x40\1" "\x50" DROP),
    MISMATCH("memory.grow by i32", I32 "\x40\1" DROP),
    OK("memory.init", I64 I32 I32 "\xfc\x08\0\1"),
    MISMATCH("memory.init by i64", I64 I64 I32 "\xfc\x08\0\1"),
    BAD("memory.init of no data", I32 I32 I32 "\xfc\x08\1\0", UNKNOWN_DATA),
    BAD("memory.init of no memory", I32 I32 I32 "\xfc\x08\0\2", UNKNOWN_MEMORY),
    OK("data.drop", "\xfc\x09\0"),
    BAD("data.drop of nothing", "\xfc\x09\1", UNKNOWN_DATA),
    OK("memory.copy within", I64 I64 I64 "\xfc\x0a\1\1"),
    OK("memory.copy across counts in i32", I64 I32 I32 "\xfc\x0a\1\0"),
    MISMATCH("memory.copy across in i64", I64 I32 I64 "\xfc\x0a\1\0"),
    BAD("memory.copy of no memory", I32 I32 I32 "\xfc\x0a\0\2", UNKNOWN_MEMORY),
    OK("memory.fill", I64 I32 I64 "\xfc\x0b\1"),
    MISMATCH("memory.fill with i64", I32 I64 I32 "\xfc\x0b\0"),
    OK("atomic load", I32 "\xfe\x10\2\0" DROP),
    BAD("atomic load less aligned", I32 "\xfe\x10\1\0" DROP, ATOMIC_ALIGNMENT),
    BAD("atomic load from no memory", I32 "\xfe\x10\x42\2\0" DROP, UNKNOWN_MEMORY),
    OK("atomic.fence", "\xfe\x03\0"),
    BAD("atomic.fence with a byte", "\xfe\x03\1", ZERO_BYTE),
    OK("add128", I64 I64 I64 I64 "\xfc\x13" DROP2),
    MISMATCH("add128 of three", I64 I64 I64 "\xfc\x13" DROP2),
};

static const struct body_case tables[] = {
    OK("table.get", I32 "\x25\0" DROP),
    OK("table.get of table 2", I64 "\x25\2" DROP),
    MISMATCH("table.get by i64", I64 "\x25\0" DROP),
    BAD("table.get of no table", I32 "\x25\7" DROP, UNKNOWN_TABLE),
    OK("table.set", I32 NULL_FUNC "\x26\0"),
    MISMATCH("table.set of externref", I32 NULL_EXTERN "\x26\0"),
    OK("table.size", "\xfc\x10\2" "\x50" DROP),
    BAD("table.size of no table", "\xfc\x10\7" DROP, UNKNOWN_TABLE),
    OK("table.grow", NULL_FUNC I64 "\xfc\x0f\2" "\x50" DROP),
    MISMATCH("table.grow of externref", NULL_EXTERN I32 "\xfc\x0f\0" DROP),
    OK("table.fill", I64 NULL_FUNC I64 "\xfc\x11\2"),
    MISMATCH("table.fill by i32", I32 NULL_FUNC I64 "\xfc\x11\2"),
    OK("table.copy across counts in i32", I64 I32 I32 "\xfc\x0e\2\0"),
    MISMATCH("table.copy across in i64", I64 I32 I64 "\xfc\x0e\2\0"),
    MISMATCH("table.copy of other elements", I32 I32 I32 "\xfc\x0e\0\1"),
    BAD("table.copy of no table", I32 I32 I32 "\xfc\x0e\0\7", UNKNOWN_TABLE),
    OK("table.init", I64 I32 I32 "\xfc\x0c\0\2"),
    MISMATCH("table.init of other elements", I32 I32 I32 "\xfc\x0c\1\0"),
    BAD("table.init of no elements", I32 I32 I32 "\xfc\x0c\7\0", UNKNOWN_ELEM),
    OK("elem.drop", "\xfc\x0d\1"),
    BAD("elem.drop of nothing", "\xfc\x0d\7", UNKNOWN_ELEM),
};

static const struct body_case references[] = {
    OK("ref.null", NULL_FUNC DROP),
    BAD("ref.null of an unknown type", REF_NULL("\x20") DROP, UNKNOWN_TYPE),
    OK("ref.is_null", NULL_FUNC "\xd1" DROP),
    MISMATCH("ref.is_null of a number", I32 "\xd1" DROP),
    OK("ref.func", "\xd2\1" DROP),
    BAD("ref.func of nothing", "\xd2\7" DROP, UNKNOWN_FUNC),
    BAD("ref.func that is not declared", "\xd2\2" DROP, UNDECLARED_REF),
    OK("ref.eq", REF_NULL(I31) REF_NULL("\3") "\xd3" DROP),
    MISMATCH("ref.eq of functions", NULL_FUNC NULL_FUNC "\xd3" DROP),
    OK("ref.as_non_null", REF_NULL("\0") "\xd4" "\x14\0"),
    MISMATCH("ref.as_non_null of a number", I32 "\xd4" DROP),
    MISMATCH("ref.as_non_null of unknown is a reference", UNREACHABLE "\xd4" "\x45" DROP),
    OK("ref.as_non_null of unknown is any reference", UNREACHABLE "\xd4" "\x14\0"),
    OK("br_on_null", NULL_FUNC "\xd5\0" DROP),
    MISMATCH("br_on_null of a number", I32 "\xd5\0" DROP),
    BAD("br_on_null too far", NULL_FUNC "\xd5\7" DROP, UNKNOWN_LABEL),
    OK("br_on_non_null", BLOCK("\x64\x70") NULL_FUNC "\xd6\0" UNREACHABLE END DROP),
    MISMATCH("br_on_non_null to a label without reference",
             BLOCK("\x7f") NULL_FUNC "\xd6\0" I32 END DROP),
    MISMATCH("br_on_non_null to another reference",
             BLOCK("\x64\x6f") NULL_FUNC "\xd6\0" UNREACHABLE END DROP),
    OK("ref.test", REF_NULL(ANY) "\xfb\x14\3" DROP),
    MISMATCH("ref.test in another hierarchy", NULL_FUNC "\xfb\x14\3" DROP),
    OK("ref.test of functions", NULL_FUNC "\xfb\x15\0" DROP),
    OK("ref.cast", REF_NULL(ANY) "\xfb\x16\3" "\xfb\2\3\0" DROP),
    MISMATCH("ref.cast in another hierarchy", NULL_EXTERN "\xfb\x16\3" DROP),
    OK("ref.cast of exceptions", REF_NULL(EXN) "\xfb\x17\x74" DROP),
    OK("br_on_cast", BLOCK("\x64\3") REF_NULL(ANY) "\xfb\x18\1\0\x6e\3" DROP UNREACHABLE END DROP),
    MISMATCH("br_on_cast upwards",
             BLOCK("\x64\3") REF_NULL("\3") "\xfb\x18\1\0\3\x6e" DROP UNREACHABLE END DROP),
    MISMATCH("br_on_cast to a label of another type",
             BLOCK("\x64\4") REF_NULL(ANY) "\xfb\x18\1\0\x6e\3" DROP UNREACHABLE END DROP),
    BAD("br_on_cast with flags", REF_NULL(ANY) "\xfb\x18\4\0\x6e\3" DROP, CAST_FLAGS),
    OK("br_on_cast_fail", BLOCK("\x63\x6e") REF_NULL(ANY) "\xfb\x19\1\0\x6e\3"
                          DROP UNREACHABLE END DROP),
    MISMATCH("br_on_cast_fail to a label without null",
             BLOCK("\x64\x6e") REF_NULL(ANY) "\xfb\x19\1\0\x6e\3" DROP UNREACHABLE END DROP),
    OK("br_on_cast_fail with null taken",
       BLOCK("\x64\x6e") REF_NULL(ANY) "\xfb\x19\3\0\x6e\3" DROP UNREACHABLE END DROP),
    OK("any.convert_extern", NULL_EXTERN "\xfb\x1a" "\xfb\x15\x6e" DROP),
    MISMATCH("any.convert_extern of any", REF_NULL(ANY) "\xfb\x1a" DROP),
    OK("extern.convert_any", REF_NULL("\3") "\xfb\x1b" "\xfb\x15\x6f" DROP),
    MISMATCH("extern.convert_any of extern", NULL_EXTERN "\xfb\x1b" DROP),
    OK("ref.i31", I32 "\xfb\x1c" "\xfb\x1d" DROP),
    MISMATCH("ref.i31 of i64", I64 "\xfb\x1c" DROP),
    MISMATCH("i31.get_u of any", REF_NULL(ANY) "\xfb\x1e" DROP),
};

static const struct body_case aggregates[] = {
    OK("struct.new", I32 I32 REF_NULL("\0") "\xfb\0\3" DROP),
    MISMATCH("struct.new of i64", I64 I32 REF_NULL("\0") "\xfb\0\3" DROP),
    OK("struct.new of one unknown", UNREACHABLE REF_NULL("\0") "\xfb\0\3" DROP),
    BAD("struct.new of an array", I32 "\xfb\0\4" DROP, UNKNOWN_TYPE),
    OK("struct.new_default", "\xfb\1\3" DROP),
    MISMATCH("struct.new_default without defaults", "\xfb\1\7" DROP),
    OK("struct.get", REF_NULL("\3") "\xfb\2\3\0" "\x45" DROP),
    MISMATCH("struct.get of a packed field", REF_NULL("\3") "\xfb\2\3\1" DROP),
    OK("struct.get_s", REF_NULL("\3") "\xfb\3\3\1" "\x45" DROP),
    MISMATCH("struct.get_u of a wide field", REF_NULL("\3") "\xfb\4\3\0" DROP),
    BAD("struct.get of no field", REF_NULL("\3") "\xfb\2\3\3" DROP, UNKNOWN_FIELD),
    MISMATCH("struct.get of any", REF_NULL(ANY) "\xfb\2\3\0" DROP),
    OK("struct.set", REF_NULL("\3") I32 "\xfb\5\3\0"),
    BAD("struct.set of a constant", REF_NULL("\3") I32 "\xfb\5\3\1", IMMUTABLE_FIELD),
    MISMATCH("struct.set of i64", REF_NULL("\3") I64 "\xfb\5\3\0"),
    OK("array.new", I32 I32 "\xfb\6\4" DROP),
    MISMATCH("array.new of i64", I64 I32 "\xfb\6\4" DROP),
    BAD("array.new of a struct", I32 I32 "\xfb\6\3" DROP, UNKNOWN_TYPE),
    OK("array.new_default", I32 "\xfb\7\5" DROP),
    MISMATCH("array.new_default without default", I32 "\xfb\7\x9" DROP),
    OK("array.new_fixed", I32 I32 "\xfb\x08\4\2" DROP),
    MISMATCH("array.new_fixed of too few", I32 "\xfb\x08\4\2" DROP),
    OK("array.new_fixed of many unknown", UNREACHABLE "\xfb\x08\4\xff\xff\xff\xff\x0f" DROP),
    OK("array.new_data", I32 I32 "\xfb\x09\4\0" DROP),
    OK("array.new_data of f64", I32 I32 "\xfb\x09\x0b\0" DROP),
    BAD("array.new_data of references", I32 I32 "\xfb\x09\5\0" DROP, ARRAY_NOT_NUMERIC),
    BAD("array.new_data of no data", I32 I32 "\xfb\x09\4\1" DROP, UNKNOWN_DATA),
    OK("array.new_elem", I32 I32 "\xfb\x0a\5\0" DROP),
    MISMATCH("array.new_elem of others", I32 I32 "\xfb\x0a\5\1" DROP),
    BAD("array.new_elem of no elements", I32 I32 "\xfb\x0a\5\7" DROP, UNKNOWN_ELEM),
    OK("array.get", REF_NULL("\6") I32 "\xfb\x0b\6" "\x45" DROP),
    MISMATCH("array.get of packed", REF_NULL("\4") I32 "\xfb\x0b\4" DROP),
    OK("array.get_s", REF_NULL("\4") I32 "\xfb\x0c\4" DROP),
    MISMATCH("array.get_u of wide", REF_NULL("\6") I32 "\xfb\x0d\6" DROP),
    OK("array.set", REF_NULL("\4") I32 I32 "\xfb\x0e\4"),
    BAD("array.set of a constant", REF_NULL("\6") I32 I32 "\xfb\x0e\6", IMMUTABLE_ARRAY),
    MISMATCH("array.set of i64", REF_NULL("\4") I32 I64 "\xfb\x0e\4"),
    OK("array.len", REF_NULL("\6") "\xfb\x0f" DROP),
    MISMATCH("array.len of a struct", REF_NULL("\3") "\xfb\x0f" DROP),
    OK("array.fill", REF_NULL("\4") I32 I32 I32 "\xfb\x10\4"),
    BAD("array.fill of a constant", REF_NULL("\6") I32 I32 I32 "\xfb\x10\6", IMMUTABLE_ARRAY),
    OK("array.copy", REF_NULL("\4") I32 REF_NULL("\4") I32 I32 "\xfb\x11\4\4"),
    BAD("array.copy of others", REF_NULL("\4") I32 REF_NULL("\6") I32 I32 "\xfb\x11\4\6",
        ARRAY_MISMATCH),
    BAD("array.copy to a constant", REF_NULL("\6") I32 REF_NULL("\6") I32 I32 "\xfb\x11\6\6",
        IMMUTABLE_ARRAY),
    OK("array.copy of subtypes", REF_NULL("\5") I32 REF_NULL("\x9") I32 I32 "\xfb\x11\5\x9"),
    OK("array.init_data", REF_NULL("\4") I32 I32 I32 "\xfb\x12\4\0"),
    BAD("array.init_data of references", REF_NULL("\5") I32 I32 I32 "\xfb\x12\5\0",
        ARRAY_NOT_NUMERIC),
    OK("array.init_elem", REF_NULL("\5") I32 I32 I32 "\xfb\x13\5\0"),
    MISMATCH("array.init_elem of others", REF_NULL("\5") I32 I32 I32 "\xfb\x13\5\1"),
};

static const struct body_case exceptions[] = {
    OK("throw", I32 I64 "\x08\0"),
    MISMATCH("throw without values", I32 "\x08\0"),
    BAD("throw of no tag", "\x08\2", UNKNOWN_TAG),
    OK("throw_ref", REF_NULL(EXN) "\x0a"),
    MISMATCH("throw_ref of a function", NULL_FUNC "\x0a"),
    OK("try_table", "\x1f\x40\0" END),
    OK("catch", BLOCK("\x40") "\x1f\x40\1\0\1\0" END END),
    OK("catch_ref", BLOCK("\x64\x69") "\x1f\x40\1\1\1\0" END UNREACHABLE END DROP),
    OK("catch_all", "\x1f\x40\1\2\0" END),
    OK("catch_all_ref", BLOCK("\x69") "\x1f\x40\1\3\0" END UNREACHABLE END DROP),
    MISMATCH("catch to a label without its values", "\x1f\x40\1\0\0\0" END),
    MISMATCH("catch_all_ref to a label without reference", "\x1f\x40\1\3\0" END),
    BAD("catch of no tag", "\x1f\x40\1\0\2\0" END, UNKNOWN_TAG),
    BAD("catch to no label", "\x1f\x40\1\2\1" END, UNKNOWN_LABEL),
    BAD("catch of another kind", "\x1f\x40\1\4\0" END, CATCH_KIND),
    OK("try", "\x06\x40" END),
    OK("legacy catch", "\x06\x40" "\x07\0" DROP2 END),
    MISMATCH("legacy catch leaves values", "\x06\x40" "\x07\0" END),
    BAD("legacy catch without try", BLOCK(EMPTY) "\x07\0" DROP2 END, END_EXPECTED),
    BAD("legacy catch behind catch_all", "\x06\x40" "\x19" "\x07\1" END, END_EXPECTED),
    OK("catch_all of try", "\x06\x40" "\x07\1" "\x19" END),
    OK("delegate", "\x06\x40" "\x18\0"),
    BAD("delegate to no label", "\x06\x40" "\x18\1", UNKNOWN_LABEL),
    BAD("delegate without try", "\x18\0", END_EXPECTED),
    OK("rethrow", "\x06\x40" "\x19" "\x09\0" END),
    BAD("rethrow outside of a catch", "\x06\x40" "\x09\0" END, RETHROW_LABEL),
    BAD("rethrow to no label", "\x09\7", UNKNOWN_LABEL),
};

static const struct body_case vectors[] = {
    OK("extract_lane", V128 "\xfd\x15\x0f" DROP),
    BAD("extract_lane 16 of 16", V128 "\xfd\x15\x10" DROP, LANE_INDEX),
    OK("replace_lane", V128 F64 "\xfd\x22\1" DROP),
    BAD("replace_lane 2 of 2", V128 F64 "\xfd\x22\2" DROP, LANE_INDEX),
    BAD("extract_lane 4 of 4", V128 "\xfd\x1f\4" DROP, LANE_INDEX),
    BAD("extract_lane 8 of 8", V128 "\xfd\x18\x08" DROP, LANE_INDEX),
    OK("load_lane", I32 V128 "\xfd\x55\1\0\7" DROP),
    BAD("load_lane 8 of 8", I32 V128 "\xfd\x55\1\0\x08" DROP, LANE_INDEX),
    BAD("load_lane more aligned", I32 V128 "\xfd\x55\2\0\7" DROP, ALIGNMENT),
    OK("shuffle", V128 V128 "\xfd\x0d\x1f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" DROP),
    BAD("shuffle of lane 32", V128 V128 "\xfd\x0d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x20" DROP, LANE_INDEX),
    MISMATCH("add of a number", V128 I32 "\xfd\x6e" DROP),
};

static const struct body_case malformed[] = {
    BAD("opcode ff", "\xff", ILLEGAL_OPCODE),
    BAD("opcode fc ff", "\xfc\xff\1", ILLEGAL_OPCODE),
    {"half an opcode at the end", 0, LIT(NO_LOCALS "\xfc\xff"), VM_ERR_END_OF_SECTION},
    BAD("i32.const of six bytes", "\x41\x80\x80\x80\x80\x80\0" DROP, INT_LONG),
    BAD("i32.const with unused bits", "\x41\x80\x80\x80\x80\x70" DROP, INT_LARGE),
    BAD("f64.const cut off", "\x44\0\0\0", END_OF_SECTION),
    BAD("bytes behind the end", END "\x01", SECTION_SIZE),
    {"no end before another section", 0, LIT(NO_LOCALS "\x01"), VM_ERR_SECTION_SIZE},
    {"no locals", 0, LIT("\x80"), VM_ERR_END_OF_SECTION},
    {"more local groups than bytes", 0, LIT("\x20\1\x7f" END), VM_ERR_END_OF_SECTION},
    {"2^32 locals", 0, LIT("\2\xff\xff\xff\xff\x0f\x7f\1\x7e" END), VM_ERR_TOO_MANY_LOCALS},
    {"2^32 - 1 locals", 0, LIT("\1\xff\xff\xff\xff\x0f\x7f" END), VM_ERR_LIMIT},
    {"a local of no type", 0, LIT("\1\1\x01" END), VM_ERR_VALTYPE},
    {"50,000 locals", 0, LIT("\1\xd0\x86\3\x7f" END), VM_ERR_NONE},
    {"50,001 locals", 0, LIT("\1\xd1\x86\3\x7f" END), VM_ERR_LIMIT},
    {"49,999 locals and a parameter", 1, LIT("\1\xcf\x86\3\x7f" "\x20\xcf\x86\3" END), VM_ERR_NONE},
    {"50,000 locals and a parameter", 1, LIT("\1\xd0\x86\3\x7f" "\x20\0" END), VM_ERR_LIMIT},
};

struct const_case {
    const char *what;
    const u8 *global;
    usize size;
    vm_error_id want;
};
#define CONST_OK(what, type, code) {what, LIT(type "\0" code END), VM_ERR_NONE}
#define CONST_BAD(what, type, code, id) {what, LIT(type "\0" code END), VM_ERR_##id}

static const struct const_case constants[] = {
    CONST_OK("i32.const", "\x7f", I32),
    CONST_OK("v128.const", "\x7b", V128),
    CONST_BAD("of another type", "\x7f", I64, TYPE_MISMATCH),
    CONST_BAD("no value", "\x7f", "", TYPE_MISMATCH),
    CONST_BAD("two values", "\x7f", I32 I32, TYPE_MISMATCH),
    CONST_OK("extended", "\x7f", I32 I32 "\x6a" I32 "\x6c"),
    CONST_BAD("not extended", "\x7f", I32 I32 "\x6d", CONST_EXPR),
    CONST_BAD("nop", "\x7f", "\x01" I32, CONST_EXPR),
    CONST_BAD("a block", "\x7f", BLOCK("\x7f") I32 END, CONST_EXPR),
    CONST_OK("global.get imported", "\x7f", "\x23\0"),
    CONST_OK("global.get of the one before", "\x7e", "\x23\2"),
    CONST_BAD("global.get mutable", "\x7f", "\x23\1", CONST_EXPR),
    CONST_BAD("global.get of itself", "\x7f", "\x23\3", UNKNOWN_GLOBAL),
    CONST_OK("ref.func needs no declaration", "\x70", "\xd2\2"),
    CONST_BAD("ref.func of nothing", "\x70", "\xd2\7", UNKNOWN_FUNC),
    CONST_OK("struct.new", "\x63\3", I32 I32 REF_NULL("\0") "\xfb\0\3"),
    CONST_OK("struct.new_default", "\x64\3", "\xfb\1\3"),
    CONST_OK("array.new_fixed", "\x64\6", I32 I32 "\xfb\x08\6\2"),
    CONST_BAD("array.new_data", "\x63\4", I32 I32 "\xfb\x09\4\0", CONST_EXPR),
    CONST_OK("ref.i31", "\x63\x6c", I32 "\xfb\x1c"),
};
// clang-format on

#define CHECK(name, table)                                                                         \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        check_cases(table, VM_COUNT(table));                                                       \
    }
CHECK(test_control_rules, control)
CHECK(test_parametric_and_variable_rules, parametric)
CHECK(test_memory_rules, memories)
CHECK(test_table_rules, tables)
CHECK(test_reference_rules, references)
CHECK(test_struct_and_array_rules, aggregates)
CHECK(test_exception_rules, exceptions)
CHECK(test_vector_rules, vectors)
CHECK(test_malformed_bodies, malformed)

static void test_constant_expressions(void **state)
{
    (void)state;
    for (usize i = 0; i < VM_COUNT(constants); i++) {
        const struct const_case *c = &constants[i];
        struct subject s = {.global = c->global, .global_size = c->size};
        struct vm_err err;
        judge_subject(&s, vm_features_all(), &err);
        if (err.id != c->want) print_error("%s: %s\n", c->what, err.text);
        assert_int_equal(err.id, c->want);
        assert_int_equal(err.func_idx, VM_NO_FUNC);
    }
}

static void test_ref_func_in_a_global_declares_it(void **state)
{
    (void)state;
    struct subject s = {
        .body = (const u8 *)(NO_LOCALS "\xd2\2" DROP END),
        .body_size = 5,
        .global = (const u8 *)("\x70\0\xd2\2" END),
        .global_size = 5,
    };
    struct vm_err err;
    assert_int_equal(judge_subject(&s, vm_features_all(), &err), VM_OK);
}

static void test_data_in_code_without_data_count_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const u8 *body;
        usize size;
    } cases[] = {
        {LIT(NO_LOCALS I32 I32 I32 "\xfc\x08\0\0" END)},
        {LIT(NO_LOCALS "\xfc\x09\0" END)},
        {LIT(NO_LOCALS I32 I32 "\xfb\x09\4\0" DROP END)},
        {LIT(NO_LOCALS REF_NULL("\4") I32 I32 I32 "\xfb\x12\4\0" END)},
    };
    for (usize i = 0; i < VM_COUNT(cases); i++) {
        struct subject s = {
            .body = cases[i].body, .body_size = cases[i].size, .without_data_count = true};
        struct vm_err err;
        assert_int_equal(judge_subject(&s, vm_features_all(), &err), VM_MALFORMED);
        assert_int_equal(err.id, VM_ERR_DATA_COUNT_NEEDED);
    }
}

static void test_messages_tell_instruction_types_and_place(void **state)
{
    (void)state;
    struct subject s = {.body = (const u8 *)(NO_LOCALS I32 F64 "\x6a" DROP END), .body_size = 15};
    struct vm_err err;
    assert_int_equal(judge_subject(&s, vm_features_all(), &err), VM_INVALID);
    assert_string_equal(err.text, "type mismatch: i32.add expects i32 but got f64");
    assert_int_equal(err.func_idx, TEST_FUNC);

    /* The instruction stands 12 bytes into the body, which the small data section follows. */
    struct bytes b = {0};
    build_around(&b, &s);
    assert_int_equal(err.offset, b.size - 6 - s.body_size + 12);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_rules),
        cmocka_unit_test(test_parametric_and_variable_rules),
        cmocka_unit_test(test_memory_rules),
        cmocka_unit_test(test_table_rules),
        cmocka_unit_test(test_reference_rules),
        cmocka_unit_test(test_struct_and_array_rules),
        cmocka_unit_test(test_exception_rules),
        cmocka_unit_test(test_vector_rules),
        cmocka_unit_test(test_malformed_bodies),
        cmocka_unit_test(test_constant_expressions),
        cmocka_unit_test(test_ref_func_in_a_global_declares_it),
        cmocka_unit_test(test_data_in_code_without_data_count_is_malformed),
        cmocka_unit_test(test_messages_tell_instruction_types_and_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
