// SPDX-License-Identifier: GPL-2.0-or-later
// The block devices below the root and what each stands on.
#include "pci/hostuse_block.h"

#include <errno.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TEXT_CAP = 4096 };

/* Something in the directory of a device, which is where its link leads. */
static char *path_of(const struct blocks *b, size_t node, const char *name)
{
	const char *link = b->g.node[node].link;

	if (link && link[0] == '/')
		return mem_printf("%s/%s", link, name);
	return mem_printf("%s/%s/%s", b->dir, link ? link : b->g.node[node].name, name);
}

ssize_t blocks_attribute(
	const struct blocks *b, size_t node, const char *name, char *out, size_t cap)
{
	CLEANUP_FREE char *path = path_of(b, node, name);

	return root_read(b->r, path, out, cap);
}

static bool starts(const char *z, const char *prefix)
{
	return str_starts(str_of(z), prefix);
}

/* Names. sys/block has no partitions of its own: they are directories of their disk. */

static void read_partitions(struct blocks *b, const char *disk)
{
	CLEANUP_FREE char *dir = mem_printf("sys/block/%s", disk);
	DIR *d = root_opendir(b->r, dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		CLEANUP_FREE char *mark = mem_printf("%s/%s/partition", dir, entry->d_name);
		CLEANUP_FREE char *link = mem_printf("%s/%s", disk, entry->d_name);

		if (starts(entry->d_name, disk) && root_exists(b->r, mark))
			use_graph_add(&b->g, entry->d_name, link);
	}
	if (d)
		closedir(d);
}

static int read_names(struct blocks *b)
{
	size_t disks;

	b->dir = "sys/class/block";
	if (use_graph_read(&b->g, b->r, b->dir) == 0)
		return 0;
	if (errno != ENOENT)
		return errno;
	b->dir = "sys/block";
	if (use_graph_read(&b->g, b->r, b->dir) < 0)
		return errno;
	disks = b->g.n;
	for (size_t i = 0; i < disks; i++)
		read_partitions(b, b->g.node[i].name);
	return 0;
}

/* Numbers. */

static void read_number(struct blocks *b, size_t node)
{
	char text[64];
	ssize_t n = blocks_attribute(b, node, "dev", text, sizeof(text));
	struct str minor = {text, n < 0 ? 0 : (size_t)n}, major;
	uint64_t x, y;

	if (n <= 0 || !str_cut(&minor, ':', &major) || !str_u64(major, UINT32_MAX, &x) ||
		!str_u64(minor, UINT32_MAX, &y))
		return;
	b->of[node].major = (uint32_t)x;
	b->of[node].minor = (uint32_t)y;
	b->of[node].numbered = true;
}

struct number_key {
	uint64_t number;
	size_t node;
};

static uint64_t number_of(uint32_t major, uint32_t minor)
{
	return (uint64_t)major << 32 | minor;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct number_key *)a)->number;
	uint64_t y = ((const struct number_key *)b)->number;

	return x < y ? -1 : x > y;
}

static void sort_numbers(struct blocks *b)
{
	CLEANUP_FREE struct number_key *key = mem_alloc(b->g.n * sizeof(*key));

	b->by_number = mem_alloc(b->g.n * sizeof(*b->by_number));
	for (size_t i = 0; i < b->g.n; i++)
		if (b->of[i].numbered)
			key[b->numbered++] =
				(struct number_key){number_of(b->of[i].major, b->of[i].minor), i};
	qsort(key, b->numbered, sizeof(*key), by_number);
	for (size_t i = 0; i < b->numbered; i++)
		b->by_number[i] = key[i].node;
}

/* Partitions. */

/* ".../block/sda/sda1" -> "sda" */
static struct str parent_name(const char *link)
{
	struct str rest = str_of(link), part, last = {NULL, 0}, parent = {"", 0};

	while (str_cut(&rest, '/', &part)) {
		if (last.p)
			parent = last;
		last = part;
	}
	return parent;
}

/* For a copy of sysfs without links: the longest name that starts the partition's. */
static size_t disk_by_name(const struct blocks *b, size_t node)
{
	struct str name = str_of(b->g.node[node].name);

	for (size_t n = name.n - 1; n > 0; n--) {
		CLEANUP_FREE char *mark = NULL;
		size_t disk = use_graph_find(&b->g, (struct str){name.p, n});

		if (disk == NO_NODE)
			continue;
		mark = path_of(b, disk, "partition");
		if (!root_exists(b->r, mark))
			return disk;
	}
	return NO_NODE;
}

static size_t disk_of(const struct blocks *b, size_t node)
{
	CLEANUP_FREE char *mark = NULL;

	if (b->g.node[node].link)
		return use_graph_find(&b->g, parent_name(b->g.node[node].link));
	mark = path_of(b, node, "partition");
	return root_exists(b->r, mark) ? disk_by_name(b, node) : NO_NODE;
}

static void link_partition(struct blocks *b, size_t node, size_t disk)
{
	b->of[node].partition = true;
	b->g.node[node].silent = true;
	use_graph_stand(&b->g, node, disk);
}

