// SPDX-License-Identifier: GPL-2.0-or-later
// A scratch tree for tests: a root directory in memory where there is such a file system.
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include "base/root.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

/* Paths are below `dir`, without a leading slash. */
struct scratch {
	char dir[64];
	struct root root;
};

static inline void scratch_open(struct scratch *t)
{
	struct err e;

	snprintf(t->dir, sizeof(t->dir), "%s/vfiobox-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(chmod(t->dir, 0755), 0);
	assert_int_equal(root_init(&t->root, t->dir, &e), 0);
}

static inline int scratch_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void scratch_clear(const char *dir)
{
	nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_close(struct scratch *t)
{
	root_close(&t->root);
	scratch_clear(t->dir);
}

static inline char *scratch_path(const struct scratch *t, const char *path)
{
	return mem_printf("%s/%s", t->dir, path);
}

/* With the directories above it. */
static inline void scratch_put(const struct scratch *t, const char *path, const char *text)
{
	CLEANUP_FREE char *full = scratch_path(t, path);
	CLEANUP_FREE char *parent = mem_dup(path, strlen(path));
	char *slash = strrchr(parent, '/');
	FILE *f;

	if (slash) {
		*slash = 0;
		assert_int_equal(root_mkdirs(&t->root, parent, 0755), 0);
	}
	f = fopen(full, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void scratch_mkdir(const struct scratch *t, const char *path)
{
	assert_int_equal(root_mkdirs(&t->root, path, 0755), 0);
}

static inline bool scratch_has(const struct scratch *t, const char *path)
{
	CLEANUP_FREE char *full = scratch_path(t, path);
	struct stat st;

	return lstat(full, &st) == 0;
}

/* The text of a file, freed by the caller. */
static inline char *scratch_get(const struct scratch *t, const char *path)
{
	CLEANUP_BUF struct buf b = {.max = 1 << 24};

	assert_int_equal(root_slurp(&t->root, path, &b), 0);
	return mem_dup(buf_z(&b), b.len);
}

/* Entries of a directory but . and .., 0 when it is not there. */
static inline size_t scratch_count(const struct scratch *t, const char *path)
{
	DIR *d = root_opendir(&t->root, path);
	size_t n = 0;

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static inline bool scratch_write_map(const char *path, unsigned inside, unsigned outside)
{
	FILE *f = fopen(path, "we");
	bool written = f && fprintf(f, "%u %u 1\n", inside, outside) > 0;

	return f && fclose(f) == 0 && written;
}

/* Gives the process, a child made for it, mounts of its own: as root, or as root of a user
 * namespace. False where neither is allowed. A root opened before does not see new mounts. */
static inline bool scratch_own_mounts(void)
{
	unsigned uid = getuid(), gid = getgid();
	CLEANUP_CLOSE int fd = -1;

	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "deny", 4) != 4 ||
			!scratch_write_map("/proc/self/uid_map", 0, uid) ||
			!scratch_write_map("/proc/self/gid_map", 0, gid))
			return false;
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#endif
