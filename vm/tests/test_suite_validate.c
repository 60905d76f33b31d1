/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoder and validator against the modules of the official test suite: those of `module` commands
 * are accepted, those of assert_invalid and assert_malformed refused in the right class and with
 * the right message. Nothing is executed. The directory of the converted scripts (one command a
 * line, "*.json" beside their ".wasm") is named by WASMRUN_SPECTEST_DIR, in the environment or at
 * compile time; without it the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binary/module.h"
#include "validate/validate.h"

enum { PATH_SIZE = 1024, LINE_SIZE = 1 << 20, MAX_FILES = 512, NAME_SIZE = 64 };

struct tally {
    unsigned valid, invalid, malformed, wrong;
};

struct command {
    char type[NAME_SIZE], filename[PATH_SIZE], text[PATH_SIZE];
    unsigned line;
};

/* ---------------------------------------------------------------- scripts */

/* The string member `key` of an object on one line, as it stands: no escapes are undone. */
static bool member(const char *line, const char *key, char *out, size_t cap)
{
    char quoted[NAME_SIZE];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(line, quoted);
    if (!at) return false;
    at += strlen(quoted);
    at += strspn(at, ": ");
    if (*at++ != '"') return false;
    size_t n = strcspn(at, "\"");
    if (n >= cap) return false;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

static bool parse_command(const char *line, struct command *c)
{
    memset(c, 0, sizeof *c);
    if (!member(line, "type", c->type, sizeof c->type)) return false;
    if (!member(line, "filename", c->filename, sizeof c->filename)) return false;
    member(line, "text", c->text, sizeof c->text);
    const char *number = strstr(line, "\"line\"");
    if (number) c->line = (unsigned)strtoul(number + 6 + strspn(number + 6, ": "), NULL, 10);
    size_t n = strlen(c->filename);
    return n > 5 && strcmp(c->filename + n - 5, ".wasm") == 0;
}

/* ---------------------------------------------------------------- modules */

/* A custom section, longer than what short cuts read ahead. */
static const unsigned char tail[] = {0, 30, 1, 'x', [31] = 0};

/* Its `size` bytes and, not counted, the tail behind them. */
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*size + sizeof tail);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, f), *size);
    memcpy(bytes + *size, tail, sizeof tail);
    fclose(f);
    return bytes;
}

static vm_status load_bytes(const unsigned char *bytes, size_t size, vm_features features,
                            struct vm_err *err)
{
    struct vm_module m;
    vm_err_init(err);
    vm_status s = vm_module_decode(&m, &vm_alloc_libc, bytes, size, err);
    if (s == VM_OK) {
        s = vm_validate_module(&m, features, &vm_alloc_libc, err);
        vm_module_free(&m);
    }
    return s;
}

/*
 * The last bytes of a module are left to the full rules, in most of the suite's modules much of the
 * only body: with something behind them short cuts serve those too, and must come to the same.
 */
static vm_status load(const char *path, vm_features features, struct vm_err *err)
{
    size_t size;
    unsigned char *bytes = read_file(path, &size);
    unsigned char *alone =
        malloc(size ? size : 1); /* so that a sanitizer sees who reads behind it */
    assert_non_null(alone);
    memcpy(alone, bytes, size);
    vm_status s = load_bytes(alone, size, features, err);
    if (s == VM_OK || s == VM_INVALID) {
        struct vm_err other;
        assert_int_equal(load_bytes(bytes, size + sizeof tail, features, &other), s);
        assert_string_equal(other.text, err->text);
        assert_int_equal(other.offset, err->offset);
        assert_int_equal(other.func_idx, err->func_idx);
    }
    free(alone);
    free(bytes);
    return s;
}

/* "unknown memory 1" is told as "unknown memory: 1 in i32.load". */
static bool text_fits(const char *wanted, const struct vm_err *err)
{
    const char *message = vm_error_text(err->id);
    size_t a = strlen(wanted), b = strlen(message);
    return strncmp(wanted, message, a < b ? a : b) == 0 ||
           strncmp(wanted, err->text, strlen(wanted)) == 0;
}

static const char *class_name(vm_status s)
{
    static const char *const names[] = {
        [VM_OK] = "accepted",        [VM_MALFORMED] = "malformed",
        [VM_INVALID] = "invalid",    [VM_UNSUPPORTED] = "unsupported",
        [VM_LIMIT] = "over a limit", [VM_OOM] = "out of memory"};
    return (size_t)s < VM_COUNT(names) && names[s] ? names[s] : "another error";
}

/*
 * Refused in the right class, told otherwise: the reference reads past the end of a section, which
 * a decoder with bounds sees first, and meets bodies before the sections behind them.
 */
static const struct command_line {
    const char *script;
    unsigned line;
} told_otherwise[] = {
    {"binary.json", 660},        {"binary.json", 737},
    {"binary-leb128.json", 217}, {"binary-leb128.json", 225},
    {"binary-leb128.json", 347}, {"binary-leb128.json", 404},
    {"binary-leb128.json", 461}, {"binary-leb128.json", 525},
    {"binary-leb128.json", 533}, {"binary-leb128.json", 541},
    {"binary-leb128.json", 550}, {"binary-leb128.json", 730},
    {"binary-leb128.json", 749}, {"binary-leb128.json", 843},
    {"binary-leb128.json", 862}, {"custom-page-sizes-invalid.json", 82},
};