/* Functions. */

static void cannot_tell(struct blocks *b, size_t node, const char *why)
{
	b->of[node].bottomless = true;
	b->of[node].why = arena_printf(&b->g.mem, "%s: %s", b->g.node[node].name, why);
}

/* A namespace with several paths hangs below no controller: devices/virtual/nvme-subsystem/
 * nvme-subsys0/nvme0n1, beside links to the controllers, nvme0, nvme1. */
static void carry_by_controllers(struct blocks *b, size_t node)
{
	CLEANUP_FREE char *dir = path_of(b, node, "..");
	DIR *d = root_opendir(b->r, dir);
	struct dirent *entry;
	bool any = false;

	while (d && (entry = readdir(d))) {
		char text[TEXT_CAP];
		ssize_t n;

		if (!starts(entry->d_name, "nvme"))
			continue;
		n = readlinkat(dirfd(d), entry->d_name, text, sizeof(text) - 1);
		if (n < 0)
			continue;
		text[n] = 0;
		use_graph_carry(&b->g, node, text);
		any = true;
	}
	if (d)
		closedir(d);
	b->of[node].pathless = !any;
}

/* The path nvme0c1n2 of the namespace nvme0n2 (drivers/nvme/host/core.c). */
static void link_nvme_path(struct blocks *b, size_t node)
{
	unsigned subsystem, controller, space;
	char head[64];
	int used = 0;
	size_t at;

	if (sscanf(b->g.node[node].name, "nvme%uc%un%u%n", &subsystem, &controller, &space,
		    &used) != 3 ||
		b->g.node[node].name[used])
		return;
	snprintf(head, sizeof(head), "nvme%un%u", subsystem, space);
	at = use_graph_find(&b->g, str_of(head));
	if (at == NO_NODE)
		return;
	b->g.node[node].silent = true;
	use_graph_stand(&b->g, at, node);
	if (b->g.node[node].link)
		use_graph_carry(&b->g, at, b->g.node[node].link);
}

static void carry_disk(struct blocks *b, size_t node)
{
	char text[TEXT_CAP];
	const char *link = b->g.node[node].link;

	if (link)
		use_graph_carry(&b->g, node, link);
	if (link && strstr(link, "/nvme-subsystem/"))
		carry_by_controllers(b, node);
	if (!b->g.node[node].function) {
		CLEANUP_FREE char *device = path_of(b, node, "device");

		if (root_readlink(b->r, device, text, sizeof(text)) > 0)
			use_graph_carry(&b->g, node, text);
		if (!link && !b->g.node[node].function && root_exists(b->r, device))
			cannot_tell(b, node, "a copy of sysfs without its links");
	}
	link_nvme_path(b, node);
}

/* Stacks. */

static bool is_stack(const char *name)
{
	static const char *const stacks[] = {"dm-", "md", "bcache", "zd", "loop"};

	for (size_t i = 0; i < ARRAY_LEN(stacks); i++)
		if (starts(name, stacks[i]))
			return true;
	return false;
}

static void read_slaves(struct blocks *b, size_t node)
{
	CLEANUP_FREE char *dir = path_of(b, node, "slaves");
	DIR *d = root_opendir(b->r, dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t lower;

		if (entry->d_name[0] == '.')
			continue;
		lower = use_graph_find(&b->g, str_of(entry->d_name));
		if (lower == NO_NODE || lower == node) {
			cannot_tell(b, node, "a slave of it is no other block device");
			continue;
		}
		use_graph_stand(&b->g, node, lower);
		b->of[node].holds = true;
	}
	if (d)
		closedir(d);
	else if (errno != ENOENT && errno != ENOTDIR)
		cannot_tell(b, node, "its slaves cannot be read");
}

static void read_holders(struct blocks *b, size_t node)
{
	CLEANUP_FREE char *dir = path_of(b, node, "holders");
	DIR *d = root_opendir(b->r, dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t upper;

		if (entry->d_name[0] == '.')
			continue;
		upper = use_graph_find(&b->g, str_of(entry->d_name));
		if (upper == NO_NODE) {
			b->of[node].held_by =
				arena_dup(&b->g.mem, entry->d_name, strlen(entry->d_name));
			continue;
		}
		use_graph_stand(&b->g, upper, node);
		b->of[upper].holds = true;
	}
	if (d)
		closedir(d);
}

/* A cache device has bcache/set -> .../fs/bcache/UUID, and bcache0 has bcache/cache -> the same. */
static void link_cache(struct blocks *b, size_t cache)
{
	CLEANUP_FREE char *set_path = path_of(b, cache, "bcache/set");
	char set[256], other[256];

	if (root_link_name(b->r, set_path, set, sizeof(set)) <= 0)
		return;
	b->of[cache].held_by = "bcache";
	for (size_t i = 0; i < b->g.n; i++) {
		CLEANUP_FREE char *path = NULL;

		if (!starts(b->g.node[i].name, "bcache"))
			continue;
		path = path_of(b, i, "bcache/cache");
		if (root_link_name(b->r, path, other, sizeof(other)) > 0 && !strcmp(set, other)) {
			use_graph_stand(&b->g, i, cache);
			b->of[i].holds = true;
			b->of[cache].held_by = NULL;
		}
	}
}

