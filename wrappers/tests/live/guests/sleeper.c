/* SPDX-License-Identifier: Apache-2.0 */
/* sleeper.c - sleeper [SECONDS]: says "up", sleeps (for ever without an argument), says "done". */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1e9;
    struct timespec span = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    printf("up\n");
    fflush(stdout);
    nanosleep(&span, NULL);
    printf("done\n");
    return 0;
}
