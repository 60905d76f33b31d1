/* SPDX-License-Identifier: Apache-2.0 */
/* opts.c - walks the words of a command line by a table of options. */
#include "common/opts.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

static const struct wrap_option common_options[] = {
    {"help", 'h', NULL, WRAP_OPT_HELP, "print this text"},
    {"version", 'V', NULL, WRAP_OPT_VERSION, "print the version"},
};
enum { COMMON_COUNT = sizeof common_options / sizeof common_options[0] };

const struct wrap_option *wrap_opts_at(const struct wrap_command *command, size_t i)
{
    if (i < command->option_count) {
        return &command->options[i];
    }
    i -= command->option_count;
    return i < COMMON_COUNT ? &common_options[i] : NULL;
}

static const struct wrap_option *find_name(const struct wrap_command *command, const char *name,
                                           size_t length)
{
    const struct wrap_option *option = wrap_opts_at(command, 0);
    for (size_t i = 0; option; option = wrap_opts_at(command, ++i)) {
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0) {
            return option;
        }
    }
    return NULL;
}

const struct wrap_option *wrap_opts_find(const struct wrap_command *command, const char *name)
{
    return find_name(command, name, strlen(name));
}

static const struct wrap_option *find_letter(const struct wrap_command *command, char letter)
{
    const struct wrap_option *option = wrap_opts_at(command, 0);
    for (size_t i = 0; option; option = wrap_opts_at(command, ++i)) {
        if (option->letter && option->letter == letter) {
            return option;
        }
    }
    return NULL;
}

static const struct wrap_option *find_nearest(const struct wrap_command *command, const char *word)
{
    enum { NEAR = 3 };
    char name[64];
    word += strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const struct wrap_option *best = NULL;
    unsigned best_distance = NEAR + 1;
    const struct wrap_option *option = wrap_opts_at(command, 0);
    for (size_t i = 0; option; option = wrap_opts_at(command, ++i)) {
        unsigned distance = wrap_distance(name, option->name, NEAR);
        /* "--max" for "--max-memory": a beginning counts as near. */
        if (distance > 1 && strlen(name) > 2 && strncmp(name, option->name, strlen(name)) == 0) {
            distance = 1;
        }
        if (distance < best_distance && distance * 2 <= strlen(name) + 1) {
            best = option;
            best_distance = distance;
        }
    }
    return best;
}

static int unknown(const struct wrap_opts *opts, const char *word)
{
    const struct wrap_option *near = find_nearest(opts->command, word);
    if (near) {
        wrap_say("unknown option '%s'; did you mean '--%s'?", word, near->name);
    } else {
        wrap_say("unknown option '%s'", word);
    }
    return WRAP_OPTS_BAD;
}

/* Takes the option's value from after '=' or from the next word. */
static int take(struct wrap_opts *opts, const struct wrap_option *option, const char *attached)
{
    opts->value = attached;
    if (!option->value && attached) {
        wrap_say("option '--%s' takes no value (got '%s')", option->name, attached);
        return WRAP_OPTS_BAD;
    }
    if (option->value && !attached) {
        if (opts->at >= opts->argc) {
            wrap_say("option '--%s' needs a value: --%s %s", option->name, option->name,
                     option->value);
            return WRAP_OPTS_BAD;
        }
        opts->value = opts->argv[opts->at++];
    }
    return option->id;
}

int wrap_opts_next(struct wrap_opts *opts)
{
    if (opts->at >= opts->argc) {
        return WRAP_OPTS_END;
    }
    const char *word = opts->argv[opts->at];
    if (word[0] != '-' || !word[1]) {
        return WRAP_OPTS_END;
    }
    opts->at++;
    if (strcmp(word, "--") == 0) {
        return WRAP_OPTS_END;
    }
    const struct wrap_option *option = NULL;
    const char *attached = NULL;
    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");
        option = find_name(opts->command, word + 2, length);
        attached = word[2 + length] ? word + 2 + length + 1 : NULL;
    } else if (!word[2]) {
        option = find_letter(opts->command, word[1]);
    }
    return option ? take(opts, option, attached) : unknown(opts, word);
}

void wrap_opts_help(const struct wrap_command *command)
{
    printf("usage: %s\n%s\n\nOptions:\n", command->usage, command->summary);
    const struct wrap_option *option = wrap_opts_at(command, 0);
    for (size_t i = 0; option; option = wrap_opts_at(command, ++i)) {
        char left[64];
        char letter[8] = "    ";
        if (option->letter) {
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        }
        snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        printf("  %-32s %s\n", left, option->help);
    }
    if (command->notes) {
        printf("\n%s", command->notes);
    }
}

int wrap_opts_hint(const struct wrap_command *command)
{
    if (!wrap_errors_json()) {
        fprintf(stderr, "try '%s %s%s--help'\n", wrap_say_name(), command->name,
                command->name[0] ? " " : "");
    }
    return WRAP_EXIT_USAGE;
}
