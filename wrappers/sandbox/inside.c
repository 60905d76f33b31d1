/* SPDX-License-Identifier: Apache-2.0 */
/* inside.c - the last steps of a container's process, where another runtime has done the first. */
#include "sandbox/inside.h"

#include "common/program.h"
#include "common/text.h"
#include "sandbox/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST = 3 };

static _Noreturn void fail(const struct wrap_setup *setup, const struct wrap_error *error)
{
    wrap_say("%s", error->text);
    wrap_guest_last_words(setup, error);
    _exit(error->code == WRAP_NOT_FOUND ? WRAP_EXIT_NOT_FOUND : WRAP_EXIT_INVALID);
}

/* All but the streams and the module, which becomes the first of them. A guest can name none of the
 * others; what the runtime or its caller left open is of no use to it. */
static bool close_others(struct wrap_setup *setup, struct wrap_error *err)
{
    if (setup->module != FIRST) {
        if (dup3(setup->module, FIRST, O_CLOEXEC) < 0) {
            return wrap_fail_errno(err, errno, "descriptors");
        }
        setup->module = FIRST;
    }
    /* Before Linux 5.9, or where a profile denies it, they stay: nothing reaches them. */
    (void)syscall(SYS_close_range, FIRST + 1, ~0U, 0);
    return true;
}

/* A kernel without Landlock is the node's affair, and known there. */
static void tell(const struct wrap_setup *setup, bool landlock)
{
    const struct wrap_sandbox_result *locks = &setup->locks;
    if (!locks->seccomp || (landlock && !locks->landlock)) {
        wrap_say("the container's profile does not allow all of the sandbox: %s", locks->missing);
    }
}

void wrap_inside_run(const struct wrap_inside *inside)
{
    struct wrap_setup setup = {
        .spec = inside->spec,
        .process = inside->process,
        .module = inside->module,
        .termination = -1,
        .inside = true,
    };
    struct wrap_error error = {0};
    struct wrap_program *program = NULL;
    struct wrap_guest_view *view = NULL;
    if (!close_others(&setup, &error)) fail(&setup, &error);
    wrap_guest_open_termination(&setup);
    wrap_signals_reset();
    if (!wrap_identity_reduce(&error) || !wrap_guest_lock(&setup, &view, &error)) {
        fail(&setup, &error);
    }
    tell(&setup, inside->landlock);
    if (!wrap_guest_load(&setup, view, &program, &error)) fail(&setup, &error);
    close(setup.module);
    int code = wrap_program_run(program, &error);
    wrap_guest_last_words(&setup, &error);
    _exit(code);
}
