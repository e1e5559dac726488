// SPDX-License-Identifier: GPL-2.0-or-later
// A directory that a batch writes to. Who has temporary files in it holds a shared flock on it; who
// gets it alone knows that those he finds are left over from a writer that was killed.
#include "store/store_place.h"

#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_MODE = 0644,
	DIR_MODE = 0755,
	LOCK_STEP_MS = 10,
	LOCK_WAIT_MS = 2000, /* another writer holds the lock alone only while it cleans up */
	TEMPS_MAX = 1000000,
	RECENT_SECONDS = 120, /* well over the kernel's own write-back: 30 s + a journal's 5 s */
};

int store_flock(int fd, int operation, int timeout_ms)
{
	uint64_t end = loop_now() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000000;

	while (flock(fd, operation | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || loop_now() >= end)
			return -1;
		nanosleep(&(struct timespec){.tv_nsec = LOCK_STEP_MS * 1000000L}, NULL);
	}
	return 0;
}

static int open_dir(const struct root *r, const char *dir)
{
	return root_open(r, dir, O_RDONLY | O_DIRECTORY, 0);
}

/* EINVAL: a file system that has nothing to sync there. */
static int sync_dir(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
}

/* The umask of whoever runs first must not decide who can read it. */
static int make_dir(const struct root *r, const char *parent, const char *name, bool durable)
{
	CLEANUP_CLOSE int fd = open_dir(r, parent);

	if (fd < 0)
		return -1;
	if (mkdirat(fd, name, DIR_MODE) < 0)
		return errno == EEXIST ? 0 : -1;
	if (fchmodat(fd, name, DIR_MODE, 0) < 0)
		return -1;
	return durable ? sync_dir(fd) : 0;
}

static int make_dirs(const struct root *r, const char *dir, bool durable)
{
	char path[STORE_PATH_CAP];
	size_t n = strlen(dir);

	memcpy(path, dir, n + 1);
	for (size_t start = 1, i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		path[i] = 0;
		if (!root_exists(r, path)) {
			path[start - 1] = 0;
			if (make_dir(r, path, path + start, durable) < 0)
				return -1;
			path[start - 1] = '/';
		}
		path[i] = dir[i];
		start = i + 1;
	}
	return 0;
}

int place_open(struct place *p, const struct root *r, const char *dir, bool durable, bool make)
{
	*p = (struct place){.durable = durable};
	memcpy(p->dir, dir, strlen(dir) + 1);
	p->fd = open_dir(r, dir);
	if (p->fd < 0 && errno == ENOENT && make && make_dirs(r, dir, durable) == 0)
		p->fd = open_dir(r, dir);
	return p->fd < 0 ? -1 : 0;
}

void place_close(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void remove_leftovers(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)))
		if (store_is_temp(entry->d_name))
			unlinkat(dirfd, entry->d_name, 0);
	closedir(d);
}

/* A file system without locks (EWOULDBLOCK is not what it says) is written to all the same; only
 * leftovers stay. */
static int begin_writing(struct place *p)
{
	if (p->writing)
		return 0;
	if (store_flock(p->fd, LOCK_EX, 0) == 0)
		remove_leftovers(p->fd);
	if (store_flock(p->fd, LOCK_SH, LOCK_WAIT_MS) < 0 && errno == EWOULDBLOCK)
		return -1;
	p->writing = true;
	return 0;
}

/* The process number alone is not unique: a pod has its own. */
static int create_temp(const struct place *p, char *temp, unsigned *serial)
{
	int fd = -1;

	for (int i = 0; i < TEMPS_MAX; i++) {
		snprintf(temp, STORE_TEMP_CAP, STORE_TEMP_PREFIX "%ld-%u", (long)getpid(),
			(*serial)++);
		fd = openat(p->fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	return fd;
}

static int write_all(int fd, struct str bytes)
{
	for (size_t done = 0; done < bytes.n;) {
		ssize_t n = write(fd, bytes.p + done, bytes.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return fchmod(fd, FILE_MODE);
}

int place_write_temp(struct place *p, struct str bytes, char *temp, unsigned *serial)
{
	int fd, no;

	if (begin_writing(p) < 0)
		return -1;
	fd = create_temp(p, temp, serial);
	if (fd < 0 || write_all(fd, bytes) == 0)
		return fd;
	no = errno;
	close(fd);
	unlinkat(p->fd, temp, 0);
	errno = no;
	return -1;
}

static bool reads_as(int fd, struct str bytes)
{
	char chunk[16384];
	size_t at = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 && at == bytes.n;
		if ((size_t)n > bytes.n - at || memcmp(bytes.p + at, chunk, (size_t)n) != 0)
			return false;
		at += (size_t)n;
	}
}

bool place_has(const struct place *p, const char *file, struct str bytes)
{
	CLEANUP_CLOSE int fd = openat(p->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != bytes.n)
		return false;
	return reads_as(fd, bytes);
}

/* Without a change of ours its entries may still not be on disk: the writer before us was killed
 * between rename and sync. The kernel has written back by itself what is older. */
static bool is_recent(const struct place *p)
{
	struct timespec now;
	struct stat st;

	if (fstat(p->fd, &st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return true;
	return st.st_mtime > now.tv_sec || now.tv_sec - st.st_mtime < RECENT_SECONDS;
}

int place_sync(const struct place *p)
{
	return p->durable && (p->changed || is_recent(p)) ? sync_dir(p->fd) : 0;
}
