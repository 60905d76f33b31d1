/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedder outside the tree: .ci/checks/install builds it against an installed wasmrun, with
 * pkg-config and with CMake. It adds two numbers in a guest that it carries in its source.
 */
#include <stdio.h>
#include <wasmrun.h>
#include <wasmrun_wasi.h>

/* (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)) */
// clang-format off
static const unsigned char module_bytes[] = {
    0, 'a', 's', 'm', 1, 0, 0, 0,
    1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f,             /* type */
    3, 2, 1, 0,                                        /* function */
    7, 7, 1, 3, 'a', 'd', 'd', 0, 0,                   /* export */
    10, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b,      /* code */
};
// clang-format on

static int fail(const char *where, const wr_error_t *err)
{
    fprintf(stderr, "%s: %s: %s\n", where, wr_status_name(err->status), err->text);
    return 1;
}

static int add(wr_linker_t *linker, wr_store_t *store, const wr_module_t *module)
{
    wr_error_t err;
    wr_instance_t *instance;
    if (wr_linker_instantiate(linker, store, module, NULL, &instance, &err) != WR_OK) {
        return fail("instantiate", &err);
    }
    wr_extern_t item;
    wr_name_t name = {"add", 3};
    if (!wr_instance_export(instance, name, &item) || item.kind != WR_EXTERN_FUNC) {
        fputs("no export add\n", stderr);
        return 1;
    }
    wr_val_t args[2] = {{.kind = WR_I32, .of.i32 = 40}, {.kind = WR_I32, .of.i32 = 2}};
    wr_val_t sum;
    if (wr_call(store, item.of.func, args, 2, &sum, 1, &err) != WR_OK) {
        return fail("call", &err);
    }
    printf("wasmrun %s: 40 + 2 = %u\n", wr_version(), (unsigned)sum.of.i32);
    return sum.of.i32 == 42 ? 0 : 1;
}

int main(void)
{
    wr_error_t err;
    wr_module_t *module = NULL;
    wr_store_t *store = NULL;
    wr_linker_t *linker = NULL;
    wr_wasi_t *wasi = NULL;
    int result = 1;
    wr_engine_t *engine = wr_engine_new(NULL);
    if (!engine) {
        return 1;
    }
    if (wr_module_new(engine, module_bytes, sizeof module_bytes, &module, &err) != WR_OK ||
        wr_store_new(engine, NULL, &store, &err) != WR_OK ||
        wr_linker_new(engine, &linker, &err) != WR_OK || wr_wasi_new(&wasi, &err) != WR_OK ||
        wr_wasi_link(wasi, linker, &err) != WR_OK) {
        fail("setup", &err);
    } else {
        result = add(linker, store, module);
    }
    wr_store_delete(store);
    wr_linker_delete(linker);
    wr_wasi_delete(wasi);
    wr_module_delete(module);
    wr_engine_delete(engine);
    return result;
}