static void read_dm_name(struct blocks *b, size_t node)
{
	char text[512];
	ssize_t n = blocks_attribute(b, node, "dm/name", text, sizeof(text));

	if (n > 0)
		b->of[node].dm_name = arena_dup(&b->g.mem, text, (size_t)n);
}

static void read_node(struct blocks *b, size_t node)
{
	const char *name = b->g.node[node].name;
	size_t disk = disk_of(b, node);

	read_number(b, node);
	if (disk != NO_NODE && disk != node)
		link_partition(b, node, disk);
	else
		carry_disk(b, node);
	if (!b->of[node].partition)
		read_slaves(b, node);
	read_holders(b, node);
	if (starts(name, "dm-"))
		read_dm_name(b, node);
}

static void doubt_what_floats(struct blocks *b, size_t node)
{
	if (b->g.node[node].lower || b->of[node].why)
		return;
	if (b->of[node].pathless)
		cannot_tell(b, node, "no controller of it is to be seen");
	else if (is_stack(b->g.node[node].name))
		cannot_tell(b, node, "what it stands on is not to be seen");
}

void blocks_read(struct blocks *b, const struct root *r, const struct pci_inventory *inv)
{
	*b = (struct blocks){.r = r, .g.inv = inv};
	b->no = read_names(b);
	use_graph_sort(&b->g);
	b->of = mem_alloc(b->g.n * sizeof(*b->of));
	for (size_t i = 0; i < b->g.n; i++)
		read_node(b, i);
	for (size_t i = 0; i < b->g.n; i++)
		link_cache(b, i);
	for (size_t i = 0; i < b->g.n; i++)
		doubt_what_floats(b, i);
	sort_numbers(b);
}

void blocks_free(struct blocks *b)
{
	use_graph_free(&b->g);
	free(b->of);
	free(b->by_number);
	*b = (struct blocks){0};
}

/* Finding one. */

size_t blocks_by_number(const struct blocks *b, uint32_t major, uint32_t minor)
{
	uint64_t number = number_of(major, minor);
	size_t low = 0, high = b->numbered;
	char path[64], name[256];
	ssize_t n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct block *at = &b->of[b->by_number[mid]];

		if (number_of(at->major, at->minor) == number)
			return b->by_number[mid];
		if (number_of(at->major, at->minor) < number)
			low = mid + 1;
		else
			high = mid;
	}
	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major, minor);
	n = root_link_name(b->r, path, name, sizeof(name));
	return n > 0 ? use_graph_find(&b->g, (struct str){name, (size_t)n}) : NO_NODE;
}

/* sysfs has '!' where a name of /dev has '/': cciss!c0d0. */
static size_t by_dev_name(const struct blocks *b, const char *name)
{
	CLEANUP_FREE char *copy = mem_dup(name, strlen(name));

	for (char *p = copy; *p; p++)
		if (*p == '/')
			*p = '!';
	return use_graph_find(&b->g, str_of(copy));
}

static void double_dashes(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		buf_char(out, s.p[i]);
		if (s.p[i] == '-')
			buf_char(out, '-');
	}
}

static size_t by_dm_name(const struct blocks *b, const char *name)
{
	for (size_t i = 0; i < b->g.n; i++)
		if (b->of[i].dm_name && !strcmp(b->of[i].dm_name, name))
			return i;
	return NO_NODE;
}

/* LVM's /dev/VG/LV is the dm device VG-LV, with '-' in either name doubled. */
static size_t by_lvm_name(const struct blocks *b, const char *name)
{
	CLEANUP_BUF struct buf dm = {0};
	struct str lv = str_of(name), vg;

	if (!str_cut(&lv, '/', &vg) || !lv.p)
		return NO_NODE;
	double_dashes(&dm, vg);
	buf_char(&dm, '-');
	double_dashes(&dm, lv);
	return by_dm_name(b, buf_z(&dm));
}

size_t blocks_by_path(const struct blocks *b, const char *path)
{
	char link[256];
	struct stat st;
	size_t node;

	if (!starts(path, "/dev/"))
		return NO_NODE;
	node = by_dev_name(b, path + 5);
	if (node == NO_NODE && starts(path, "/dev/mapper/"))
		node = by_dm_name(b, path + 12);
	if (node == NO_NODE)
		node = by_lvm_name(b, path + 5);
	if (node == NO_NODE && root_stat(b->r, path, &st) == 0 && S_ISBLK(st.st_mode))
		node = blocks_by_number(b, major(st.st_rdev), minor(st.st_rdev));
	if (node == NO_NODE && root_link_name(b->r, path, link, sizeof(link)) > 0)
		node = use_graph_find(&b->g, str_of(link));
	return node;
}
