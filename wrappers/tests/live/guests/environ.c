/* SPDX-License-Identifier: Apache-2.0 */
/* environ.c - its environment, a line each. */
#include <stdio.h>

extern char **environ;

int main(void)
{
    for (char **entry = environ; *entry; entry++) puts(*entry);
    return 0;
}
