// SPDX-License-Identifier: GPL-2.0-or-later
// Files below a root directory.
#include "base/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_CAP = 4096, MAX_LINKS = 40, MAX_TRIES = 100 };

/* The kernel says EAGAIN when anything at all was renamed or mounted while it went through "..". */
static int openat2_in_root(int dirfd, const char *path, int flags, mode_t mode)
{
	bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags,
		.mode = makes ? mode & 07777 : 0,
		.resolve = RESOLVE_IN_ROOT,
	};
	int fd = -1;

	for (int i = 0; i < MAX_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static const char *relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

static void up(int *fds, size_t *depth)
{
	if (*depth > 1)
		close(fds[--*depth]);
}

struct walk {
	int fds[PATH_CAP / 2]; /* of the directories from the root to here */
	size_t depth;
	unsigned links;
	char rest[PATH_CAP]; /* what is left of the path */
};

/* What the next component is. */
struct component {
	char name[PATH_CAP];
	size_t used;       /* bytes of the rest that it takes, slashes before it included */
	bool last;         /* nothing but slashes follows */
	bool as_directory; /* the last, and there are slashes */
};

static void next_component(const struct walk *w, struct component *c)
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");
	const char *after = w->rest + skip + n;

	memcpy(c->name, w->rest + skip, n);
	c->name[n] = 0;
	c->used = skip + n;
	c->last = after[strspn(after, "/")] == 0;
	c->as_directory = c->last && *after;
}

static int here(const struct walk *w)
{
	return w->fds[w->depth - 1];
}

static void drop(struct walk *w, size_t used)
{
	memmove(w->rest, w->rest + used, strlen(w->rest + used) + 1);
}

static int refuse(int no)
{
	errno = no;
	return -1;
}

/* These take one step: 1 = go on, 0 = done with *out set, -1 = errno. */

static int step_dots(struct walk *w, const struct component *c, int flags, mode_t mode, int *out)
{
	if (!strcmp(c->name, ".."))
		up(w->fds, &w->depth);
	if (!c->last) {
		drop(w, c->used);
		return 1;
	}
	*out = openat(here(w), ".", flags | O_CLOEXEC, mode);
	return *out < 0 ? -1 : 0;
}

/* Puts the link's text in its place in what is left, and goes to the root when it is absolute. */
static int step_link(struct walk *w, const struct component *c)
{
	char link[PATH_CAP];
	ssize_t n = readlinkat(here(w), c->name, link, sizeof(link) - 1);
	size_t len, after = strlen(w->rest + c->used);

	if (n < 0)
		return -1;
	len = (size_t)n;
	if (++w->links > MAX_LINKS)
		return refuse(ELOOP);
	if (len + after >= PATH_CAP)
		return refuse(ENAMETOOLONG);
	memmove(w->rest + len, w->rest + c->used, after + 1);
	memcpy(w->rest, link, len);
	while (w->rest[0] == '/' && w->depth > 1)
		up(w->fds, &w->depth);
	return 1;
}

