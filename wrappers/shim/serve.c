/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - the shim: one thread, one loop, until the last container is gone. */
#include "shim/serve.h"

#include "common/program.h"
#include "common/stack.h"
#include "sandbox/container.h"
#include "shim/log.h"
#include "shim/reaper.h"
#include "shim/service.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

enum {
    BACKLOG = 64,
    SPARE_FDS = 10, /* 0 to 9 are for what programs get that are started from here (spawn.c) */
    LAST_EVENTS_MS = 2000,
    TRIM_MS = 300,
    TRIM_THRESHOLD = 1 << 20
};

/* ---------------------------------------------------------------- the socket */

static bool answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return good;
}

int wrap_serve_socket(const char *path, int *out, struct wrap_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        wrap_fail(err, WRAP_INVALID_ARGUMENT, "%s: too long for a socket", path);
        return -1;
    }
    strcpy(address.sun_path, path);
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    int result = -1;
    for (int tries = 0; tries < 3 && *out >= 0; tries++) {
        if (bind(*out, (const struct sockaddr *)&address, sizeof address) == 0) {
            result = listen(*out, BACKLOG) == 0 ? 1 : -1;
            break;
        }
        if (errno != EADDRINUSE) {
            break;
        }
        if (answers(&address)) {
            result = 0;
            break;
        }
        unlink(path); /* its shim is dead */
    }
    umask(mask);
    if (result < 0) {
        wrap_fail_errno(err, errno, "cannot listen on %s", path);
    }
    if (result != 1 && *out >= 0) {
        close(*out);
        *out = -1;
    }
    return result;
}

/* ---------------------------------------------------------------- the shim */

static struct {
    struct wrap_shim shim;
    struct wrap_ttrpc_server *server;
    uv_timer_t trim;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* of the socket */
    bool stopping;
} self;

static void on_events_closed(void *env) { uv_stop(((struct wrap_shim *)env)->loop); }

static void on_server_closed(void *env)
{
    struct wrap_shim *shim = env;
    wrap_events_close(shim->events, LAST_EVENTS_MS, on_events_closed, shim);
}

static void shut_down(struct wrap_shim *shim)
{
    if (!self.stopping) {
        self.stopping = true;
        uv_close((uv_handle_t *)&self.trim, NULL);
        wrap_ttrpc_close(self.server, on_server_closed, shim);
    }
}

/* Gives back the pages of the program's code and constants, which come again from the page cache
 * when they are needed: what waits for the next request needs a few of them. */
static int forget_segments(struct dl_phdr_info *info, size_t size, void *unused)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t first = (info->dlpi_addr + segment->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) && end > first) {
            madvise((void *)first, end - first, MADV_DONTNEED);
        }
    }
    return 0;
}

/* What one container has taken is kept for the next one, for a moment. */
static void on_trim(uv_timer_t *timer)
{
    (void)timer;
    malloc_trim(0);
    wrap_stack_forget();
    dl_iterate_phdr(forget_segments, NULL);
}

static void on_settled(struct wrap_shim *shim)
{
    (void)shim;
    uv_timer_start(&self.trim, on_trim, TRIM_MS, 0);
}

/* Standard streams and the numbers behind them lead nowhere; the socket lies above. */
static int settle_files(int socket)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int kept = fcntl(socket, F_DUPFD_CLOEXEC, SPARE_FDS);
    if (null < 0 || kept < 0) {
        return -1;
    }
    for (int fd = 0; fd < SPARE_FDS; fd++) {
        if (fd != null) {
            dup3(null, fd, O_CLOEXEC);
        }
    }
    /* Numbers above are what `start` inherited; containerd's are close-on-exec all. */
    int from = SPARE_FDS;
    if (kept > from) {
        close_range((unsigned)from, (unsigned)kept - 1, 0);
    }
    close_range((unsigned)kept + 1, ~0u, 0);
    return kept;
}

static void settle_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        signal(ignored[i], SIG_IGN);
    }
    wrap_signals_prepare();
}

static bool set_up(const struct wrap_serve_config *config, uv_loop_t *loop, struct wrap_error *err)
{
    static const char *const names[] = {"containerd.task.v2.Task", "containerd.task.v3.Task",
                                        "containerd.runtime.sandbox.v1.Sandbox"};
    static struct wrap_ttrpc_service services[3];
    for (size_t i = 0; i < 3; i++) {
        bool task = i < 2;
        services[i] = (struct wrap_ttrpc_service){
            .name = names[i],
            .methods = task ? wrap_task_methods : wrap_sandbox_methods,
            .method_count = task ? wrap_task_method_count : wrap_sandbox_method_count,
        };
    }
    /* What is the caller's lies on a stack that goes. */
    char *ns = strdup(config->ns);
    char *grpc = strdup(config->grpc);
    if (!ns || !grpc || uv_loop_init(loop) != 0) {
        return wrap_fail(err, WRAP_RESOURCE_EXHAUSTED, "no event loop");
    }
    self.shim = (struct wrap_shim){
        .loop = loop, .ns = ns, .grpc = grpc, .settled = on_settled, .shut_down = shut_down};
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
    uv_timer_init(loop, &self.trim);
    (void)wrap_program_prepare(); /* without, each guest makes an engine of its own */
    self.shim.spans = wrap_spans_new(loop, ns);
    bool good = wrap_reaper_start(loop, err) &&
                wrap_events_new(loop, config->events, config->ns, &self.shim.events, err) &&
                wrap_ttrpc_serve(loop, config->socket, services, 3, &self.shim, &self.server, err);
    if (good) {
        wrap_ttrpc_trace(self.server, self.shim.spans);
    }
    return good;
}

/* Where the frames of `start` were: several pages. */
static void serve(void)
{
    uv_run(self.shim.loop, UV_RUN_DEFAULT);
    unlink(self.path);
    wrap_spans_finish(self.shim.spans);
    _exit(0);
}

int wrap_serve(const struct wrap_serve_config *config)
{
    static uv_loop_t loop;
    struct wrap_serve_config settled = *config;
    struct wrap_error err = {0};
    settle_signals();
    settled.socket = settle_files(config->socket);
    wrap_log_open("log", config->debug);
    (void)!chdir("/");
    if (settled.socket < 0 || !set_up(&settled, &loop, &err)) {
        wrap_log(WRAP_LOG_ERROR, config->id, "the shim cannot start: %s", err.text);
        unlink(config->path);
        return 1;
    }
    wrap_log(WRAP_LOG_DEBUG, config->id, "shim %d serves on %s", (int)getpid(), config->path);
    on_settled(&self.shim);
    snprintf(self.path, sizeof self.path, "%s", config->path);
    wrap_stack_begin_again(serve);
}
