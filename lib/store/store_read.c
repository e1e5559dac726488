// SPDX-License-Identifier: GPL-2.0-or-later
// Reading objects: what cannot be read is never taken for what is not there.
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* To the end of `b`; -1 and errno, EFBIG over b->max. */
static int read_all(int fd, struct buf *b)
{
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

/* Opened without waiting: what lies there under the name of an object may be a FIFO. */
static int open_object(const struct store *s, const char *dir, const char *file)
{
	CLEANUP_CLOSE int dirfd = root_open(s->root, dir, O_PATH | O_DIRECTORY, 0);

	if (dirfd < 0)
		return -1;
	return openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static struct json *parse_object(struct arena *mem, const struct buf *text, struct err *e)
{
	struct json *object = json_parse(mem, text->len ? text->p : "", text->len, e);

	if (!object)
		return NULL;
	if (json_type(object) != JSON_OBJECT) {
		err_set(e, "not a JSON object");
		return NULL;
	}
	return object;
}

int store_read(const struct store *s, enum store_tree t, const char *plural, const char *name,
	struct arena *mem, struct json **out, struct err *e)
{
	CLEANUP_BUF struct buf text = {.max = STORE_OBJECT_MAX};
	CLEANUP_CLOSE int fd = -1;
	char dir[STORE_PATH_CAP], file[STORE_FILE_CAP];
	struct stat st;

	*out = NULL;
	if (store_dir_of(s, t, plural, dir, e) < 0 || store_file_of(name, file, e) < 0)
		return -1;
	fd = open_object(s, dir, file);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == ELOOP)
		return err_set(e, "read %s/%s: a symbolic link is not followed", dir, file);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "read %s/%s", dir, file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "read %s/%s: not a file", dir, file);
	if (read_all(fd, &text) < 0)
		return err_sys(e, "read %s/%s", dir, file);
	*out = parse_object(mem, &text, e);
	return *out ? 0 : err_wrap(e, "read %s/%s", dir, file);
}

struct names {
	char **p;
	size_t n, cap;
};

static void add_name(struct names *v, char *name)
{
	if (v->n == v->cap) {
		v->cap = v->cap ? 2 * v->cap : 64;
		v->p = mem_resize(v->p, v->cap * sizeof(*v->p));
	}
	v->p[v->n++] = name;
}

/* "x.json" gives "x"; nothing for what is no object's file. */
static struct str name_of(const char *file)
{
	struct str name = str_of(file);

	if (!str_ends(name, ".json"))
		return (struct str){NULL, 0};
	name.n -= strlen(".json");
	return store_name_ok(name) ? name : (struct str){NULL, 0};
}

/* -1 and errno */
static int read_names(DIR *d, struct arena *mem, struct names *v)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(d))) {
		struct str name = name_of(entry->d_name);

		if (name.n && entry->d_type != DT_DIR)
			add_name(v, arena_dup(mem, name.p, name.n));
	}
	return errno ? -1 : 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_list(const struct store *s, enum store_tree t, const char *plural, struct arena *mem,
	char ***names, size_t *n, struct err *e)
{
	char dir[STORE_PATH_CAP];
	struct names v = {0};
	DIR *d;
	int rc;

	*names = NULL;
	*n = 0;
	if (store_dir_of(s, t, plural, dir, e) < 0)
		return -1;
	d = root_opendir(s->root, dir);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "list %s", dir);
	rc = read_names(d, mem, &v);
	if (rc < 0)
		err_sys(e, "list %s", dir);
	closedir(d);
	if (rc == 0 && v.n) {
		qsort(v.p, v.n, sizeof(*v.p), by_text);
		*names = arena_alloc(mem, v.n * sizeof(*v.p));
		memcpy(*names, v.p, v.n * sizeof(*v.p));
		*n = v.n;
	}
	free(v.p);
	return rc;
}
