#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fixed.py DIR: writes the inputs of the fixed set (fixed.json) into DIR, always the same bytes."""
import os
import sys


class Random:
    """xorshift64*, so that no version of Python changes the inputs."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        x = self.state
        x ^= x >> 12
        x ^= x << 25 & (1 << 64) - 1
        x ^= x >> 27
        self.state = x
        return (x * 0x2545F4914F6CDD1D >> 32 & 0xFFFFFFFF) % limit

    def pick(self, items):
        return items[self.below(len(items))]

    def rare(self, items):
        """Like words of a language: the first ones far more often than the last ones."""
        return items[min(self.below(len(items)), self.below(len(items)), self.below(len(items)))]


def make_words(random, count):
    starts = "b c d f g h l m n p r s t v w st tr pr ch sh th gr".split()
    vowels = "a e i o u ai ea ou ie".split()
    ends = ["", "", "n", "r", "s", "t", "nd", "ng", "l", "rt"]
    words = {}
    while len(words) < count:
        syllables = 1 + random.below(3)
        word = "".join(random.pick(starts) + random.pick(vowels) for _ in range(syllables))
        words[word + random.pick(ends)] = True
    return list(words)


def sentence(random, words):
    text = " ".join(random.rare(words) for _ in range(4 + random.below(14)))
    return text.capitalize() + random.pick([".", ".", ".", "?", ";", "!"])


# ---------------------------------------------------------------- zstd, bzip2

def text_part(random, words, kind):
    if kind == 0:
        return " ".join(sentence(random, words) for _ in range(5)) + "\n\n"
    if kind == 1:
        return "".join(
            f"2026-{1 + random.below(12):02}-{1 + random.below(28):02} {random.rare(words)}[{random.below(9999)}]: "
            f"{random.pick(['INFO', 'INFO', 'WARN', 'DEBUG'])} {random.rare(words)}={random.below(100000)}\n"
            for _ in range(12))
    if kind == 2:
        return "".join(f"{random.below(1 << 30)},{random.rare(words)},{random.below(10000) / 100:.2f}\n"
                       for _ in range(20))
    name = random.rare(words)
    return (f"static int {name}_{random.rare(words)}(struct {random.rare(words)} *{name}, int count)\n{{\n"
            f"    for (int i = 0; i < count; i++) {{\n"
            f"        if ({name}[i].{random.rare(words)} > {random.below(64)}) return -{random.below(9)};\n"
            f"        {name}[i].{random.rare(words)} += {random.rare(words)}({name}, i);\n"
            f"    }}\n    return 0;\n}}\n\n")


def make_text(kilobytes, seed):
    random = Random(seed)
    words = make_words(random, 3000)
    parts, size = [], 0
    while size < kilobytes * 1024:
        parts.append(text_part(random, words, random.below(4)))
        size += len(parts[-1])
    return "".join(parts)[:kilobytes * 1024]


# ---------------------------------------------------------------- sqlite3

def make_sql(rows):
    random = Random(11)
    words = make_words(random, 400)
    lines = [
        ".headers on",
        "create table customer(id integer primary key, name text, city text);",
        "create table item(id integer primary key, title text, price integer);",
        "create table sale(id integer primary key, customer int, item int, day int, amount int);",
        "begin;",
    ]
    for i in range(200):
        lines.append(f"insert into customer values({i}, '{random.pick(words)} {random.pick(words)}', "
                     f"'{random.pick(words[:20])}');")
        lines.append(f"insert into item values({i}, '{random.pick(words)}', {random.below(5000)});")
    lines += [
        f"with recursive c(x) as (select 1 union all select x + 1 from c where x < {rows}) insert into "
        "sale select x, (x * 7919) % 200, (x * 104729) % 200, (x * 31) % 365, 1 + (x * 17) % 9 from c;",
        "commit;",
        "create index sale_day on sale(day, item);",
        "select city, count(*), sum(amount * price) from sale join customer on customer.id = customer "
        "join item on item.id = item group by city order by 3 desc limit 5;",
        "select day, max(total) from (select day, item, sum(amount) as total from sale where day "
        "between 40 and 90 group by day, item) group by day order by 2 desc, 1 limit 5;",
        "update sale set amount = amount + 1 where item in (select id from item where price > 2500);",
        "select title, (select count(*) from sale where item = item.id and amount > 4) as n from item "
        "order by n desc, title limit 5;",
        "delete from sale where day % 7 = 3;",
        "select count(*), sum(amount), min(day), max(day) from sale;",
        "create virtual table note using fts5(body);",
        "begin;",
    ]
    for _ in range(rows // 40):
        lines.append(f"insert into note values('{' '.join(random.rare(words) for _ in range(12))}');")
    lines += [
        "commit;",
        f"select count(*) from note where note match '{words[0]} OR {words[1]}';",
        f"select rowid from note where note match '{words[2]} {words[3]}' order by rank, rowid limit 5;",
        "with recursive f(n, j) as (select 0, json_array() union all select n + 1, json_insert(j, "
        "'$[#]', n * n) from f where n < 200) select sum(json_array_length(j)) from f;",
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- tinyscheme

SCHEME = """; Recursion, lists, strings and closures (vector-ref of this build refuses every index).
(define (tak x y z) (if (not (< y x)) z (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))))
(define (range a b) (if (>= a b) '() (cons a (range (+ a 1) b))))
(define (fold f seed list) (if (null? list) seed (fold f (f seed (car list)) (cdr list))))
(define (keep f list)
  (cond ((null? list) '()) ((f (car list)) (cons (car list) (keep f (cdr list)))) (else (keep f (cdr list)))))
(define (merge a b)
  (cond ((null? a) b) ((null? b) a)
        ((< (car a) (car b)) (cons (car a) (merge (cdr a) b)))
        (else (cons (car b) (merge a (cdr b))))))
(define (halve list) (if (or (null? list) (null? (cdr list))) (cons list '())
  (let ((rest (halve (cddr list)))) (cons (cons (car list) (car rest)) (cons (cadr list) (cdr rest))))))
(define (sort list) (if (or (null? list) (null? (cdr list))) list
  (let ((both (halve list))) (merge (sort (car both)) (sort (cdr both))))))
(define (queens n)
  (define (safe? q d others)
    (or (null? others)
        (and (not (= (car others) q)) (not (= (abs (- (car others) q)) d)) (safe? q (+ d 1) (cdr others)))))
  (define (place row others)
    (if (= row n) 1
        (fold (lambda (sum q) (if (safe? q 1 others) (+ sum (place (+ row 1) (cons q others))) sum))
              0 (range 0 n))))
  (place 0 '()))
(define (next x) (modulo (+ (* x 1103) 12345) 65536))
(define (numbers n x) (if (= n 0) '() (cons x (numbers (- n 1) (next x)))))
(define (primes list) (if (null? list) '()
  (cons (car list) (primes (keep (lambda (x) (not (= 0 (modulo x (car list))))) (cdr list))))))
(define (make-counter) (let ((n 0)) (lambda (by) (set! n (+ n by)) n)))
(define counter (make-counter))
(define (digits n) (apply string-append (map number->string (range 0 n))))
(display (tak 14 8 %(tak)d)) (newline)
(display (fold + 0 (keep even? (sort (numbers %(sort)d 1))))) (newline)
(display (queens %(queens)d)) (newline)
(display (length (primes (range 2 %(primes)d)))) (newline)
(for-each (lambda (x) (counter x)) (numbers %(sort)d 7)) (display (counter 0)) (newline)
(display (string-length (digits 300))) (newline)
"""


# ---------------------------------------------------------------- esbuild

def make_module(index, words):
    random = Random(100 + index)
    cap = [word.capitalize() for word in words]
    lines = [f"import {{ helper{index - 1}, Kind{index - 1} }} from './m{index - 1}';" if index else ""]
    lines.append(f"export enum Kind{index} {{ " + ", ".join(sorted({random.pick(cap) for _ in range(5)})) + " }")
    names = sorted({random.pick(words) + random.pick(cap) for _ in range(12)})
    lines.append(f"interface Shape{index}<T extends object> {{ " +
                 "; ".join(f"{name}?: T | number[]" for name in names) + " }")
    lines.append(f"export class Thing{index} implements Shape{index}<Date> {{")
    for name in names:
        value = random.below(1000)
        lines.append(f"  private _{name}: number = {value} + 2 * {random.below(50)};")
        lines.append(f"  async {name}At(first: number, ...rest: string[]): Promise<string> {{")
        lines.append(f"    const {{ a, b = {value}, ...others }} = await import('./m0') as any;")
        lines.append(f"    for (const [key, item] of Object.entries(others ?? {{}})) if (item?.{name} === first) return `${{key}}: ${{a + b}}`;")
        lines.append(f"    switch (rest.length % 3) {{ case 0: return rest.map((x) => x.trim()).join(', '); case 1: this._{name} ||= first ** 2; break; default: throw new Error('{name}') }}")
        lines.append(f"    return first > {value} ? /{name}+[a-z]*/gi.source : String(this._{name});")
        lines.append("  }")
    lines.append("}")
    before = f"helper{index - 1}(x - 1)" if index else "x"
    lines.append(f"export function helper{index}(x: number): number {{ return x > 0 ? {before} + new Thing{index}().constructor.name.length : x as number; }}")
    return "\n".join(lines) + "\n"


def make_modules(count):
    words = make_words(Random(77), 200)
    files = {f"m{i}.ts": make_module(i, words) for i in range(count)}
    files["main.ts"] = f"import {{ helper{count - 1} }} from './m{count - 1}';\nconsole.log(helper{count - 1}(9));\n"
    return files


# ---------------------------------------------------------------- yosys

def make_verilog(count):
    random = Random(5)
    lines = []
    for i in range(count):
        width = 6 + random.below(7)
        cases = "\n".join(
            f"      4'd{k}: next = {random.pick(['a + b', 'a - b', 'a & ~b', 'a ^ b', 'a << b[1:0]', 'state | a', '{a[0], b[%d:1]}' % (width - 1), 'a < b'])};"
            for k in range(10))
        lines.append(f"""module unit{i}(input clk, input rst, input [3:0] op, input [{width - 1}:0] a, b,
             output reg [{width - 1}:0] state, output full);
  reg [{width - 1}:0] next, memory[0:{3 + random.below(4)}];
  reg [1:0] at;
  always @* begin
    case (op)
{cases}
      default: next = memory[at] + {1 + random.below(31)};
    endcase
  end
  always @(posedge clk) begin
    if (rst) begin state <= 0; at <= 0; end
    else begin state <= next; memory[at] <= a; at <= at + 1; end
  end
  assign full = &at & (state == {width}'d{random.below(1 << width)});
endmodule
""")
    wires = "".join(f"  wire [15:0] w{i}; wire f{i};\n" for i in range(count))
    units = "".join(f"  unit{i} u{i}(.clk(clk), .rst(rst), .op(op ^ 4'd{i % 16}), .a(in), .b({'in' if not i else f'w{i - 1}'}), .state(w{i}), .full(f{i}));\n"
                    for i in range(count))
    lines.append(f"module top(input clk, rst, input [3:0] op, input [15:0] in, output [15:0] out, output any);\n"
                 f"{wires}{units}  assign out = w{count - 1};\n  assign any = {' | '.join(f'f{i}' for i in range(count))};\nendmodule\n")
    return "\n".join(lines)


def main():
    files = {
        "zstd/text.txt": make_text(512, 1),
        "bzip2/text.txt": make_text(2000, 2),
        "sqlite3/sales.sql": make_sql(8400),
        "tinyscheme/work.scm": SCHEME % {"tak": 3, "sort": 250, "queens": 5, "primes": 350},
        "yosys/units.v": make_verilog(4),
    }
    files.update({"esbuild/" + name: text for name, text in make_modules(30).items()})
    for name, text in files.items():
        path = os.path.join(sys.argv[1], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii", newline="\n") as file:
            file.write(text)


main()
