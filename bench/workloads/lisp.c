/* SPDX-License-Identifier: Apache-2.0 */
/* lisp.c - a small Lisp: reader, evaluator with association lists. size: repetitions. */
#include "workload.h"

#include <stdlib.h>

/* Fixnums are odd; symbols and cells are pointers; the empty list is NULL. */
typedef struct cell *value;
struct cell {
    value head, tail;
};

struct symbol {
    char name[12];
    value bound;
};

enum { SYMBOLS = 64, CELLS = 1 << 16 };
static struct symbol symbols[SYMBOLS];
static struct cell cells[CELLS];
static u32 cells_used;

static u32 is_number(value v) { return (uintptr_t)v & 1; }
static i32 number_of(value v) { return (i32)((intptr_t)v >> 1); }
static value make_number(i32 n) { return (value)(((uintptr_t)(intptr_t)n << 1) | 1); }
static u32 is_symbol(value v) { return (uintptr_t)v - (uintptr_t)symbols < sizeof symbols; }

static value cons(value head, value tail)
{
    if (cells_used == CELLS) abort();
    cells[cells_used] = (struct cell){head, tail};
    return &cells[cells_used++];
}

static value intern(const char *name, u32 length)
{
    for (u32 i = 0; i < SYMBOLS; i++) {
        if (!symbols[i].name[0]) memcpy(symbols[i].name, name, length);
        if (strlen(symbols[i].name) == length && memcmp(symbols[i].name, name, length) == 0) {
            return (value)&symbols[i];
        }
    }
    abort();
}

static value read(const char **text);

static value read_list(const char **text)
{
    while (**text == ' ') ++*text;
    if (**text == ')') return ++*text, NULL;
    value head = read(text);
    return cons(head, read_list(text));
}

static value read(const char **text)
{
    while (**text == ' ') ++*text;
    if (**text == '(') return ++*text, read_list(text);
    const char *from = *text;
    while (**text && !strchr(" ()", **text)) ++*text;
    if (*from >= '0' && *from <= '9') return make_number(atoi(from));
    return intern(from, (u32)(*text - from));
}

static value quote, if_word, lambda;
static value eval(value form, value env);

static value look_up(value symbol, value env)
{
    for (; env; env = env->tail) {
        if (env->head->head == symbol) return env->head->tail;
    }
    return ((struct symbol *)symbol)->bound;
}

static value primitive(char name, value a, value b)
{
    switch (name) {
    case '+': return make_number(number_of(a) + number_of(b));
    case '-': return make_number(number_of(a) - number_of(b));
    case '<': return number_of(a) < number_of(b) ? make_number(1) : NULL;
    case 'c': return cons(a, b);
    case 'h': return a->head;
    case 't': return a->tail;
    default: return a ? NULL : make_number(1); /* n: null? */
    }
}

static value apply(value form, value env)
{
    value function = eval(form->head, env);
    if (is_symbol(function)) {
        value a = eval(form->tail->head, env);
        value b = form->tail->tail ? eval(form->tail->tail->head, env) : NULL;
        return primitive(((struct symbol *)function)->name[0], a, b);
    }
    value frame = NULL; /* functions are global: no closures */
    value args = form->tail;
    for (value names = function->head; names; names = names->tail, args = args->tail) {
        frame = cons(cons(names->head, eval(args->head, env)), frame);
    }
    return eval(function->tail->head, frame);
}

static value eval(value form, value env)
{
    while (form && !is_number(form) && !is_symbol(form)) {
        if (form->head == quote) return form->tail->head;
        if (form->head == lambda) return form->tail;
        if (form->head != if_word) return apply(form, env);
        value rest = form->tail;
        form = eval(rest->head, env) ? rest->tail->head : rest->tail->tail->head;
    }
    return is_symbol(form) ? look_up(form, env) : form;
}

static void define(const char *name, const char *text)
{
    ((struct symbol *)intern(name, (u32)strlen(name)))->bound = eval(read(&text), NULL);
}

u64 workload(u32 size)
{
    quote = intern("quote", 5), if_word = intern("if", 2), lambda = intern("lambda", 6);
    static const char *const primitives[] = {"+", "-", "<", "cons", "head", "tail", "null"};
    for (u32 i = 0; i < 7; i++) {
        value symbol = intern(primitives[i], (u32)strlen(primitives[i]));
        ((struct symbol *)symbol)->bound = symbol;
    }
    define("range", "(lambda (n) (if (< 0 n) (cons n (range (- n 1))) (quote ())))");
    define("sum", "(lambda (list) (if (null list) 0 (+ (head list) (sum (tail list)))))");
    define("map", "(lambda (f list) (if (null list) (quote ()) "
                  "(cons (f (head list)) (map f (tail list)))))");
    define("fib", "(lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))");
    const char *text = "(+ (sum (map fib (range 10))) (sum (map (lambda (x) (+ x x)) (range 40))))";
    value form = read(&text);
    u64 sum = 0;
    u32 mark = cells_used;
    for (u32 i = 0; i < size; i++) {
        sum = wl_mix(sum, (u32)number_of(eval(form, NULL)) + cells_used);
        cells_used = mark;
    }
    return sum;
}
