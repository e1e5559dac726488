// SPDX-License-Identifier: GPL-2.0-or-later
// Names of vendors, devices and classes: pci.ids and usb.ids as a read-only table. The built-in one
// is made at build time and lies in the program's section `.ids`; another comes from --ids FILE.
#ifndef IDS_IDS_H
#define IDS_IDS_H

#include "base/buf.h"
#include "base/err.h"

/* Owned by the caller: ids_builtin() needs no freeing, ids_load() needs ids_free(). */
struct ids {
	const unsigned char *table;
	size_t size;
	void *heap; /* the table of --ids; NULL for the built-in one */
};

void ids_builtin(struct ids *ids);
/* A file in the format of pci.ids (usb.ids too), at most 16 MiB. -1 names the line. */
int ids_load(struct ids *ids, const char *path, struct err *e);
void ids_free(struct ids *ids);

/* Borrowed from the table, in UTF-8 as the file has it; {NULL, 0} when it is not known. */
struct str ids_pci_vendor(const struct ids *ids, uint16_t vendor);
struct str ids_pci_device(const struct ids *ids, uint16_t vendor, uint16_t device);
struct str ids_pci_class(const struct ids *ids, uint8_t class);
struct str ids_pci_subclass(const struct ids *ids, uint8_t class, uint8_t subclass);
struct str ids_usb_vendor(const struct ids *ids, uint16_t vendor);
struct str ids_usb_product(const struct ids *ids, uint16_t vendor, uint16_t product);
struct str ids_usb_class(const struct ids *ids, uint8_t class);

/* The i-th PCI device of the table, for those who walk all of it; false at the end. */
bool ids_pci_device_at(const struct ids *ids, size_t i, uint16_t *vendor, uint16_t *device);

#endif
