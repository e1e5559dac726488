// SPDX-License-Identifier: GPL-2.0-or-later
// A table of names as bytes, however damaged: nothing outside it is ever read. Prints how many
// devices and products it holds, and the sum of the lengths of their names.
#include "drive.h"
#include "ids/ids.h"

enum { MOST = 4096 }; /* looked at, of each */

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct ids ids = {.table = data, .size = len};
	size_t devices = 0, products = 0, known = 0;
	struct ids_name room;
	uint16_t vendor, id;

	for (; devices < MOST && ids_pci_device_at(&ids, devices, &vendor, &id); devices++) {
		known += ids_pci_vendor(&ids, vendor, &room).n;
		known += ids_pci_device(&ids, vendor, id, &room).n;
	}
	for (; products < MOST && ids_usb_product_at(&ids, products, &vendor, &id); products++) {
		known += ids_usb_vendor(&ids, vendor, &room).n;
		known += ids_usb_product(&ids, vendor, id, &room).n;
	}
	for (unsigned class = 0; class < 0x10; class ++) {
		known += ids_pci_class(&ids, (uint8_t) class, &room).n;
		known += ids_pci_subclass(&ids, (uint8_t) class, 0, &room).n;
		known += ids_usb_class(&ids, (uint8_t) class, &room).n;
	}
	if (!devices) {
		fprintf(why, "no devices\n");
		return 1;
	}
	fprintf(out, "%zu devices, %zu products, %zu bytes of names\n", devices, products, known);
	return 0;
}
