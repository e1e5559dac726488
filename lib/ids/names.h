// SPDX-License-Identifier: GPL-2.0-or-later
// The names that the cluster sees, made of pci.ids: an extended resource's name, a description.
#ifndef IDS_NAMES_H
#define IDS_NAMES_H

#include "ids/ids.h"

/* "<vendor>.com/<PRODUCT>", appended. The vendor is what stands in brackets in its name, up to a
 * slash, else its first word; the product is upper case with '_' for blanks, '/' and '.'. A name
 * whose socket path would be over 108 characters (sun_path, unix(7)) is shortened; what the table
 * does not know reads "vendor.com", and the device's id. */
void pci_resource_name(struct buf *out, const struct ids *ids, uint16_t vendor, uint16_t device);

/* "<subclass, else class>: <vendor> <device>", appended; unknown parts read "Class 0200",
 * "Vendor 8086", "Device 10c9". `class` is class and subclass, 16 bits. */
void pci_description(
	struct buf *out, const struct ids *ids, uint16_t class, uint16_t vendor, uint16_t device);

#endif
