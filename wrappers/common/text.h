/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - what the commands share around text: messages, escaping, sizes, durations, near misses.
 * Not here: anything about modules.
 */
#ifndef WRAPPERS_COMMON_TEXT_H
#define WRAPPERS_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** The program's exit codes beside the guest's own. */
enum wrap_exit {
    WRAP_EXIT_OK = 0,
    WRAP_EXIT_TIMEOUT = 124,
    WRAP_EXIT_USAGE = 125,
    WRAP_EXIT_INVALID = 126,
    WRAP_EXIT_NOT_FOUND = 127,
    WRAP_EXIT_TRAP = 134
};

/**
 * Prints to a stream with control characters written as \xNN (newlines in `format` itself stay),
 * so that names from a module cannot drive the terminal.
 */
void wrap_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/**
 * "wasmrun: MESSAGE\n" on stderr, escaped as above; or {"message":"MESSAGE"}, see
 * wrap_errors_set_json. In colour on a terminal, unless $NO_COLOR is set.
 */
void wrap_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** The same with a second line of detail, or a second member. */
void wrap_say_detail(const char *detail, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * A message of several pieces, which standard error gets at once: whoever keeps its lines, or takes
 * one in turn with others, sees whole ones. `to` is written to between begin and end; without
 * memory it is standard error itself.
 */
struct wrap_message {
    FILE *to;
    char *text;
    size_t size;
};
void wrap_message_begin(struct wrap_message *out);
void wrap_message_end(struct wrap_message *message);

/**
 * For a program that is not bin/wasmrun: its name, and who else gets each message (NULL: nobody);
 * `quiet`: nobody but that one. Before threads are started.
 */
void wrap_say_as(const char *program, void (*also)(const char *message), bool quiet);
/** The program's name, as messages begin with it. */
const char *wrap_say_name(void);

/**
 * Writes a time of the Unix clock, in seconds, as RFC 3339 has it, "1970-01-01T00:00:00", in UTC
 * without a zone. False, and "", for years before 0 and after 9999. The C library's would bring
 * along zones and scanf.
 */
enum { WRAP_TIME_SIZE = 20 };
bool wrap_time_text(int64_t seconds, char out[WRAP_TIME_SIZE]);

/** From now on messages are JSON, an object a line. Before threads are started. */
void wrap_errors_set_json(bool json);
bool wrap_errors_json(void);
/** What begins and ends a `dim` or bright piece of text on stderr; "" without colour. */
const char *wrap_colour_on(bool dim);
const char *wrap_colour_off(void);

/** "1048576", "64k", "16m", "2g" (powers of 1024, either case). False when it is none, or 0. */
bool wrap_parse_size(const char *text, uint64_t *bytes);
/** "5", "500ms", "1.5s", "2m", "1h" in nanoseconds; no unit is seconds. False when none, or 0. */
bool wrap_parse_duration(const char *text, uint64_t *ns);

/** How many characters must change to make `a` into `b`, or `limit` + 1 when more than that. */
unsigned wrap_distance(const char *a, const char *b, unsigned limit);

#endif
