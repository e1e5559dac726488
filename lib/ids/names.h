// SPDX-License-Identifier: GPL-2.0-or-later
// The names that the cluster sees, made of pci.ids: an extended resource's name, a description.
#ifndef IDS_NAMES_H
#define IDS_NAMES_H

#include "ids/ids.h"

/* "<vendor>.com/<PRODUCT>", appended. The vendor is what stands in brackets in its name, up to a
 * slash, else its first word; the product is upper case with '_' for blanks, '/' and '.'. A name
 * whose socket path would be over 108 characters (sun_path, unix(7)) is shortened: VF for
 * VIRTUAL_FUNCTION, else the device's id. So is a product that is not known or of which nothing is
 * left. What is appended is always a name that Kubernetes takes: a vendor that is not known, or
 * whose name gives no domain, is "vendor.com", a product that would begin with '_' is its id. */
void pci_resource_name(struct buf *out, const struct ids *ids, uint16_t vendor, uint16_t device);

/* "<subclass, else class>: <vendor> <device>", appended; unknown parts read "Class 0200",
 * "Vendor 8086", "Device 10c9". `class` is class and subclass, 16 bits. */
void pci_description(
	struct buf *out, const struct ids *ids, uint16_t class, uint16_t vendor, uint16_t device);

#endif
