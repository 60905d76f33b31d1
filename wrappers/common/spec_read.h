/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_read.h - reads members of JSON objects into structs, by tables of what they are; errors name
 * the member. Internal to spec*.c. Not here: what any member means.
 *
 * `null` is the same as a member that is not there, as it is for Go's runtimes. Unknown members are
 * ignored (config.md, extensibility); names are compared with their case, as the specification
 * writes them, though Go's readers would take any.
 */
#ifndef WRAPPERS_COMMON_SPEC_READ_H
#define WRAPPERS_COMMON_SPEC_READ_H

#include "common/error.h"
#include "common/pool.h"
#include "common/spec.h"

#include <jansson.h>

enum { WRAP_READ_DEPTH = 12 };

/** What one parse has at hand. */
struct wrap_reader {
    struct wrap_pool *pool;
    struct wrap_error *err;
    const char *unsupported; /**< the first member that can't be honoured */
    unsigned depth;
    struct wrap_read_step {
        const char *name;
        size_t index; /**< of an array's item; SIZE_MAX: none */
    } path[WRAP_READ_DEPTH];
};

typedef bool (*wrap_read_fn)(struct wrap_reader *reader, const json_t *json, void *out);
typedef bool (*wrap_check_fn)(struct wrap_reader *reader, void *object);

enum wrap_field_kind {
    WRAP_FIELD_BOOL,
    WRAP_FIELD_TEXT,     /**< const char *; "" when not given */
    WRAP_FIELD_TEXT_IF,  /**< const char *; NULL when not given or "" */
    WRAP_FIELD_PATH,     /**< WRAP_FIELD_TEXT that is absolute when not "" */
    WRAP_FIELD_LIST,     /**< struct wrap_strings */
    WRAP_FIELD_MAP,      /**< items of struct wrap_key_value */
    WRAP_FIELD_U16,
    WRAP_FIELD_U32,
    WRAP_FIELD_INT,
    WRAP_FIELD_I64,
    WRAP_FIELD_U64,
    WRAP_FIELD_MAYBE,    /**< struct wrap_maybe */
    WRAP_FIELD_MAYBE_NZ, /**< the same; 0 means not given, as runc has it */
    WRAP_FIELD_WORD,     /**< an int or enum: of `words` */
    WRAP_FIELD_OBJECT,   /**< of `shape`, in place */
    WRAP_FIELD_ITEMS,    /**< of `shape`: a pointer and behind it a size_t, the count */
    WRAP_FIELD_CALL,     /**< what `read` makes of it */
    WRAP_FIELD_REFUSED,  /**< can't be honoured unless empty, 0 or false */
};

struct wrap_word {
    const char *word;
    int value;
};
struct wrap_words {
    const struct wrap_word *items;
    size_t count;
};

struct wrap_field {
    const char *name;
    enum wrap_field_kind kind;
    size_t offset;
    bool required;
    int64_t min;       /**< of numbers */
    uint64_t max;      /**< of numbers; of LIST, MAP and ITEMS the most items */
    int64_t otherwise; /**< number when not given */
    const struct wrap_words *words;
    const struct wrap_shape *shape;
    wrap_read_fn read;
};

struct wrap_shape {
    const struct wrap_field *fields;
    size_t field_count;
    size_t size; /**< of the struct */
    wrap_check_fn check; /**< after all members; NULL: none */
};
#define WRAP_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define WRAP_SHAPE(fields, type, check) {fields, WRAP_COUNT_OF(fields), sizeof(type), check}
#define WRAP_WORDS(items) {items, WRAP_COUNT_OF(items)}

/** An error about the member that is being read: "linux.devices[2].type: WHAT". False. */
bool wrap_read_fail(struct wrap_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The same about a member of the object that is being checked. */
bool wrap_read_fail_at(struct wrap_reader *reader, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Notes that the member that is being read can't be honoured. False: no memory. */
bool wrap_read_refuse(struct wrap_reader *reader);

/** Reads an object; NULL: none is given, so all members have their defaults. */
bool wrap_read_object(struct wrap_reader *reader, const json_t *json,
                      const struct wrap_shape *shape, void *out);
/** The path grows by a name (and an index) while something inside is read. */
bool wrap_read_enter(struct wrap_reader *reader, const char *name, size_t index);
void wrap_read_leave(struct wrap_reader *reader);

/** Finds a word; -1: there is none such (no value of a word is negative). */
int wrap_word_value(const struct wrap_words *words, const char *word);
/** Memory of the spec; NULL after filling the error. */
void *wrap_read_take(struct wrap_reader *reader, size_t count, size_t size);
/** A text in the spec's memory; NULL after filling the error. */
const char *wrap_read_format(struct wrap_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---------------------------------------------------------------- the parts: spec_*.c */

extern const struct wrap_shape wrap_process_shape;
extern const struct wrap_shape wrap_resources_shape;
extern const struct wrap_shape wrap_seccomp_shape;
/** Reads `linux` into a struct wrap_spec. */
extern const struct wrap_shape wrap_linux_shape;
extern const struct wrap_shape wrap_id_map_shape;
/** What holds between members of a whole configuration. */
bool wrap_linux_check(struct wrap_reader *reader, const struct wrap_spec *spec);
/** Which of `linux.sysctl` would reach out of the container's namespaces. */
bool wrap_sysctl_check(struct wrap_reader *reader, const struct wrap_spec *spec);

#endif
