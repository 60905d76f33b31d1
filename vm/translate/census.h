/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the choice of chains learns from translations (isa/gen/census.c): where instructions begin,
 * and which longer ones there were no entries for. Nothing in ordinary builds; in profile builds
 * each instruction has an entry in the offset map (and traps in chains may name a neighbour's
 * offset).
 */
#ifndef VM_TRANSLATE_CENSUS_H
#define VM_TRANSLATE_CENSUS_H

#include "translate/lower.h"

#ifndef VM_CENSUS
#define VM_CENSUS 0
#endif

#if VM_CENSUS
/** An instruction begins at l->tail.insn; it may be taken back and begin again. */
void vm_census_begin(const struct vm_lower *l);
/** The last instruction has these pins: l->tail.pins. */
void vm_census_pinned(const struct vm_lower *l);
/** l->tail.op was not extended by `part` in that form, for the table has no such chain. */
void vm_census_missed(const struct vm_lower *l, vm_part part, u32 form);
#else
#if defined(VM_PROFILE) && VM_PROFILE
#define vm_census_begin(l) mark(l)
#else
#define vm_census_begin(l) (void)(l)
#endif
#define vm_census_pinned(l) (void)(l)
#define vm_census_missed(l, part, form) (void)(form)
#endif

#endif
