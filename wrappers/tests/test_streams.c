/* SPDX-License-Identifier: Apache-2.0 */
/* test_streams.c - standard streams of containers, programs started beside them, their ends. */
#include "shim/console.h"
#include "shim/reaper.h"
#include "shim/spawn.h"
#include "shim/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static uv_loop_t loop;
static char folder[64];

/* ---------------------------------------------------------------- helpers */

static int set_up(void **state)
{
    struct wrap_error err = {0};
    (void)state;
    strcpy(folder, "/tmp/wasmrun-streams-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(uv_loop_init(&loop), 0);
    if (!wrap_reaper_start(&loop, &err)) {
        fail_msg("%s", err.text);
    }
    return 0;
}

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
}

static int tear_down(void **state)
{
    siginfo_t info;
    (void)state;
    for (int i = 0; i < 5000; i++) { /* until all programs have ended and are known to have */
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) {
            break;
        }
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    wrap_reaper_stop();
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(uv_loop_close(&loop), 0);
    remove_file("in");
    remove_file("out");
    remove_file("err");
    remove_file("log");
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *fifo(const char *name)
{
    const char *path = path_of(name);
    assert_int_equal(mkfifo(path, 0600), 0);
    return path;
}

/* Runs the loop until `*flag`, for at most some seconds. */
static void run_until(const bool *flag)
{
    for (int i = 0; i < 5000 && !*flag; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_true(*flag);
}

/* What can be read within some seconds, until `size` bytes are there. */
static size_t read_some(int fd, char *out, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < 5000 && at < size; i++) {
        ssize_t n = read(fd, out + at, size - at);
        if (n == 0) {
            break;
        }
        at += n > 0 ? (size_t)n : 0;
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(n > 0 ? 0 : 1000);
    }
    return at;
}

/* ---------------------------------------------------------------- programs */

struct outcome {
    bool done, timed_out;
    unsigned status;
    char output[256];
};

static void on_done(unsigned status, const char *output, bool timed_out, void *context)
{
    struct outcome *outcome = context;
    outcome->done = true;
    outcome->status = status;
    outcome->timed_out = timed_out;
    snprintf(outcome->output, sizeof outcome->output, "%s", output);
}

static struct outcome run_script(const char *script, const char *input, uint64_t timeout_ms)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct outcome outcome = {0};
    struct wrap_error err = {0};
    const struct wrap_spawn_config config = {
        .argv = argv,
        .stdio = {-1, -1, -1},
        .more = {-1, -1, -1},
        .input = input,
        .input_size = input ? strlen(input) : 0,
        .timeout_ms = timeout_ms,
        .done = on_done,
        .context = &outcome,
    };
    if (!wrap_spawn(&loop, &config, NULL, &err)) {
        fail_msg("%s", err.text);
    }
    run_until(&outcome.done);
    return outcome;
}

static void test_spawn_tells_status_and_output(void **state)
{
    (void)state;
    struct outcome outcome = run_script("cat; echo two >&2; exit 7", "one\n", 0);
    assert_int_equal(outcome.status, 7);
    assert_string_equal(outcome.output, "one\ntwo\n");
    assert_false(outcome.timed_out);
    assert_int_equal(run_script("kill -9 $$", NULL, 0).status, 137);
}

static void test_spawn_has_no_signals_blocked_or_ignored(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    struct outcome outcome = run_script("grep -E '^Sig(Blk|Ign):' /proc/self/status", NULL, 0);
    signal(SIGPIPE, SIG_DFL);
    unsigned long long blocked = ~0ull;
    unsigned long long ignored = ~0ull;
    assert_int_equal(sscanf(outcome.output, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & 0x7fffffff, 0); /* 32 and 33 are the C library's */
}

static void test_spawn_that_hangs_is_killed(void **state)
{
    (void)state;
    struct outcome outcome = run_script("exec sleep 1000", NULL, 50);
    assert_true(outcome.timed_out);
    assert_int_equal(outcome.status, 137);
}

static void test_spawn_of_nothing_is_an_error(void **state)
{
    const char *argv[] = {"/nonexistent/program", NULL};
    struct wrap_error err = {0};
    struct outcome outcome = {0};
    (void)state;
    const struct wrap_spawn_config config = {
        .argv = argv,
        .stdio = {-1, -1, -1},
        .more = {-1, -1, -1},
        .done = on_done,
        .context = &outcome,
    };
    assert_false(wrap_spawn(&loop, &config, NULL, &err));
    assert_non_null(strstr(err.text, "/nonexistent/program"));
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_false(outcome.done);
}

static bool reaped;
static unsigned reaped_status;

static void on_reaped(struct wrap_reap *reap, unsigned status, struct timespec when)
{
    (void)reap;
    assert_true(when.tv_sec > 0);
    reaped = true;
    reaped_status = status;
}

static void test_reaper_tells_an_end_that_came_first(void **state)
{
    static struct wrap_reap reap;
    (void)state;
    uint64_t mark = wrap_reap_mark();
    pid_t pid = fork();
    if (pid == 0) {
        _exit(42);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    uv_run(&loop, UV_RUN_NOWAIT); /* reaped, and nobody expects it */
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG), -1);
    reaped = false;
    reap = (struct wrap_reap){.pid = pid, .ended = on_reaped};
    wrap_reap_expect(&reap, mark);
    assert_false(reaped); /* never from inside */
    run_until(&reaped);
    assert_int_equal(reaped_status, 42);
}

