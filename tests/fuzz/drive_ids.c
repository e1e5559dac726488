// SPDX-License-Identifier: GPL-2.0-or-later
// The text of pci.ids, read as --ids does: a line per device, "vvvv:dddd", its resource name, its
// description (as a function of class 0000), separated by tabs, sorted.
#include "drive.h"
#include "ids/ids_text.h"
#include "ids/names.h"

static void print_device(FILE *out, const struct ids *ids, uint16_t vendor, uint16_t device)
{
	CLEANUP_BUF struct buf line = {0};

	buf_printf(&line, "%04x:%04x\t", vendor, device);
	pci_resource_name(&line, ids, vendor, device);
	buf_char(&line, '\t');
	pci_description(&line, ids, 0, vendor, device);
	buf_char(&line, '\n');
	fwrite(line.p, 1, line.len, out);
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_BUF struct buf table = {0};
	struct ids_text names = {0};
	struct ids ids;
	uint16_t vendor, device;
	struct err e;
	int rc;

	rc = ids_text_add(&names, (const char *)data, len, false, &e);
	if (rc == 0)
		rc = ids_text_table(&names, NULL, 0, &table, &e);
	ids_text_free(&names);
	if (rc < 0) {
		fprintf(why, "%s\n", e.text);
		return 1;
	}
	ids = (struct ids){.table = (const unsigned char *)table.p, .size = table.len};
	for (size_t i = 0; ids_pci_device_at(&ids, i, &vendor, &device); i++)
		print_device(out, &ids, vendor, device);
	return 0;
}
