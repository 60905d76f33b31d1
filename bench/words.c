/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - strings and lists of words of wasm-bench. */
#include "bench.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void *bench_realloc(void *ptr, size_t bytes)
{
    void *grown = realloc(ptr, bytes ? bytes : 1);
    if (!grown) {
        fputs("wasm-bench: out of memory\n", stderr);
        exit(2);
    }
    return grown;
}

char *bench_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(bench_realloc(NULL, bytes), text, bytes);
}

char *bench_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) return bench_strdup("");
    char *text = bench_realloc(NULL, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

void bench_words_add(struct bench_words *words, char *word)
{
    words->list = bench_realloc(words->list, (words->count + 2) * sizeof words->list[0]);
    words->list[words->count++] = word;
    words->list[words->count] = NULL;
}

void bench_words_fini(struct bench_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->list[i]);
    }
    free(words->list);
}

void bench_words_split(struct bench_words *words, const char *line)
{
    char *word = bench_realloc(NULL, strlen(line) + 1);
    for (;;) {
        line += strspn(line, " \t\n");
        if (!*line) break;
        size_t length = 0;
        char quote = 0;
        for (; *line && (quote || !strchr(" \t\n", *line)); line++) {
            if (quote ? *line == quote : (*line == '\'' || *line == '"')) {
                quote = quote ? 0 : *line;
            } else {
                word[length++] = *line;
            }
        }
        word[length] = 0;
        bench_words_add(words, bench_strdup(word));
    }
    free(word);
}