static int step_last(struct walk *w, const struct component *c, int flags, mode_t mode, int *out)
{
	if (c->as_directory && (flags & O_CREAT))
		return refuse(EISDIR);
	if (c->as_directory)
		flags |= O_DIRECTORY;
	*out = openat(here(w), c->name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return *out < 0 ? -1 : 0;
}

static int step_down(struct walk *w, const struct component *c)
{
	int fd;

	if (w->depth == ARRAY_LEN(w->fds))
		return refuse(ENAMETOOLONG);
	fd = openat(here(w), c->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	w->fds[w->depth++] = fd;
	drop(w, c->used);
	return 1;
}

static bool is_link(int dirfd, const char *name)
{
	struct stat st;

	return !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode);
}

/* O_CREAT | O_EXCL does not follow a link at the end either. */
static bool follows(int flags)
{
	return !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
}

static int step(struct walk *w, int flags, mode_t mode, int *out)
{
	struct component c;

	next_component(w, &c);
	if (!c.name[0] || !strcmp(c.name, ".") || !strcmp(c.name, ".."))
		return step_dots(w, &c, flags, mode, out);
	if ((!c.last || c.as_directory || follows(flags)) && is_link(here(w), c.name))
		return step_link(w, &c);
	return c.last ? step_last(w, &c, flags, mode, out) : step_down(w, &c);
}

static int open_by_walk(int rootfd, const char *path, int flags, mode_t mode)
{
	struct walk *w;
	int out = -1, rc = 1, no;

	if (strlen(path) >= PATH_CAP) {
		errno = ENAMETOOLONG;
		return -1;
	}
	w = mem_alloc(sizeof(*w));
	w->fds[w->depth++] = rootfd;
	memcpy(w->rest, path, strlen(path) + 1);
	while (rc > 0)
		rc = step(w, flags, mode, &out);
	no = errno;
	while (w->depth > 1)
		up(w->fds, &w->depth);
	free(w);
	errno = no;
	return rc < 0 ? -1 : out;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int root_init(struct root *r, const char *dir, struct err *e)
{
	struct stat a, b, its;
	int probe;

	*r = (struct root){.fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	if (r->fd < 0)
		return err_sys(e, "open root %s", dir);
	r->whole = !fstat(r->fd, &a) && !stat("/", &b) && same_file(&a, &b);
	r->of_process_1 = r->whole && !stat("/proc/1/root", &its) && same_file(&a, &its);
	probe = openat2_in_root(r->fd, ".", O_PATH | O_CLOEXEC, 0);
	r->by_walk = probe < 0;
	if (probe >= 0)
		close(probe);
	return 0;
}

void root_close(struct root *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

int root_open(const struct root *r, const char *path, int flags, mode_t mode)
{
	int fd;

	path = relative(path);
	flags |= O_CLOEXEC;
	if (r->whole)
		return openat(r->fd, path, flags, mode);
	if (r->by_walk)
		return open_by_walk(r->fd, path, flags, mode);
	fd = openat2_in_root(r->fd, path, flags, mode);
	return fd < 0 && errno == EAGAIN ? open_by_walk(r->fd, path, flags, mode) : fd;
}

DIR *root_opendir(const struct root *r, const char *path)
{
	int fd = root_open(r, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

ssize_t root_readlink(const struct root *r, const char *path, char *out, size_t cap)
{
	CLEANUP_CLOSE int fd = root_open(r, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = readlinkat(fd, "", out, cap);
	if (n < 0) {
		if (errno == ENOENT) /* the descriptor is not of a link */
			errno = EINVAL;
		return -1;
	}
	if ((size_t)n >= cap) {
		errno = ENAMETOOLONG;
		return -1;
	}
	out[n] = 0;
	return n;
}

ssize_t root_link_name(const struct root *r, const char *path, char *out, size_t cap)
{
	char link[PATH_CAP];
	const char *base;
	size_t n;

	if (root_readlink(r, path, link, sizeof(link)) < 0)
		return -1;
	base = strrchr(link, '/');
	base = base ? base + 1 : link;
	n = strlen(base);
	if (n >= cap) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, base, n + 1);
	return (ssize_t)n;
}

int root_stat(const struct root *r, const char *path, struct stat *st)
{
	CLEANUP_CLOSE int fd = root_open(r, path, O_PATH, 0);

	return fd < 0 ? -1 : fstat(fd, st);
}

bool root_exists(const struct root *r, const char *path)
{
	CLEANUP_CLOSE int fd = root_open(r, path, O_PATH, 0);

	return fd >= 0;
}

static int mkdir_below(const struct root *r, const char *path, mode_t mode)
{
	char parent[PATH_CAP];
	const char *slash = strrchr(path, '/');
	CLEANUP_CLOSE int fd = -1;

	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) : 1,
		slash ? path : ".");
	fd = root_open(r, parent, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return -1;
	return mkdirat(fd, slash ? slash + 1 : path, mode);
}

int root_mkdirs(const struct root *r, const char *path, mode_t mode)
{
	CLEANUP_CLOSE int fd = -1;
	char part[PATH_CAP];
	size_t n;

	path = relative(path);
	n = strlen(path);
	if (n >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (!root_exists(r, part) && mkdir_below(r, part, mode) < 0 && errno != EEXIST)
			return -1;
	}
	/* what is there already may be no directory */
	fd = root_open(r, path, O_PATH | O_DIRECTORY, 0);
	return fd < 0 ? -1 : 0;
}

static ssize_t trim_end(char *out, size_t len)
{
	while (len && (out[len - 1] == '\n' || out[len - 1] == ' ' || out[len - 1] == '\t'))
		len--;
	out[len] = 0;
	return (ssize_t)len;
}

static ssize_t read_small(int fd, char *out, size_t cap)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, out + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		len += (size_t)n;
		if (n == 0)
			break;
		if (len == cap) {
			errno = EFBIG;
			return -1;
		}
	}
	return trim_end(out, len);
}

ssize_t root_read(const struct root *r, const char *path, char *out, size_t cap)
{
	CLEANUP_CLOSE int fd = root_open(r, path, O_RDONLY | O_NONBLOCK, 0);

	return fd < 0 ? -1 : read_small(fd, out, cap);
}

ssize_t read_at(int dirfd, const char *name, char *out, size_t cap)
{
	CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = read(fd, out, cap);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if ((size_t)n == cap) {
		errno = EFBIG;
		return -1;
	}
	return trim_end(out, (size_t)n);
}

int root_slurp(const struct root *r, const char *path, struct buf *b)
{
	CLEANUP_CLOSE int fd = root_open(r, path, O_RDONLY | O_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	for (;;) {
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		buf_add(b, chunk, (size_t)n);
		if (b->full) {
			errno = EFBIG;
			return -1;
		}
	}
}

int root_write(const struct root *r, const char *path, const char *value)
{
	CLEANUP_CLOSE int fd = root_open(r, path, O_WRONLY | O_TRUNC, 0);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = write(fd, value, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if ((size_t)n != len) {
		errno = EIO;
		return -1;
	}
	return 0;
}
