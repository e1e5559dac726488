// SPDX-License-Identifier: GPL-2.0-or-later
// What of a directory is on disk: for each inode the bytes or the names of its last fsync.
#include "disk.h"

#include "base/arena.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct name {
	char *name;
	ino_t ino;
	bool is_dir;
	struct name *next;
};

struct inode {
	ino_t ino;
	struct str bytes;   /* of a file */
	struct name *names; /* of a directory */
	struct inode *next;
};

struct disk {
	char dir[512];
	ino_t top;
	struct inode *inodes; /* the latest of each inode comes first */
	struct arena mem;
};

static struct name *names_of(struct disk *d, int fd)
{
	DIR *dir = fdopendir(dup(fd));
	const struct dirent *entry;
	struct name *list = NULL;

	if (!dir)
		return NULL;
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		struct name *n;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		n = arena_alloc(&d->mem, sizeof(*n));
		*n = (struct name){arena_dup(&d->mem, entry->d_name, strlen(entry->d_name)),
			entry->d_ino, entry->d_type == DT_DIR, list};
		list = n;
	}
	closedir(dir);
	return list;
}

static struct str bytes_of(struct disk *d, int fd, size_t n)
{
	char *p = arena_alloc(&d->mem, n + 1);
	ssize_t got = pread(fd, p, n, 0);

	return (struct str){p, got < 0 ? 0 : (size_t)got};
}

static struct inode *note(struct disk *d, int fd)
{
	struct inode *i = arena_alloc(&d->mem, sizeof(*i));
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	*i = (struct inode){.ino = st.st_ino, .next = d->inodes};
	if (S_ISDIR(st.st_mode))
		i->names = names_of(d, fd);
	else
		i->bytes = bytes_of(d, fd, (size_t)st.st_size);
	d->inodes = i;
	return i;
}

static void note_all(struct disk *d, int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct inode *i = fd < 0 ? NULL : note(d, fd);

	for (struct name *n = i ? i->names : NULL; n; n = n->next)
		note_all(d, fd, n->name);
	if (fd >= 0)
		close(fd);
}

struct disk *disk_new(const char *dir)
{
	struct disk *d = mem_alloc(sizeof(*d));
	struct stat st;

	snprintf(d->dir, sizeof(d->dir), "%s", dir);
	if (stat(dir, &st) == 0)
		d->top = st.st_ino;
	note_all(d, AT_FDCWD, dir);
	return d;
}

void disk_free(struct disk *d)
{
	if (d)
		arena_free(&d->mem);
	free(d);
}

void disk_synced(struct disk *d, const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		note(d, fd);
}

static const struct inode *synced(const struct disk *d, ino_t ino)
{
	for (const struct inode *i = d->inodes; i; i = i->next)
		if (i->ino == ino)
			return i;
	return NULL;
}

/* What is left of a directory, into the empty directory `to`. `now` is the directory as it is where
 * the names of this moment count, -1 where those of the last sync do. */
static int lay_down(struct disk *d, int now, ino_t ino, int to)
{
	const struct inode *dir = synced(d, ino);
	const struct name *names = now >= 0 ? names_of(d, now) : dir ? dir->names : NULL;

	for (const struct name *n = names; n; n = n->next) {
		const struct inode *file = synced(d, n->ino);
		CLEANUP_CLOSE int fd = -1, below = -1;

		if (!n->is_dir) {
			fd = openat(to, n->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
			if (fd < 0 || (file && write(fd, file->bytes.p, file->bytes.n) < 0))
				return -1;
			continue;
		}
		if (mkdirat(to, n->name, 0755) < 0)
			return -1;
		fd = openat(to, n->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (now >= 0)
			below = openat(now, n->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || lay_down(d, below, n->ino, fd) < 0)
			return -1;
	}
	return 0;
}

int disk_cut(struct disk *d, enum disk_loss loss, struct err *e)
{
	char left[sizeof(d->dir) + 8];
	CLEANUP_CLOSE int fd = -1, now = -1;

	snprintf(left, sizeof(left), "%s.left", d->dir);
	if (mkdir(left, 0755) < 0)
		return err_sys(e, "make %s", left);
	fd = open(left, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (loss == DISK_EARLY_NAMES)
		now = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || lay_down(d, now, d->top, fd) < 0)
		return err_sys(e, "lay down %s", left);
	tree_remove(d->dir);
	return rename(left, d->dir) < 0 ? err_sys(e, "rename %s", left) : 0;
}
