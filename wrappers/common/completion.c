/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - the scripts of three shells, from the tables of options. */
#include "common/completion.h"

#include "common/text.h"

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

/* A command as a pattern: "" stands for none. */
static const char *word_of(const struct wrap_command *command)
{
    return command->name[0] ? command->name : "''";
}

/* Row `i`: the commands, then what is meant without one when that is none of them. */
static const struct wrap_command *command_at(const struct wrap_program_options *all, size_t i)
{
    if (i < all->count) {
        return all->commands[i];
    }
    return i == all->count && !all->usual->name[0] ? all->usual : NULL;
}

/* ---------------------------------------------------------------- bash */

static void bash_command(const struct wrap_command *command)
{
    printf("    %s)\n        options=\"", word_of(command));
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

/* With the program's name, three times, and the command that is meant when none is named. */
static const char bash_begin[] =
    "# bash completion of %s; written by `%s completion bash`.\n"
    "_%s() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command=%s at=1 options operands value='' commands=\"";

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
    "}\n";

static void write_bash(const struct wrap_program_options *all)
{
    const struct wrap_command *command = NULL;
    printf(bash_begin, all->program, all->program, all->program, word_of(all->usual));
    for (size_t i = 0; i < all->count; i++) {
        printf("%s%s", i ? " " : "", all->commands[i]->name);
    }
    fputs(bash_middle, stdout);
    for (size_t i = 0; (command = command_at(all, i)); i++) {
        bash_command(command);
    }
    fputs(bash_end, stdout);
    printf("complete -o filenames -F _%s %s\n", all->program, all->program);
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
    printf("    %s)\n        _arguments -S \\\n", word_of(command));
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

static void write_zsh(const struct wrap_program_options *all)
{
    const struct wrap_command *command = NULL;
    const char *program = all->program;
    printf("#compdef %s\n"
           "# zsh completion of %s; written by `%s completion zsh`.\n"
           "local command=%s\n"
           "local -a choices=(",
           program, program, program, word_of(all->usual));
    for (size_t i = 0; i < all->count; i++) {
        printf("%s'%s:", i ? " " : "", all->commands[i]->name);
        zsh_text(all->commands[i]->summary);
        putchar('\'');
    }
    printf(")\n"
           "if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
           "    _describe command choices\n"
           "%s"
           "    return\n"
           "fi\n"
           "if (( CURRENT > 2 )) && [[ $words[2] == (",
           all->usual->operands ? "    _files -g '*.wasm(-.)'\n" : "");
    for (size_t i = 0; i < all->count; i++) {
        printf("%s%s", i ? "|" : "", all->commands[i]->name);
    }
    fputs(") ]]; then\n"
          "    command=$words[2]\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "fi\n"
          "case $command in\n",
          stdout);
    for (size_t i = 0; (command = command_at(all, i)); i++) {
        zsh_command(command);
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

/* When the options of a command hold: the usual one's when none of the others is named. */
static void fish_condition(const struct wrap_program_options *all,
                           const struct wrap_command *command)
{
    printf("complete -c %s -n ", all->program);
    if (command != all->usual) {
        printf("'__fish_seen_subcommand_from %s'", command->name);
        return;
    }
    fputs("'not __fish_seen_subcommand_from", stdout);
    for (size_t i = 0; i < all->count; i++) {
        if (all->commands[i] != command) {
            printf(" %s", all->commands[i]->name);
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

static void write_fish(const struct wrap_program_options *all)
{
    const struct wrap_command *command = NULL;
    printf("# fish completion of %s; written by `%s completion fish`.\n", all->program,
           all->program);
    for (size_t i = 0; i < all->count; i++) {
        printf("complete -c %s -n __fish_use_subcommand -a %s -d ", all->program,
               all->commands[i]->name);
        fish_text(all->commands[i]->summary);
        putchar('\n');
    }
    for (size_t i = 0; (command = command_at(all, i)); i++) {
        const struct wrap_option *option = NULL;
        for (size_t j = 0; (option = wrap_opts_at(command, j)); j++) {
            fish_condition(all, command);
            fish_option(option);
        }
        const char *operands = command->operands ? command->operands : "";
        if (operands[0] && strncmp(operands, "file", 4) != 0) {
            fish_condition(all, command);
            printf(" -f -a '%s'\n", operands);
        }
    }
}

/* ---------------------------------------------------------------- which shell */

static const struct {
    const char *name;
    void (*write)(const struct wrap_program_options *all);
} shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};

bool wrap_completion_print(const struct wrap_program_options *all, const char *shell)
{
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].write(all);
            return true;
        }
    }
    return false;
}

bool wrap_completion_run(const struct wrap_program_options *all, const struct wrap_opts *opts)
{
    const char *shell = opts->at + 1 == opts->argc ? opts->argv[opts->at] : "";
    if (wrap_completion_print(all, shell)) return true;
    wrap_say("completion: one of bash, zsh, fish is needed%s%s%s", *shell ? ", not '" : "", shell,
             *shell ? "'" : "");
    return false;
}
