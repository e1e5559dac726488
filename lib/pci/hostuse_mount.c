// SPDX-License-Identifier: GPL-2.0-or-later
// Which block devices a mount or a path of the host stands on.
#include "pci/hostuse_mount.h"

#include <errno.h>
#include <stdio.h>

enum {
	NESTING_MAX = 4,     /* overlays on overlays; the kernel has two */
	STEPS_MAX = 1000000, /* paths looked up in one scan */
	BACKING_FILE_CAP = 4096
};

static bool is_one_of(const char *z, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(z, list[i]))
			return true;
	return false;
}

static bool starts(const char *z, const char *prefix)
{
	return str_starts(str_of(z), prefix);
}

bool mount_is_of_system(const char *point)
{
	/* With what is below. /usr/local is not the system's: it is where others put their things.
	 */
	static const char *const places[] = {
		"/boot", "/efi", "/usr", "/sysroot", "/nix", /* any, ostree, NixOS */
		"/oem", "/run/cos", "/run/elemental",        /* Elemental: COS_OEM, COS_STATE ... */
		"/run/initramfs", "/run/rootfsbase", "/run/overlayfs", /* dracut's live images */
		"/run/live", "/lib/live", "/cdrom",                    /* Debian's */
	};
	size_t n;

	if (!strcmp(point, "/") || !strcmp(point, "/etc"))
		return true;
	if (starts(point, "/usr/local") && (point[10] == 0 || point[10] == '/'))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		n = strlen(places[i]);
		if (starts(point, places[i]) && (point[n] == 0 || point[n] == '/'))
			return true;
	}
	return false;
}

void mounts_doubt(struct mounts *m, const char *fmt, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list ap;

	if (m->doubt)
		return;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	m->doubt = arena_dup(&m->mem, text, strlen(text));
}

static void find(struct mounts *m, size_t node)
{
	for (size_t i = 0; i < m->n_found; i++)
		if (m->found[i] == node)
			return;
	if (m->n_found == m->found_cap) {
		m->found_cap = m->found_cap ? m->found_cap * 2 : 16;
		m->found = mem_resize(m->found, m->found_cap * sizeof(*m->found));
	}
	m->found[m->n_found++] = node;
}

PRINTF(2, 3) static void lose(struct mounts *m, const char *fmt, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list ap;

	if (m->lost)
		return;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	m->lost = arena_dup(&m->mem, text, strlen(text));
}

static bool find_path(struct mounts *m, const char *path)
{
	size_t node = blocks_by_path(m->b, path);

	if (node != NO_NODE)
		find(m, node);
	return node != NO_NODE;
}

static void look_at_path(struct mounts *m, const char *path, unsigned nesting);

/* An overlay's layers, "a:b::c": a backslash takes a ':' its meaning. */
static void look_at_layers(struct mounts *m, const char *layers, unsigned nesting)
{
	CLEANUP_FREE char *layer = mem_alloc(strlen(layers) + 1);
	size_t n = 0;

	for (const char *p = layers;; p++) {
		if (*p == '\\' && p[1]) {
			layer[n++] = *++p;
			continue;
		}
		if (*p && *p != ':') {
			layer[n++] = *p;
			continue;
		}
		layer[n] = 0;
		if (layer[0] == '/')
			look_at_path(m, layer, nesting);
		n = 0;
		if (!*p)
			break;
	}
}

static void look_at_overlay(struct mounts *m, const struct mount *mount, unsigned nesting)
{
	struct str options = mount->options, key, value;

	while (mount_option(&options, &key, &value)) {
		CLEANUP_ARENA struct arena mem = {0};
		const char *text;

		if (!str_is(key, "lowerdir") && !str_is(key, "lowerdir+") &&
			!str_is(key, "datadir+") && !str_is(key, "upperdir") &&
			!str_is(key, "workdir"))
			continue;
		text = mount_unescape(&mem, value);
		if (!text)
			continue;
		if (str_is(key, "lowerdir"))
			look_at_layers(m, text, nesting);
		else if (text[0] == '/')
			look_at_path(m, text, nesting);
	}
}

