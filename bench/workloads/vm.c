/* SPDX-License-Identifier: Apache-2.0 */
/* vm.c - an interpreter: stack bytecode in a switch; longest Collatz chain. size: first numbers. */
#include "workload.h"

enum op {
    PUSH,
    LOAD,
    STORE,
    ADD,
    MUL,
    SHR,
    AND,
    LESS,
    EQUAL,
    NOT,
    JUMP,
    BRANCH,
    CALL,
    RETURN,
    HALT
};
enum { X, STEPS, N, BEST, VARS };

struct instr {
    u8 op;
    u32 arg;
};

/* for (n = 1; n < limit; n++) { x = n; for (steps = 0; x != 1; steps++) next(); best = max } */
static struct instr program[] =
    {
        {PUSH, 1},      {STORE, N}, /* 0 */
        {LOAD, N},      {PUSH, 0},     {LESS, 0},  {NOT, 0},
        {BRANCH, 31}, /* 2: 0 becomes the limit */
        {LOAD, N},      {STORE, X},    {PUSH, 0},  {STORE, STEPS}, /* 7 */
        {LOAD, X},      {PUSH, 1},     {EQUAL, 0}, {BRANCH, 21}, /* 11 */
        {CALL, 32},     {LOAD, STEPS}, {PUSH, 1},  {ADD, 0},
        {STORE, STEPS}, {JUMP, 11}, /* 15 */
        {LOAD, STEPS},  {LOAD, BEST},  {LESS, 0},  {BRANCH, 27}, /* 21: not better */
        {LOAD, STEPS},  {STORE, BEST}, /* 25 */
        {LOAD, N},      {PUSH, 1},     {ADD, 0},   {JUMP, 44}, /* 27 */
        {HALT, 0}, /* 31 */
        {LOAD, X},      {PUSH, 1},     {AND, 0},   {BRANCH, 40}, /* 32: next() */
        {LOAD, X},      {SHR, 1},      {STORE, X}, {RETURN, 0}, /* 36: even */
        {PUSH, 3},      {LOAD, X},     {MUL, 0},   {JUMP, 46}, /* 40: odd */
        {STORE, N},     {JUMP, 2}, /* 44: n++ ends */
        {PUSH, 1},      {ADD, 0},      {STORE, X}, {RETURN, 0}, /* 46: odd, continued */
};

static u64 run(const struct instr *code, u64 *vars)
{
    u64 stack[64];
    u32 returns[16];
    u32 depth = 0, calls = 0, pc = 0;
    u64 sum = 0;
    for (;;) {
        struct instr instr = code[pc++];
        switch ((enum op)instr.op) {
        case PUSH: stack[depth++] = instr.arg; break;
        case LOAD: stack[depth++] = vars[instr.arg]; break;
        case STORE: vars[instr.arg] = stack[--depth]; break;
        case ADD: depth--, stack[depth - 1] += stack[depth]; break;
        case MUL: depth--, stack[depth - 1] *= stack[depth]; break;
        case SHR: stack[depth - 1] >>= instr.arg; break;
        case AND: depth--, stack[depth - 1] &= stack[depth]; break;
        case LESS: depth--, stack[depth - 1] = stack[depth - 1] < stack[depth]; break;
        case EQUAL: depth--, stack[depth - 1] = stack[depth - 1] == stack[depth]; break;
        case NOT: stack[depth - 1] = !stack[depth - 1]; break;
        case JUMP: pc = instr.arg; break;
        case BRANCH: pc = stack[--depth] ? instr.arg : pc; break;
        case CALL: returns[calls++] = pc, pc = instr.arg; break;
        case RETURN:
            pc = returns[--calls];
            sum += vars[X];
            break;
        case HALT: return sum;
        }
    }
}

u64 workload(u32 size)
{
    u64 vars[VARS] = {0};
    program[3].arg = size;
    u64 sum = run(program, vars);
    return wl_mix(wl_mix(0, sum), vars[BEST]);
}
