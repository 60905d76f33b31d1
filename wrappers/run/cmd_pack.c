/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pack.c - `wasmrun pack MODULE... -o FILE`: images and artifacts for container tools. */
#include "common/error.h"
#include "pack/output.h"
#include "pack/pack.h"
#include "run/run.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum pack_option {
    OPT_OUTPUT = 1,
    OPT_FORMAT,
    OPT_REF,
    OPT_PLATFORM,
    OPT_ENTRYPOINT,
    OPT_ENV,
    OPT_WORKDIR,
    OPT_LABEL,
    OPT_ANNOTATION,
    OPT_ADD,
    OPT_NO_VALIDATE,
};

static const struct wrap_option pack_options[] = {
    {"output", 'o', "FILE|-", OPT_OUTPUT, "the tar file to write; -: standard output"},
    {"format", 0, "oci|artifact", OPT_FORMAT, "an image (default), or a Wasm artifact"},
    {"ref", 0, "NAME[:TAG]", OPT_REF, "the image's name (localhost/MODULE:latest)"},
    {"platform", 0, "OS/ARCH[/VARIANT]", OPT_PLATFORM, "what it is for (wasip1/wasm)"},
    {"entrypoint", 0, "PATH[#FUNC]", OPT_ENTRYPOINT, "the module to run (the first)"},
    {"env", 0, "K=V", OPT_ENV, "a variable of the program"},
    {"workdir", 0, "DIR", OPT_WORKDIR, "its working directory"},
    {"label", 0, "K=V", OPT_LABEL, "a label of the image"},
    {"annotation", 0, "K=V", OPT_ANNOTATION,
     "an annotation of the manifest; empty V: not that one"},
    {"add", 0, "HOST:PATH", OPT_ADD, "a file or folder into the image"},
    {"no-validate", 0, NULL, OPT_NO_VALIDATE, "pack what is no valid module, too"},
    WRAP_FEATURES_OPTION,
};

/* What the module of standard input is called, and the one annotation that is there unasked. */
static const char stdin_name[] = "module.wasm";
static const char variant_key[] = "module.wasm.image/variant";

struct packing {
    struct wrap_pack pack;
    const char *output;
    const char *ref;
    const char *entrypoint;
    char *platform; /* own; os, arch and variant point into it */
    char **modules; /* own */
    size_t module_count;
    char **adds; /* own */
    size_t add_count;
    char *module_path; /* own: the first module's in the image */
    bool unchecked;
    wr_features_t features;
    struct wrap_error err;
};

/* ---------------------------------------------------------------- options */

/* OS/ARCH[/VARIANT] */
static bool take_platform(struct packing *packing, const char *value)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/";
    free(packing->platform);
    packing->platform = strdup(value);
    char *arch = packing->platform ? strchr(packing->platform, '/') : NULL;
    char *variant = arch ? strchr(arch + 1, '/') : NULL;
    if (!arch || arch == packing->platform || !arch[1] || arch[1] == '/' ||
        (variant && (!variant[1] || strchr(variant + 1, '/'))) || value[strspn(value, good)]) {
        wrap_say("--platform '%s' is not OS/ARCH[/VARIANT]", value);
        return false;
    }
    *arch = 0;
    packing->pack.os = packing->platform;
    packing->pack.arch = arch + 1;
    packing->pack.variant = variant ? variant + 1 : "";
    if (variant) {
        *variant = 0;
    }
    return true;
}

static bool take_format(struct packing *packing, const char *value)
{
    if (strcmp(value, "oci") != 0 && strcmp(value, "artifact") != 0) {
        wrap_say("--format '%s' is neither oci nor artifact", value);
        return false;
    }
    packing->pack.format = strcmp(value, "oci") == 0 ? WRAP_PACK_OCI : WRAP_PACK_ARTIFACT;
    return true;
}

static bool pair_good(const char *option, const char *value, const char **equals)
{
    *equals = strchr(value, '=');
    if (!*equals || *equals == value) {
        wrap_say("--%s '%s' is not K=V", option, value);
        return false;
    }
    return true;
}

/* Takes the text if it could be made. */
static bool keep_text(const char *option, int failed)
{
    if (failed) {
        wrap_say("--%s: not UTF-8, or out of memory", option);
    }
    return !failed;
}

static bool take_pair(json_t *object, const char *option, const char *value)
{
    const char *equals = NULL;
    if (!pair_good(option, value, &equals)) {
        return false;
    }
    return keep_text(option, json_object_setn_new(object, value, (size_t)(equals - value),
                                                  json_string(equals + 1)));
}

