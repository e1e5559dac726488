// SPDX-License-Identifier: GPL-2.0-or-later
// The copy of the state that an initramfs carries.
#include "pci/bake.h"

#include "pci/early.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, PATH_CAP = 640 };

/* Where in the state objects are that matter before it is mounted. */
static const struct {
	enum store_tree tree;
	const char *directory, *plural;
} parts[] = {
	{STORE_LOCAL, "desired/local", PLURAL_CLAIMS},
	{STORE_CLUSTER, "desired/cluster", PLURAL_CLAIMS},
	{STORE_KEPT, "kept", PLURAL_DEVICES},
	{STORE_KEPT, "kept", "hostuse"},
	{STORE_KEPT, "kept", "node"},
};

typedef int put_fn(void *arg, const char *path, const struct buf *content, struct err *e);

static int copy(const struct pci_node *n, const char *path, put_fn *put, void *arg, struct err *e)
{
	CLEANUP_BUF struct buf content = {.max = FILE_MAX};
	char from[PATH_CAP];

	snprintf(from, sizeof(from), "%s/%s", n->store->state, path);
	if (root_slurp(n->root, from, &content) < 0)
		return err_sys(e, "read %s", from);
	return put(arg, path, &content, e);
}

static int each_file(const struct pci_node *n, put_fn *put, void *arg, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};

	if (store_sentinel(n->store, n->name, NULL, 0) != STORE_OURS) {
		err_set(e, "%s is not known to be this machine's state", n->store->state);
		return err_hint(e, "claim something first, or look whether its disk is mounted");
	}
	if (copy(n, "desired/machine", put, arg, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char **names, path[PATH_CAP];
		size_t count;

		if (store_list(n->store, parts[i].tree, parts[i].plural, &mem, &names, &count, e) <
			0)
			return -1;
		for (size_t j = 0; j < count; j++) {
			snprintf(path, sizeof(path), "%s/%s/%s.json", parts[i].directory,
				parts[i].plural, names[j]);
			if (copy(n, path, put, arg, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* newc: a header of hex fields, the name with its NUL and the content each padded to 4 bytes. */
static void add_entry(
	struct buf *out, const char *name, unsigned mode, const char *content, size_t len)
{
	static unsigned long const zero = 0;
	size_t name_size = strlen(name) + 1;

	buf_printf(out, "070701%08lx%08x%08lx%08lx%08x%08lx%08zx%08lx%08lx%08lx%08lx%08zx%08lx",
		zero, mode, zero, zero, mode & 040000 ? 2u : 1u, zero, len, zero, zero, zero, zero,
		name_size, zero);
	buf_add(out, name, name_size);
	buf_pad(out, 0, -out->len & 3);
	buf_add(out, content, len);
	buf_pad(out, 0, -out->len & 3);
}

/* Directories come before what is in them, each once. */
struct archive {
	struct buf *out;
	char last[PATH_CAP + 16];
};

static void add_directories(struct archive *a, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char dir[PATH_CAP + 16];
		size_t n = (size_t)(slash - path);

		if (!strncmp(a->last, path, n + 1))
			continue;
		snprintf(dir, sizeof(dir), "%.*s", (int)n, path);
		add_entry(a->out, dir, 040755, "", 0);
	}
	snprintf(a->last, sizeof(a->last), "%s", path);
}

static int put_in_archive(void *arg, const char *path, const struct buf *content, struct err *e)
{
	struct archive *a = arg;
	char full[PATH_CAP + 16];

	(void)e;
	snprintf(full, sizeof(full), "%s/%s", &EARLY_BAKED[1], path);
	add_directories(a, full);
	add_entry(a->out, full, 0100644, content->p ? content->p : "", content->len);
	return 0;
}

int bake_archive(const struct pci_node *n, struct buf *out, struct err *e)
{
	struct archive a = {.out = out};

	if (each_file(n, put_in_archive, &a, e) < 0)
		return -1;
	add_entry(out, "TRAILER!!!", 0, "", 0);
	return 0;
}

struct directory {
	const struct pci_node *node;
	unsigned count;
};

static int put_in_directory(void *arg, const char *path, const struct buf *content, struct err *e)
{
	struct directory *d = arg;
	char full[PATH_CAP + 32], *slash;
	CLEANUP_CLOSE int fd = -1;

	snprintf(full, sizeof(full), "%s.new/%s", EARLY_BAKED, path);
	slash = strrchr(full, '/');
	*slash = 0;
	if (root_mkdirs(d->node->root, full, 0755) < 0)
		return err_sys(e, "make %s", full);
	*slash = '/';
	fd = root_open(d->node->root, full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, content->p, content->len) != (ssize_t)content->len || fsync(fd) < 0)
		return err_sys(e, "write %s", full);
	d->count++;
	return 0;
}

static void remove_tree(const struct root *r, const char *path)
{
	DIR *dir = root_opendir(r, path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char below[PATH_CAP + 300];

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || errno != EISDIR)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		remove_tree(r, below);
		unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
}

/* The new copy is whole before it takes the old one's place. */
static int exchange(const struct root *r, struct err *e)
{
	CLEANUP_CLOSE int etc = root_open(r, "etc", O_RDONLY | O_DIRECTORY, 0);

	if (etc < 0)
		return err_sys(e, "open /etc");
	remove_tree(r, EARLY_BAKED ".old");
	unlinkat(etc, "vfiobox.old", AT_REMOVEDIR);
	if (renameat(etc, "vfiobox", etc, "vfiobox.old") < 0 && errno != ENOENT)
		return err_sys(e, "rename %s", EARLY_BAKED);
	if (renameat(etc, "vfiobox.new", etc, "vfiobox") < 0)
		return err_sys(e, "rename %s.new", EARLY_BAKED);
	fsync(etc);
	remove_tree(r, EARLY_BAKED ".old");
	unlinkat(etc, "vfiobox.old", AT_REMOVEDIR);
	return 0;
}

int bake_directory(const struct pci_node *n, unsigned *count, struct err *e)
{
	struct directory d = {.node = n};

	remove_tree(n->root, EARLY_BAKED ".new");
	if (each_file(n, put_in_directory, &d, e) < 0 || exchange(n->root, e) < 0)
		return -1;
	*count = d.count;
	return 0;
}
