// A disk that fails on purpose. Loaded before the C library (LD_PRELOAD), it stands between liblmdb and one file, counts the calls
// that change that file or sync it, and does to one of them what FAULT_KIND says. FAULT_AT is the call's number; the count goes
// on over all processes that share FAULT_STATE. FAULT_SEED decides what a loss of power leaves.
//
//   none     only counts
//   before   the process dies before the call
//   after    the process dies after the call, before it hears of it
//   power    the call is done, and then the power fails: of all that is not synced a part is on the disk, the rest is not
//   eio      FAULT_TIMES calls fail with EIO; a sync that fails has lost what it should have synced
//   full     FAULT_TIMES calls find no space: the first writes a part, if it can, the others nothing
//   short    the call writes only a part, and says so
//
// FAULT_ON is `any`, `sync` or `write`: which calls count.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, FILES_MAX = 4096 };
enum file { OTHER, DATA, DATA_SYNCED, FOLDER };
enum kind { NONE, BEFORE, AFTER, POWER, IO_ERROR, FULL, SHORT };

// What all processes of one trial share. faulty_disk.py reads it.
struct state {
    uint64_t calls;           // counted so far
    uint64_t hits;            // how many of them were disturbed
    uint64_t length_hits;     // how many of those only made the file longer, which the engine can do without
    uint64_t commits_after;   // synced writes, which end a commit, after the first disturbed call that the engine needs
    uint64_t is_named;        // the folder was synced after the file was made
    uint64_t durable_length;  // how long the file was when it was last synced
};

// A change that is not synced yet. `length` is 0 for one of the file's length alone.
struct change {
    off_t offset, size_before, size_after;
    size_t length, old_length;
    unsigned char *old, *new;
    int is_durable;  // written through a descriptor that syncs each write
    int is_lost;     // a sync failed, and no other will write it
};

static struct state none_shared, *state = &none_shared;
static const char *path;
static char draft[4096];
static enum kind kind;
static uint64_t at, times, seed;
static int counts_writes, counts_syncs;
static unsigned char files[FILES_MAX];
static struct change *changes;
static size_t change_count, change_room;
static int data_file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);