static void test_reaper_knows_a_pid_that_is_used_again(void **state)
{
    static struct wrap_reap reap;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(1);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    uv_run(&loop, UV_RUN_NOWAIT); /* reaped, and nobody expects it */
    reaped = false;
    reap = (struct wrap_reap){.pid = pid, .ended = on_reaped};
    wrap_reap_expect(&reap, wrap_reap_mark()); /* a process that is made only now */
    for (int i = 0; i < 10; i++) {
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_false(reaped);
    wrap_reap_forget(&reap);
}

/* ---------------------------------------------------------------- streams */

static void open_streams(struct wrap_streams *streams, const struct wrap_streams_config *config)
{
    struct wrap_error err = {0};
    if (!wrap_streams_open(&loop, config, true, streams, &err)) {
        fail_msg("%s", err.text);
    }
}

static void test_file_that_is_a_fifo_stops_nobody(void **state)
{
    struct wrap_streams streams;
    struct wrap_error err = {0};
    char uri[160];
    (void)state;
    snprintf(uri, sizeof uri, "file://%s", fifo("out"));
    const struct wrap_streams_config config = {.out = uri};
    alarm(60); /* it would block for ever */
    assert_false(wrap_streams_open(&loop, &config, true, &streams, &err));
    alarm(0);
}

static void test_fifo_outlives_its_reader(void **state)
{
    struct wrap_streams streams;
    char text[8] = "";
    (void)state;
    const char *out = fifo("out");
    int reader = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    open_streams(&streams, &(struct wrap_streams_config){.out = out});
    assert_int_equal(write(streams.child[1], "one", 3), 3);
    assert_int_equal(read_some(reader, text, 3), 3);
    close(reader);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(streams.child[1], "two", 3), 3); /* nobody reads, nothing is lost */
    signal(SIGPIPE, SIG_DFL);
    reader = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(read_some(reader, text, 3), 3);
    assert_memory_equal(text, "two", 3);
    wrap_streams_close(&streams);
    assert_int_equal(read(reader, text, 1), 0); /* now it is at its end */
    close(reader);
}

