/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_diff: generated programs by number, without a fuzzing library.
 *
 *   exec_diff --seed A..B             runs and compares cases A to B, B excluded
 *   exec_diff --seconds S A           the same from A on for S seconds; says where it stopped
 *   exec_diff FILE…                   the same with cases of fuzz/regress or .wasm modules
 *   exec_diff --json A..B             prints the cases that agree as JSON lines, for diff_v8.mjs
 *   exec_diff --shrink SEED|FILE      makes a failing case smaller and prints it as text; FILE:
 * bytes of decisions, as fuzz_exec_diff has them exec_diff --corpus DIR A..B       writes the
 * cases' decisions, seeds for fuzz_exec_diff
 *
 * Before these: --features N what may be generated (gen.h; the sum of the bits), --oracle no engine
 * runs the cases, --coverage says which instructions no case has executed.
 */
#include "diff.h"

#include "hexfile.h"
#include "isa/opcode.h"
#include "ref_interp.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --features N, before all: what may be generated (gen.h), for engines that lack some. */
static u32 features = GEN_ALL;
/* --oracle: no engine runs the cases. */
static bool oracle_only;
/* --coverage: says which instructions no case has executed. */
static bool coverage;

static void run_choice(struct choice *choice, u64 seed, struct diff_report *r, struct gen_case *g)
{
    gen_case_new(choice, features, g);
    struct diff_case c = {
        .count = g->count, .seed = seed, .must_validate = true, .oracle_only = oracle_only};
    memcpy(c.module, g->module, sizeof c.module);
    diff_run(&c, r);
}

/* ---- seeds */

struct range {
    u64 from, to;
};

static bool parse_range(const char *s, struct range *out)
{
    char *end;
    out->from = strtoull(s, &end, 10);
    out->to = out->from + 1;
    if (end == s) return false;
    if (strncmp(end, "..", 2) == 0) out->to = strtoull(end + 2, &end, 10);
    return *end == 0;
}

struct totals {
    u64 cases[DIFF_VERDICTS], calls, traps, exceptions, funcs, stops;
};

static void count(struct totals *t, const struct diff_report *r)
{
    t->cases[r->verdict]++;
    t->calls += r->calls;
    t->traps += r->traps;
    t->exceptions += r->exceptions;
    t->funcs += r->funcs;
    t->stops += r->stops;
}

static void print_coverage(void)
{
    u32 missing = 0;
    for (u32 op = 0; op < VM_OP_COUNT; op++) {
        if (ref_executed[op] || vm_op_feature((vm_op)op) == VM_FEATURE_GC) continue;
        printf("never executed: %s\n", vm_op_name((vm_op)op));
        missing++;
    }
    printf("%u of %u instructions never executed (without those of GC)\n", missing, VM_OP_COUNT);
}

static int finish(const struct totals *t)
{
    if (coverage) print_coverage();
    u64 all = 0;
    for (u32 i = 0; i < DIFF_VERDICTS; i++) {
        all += t->cases[i];
        if (t->cases[i])
            printf("%s: %llu\n", diff_verdict_name[i], (unsigned long long)t->cases[i]);
    }
    printf("%llu functions, %llu calls, %llu of them trapped, %llu with an exception, "
           "%llu stops on the way\n",
           (unsigned long long)t->funcs, (unsigned long long)t->calls, (unsigned long long)t->traps,
           (unsigned long long)t->exceptions, (unsigned long long)t->stops);
    printf("%llu passed, %llu failed\n", (unsigned long long)(all - t->cases[DIFF_FOUND]),
           (unsigned long long)t->cases[DIFF_FOUND]);
    return t->cases[DIFF_FOUND] ? 1 : 0;
}

/** `seconds` 0: to the end of the range. */
static int run_seeds(struct range range, long seconds)
{
    struct totals t = {0};
    time_t end = time(NULL) + seconds;
    u64 seed = range.from;
    for (; seconds ? time(NULL) < end : seed < range.to; seed++) {
        struct choice choice = choice_random(seed);
        struct diff_report r = {0};
        struct gen_case g;
        run_choice(&choice, seed, &r, &g);
        gen_case_free(&g);
        count(&t, &r);
        if (r.verdict == DIFF_FOUND) printf("seed %llu: %s\n", (unsigned long long)seed, r.text);
    }
    if (seconds) printf("next program: %llu\n", (unsigned long long)seed);
    return finish(&t);
}

static int run_files(char **files)
{
    struct totals t = {0};
    for (; *files; files++) {
        struct diff_case c;
        struct diff_report r = {.verdict = DIFF_FOUND, .text = "not readable"};
        if (hexfile_read(*files, &c)) diff_run(&c, &r);
        hexfile_free(&c);
        count(&t, &r);
        printf("%s: %s %s\n", *files, diff_verdict_name[r.verdict], r.text);
    }
    return finish(&t);
}

static int print_json(struct range range)
{
    struct bytes json = {0};
    for (u64 seed = range.from; seed < range.to; seed++) {
        struct choice choice = choice_random(seed);
        struct diff_report r = {.json = &json};
        struct gen_case g;
        run_choice(&choice, seed, &r, &g);
        gen_case_free(&g);
        if (r.verdict == DIFF_SAME) (void)fwrite(json.data, 1, json.size, stdout);
    }
    bytes_free(&json);
    return 0;
}

