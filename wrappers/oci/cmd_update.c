/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_update.c - `update`: limits of a container's group, from JSON and from options. */
#include "common/text.h"
#include "oci/oci.h"
#include "oci/state.h"

#include <stdlib.h>
#include <string.h>

enum { OPT_RESOURCES = 1, OPT_REFUSED, OPT_FIRST };

/* Where an option's value goes in linux.resources. */
struct place {
    const char *option;
    const char *group, *member;
    enum { NUMBER, BYTES, TEXT } kind;
};
// clang-format off
static const struct place places[] = {
    {"blkio-weight",       "blockIO", "weight",          NUMBER},
    {"cpu-period",         "cpu",     "period",          NUMBER},
    {"cpu-quota",          "cpu",     "quota",           NUMBER},
    {"cpu-burst",          "cpu",     "burst",           NUMBER},
    {"cpu-share",          "cpu",     "shares",          NUMBER},
    {"cpu-rt-period",      "cpu",     "realtimePeriod",  NUMBER},
    {"cpu-rt-runtime",     "cpu",     "realtimeRuntime", NUMBER},
    {"cpu-idle",           "cpu",     "idle",            NUMBER},
    {"cpuset-cpus",        "cpu",     "cpus",            TEXT},
    {"cpuset-mems",        "cpu",     "mems",            TEXT},
    {"memory",             "memory",  "limit",           BYTES},
    {"memory-reservation", "memory",  "reservation",     BYTES},
    {"memory-swap",        "memory",  "swap",            BYTES},
    {"pids-limit",         "pids",    "limit",           NUMBER},
};
static const struct wrap_option options[] = {
    {"resources",          'r', "FILE|-", OPT_RESOURCES,  "JSON as linux.resources has it; the others are left out"},
    {"blkio-weight",       0,   "N",      OPT_FIRST,      "weight of input and output, 10 to 1000"},
    {"cpu-period",         0,   "US",     OPT_FIRST + 1,  "period of the quota, microseconds"},
    {"cpu-quota",          0,   "US",     OPT_FIRST + 2,  "time in each period, microseconds"},
    {"cpu-burst",          0,   "US",     OPT_FIRST + 3,  "time that may be saved up, microseconds"},
    {"cpu-share",          0,   "N",      OPT_FIRST + 4,  "weight against other groups"},
    {"cpu-rt-period",      0,   "US",     OPT_FIRST + 5,  "the same for real time"},
    {"cpu-rt-runtime",     0,   "US",     OPT_FIRST + 6,  "the same for real time"},
    {"cpu-idle",           0,   "0|1",    OPT_FIRST + 7,  "only when nobody else wants the CPU"},
    {"cpuset-cpus",        0,   "LIST",   OPT_FIRST + 8,  "CPUs that may be used"},
    {"cpuset-mems",        0,   "LIST",   OPT_FIRST + 9,  "memory nodes that may be used"},
    {"memory",             0,   "BYTES",  OPT_FIRST + 10, "limit of memory; k, m, g may follow"},
    {"memory-reservation", 0,   "BYTES",  OPT_FIRST + 11, "memory that is kept when it is scarce"},
    {"memory-swap",        0,   "BYTES",  OPT_FIRST + 12, "limit of memory and swap; -1: none"},
    {"pids-limit",         0,   "N",      OPT_FIRST + 13, "limit of processes; -1: none"},
    {"kernel-memory",      0,   "BYTES",  OPT_REFUSED,    "obsolete, without meaning"},
    {"kernel-memory-tcp",  0,   "BYTES",  OPT_REFUSED,    "obsolete, without meaning"},
    {"l3-cache-schema",    0,   "TEXT",   OPT_REFUSED,    "for Linux containers"},
    {"mem-bw-schema",      0,   "TEXT",   OPT_REFUSED,    "for Linux containers"},
};
// clang-format on

struct update {
    const char *file;
    json_t *doc; /* of the single options */
};

static bool value_of(const struct place *place, const char *text, json_t **out,
                     struct wrap_error *err)
{
    long long number = 0;
    uint64_t bytes = 0;
    if (place->kind == TEXT) {
        *out = json_string(text);
        return *out ||
               wrap_fail(err, WRAP_INVALID_ARGUMENT, "option '--%s': not UTF-8", place->option);
    }
    if (place->kind == BYTES && wrap_parse_size(text, &bytes) && bytes <= INT64_MAX) {
        *out = json_integer((json_int_t)bytes);
        return true;
    }
    if (!wrap_oci_number(place->option, text, &number, err)) return false;
    *out = json_integer(number);
    return true;
}

static bool take(void *out, int id, const char *value, struct wrap_error *err)
{
    struct update *update = out;
    if (id == OPT_RESOURCES) {
        update->file = value;
        return true;
    }
    if (id == OPT_REFUSED) return true;
    const struct place *place = &places[id - OPT_FIRST];
    json_t *made = NULL;
    if (!value_of(place, value, &made, err)) return false;
    if (!json_object_get(update->doc, place->group)) {
        json_object_set_new(update->doc, place->group, json_object());
    }
    return json_object_set_new(json_object_get(update->doc, place->group), place->member, made) ==
               0 ||
           wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
}

/* The JSON of the limits; malloc'ed. */
static char *read_limits(const struct update *update, struct wrap_error *err)
{
    json_error_t why = {0};
    json_t *doc = json_incref(update->doc);
    if (update->file) {
        json_decref(doc);
        bool from_stdin = strcmp(update->file, "-") == 0;
        doc = from_stdin ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &why)
                         : json_load_file(update->file, JSON_REJECT_DUPLICATES, &why);
        if (!doc)
            wrap_fail(err, WRAP_INVALID_ARGUMENT, "--resources %s: %s", update->file, why.text);
    }
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    if (!text) wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "out of memory");
    json_decref(doc);
    return text;
}

static bool set_limits(const struct wrap_oci_state_doc *state, const struct update *update,
                       struct wrap_error *err)
{
    struct wrap_spec *spec = NULL;
    char *text = read_limits(update, err);
    bool good = text && wrap_spec_parse_resources(text, strlen(text), &spec, err);
    if (good && wrap_oci_status_of(state) == WRAP_OCI_STOPPED) {
        good = wrap_fail(err, WRAP_FAILED_PRECONDITION, "container not running");
    }
    struct wrap_cgroup *cgroup = good ? wrap_oci_state_cgroup(state, err) : NULL;
    good = cgroup && wrap_cgroup_update(cgroup, &spec->resources, err);
    wrap_cgroup_free(cgroup);
    wrap_spec_free(spec);
    free(text);
    return good;
}

static int run(const struct wrap_command *self, int argc, char **argv)
{
    static const int words[2] = {1, 1};
    struct wrap_opts opts = {.command = self, .argc = argc, .argv = argv};
    struct wrap_oci_state_doc state;
    struct update update = {.doc = json_object()};
    struct wrap_error err = {0};
    int code = 0;
    int at = wrap_oci_parse(&opts, take, &update, words, &code);
    if (at >= 0 && wrap_oci_find(argv[at], WRAP_OCI_CHANGE, &state, &code)) {
        code = set_limits(&state, &update, &err) ? 0 : wrap_oci_complain(&err);
        wrap_oci_state_close(&state);
    }
    json_decref(update.doc);
    return code;
}

const struct wrap_command wrap_oci_update = {
    .name = "update",
    .usage = WRAP_OCI_PROGRAM " update [OPTIONS] ID",
    .summary = "Changes limits of a container; those that are not named stay.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
