// SPDX-License-Identifier: GPL-2.0-or-later
// Files below a root directory: /, a test tree, or /host in a pod. No path leaves it, not through
// "..", not through a symbolic link (openat2 with RESOLVE_IN_ROOT, or a walk where the kernel or a
// seccomp filter does not have it).
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

#include "base/buf.h"
#include "base/err.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Owned by the caller: root_init() opens `fd`, root_close() closes it. */
struct root {
	int fd;
	bool whole;        /* the root is /, so no path can leave it */
	bool by_walk;      /* no openat2: links are resolved one component at a time */
	bool of_process_1; /* whole, and process 1 has the same; asked once: in a sandbox it cannot
			      be */
};

int root_init(struct root *r, const char *dir, struct err *e);
void root_close(struct root *r);

/* Paths are relative to the root, with or without a leading slash. These return -1 and errno,
 * as the calls they stand for; descriptors are close-on-exec and the caller's. */
int root_open(const struct root *r, const char *path, int flags, mode_t mode);
DIR *root_opendir(const struct root *r, const char *path);
ssize_t root_readlink(const struct root *r, const char *path, char *out, size_t cap); /* with NUL */
int root_stat(const struct root *r, const char *path, struct stat *st); /* follows links */
bool root_exists(const struct root *r, const char *path);
int root_mkdirs(const struct root *r, const char *path, mode_t mode); /* and its parents */

/* The last component of the link at `path` ("../../bus/pci/drivers/igb" -> "igb"); -1 and errno.
 * This is how sysfs names drivers, groups, subsystems. */
ssize_t root_link_name(const struct root *r, const char *path, char *out, size_t cap);

/* Reads a small file (an attribute) whole into out and adds a NUL; trailing white space is cut.
 * Length, or -1 and errno; EFBIG when it does not fit. */
ssize_t root_read(const struct root *r, const char *path, char *out, size_t cap);
/* The same of a file in an open directory, in one read(2): sysfs gives an attribute whole. `name`
 * is one component, not a link. */
ssize_t read_at(int dirfd, const char *name, char *out, size_t cap);

/* Reads a file of any length up to b->max (must be set) to the end of b. -1 and errno. */
int root_slurp(const struct root *r, const char *path, struct buf *b);

/* Writes an attribute in one write(2); the file must exist. -1 and errno. */
int root_write(const struct root *r, const char *path, const char *value);

#endif
