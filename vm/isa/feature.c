/* SPDX-License-Identifier: Apache-2.0 */
/* Features and sets of them, made from features.def. */
#include "isa/feature.h"

#include <stdio.h>
#include <string.h>

enum { NEXT = 9 }; /* behind every release */

struct feature_row {
    u8 since;
    bool executable, by_default;
};

static const struct feature_row feature_rows[] = {
#define FEATURE(id, name, executable, since, by_default)                                           \
    [VM_FEATURE_##id] = {since, executable, by_default},
#include "isa/features.def"
#undef FEATURE
};
_Static_assert(VM_FEATURE_COUNT < 64, "features fit a 64-bit set");

VM_NOINLINE const char *vm_feature_name(vm_feature f)
{
    static const char *const names[VM_FEATURE_COUNT] = {
#define FEATURE(id, name, executable, since, by_default) [VM_FEATURE_##id] = name,
#include "isa/features.def"
#undef FEATURE
    };
    return (u32)f < VM_FEATURE_COUNT ? names[f] : NULL;
}

const char *vm_feature_since(vm_feature f)
{
    static const char *const releases[] = {"", "1.0", "2.0", "3.0"};
    u32 since = (u32)f < VM_FEATURE_COUNT ? feature_rows[f].since : NEXT;
    return since < VM_COUNT(releases) ? releases[since] : "";
}

vm_features vm_features_all(void) { return ((vm_features)1 << VM_FEATURE_COUNT) - 1; }

vm_features vm_features_executable(void)
{
    vm_features set = 0;
    for (u32 i = 0; i < VM_FEATURE_COUNT; i++) set |= (vm_features)feature_rows[i].executable << i;
    return set;
}

vm_features vm_features_release(u32 release)
{
    vm_features set = 0;
    for (u32 i = 0; i < VM_FEATURE_COUNT; i++)
        set |= (vm_features)(feature_rows[i].since <= release) << i;
    return set;
}

vm_features vm_features_default(void)
{
    vm_features set = 0;
    for (u32 i = 0; i < VM_FEATURE_COUNT; i++) set |= (vm_features)feature_rows[i].by_default << i;
    return set;
}

/* ---- lists of names */

static vm_features only_mvp(void) { return VM_FEATURE_BIT(MVP); }
static vm_features release_1(void) { return vm_features_release(1); }
static vm_features release_2(void) { return vm_features_release(2); }
static vm_features release_3(void) { return vm_features_release(3); }

static const struct {
    const char *name;
    vm_features (*set)(void);
} named_sets[] = {
    {"mvp", only_mvp},       {"wasm-1.0", release_1},          {"wasm-2.0", release_2},
    {"wasm-3.0", release_3}, {"default", vm_features_default}, {"all", vm_features_all},
};

static bool is_word(const struct vm_feature_word *w, const char *name)
{
    return strlen(name) == w->size && memcmp(name, w->text, w->size) == 0;
}

/* What all modules have is no switch. */
static bool find_feature(const struct vm_feature_word *w, vm_features *bit)
{
    for (u32 i = VM_FEATURE_MVP + 1; i < VM_FEATURE_COUNT; i++) {
        *bit = (vm_features)1 << i;
        if (is_word(w, vm_feature_name((vm_feature)i))) return true;
    }
    return false;
}

static bool apply_word(struct vm_feature_word w, vm_features *set)
{
    for (u32 i = 0; i < VM_COUNT(named_sets); i++) {
        if (!is_word(&w, named_sets[i].name)) continue;
        *set = named_sets[i].set();
        return true;
    }
    bool off = w.size > 0 && w.text[0] == '-';
    if (w.size > 0 && (off || w.text[0] == '+')) {
        w.text++;
        w.size--;
    }
    vm_features bit;
    if (!find_feature(&w, &bit)) return false;
    *set = off ? *set & ~bit : *set | bit;
    return true;
}

bool vm_features_parse(const char *list, vm_features *set, struct vm_feature_word *bad)
{
    vm_features to = *set;
    for (const char *at = list;; at++) {
        struct vm_feature_word w = {at, strcspn(at, ",")};
        *bad = w;
        if (!apply_word(w, &to)) return false;
        at += w.size;
        if (!*at) break;
    }
    *set = to;
    return true;
}

static usize print_word(char *buf, usize cap, usize at, const char *word)
{
    int n =
        snprintf(at < cap ? buf + at : NULL, at < cap ? cap - at : 0, "%s%s", at ? ", " : "", word);
    return n < 0 ? at : at + (usize)n;
}

usize vm_features_print_words(char *buf, usize cap)
{
    usize at = 0;
    for (u32 i = 0; i < VM_COUNT(named_sets); i++)
        at = print_word(buf, cap, at, named_sets[i].name);
    for (u32 i = VM_FEATURE_MVP + 1; i < VM_FEATURE_COUNT; i++)
        at = print_word(buf, cap, at, vm_feature_name((vm_feature)i));
    return at;
}

/* ---- types */

/* By the byte of an abstract heap type; the rest is MVP, which no heap type is. */
static const u8 heap_features[] = {
    [VM_HEAP_FUNC] = VM_FEATURE_REF_TYPES, [VM_HEAP_EXTERN] = VM_FEATURE_REF_TYPES,
    [VM_HEAP_NOFUNC] = VM_FEATURE_GC,      [VM_HEAP_NOEXTERN] = VM_FEATURE_GC,
    [VM_HEAP_NONE] = VM_FEATURE_GC,        [VM_HEAP_ANY] = VM_FEATURE_GC,
    [VM_HEAP_EQ] = VM_FEATURE_GC,          [VM_HEAP_I31] = VM_FEATURE_GC,
    [VM_HEAP_STRUCT] = VM_FEATURE_GC,      [VM_HEAP_ARRAY] = VM_FEATURE_GC,
    [VM_HEAP_EXN] = VM_FEATURE_EXCEPTIONS, [VM_HEAP_NOEXN] = VM_FEATURE_EXCEPTIONS,
};

vm_feature vm_valtype_feature(vm_valtype t)
{
    if (t == VM_V128) return VM_FEATURE_SIMD;
    if (t == VM_I8 || t == VM_I16) return VM_FEATURE_GC;
    if (!vm_valtype_is_ref(t)) return VM_FEATURE_MVP;
    if (vm_valtype_is_indexed(t)) return VM_FEATURE_FUNC_REFS;
    u8 heap = vm_valtype_heap(t) & 0xff;
    vm_feature f =
        heap < VM_COUNT(heap_features) ? (vm_feature)heap_features[heap] : VM_FEATURE_MVP;
    return f == VM_FEATURE_REF_TYPES && !vm_valtype_is_nullable(t) ? VM_FEATURE_FUNC_REFS : f;
}