/* The devices of every btrfs that has this one; all of all when it is not known here. */
static void look_at_btrfs(struct mounts *m, const struct mount *mount)
{
	size_t node = blocks_by_path(m->b, mount->source);

	if ((node == NO_NODE && !m->btrfs_devices) || m->btrfs_hidden)
		lose(m, "the disks of the btrfs on %s are not to be seen", mount->point);
	if (node != NO_NODE)
		find(m, node);
	for (size_t i = 0; i < m->btrfs_devices; i++) {
		if (node != NO_NODE && m->btrfs[i].node != node)
			continue;
		for (size_t j = 0; j < m->btrfs_devices; j++)
			if (m->btrfs[j].filesystem == m->btrfs[i].filesystem)
				find(m, m->btrfs[j].node);
	}
}

/* "/dev/sda:/dev/sdb" */
static void look_at_bcachefs(struct mounts *m, const struct mount *mount)
{
	struct str rest = str_of(mount->source), part;

	while (str_cut(&rest, ':', &part)) {
		CLEANUP_FREE char *path = mem_dup(part.p, part.n);

		if (!find_path(m, path))
			lose(m, "%s, mounted on %s, is no block device here", path, mount->point);
	}
}

/* A filesystem without a block device number. */
static void look_at_anonymous(struct mounts *m, const struct mount *mount, unsigned nesting)
{
	/* what can be / and has no disk of this machine */
	static const char *const diskless[] = {"rootfs", "ramfs", "tmpfs", "nfs", "nfs4", "cifs",
		"smb3", "ceph", "9p", "virtiofs", "afs"};

	if (!strcmp(mount->fs, "overlay")) {
		look_at_overlay(m, mount, nesting);
		if (!strcmp(mount->point, "/") && !m->n_found)
			lose(m, "the layers of / are not to be seen");
	} else if (!strcmp(mount->fs, "btrfs"))
		look_at_btrfs(m, mount);
	else if (!strcmp(mount->fs, "bcachefs"))
		look_at_bcachefs(m, mount);
	else if (!strcmp(mount->fs, "zfs"))
		lose(m, "the disks of the ZFS on %s are not to be seen", mount->point);
	else if (!strcmp(mount->fs, "devtmpfs") && strcmp(mount->root, "/") != 0) {
		/* one node of /dev, for a container that wants the device as such */
		CLEANUP_FREE char *path = mem_printf("/dev%s", mount->root);

		find_path(m, path);
	} else if ((!strcmp(mount->fs, "erofs") || !strcmp(mount->fs, "ecryptfs")) &&
		   mount->source[0] == '/' && !starts(mount->source, "/dev/"))
		look_at_path(m, mount->source, nesting);
	else if (!find_path(m, mount->source) && !strcmp(mount->point, "/") &&
		 !is_one_of(mount->fs, diskless, ARRAY_LEN(diskless)))
		lose(m, "the disks of / (%s) are not to be seen", mount->fs);
}

/* xfs: a log or a realtime section on a device of its own. */
static void look_at_options(struct mounts *m, const struct mount *mount)
{
	struct str options = mount->options, key, value;

	while (mount_option(&options, &key, &value)) {
		CLEANUP_ARENA struct arena mem = {0};
		const char *path;

		if (!str_is(key, "logdev") && !str_is(key, "rtdev"))
			continue;
		path = mount_unescape(&mem, value);
		if (path && !find_path(m, path))
			lose(m, "%s, part of %s, is no block device here", path, mount->point);
	}
}

static void look_at_mount(struct mounts *m, size_t index, unsigned nesting)
{
	const struct mount *mount = &m->info.mount[index];
	size_t node;

	if (nesting == NESTING_MAX) {
		lose(m, "%s is nested too deep", mount->point);
		return;
	}
	m->busy[index] = true;
	if (!mount->major) {
		look_at_anonymous(m, mount, nesting + 1);
	} else {
		node = blocks_by_number(m->b, mount->major, mount->minor);
		if (node == NO_NODE && !find_path(m, mount->source))
			lose(m, "%u:%u, mounted on %s, is no block device here", mount->major,
				mount->minor, mount->point);
		else if (node != NO_NODE)
			find(m, node);
		look_at_options(m, mount);
	}
	m->busy[index] = false;
}

