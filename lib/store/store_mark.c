// SPDX-License-Identifier: GPL-2.0-or-later
// The two files that say what absence means: `machine` of desired/, `complete` of
// observed/<plural>.
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#define SENTINEL "machine"
#define COMPLETE "complete"
#define BOOT_ID "proc/sys/kernel/random/boot_id"

enum { VALUE_CAP = 254, SENTINEL_CAP = 1024, SCAN_DEPTH = 8 };

/* What tells a machine from others, the best first. All that is known is written down: what can be
 * read differs (a user who is not root, an initramfs, a board without DMI), and only what both
 * sides know can be compared. */
enum { ID_PRODUCT, ID_MACHINE, ID_NODE, IDS };
static const char *const id_name[IDS] = {"product-uuid", "machine-id", "node"};

struct identity {
	char value[IDS][VALUE_CAP]; /* "" unknown */
};

static bool is_value(struct str s)
{
	if (!s.n || s.n >= VALUE_CAP)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

static void set_value(struct identity *id, int which, struct str s)
{
	if (!is_value(s))
		return;
	memcpy(id->value[which], s.p, s.n);
	id->value[which][s.n] = 0;
}

/* Firmware that nobody filled in: one digit over and over, or the example of an AMI BIOS. */
static bool is_placeholder(const char *uuid)
{
	char digits[3] = {uuid[0], '-', 0};

	return !uuid[strspn(uuid, digits)] ||
	       !strcasecmp(uuid, "03000200-0400-0500-0006-000700080009");
}

static void read_value(const struct root *r, const char *path, struct identity *id, int which)
{
	char text[VALUE_CAP];
	ssize_t n = root_read(r, path, text, sizeof(text));

	if (n > 0 && !is_placeholder(text) && strcmp(text, "uninitialized") != 0)
		set_value(id, which, (struct str){text, (size_t)n});
}

static void identify(const struct root *r, const char *node, struct identity *id)
{
	*id = (struct identity){0};
	read_value(r, "sys/class/dmi/id/product_uuid", id, ID_PRODUCT);
	read_value(r, "etc/machine-id", id, ID_MACHINE);
	if (node)
		set_value(id, ID_NODE, str_of(node));
}

/* Lines of a name and a value; others are left to later versions. */
static void parse_sentinel(struct str text, struct identity *id)
{
	struct str line, name, value;

	*id = (struct identity){0};
	while (str_cut(&text, '\n', &line)) {
		if (!str_word(&line, &name) || !str_word(&line, &value))
			continue;
		for (int i = 0; i < IDS; i++)
			if (str_is(name, id_name[i]))
				set_value(id, i, value);
	}
}

static void describe(const struct identity *id, char *seen, size_t cap)
{
	for (int i = 0; i < IDS; i++)
		if (id->value[i][0]) {
			snprintf(seen, cap, "%s %s", id_name[i], id->value[i]);
			return;
		}
	snprintf(seen, cap, "%s", "nothing");
}

/* Anything but directories and what a killed writer left. What cannot be looked at counts. */
static bool holds_things(int dirfd, const char *name, unsigned depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool found = false;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return true;
	}
	while (!found && (errno = 0, (entry = readdir(d)))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			store_is_temp(entry->d_name))
			continue;
		found = !depth || holds_things(fd, entry->d_name, depth - 1);
	}
	if (!found && errno)
		found = true;
	closedir(d);
	return found;
}

static bool tree_holds_things(const struct store *s, const char *tree)
{
	char path[STORE_PATH_CAP];
	CLEANUP_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", s->state, tree);
	fd = root_open(s->root, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return errno != ENOENT;
	return holds_things(fd, ".", SCAN_DEPTH);
}

static enum store_sentinel compare(const struct identity *file, const struct identity *now)
{
	for (int i = 0; i < IDS; i++)
		if (file->value[i][0] && now->value[i][0])
			return strcasecmp(file->value[i], now->value[i]) ? STORE_FOREIGN
									 : STORE_OURS;
	return STORE_MISSING;
}

enum store_sentinel store_sentinel(const struct store *s, const char *node, char *seen, size_t cap)
{
	char path[STORE_PATH_CAP], text[SENTINEL_CAP];
	struct identity file, now;
	ssize_t n;

	if (seen && cap)
		seen[0] = 0;
	snprintf(path, sizeof(path), "%s/desired/" SENTINEL, s->state);
	n = root_read(s->root, path, text, sizeof(text));
	if (n < 0 && errno == ENOENT)
		return tree_holds_things(s, "desired") || tree_holds_things(s, "kept")
			       ? STORE_MISSING
			       : STORE_NEW;
	if (n < 0)
		return STORE_MISSING;
	parse_sentinel((struct str){text, (size_t)n}, &file);
	if (seen)
		describe(&file, seen, cap);
	identify(s->root, node, &now);
	return compare(&file, &now);
}

int store_sentinel_write(const struct store *s, const char *node, struct err *e)
{
	CLEANUP_BUF struct buf text = {0};
	char dir[STORE_PATH_CAP];
	struct identity now;

	identify(s->root, node, &now);
	for (int i = 0; i < IDS; i++)
		if (now.value[i][0])
			buf_printf(&text, "%s %s\n", id_name[i], now.value[i]);
	if (!text.len)
		return err_set(
			e, "this machine has neither a product uuid, a machine-id nor a name");
	snprintf(dir, sizeof(dir), "%s/desired", s->state);
	return store_write_bytes(s, dir, true, SENTINEL, buf_slice(&text), e);
}

ssize_t store_boot_id(const struct store *s, char *out, size_t cap)
{
	ssize_t n = root_read(s->root, BOOT_ID, out, cap);

	if (n == 0)
		errno = ENODATA;
	return n > 0 ? n : -1;
}

int store_mark_complete(const struct store *s, const char *plural, struct err *e)
{
	char dir[STORE_PATH_CAP], boot[64];
	ssize_t n;

	if (store_dir_of(s, STORE_OBSERVED, plural, dir, e) < 0)
		return -1;
	n = store_boot_id(s, boot, sizeof(boot) - 1);
	if (n < 0)
		return err_sys(e, "read " BOOT_ID);
	boot[n] = '\n';
	return store_write_bytes(s, dir, false, COMPLETE, (struct str){boot, (size_t)n + 1}, e);
}

bool store_is_complete(const struct store *s, const char *plural)
{
	char dir[STORE_PATH_CAP], path[STORE_PATH_CAP + 16], boot[64], mark[64];
	struct err ignored;

	if (store_dir_of(s, STORE_OBSERVED, plural, dir, &ignored) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/" COMPLETE, dir);
	return store_boot_id(s, boot, sizeof(boot)) > 0 &&
	       root_read(s->root, path, mark, sizeof(mark)) > 0 && !strcmp(boot, mark);
}
