/* SPDX-License-Identifier: Apache-2.0 */
/* exit.c - exit N: ends with that code. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int code = argc > 1 ? atoi(argv[1]) : 0;
    fprintf(stderr, "exit %d\n", code);
    return code;
}