/* "/a//b/./c/../d/" -> "/a/b/d", in place. */
static void normalise(char *path)
{
	struct str rest = str_of(path), part;
	size_t n = 0;

	while (str_cut(&rest, '/', &part)) {
		if (!part.n || str_is(part, "."))
			continue;
		if (str_is(part, "..")) {
			while (n && path[--n] != '/')
				;
			continue;
		}
		path[n++] = '/';
		memmove(path + n, part.p, part.n);
		n += part.n;
	}
	path[n] = 0;
}

/* All mounts at one directory: which of them holds what is below is not always the last. */
static bool look_at_point(struct mounts *m, const char *point, size_t n, unsigned nesting)
{
	size_t first, count = mountinfo_at(&m->info, point, n, &first);
	bool any = false;

	for (size_t i = first; i < first + count; i++) {
		if (m->busy[m->info.by_point[i]])
			continue;
		look_at_mount(m, m->info.by_point[i], nesting);
		any = true;
	}
	return any;
}

/* The filesystem that holds a path: of the mounts on the way to it, the deepest. A mount that is
 * being looked at does not count: what it is made of was there before it. */
static void look_at_path(struct mounts *m, const char *path, unsigned nesting)
{
	CLEANUP_FREE char *at = mem_dup(path, strlen(path));
	size_t n;

	if (++m->steps > STEPS_MAX) {
		lose(m, "too many paths to look at");
		return;
	}
	normalise(at);
	for (n = strlen(at); n > 0; n--)
		if ((at[n] == 0 || at[n] == '/') && look_at_point(m, at, n, nesting))
			return;
	if (!look_at_point(m, "/", 1, nesting))
		lose(m, "no mount holds %s", path);
}

static void look_afresh(struct mounts *m)
{
	m->n_found = 0;
	m->lost = NULL;
}

size_t mounts_devices(struct mounts *m, size_t mount, const size_t **node)
{
	look_afresh(m);
	look_at_mount(m, mount, 0);
	if (m->lost)
		mounts_doubt(m, "%s", m->lost);
	*node = m->found;
	return m->n_found;
}

/* d_path() adds this to the path of a file that is gone and still open. */
static char *without_deleted(const char *path, bool *deleted)
{
	static const char mark[] = " (deleted)";
	struct str s = str_of(path);

	*deleted = str_ends(s, mark);
	return mem_dup(path, s.n - (*deleted ? sizeof(mark) - 1 : 0));
}

/* A file may be named as the initramfs saw it, or by its path in a filesystem that is mounted
 * nowhere any more. */
static void look_at_file(struct mounts *m, const char *path)
{
	bool deleted;
	CLEANUP_FREE char *at = without_deleted(path, &deleted);

	look_afresh(m);
	if (starts(at, "/dev/") && find_path(m, at))
		return;
	if (m->b->r->of_process_1 && !deleted && !root_exists(m->b->r, at) &&
		(errno == ENOENT || errno == ENOTDIR))
		lose(m, "%s is not there", at);
	look_at_path(m, at, 0);
}

size_t mounts_of_path(struct mounts *m, const char *path, bool is_file, const size_t **node)
{
	look_afresh(m);
	if (is_file)
		look_at_file(m, path);
	else
		find_path(m, path);
	if (m->lost)
		mounts_doubt(m, "%s", m->lost);
	*node = m->found;
	return m->n_found;
}

