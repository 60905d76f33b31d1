/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h - a guest in a process that another runtime has isolated: root, namespaces, identity,
 * limits and profile are there, our locks and the interpreter are not. Not here: isolating
 * (container.h).
 */
#ifndef WRAPPERS_SANDBOX_INSIDE_H
#define WRAPPERS_SANDBOX_INSIDE_H

#include "common/spec.h"

struct wrap_inside {
    const struct wrap_spec *spec; /**< of the container: its mounts and annotations */
    const struct wrap_process
        *process; /**< what runs; its ids and capabilities are not looked at */
    int module; /**< the entry, open for reading; taken over */
    bool landlock; /**< whether the kernel has Landlock, asked where no profile could deny it */
};

/**
 * Takes from the calling process, which has one thread, everything that a guest does not need: all
 * descriptors but the three streams, capabilities, then as wrap_container_fork's child does
 * Landlock and our seccomp filter; runs the guest and ends with its exit code. Where the runtime's
 * profile forbids our locks the guest runs without those, and a line on standard error says so: the
 * profile was chosen by whom the container belongs to, and it is in force. Ends with 127 when
 * something is not found, 126 for another error, with a line on standard error.
 */
_Noreturn void wrap_inside_run(const struct wrap_inside *inside);

#endif
