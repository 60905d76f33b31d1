/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - bin/wasmrun-oci: the options before the command, then the command. */
#include "common/text.h"
#include "oci/oci.h"
#include "wasmrun.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* A standard stream that is closed keeps its number: else a file of ours would get it. */
static void hold_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)!open("/dev/null", O_RDWR);
        }
    }
}

int main(int argc, char **argv)
{
    int code = WRAP_OCI_FAILED;
    hold_closed_streams();
    (void)signal(SIGPIPE, SIG_IGN); /* writes to a child that is gone are told by EPIPE */
    wrap_say_as(WRAP_OCI_PROGRAM, NULL, false);
    int at = wrap_oci_parse_globals(argc, argv, &code);
    if (!at) {
        return code;
    }
    const struct wrap_command *command = wrap_oci_find_command(argv[at]);
    if (!command) {
        wrap_say("no command '%s'; try '" WRAP_OCI_PROGRAM " --help'", argv[at]);
        return WRAP_OCI_FAILED;
    }
    code = command->run(command, argc - at - 1, argv + at + 1);
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (code == 0 && failed) {
        wrap_say("cannot write to standard output");
        code = WRAP_OCI_FAILED;
    }
    return code;
}
