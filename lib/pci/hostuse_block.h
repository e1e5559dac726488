// SPDX-License-Identifier: GPL-2.0-or-later
// The block devices below the root and what each stands on: partitions on disks, dm and md on their
// slaves, bcache on its cache, NVMe namespaces on the controllers that lead to them.
#ifndef PCI_HOSTUSE_BLOCK_H
#define PCI_HOSTUSE_BLOCK_H

#include "pci/hostuse_impl.h"

/* `g.node[i]` is described by `of[i]`. */
struct block {
	uint32_t major, minor;
	bool numbered; /* major and minor are known */
	bool partition;
	bool holds;          /* it holds what it stands on: dm, md, bcache, a loop over a device */
	bool bottomless;     /* it stands on something that is not to be seen here */
	bool pathless;       /* a namespace of several controllers without a link to one */
	const char *dm_name; /* of a dm device: the name of its /dev/mapper entry */
	const char *held_by; /* a holder that is no block device of this view */
	const char *why;     /* a word on that */
};

struct blocks {
	struct use_graph g;
	struct block *of;
	size_t *by_number; /* indices of those that are numbered */
	size_t numbered;
	const char *dir; /* sys/class/block, or sys/block where there is only that */
	const struct root *r;
	int no; /* errno of reading it, 0; ENOENT: there are no block devices in this tree */
};

/* Everything but loop devices: what these stand on takes the mounts to tell. */
void blocks_read(struct blocks *b, const struct root *r, const struct pci_inventory *inv);
void blocks_free(struct blocks *b);

/* An index, or NO_NODE. */
size_t blocks_by_number(const struct blocks *b, uint32_t major, uint32_t minor);
/* "/dev/sda1", "/dev/mapper/vg-lv", "/dev/vg/lv", a link or a node in the tree's /dev. */
size_t blocks_by_path(const struct blocks *b, const char *path);

/* An attribute of a block device, "loop/backing_file"; length, or -1. */
ssize_t blocks_attribute(
	const struct blocks *b, size_t node, const char *name, char *out, size_t cap);

#endif