/* What a loop device (or zram with a backing device) stands on. */
static void stand_on_file(struct mounts *m, size_t node, const char *path)
{
	struct blocks *b = m->b;
	const char *name = b->g.node[node].name, *lost;

	look_at_file(m, path);
	lost = m->lost;
	for (size_t i = 0; i < m->n_found; i++) {
		if (m->found[i] == node) {
			lost = "it is in its own filesystem";
			continue;
		}
		use_graph_stand(&b->g, node, m->found[i]);
		b->of[node].holds |= starts(path, "/dev/");
	}
	b->of[node].bottomless = lost != NULL;
	if (lost)
		b->of[node].why =
			arena_printf(&b->g.mem, "%s is the file %s: %s", name, path, lost);
}

static void read_files(struct mounts *m)
{
	struct blocks *b = m->b;

	for (size_t i = 0; i < b->g.n; i++) {
		char path[BACKING_FILE_CAP];
		const char *attribute = starts(b->g.node[i].name, "loop")   ? "loop/backing_file"
					: starts(b->g.node[i].name, "zram") ? "backing_dev"
									    : NULL;

		if (attribute && blocks_attribute(b, i, attribute, path, sizeof(path)) > 0 &&
			path[0] == '/')
			stand_on_file(m, i, path);
	}
}

static void read_btrfs_devices(struct mounts *m, const char *name, size_t filesystem)
{
	CLEANUP_FREE char *dir = mem_printf("sys/fs/btrfs/%s/devices", name);
	DIR *d = root_opendir(m->b->r, dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t node;

		if (entry->d_name[0] == '.')
			continue;
		node = use_graph_find(&m->b->g, str_of(entry->d_name));
		if (node == NO_NODE) {
			m->btrfs_hidden = true;
			continue;
		}
		if (m->btrfs_devices == m->btrfs_cap) {
			m->btrfs_cap = m->btrfs_cap ? m->btrfs_cap * 2 : 16;
			m->btrfs = mem_resize(m->btrfs, m->btrfs_cap * sizeof(*m->btrfs));
		}
		m->btrfs[m->btrfs_devices++] = (struct btrfs_device){filesystem, node};
	}
	if (d)
		closedir(d);
}

static void read_btrfs(struct mounts *m)
{
	DIR *d = root_opendir(m->b->r, "sys/fs/btrfs");
	struct dirent *entry;

	for (size_t n = 0; d && (entry = readdir(d)); n++)
		if (entry->d_name[0] != '.')
			read_btrfs_devices(m, entry->d_name, n);
	if (d)
		closedir(d);
}

/* An imported pool has a directory of statistics; its disks are nowhere to be read. */
static void doubt_zfs(struct mounts *m)
{
	DIR *d = root_opendir(m->b->r, "proc/spl/kstat/zfs");
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		CLEANUP_FREE char *path = mem_printf("proc/spl/kstat/zfs/%s/.", entry->d_name);

		if (entry->d_name[0] != '.' && root_exists(m->b->r, path))
			mounts_doubt(m, "the disks of the ZFS pool %s are not to be seen",
				entry->d_name);
	}
	if (d)
		closedir(d);
}

int mounts_read(struct mounts *m, struct blocks *b)
{
	CLEANUP_BUF struct buf text = {.max = PROC_FILE_MAX};
	struct err e;

	*m = (struct mounts){.b = b};
	if (root_slurp(b->r, "proc/1/mountinfo", &text) < 0) {
		mounts_doubt(m, "proc/1/mountinfo: %s", strerror(errno));
		return -1;
	}
	if (mountinfo_parse(&m->info, buf_slice(&text), &e) < 0) {
		mounts_doubt(m, "proc/1/mountinfo: %s", e.text);
		return -1;
	}
	if (!m->info.n) {
		mounts_doubt(m, "proc/1/mountinfo: empty");
		return -1;
	}
	m->busy = mem_alloc(m->info.n);
	read_btrfs(m);
	read_files(m);
	doubt_zfs(m);
	return 0;
}

void mounts_free(struct mounts *m)
{
	mountinfo_free(&m->info);
	free(m->busy);
	free(m->btrfs);
	free(m->found);
	arena_free(&m->mem);
	*m = (struct mounts){0};
}
