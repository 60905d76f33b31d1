/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What modules may use, from features.def: sets of features, their names, lists of names.
 * Not here: which declaration needs which feature (validate/needs.c).
 */
#ifndef VM_ISA_FEATURE_H
#define VM_ISA_FEATURE_H

#include "base/port.h"
#include "types/valtype.h"

/** When an instruction is allowed, and what a feature switch turns off. */
typedef enum vm_feature {
#define FEATURE(id, name, executable, since, by_default) VM_FEATURE_##id,
#include "isa/features.def"
#undef FEATURE
    VM_FEATURE_COUNT
} vm_feature;

/** Bit per enum vm_feature that may be used; others are refused by name and offset. */
typedef u64 vm_features;
#define VM_FEATURE_BIT(id) ((vm_features)1 << VM_FEATURE_##id)

static inline bool vm_features_have(vm_features set, vm_feature f) { return set >> f & 1; }

/** "simd", static; NULL when there is no such feature. */
const char *vm_feature_name(vm_feature f);
/** The first release of the standard that has it, "1.0", "2.0", "3.0"; "" for none yet. Static. */
const char *vm_feature_since(vm_feature f);

/** All features of features.def. */
vm_features vm_features_all(void);
/** Those that this build executes. */
vm_features vm_features_executable(void);
/** Those of the standard's releases up to `release`: 1, 2 or 3. */
vm_features vm_features_release(u32 release);
/** Those on unless somebody says otherwise. */
vm_features vm_features_default(void);

/** A part of a caller's list. */
struct vm_feature_word {
    const char *text;
    usize size;
};

/**
 * Applies a list like "-simd,+wide-arithmetic" to *set: words between commas, each a feature to
 * add (+ or nothing) or to take away (-), or a set that replaces what was there: mvp, wasm-1.0,
 * wasm-2.0, wasm-3.0, default, all. False: `bad` is the first word that is none, nothing is set.
 */
bool vm_features_parse(const char *list, vm_features *set, struct vm_feature_word *bad);
/** The words vm_features_parse knows, "a, b, c", as snprintf writes them. */
usize vm_features_print_words(char *buf, usize cap);

/** The feature that a value type belongs to: VM_FEATURE_MVP for i32, VM_FEATURE_SIMD for v128. */
vm_feature vm_valtype_feature(vm_valtype t);

#endif
