// SPDX-License-Identifier: GPL-2.0-or-later
// Wishes: the claims of this node in desired/, as PCIDeviceClaim objects.
#ifndef PCI_WISH_H
#define PCI_WISH_H

#include "pci/condition.h"
#include "pci/node.h"

#define ANNOTATION_OVERRIDE "vfiobox.io/override"
#define ANNOTATION_SKIP_BINDING "pcidevices.harvesterhci.io/skip-vfio-binding"
/* The IOMMU group as it was looked at: resolve_group_mark() of its members. */
#define ANNOTATION_GROUP "vfiobox.io/accepted-group"
#define ANNOTATION_RESOURCE_NAME "pcidevice.harvesterhci.io/override-resource-name"

/* Strings live in the arena the wish was read into. */
struct wish {
	const char *name;
	struct pci_addr addr;
	bool addr_ok; /* spec.address reads as one */
	const char *address, *user, *uid;
	enum store_tree tree; /* STORE_LOCAL or STORE_CLUSTER */
	bool no_pooling, skip_binding;
	uint64_t overrides;   /* a bit per reason that is named */
	const char *resource; /* override-resource-name, or NULL */
	const char *group;    /* the mark of a group that was accepted as it is, or NULL */
	/* Adoption (contract.md 3): the status of a claim that another agent bound. */
	bool passthrough;
	const char *driver_to_unbind; /* or NULL */
	bool early; /* named on the kernel command line: bound before the system is settled */
	const struct json *object;
};

/* All claims of this node; where local and cluster both have a name, the cluster's wins
 * (design rule 4). A claim marked with a deletionTimestamp is no wish. An object that cannot be
 * read is an error: it may be a wish, so nothing can be released. */
int wishes_read(const struct pci_node *n, struct arena *mem, struct wish **out, size_t *count,
	struct err *e);

/* Each object of a kind in one tree of desired/ that is of this node, in `mem`. -1, and maybe some
 * called back, when one cannot be read: it may be of this node. */
typedef void wish_object_fn(
	void *ctx, enum store_tree tree, const char *name, const struct json *object);
int wish_objects_each(const struct pci_node *n, enum store_tree tree, const char *plural,
	struct arena *mem, wish_object_fn *fn, void *ctx, struct err *e);
/* It has a deletionTimestamp: no wish any more. */
bool wish_is_leaving(const struct json *object);

/* May be overridden, and this claim names it. */
bool wish_overrides(const struct wish *w, enum reason r);

/* A version 4 UUID (RFC 9562), as the API server gives every object; NULL without random bytes. */
const char *wish_new_uid(struct arena *mem);

/* A new local claim, as `pcid claim` writes it; `override`: reasons by name, with commas, or NULL.
 */
struct json *wish_new(const struct pci_node *n, struct arena *mem, struct pci_addr a,
	const char *user, const char *override);
/* The same wish with other overrides; its object is a copy, in `mem`. */
void wish_override(struct wish *w, struct arena *mem, const char *override);
/* The same wish with another annotation. */
void wish_annotate(struct wish *w, struct arena *mem, const char *key, const char *value);

void wish_of(struct wish *w, enum store_tree tree, const char *name, const struct json *object,
	struct arena *mem);

#endif
