// SPDX-License-Identifier: GPL-2.0-or-later
// Trees of files.
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_file(int from, int to, const char *name)
{
	CLEANUP_CLOSE int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_CLOSE int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ssize_t n;

	if (in < 0 || out < 0)
		return -1;
	while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	return n < 0 ? -1 : 0;
}

static int copy_link(int from, int to, const char *name)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(from, name, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[n] = 0;
	return symlinkat(text, to, name);
}

static int copy_below(int from, int to, bool own);

static int copy_dir(int from, int to, const char *name, bool own)
{
	CLEANUP_CLOSE int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int out = -1;

	if (in < 0 || mkdirat(to, name, 0755) < 0)
		return -1;
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return out < 0 ? -1 : copy_below(in, out, own);
}

static int copy_one(int from, int to, const char *name, unsigned char type, bool own)
{
	if (type == DT_DIR)
		return copy_dir(
			from, to, name, own || !strcmp(name, "run") || !strcmp(name, "var"));
	if (type == DT_LNK)
		return copy_link(from, to, name);
	return own ? copy_file(from, to, name) : linkat(from, name, to, name, 0);
}

static int copy_below(int from, int to, bool own)
{
	DIR *d = fdopendir(dup(from));
	const struct dirent *entry;
	int rc = d ? 0 : -1;

	while (rc == 0 && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = copy_one(from, to, entry->d_name, entry->d_type, own);
	if (d)
		closedir(d);
	return rc;
}

int tree_copy(const char *from, const char *to, struct err *e)
{
	CLEANUP_CLOSE int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int out = -1;

	if (in >= 0 && mkdir(to, 0755) == 0)
		out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out >= 0 && copy_below(in, out, false) == 0)
		return 0;
	return err_sys(e, "copy %s to %s", from, to);
}

static void remove_at(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (entry->d_type == DT_DIR)
			remove_at(fd, entry->d_name);
		else
			unlinkat(fd, entry->d_name, 0);
	}
	if (d)
		closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

void tree_remove(const char *dir)
{
	remove_at(AT_FDCWD, dir);
}

int tree_restore(const char *from, const char *to, const char *path, struct err *e)
{
	CLEANUP_CLOSE int in = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_CLOSE int out = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	unsigned char type;

	if (unlinkat(out, path, 0) < 0 && errno == EISDIR)
		remove_at(out, path);
	if (fstatat(in, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : DT_REG;
	/* where its directory is gone as well, that is restored too, with all in it */
	if (copy_one(in, out, path, type, false) < 0 && errno != EEXIST && errno != ENOENT)
		return err_sys(e, "restore %s in %s", path, to);
	return 0;
}
