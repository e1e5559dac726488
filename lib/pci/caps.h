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

#endif
