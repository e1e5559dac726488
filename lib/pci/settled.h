// SPDX-License-Identifier: GPL-2.0-or-later
// Is the system up, and what must be known before it is (design rules 7 and 11): what the host
// used in the last boot, the node's name.
#ifndef PCI_SETTLED_H
#define PCI_SETTLED_H

#include "pci/hostuse.h"
#include "pci/node.h"

enum { SETTLED_AFTER_S = 300 };

/* Mounts and network are up: not in an initramfs (etc/initrd-release), and, where systemd runs
 * (run/systemd/system), it has said so (run/vfiobox/settled, by `pcid settled`) or the machine is
 * up for SETTLED_AFTER_S. */
bool settled_is(const struct pci_node *n);
/* Writes run/vfiobox/settled. */
int settled_mark(const struct pci_node *n, struct err *e);

/* A function that the host used in the last boot. */
struct last_use {
	uint16_t vendor, device;
	struct pci_addr addr;
	const char *slot;
	enum host_reason reason;
};

/* kept/hostuse/last.json, in `mem`. One that is not there is an empty list; one that cannot be
 * read is an error: it may say what the host lives on. */
int last_uses_read(const struct pci_node *n, struct arena *mem, struct last_use **out,
	size_t *count, struct err *e);
/* Puts into the batch what the host has used in this boot: what was found now, and what earlier
 * passes of this boot have found, so that a shutdown does not make it less. */
int last_uses_put(const struct pci_node *n, const struct pci_inventory *inv,
	const struct host_uses *now, struct store_batch *b, struct err *e);

/* kept/node/name.json: the name this node was known by. *was NULL: none yet, or the same one. */
int node_name_read(const struct pci_node *n, struct arena *mem, const char **was, struct err *e);
int node_name_put(const struct pci_node *n, struct store_batch *b, struct err *e);

#endif