/* The last of one name wins. */
static bool take_env(json_t *env, const char *value)
{
    const char *equals = NULL;
    if (!pair_good("env", value, &equals)) {
        return false;
    }
    size_t i = 0;
    for (; i < json_array_size(env); i++) {
        const char *there = json_string_value(json_array_get(env, i));
        if (strncmp(there, value, (size_t)(equals - value) + 1) == 0) {
            return keep_text("env", json_array_set_new(env, i, json_string(value)));
        }
    }
    return keep_text("env", json_array_append_new(env, json_string(value)));
}

static bool take_option(struct packing *packing, int id, const char *value)
{
    struct wrap_pack *pack = &packing->pack;
    switch (id) {
    case OPT_OUTPUT: packing->output = value; return true;
    case OPT_FORMAT: return take_format(packing, value);
    case OPT_REF: packing->ref = value; return true;
    case OPT_PLATFORM: return take_platform(packing, value);
    case OPT_ENTRYPOINT: packing->entrypoint = value; return true;
    case OPT_ENV: return take_env(pack->env, value);
    case OPT_WORKDIR: pack->workdir = value; return true;
    case OPT_LABEL: return take_pair(pack->labels, "label", value);
    case OPT_ANNOTATION: return take_pair(pack->annotations, "annotation", value);
    case OPT_ADD: return wrap_list_add(&packing->adds, &packing->add_count, value);
    case OPT_NO_VALIDATE: packing->unchecked = true; return true;
    case WRAP_OPT_FEATURES: return wrap_features_apply(&packing->features, value);
    default: return false;
    }
}

/* SOURCE_DATE_EPOCH, 0 without it. Source: the specification of reproducible-builds.org. */
static bool take_time(int64_t *time)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL;
    *time = 0;
    if (!text || !text[0]) {
        return true;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || *end || !isdigit((unsigned char)text[0]) || value > WRAP_TAR_TIME_MAX) {
        wrap_say("SOURCE_DATE_EPOCH '%s' is no time in seconds", text);
        return false;
    }
    *time = value;
    return true;
}

/* Options and modules in any order, what follows -- are arguments; < 0: go on. */
static int read_words(struct packing *packing, const struct wrap_command *self, int argc,
                      char **argv)
{
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    while (opts.at < argc) {
        int before = opts.at;
        int id = wrap_opts_next(&opts);
        if (wrap_common_option(self, id)) {
            return WRAP_EXIT_OK;
        }
        if (id == WRAP_OPTS_END && opts.at > before) {
            break; /* it was -- */
        }
        bool good = id == WRAP_OPTS_END
                        ? wrap_list_add(&packing->modules, &packing->module_count, argv[opts.at++])
                        : take_option(packing, id, opts.value);
        if (!good) {
            return wrap_opts_hint(self);
        }
    }
    for (; opts.at < argc; opts.at++) {
        if (!keep_text("", json_array_append_new(packing->pack.args, json_string(argv[opts.at])))) {
            return WRAP_EXIT_USAGE;
        }
    }
    if (!packing->module_count || !packing->output) {
        wrap_say(packing->module_count ? "no --output FILE given" : "no MODULE given");
        return wrap_opts_hint(self);
    }
    return -1;
}

/* ---------------------------------------------------------------- modules */

static int exit_of(const struct wrap_error *err)
{
    return err->code == WRAP_NOT_FOUND             ? WRAP_EXIT_NOT_FOUND
           : err->code == WRAP_FAILED_PRECONDITION ? WRAP_EXIT_INVALID
                                                   : WRAP_EXIT_USAGE;
}

static int say_error(const struct packing *packing)
{
    wrap_say("%s", packing->err.text);
    return exit_of(&packing->err);
}

/* What a module is called in the image: its file's name, which ends in .wasm. */
static char *name_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *base = strcmp(file, "-") == 0 ? stdin_name : slash ? slash + 1 : file;
    size_t size = strlen(base);
    bool ends = size > 5 && strcmp(base + size - 5, ".wasm") == 0;
    char *name = malloc(size + sizeof ".wasm");
    if (name) {
        memcpy(name, base, size);
        strcpy(name + size, ends ? "" : ".wasm");
    }
    return name;
}

