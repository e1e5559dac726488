// SPDX-License-Identifier: GPL-2.0-or-later
// A node that got another name (design rule 11).
#ifndef PCI_RENAME_H
#define PCI_RENAME_H

#include "pci/node.h"

/* Takes the node's name as it is now: local wishes and records of the old name become those of the
 * new one. *was gets the old name, in `mem`; NULL when there is nothing to do. Under the lock.
 * Killed at any point it can be done again. */
int rename_node(const struct pci_node *n, struct arena *mem, const char **was, struct err *e);

#endif
