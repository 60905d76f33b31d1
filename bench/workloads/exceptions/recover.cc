/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.cc - a recursive-descent parser in C++ that throws where the source is wrong and goes on
 * with the next statement; then sums whose every step is in a try block and seldom throws.
 * size: times that the source is read.
 */
extern "C" {
#include "workload.h"
}

/* There is no C++ library: what the compiler calls around `catch (...)`, and our `throw`. */
#ifdef __wasm__
extern "C" void *__cxa_begin_catch(void *thrown) { return thrown; }
extern "C" void __cxa_end_catch() {}
#define THROW(pointer) __builtin_wasm_throw(0, pointer)
#else
#define THROW(pointer) throw pointer
#endif

namespace
{

enum { STATEMENTS = 400, SOURCE = 64 * 1024, NAMES = 26, DEEPEST = 10 };

struct failure {
    u32 at, kind;
} last;

[[noreturn]] __attribute__((noinline)) void fail(u32 at, u32 kind)
{
    last.at = at;
    last.kind = kind;
    THROW(&last);
}

/* ---------------------------------------------------------------- the source */

struct writer {
    char *text;
    u32 length, seed;

    void put(char c) { text[length++] = c; }

    /* One factor in 64 is none: after so many parentheses the error is that deep. */
    void factor(u32 depth)
    {
        u32 random = wl_random(&seed);
        if (depth < DEEPEST && random % 8 < 3) {
            put('(');
            sum(depth + 1);
            put(random >> 8 & 63 ? ')' : ']');
        } else if (random >> 8 & 63) {
            if (random & 64)
                put((char)('a' + (random >> 16) % NAMES));
            else
                for (u32 i = 0; i <= (random >> 16 & 3); i++)
                    put((char)('0' + (random >> (18 + i)) % 10));
        } else {
            put('?');
        }
    }

    void sum(u32 depth)
    {
        static const char operators[] = "+-*/";
        factor(depth);
        for (u32 more = wl_random(&seed) % 3; more; more--) {
            put(operators[wl_random(&seed) >> 7 & 3]);
            factor(depth);
        }
    }

    void program()
    {
        for (u32 i = 0; i < STATEMENTS && length < SOURCE - 4096; i++) {
            put((char)('a' + wl_random(&seed) % NAMES));
            put('=');
            sum(0);
            put(';');
        }
        put(0);
    }
};

/* ---------------------------------------------------------------- the parser */

struct parser {
    const char *text;
    u32 at, depth;
    i32 variables[NAMES];

    i32 factor();
    i32 product();
    i32 sum();
    void statement();
};

/* Counts how deep parentheses are: an exception must count back. */
struct nested {
    parser &of;
    explicit nested(parser &p) : of(p) { of.depth++; }
    ~nested() { of.depth--; }
};

bool is_name(char c) { return (u32)(c - 'a') < NAMES; }
bool is_digit(char c) { return (u32)(c - '0') < 10; }

i32 parser::factor()
{
    char c = text[at];
    if (is_name(c)) return variables[text[at++] - 'a'];
    if (is_digit(c)) {
        u32 value = 0;
        while (is_digit(text[at])) value = value * 10 + (u32)(text[at++] - '0');
        return (i32)value;
    }
    if (c != '(') fail(at, 1);
    nested here(*this);
    at++;
    i32 value = sum();
    if (text[at] != ')') fail(at, 2);
    at++;
    return value;
}

i32 parser::product()
{
    i32 value = factor();
    for (;;) {
        char c = text[at];
        if (c != '*' && c != '/') return value;
        at++;
        i32 other = factor();
        if (c == '*') {
            value = (i32)((u32)value * (u32)other);
        } else {
            if (!other) fail(at, 3);
            value = other == -1 ? (i32)(0 - (u32)value) : value / other;
        }
    }
}

i32 parser::sum()
{
    i32 value = product();
    for (;;) {
        char c = text[at];
        if (c != '+' && c != '-') return value;
        at++;
        u32 other = (u32)product();
        value = (i32)(c == '+' ? (u32)value + other : (u32)value - other);
    }
}

void parser::statement()
{
    char name = text[at];
    if (!is_name(name) || text[at + 1] != '=') fail(at, 4);
    at += 2;
    i32 value = sum();
    if (text[at] != ';') fail(at, 5);
    at++;
    variables[name - 'a'] = value;
}

u64 parse(parser &p, u64 checksum)
{
    p.at = 0;
    while (p.text[p.at]) {
        try {
            p.statement();
        } catch (...) {
            checksum = wl_mix(checksum, (u64)last.at << 8 | last.kind << 4 | p.depth);
            while (p.text[p.at] != ';') p.at++;
            p.at++;
        }
    }
    for (u32 i = 0; i < NAMES; i++) checksum = wl_mix(checksum, (u32)p.variables[i]);
    return checksum;
}

/* ---------------------------------------------------------------- seldom thrown */

__attribute__((noinline)) u32 add_checked(u32 a, u32 b)
{
    if (a + b < a) fail(a, 6);
    return a + b;
}

/* Each step may throw, one in some 4,000 does. */
u64 add_all(u32 seed, u32 count)
{
    u32 sum = 0, wraps = 0;
    for (u32 i = 0; i < count; i++) {
        try {
            sum = add_checked(sum, wl_random(&seed) >> 11);
        } catch (...) {
            sum = 0;
            wraps++;
        }
    }
    return (u64)wraps << 32 | sum;
}

} // namespace

extern "C" u64 workload(u32 size)
{
    writer source = {(char *)wl_alloc(SOURCE), 0, 20};
    parser p = {source.text, 0, 0, {0}};
    u64 checksum = 0;
    source.program();
    for (u32 round = 0; round < size; round++) {
        p.variables[round % NAMES] = (i32)round;
        checksum = parse(p, checksum);
        checksum = wl_mix(checksum, add_all(round + 1, 4096));
    }
    return checksum;
}
