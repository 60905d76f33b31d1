/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - bin/wasmrun-node: the command, or what there is. */
#include "common/text.h"
#include "node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct wrap_command *const commands[] = {&wrap_node_install, &wrap_node_uninstall,
                                                      &wrap_node_status, &wrap_node_completion};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct wrap_command *const *wrap_node_commands(size_t *count)
{
    *count = COMMANDS;
    return commands;
}

const struct wrap_command wrap_node_global_command = {
    .name = "",
    .usage = WRAP_NODE_PROGRAM " COMMAND [OPTIONS]",
    .summary = "Makes WebAssembly containers known to the container runtimes of a node.",
};

/* A standard stream that is closed keeps its number: else a file of the node would get it. */
static void hold_closed_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)!open("/dev/null", O_RDWR);
        }
    }
}

static int overview(void)
{
    wrap_opts_help(&wrap_node_global_command);
    puts("\nCommands:");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    }
    puts("\n'" WRAP_NODE_PROGRAM " COMMAND --help' lists the options of a command.");
    return WRAP_NODE_OK;
}

static int start(int argc, char **argv)
{
    struct wrap_opts opts = {
        .command = &wrap_node_global_command, .argc = argc, .argv = argv, .at = 1};
    int id = wrap_opts_next(&opts);
    if (id == WRAP_OPT_HELP) return overview();
    if (id == WRAP_OPT_VERSION) {
        wrap_node_print_version();
        return WRAP_NODE_OK;
    }
    if (id != WRAP_OPTS_END) return WRAP_NODE_FAILED;
    if (opts.at >= argc) {
        wrap_say("no command given; try '" WRAP_NODE_PROGRAM " --help'");
        return WRAP_NODE_FAILED;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, argv[opts.at]) == 0) {
            return commands[i]->run(commands[i], argc - opts.at - 1, argv + opts.at + 1);
        }
    }
    if (strcmp(argv[opts.at], "help") == 0) return overview();
    wrap_say("no command '%s'; try '" WRAP_NODE_PROGRAM " --help'", argv[opts.at]);
    return WRAP_NODE_FAILED;
}

int main(int argc, char **argv)
{
    hold_closed_streams();
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that has gone must not leave half of a run undone */
    (void)umask(022);
    wrap_say_as(WRAP_NODE_PROGRAM, NULL, false);
    int code = start(argc, argv);
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (code == 0 && failed) {
        wrap_say("cannot write to standard output");
        code = WRAP_NODE_FAILED;
    }
    return code;
}
