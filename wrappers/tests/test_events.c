/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_events.c - events told to a containerd of ours on a Unix socket, which goes away, comes
 * back, refuses, does not answer, or is never there.
 */
#include "sandbox/container.h"
#include "shim/events.h"
#include "shim/frames.h"
#include "shim/proto/events.pb-c.h"
#include "shim/proto/task.pb-c.h"
#include "shim/ttrpc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEEN_MAX = 6000, PATIENCE_MS = 20000 };

struct fixture {
    uv_loop_t loop;
    char folder[64], address[96];
    struct wrap_ttrpc_server *server;
    struct wrap_events *events;
    struct wrap_ttrpc_call *kept;
    bool deaf;   /* keeps calls and does not answer */
    bool refuse; /* answers with an error */
    size_t count;
    char seen[SEEN_MAX][64]; /* "topic id" */
    Events__ForwardRequest *last;
    bool events_closed, server_closed;
};

/* ---------------------------------------------------------------- containerd */

/* Topic and container of an event: field 1 of them all. */
static void note(struct fixture *fixture, const Events__Envelope *envelope)
{
    assert_true(fixture->count < SEEN_MAX);
    Events__TaskId *event =
        events__task_id__unpack(NULL, envelope->event->value.len, envelope->event->value.data);
    assert_non_null(event);
    snprintf(fixture->seen[fixture->count++], sizeof fixture->seen[0], "%s %s",
             strrchr(envelope->topic, '/') + 1, event->container_id);
    events__task_id__free_unpacked(event, NULL);
}

static void forward(struct wrap_ttrpc_call *call, const ProtobufCMessage *message, void *env)
{
    struct fixture *fixture = env;
    Task__IdRequest nothing = TASK__ID_REQUEST__INIT;
    const Events__ForwardRequest *request = (const Events__ForwardRequest *)message;
    note(fixture, request->envelope);
    if (fixture->deaf) {
        assert_null(fixture->kept); /* one at a time */
        fixture->kept = call;
        return;
    }
    uint8_t *copy = malloc(protobuf_c_message_get_packed_size(message));
    size_t size = protobuf_c_message_pack(message, copy);
    if (fixture->last) events__forward_request__free_unpacked(fixture->last, NULL);
    fixture->last = events__forward_request__unpack(NULL, size, copy);
    free(copy);
    if (fixture->refuse) {
        struct wrap_error err = {0};
        wrap_fail(&err, WRAP_INVALID_ARGUMENT, "no");
        wrap_ttrpc_refuse(call, &err);
    } else {
        wrap_ttrpc_reply(call, &nothing.base);
    }
}

static const struct wrap_ttrpc_method methods[] = {
    {"Forward", &events__forward_request__descriptor, forward},
};
static const struct wrap_ttrpc_service services[] = {
    {"containerd.services.events.ttrpc.v1.Events", methods, 1},
};

