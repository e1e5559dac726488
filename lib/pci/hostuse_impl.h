// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of the host guard share: the list that is being made, and the graph of block
// devices or network interfaces that stand on each other.
#ifndef PCI_HOSTUSE_IMPL_H
#define PCI_HOSTUSE_IMPL_H

#include "base/buf.h"
#include "pci/hostuse.h"

struct use_list {
	struct host_uses *h;
	size_t cap;
	const struct pci_inventory *inv;
};

/* "<function> → <rest>"; `dev` is an index into the inventory. What could steer a terminal or is no
 * UTF-8 becomes '?'. */
void use_list_add(struct use_list *l, size_t dev, enum host_reason reason, const char *rest);

/* Is the function in the hands of a driver of this host (no driver, vfio and uio are not)? */
bool on_host_driver(const struct pci_dev *d);

#define NO_NODE SIZE_MAX

/* A block device or a network interface. `link` is the text of its entry in sys/class, NULL when
 * that is no link. The rest is the graph's own. */
struct use_node {
	const char *name, *link;
	bool silent;    /* not named in chains but at their end: partitions, paths of NVMe */
	bool has_upper; /* something stands on it */
	bool covered;   /* a use was followed through it */
	size_t lower, function; /* first links + 1 */
	size_t round, from, by; /* of the last walk: seen in, reached from, by which link */
};

struct use_link {
	size_t to, next;
	enum host_reason told; /* the strongest reason that came down it */
};

struct use_graph {
	struct use_node *node;
	size_t n, cap;
	struct use_link *link;
	size_t links, links_cap;
	size_t *queue; /* of the last walk: the nodes that it reached */
	size_t reached, round;
	const struct pci_inventory *inv;
	struct arena mem;
};

void use_graph_free(struct use_graph *g);
/* Reads the names of a class directory; an entry starting with '.' or that is neither a link nor a
 * directory is none. -1 and errno. */
int use_graph_read(struct use_graph *g, const struct root *r, const char *dir);
void use_graph_add(struct use_graph *g, const char *name, const char *link);
/* After the last node; only then are there indices. Of equal names the first stays. */
void use_graph_sort(struct use_graph *g);
size_t use_graph_find(const struct use_graph *g, struct str name); /* NO_NODE */

void use_graph_stand(struct use_graph *g, size_t upper, size_t lower);
/* Every PCI function that a sysfs path or link names, but bridges, carries the node. */
void use_graph_carry(struct use_graph *g, size_t node, const char *path);

bool use_graph_has(const struct use_graph *g, size_t upper, size_t lower); /* directly */

/* Walks down from `start` and gives every function found a use, with its chain; `label`, which may
 * be NULL, is what uses `start`. A reason that is no more than what a stronger one has already told
 * through the same device is left out (an address of a bond that carries the default route). The
 * nodes reached are in `queue`; false when nothing below carries anything: the walk went round in
 * circles. */
bool use_graph_follow(struct use_graph *g, struct use_list *l, size_t start,
	enum host_reason reason, const char *label);

/* HOST_UNKNOWN for every function that carries a node: `why` is what could not be told. */
void use_graph_unknown(struct use_graph *g, struct use_list *l, const char *why);

/* Adds the uses by disks: mounts, swap, holders. */
void host_block_scan(struct use_list *l, const struct root *r);
/* Adds the uses by NICs. */
void host_net_scan(
	struct use_list *l, const struct root *r, const char *const *uplinks, size_t n_uplinks);

#endif
