// SPDX-License-Identifier: GPL-2.0-or-later
// pci/cmdline.h.
#include "drive.h"

#include "pci/cmdline.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_FREE char *text = mem_dup((const char *)data, len);
	struct cmdline c;

	(void)why;
	cmdline_parse(&c, (struct str){text, len});
	fprintf(out, "disabled=%d claims=%zu bad=%s\n", c.disabled, c.claims, c.bad);
	for (size_t i = 0; i < c.claims; i++) {
		char address[PCI_ADDR_CAP];

		fprintf(out, "%s\n", pci_addr_format(c.claim[i], address));
	}
	return 0;
}
