// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel is told: driver_override, unbind, drivers_probe (Documentation/ABI/testing/
// sysfs-bus-pci). A group goes to vfio-pci as one transaction: all of it, or each function back
// where it was. Never new_id: it would catch every other function of the same model.
#ifndef PCI_BIND_H
#define PCI_BIND_H

#include "pci/kmodule.h"
#include "pci/plan.h"

#define VFIO_PCI "vfio-pci"

/* The driver that holds a function now, from its link; "" when none. -1 and errno when the function
 * is gone. */
int bind_driver_of(const struct root *r, const char *address, char *out, size_t cap);

/* driver_override as it is, "" when none ("(null)"). */
int bind_override_of(const struct root *r, const char *address, char *out, size_t cap);

/* vfio-pci and vfio_iommu_type1. */
int bind_load_vfio(const struct kmodules *k, struct err *e);

/* Sets driver_override alone: no other driver takes the function from then on. */
int bind_reserve(const struct root *r, const char *address, struct err *e);
/* Takes the override away, and the function off vfio-pci; any driver may take it. */
int bind_undo_early(const struct pci_node *n, const char *address, struct err *e);

/* Takes every ACTION_BIND member of the unit to vfio-pci and verifies each. On failure all of them
 * are back on the driver they had (e says what failed; what could not be undone is added). The
 * members' records must be on disk already. */
int bind_group(const struct pci_node *n, const struct kmodules *k, struct unit *u, struct err *e);

/* After bind_group() failed: the member has the driver and the override that it had before. */
bool bind_is_undone(const struct root *r, const struct member *m);

/* Takes every ACTION_RELEASE member off vfio-pci and has its old driver take it back; sets done,
 * or reason and message, of each. Goes on after a failure; -1 when any member failed. */
int bind_release(
	const struct pci_node *n, const struct kmodules *k, struct unit *u, struct arena *mem);

#endif
