/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the `spectest` host module that the scripts import from. */
#include "spectest.h"

#include <string.h>

/* The scripts print only to show that the call works; what they print does not matter. */
static wr_status_t host_print(wr_call_t *call, wr_slot_t *slots, void *env)
{
    (void)call;
    (void)slots;
    (void)env;
    return WR_OK;
}

struct host_func {
    const char *name;
    const char *signature;
};

static const struct host_func host_funcs[] = {
    {"print", ":"},      {"print_i32", "i:"},      {"print_i64", "I:"},      {"print_f32", "f:"},
    {"print_f64", "F:"}, {"print_i32_f32", "if:"}, {"print_f64_f64", "FF:"},
};

struct host_global {
    const char *name;
    wr_val_t value;
};

static const struct host_global host_globals[] = {
    {"global_i32", {.kind = WR_I32, .of = {.i32 = 666}}},
    {"global_i64", {.kind = WR_I64, .of = {.i64 = 666}}},
    {"global_f32", {.kind = WR_F32, .of = {.f32 = 666.6f}}},
    {"global_f64", {.kind = WR_F64, .of = {.f64 = 666.6}}},
};

struct host_table {
    const char *name;
    wr_limits_t limits;
};

static const struct host_table host_tables[] = {
    {"table", {.min = 10, .max = 20, .is_64 = false}},
    {"table64", {.min = 10, .max = 20, .is_64 = true}},
};

static wr_name_t name_of(const char *text) { return (wr_name_t){text, strlen(text)}; }

static wr_status_t define(wr_linker_t *linker, wr_store_t *store, const char *name,
                          wr_extern_t item, wr_error_t *err)
{
    return wr_linker_define(linker, name_of("spectest"), name_of(name), store, item, err);
}

static wr_status_t define_globals(wr_linker_t *linker, wr_store_t *store, wr_error_t *err)
{
    for (size_t i = 0; i < sizeof host_globals / sizeof host_globals[0]; i++) {
        wr_extern_t item = {.kind = WR_EXTERN_GLOBAL};
        wr_status_t status =
            wr_global_new(store, false, &host_globals[i].value, &item.of.global, err);
        if (status == WR_OK) {
            status = define(linker, store, host_globals[i].name, item, err);
        }
        if (status != WR_OK) {
            return status;
        }
    }
    return WR_OK;
}

static wr_status_t define_tables(wr_linker_t *linker, wr_store_t *store, wr_error_t *err)
{
    for (size_t i = 0; i < sizeof host_tables / sizeof host_tables[0]; i++) {
        wr_extern_t item = {.kind = WR_EXTERN_TABLE};
        wr_status_t status =
            wr_table_new(store, WR_FUNCREF, host_tables[i].limits, &item.of.table, err);
        if (status == WR_OK) {
            status = define(linker, store, host_tables[i].name, item, err);
        }
        if (status != WR_OK) {
            return status;
        }
    }
    return WR_OK;
}

wr_status_t spec_host_define(wr_linker_t *linker, wr_store_t *store, wr_error_t *err)
{
    for (size_t i = 0; i < sizeof host_funcs / sizeof host_funcs[0]; i++) {
        wr_status_t status = wr_linker_define_raw(linker, "spectest", host_funcs[i].name,
                                                  host_funcs[i].signature, host_print, NULL, err);
        if (status != WR_OK) {
            return status;
        }
    }
    wr_status_t status = define_globals(linker, store, err);
    if (status == WR_OK) {
        status = define_tables(linker, store, err);
    }
    if (status != WR_OK) {
        return status;
    }
    wr_extern_t item = {.kind = WR_EXTERN_MEMORY};
    wr_limits_t limits = {.min = 1, .max = 2, .is_64 = false};
    status = wr_memory_new(store, limits, &item.of.memory, err);
    return status == WR_OK ? define(linker, store, "memory", item, err) : status;
}
