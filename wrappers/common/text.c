/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - messages with escaped control characters; sizes, durations and near misses. */
#include "common/text.h"

#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------- printing */

enum { LINE_BYTES = 4096 };

static bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

/* C1 controls are U+0080..U+009F: 0xc2 and then 0x80..0x9f. */
static bool is_c1(const char *at)
{
    unsigned char first = (unsigned char)at[0];
    unsigned char second = first ? (unsigned char)at[1] : 0;
    return first == 0xc2 && second >= 0x80 && second <= 0x9f;
}

static void put_escaped(FILE *to, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (is_c1(at)) {
            fprintf(to, "\\x%02x\\x%02x", (unsigned char)at[0], (unsigned char)at[1]);
            at++;
        } else if (is_control((unsigned char)*at)) {
            fprintf(to, "\\x%02x", (unsigned char)*at);
        } else {
            fputc(*at, to);
        }
    }
}

/* Newlines at either end belong to the caller; those inside may come from a name. */
static void vprint(FILE *to, const char *format, va_list args)
{
    char line[LINE_BYTES];
    size_t end = strlen(format);
    vsnprintf(line, sizeof line, format, args);
    size_t length = strlen(line);
    bool newline = end && format[end - 1] == '\n';
    if (newline && length && line[length - 1] == '\n') {
        line[length - 1] = 0;
    }
    put_escaped(to, line);
    if (newline) {
        fputc('\n', to);
    }
}

void wrap_print(FILE *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprint(to, format, args);
    va_end(args);
}

/* ---------------------------------------------------------------- messages */

/* Set once, while there is one thread. */
static bool errors_json;
static const char *program_name = "wasmrun";
static void (*also_told)(const char *message);
static bool is_quiet;

void wrap_say_as(const char *program, void (*also)(const char *message), bool quiet)
{
    program_name = program;
    also_told = also;
    is_quiet = quiet;
}

const char *wrap_say_name(void) { return program_name; }

void wrap_errors_set_json(bool json) { errors_json = json; }

bool wrap_errors_json(void) { return errors_json; }

/* no-color.org: any value of NO_COLOR that is not empty. */
static bool has_colour(void)
{
    static int known = -1; /* owner thread: helper threads print nothing */
    if (known < 0) {
        const char *no = getenv("NO_COLOR");
        const char *term = getenv("TERM");
        known = !(no && no[0]) && term && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO);
    }
    return known;
}

const char *wrap_colour_on(bool dim) { return !has_colour() ? "" : dim ? "\x1b[2m" : "\x1b[1;31m"; }

const char *wrap_colour_off(void) { return has_colour() ? "\x1b[0m" : ""; }

void wrap_message_begin(struct wrap_message *out)
{
    *out = (struct wrap_message){0};
    out->to = open_memstream(&out->text, &out->size);
    if (!out->to) out->to = stderr;
}

void wrap_message_end(struct wrap_message *message)
{
    if (message->to == stderr) return;
    if (fclose(message->to) == 0) {
        fwrite(message->text, 1, message->size, stderr);
    }
    free(message->text);
}

static void put_json(FILE *to, const char *line, const char *detail)
{
    fputc('{', to);
    wrap_json_field(to, "message", line, strlen(line));
    if (detail) {
        wrap_json_more(to, "detail", detail);
    }
    fputs("}\n", to);
}

static void put_text(FILE *to, const char *line, const char *detail)
{
    fprintf(to, "%s%s:%s ", wrap_colour_on(false), program_name, wrap_colour_off());
    put_escaped(to, line);
    fputc('\n', to);
    if (detail) {
        wrap_print(to, "  %s\n", detail);
    }
}

static void say(const char *detail, const char *format, va_list args)
{
    char line[LINE_BYTES];
    struct wrap_message message;
    vsnprintf(line, sizeof line, format, args);
    if (also_told) {
        also_told(line);
    }
    if (is_quiet) {
        return;
    }
    wrap_message_begin(&message);
    (errors_json ? put_json : put_text)(message.to, line, detail);
    wrap_message_end(&message);
}

void wrap_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(NULL, format, args);
    va_end(args);
}

void wrap_say_detail(const char *detail, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(detail, format, args);
    va_end(args);
}

/* ---------------------------------------------------------------- numbers */

static bool starts_with_digit(const char *text) { return text[0] >= '0' && text[0] <= '9'; }

bool wrap_parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "kmgt";
    if (!starts_with_digit(text)) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno) {
        return false;
    }
    unsigned shift = 0;
    if (*end) {
        const char *unit = strchr(units, *end | 0x20);
        if (!unit || !*unit || end[1]) {
            return false;
        }
        shift = 10 * ((unsigned)(unit - units) + 1);
    }
    if (!number || number > UINT64_MAX >> shift) {
        return false;
    }
    *bytes = number << shift;
    return true;
}

struct time_unit {
    const char *name;
    double ns;
};

static const struct time_unit time_units[] = {
    {"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"m", 60e9}, {"h", 3600e9},
};

bool wrap_parse_duration(const char *text, uint64_t *ns)
{
    if (!starts_with_digit(text) || strspn(text, "0123456789.") == 0) {
        return false;
    }
    char digits[32];
    size_t length = strspn(text, "0123456789.");
    if (length >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, length);
    digits[length] = 0;
    char *end = NULL;
    double number = strtod(digits, &end);
    for (size_t i = 0; !*end && i < sizeof time_units / sizeof time_units[0]; i++) {
        if (strcmp(time_units[i].name, text + length) != 0) {
            continue;
        }
        double total = number * time_units[i].ns;
        if (total < 1 || total > 1e18) {
            return false;
        }
        *ns = (uint64_t)total;
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- times */

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

bool wrap_time_text(int64_t seconds, char out[WRAP_TIME_SIZE])
{
    static const int8_t days_in[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    static const int64_t first = -62167219200, past_last = 253402300800; /* years 0 and 10000 */
    out[0] = 0;
    if (seconds < first || seconds >= past_last) {
        return false;
    }
    int64_t days = (seconds - first) / 86400;
    int second = (int)((seconds - first) % 86400);
    int year = 400 * (int)(days / 146097); /* the calendar repeats itself */
    int day = (int)(days % 146097);
    while (day >= 365 + is_leap(year)) {
        day -= 365 + is_leap(year++);
    }
    int month = 0;
    while (day >= days_in[month] + (month == 1 && is_leap(year))) {
        day -= days_in[month] + (month == 1 && is_leap(year));
        month++;
    }
    snprintf(out, WRAP_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)year % 10000,
             (unsigned)(month + 1) % 100, (unsigned)(day + 1) % 100, (unsigned)second / 3600 % 100,
             (unsigned)second / 60 % 60, (unsigned)second % 60);
    return true;
}

/* ---------------------------------------------------------------- near misses */

enum { DISTANCE_MAX = 64 };

unsigned wrap_distance(const char *a, const char *b, unsigned limit)
{
    unsigned row[DISTANCE_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > DISTANCE_MAX || b_len > DISTANCE_MAX) {
        return limit + 1;
    }
    for (unsigned j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned replaced = corner + (a[i - 1] != b[j - 1]);
            unsigned moved = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = replaced < moved ? replaced : moved;
        }
    }
    return row[b_len] <= limit ? row[b_len] : limit + 1;
}
