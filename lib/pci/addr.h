// SPDX-License-Identifier: GPL-2.0-or-later
// PCI addresses: domain:bus:device.function.
#ifndef PCI_ADDR_H
#define PCI_ADDR_H

#include "base/base.h"

/* Domains are 4 hex digits, more for those that drivers invent (VMD: 10000). */
struct pci_addr {
	uint32_t domain;
	uint8_t bus, dev, fn;
};

enum { PCI_ADDR_CAP = 20 }; /* "ffffffff:ff:1f.7" and a NUL fit */

/* The kernel's form, "0000:01:10.0", lower case or upper case hex; nothing else. */
bool pci_addr_parse(struct str s, struct pci_addr *out);
/* The same, and without the domain ("01:10.0" is domain 0), as a person types it. */
bool pci_addr_parse_short(struct str s, struct pci_addr *out);
/* The kernel's form; returns out. */
const char *pci_addr_format(struct pci_addr a, char out[static PCI_ADDR_CAP]);
int pci_addr_cmp(struct pci_addr a, struct pci_addr b); /* <0, 0, >0: by number */

#endif
