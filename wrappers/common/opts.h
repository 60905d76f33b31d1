/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opts.h - one table per command drives option parsing, --help and the "did you mean" messages.
 * Not here: what an option does.
 */
#ifndef WRAPPERS_COMMON_OPTS_H
#define WRAPPERS_COMMON_OPTS_H

#include <stdbool.h>
#include <stddef.h>

struct wrap_option {
    const char *name;  /**< without the dashes */
    char letter;       /**< a short form, or 0 */
    const char *value; /**< what it takes, for --help; NULL: a switch */
    int id;            /**< > 0 */
    const char *help;
};

struct wrap_command {
    const char *name;
    const char *usage;   /**< after "usage: " */
    const char *summary; /**< one line */
    const char *notes;   /**< printed after the options; NULL: none */
    const struct wrap_option *options;
    size_t option_count;
    const char *operands; /**< for completion: "file", "files", "file any", or words to choose */
    /** Runs the command on the words after its name; returns the exit code. */
    int (*run)(const struct wrap_command *self, int argc, char **argv);
};

/** The options every command has, and others that are not taken from a --config file; their ids. */
enum { WRAP_OPT_HELP = 1000, WRAP_OPT_VERSION, WRAP_OPT_CONFIG };
/** Of several commands. */
enum { WRAP_OPT_FEATURES = 900 };

/** A row of all commands that load modules. */
#define WRAP_FEATURES_OPTION                                                                       \
    {"features", 0, "LIST", WRAP_OPT_FEATURES,                                                     \
     "what modules may use: all, mvp, -simd,+wide-arithmetic"}

enum { WRAP_OPTS_END = -1, WRAP_OPTS_BAD = -2 };

/** Goes through argv; zero-initialise `at` and set the rest. */
struct wrap_opts {
    const struct wrap_command *command;
    int argc;
    char **argv;
    int at; /**< after WRAP_OPTS_END: the first word that is no option */
    const char *value; /**< of the option returned last */
};

/**
 * The next option's id; WRAP_OPTS_END at the first word that is none ("-" and what follows "--"
 * are none); WRAP_OPTS_BAD after printing what is wrong.
 */
int wrap_opts_next(struct wrap_opts *opts);

/** The option of that name (without the dashes) or NULL. */
const struct wrap_option *wrap_opts_find(const struct wrap_command *command, const char *name);
/** Row `i` of the command's options and then those of every command; NULL after the last. */
const struct wrap_option *wrap_opts_at(const struct wrap_command *command, size_t i);

/** Prints the --help text of a command on stdout. */
void wrap_opts_help(const struct wrap_command *command);
/** "try 'PROGRAM COMMAND --help'" on stderr; returns the usage exit code. */
int wrap_opts_hint(const struct wrap_command *command);

#endif
