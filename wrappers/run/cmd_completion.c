/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_completion.c - `wasmrun completion SHELL`: a completion script made from the tables of
 * options, so that there is no second list of them.
 */
#include "run/run.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_BYTES = 128 };

/* ---------------------------------------------------------------- what a value is */

enum value_kind { VALUE_NONE, VALUE_FILE, VALUE_DIR, VALUE_WORDS, VALUE_OTHER };

/* From what --help calls it: "FILE…", "HOST…", "DIR", "one|another", anything else. */
static enum value_kind kind_of(const char *value)
{
    if (!value) {
        return VALUE_NONE;
    }
    if (strncmp(value, "FILE", 4) == 0) {
        return VALUE_FILE;
    }
    if (strncmp(value, "HOST:PORT", 9) == 0) {
        return VALUE_OTHER;
    }
    if (strncmp(value, "HOST", 4) == 0 || strcmp(value, "DIR") == 0) {
        return VALUE_DIR;
    }
    return strchr(value, '|') ? VALUE_WORDS : VALUE_OTHER;
}

/* "one|another" with spaces. */
static const char *words_of(const char *value, char buf[WORDS_BYTES])
{
    snprintf(buf, WORDS_BYTES, "%s", value);
    for (char *at = buf; *at; at++) {
        if (*at == '|') {
            *at = ' ';
        }
    }
    return buf;
}

/* ---------------------------------------------------------------- bash */

static void bash_command(const struct wrap_command *command)
{
    printf("    %s)\n        options=\"", command->name);
    const struct wrap_option *option = NULL;
    for (size_t i = 0; (option = wrap_opts_at(command, i)); i++) {
        printf("%s--%s", i ? " " : "", option->name);
    }
    printf("\"\n        operands=\"%s\"\n        case \"$previous\" in\n",
           command->operands ? command->operands : "");
    for (size_t i = 0; (option = wrap_opts_at(command, i)); i++) {
        char words[WORDS_BYTES];
        enum value_kind kind = kind_of(option->value);
        if (kind == VALUE_NONE) {
            continue;
        }
        printf("        --%s", option->name);
        if (option->letter) {
            printf(" | -%c", option->letter);
        }
        switch (kind) {
        case VALUE_FILE: puts(") value=file ;;"); break;
        case VALUE_DIR: puts(") value=dir ;;"); break;
        case VALUE_WORDS: printf(") value=\"%s\" ;;\n", words_of(option->value, words)); break;
        default: puts(") value=none ;;"); break;
        }
    }
    puts("        esac\n        ;;");
}

static const char bash_begin[] =
    "# bash completion of wasmrun; written by `wasmrun completion bash`.\n"
    "_wasmrun() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command=run at=1 options operands value='' commands=\"";

static const char bash_middle[] =
    "\"\n"
    "    COMPREPLY=()\n"
    "    if [ \"$previous\" = = ]; then # --name=VALUE is three words\n"
    "        previous=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    elif [ \"$word\" = = ]; then\n"
    "        previous=${COMP_WORDS[COMP_CWORD-1]} word=''\n"
    "    fi\n"
    "    case \" $commands \" in\n"
    "    *\" ${COMP_WORDS[1]} \"*) [ \"$COMP_CWORD\" -gt 1 ] && command=${COMP_WORDS[1]} at=2 ;;\n"
    "    esac\n"
    "    case \"$command\" in\n";

static const char bash_end[] =
    "    esac\n"
    "    case \"$value\" in\n"
    "    file) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
    "    dir) COMPREPLY=($(compgen -d -- \"$word\")); compopt -o nospace 2>/dev/null; return ;;\n"
    "    none) return ;;\n"
    "    ?*) COMPREPLY=($(compgen -W \"$value\" -- \"$word\")); return ;;\n"
    "    esac\n"
    "    case \"$word\" in\n"
    "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")); return ;;\n"
    "    esac\n"
    "    [ \"$COMP_CWORD\" -eq 1 ] && COMPREPLY=($(compgen -W \"$commands help\" -- \"$word\"))\n"
    "    case \"$operands\" in\n"
    "    file*) COMPREPLY+=($(compgen -f -X '!*.wasm' -- \"$word\") $(compgen -d -- \"$word\"))\n"
    "        [ \"${#COMPREPLY[@]}\" -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
    "    ?*) COMPREPLY=($(compgen -W \"$operands\" -- \"$word\")) ;;\n"
    "    esac\n"
    "}\n"
    "complete -o filenames -F _wasmrun wasmrun\n";

static void write_bash(const struct wrap_command *const *commands, size_t count)
{
    fputs(bash_begin, stdout);
    for (size_t i = 0; i < count; i++) {
        printf("%s%s", i ? " " : "", commands[i]->name);
    }
    fputs(bash_middle, stdout);
    for (size_t i = 0; i < count; i++) {
        bash_command(commands[i]);
    }
    fputs(bash_end, stdout);
}

/* ---------------------------------------------------------------- zsh */

/* Text inside of '...[...]' of _arguments: no quote, bracket or colon is left bare. */
static void zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
        } else {
            if (strchr("[]:\\", *text)) {
                putchar('\\');
            }
            putchar(*text);
        }
    }
}

static void zsh_option(const struct wrap_option *option)
{
    char words[WORDS_BYTES];
    printf("        '*--%s%s[", option->name, option->value ? "=" : "");
    zsh_text(option->help);
    putchar(']');
    if (option->value) {
        fputs(":", stdout);
        zsh_text(option->value);
    }
    switch (kind_of(option->value)) {
    case VALUE_NONE: break;
    case VALUE_FILE: fputs(":_files", stdout); break;
    case VALUE_DIR: fputs(":_files -/", stdout); break;
    case VALUE_WORDS: printf(":(%s)", words_of(option->value, words)); break;
    default: fputs(": ", stdout); break;
    }
    puts("' \\");
}

