// SPDX-License-Identifier: GPL-2.0-or-later
// The host guard's look at disks: mounts, swap, what holds a block device.
#include "pci/hostuse_block.h"
#include "pci/hostuse_mount.h"

#include <errno.h>
#include <stdio.h>

/* A mounted block device counts once for each of two reasons, with the mount that says most. */
struct mounted {
	size_t node, mount;
	enum host_reason reason;
	unsigned rank; /* less says more */
};

struct mounted_list {
	struct mounted *at;
	size_t n;
	size_t *index[2]; /* by node: + 1, for HOST_ROOT_DISK and HOST_MOUNTED */
};

static unsigned rank_of(const struct mount *m)
{
	if (!strcmp(m->point, "/"))
		return 0;
	if (!m->major && strcmp(m->fs, "btrfs") != 0)
		return 3;
	return strcmp(m->root, "/") != 0 ? 2 : 1;
}

static void add_mounted(struct mounted_list *l, size_t node, const struct mount *m, size_t index)
{
	bool is_root = mount_is_of_system(m->point);
	struct mounted one = {node, index, is_root ? HOST_ROOT_DISK : HOST_MOUNTED, rank_of(m)};
	size_t *known = &l->index[!is_root][node];

	if (!*known)
		*known = ++l->n;
	else if (l->at[*known - 1].rank <= one.rank)
		return;
	l->at[*known - 1] = one;
}

static int by_weight(const void *a, const void *b)
{
	const struct mounted *x = a, *y = b;
	unsigned first = x->rank != 0, second = y->rank != 0;

	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	if (first != second)
		return first < second ? -1 : 1;
	if (x->mount != y->mount)
		return x->mount < y->mount ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* One use of a block device; a way down that ends nowhere makes every disk suspect. */
static void follow(struct mounts *m, struct use_list *l, size_t node, enum host_reason reason,
	const char *label)
{
	struct blocks *b = m->b;

	if (!use_graph_follow(&b->g, l, node, reason, label))
		mounts_doubt(m, "%s, used by %s, stands on itself", b->g.node[node].name, label);
	for (size_t i = 0; i < b->g.reached; i++)
		if (b->of[b->g.queue[i]].bottomless)
			mounts_doubt(m, "%s", b->of[b->g.queue[i]].why);
}

static void scan_mounts(struct mounts *m, struct use_list *l)
{
	size_t n = m->b->g.n;
	CLEANUP_FREE struct mounted *at = mem_alloc(2 * n * sizeof(*at));
	CLEANUP_FREE size_t *index = mem_alloc(2 * n * sizeof(*index));
	struct mounted_list list = {at, 0, {index, index + n}};

	for (size_t i = 0; i < m->info.n; i++) {
		const size_t *node;
		size_t nodes = mounts_devices(m, i, &node);

		for (size_t j = 0; j < nodes; j++)
			add_mounted(&list, node[j], &m->info.mount[i], i);
	}
	qsort(at, list.n, sizeof(*at), by_weight);
	for (size_t i = 0; i < list.n; i++)
		if (at[i].reason == HOST_ROOT_DISK || !list.index[0][at[i].node])
			follow(m, l, at[i].node, at[i].reason, m->info.mount[at[i].mount].point);
}

static void scan_swap(struct mounts *m, struct use_list *l, const struct swap *s)
{
	CLEANUP_FREE char *label = s->is_file ? mem_printf("swap on %s", s->path) : NULL;
	const size_t *node;
	size_t nodes = mounts_of_path(m, s->path, s->is_file, &node);

	for (size_t i = 0; i < nodes; i++)
		follow(m, l, node[i], HOST_SWAP, label ? label : "swap");
	if (!nodes && !s->is_file)
		mounts_doubt(m, "swap on %s, which is no block device here", s->path);
}

/* proc/swaps is missing in a kernel without swap. */
static void scan_swaps(struct mounts *m, struct use_list *l)
{
	CLEANUP_BUF struct buf text = {.max = PROC_FILE_MAX};
	struct swap *swap;
	struct err e;
	size_t n;

	if (root_slurp(m->b->r, "proc/swaps", &text) < 0) {
		if (errno != ENOENT)
			mounts_doubt(m, "proc/swaps: %s", strerror(errno));
		return;
	}
	if (swaps_parse(&m->mem, &swap, &n, buf_slice(&text), &e) < 0) {
		mounts_doubt(m, "proc/swaps: %s", e.text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		scan_swap(m, l, &swap[i]);
}

/* What holds block devices though nothing uses it that we know of: the topmost first, then what is
 * left when they hold each other in a circle. */
static void scan_holders(struct blocks *b, struct use_list *l)
{
	for (size_t i = 0; i < b->g.n; i++)
		if (b->of[i].held_by)
			use_graph_follow(&b->g, l, i, HOST_BLOCK_HOLDER, b->of[i].held_by);
	for (int circles = 0; circles < 2; circles++)
		for (size_t i = 0; i < b->g.n; i++)
			if (b->of[i].holds && !b->g.node[i].covered &&
				(circles || !b->g.node[i].has_upper))
				use_graph_follow(&b->g, l, i, HOST_BLOCK_HOLDER, NULL);
}

/* A storage controller of this host without a disk in sight may be the one that is missing. */
static void doubt_controllers(struct use_list *l, const char *why)
{
	CLEANUP_FREE char *rest = mem_printf("? (%s)", why);
	CLEANUP_FREE bool *known = mem_alloc(l->inv->n);

	for (size_t i = 0; i < l->h->n; i++) {
		const struct pci_dev *d = pci_find(l->inv, l->h->use[i].addr);

		if (d)
			known[d - l->inv->dev] = true;
	}
	for (size_t i = 0; i < l->inv->n; i++)
		if (l->inv->dev[i].class >> 16 == 0x01 && on_host_driver(&l->inv->dev[i]) &&
			!known[i])
			use_list_add(l, i, HOST_UNKNOWN, rest);
}

static void scan_with_mounts(struct mounts *m, struct use_list *l)
{
	scan_mounts(m, l);
	scan_swaps(m, l);
	scan_holders(m->b, l);
	if (!m->doubt)
		return;
	use_graph_unknown(&m->b->g, l, m->doubt);
	doubt_controllers(l, m->doubt);
}

void host_block_scan(struct use_list *l, const struct root *r)
{
	struct blocks b;
	struct mounts m;

	blocks_read(&b, r, l->inv);
	if (b.no && (b.no != ENOENT || root_exists(r, "proc/1/mountinfo"))) {
		CLEANUP_FREE char *why = mem_printf("%s: %s", b.dir, strerror(b.no));

		doubt_controllers(l, why);
	} else if (!b.no && mounts_read(&m, &b) == 0) {
		scan_with_mounts(&m, l);
		mounts_free(&m);
	} else if (!b.no) {
		scan_holders(&b, l);
		use_graph_unknown(&b.g, l, m.doubt);
		mounts_free(&m);
	}
	blocks_free(&b);
}
