/* Makes a disk fail for one program, by LD_PRELOAD. The file that DISK_FAULT names says how, and may change at any time:
   "fsync": synchronizing fails with EIO. "full": every write to a file fails with ENOSPC, as on a copy-on-write file system, and so does creating a file.
   "write": every write to a file fails with EIO. Sockets, pipes and terminals are not affected, nor is the standard error, nor,
   for the last two, what isn't below the folder DISK_FAULT_UNDER, if it is set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int fault_is(const char *word) {
    const char *path = getenv("DISK_FAULT");
    char found[16] = {0};
    int saved = errno, fd;
    if (!path)
        return 0;
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    fd = real_open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t (*real_read)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
        if (real_read(fd, found, sizeof found - 1) < 0)
            found[0] = 0;
        close(fd);
    }
    errno = saved;
    return strncmp(found, word, strlen(word)) == 0;
}

static int is_under(const char *path) {
    const char *folder = getenv("DISK_FAULT_UNDER");
    return !folder || strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether a write fails. Sets errno. */
static int write_fails(int fd) {
    struct stat status;
    if (fd == 2 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    char link[32], path[4096] = {0};
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || !is_under(path))
        return 0;
    if (fault_is("write")) {
        errno = EIO;
        return 1;
    }
    if (fault_is("full")) {
        errno = ENOSPC;
        return 1;
    }
    return 0;
}

#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = dlsym(RTLD_NEXT, name)

int fsync(int fd) {
    REAL(int, "fsync", int);
    if (fault_is("fsync")) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    if (fault_is("fsync")) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return write_fails(fd) ? -1 : real(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return write_fails(fd) ? -1 : real(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
    return write_fails(fd) ? -1 : real(fd, bytes, size, offset);
}

static int open_any(const char *name, const char *path, int flags, mode_t mode) {
    REAL(int, name, const char *, int, ...);
    if ((flags & O_CREAT) && access(path, F_OK) != 0 && is_under(path) && fault_is("full")) {
        errno = ENOSPC;
        return -1;
    }
    return real(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_any("open64", path, flags, mode);
}