static int validate(const struct packing *packing, wr_engine_t *engine, const char *file)
{
    const struct wrap_pack_file *row = &packing->pack.files.rows[packing->pack.files.count - 1];
    if (wrap_component_is(row->bytes, row->size)) {
        wrap_say("%s: a component, which cannot be validated (or run) by this version; "
                 "--no-validate packs it",
                 wrap_file_name(file));
        return WRAP_EXIT_INVALID;
    }
    wr_error_t err = {.offset = UINT64_MAX, .func_idx = UINT32_MAX};
    wr_module_t *module = NULL;
    wr_status_t status = wr_module_new(engine, row->bytes, row->size, &module, &err);
    wr_module_delete(module);
    return status == WR_OK ? WRAP_EXIT_OK : wrap_report(wrap_file_name(file), status, &err);
}

static int add_module(struct packing *packing, wr_engine_t *engine, const char *file)
{
    char *name = name_of(file);
    bool good = name && wrap_pack_file_add(&packing->pack.files, file, name, 0755, &packing->err);
    if (good && !packing->module_path) {
        packing->module_path = name;
        name = NULL;
    }
    free(name);
    if (!good) {
        wrap_fail(&packing->err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
        return say_error(packing);
    }
    return engine ? validate(packing, engine, file) : WRAP_EXIT_OK;
}

static int add_modules(struct packing *packing)
{
    wr_engine_t *engine = packing->unchecked ? NULL : wrap_engine_new(packing->features);
    if (!engine && !packing->unchecked) {
        return WRAP_EXIT_INVALID;
    }
    int code = WRAP_EXIT_OK;
    for (size_t i = 0; code == WRAP_EXIT_OK && i < packing->module_count; i++) {
        code = add_module(packing, engine, packing->modules[i]);
    }
    wr_engine_delete(engine);
    return code;
}

/* HOST:PATH; the last colon counts. */
static int add_files(struct packing *packing)
{
    for (size_t i = 0; i < packing->add_count; i++) {
        char *colon = strrchr(packing->adds[i], ':');
        if (!colon || colon == packing->adds[i] || colon[1] != '/') {
            wrap_say("--add '%s' is not HOST:PATH with an absolute PATH", packing->adds[i]);
            return WRAP_EXIT_USAGE;
        }
        *colon = 0;
        if (!wrap_pack_tree_add(&packing->pack.files, packing->adds[i], colon + 1, &packing->err)) {
            return say_error(packing);
        }
    }
    return WRAP_EXIT_OK;
}

/* ---------------------------------------------------------------- what is not given */

/* localhost/MODULE:latest, in lowercase. */
static bool usual_ref(struct packing *packing)
{
    char text[WRAP_REF_NAME_MAX];
    int size = snprintf(text, sizeof text, "localhost/%.*s", 200, packing->module_path);
    for (int i = (int)strlen("localhost/"); i < size; i++) {
        text[i] = (char)tolower((unsigned char)text[i]);
    }
    if (size > 5 && strcmp(text + size - 5, ".wasm") == 0) {
        text[size - 5] = 0;
    }
    if (wrap_ref_parse(text, &packing->pack.ref, NULL)) {
        return true;
    }
    return wrap_fail(&packing->err, WRAP_INVALID_ARGUMENT,
                     "'%s' makes no image name: give one with --ref", packing->module_path);
}

static bool usual_entrypoint(struct packing *packing)
{
    struct wrap_pack *pack = &packing->pack;
    if (!packing->entrypoint) {
        return asprintf(&pack->entrypoint, "/%s", packing->module_path) > 0;
    }
    char *path = strdup(packing->entrypoint);
    if (!path) {
        return false;
    }
    path[strcspn(path, "#")] = 0;
    const struct wrap_pack_file *file =
        path[0] == '/' ? wrap_pack_file_find(&pack->files, path) : NULL;
    pack->entrypoint = strdup(packing->entrypoint);
    if (!file || !file->bytes) {
        wrap_fail(&packing->err, WRAP_INVALID_ARGUMENT,
                  "--entrypoint '%s': there is no such file in the image", packing->entrypoint);
    }
    free(path);
    return file && file->bytes && pack->entrypoint;
}

/* crun, podman and CRI-O go by this one; empty: not wanted. */
static bool usual_annotations(const struct wrap_pack *pack)
{
    if (pack->format == WRAP_PACK_OCI && !json_object_get(pack->annotations, variant_key) &&
        json_object_set_new(pack->annotations, variant_key, json_string("compat")) != 0) {
        return false;
    }
    void *next = NULL;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach_safe(pack->annotations, next, key, value)
    {
        if (!json_string_length(value)) {
            json_object_del(pack->annotations, key);
        }
    }
    return true;
}

static bool artifact_good(struct packing *packing)
{
    struct wrap_pack *pack = &packing->pack;
    const struct wrap_pack_file *module = &pack->files.rows[0];
    const char *os = wrap_component_is(module->bytes, module->size) ? "wasip2" : "wasip1";
    if (packing->module_count != 1) {
        return wrap_fail(&packing->err, WRAP_INVALID_ARGUMENT,
                         "an artifact has one module; readers reject more");
    }
    if (packing->add_count || packing->entrypoint || pack->workdir ||
        json_array_size(pack->args) + json_array_size(pack->env) + json_object_size(pack->labels)) {
        return wrap_fail(&packing->err, WRAP_INVALID_ARGUMENT,
                         "an artifact is a module alone: no files, arguments, variables or labels");
    }
    if (packing->platform &&
        (strcmp(pack->os, os) != 0 || strcmp(pack->arch, "wasm") != 0 || pack->variant[0])) {
        return wrap_fail(&packing->err, WRAP_INVALID_ARGUMENT,
                         "--platform: this artifact is for %s/wasm", os);
    }
    pack->os = os;
    return true;
}

static bool fill_in(struct packing *packing)
{
    struct wrap_pack *pack = &packing->pack;
    bool good =
        packing->ref ? wrap_ref_parse(packing->ref, &pack->ref, &packing->err) : usual_ref(packing);
    good = good && wrap_pack_files_finish(&pack->files, &packing->err);
    if (good && pack->workdir && pack->workdir[0] != '/') {
        good = wrap_fail(&packing->err, WRAP_INVALID_ARGUMENT, "--workdir '%s' is not absolute",
                         pack->workdir);
    }
    good = good && (pack->format == WRAP_PACK_OCI || artifact_good(packing));
    good = good && usual_entrypoint(packing) && usual_annotations(pack);
    return good || wrap_fail(&packing->err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

static int write_out(struct packing *packing)
{
    struct wrap_output out;
    if (!wrap_output_open(&out, packing->output, &packing->err)) {
        return say_error(packing);
    }
    struct wrap_error err = {0};
    bool good = wrap_pack_write(&packing->pack, wrap_output_write, &out, &err);
    if (out.problem) {
        wrap_fail_errno(&packing->err, out.problem, "%s", packing->output);
    } else if (!good) {
        packing->err = err;
    }
    if (!wrap_output_close(&out, good, &packing->err)) {
        return say_error(packing);
    }
    return WRAP_EXIT_OK;
}

static int cmd_pack(const struct wrap_command *self, int argc, char **argv)
{
    struct packing packing = {
        .pack = {.os = "wasip1", .arch = "wasm", .variant = ""},
        .features = wr_features_default(),
    };
    packing.pack.args = json_array();
    packing.pack.env = json_array();
    packing.pack.labels = json_object();
    packing.pack.annotations = json_object();
    int code = read_words(&packing, self, argc, argv);
    if (code < 0) {
        code = take_time(&packing.pack.time) ? add_modules(&packing) : WRAP_EXIT_USAGE;
        code = code == WRAP_EXIT_OK ? add_files(&packing) : code;
        if (code == WRAP_EXIT_OK && !fill_in(&packing)) {
            code = say_error(&packing);
        }
        code = code == WRAP_EXIT_OK ? write_out(&packing) : code;
    }
    wrap_pack_free(&packing.pack);
    wrap_list_free(packing.modules, packing.module_count);
    wrap_list_free(packing.adds, packing.add_count);
    free(packing.platform);
    free(packing.module_path);
    return code;
}

const struct wrap_command wrap_command_pack = {
    .name = "pack",
    .usage = "wasmrun pack [OPTIONS] MODULE|-... -o FILE [-- ARGS...]",
    .summary = "Makes a container image, or a Wasm artifact, of modules.",
    .notes =
        "The image is one layer with each module as /NAME.wasm; ARGS are the arguments unless\n"
        "others are given when it is run. It can be read by ctr, docker, podman and skopeo\n"
        "(oci-archive: and docker-archive:). The same modules and options give the same bytes;\n"
        "the time in them is $SOURCE_DATE_EPOCH, or 0.\n"
        "\n"
        "Exit: 0; 125 for wrong usage or when FILE cannot be written; 126, 127 as for validate.\n",
    .options = pack_options,
    .option_count = sizeof pack_options / sizeof pack_options[0],
    .run = cmd_pack,
    .operands = "files",
};
