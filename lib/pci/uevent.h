// SPDX-License-Identifier: GPL-2.0-or-later
// The `uevent` attribute of a PCI function: six of its attributes in one read
// (drivers/pci/pci-driver.c, pci_uevent()).
#ifndef PCI_UEVENT_H
#define PCI_UEVENT_H

#include "base/base.h"

struct pci_uevent {
	bool has_ids, has_class;
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class;    /* 24 bits */
	struct str driver; /* borrowed from the text; {NULL, 0} when there is none */
};

/* Lines it does not know, and values that do not read, are passed over. */
void pci_uevent_parse(struct pci_uevent *u, struct str text);

#endif
