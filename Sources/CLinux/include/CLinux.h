// What Glibc's Swift module does not export.
#ifndef CLINUX_H
#define CLINUX_H

// No _GNU_SOURCE here: it changes types, such as fd_set, that Swift knows from Glibc already.
#include <fcntl.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/types.h>
#include <sys/wait.h>

// open() and fcntl() are variadic, and Swift imports no variadic function.
int linux_open(const char *path, int flags, mode_t mode);

// A directory as a place in /proc/self/fd, by which a socket in it can be named however long its path is. -1 with errno.
int linux_open_directory(const char *path);
int linux_set_nonblocking(int descriptor);
int linux_set_close_on_exec(int descriptor);

// An eventfd that does not block; -1 with errno.
int linux_eventfd(void);

// A pipe, both ends close-on-exec and none of them 0, 1 or 2, so that a child's streams can be put in place in any order even
// when this process was started with some of its own closed. -1 with errno.
int linux_pipe(int ends[2]);

// Starts a program in a process group of its own, with default signals, none of them blocked, the three streams as its
// standard streams and every other descriptor closed. Returns 0 or an errno.
int linux_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[], const char *directory,
                const int streams[3]);

// How a child ended. With `keep` it stays a zombie, so that its number and its group's stay its own. -1 with errno.
// `signal` is 0 when it exited by itself, with `status`.
int linux_wait(pid_t pid, int keep, int *status, int *signal);

// "KILL" for 9; NULL for a number without a name.
const char *linux_signal_name(int signal);

// Swift takes the global `environ` for unsafe.
char **linux_environment(void);

// Names this thread for tools such as top, and blocks all signals for it but those that tell of its own faults.
void linux_begin_thread(const char *name);

// kill(), under a name that a method called `kill` does not hide. A group has the negative number of its leader.
int linux_kill(pid_t process, int signal);

// Lets writes to the file go past the system's cache, or no more. -1 with errno where the file system has no such thing.
int linux_bypass_cache(int descriptor, int bypasses);

// Gives two directories each the name of the other, in one step. -1 with errno.
int linux_exchange(const char *one, const char *other);

// When a fault of its own ends this process (SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE), it becomes this program instead, with the same arguments
// and the signal's number, two digits, written to `number`, which is a place in one of them. All must stay where they are.
void linux_on_fault(char *const arguments[], char *number);

// From now on what is printed to C's standard output, as Swift's print() does, is handed to `take` at once, on the thread that
// prints. What writes to descriptor 1 by itself is not changed. Returns 0, or -1 with errno.
int linux_take_output(void (*take)(const char *bytes, size_t count));

// Where the needle first stands in the hay; NULL when it does not.
const void *linux_find(const void *hay, size_t hay_count, const void *needle, size_t needle_count);

// Ends this process by the signal.
void linux_die(int signal);

// What poll() says when the other side of a connection has shut down its writing side; only with _GNU_SOURCE it has a name.
short linux_half_closed(void);

// Whether something that the other side has sent waits to be read.
int linux_has_unread(int socket);

// Lets the system ask, on connections that this socket accepts, whether the other side is there: after so many seconds of silence, so
// often. Of a socket that is not of TCP it asks nothing.
void linux_ask_peers(int socket, int silence, int pause, int count);

// What the heap has taken from the system, and how much of it is in use, in bytes.
void linux_heap(size_t *taken, size_t *used);

// Lets all threads share so many heaps, unless the environment says otherwise (MALLOC_ARENA_MAX). The system's own choice is eight for each
// processor; each keeps what its largest moment has taken. Comes before the threads.
void linux_share_heaps(int count);

// What all threads of this process have taken of the processors, in nanoseconds.
unsigned long long linux_processor_nanoseconds(void);

// A child that closes its end early must not end this process; and a process that ignores SIGCHLD cannot learn how its
// children ended.
void linux_prepare_signals(void);

#endif
