/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector instructions whose best sequence differs between targets: each of the files below
 * defines all of them. VM_SEM_VEC_GENERIC, for tests, asks for the one in plain C.
 */
#ifndef VM_SEM_VEC_TARGET_H
#define VM_SEM_VEC_TARGET_H

#if defined(VM_SEM_VEC_GENERIC)
#include "sem/vec_generic.h"
#elif defined(__x86_64__) && defined(__AVX2__)
#include "sem/vec_x86_64_v3.h"
#elif defined(__x86_64__)
#include "sem/vec_x86_64_v1.h"
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#include "sem/vec_aarch64.h"
#else
#include "sem/vec_generic.h"
#endif

#endif