static void test_process_cannot_read_its_output(void **state)
{
    struct wrap_streams streams;
    char byte = 0;
    (void)state;
    open_streams(&streams, &(struct wrap_streams_config){.out = fifo("out"), .in = fifo("in")});
    assert_int_equal(read(streams.child[1], &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(write(streams.child[0], &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    wrap_streams_close(&streams);
}

static void test_close_input_ends_it_behind_what_was_written(void **state)
{
    struct wrap_streams streams;
    char text[8] = "";
    (void)state;
    const char *in = fifo("in");
    open_streams(&streams, &(struct wrap_streams_config){.in = in});
    int child = dup(streams.child[0]);
    wrap_streams_given(&streams);
    int writer = open(in, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(writer, "data", 4), 4);
    close(writer); /* a client that goes does not end it */
    fcntl(child, F_SETFL, O_NONBLOCK);
    assert_int_equal(read_some(child, text, 4), 4);
    assert_int_equal(read(child, text, 1), -1);
    assert_int_equal(errno, EAGAIN);
    wrap_streams_close_input(&streams);
    assert_int_equal(read(child, text, 1), 0);
    close(child);
    wrap_streams_close(&streams);
}

static void test_file_is_appended_to(void **state)
{
    struct wrap_streams streams;
    char uri[160];
    char text[16] = "";
    (void)state;
    snprintf(uri, sizeof uri, "file://%s", path_of("log"));
    for (int i = 0; i < 2; i++) {
        open_streams(&streams, &(struct wrap_streams_config){.out = uri, .err = uri});
        assert_int_equal(write(streams.child[1], "a", 1), 1);
        assert_int_equal(write(streams.child[2], "b", 1), 1);
        wrap_streams_close(&streams);
    }
    int fd = open(path_of("log"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), 4);
    assert_memory_equal(text, "abab", 4);
    close(fd);
}

static void test_log_program_reads_both_outputs(void **state)
{
    struct wrap_streams streams;
    char script[128];
    char uri[256];
    char text[64] = "";
    (void)state;
    snprintf(script, sizeof script, "%s", path_of("err"));
    FILE *file = fopen(script, "w");
    fprintf(file,
            "#!/bin/sh\nexec 5>&-\n{ echo \"$CONTAINER_NAMESPACE/$CONTAINER_ID $*\"; cat <&3;"
            " cat <&4; } >%s\n",
            path_of("log"));
    fclose(file);
    chmod(script, 0755);
    snprintf(uri, sizeof uri, "binary://%s?key=value&flag", script);
    open_streams(&streams, &(struct wrap_streams_config){.out = uri, .ns = "n", .id = "i"});
    assert_int_equal(write(streams.child[1], "out ", 4), 4);
    assert_int_equal(write(streams.child[2], "err\n", 4), 4);
    wrap_streams_close(&streams);
    const char *expected = "n/i key value flag\nout err\n";
    size_t size = 0;
    for (int i = 0; i < 5000 && size < strlen(expected); i++) {
        int fd = open(path_of("log"), O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
        size = n > 0 ? (size_t)n : 0;
        close(fd);
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    assert_string_equal(text, expected);
}

static void test_missing_and_unknown_names_are_errors(void **state)
{
    static const char *const bad[] = {"/nonexistent/fifo", "http://host/", "file:///nonexistent/f",
                                      "binary:///nonexistent/program"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct wrap_streams streams;
        struct wrap_error err = {0};
        const struct wrap_streams_config config = {.out = bad[i], .ns = "n", .id = "i"};
        assert_false(wrap_streams_open(&loop, &config, true, &streams, &err));
        assert_true(err.text[0] != 0);
    }
}

/* ---------------------------------------------------------------- terminals */

static bool drained;
static void on_drained(void *context)
{
    (void)context;
    drained = true;
}

static void test_terminal_copies_both_ways_and_resizes(void **state)
{
    struct wrap_streams streams;
    struct winsize size = {0};
    struct wrap_error err = {0};
    char text[64] = "";
    (void)state;
    const char *in = fifo("in");
    const char *out = fifo("out");
    int reader = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    open_streams(&streams, &(struct wrap_streams_config){.in = in, .out = out, .terminal = true});
    int writer = open(in, O_WRONLY | O_CLOEXEC);
    assert_true(isatty(streams.slave));
    int slave = dup(streams.slave);
    wrap_streams_given(&streams);
    assert_true(wrap_streams_resize(&streams, 24, 80, &err));
    assert_int_equal(ioctl(slave, TIOCGWINSZ, &size), 0);
    assert_int_equal(size.ws_row, 24);
    assert_int_equal(size.ws_col, 80);
    assert_int_equal(write(slave, "hello\n", 6), 6);
    assert_int_equal(read_some(reader, text, 7), 7);
    assert_memory_equal(text, "hello\r\n", 7);
    assert_int_equal(write(writer, "typed\n", 6), 6);
    assert_int_equal(read_some(reader, text, 7), 7); /* its echo: the terminal has it */
    assert_int_equal(read(slave, text, sizeof text), 6);
    assert_memory_equal(text, "typed\n", 6);

    assert_int_equal(write(slave, "last\n", 5), 5);
    close(slave);
    drained = false;
    wrap_streams_drain(&streams, on_drained, NULL);
    run_until(&drained);
    assert_int_equal(read_some(reader, text, 6), 6);
    assert_memory_equal(text, "last\r\n", 6);
    wrap_streams_close(&streams);
    close(writer);
    close(reader);
}

static void test_console_takes_the_first_descriptor(void **state)
{
    struct wrap_console console;
    struct wrap_error err = {0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;
    if (geteuid() != 0) {
        print_message("SKIPPED: console sockets are made beneath /run, by root\n");
        skip();
    }
    assert_true(wrap_console_listen(&console, &err));
    assert_int_equal(wrap_console_take(&console, &err), -1); /* nobody came */
    snprintf(address.sun_path, sizeof address.sun_path, "%s", console.path);
    int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 'x';
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &(int){STDERR_FILENO}, sizeof(int));
    assert_int_equal(sendmsg(peer, &message, 0), 1);
    close(peer);
    int got = wrap_console_take(&console, &err);
    assert_true(got > STDERR_FILENO);
    close(got);
    char kept[80];
    strcpy(kept, console.path);
    wrap_console_close(&console);
    wrap_console_close(&console);
    assert_int_equal(access(kept, F_OK), -1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_spawn_tells_status_and_output),
        CASE(test_spawn_has_no_signals_blocked_or_ignored),
        CASE(test_spawn_that_hangs_is_killed),
        CASE(test_spawn_of_nothing_is_an_error),
        CASE(test_reaper_tells_an_end_that_came_first),
        CASE(test_reaper_knows_a_pid_that_is_used_again),
        CASE(test_file_that_is_a_fifo_stops_nobody),
        CASE(test_fifo_outlives_its_reader),
        CASE(test_process_cannot_read_its_output),
        CASE(test_close_input_ends_it_behind_what_was_written),
        CASE(test_file_is_appended_to),
        CASE(test_log_program_reads_both_outputs),
        CASE(test_missing_and_unknown_names_are_errors),
        CASE(test_terminal_copies_both_ways_and_resizes),
        CASE(test_console_takes_the_first_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
