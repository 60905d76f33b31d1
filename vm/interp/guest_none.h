/* SPDX-License-Identifier: Apache-2.0 */
/* Architectures without guard mode: the instruction forms exist, vm_signal_install refuses. */
#ifndef VM_INTERP_GUEST_NONE_H
#define VM_INTERP_GUEST_NONE_H

#error "guest access instructions of this architecture are missing: add interp/guest_<arch>.h"

#endif
