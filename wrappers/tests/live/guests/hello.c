/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c - says hello and what it was started with. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const char *who = getenv("WHO");
    printf("hello %s", who ? who : "world");
    for (int i = 1; i < argc; i++) printf(" %s", argv[i]);
    printf("\n");
    return 0;
}
