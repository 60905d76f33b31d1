/* SPDX-License-Identifier: Apache-2.0 */
/*
 * started.c - how long a program takes from its start to its first output and to its end: `started
 * ROUNDS COMMAND…` prints a line "FIRST END" in microseconds for each round. The child is made by
 * posix_spawn, so that the size of this program does not count.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int start_once(char **command)
{
    int pipe_fds[2], status = 0;
    char text[256];
    pid_t child;
    posix_spawn_file_actions_t actions;
    if (pipe(pipe_fds) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1) != 0 ||
        posix_spawn_file_actions_addclose(&actions, pipe_fds[0]) != 0 ||
        posix_spawn_file_actions_addclose(&actions, pipe_fds[1]) != 0)
        return 2;
    double begin = now_us();
    if (posix_spawnp(&child, command[0], &actions, NULL, command, environ) != 0) return 2;
    close(pipe_fds[1]);
    ssize_t got = read(pipe_fds[0], text, sizeof text);
    double first = now_us() - begin;
    while (read(pipe_fds[0], text, sizeof text) > 0) continue;
    waitpid(child, &status, 0);
    printf("%.1f %.1f\n", first, now_us() - begin);
    close(pipe_fds[0]);
    posix_spawn_file_actions_destroy(&actions);
    return got > 0 && status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? atoi(argv[1]) : 0, code = rounds > 0 ? 0 : 2;
    while (code == 0 && rounds-- > 0) code = start_once(argv + 2);
    return code;
}
