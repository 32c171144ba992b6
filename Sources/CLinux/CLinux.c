#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int linux_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }

int linux_open_directory(const char *path) { return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }

int linux_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

int linux_bypass_cache(int descriptor, int bypasses) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, bypasses ? flags | O_DIRECT : flags & ~O_DIRECT);
}

int linux_set_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

short linux_half_closed(void) { return POLLRDHUP; }

int linux_has_unread(int socket) {
    char byte;
    return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void linux_ask_peers(int socket, int silence, int pause, int count) {
    int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &silence, sizeof silence);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause);
    setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

int linux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int linux_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    for (int i = 0; i < 2; i++) {
        if (ends[i] > 2) continue;
        int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
        if (moved < 0) {
            int error = errno;
            close(ends[0]);
            close(ends[1]);
            errno = error;
            return -1;
        }
        close(ends[i]);
        ends[i] = moved;
    }
    return 0;
}

int linux_spawn(pid_t *pid, const char *path, char *const arguments[], char *const environment[], const char *directory,
                const int streams[3]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    if (!error && directory) error = posix_spawn_file_actions_addchdir_np(&actions, directory);
    for (int i = 0; i < 3 && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, streams[i], i);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setpgroup(&attributes, 0);
    if (!error)
        error = posix_spawnattr_setflags(&attributes,
                                         POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (!error) error = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int linux_wait(pid_t pid, int keep, int *status, int *signal) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int outcome;
    do {
        outcome = waitid(P_PID, (id_t)pid, &info, WEXITED | (keep ? WNOWAIT : 0));
    } while (outcome < 0 && errno == EINTR);
    if (outcome < 0) return -1;
    *status = info.si_code == CLD_EXITED ? info.si_status : 0;
    *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    return 0;
}

const char *linux_signal_name(int signal) { return sigabbrev_np(signal); }

extern char **environ;
char **linux_environment(void) { return environ; }

void linux_begin_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
    sigset_t set;
    sigfillset(&set);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&set, faults[i]);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int linux_kill(pid_t process, int signal) { return kill(process, signal); }

void linux_prepare_signals(void) {
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

int linux_exchange(const char *one, const char *other) {
    return renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

static char *const *fault_arguments;
static char *fault_number;

// Only what a signal handler may do.
static void become_another(int number) {
    fault_number[0] = (char)('0' + number / 10);
    fault_number[1] = (char)('0' + number % 10);
    execve("/proc/self/exe", fault_arguments, environ);
    raise(number);
}

void linux_on_fault(char *const arguments[], char *number) {
    fault_arguments = arguments;
    fault_number = number;
    // Not blocked in the handler, or the new program would begin with the signal blocked.
    struct sigaction action = {.sa_handler = become_another, .sa_flags = SA_NODEFER | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction present;
        int is_taken = sigaction(signals[i], NULL, &present) == 0 && present.sa_handler != SIG_DFL;
        // The last three are checks of the program's own: where its runtime tells of them, it tells more.
        if (i < 3 || !is_taken) sigaction(signals[i], &action, NULL);
    }
}

static ssize_t hand_over(void *take, const char *bytes, size_t count) {
    ((void (*)(const char *, size_t))take)(bytes, count);
    return (ssize_t)count;
}

int linux_take_output(void (*take)(const char *bytes, size_t count)) {
    fflush(stdout);
    FILE *stream = fopencookie((void *)take, "w", (cookie_io_functions_t){.write = hand_over});
    if (!stream) return -1;
    setvbuf(stream, NULL, _IONBF, 0);
    stdout = stream;
    return 0;
}

void linux_die(int number) {
    signal(number, SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(number);
}

const void *linux_find(const void *hay, size_t hay_count, const void *needle, size_t needle_count) {
    return memmem(hay, hay_count, needle, needle_count);
}

void linux_heap(size_t *taken, size_t *used) {
    struct mallinfo2 heap = mallinfo2();
    // Large pieces are mapped each by itself.
    *taken = heap.arena + heap.hblkhd;
    *used = heap.uordblks + heap.hblkhd;
}

void linux_share_heaps(int count) {
    if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, count);
}

unsigned long long linux_processor_nanoseconds(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (unsigned long long)time.tv_sec * 1000000000 + (unsigned long long)time.tv_nsec;
}