static int write_corpus(const char *dir, struct range range)
{
    for (u64 seed = range.from; seed < range.to; seed++) {
        struct bytes log = {0};
        struct choice choice = choice_random(seed);
        struct gen_case g;
        char path[4096];
        choice.log = &log;
        gen_case_new(&choice, features, &g);
        gen_case_free(&g);
        (void)snprintf(path, sizeof path, "%s/seed-%llu", dir, (unsigned long long)seed);
        FILE *f = fopen(path, "wb");
        if (!f || fwrite(log.data, 1, log.size, f) != log.size || fclose(f) != 0) {
            (void)fprintf(stderr, "%s: not written\n", path);
            return 1;
        }
        bytes_free(&log);
    }
    return 0;
}

/* ---- shrinking */

/** How a log of decisions ends, tried in a process of its own: 0 fine, else the kind of failure. */
static int try_log(const struct bytes *log, u64 seed)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct choice choice = choice_bytes(log->data, log->size);
        struct diff_report r = {0};
        struct gen_case g;
        if (!freopen("/dev/null", "w", stderr)) _exit(0);
        (void)alarm(20);
        run_choice(&choice, seed, &r, &g);
        _exit(r.verdict == DIFF_FOUND ? 77 : 0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) return 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/** Takes `smaller` over when it fails in the same way. */
static bool accept(struct bytes *log, struct bytes *smaller, u64 seed, int kind)
{
    if (try_log(smaller, seed) != kind) return false;
    struct bytes old = *log;
    *log = *smaller;
    *smaller = old;
    return true;
}

static bool shrink_once(struct bytes *log, u64 seed, int kind)
{
    struct bytes t = {0};
    bool better = false;
    for (usize chunk = log->size / 2 + 1; chunk; chunk /= 2)
        for (usize at = 0; at < log->size;) {
            t.size = 0;
            bytes_put(&t, log->data, at);
            if (at + chunk < log->size)
                bytes_put(&t, log->data + at + chunk, log->size - at - chunk);
            if (accept(log, &t, seed, kind))
                better = true;
            else
                at += chunk;
        }
    for (usize at = 0; at < log->size; at++) {
        if (log->data[at] == 0) continue;
        t.size = 0;
        bytes_append(&t, log);
        t.data[at] = 0;
        better |= accept(log, &t, seed, kind);
    }
    bytes_free(&t);
    return better;
}

static bool read_log(const char *what, struct bytes *log, u64 *seed)
{
    struct range range;
    if (parse_range(what, &range)) {
        struct choice choice = choice_random(range.from);
        struct gen_case g;
        choice.log = log;
        gen_case_new(&choice, features, &g);
        gen_case_free(&g);
        *seed = range.from;
        return true;
    }
    FILE *f = fopen(what, "rb");
    char buf[4096];
    if (!f) return false;
    for (size_t n = fread(buf, 1, sizeof buf, f); n; n = fread(buf, 1, sizeof buf, f))
        bytes_put(log, buf, n);
    return fclose(f) == 0;
}

static int shrink(const char *what)
{
    struct bytes log = {0};
    u64 seed = 0;
    if (!read_log(what, &log, &seed)) return 2;
    int kind = try_log(&log, seed);
    if (kind == 0) {
        (void)fprintf(stderr, "%s: does not fail\n", what);
        return 2;
    }
    for (u32 i = 0; i < 6 && shrink_once(&log, seed, kind); i++)
        (void)fprintf(stderr, "%zu bytes of decisions\n", log.size);
    struct choice choice = choice_bytes(log.data, log.size);
    struct gen_case g;
    gen_case_new(&choice, features, &g);
    struct diff_case c = {.count = g.count, .seed = seed, .must_validate = true};
    memcpy(c.module, g.module, sizeof c.module);
    hexfile_write(stdout, &c, "shrunk");
    gen_case_free(&g);
    bytes_free(&log);
    return 0;
}

int main(int argc, char **argv)
{
    struct range range;
    for (bool more = true; more && argc > 2;) {
        more = false;
        if (strcmp(argv[1], "--features") == 0) {
            features = (u32)strtoul(argv[2], NULL, 0);
            argc -= 2;
            argv += 2;
            more = true;
        } else if (strcmp(argv[1], "--oracle") == 0) {
            oracle_only = more = true;
            argc--;
            argv++;
        } else if (strcmp(argv[1], "--coverage") == 0) {
            coverage = more = true;
            argc--;
            argv++;
        }
    }
    if (argc == 3 && strcmp(argv[1], "--seed") == 0 && parse_range(argv[2], &range))
        return run_seeds(range, 0);
    if (argc == 4 && strcmp(argv[1], "--seconds") == 0 && parse_range(argv[3], &range))
        return run_seeds(range, strtol(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "--json") == 0 && parse_range(argv[2], &range))
        return print_json(range);
    if (argc == 3 && strcmp(argv[1], "--shrink") == 0) return shrink(argv[2]);
    if (argc == 4 && strcmp(argv[1], "--corpus") == 0 && parse_range(argv[3], &range))
        return write_corpus(argv[2], range);
    if (argc > 1 && argv[1][0] != '-') return run_files(argv + 1);
    (void)fprintf(
        stderr,
        "usage: exec_diff [--features N] [--oracle] [--coverage] --seed A..B | --seconds S A | --json A..B "
        "| --shrink SEED|FILE | --corpus DIR A..B | FILE...\n");
    return 2;
}
