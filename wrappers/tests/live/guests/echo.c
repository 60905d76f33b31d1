/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c - standard input to standard output, until its end; then "eof" and the count of bytes. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    char buffer[4096];
    long total = 0;
    ssize_t got;
    while ((got = read(0, buffer, sizeof buffer)) > 0) {
        total += got;
        if (write(1, buffer, (size_t)got) != got) return 1;
    }
    printf("eof %ld\n", total);
    return got < 0;
}