static bool is_listed(const struct command_line *list, size_t count, const char *script,
                      unsigned line)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].script, script) == 0 && list[i].line == line) return true;
    }
    return false;
}

static void check_command(const char *script, const char *path, const struct command *c,
                          vm_features features, struct tally *t)
{
    vm_status want;
    if (strcmp(c->type, "assert_invalid") == 0) {
        want = VM_INVALID;
        t->invalid++;
    } else if (strcmp(c->type, "assert_malformed") == 0) {
        want = VM_MALFORMED;
        t->malformed++;
    } else if (strcmp(c->type, "module") == 0 || strcmp(c->type, "module_definition") == 0 ||
               strcmp(c->type, "assert_unlinkable") == 0 ||
               strcmp(c->type, "assert_uninstantiable") == 0) {
        want = VM_OK;
        t->valid++;
    } else {
        return;
    }
    struct vm_err err;
    vm_status got = load(path, features, &err);
    bool text_counts =
        want != VM_OK && !is_listed(told_otherwise, VM_COUNT(told_otherwise), script, c->line);
    if (got == want && (!text_counts || text_fits(c->text, &err))) return;
    t->wrong++;
    print_error("%s:%u (%s): wanted %s \"%s\", got %s \"%s\" at %llu\n", script, c->line,
                c->filename, class_name(want), c->text, class_name(got), err.text,
                (unsigned long long)err.offset);
}

static void run_script(const char *dir, const char *script, vm_features features, struct tally *t)
{
    char path[2 * PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", dir, script);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *line = malloc(LINE_SIZE);
    assert_non_null(line);
    struct command c;
    while (fgets(line, LINE_SIZE, f)) {
        if (!parse_command(line, &c)) continue;
        /* The threads proposal is older than multi-memory. */
        if (strcmp(c.text, "multiple memories") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", dir, c.filename);
        check_command(script, path, &c, features, t);
    }
    free(line);
    fclose(f);
}

static void run_directory(const char *sub, vm_features features, struct tally *t)
{
    const char *root = getenv("WASMRUN_SPECTEST_DIR");
#ifdef WASMRUN_SPECTEST_DIR
    if (!root) root = WASMRUN_SPECTEST_DIR;
#endif
    if (!root) skip();
    char dir[PATH_SIZE];
    snprintf(dir, sizeof dir, "%s/%s", root, sub);
    DIR *d = opendir(dir);
    if (!d) fail_msg("no directory %s", dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n < 5 || strcmp(e->d_name + n - 5, ".json") != 0) continue;
        run_script(dir, e->d_name, features, t);
    }
    closedir(d);
}

/* ---------------------------------------------------------------- directories */

static void test_core_modules_are_judged_as_the_spec_wants(void **state)
{
    (void)state;
    static const char *const dirs[] = {
        "core",          "core/bulk-memory",  "core/exceptions",   "core/gc",
        "core/memory64", "core/multi-memory", "core/relaxed-simd", "core/simd"};
    vm_features features = vm_features_all() & ~((vm_features)1 << VM_FEATURE_THREADS);
    struct tally t = {0};
    for (size_t i = 0; i < VM_COUNT(dirs); i++) {
        run_directory(dirs[i], features, &t);
    }
    print_message("core: %u valid, %u invalid, %u malformed\n", t.valid, t.invalid, t.malformed);
    assert_int_equal(t.wrong, 0);
    assert_int_equal(t.valid, 2249 + 7 + 200 + 54);
    assert_int_equal(t.invalid, 2723);
    assert_int_equal(t.malformed, 711);
}

static void test_legacy_exception_modules_are_judged(void **state)
{
    (void)state;
    struct tally t = {0};
    run_directory("legacy/exceptions", vm_features_all(), &t);
    assert_int_equal(t.wrong, 0);
    assert_int_equal(t.invalid, 12);
}

static void test_threads_modules_are_judged(void **state)
{
    (void)state;
    struct tally t = {0};
    run_directory("proposals/threads", vm_features_all(), &t);
    assert_int_equal(t.wrong, 0);
    assert_int_equal(t.invalid, 142);
}

static void test_wide_arithmetic_modules_are_judged(void **state)
{
    (void)state;
    struct tally t = {0};
    run_directory("proposals/wide-arithmetic", vm_features_all(), &t);
    assert_int_equal(t.wrong, 0);
    assert_int_equal(t.invalid, 8);
}

static void test_custom_page_size_modules_are_judged(void **state)
{
    (void)state;
    struct tally t = {0};
    run_directory("proposals/custom-page-sizes", vm_features_all(), &t);
    assert_int_equal(t.wrong, 0);
    assert_int_equal(t.invalid, 19);
    assert_int_equal(t.malformed, 108);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_modules_are_judged_as_the_spec_wants),
        cmocka_unit_test(test_legacy_exception_modules_are_judged),
        cmocka_unit_test(test_threads_modules_are_judged),
        cmocka_unit_test(test_wide_arithmetic_modules_are_judged),
        cmocka_unit_test(test_custom_page_size_modules_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
