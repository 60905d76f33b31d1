/* SPDX-License-Identifier: Apache-2.0 */
/* ticker.c - a count on standard output every 20 ms: one can see whether it runs. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec span = {0, 20000000};
    for (long count = 0;; count++) {
        printf("%ld\n", count);
        fflush(stdout);
        nanosleep(&span, NULL);
    }
}
