// SPDX-License-Identifier: GPL-2.0-or-later
// Files of kept/pcidevices/: pci/kept.h.
#include "drive.h"

#include "pci/kept.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_ARENA struct arena mem = {0};
	char address[PCI_ADDR_CAP];
	struct kept k;
	struct err e;

	kept_parse(&k, "n-000065000", json_parse(&mem, (const char *)data, len, &e));
	if (!k.readable) {
		fprintf(why, "not understood\n");
		return 1;
	}
	fprintf(out, "%s %04x:%04x %s %s %s %s\n", pci_addr_format(k.addr, address), k.id.vendor,
		k.id.device, k.driver, k.id.dsn, k.id.slot, k.group);
	return 0;
}
