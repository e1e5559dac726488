// SPDX-License-Identifier: GPL-2.0-or-later
// PCI capabilities of one function, read from its config space through libpci.
#ifndef PCI_CAPS_H
#define PCI_CAPS_H

#include "base/buf.h"
#include "pci/node.h"

/* One line per capability ("[60] MSI-X", "[140] Device Serial Number a0-36-9f-ff-ff-12-34-56") to
 * out. -1 when config space cannot be read whole (an unprivileged reader sees 64 bytes: then what
 * is in them is all there is, and 0). */
int pci_caps_print(struct buf *out, const struct pci_node *n, struct pci_addr a, struct err *e);

enum { PCI_SERIAL_CAP = 24 };
/* The Device Serial Number capability, "a0-36-9f-ff-ff-12-34-56"; false, and "", when the function
 * has none or it cannot be read. All zeros and all ones are no number. */
bool pci_serial(const struct pci_node *n, struct pci_addr a, char out[static PCI_SERIAL_CAP]);

/* Does the function keep what it passes on, or what its functions send each other, to itself, so
 * that the IOMMU sees all of it? As the kernel asks (pci_acs_enabled(), drivers/pci/pci.c): Access
 * Control Services, PCI Express Base 6.12, source validation, P2P request and completion redirect,
 * upstream forwarding. The kernel knows exceptions of single models, this does not. */
enum pci_acs {
	PCI_ACS_ON,
	PCI_ACS_OFF,          /* it has the capability, not turned on */
	PCI_ACS_NONE,         /* PCI Express without it */
	PCI_ACS_CONVENTIONAL, /* PCI, or a bridge from PCI Express to it: there is no such thing */
	PCI_ACS_UNREADABLE,   /* the extended configuration space cannot be read: root only */
};

/* `shared`: a device of several functions. A single function that passes nothing on is ON. */
enum pci_acs pci_caps_acs(const struct pci_node *n, struct pci_addr a, bool shared);

#endif
