/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c - the smallest program that says something. */
#include <stdio.h>

int main(void) { return puts("hello") < 0; }
