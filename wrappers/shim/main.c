/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - containerd-shim-wasmrun-v1, which containerd starts for each pod and for each container
 * of it: `start` prints the address of the pod's shim, made if there is none; `delete` cleans up.
 */
#include "common/entry.h"
#include "common/spec.h"
#include "sandbox/features.h"
#include "shim/bootstrap.h"
#include "shim/proto/task.pb-c.h"
#include "shim/serve.h"
#include "wasmrun.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM "containerd-shim-wasmrun-v1"
#define RUNTIME "io.containerd.wasmrun.v1"

enum { ADDRESS_MAX = 128, KILLED = 137, OOM_SCORE_MAX = 1000 };

/* One line on standard error; the exit code. containerd shows it as the reason. */
static int complain(const struct wrap_error *err)
{
    fprintf(stderr, "%s: %s\n", PROGRAM, err->text);
    return 1;
}

static int print_bytes(const uint8_t *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0 ? 0 : 1;
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* What is on standard input, malloc'ed; a terminal or nothing is nothing. */
static uint8_t *read_stdin(size_t *size)
{
    size_t room = 64 * 1024;
    uint8_t *bytes = malloc(room);
    *size = 0;
    while (bytes && !isatty(STDIN_FILENO)) {
        ssize_t n = read(STDIN_FILENO, bytes + *size, room - *size);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            break;
        }
        *size += n > 0 ? (size_t)n : 0;
        if (*size >= WRAP_BOOTSTRAP_STDIN_MAX) {
            break;
        }
        if (*size == room) {
            uint8_t *more = realloc(bytes, room *= 2);
            if (!more) {
                break;
            }
            bytes = more;
        }
    }
    return bytes;
}

/* ---------------------------------------------------------------- start */

/* Containers of one pod share a shim: annotations say which pod. */
static bool find_group(const struct wrap_bootstrap_args *args, char *out, size_t room,
                       struct wrap_error *err)
{
    static const char *const keys[] = {"io.containerd.runc.v2.group",
                                       "io.kubernetes.cri.sandbox-id"};
    struct wrap_spec *spec = NULL;
    if (!wrap_spec_load("config.json", &spec, err)) {
        return false;
    }
    const char *group = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !group; i++) {
        group = wrap_spec_annotation(spec, keys[i]);
    }
    bool fits = (size_t)snprintf(out, room, "%s", group ? group : args->id) < room;
    wrap_spec_free(spec);
    return fits || wrap_fail(err, WRAP_INVALID_ARGUMENT, "the pod's id is too long");
}

