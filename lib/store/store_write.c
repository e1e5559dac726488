// SPDX-License-Identifier: GPL-2.0-or-later
// Writing objects: a batch of files, each written whole or not at all.
#include "store/store_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Files that a batch keeps open until commit: their blocks are on the way to the disk meanwhile,
 * so that one flush of the journal serves them all. The rest is synced at once. */
enum { OPEN_MAX_FILES = 256 };

enum action {
	ACT_LEAVE, /* what is there already */
	ACT_WRITE, /* temp becomes file */
	ACT_REMOVE,
};

struct change {
	enum action action;
	size_t place; /* index */
	char *file;
	char temp[STORE_TEMP_CAP];
	int fd; /* of temp, to be synced; -1 */
};

struct store_batch {
	const struct store *store;
	struct arena mem; /* file names */
	struct place *place;
	size_t places;
	struct change *change;
	size_t n, cap;
	size_t open;
	unsigned serial;
};

struct store_batch *store_batch_new(const struct store *s)
{
	struct store_batch *b = mem_alloc(sizeof(*b));

	b->store = s;
	return b;
}

/* Its index, or -1 and errno. */
static ssize_t find_place(struct store_batch *b, const char *dir, bool durable, bool make)
{
	for (size_t i = 0; i < b->places; i++)
		if (!strcmp(b->place[i].dir, dir))
			return (ssize_t)i;
	b->place = mem_resize(b->place, (b->places + 1) * sizeof(*b->place));
	if (place_open(&b->place[b->places], b->store->root, dir, durable, make) < 0)
		return -1;
	return (ssize_t)b->places++;
}

static struct change *add_change(
	struct store_batch *b, enum action action, size_t place, const char *file)
{
	struct change *c;

	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->change = mem_resize(b->change, b->cap * sizeof(*b->change));
	}
	c = &b->change[b->n++];
	*c = (struct change){.action = action, .place = place, .fd = -1};
	c->file = arena_dup(&b->mem, file, strlen(file));
	return c;
}

static int sync_and_close(struct store_batch *b, struct change *c)
{
	CLEANUP_CLOSE int fd = c->fd;

	if (fd < 0)
		return 0;
	c->fd = -1;
	b->open--;
	return fsync(fd);
}

/* The batch forgets the change; nothing of it is left in the directory. */
static void drop(struct store_batch *b, struct change *c)
{
	if (c->fd >= 0) {
		close(c->fd);
		b->open--;
	}
	c->fd = -1;
	if (c->action == ACT_WRITE)
		unlinkat(b->place[c->place].fd, c->temp, 0);
	c->action = ACT_LEAVE;
}

