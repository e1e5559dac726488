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
/* A file in the format of pci.ids, at most 16 MiB; of USB it says nothing. `path` is opened as it
 * is, not below a root. -1 names the file, the line, what is wrong with it. */
int ids_load(struct ids *ids, const char *path, struct err *e);
void ids_free(struct ids *ids);

enum { IDS_NAME_MAX = 1023 };
/* Where a look-up spells out the name that it found. */
struct ids_name {
	char text[IDS_NAME_MAX];
};

/* The name, in UTF-8 without control characters as the file has it, borrowed from `room`, valid
 * until that is used again; {NULL, 0} when it is not known. A table that is damaged in any way
 * knows less, or other names; nothing outside it is read. */
struct str ids_pci_vendor(const struct ids *ids, uint16_t vendor, struct ids_name *room);
struct str ids_pci_device(
	const struct ids *ids, uint16_t vendor, uint16_t device, struct ids_name *room);
struct str ids_pci_class(const struct ids *ids, uint8_t class, struct ids_name *room);
struct str ids_pci_subclass(
	const struct ids *ids, uint8_t class, uint8_t subclass, struct ids_name *room);
struct str ids_usb_vendor(const struct ids *ids, uint16_t vendor, struct ids_name *room);
struct str ids_usb_product(
	const struct ids *ids, uint16_t vendor, uint16_t product, struct ids_name *room);
struct str ids_usb_class(const struct ids *ids, uint8_t class, struct ids_name *room);

/* The i-th PCI device or USB product of the table, by vendor and device, for those who walk all of
 * it; false at the end. */
bool ids_pci_device_at(const struct ids *ids, size_t i, uint16_t *vendor, uint16_t *device);
bool ids_usb_product_at(const struct ids *ids, size_t i, uint16_t *vendor, uint16_t *product);

#endif