/* containerd reads it after a restart; whole or not at all. */
static bool write_address(const char *address, struct wrap_error *err)
{
    int fd = open(".address", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    size_t size = strlen(address);
    bool good = fd >= 0 && write(fd, address, size) == (ssize_t)size;
    if (fd >= 0) {
        close(fd);
    }
    good = good && rename(".address", "address") == 0;
    return good || wrap_fail_errno(err, errno, "cannot write the file 'address'");
}

/* The shim goes before containerd when memory is short: one more than containerd's own score. */
static void adjust_score(void)
{
    char text[16] = "";
    int score = 0;
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) {
        score = atoi(text) + 1;
        snprintf(text, sizeof text, "%d", score > OOM_SCORE_MAX ? OOM_SCORE_MAX : score);
        (void)!pwrite(fd, text, strlen(text), 0);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* The shim's life, in a process of its own. */
static int live(const struct wrap_bootstrap_args *args, const struct wrap_bootstrap *bootstrap,
                const char *path, int socket)
{
    const char *told = bootstrap->ttrpc_address;
    const struct wrap_serve_config config = {
        .socket = socket,
        .path = path,
        .ns = args->ns,
        .id = args->id,
        .events = told[0] ? told : variable("TTRPC_ADDRESS"),
        .grpc = variable("GRPC_ADDRESS")[0] ? variable("GRPC_ADDRESS") : args->address,
        .debug = args->debug || bootstrap->debug,
    };
    setsid();
    adjust_score();
    return wrap_serve(&config);
}

static int answer(const struct wrap_bootstrap *bootstrap, const char *address)
{
    struct wrap_error err = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!wrap_bootstrap_answer(bootstrap, address, &bytes, &size, &err)) {
        return complain(&err);
    }
    int code = print_bytes(bytes, size);
    free(bytes);
    return code;
}

static int start(const struct wrap_bootstrap_args *args, const struct wrap_bootstrap *bootstrap)
{
    struct wrap_error err = {0};
    char group[NAME_MAX];
    char address[ADDRESS_MAX];
    int socket = -1;
    if (!find_group(args, group, sizeof group, &err) ||
        !wrap_bootstrap_address(bootstrap->socket_dir, args, group, address, sizeof address,
                                &err)) {
        return complain(&err);
    }
    const char *path = address + strlen("unix://");
    (void)mkdir("/run/containerd", 0711);
    (void)mkdir(bootstrap->socket_dir, 0711);
    int made = wrap_serve_socket(path, &socket, &err);
    if (made < 0 || !write_address(address, &err)) {
        if (made > 0) {
            unlink(path);
        }
        return complain(&err);
    }
    pid_t pid = made ? fork() : 1;
    if (pid < 0) {
        wrap_fail_errno(&err, errno, "cannot fork");
        unlink(path);
        return complain(&err);
    }
    if (pid == 0) {
        _exit(live(args, bootstrap, path, socket));
    }
    return answer(bootstrap, address);
}

/* ---------------------------------------------------------------- delete, -info */

static int delete_bundle(const struct wrap_bootstrap_args *args)
{
    struct wrap_error err = {0};
    char bundle[PATH_MAX];
    bool given = args->bundle[0] != 0;
    if (given ? !realpath(args->bundle, bundle) : !getcwd(bundle, sizeof bundle)) {
        bundle[0] = 0; /* containerd has removed it: there is nothing to find things by */
    }
    if (bundle[0] && !wrap_clean(bundle, args->id, args->ns, &err)) {
        fprintf(stderr, "%s: %s\n", PROGRAM, err.text);
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    Task__DeleteResponse response = TASK__DELETE_RESPONSE__INIT;
    Wire__Timestamp when = WIRE__TIMESTAMP__INIT;
    uint8_t bytes[64];
    when.seconds = now.tv_sec;
    when.nanos = (int32_t)now.tv_nsec;
    response.exit_status = KILLED;
    response.exited_at = &when;
    return print_bytes(bytes, task__delete_response__pack(&response, bytes));
}

static int print_info(const uint8_t *input, size_t input_size)
{
    char *features = wrap_features_json();
    const struct wrap_bootstrap_info info = {
        .name = RUNTIME, .version = WASMRUN_VERSION, .revision = "", .features = features};
    struct wrap_error err = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool good = wrap_bootstrap_info(&info, input, input_size, &bytes, &size, &err);
    int code = good ? print_bytes(bytes, size) : complain(&err);
    free(bytes);
    free(features);
    return code;
}

static void print_version(void)
{
    printf("%s:\n  Version:  %s\n  Engine:   %s\n", PROGRAM, WASMRUN_VERSION, wr_version());
}

static int usage(void)
{
    fprintf(stderr,
            "usage: %s -namespace NS -id ID -address SOCKET [-bundle DIR] [-debug] start|delete\n"
            "       %s -v|-info\n"
            "containerd starts it: ctr run --runtime %s IMAGE ID\n",
            PROGRAM, PROGRAM, RUNTIME);
    return 2;
}

int main(int argc, char **argv)
{
    struct wrap_bootstrap_args args;
    struct wrap_bootstrap bootstrap;
    struct wrap_error err = {0};
    size_t size = 0;
    int code = 2;
    if (!wrap_bootstrap_parse(argc, argv, &args, &err)) {
        complain(&err);
        return usage();
    }
    if (args.version) {
        print_version();
        return 0;
    }
    bool starts = strcmp(args.action, "start") == 0;
    bool deletes = strcmp(args.action, "delete") == 0;
    if (!args.info && (!(starts || deletes) || !args.ns[0] || !args.id[0])) {
        return usage();
    }
    if (deletes) {
        return delete_bundle(&args);
    }
    uint8_t *input = read_stdin(&size);
    if (args.info) {
        code = print_info(input, size);
    } else {
        wrap_bootstrap_read(&args, input, size, getenv("MAX_SHIM_VERSION"), &bootstrap);
        code = start(&args, &bootstrap);
        wrap_bootstrap_fini(&bootstrap);
    }
    free(input);
    return code;
}
