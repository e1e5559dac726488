// SPDX-License-Identifier: GPL-2.0-or-later
// The node's PCI functions, as sysfs has them (Documentation/ABI/testing/sysfs-bus-pci).
#ifndef PCI_INVENTORY_H
#define PCI_INVENTORY_H

#include "base/arena.h"
#include "base/root.h"
#include "pci/addr.h"

enum { PCI_NO_GROUP = -1, PCI_NO_NODE = -1 };

struct pci_dev {
	struct pci_addr addr;
	char name[PCI_ADDR_CAP];
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class;     /* 24 bits: class, subclass, programming interface */
	int group;          /* IOMMU group, PCI_NO_GROUP */
	int numa;           /* NUMA node, PCI_NO_NODE */
	const char *driver; /* "" when none */
	bool is_vf;
	struct pci_addr pf; /* of a VF */
	unsigned vfs;       /* VFs that exist of a PF: those the inventory has */
};

/* Sorted by address. Owns all strings; pci_inventory_free(). */
struct pci_inventory {
	struct pci_dev *dev;
	size_t n;
	struct arena mem;
};

/* One look at sys/bus/pci/devices below the root. A function that vanishes while it is read is
 * left out, as is one without vendor, device and class. No such directory: an error, since "no
 * devices" must come from a complete view (design rule 1). */
int pci_scan(struct pci_inventory *inv, const struct root *r, struct err *e);
void pci_inventory_free(struct pci_inventory *inv);

/* NULL when it is not there. */
const struct pci_dev *pci_find(const struct pci_inventory *inv, struct pci_addr a);

/* For qsort(3) of pointers to functions: by IOMMU group, then by address. */
int pci_by_group(const void *a, const void *b);

/* On vfio-pci, another vfio driver or a uio driver: not the host's own use of it. */
bool pci_is_user_driver(const char *driver);

/* The class with subclass, as contract.md's classId. */
static inline unsigned pci_class_id(const struct pci_dev *d)
{
	return d->class >> 8;
}

/* PCI-to-PCI bridges: never listed, never bound. */
static inline bool pci_is_bridge(const struct pci_dev *d)
{
	return pci_class_id(d) == 0x0604;
}

/* Host bridges, ISA bridges, switches: listed, they stay where they are. */
static inline bool pci_is_bridge_function(const struct pci_dev *d)
{
	return d->class >> 16 == 0x06 && !pci_is_bridge(d);
}

#endif