static uint64_t number(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static int is(const char *text, const char *word) { return text && strcmp(text, word) == 0; }

__attribute__((constructor)) static void begin(void) {
    static const char *const words[] = {"none", "before", "after", "power", "eio", "full", "short"};
    real_pwrite = REAL(pwrite);
    real_ftruncate = REAL(ftruncate);
    path = getenv("FAULT_FILE");
    // A new store is made under another name in the same folder.
    if (path && strlen(path) < sizeof draft && strrchr(path, '/'))
        memcpy(mempcpy(draft, path, (size_t)(strrchr(path, '/') - path) + 1), "data.new", sizeof "data.new");
    at = number("FAULT_AT", 0);
    times = number("FAULT_TIMES", 1);
    seed = number("FAULT_SEED", 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is(getenv("FAULT_KIND"), words[i])) kind = (enum kind)i;
    counts_writes = !is(getenv("FAULT_ON"), "sync");
    counts_syncs = !is(getenv("FAULT_ON"), "write");
    int file = open(getenv("FAULT_STATE") ?: "", O_RDWR | O_CLOEXEC);
    if (file >= 0) {
        void *map = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (map != MAP_FAILED) state = map;
        close(file);
    }
    // What the engine starts has nothing to do with this.
    unsetenv("LD_PRELOAD");
}

// splitmix64
static uint64_t next_random(void) {
    uint64_t z = (seed += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int coin(void) { return next_random() & 1; }

static off_t size_of(int file) {
    struct stat status;
    return fstat(file, &status) == 0 ? status.st_size : 0;
}

// What is not synced

static struct change *add_change(int file, off_t offset, size_t length, off_t size_after) {
    if (change_count == change_room) {
        change_room = change_room ? change_room * 2 : 64;
        changes = realloc(changes, change_room * sizeof *changes);
        if (!changes) abort();
    }
    struct change *change = &changes[change_count++];
    *change = (struct change){.offset = offset, .length = length, .size_before = size_of(file), .size_after = size_after};
    if (!length) return change;
    change->old = malloc(length);
    change->new = malloc(length);
    if (!change->old || !change->new) abort();
    ssize_t count = pread(data_file, change->old, length, offset);
    change->old_length = count < 0 ? 0 : (size_t)count;
    return change;
}

// `change` is not synced and never will be; a later one over the same bytes is.
static void cover(struct change *change, const struct change *later) {
    off_t from = change->offset > later->offset ? change->offset : later->offset;
    off_t end = change->offset + (off_t)change->length, later_end = later->offset + (off_t)later->length;
    if (later_end < end) end = later_end;
    if (from >= end) return;
    size_t place = (size_t)(from - change->offset), length = (size_t)(end - from);
    const unsigned char *bytes = later->new + (from - later->offset);
    memcpy(change->new + place, bytes, length);
    if (change->old_length < place) memset(change->old + change->old_length, 0, place - change->old_length);
    memcpy(change->old + place, bytes, length);
    if (change->old_length < place + length) change->old_length = place + length;
}

static void everything_is_durable(int file) {
    state->durable_length = (uint64_t)size_of(file);
    size_t kept = 0;
    for (size_t i = 0; i < change_count; i++) {
        struct change change = changes[i];
        if (change.is_lost) {
            for (size_t k = i + 1; k < change_count; k++)
                if (!changes[k].is_lost) cover(&change, &changes[k]);
            if (change.size_before < size_of(file)) change.size_before = size_of(file);
            changes[kept++] = change;
        } else {
            free(change.old);
            free(change.new);
        }
    }
    change_count = kept;
}

static int has_lost_sync(void) { return change_count > 0 && changes[0].is_lost; }

// How much of what is not synced a loss of power leaves.
enum style { NOTHING, EVERYTHING, SOME_PAGES, TORN_PAGES, A_BEGINNING, STYLES };

static void write_part(const struct change *change, size_t from, size_t to) {
    if (to > change->length) to = change->length;
    if (from < to) real_pwrite(data_file, change->new + from, to - from, change->offset + (off_t)from);
}

static void leave(const struct change *change, enum style style) {
    if (!change->length) {
        if (change->is_durable || style == EVERYTHING || (style != NOTHING && coin()))
            if (size_of(data_file) < change->size_after) real_ftruncate(data_file, change->size_after);
        return;
    }
    if (change->is_durable || style == EVERYTHING) return write_part(change, 0, change->length);
    for (size_t page = 0; page < change->length; page += PAGE) {
        if (coin()) continue;
        if (style == SOME_PAGES || coin()) {
            write_part(change, page, page + PAGE);
            continue;
        }
        // Sectors of a disk are written whole or not at all. A change begins at a sector's edge, but for that of a meta page,
        // which lies within one.
        for (size_t sector = page; sector < page + PAGE; sector += SECTOR)
            if (coin()) write_part(change, sector, sector + SECTOR);
    }
}

// Takes back all that is not synced, and lets the seed say which of it was on the disk nevertheless, and in which parts.
static void lose_power(void) {
    if (data_file < 0 || !change_count) return;
    for (size_t i = change_count; i-- > 0;) {
        real_pwrite(data_file, changes[i].old, changes[i].old_length, changes[i].offset);
        real_ftruncate(data_file, changes[i].size_before);
    }
    enum style style = (enum style)(next_random() % STYLES);
    size_t end = style == A_BEGINNING ? next_random() % (change_count + 1) : 0;
    for (size_t i = 0; i < change_count; i++) {
        if (style != A_BEGINNING || changes[i].is_durable) {
            if (style != NOTHING || changes[i].is_durable) leave(&changes[i], style == A_BEGINNING ? NOTHING : style);
        } else if (i <= end) {
            leave(&changes[i], i == end ? TORN_PAGES : EVERYTHING);
        }
    }
    if (!state->is_named && coin()) unlink(path), unlink(draft);
}

// A process that ends by itself after a sync that failed: the machine may lose what was not synced at any time after.
__attribute__((destructor)) static void end(void) {
    if (has_lost_sync()) lose_power();
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

// The calls

static int is_disturbed(void) {
    uint64_t call = ++state->calls;
    if (kind == NONE || call < at || call >= at + times) return 0;
    state->hits++;
    return 1;
}

static enum file kind_of(int file) { return file >= 0 && file < FILES_MAX ? (enum file)files[file] : OTHER; }

// One write of whatever sort to the file, as a whole or in a part.
static ssize_t change_bytes(int file, const unsigned char *bytes, size_t length, off_t offset) {
    pthread_mutex_lock(&lock);
    int disturbed = counts_writes && is_disturbed();
    if (!disturbed && state->hits > state->length_hits && kind_of(file) == DATA_SYNCED) state->commits_after++;
    if (disturbed && kind == BEFORE) die();
    size_t part = length;
    int error = 0;
    if (disturbed && kind == IO_ERROR) error = EIO;
    if (disturbed && kind == SHORT) part = length / 2;
    if (disturbed && kind == FULL) {
        if (state->hits == 1 && length > 1) part = length / 2;
        else error = ENOSPC;
    }
    ssize_t written = -1;
    if (!error) {
        struct change *change = add_change(file, offset, part, 0);
        memcpy(change->new, bytes, part);
        written = real_pwrite(file, bytes, part, offset);
        change->size_after = size_of(file);
        change->is_durable = kind_of(file) == DATA_SYNCED && !disturbed;
        error = errno;
        if (disturbed && kind == POWER) lose_power();
        if (disturbed && (kind == POWER || kind == AFTER)) die();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    if (kind_of(file) != DATA && kind_of(file) != DATA_SYNCED) return real_pwrite(file, bytes, length, offset);
    return change_bytes(file, bytes, length, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) { return pwrite(file, bytes, length, offset); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    if (kind_of(file) == OTHER) return REAL(writev)(file, parts, count);
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    unsigned char *bytes = malloc(length), *end = bytes;
    if (!bytes) abort();
    for (int i = 0; i < count; i++) end = mempcpy(end, parts[i].iov_base, parts[i].iov_len);
    ssize_t written = change_bytes(file, bytes, length, lseek(file, 0, SEEK_CUR));
    int error = errno;
    if (written > 0) lseek(file, written, SEEK_CUR);
    free(bytes);
    errno = error;
    return written;
}

int ftruncate(int file, off_t length) {
    if (kind_of(file) == OTHER) return real_ftruncate(file, length);
    pthread_mutex_lock(&lock);
    int disturbed = counts_writes && is_disturbed();
    if (disturbed) state->length_hits++;
    if (disturbed && kind == BEFORE) die();
    int code = -1, error = kind == FULL ? ENOSPC : EIO;
    if (!disturbed || kind == AFTER || kind == POWER || kind == SHORT) {
        add_change(file, 0, 0, length);
        code = real_ftruncate(file, length);
        error = errno;
        if (disturbed && kind == POWER) lose_power();
        if (disturbed && kind != SHORT) die();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return code;
}

int ftruncate64(int file, off_t length) { return ftruncate(file, length); }

static int sync_file(int file, int (*real)(int)) {
    if (kind_of(file) == FOLDER) state->is_named = 1;
    if (kind_of(file) != DATA) return real(file);
    pthread_mutex_lock(&lock);
    int disturbed = counts_syncs && is_disturbed();
    if (disturbed && kind == BEFORE) die();
    if (disturbed && kind == POWER) lose_power();
    if (disturbed && kind == POWER) die();
    int code = -1, error = kind == FULL ? ENOSPC : EIO;
    if (disturbed && (kind == IO_ERROR || kind == FULL)) {
        for (size_t i = 0; i < change_count; i++) changes[i].is_lost = 1;
    } else {
        code = real(file);
        error = errno;
        if (code == 0) everything_is_durable(file);
        if (disturbed && kind == AFTER) die();
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return code;
}

int fdatasync(int file) { return sync_file(file, REAL(fdatasync)); }
int fsync(int file) { return sync_file(file, REAL(fsync)); }

// How the engine asks whether a disk is full.
int posix_fallocate(int file, off_t offset, off_t length) {
    int is_full = kind == FULL && state->hits > 0 && state->calls + 1 < at + times;
    if (kind_of(file) == DATA && is_full) {
        state->calls++;
        return ENOSPC;
    }
    off_t before = size_of(file);
    int code = REAL(posix_fallocate)(file, offset, length);
    if (kind_of(file) == DATA && size_of(file) > before) {
        pthread_mutex_lock(&lock);
        add_change(file, 0, 0, size_of(file))->size_before = before;
        pthread_mutex_unlock(&lock);
    }
    return code;
}

static void opened(int file, const char *name, int flags) {
    if (file < 0 || file >= FILES_MAX || !path) return;
    files[file] = OTHER;
    if ((strcmp(name, path) == 0 || strcmp(name, draft) == 0) && (flags & O_ACCMODE) != O_RDONLY) {
        files[file] = flags & O_DSYNC ? DATA_SYNCED : DATA;
        if (files[file] != DATA) return;
        data_file = file;
        // What an earlier process has added to the file's length and not synced.
        if ((uint64_t)size_of(file) > state->durable_length)
            add_change(file, 0, 0, size_of(file))->size_before = (off_t)state->durable_length;
    } else if (flags & O_DIRECTORY && strncmp(name, path, strlen(name)) == 0 && path[strlen(name)] == '/') {
        files[file] = FOLDER;
    }
}

int open(const char *name, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    int file = REAL(open)(name, flags, mode);
    opened(file, name, flags);
    return file;
}

int close(int file) {
    if (kind_of(file) != OTHER) {
        if (file == data_file) data_file = -1;
        files[file] = OTHER;
    }
    return REAL(close)(file);
}
