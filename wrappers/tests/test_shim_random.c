/* SPDX-License-Identifier: Apache-2.0 */
/* test_shim_random.c - steps of tasks and processes in every order, by chance. */
#include "task_fixture.h"

enum { TASKS = 3, EXECS = 3 };

/* ---------------------------------------------------------------- at random */

static unsigned seed;

static unsigned any(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

static void create_any(const char *id)
{
    static const char *const bundles[] = {"plain", "shared", "slow",  "hooked",
                                          "badly", "nopid",  "noexec"};
    fake.life = any(3) ? FAKE_RUNS : (enum fake_life)any(FAKE_LIVES);
    fake.busy = any(3);
    fake.no_group = any(10) == 0;
    fake.scope = any(2);
    (void)create(id, bundles[any(7)], any(6) == 0);
    fake.no_group = false;
}

static void exec_any(const char *id, const char *exec)
{
    if (!proc_of(id, exec)) {
        (void)exec_add(id, exec);
    } else {
        fake.life = any(2) ? FAKE_RUNS : (enum fake_life)any(FAKE_LIVES);
        (void)start(id, exec);
    }
}

static void do_any(void)
{
    static const int numbers[] = {SIGKILL, SIGTERM, SIGKILL, SIGUSR1};
    const char id[] = {'t', (char)('0' + any(TASKS)), 0};
    const char exec[] = {'e', (char)('0' + any(EXECS)), 0};
    if (!proc_of(id, "")) {
        create_any(id);
        return;
    }
    const char *which = any(3) && proc_of(id, exec) ? exec : "";
    switch (any(12)) {
    case 0:
    case 1:
    case 2: (void)start(id, ""); break;
    case 3:
    case 4: exec_any(id, exec); break;
    case 5: (void)wait_for(id, which); break;
    case 6: (void)delete (id, which, any(4) == 0); break;
    case 7: (void)pause_task(id, any(2)); break;
    case 8: (void)update(id, (int)any(14)); break;
    case 9: (void)wrap_proc_kill(proc_of(id, which), numbers[any(4)], any(2), NULL); break;
    case 10: wrap_streams_close_input(&proc_of(id, which)->streams); break;
    case 11: turn(any(60)); break;
    }
}

static void test_steps_in_any_order(void **state)
{
    const char *rounds = getenv("WRAP_TASK_ROUNDS");
    unsigned count = rounds ? (unsigned)atoi(rounds) : 40;
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        seed = i + 1;
        for (unsigned k = 0; k < 60; k++) {
            do_any();
            if (any(3) == 0) {
                turn(any(6));
            }
        }
        after(NULL);
        before(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_steps_in_any_order),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
