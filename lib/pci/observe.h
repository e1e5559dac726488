// SPDX-License-Identifier: GPL-2.0-or-later
// observed/: the PCIDevices and the status of the claims, after a pass.
#ifndef PCI_OBSERVE_H
#define PCI_OBSERVE_H

#include "pci/plan.h"

/* Looks at the functions again, writes what differs, removes what is not so any more, and marks the
 * kinds complete. `p` as it was carried out. */
int observe_write(const struct pci_state *s, const struct plan *p, struct err *e);

#endif
