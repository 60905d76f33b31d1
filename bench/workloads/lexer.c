/* SPDX-License-Identifier: Apache-2.0 */
/* lexer.c - a state machine in one large switch that splits C-like source. size: repetitions. */
#include "workload.h"

static const char source[] =
    "/* Counts the bits that are set. */\n"
    "#include <stdint.h>\n"
    "static int count_bits(uint32_t value) {\n"
    "    int count = 0; // one line\n"
    "    for (; value != 0x0; value >>= 1) count += value & 1u;\n"
    "    return count;\n}\n"
    "static const double table[] = {1.5, .25e-3, 1e10, 0x1F, 077, 12345678901ull};\n"
    "char *text = \"a \\\"quoted\\\" string\\n\", letter = '\\'', other = 'x';\n"
    "int main(int argc, char **argv) {\n"
    "    int total = argc > 1 ? argv[1][0] - '0' : 7;\n"
    "    while (total-- && !(total == 3 || total <= 1)) {\n"
    "        total -= count_bits((uint32_t)total) << 2; /* ** odd * / end **/\n"
    "        total ^= text[total] | ~letter; total /= 2; total %= 1000;\n"
    "    }\n"
    "    return total->field.other ? 0 : -1;\n"
    "}\n";

// clang-format off
enum token { SPACE, NAME, NUMBER, FLOAT, HEX, STRING, CHARACTER, COMMENT, DIRECTIVE, OPERATOR,
             KINDS };

enum state {
    IN_NAME, ZERO, DECIMAL, POINT, FRACTION, EXPONENT, POWER, HEXADECIMAL, SUFFIX,
    QUOTED, ESCAPE, LETTER, LETTER_ESCAPE, SLASH, LINE_COMMENT, BLOCK, BLOCK_STAR, HASH,
    LESS, GREATER, MINUS, PLUS, AND, OR, ASSIGNABLE, LAST, DONE
};
// clang-format on

static u32 is_letter(char c) { return (u32)((c | 32) - 'a') < 26 || c == '_'; }
static u32 is_digit(char c) { return (u32)(c - '0') < 10; }

static enum state begin(char c)
{
    if (is_letter(c)) return IN_NAME;
    if (is_digit(c) && c != '0') return DECIMAL;
    switch (c) {
    case '0': return ZERO;
    case '.': return POINT;
    case '"': return QUOTED;
    case '\'': return LETTER;
    case '/': return SLASH;
    case '#': return HASH;
    case '<': return LESS;
    case '>': return GREATER;
    case '-': return MINUS;
    case '+': return PLUS;
    case '&': return AND;
    case '|': return OR;
    default: return strchr("=!*%^", c) ? ASSIGNABLE : DONE;
    }
}

/* The state after `c`, or DONE when `c` begins the next token; the kind of token so far. */
static enum state advance(enum state state, char c, enum token *kind)
{
    switch (state) {
    case IN_NAME: *kind = NAME; return is_letter(c) || is_digit(c) ? IN_NAME : DONE;
    case ZERO:
        if ((c | 32) == 'x') return HEXADECIMAL;
        __attribute__((fallthrough));
    case DECIMAL:
        *kind = NUMBER;
        if (is_digit(c) || (c | 32) == 'e') return is_digit(c) ? DECIMAL : EXPONENT;
        return c == '.' ? FRACTION : is_letter(c) ? SUFFIX : DONE;
    case POINT: *kind = OPERATOR; return is_digit(c) ? FRACTION : DONE;
    case FRACTION: *kind = FLOAT; return is_digit(c) ? FRACTION : (c | 32) == 'e' ? EXPONENT : DONE;
    case EXPONENT: *kind = FLOAT; return is_digit(c) || c == '-' || c == '+' ? POWER : DONE;
    case POWER: return is_digit(c) ? POWER : DONE;
    case HEXADECIMAL:
        *kind = HEX;
        return is_digit(c) || (u32)((c | 32) - 'a') < 6 ? HEXADECIMAL
               : is_letter(c)                           ? SUFFIX
                                                        : DONE;
    case SUFFIX: return is_letter(c) ? SUFFIX : DONE;
    case QUOTED: *kind = STRING; return c == '\\' ? ESCAPE : c == '"' ? LAST : QUOTED;
    case ESCAPE: return QUOTED;
    case LETTER: *kind = CHARACTER; return c == '\\' ? LETTER_ESCAPE : c == '\'' ? LAST : LETTER;
    case LETTER_ESCAPE: return LETTER;
    case SLASH:
        *kind = OPERATOR;
        return c == '/' ? LINE_COMMENT : c == '*' ? BLOCK : c == '=' ? LAST : DONE;
    case LINE_COMMENT: *kind = COMMENT; return c == '\n' ? DONE : LINE_COMMENT;
    case BLOCK: *kind = COMMENT; return c == '*' ? BLOCK_STAR : BLOCK;
    case BLOCK_STAR: return c == '/' ? LAST : c == '*' ? BLOCK_STAR : BLOCK;
    case HASH: *kind = DIRECTIVE; return c == '\n' ? DONE : HASH;
    case LESS: *kind = OPERATOR; return c == '<' ? ASSIGNABLE : c == '=' ? LAST : DONE;
    case GREATER: *kind = OPERATOR; return c == '>' ? ASSIGNABLE : c == '=' ? LAST : DONE;
    case MINUS: *kind = OPERATOR; return c == '-' || c == '>' || c == '=' ? LAST : DONE;
    case PLUS: *kind = OPERATOR; return c == '+' || c == '=' ? LAST : DONE;
    case AND: *kind = OPERATOR; return c == '&' || c == '=' ? LAST : DONE;
    case OR: *kind = OPERATOR; return c == '|' || c == '=' ? LAST : DONE;
    case ASSIGNABLE: *kind = OPERATOR; return c == '=' ? LAST : DONE;
    default: return DONE; /* LAST: the character before was the token's last */
    }
}

u64 workload(u32 size)
{
    u32 counts[KINDS] = {0};
    u64 sum = 0;
    for (u32 round = 0; round < size; round++) {
        for (const char *at = source; *at;) {
            const char *from = at;
            enum token kind = *at == ' ' || *at == '\n' ? SPACE : OPERATOR;
            enum state state = begin(*at++);
            while (state != DONE) {
                state = advance(state, *at, &kind);
                if (state != DONE) at++;
            }
            counts[kind]++;
            sum = sum * 31 + (u64)(at - from) * (kind + 1u);
        }
    }
    for (u32 i = 0; i < KINDS; i++) sum = wl_mix(sum, counts[i]);
    return sum;
}
