// SPDX-License-Identifier: GPL-2.0-or-later
// The sandbox of pcid's daemon.
#ifndef PCI_CONFINE_H
#define PCI_CONFINE_H

#include "base/sandbox.h"
#include "pci/node.h"

/* Enters it: CAP_SYS_MODULE and no other capability; below the root, /sys to be read, attributes of
 * devices and of the PCI and platform buses to be written, the state and run directories, what
 * modules are loaded from; no new process, no socket, no program. Makes the state and run
 * directories where they are not there yet. Before: start the reader (n->reader), take the lock,
 * open what is a socket or a device, be done with mounts (base/sandbox.h). -1: the daemon ends. */
int pci_confine(const struct pci_node *n, struct sandbox_result *out, struct err *e);

#endif
