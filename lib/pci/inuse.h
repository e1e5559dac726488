// SPDX-License-Identifier: GPL-2.0-or-later
// Who holds a VFIO group open. Compares device numbers of the open files of all processes; what may
// not be read counts as in use (design rule 8).
#ifndef PCI_INUSE_H
#define PCI_INUSE_H

#include "base/arena.h"
#include "pci/inventory.h"

/* One IOMMU group that a process holds. */
struct holder {
	int group;
	int pid;             /* 0: unknown, `program` says why */
	const char *program; /* /proc/PID/comm, or what could not be read */
};

/* Holders of the group nodes (sys/class/vfio/GROUP/dev) and device nodes (vfio-dev/vfioN/dev) of
 * the functions `dev[0..n)`, in `mem`; each group and pid once. One walk over proc/. -1 only when
 * proc/ itself cannot be listed, which callers take as "in use". */
int holders_find(const struct root *r, const struct pci_dev *const *dev, size_t n,
	struct arena *mem, struct holder **out, size_t *count, struct err *e);

#endif