static void zsh_command(const struct wrap_command *command)
{
    printf("    %s)\n        _arguments -S \\\n", command->name);
    const struct wrap_option *option = NULL;
    for (size_t i = 0; (option = wrap_opts_at(command, i)); i++) {
        zsh_option(option);
    }
    const char *operands = command->operands ? command->operands : "";
    if (strncmp(operands, "file", 4) == 0) {
        fputs("        ':module:_files -g \"*.wasm(-.)\"' '*:argument:_files'\n", stdout);
    } else {
        printf("        ':word:(%s)'\n", operands);
    }
    puts("        ;;");
}

static void write_zsh(const struct wrap_command *const *commands, size_t count)
{
    fputs("#compdef wasmrun\n"
          "# zsh completion of wasmrun; written by `wasmrun completion zsh`.\n"
          "local command=run\n"
          "local -a choices=(",
          stdout);
    for (size_t i = 0; i < count; i++) {
        printf("%s'%s:", i ? " " : "", commands[i]->name);
        zsh_text(commands[i]->summary);
        putchar('\'');
    }
    fputs(")\n"
          "if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
          "    _describe command choices\n"
          "    _files -g '*.wasm(-.)'\n"
          "    return\n"
          "fi\n"
          "if (( CURRENT > 2 )) && [[ $words[2] == (",
          stdout);
    for (size_t i = 0; i < count; i++) {
        printf("%s%s", i ? "|" : "", commands[i]->name);
    }
    fputs(") ]]; then\n"
          "    command=$words[2]\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "fi\n"
          "case $command in\n",
          stdout);
    for (size_t i = 0; i < count; i++) {
        zsh_command(commands[i]);
    }
    puts("esac");
}

/* ---------------------------------------------------------------- fish */

static void fish_text(const char *text)
{
    putchar('\'');
    for (; *text; text++) {
        if (strchr("'\\", *text)) {
            putchar('\\');
        }
        putchar(*text);
    }
    putchar('\'');
}

/* When the options of a command hold: run's when none of the others is named. */
static void fish_condition(const struct wrap_command *command,
                           const struct wrap_command *const *commands, size_t count)
{
    if (strcmp(command->name, "run") != 0) {
        printf("complete -c wasmrun -n '__fish_seen_subcommand_from %s'", command->name);
        return;
    }
    fputs("complete -c wasmrun -n 'not __fish_seen_subcommand_from", stdout);
    for (size_t i = 0; i < count; i++) {
        if (commands[i] != command) {
            printf(" %s", commands[i]->name);
        }
    }
    putchar('\'');
}

static void fish_option(const struct wrap_option *option)
{
    char words[WORDS_BYTES];
    printf(" -l %s", option->name);
    if (option->letter) {
        printf(" -s %c", option->letter);
    }
    switch (kind_of(option->value)) {
    case VALUE_NONE: break;
    case VALUE_FILE: fputs(" -r -F", stdout); break;
    case VALUE_DIR: fputs(" -x -a '(__fish_complete_directories)'", stdout); break;
    case VALUE_WORDS: printf(" -x -a '%s'", words_of(option->value, words)); break;
    default: fputs(" -x", stdout); break;
    }
    fputs(" -d ", stdout);
    fish_text(option->help);
    putchar('\n');
}

static void write_fish(const struct wrap_command *const *commands, size_t count)
{
    puts("# fish completion of wasmrun; written by `wasmrun completion fish`.");
    for (size_t i = 0; i < count; i++) {
        printf("complete -c wasmrun -n __fish_use_subcommand -a %s -d ", commands[i]->name);
        fish_text(commands[i]->summary);
        putchar('\n');
    }
    for (size_t i = 0; i < count; i++) {
        const struct wrap_option *option = NULL;
        for (size_t j = 0; (option = wrap_opts_at(commands[i], j)); j++) {
            fish_condition(commands[i], commands, count);
            fish_option(option);
        }
        const char *operands = commands[i]->operands ? commands[i]->operands : "";
        if (operands[0] && strncmp(operands, "file", 4) != 0) {
            fish_condition(commands[i], commands, count);
            printf(" -f -a '%s'\n", operands);
        }
    }
}

/* ---------------------------------------------------------------- the command */

struct shell {
    const char *name;
    void (*write)(const struct wrap_command *const *commands, size_t count);
};

static const struct shell shells[] = {
    {"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};

static int cmd_completion(const struct wrap_command *self, int argc, char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    int id = wrap_opts_next(&opts);
    if (wrap_common_option(self, id)) {
        return WRAP_EXIT_OK;
    }
    const char *name = id == WRAP_OPTS_END && opts.at + 1 == argc ? argv[opts.at] : NULL;
    size_t count = 0;
    const struct wrap_command *const *commands = wrap_commands(&count);
    for (size_t i = 0; name && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, name) == 0) {
            shells[i].write(commands, count);
            return WRAP_EXIT_OK;
        }
    }
    if (id == WRAP_OPTS_END) {
        wrap_say("one of bash, zsh, fish is needed");
    }
    return wrap_opts_hint(self);
}

const struct wrap_command wrap_command_completion = {
    .name = "completion",
    .usage = "wasmrun completion bash|zsh|fish",
    .summary = "Prints a completion script for a shell.",
    .notes = "bash: put it into ~/.local/share/bash-completion/completions/wasmrun\n"
             "zsh:  into a file _wasmrun in a folder of $fpath\n"
             "fish: into ~/.config/fish/completions/wasmrun.fish\n"
             "An installed wasmrun has them in place already.\n",
    .operands = "bash zsh fish",
    .run = cmd_completion,
};
