/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.c - what a guest sees of files:
 *   files read PATH… | files write PATH… | files list PATH…
 * A line for each: "PATH: " and the first line of it, "written", the count of names, or the error.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int list(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;
    if (!dir) return -1;
    while (readdir(dir)) count++;
    closedir(dir);
    printf("%s: %d names\n", path, count);
    return 0;
}

static int read_line(const char *path)
{
    char line[256];
    int fd = open(path, O_RDONLY);
    if (fd < 0) return -1;
    ssize_t got = read(fd, line, sizeof line - 1);
    int problem = errno;
    close(fd);
    errno = problem;
    if (got < 0) return -1;
    line[got] = 0;
    line[strcspn(line, "\n")] = 0;
    printf("%s: read %s\n", path, line);
    return 0;
}

static int write_line(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    if (fd < 0) return -1;
    ssize_t put = write(fd, "guest\n", 6);
    int problem = errno;
    close(fd);
    errno = problem;
    if (put != 6) return -1;
    printf("%s: written\n", path);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) return 99;
    for (int i = 2; i < argc; i++) {
        int result = strcmp(argv[1], "list") == 0    ? list(argv[i])
                     : strcmp(argv[1], "write") == 0 ? write_line(argv[i])
                                                     : read_line(argv[i]);
        if (result != 0) printf("%s: error %s\n", argv[i], strerror(errno));
    }
    return 0;
}
