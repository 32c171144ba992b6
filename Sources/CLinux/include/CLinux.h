// What Glibc's Swift module does not export.
#ifndef CLINUX_H
#define CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/types.h>
#include <sys/wait.h>

// open() and fcntl() are variadic, and Swift imports no variadic function.
int linux_open(const char *path, int flags, mode_t mode);
int linux_set_nonblocking(int descriptor);
int linux_set_close_on_exec(int descriptor);

#endif
