// SPDX-License-Identifier: GPL-2.0-or-later
// The uevent attribute of a PCI function: what was understood, a field a line.
#include "drive.h"
#include "pci/uevent.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct pci_uevent u;

	pci_uevent_parse(&u, (struct str){(const char *)data, len});
	if (!u.has_ids || !u.has_class) {
		fprintf(why, "no PCI_ID or no PCI_CLASS\n");
		return 1;
	}
	fprintf(out, "%04x:%04x %04x:%04x %06x %.*s\n", u.vendor, u.device, u.subvendor,
		u.subdevice, (unsigned)u.class, STR_ARG(u.driver));
	return 0;
}