/* Durable files stay open for commit to sync, or are synced here when too many are open. */
static int settle(struct store_batch *b, struct change *c, bool durable)
{
	b->open++;
	if (durable && b->open < OPEN_MAX_FILES) {
		sync_file_range(c->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		return 0;
	}
	if (durable)
		return sync_and_close(b, c);
	close(c->fd);
	c->fd = -1;
	b->open--;
	return 0;
}

/* From errno. */
static int fail(struct err *e, const char *what, const char *dir, const char *file)
{
	if (errno == EWOULDBLOCK)
		return err_set(
			e, "%s %s/%s: another process keeps the directory locked", what, dir, file);
	err_sys(e, "%s %s/%s", what, dir, file);
	if (e->no == ENOSPC || e->no == EDQUOT)
		err_hint(e, "make room on the file system of %.180s, then try again", dir);
	else if (e->no == EROFS)
		err_hint(e, "VFIOBOX_STATE names a directory that can be written and persists");
	return -1;
}

int store_put_bytes(struct store_batch *b, const char *dir, bool durable, const char *file,
	struct str bytes, struct err *e)
{
	ssize_t place = find_place(b, dir, durable, true);
	char temp[STORE_TEMP_CAP];
	struct change *c;
	int fd;

	if (place < 0)
		return fail(e, "write", dir, file);
	if (place_has(&b->place[place], file, bytes)) {
		add_change(b, ACT_LEAVE, (size_t)place, file);
		return 0;
	}
	fd = place_write_temp(&b->place[place], bytes, temp, &b->serial);
	if (fd < 0)
		return fail(e, "write", dir, file);
	c = add_change(b, ACT_WRITE, (size_t)place, file);
	memcpy(c->temp, temp, sizeof(temp));
	c->fd = fd;
	if (settle(b, c, durable) < 0) {
		fail(e, "sync", dir, file);
		drop(b, c);
		b->n--;
		return -1;
	}
	return 0;
}

int store_put(struct store_batch *b, enum store_tree t, const char *plural, const char *name,
	const struct json *object, struct err *e)
{
	CLEANUP_BUF struct buf text = {.max = STORE_OBJECT_MAX};
	char dir[STORE_PATH_CAP], file[STORE_FILE_CAP];

	if (store_dir_of(b->store, t, plural, dir, e) < 0 || store_file_of(name, file, e) < 0)
		return -1;
	if (!json_is(object, JSON_OBJECT))
		return err_set(e, "write %s/%s: not a JSON object", dir, file);
	json_write(&text, object, JSON_PRETTY);
	buf_char(&text, '\n');
	if (text.full)
		return err_set(e, "write %s/%s: larger than %d bytes", dir, file, STORE_OBJECT_MAX);
	return store_put_bytes(b, dir, store_is_durable(t), file, buf_slice(&text), e);
}

int store_remove(struct store_batch *b, enum store_tree t, const char *plural, const char *name,
	struct err *e)
{
	char dir[STORE_PATH_CAP], file[STORE_FILE_CAP];
	ssize_t place;

	if (store_dir_of(b->store, t, plural, dir, e) < 0 || store_file_of(name, file, e) < 0)
		return -1;
	place = find_place(b, dir, store_is_durable(t), false);
	if (place < 0 && errno == ENOENT)
		return 0;
	if (place < 0)
		return fail(e, "remove", dir, file);
	add_change(b, ACT_REMOVE, (size_t)place, file);
	return 0;
}

static int by_file(const void *a, const void *b)
{
	const struct change *x = *(struct change *const *)a, *y = *(struct change *const *)b;
	int order =
		x->place != y->place ? (x->place < y->place ? -1 : 1) : strcmp(x->file, y->file);

	return order ? order : x < y ? -1 : 1;
}

/* Of several changes to one file the last one counts. */
static void drop_superseded(struct store_batch *b)
{
	struct change **sorted = mem_alloc((b->n + 1) * sizeof(struct change *));

	for (size_t i = 0; i < b->n; i++)
		sorted[i] = &b->change[i];
	qsort(sorted, b->n, sizeof(struct change *), by_file);
	for (size_t i = 0; i + 1 < b->n; i++)
		if (sorted[i]->place == sorted[i + 1]->place &&
			!strcmp(sorted[i]->file, sorted[i + 1]->file))
			drop(b, sorted[i]);
	free(sorted);
}

/* 1 changed, 0 was so already, -1 and errno. */
static int make_so(struct store_batch *b, struct change *c)
{
	struct place *p = &b->place[c->place];
	int rc = 0;

	if (c->action == ACT_WRITE)
		rc = renameat(p->fd, c->temp, p->fd, c->file);
	else if (c->action == ACT_REMOVE)
		rc = unlinkat(p->fd, c->file, 0);
	if (rc < 0)
		return c->action == ACT_REMOVE && errno == ENOENT ? 0 : -1;
	if (c->action == ACT_LEAVE)
		return 0;
	p->changed = true;
	c->action = ACT_LEAVE;
	return 1;
}

/* Keeps the first error; the rest of the batch goes on. */
static void note(struct store_batch *b, const struct change *c, const char *what, bool *failed,
	struct err *e)
{
	if (*failed)
		return;
	*failed = true;
	fail(e, what, b->place[c->place].dir, c->file);
}

static void sync_files(struct store_batch *b, bool *failed, struct err *e)
{
	for (size_t i = 0; i < b->n; i++)
		if (sync_and_close(b, &b->change[i]) < 0) {
			note(b, &b->change[i], "sync", failed, e);
			drop(b, &b->change[i]);
		}
}

static int make_all_so(struct store_batch *b, bool *failed, struct err *e)
{
	int changed = 0;

	for (size_t i = 0; i < b->n; i++) {
		struct change *c = &b->change[i];
		int rc = make_so(b, c);

		if (rc < 0) {
			note(b, c, c->action == ACT_REMOVE ? "remove" : "replace", failed, e);
			drop(b, c);
		} else {
			changed += rc;
		}
	}
	return changed;
}

static void sync_dirs(struct store_batch *b, bool *failed, struct err *e)
{
	for (size_t i = 0; i < b->places; i++) {
		if (place_sync(&b->place[i]) == 0)
			continue;
		if (!*failed)
			err_sys(e, "sync %s", b->place[i].dir);
		*failed = true;
	}
}

static void clear(struct store_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		drop(b, &b->change[i]);
	for (size_t i = 0; i < b->places; i++)
		place_close(&b->place[i]);
	b->n = b->places = 0;
	arena_free(&b->mem);
}

int store_commit(struct store_batch *b, struct err *e)
{
	bool failed = false;
	int changed;

	drop_superseded(b);
	sync_files(b, &failed, e);
	changed = make_all_so(b, &failed, e);
	sync_dirs(b, &failed, e);
	clear(b);
	return failed ? -1 : changed;
}

void store_batch_free(struct store_batch *b)
{
	if (!b)
		return;
	clear(b);
	free(b->change);
	free(b->place);
	free(b);
}

int store_write_bytes(const struct store *s, const char *dir, bool durable, const char *file,
	struct str bytes, struct err *e)
{
	struct store_batch *b = store_batch_new(s);
	int rc = store_put_bytes(b, dir, durable, file, bytes, e);

	if (rc == 0)
		rc = store_commit(b, e);
	store_batch_free(b);
	return rc < 0 ? -1 : 0;
}

int store_put_now(const struct store *s, enum store_tree t, const char *plural, const char *name,
	const struct json *object, struct err *e)
{
	struct store_batch *b = store_batch_new(s);
	int rc = store_put(b, t, plural, name, object, e);

	if (rc == 0)
		rc = store_commit(b, e);
	store_batch_free(b);
	return rc < 0 ? -1 : 0;
}

int store_remove_now(const struct store *s, enum store_tree t, const char *plural, const char *name,
	struct err *e)
{
	struct store_batch *b = store_batch_new(s);
	int rc = store_remove(b, t, plural, name, e);

	if (rc == 0)
		rc = store_commit(b, e);
	store_batch_free(b);
	return rc < 0 ? -1 : 0;
}
