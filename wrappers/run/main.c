/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - bin/wasmrun: finds the command; `run` when the first word is none. */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct wrap_command *find_command(const char *name)
{
    size_t count = 0;
    const struct wrap_command *const *commands = wrap_commands(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static void print_overview(FILE *to)
{
    fputs("usage: wasmrun [run] [OPTIONS] FILE|- [ARGS...]\n"
          "       wasmrun COMMAND [OPTIONS] ...\n\n"
          "Runs WebAssembly programs.\n\nCommands:\n",
          to);
    size_t count = 0;
    const struct wrap_command *const *commands = wrap_commands(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("  help        Prints this text, or the help of a command.\n\n"
          "'wasmrun COMMAND --help' lists the options of a command.\n",
          to);
}

static int help(int argc, char **argv)
{
    const struct wrap_command *command = argc > 0 ? find_command(argv[0]) : NULL;
    if (command) {
        wrap_opts_help(command);
        return WRAP_EXIT_OK;
    }
    if (argc > 0) {
        wrap_say("no command '%s'", argv[0]);
        print_overview(stderr);
        return WRAP_EXIT_USAGE;
    }
    print_overview(stdout);
    return WRAP_EXIT_OK;
}

/*
 * A standard stream that is closed keeps its number: else a file of the guest would get it, and
 * messages would be written into that. Such a descriptor can be neither read nor written.
 */
static void hold_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)!open("/", O_PATH | O_CLOEXEC);
        }
    }
}

static int run_command(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (argc > 0 && strcmp(slash ? slash + 1 : argv[0], "wasmrun-binfmt") == 0) {
        return wrap_run_binfmt(argc, argv);
    }
    if (argc < 2) {
        print_overview(stderr);
        return WRAP_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_overview(stdout);
        return WRAP_EXIT_OK;
    }
    if (strcmp(argv[1], "help") == 0) {
        return help(argc - 2, argv + 2);
    }
    const struct wrap_command *command = find_command(argv[1]);
    if (command) {
        return command->run(command, argc - 2, argv + 2);
    }
    return wrap_command_run.run(&wrap_command_run, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    hold_closed_streams();
    int code = run_command(argc, argv);
    /* A full disk shows at the end; a guest's own output does not come this way. */
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (code == WRAP_EXIT_OK && failed) {
        wrap_say("cannot write to standard output");
        code = WRAP_EXIT_USAGE;
    }
    return code;
}
