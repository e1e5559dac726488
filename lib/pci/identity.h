// SPDX-License-Identifier: GPL-2.0-or-later
// What a function is known by wherever it sits (design rule 11): vendor, device, subsystem, a
// serial number where it has one, and the way to it from the root of its host bridge, which stays
// when buses are numbered anew.
#ifndef PCI_IDENTITY_H
#define PCI_IDENTITY_H

#include "pci/inventory.h"
#include "pci/node.h"

/* Strings are "" where unknown, never NULL. A part that is unknown on one side says nothing. */
struct identity {
	uint16_t vendor, device, subvendor, subdevice;
	uint8_t fn;       /* function number: the functions of a card share its serial number */
	const char *dsn;  /* Device Serial Number capability, "a0-36-9f-ff-ff-12-34-56" */
	const char *nvme; /* serial number of an NVMe controller, while its driver has it */
	const char *mac;  /* permanent MAC address of a NIC, while its driver has it */
	const char *slot; /* "pci0000:00/01.1/00.0"; of a VF its PF's and "/vf3" */
};

/* Of a function that is there; strings in `mem`. What cannot be read is unknown: beyond 64 bytes
 * the config space of a function is root's. */
void identity_read(
	const struct pci_node *n, const struct pci_dev *d, struct arena *mem, struct identity *out);

/* Only the slot path. */
const char *identity_slot(const struct root *r, const struct pci_dev *d, struct arena *mem);

enum identity_match {
	IDENTITY_OTHER, /* another model, or a serial number that differs */
	IDENTITY_MODEL, /* the same model, and nothing tells whether it is the same device */
	IDENTITY_SLOT,  /* the same model in the same slot, no serial number to compare */
	IDENTITY_SERIAL /* the same serial number */
};
enum identity_match identity_compare(const struct identity *x, const struct identity *y);

/* "serial number a0-36-...", "slot pci0000:00/01.1/00.0": what tells it from its twins; in `mem`.
 */
const char *identity_text(const struct identity *i, struct arena *mem);

#endif