static void start_server(struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct wrap_error err = {0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, fixture->address + strlen("unix://"));
    unlink(address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    fixture->server_closed = false;
    assert_true(wrap_ttrpc_serve(&fixture->loop, fd, services, 1, fixture, &fixture->server, &err));
}

static void server_closed(void *env)
{
    struct fixture *fixture = env;
    fixture->server_closed = true;
    fixture->server = NULL;
}

static void stop_server(struct fixture *fixture)
{
    wrap_ttrpc_close(fixture->server, server_closed, fixture);
    while (!fixture->server_closed) uv_run(&fixture->loop, UV_RUN_ONCE);
    if (fixture->kept) {
        Task__IdRequest nothing = TASK__ID_REQUEST__INIT;
        wrap_ttrpc_reply(fixture->kept, &nothing.base);
        fixture->kept = NULL;
    }
    unlink(fixture->address + strlen("unix://"));
}

/* ---------------------------------------------------------------- the fixture */

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct wrap_error err = {0};
    signal(SIGPIPE, SIG_IGN);
    strcpy(fixture->folder, "/tmp/wrap-events-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->address, sizeof fixture->address, "unix://%s/s", fixture->folder);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    assert_true(wrap_events_new(&fixture->loop, fixture->address, "space", &fixture->events, &err));
    *state = fixture;
    return 0;
}

static void events_closed(void *env)
{
    struct fixture *fixture = env;
    fixture->events_closed = true;
    fixture->events = NULL;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    if (fixture->events) wrap_events_close(fixture->events, 0, events_closed, fixture);
    if (fixture->server) stop_server(fixture);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(fixture->events_closed);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    if (fixture->last) events__forward_request__free_unpacked(fixture->last, NULL);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void time_over(uv_timer_t *timer) { *(bool *)timer->data = true; }

/* Turns the loop until `count` events were seen. */
static void wait_for(struct fixture *fixture, size_t count)
{
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&fixture->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, time_over, PATIENCE_MS, 0);
    while (fixture->count < count && !over) uv_run(&fixture->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_false(over);
}

static void turn_for(struct fixture *fixture, unsigned ms)
{
    bool over = false;
    uv_timer_t timer;
    uv_timer_init(&fixture->loop, &timer);
    timer.data = &over;
    uv_timer_start(&timer, time_over, ms, 0);
    while (!over) uv_run(&fixture->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

static void expect_seen(const struct fixture *fixture, const char *const *want, size_t count)
{
    assert_int_equal(fixture->count, count);
    for (size_t i = 0; i < count; i++) assert_string_equal(fixture->seen[i], want[i]);
}

/* ---------------------------------------------------------------- cases */

static void tell_all(struct fixture *fixture)
{
    struct wrap_events *events = fixture->events;
    const struct timespec when = {.tv_sec = 1700000000, .tv_nsec = 5};
    struct wrap_event_create create = {.id = "a", .bundle = "/b", .pid = 7};
    wrap_event_create(events, &create);
    wrap_event_start(events, "a", 7);
    wrap_event_exec_added(events, "a", "e");
    wrap_event_exec_started(events, "a", "e", 8);
    wrap_event_oom(events, "a");
    wrap_event_paused(events, "a");
    wrap_event_resumed(events, "a");
    wrap_event_exit(events, "a", "a", 7, 137, when);
    wrap_event_delete(events, "a", "", 7, 137, when);
}

static const char *const all_seen[] = {"create a",       "start a", "exec-added a",
                                       "exec-started a", "oom a",   "paused a",
                                       "resumed a",      "exit a",  "delete a"};

static void test_events_arrive_in_order(void **state)
{
    struct fixture *fixture = *state;
    start_server(fixture);
    tell_all(fixture);
    assert_int_equal(wrap_events_pending(fixture->events), 9);
    wait_for(fixture, 9);
    turn_for(fixture, 20);
    expect_seen(fixture, all_seen, 9);
    assert_int_equal(wrap_events_pending(fixture->events), 0);
    assert_int_equal(wrap_events_lost(fixture->events), 0);
}

static void test_create_event_is_complete(void **state)
{
    struct fixture *fixture = *state;
    const char *options[] = {"ro", "lowerdir=/x"};
    struct wrap_root_mount mounts[2] = {
        {.type = "overlay", .source = "overlay", .options = {options, 2}},
        {.type = "bind", .source = "/from", .target = "/to"},
    };
    struct wrap_event_create create = {.id = "id",
                                       .bundle = "/bundle",
                                       .rootfs = mounts,
                                       .rootfs_count = 2,
                                       .in = "/in",
                                       .out = "/out",
                                       .terminal = true,
                                       .pid = 4711};
    start_server(fixture);
    wrap_event_create(fixture->events, &create);
    wait_for(fixture, 1);
    const Events__Envelope *envelope = fixture->last->envelope;
    assert_string_equal(envelope->namespace_, "space");
    assert_string_equal(envelope->topic, "/tasks/create");
    assert_string_equal(envelope->event->type_url, "containerd.events.TaskCreate");
    assert_true(envelope->timestamp->seconds > 1700000000);
    Events__TaskCreate *event =
        events__task_create__unpack(NULL, envelope->event->value.len, envelope->event->value.data);
    assert_non_null(event);
    assert_string_equal(event->container_id, "id");
    assert_string_equal(event->bundle, "/bundle");
    assert_int_equal(event->pid, 4711);
    assert_string_equal(event->io->stdin, "/in");
    assert_string_equal(event->io->stdout, "/out");
    assert_string_equal(event->io->stderr, "");
    assert_true(event->io->terminal);
    assert_int_equal(event->n_rootfs, 2);
    assert_string_equal(event->rootfs[0]->type, "overlay");
    assert_int_equal(event->rootfs[0]->n_options, 2);
    assert_string_equal(event->rootfs[0]->options[1], "lowerdir=/x");
    assert_string_equal(event->rootfs[1]->target, "/to");
    events__task_create__free_unpacked(event, NULL);
}

static void test_exit_event_is_complete(void **state)
{
    struct fixture *fixture = *state;
    start_server(fixture);
    wrap_event_exit(fixture->events, "task", "exec", 12, 143,
                    (struct timespec){.tv_sec = 1700000001, .tv_nsec = 999999999});
    wait_for(fixture, 1);
    const Wire__Any *any = fixture->last->envelope->event;
    assert_string_equal(any->type_url, "containerd.events.TaskExit");
    Events__TaskExit *event = events__task_exit__unpack(NULL, any->value.len, any->value.data);
    assert_non_null(event);
    assert_string_equal(event->container_id, "task");
    assert_string_equal(event->id, "exec");
    assert_int_equal(event->pid, 12);
    assert_int_equal(event->exit_status, 143);
    assert_int_equal(event->exited_at->seconds, 1700000001);
    assert_int_equal(event->exited_at->nanos, 999999999);
    events__task_exit__free_unpacked(event, NULL);
}

static void test_events_wait_for_containerd(void **state)
{
    struct fixture *fixture = *state;
    tell_all(fixture);
    turn_for(fixture, 150);
    assert_int_equal(fixture->count, 0);
    assert_int_equal(wrap_events_pending(fixture->events), 9);
    start_server(fixture);
    wait_for(fixture, 9);
    turn_for(fixture, 20);
    expect_seen(fixture, all_seen, 9);
}

static void test_events_outlive_a_restart(void **state)
{
    struct fixture *fixture = *state;
    char id[16];
    start_server(fixture);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 10; i++) {
            snprintf(id, sizeof id, "%d", 10 * round + i);
            wrap_event_oom(fixture->events, id);
        }
        wait_for(fixture, (size_t)(10 * round) + 5); /* in the midst of them */
        stop_server(fixture);
        turn_for(fixture, 30);
        start_server(fixture);
        wait_for(fixture, (size_t)(10 * round) + 10);
    }
    /* Each at least once and in order; one whose answer was cut off comes again. */
    int next = 0;
    for (size_t i = 0; i < fixture->count; i++) {
        int number = atoi(fixture->seen[i] + strlen("oom "));
        assert_true(number == next || number == next - 1);
        if (number == next) next++;
    }
    assert_true(next >= 49);
    if (next == 49) wait_for(fixture, fixture->count + 1);
    assert_int_equal(wrap_events_lost(fixture->events), 0);
}

static void test_event_without_an_answer_is_told_again(void **state)
{
    struct fixture *fixture = *state;
    start_server(fixture);
    fixture->deaf = true;
    wrap_event_oom(fixture->events, "x");
    wrap_event_oom(fixture->events, "y");
    wait_for(fixture, 1);
    turn_for(fixture, 30);
    stop_server(fixture);
    fixture->deaf = false;
    start_server(fixture);
    wait_for(fixture, 3);
    static const char *const want[] = {"oom x", "oom x", "oom y"};
    expect_seen(fixture, want, 3);
}

static void test_refused_event_is_lost_and_the_next_is_told(void **state)
{
    struct fixture *fixture = *state;
    start_server(fixture);
    fixture->refuse = true;
    wrap_event_oom(fixture->events, "x");
    wrap_event_oom(fixture->events, "y");
    wait_for(fixture, 2);
    turn_for(fixture, 20);
    static const char *const want[] = {"oom x", "oom y"};
    expect_seen(fixture, want, 2);
    assert_int_equal(wrap_events_lost(fixture->events), 2);
}

static void test_oldest_are_given_up_when_too_many_wait(void **state)
{
    struct fixture *fixture = *state;
    enum { TOLD = 5000, HELD = 4096 };
    char id[16];
    for (int i = 0; i < TOLD; i++) {
        snprintf(id, sizeof id, "%d", i);
        wrap_event_oom(fixture->events, id);
    }
    assert_int_equal(wrap_events_pending(fixture->events), HELD);
    assert_int_equal(wrap_events_lost(fixture->events), TOLD - HELD);
    start_server(fixture);
    wait_for(fixture, HELD);
    for (int i = 0; i < HELD; i++) {
        snprintf(id, sizeof id, "oom %d", TOLD - HELD + i);
        assert_string_equal(fixture->seen[i], id);
    }
}

static void test_close_tells_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    start_server(fixture);
    tell_all(fixture);
    wrap_events_close(fixture->events, PATIENCE_MS, events_closed, fixture);
    wait_for(fixture, 9);
    expect_seen(fixture, all_seen, 9);
    for (int i = 0; i < 100 && !fixture->events_closed; i++) turn_for(fixture, 10);
    assert_true(fixture->events_closed);
}

static void test_close_has_a_limit(void **state)
{
    struct fixture *fixture = *state;
    tell_all(fixture);
    wrap_events_close(fixture->events, 50, events_closed, fixture);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(fixture->events_closed);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct wrap_events *events = NULL;
    struct wrap_error err = {0};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_true(wrap_events_new(&loop, "", "space", &events, &err));
    wrap_event_oom(events, "x");
    assert_int_equal(wrap_events_pending(events), 0);
    wrap_events_close(events, 1000, events_closed, fixture);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(fixture->events_closed);
    assert_false(wrap_events_new(&loop, "@abstract", "space", &events, &err));
    assert_int_equal(err.code, WRAP_INVALID_ARGUMENT);
    char long_path[200] = "/";
    memset(long_path + 1, 'x', 150);
    err.code = WRAP_OK;
    assert_false(wrap_events_new(&loop, long_path, "space", &events, &err));
    assert_int_equal(uv_loop_close(&loop), 0);
    free(fixture);
}

/* ---------------------------------------------------------------- the client */

static void keep_error(const struct wrap_error *err, void *env)
{
    if (err) *(struct wrap_error *)env = *err;
}

static void set_flag(void *env) { *(bool *)env = true; }

static void test_client_gives_up_at_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct wrap_ttrpc_client *client;
    struct wrap_error err = {0}, first = {0}, second = {0}, third = {0};
    Task__IdRequest request = TASK__ID_REQUEST__INIT;
    bool closed = false;
    start_server(fixture);
    fixture->deaf = true;
    assert_true(wrap_ttrpc_client_new(&fixture->loop, fixture->address, &client, &err));
    assert_true(wrap_ttrpc_client_send(client, services[0].name, "Nothing", &request.base, 5000,
                                       keep_error, &first));
    Events__ForwardRequest event = EVENTS__FORWARD_REQUEST__INIT;
    Events__Envelope envelope = EVENTS__ENVELOPE__INIT;
    Wire__Any any = WIRE__ANY__INIT;
    envelope.topic = (char *)(uintptr_t)"/x";
    envelope.event = &any;
    event.envelope = &envelope;
    assert_true(wrap_ttrpc_client_send(client, services[0].name, "Forward", &event.base, 100,
                                       keep_error, &second));
    assert_true(wrap_ttrpc_client_send(client, services[0].name, "Nothing", &request.base, 60000,
                                       keep_error, &third));
    for (int i = 0; i < 200 && wrap_ttrpc_client_pending(client); i++) turn_for(fixture, 10);
    assert_int_equal(first.code, WRAP_UNIMPLEMENTED);
    assert_string_equal(first.text, "method Nothing");
    assert_int_equal(second.code, WRAP_DEADLINE_EXCEEDED);
    assert_int_equal(third.code, WRAP_UNIMPLEMENTED);
    assert_true(wrap_ttrpc_client_send(client, services[0].name, "Nothing", &request.base, 60000,
                                       keep_error, &err));
    wrap_ttrpc_client_close(client, set_flag, &closed);
    assert_int_equal(err.code, WRAP_CANCELLED);
    while (!closed) uv_run(&fixture->loop, UV_RUN_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_events_arrive_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_create_event_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exit_event_is_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_wait_for_containerd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_outlive_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_event_without_an_answer_is_told_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_refused_event_is_lost_and_the_next_is_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_oldest_are_given_up_when_too_many_wait, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_close_tells_what_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_close_has_a_limit, set_up, tear_down),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test_setup_teardown(test_client_gives_up_at_the_deadline, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
