// SPDX-License-Identifier: GPL-2.0-or-later
// PCI addresses, as sysfs has them and as a person types them.
#include "drive.h"
#include "pci/addr.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct str text = str_trim((struct str){(const char *)data, len});
	struct pci_addr a;
	char form[PCI_ADDR_CAP];

	if (!pci_addr_parse_short(text, &a)) {
		fprintf(why, "no PCI address\n");
		return 1;
	}
	fprintf(out, "%s\n", pci_addr_format(a, form));
	return 0;
}
