// SPDX-License-Identifier: GPL-2.0-or-later
// Config space of a function: the one place where its bytes come from. (Not config.h: libpci's own
// header of that name has the same guard, and sets the layout of its structures.)
#ifndef PCI_CONFIGSPACE_H
#define PCI_CONFIGSPACE_H

#include "pci/node.h"

enum { PCI_CONFIG_SIZE = 4096 /* PCI Express; 256 of a conventional function */ };

/* From its start, by the reader of `n` (pci/reader.h), in this process where it has none. The
 * number of bytes, at most `cap`: 64 where who reads has no CAP_SYS_ADMIN; or -1. */
ssize_t pci_config_read(
	const struct pci_node *n, const char *address, uint8_t *out, size_t cap, struct err *e);

#endif
