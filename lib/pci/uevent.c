// SPDX-License-Identifier: GPL-2.0-or-later
// The `uevent` attribute of a PCI function.
#include "pci/uevent.h"

static bool id_pair(struct str v, uint16_t *a, uint16_t *b)
{
	struct str left;
	uint64_t x, y;

	if (!str_cut(&v, ':', &left) || !v.p || !str_hex(left, 0xffff, &x) ||
		!str_hex(v, 0xffff, &y))
		return false;
	*a = (uint16_t)x;
	*b = (uint16_t)y;
	return true;
}

static void parse_line(struct pci_uevent *u, struct str line)
{
	struct str key;
	uint64_t v;

	if (!str_cut(&line, '=', &key) || !line.p)
		return;
	if (str_is(key, "PCI_ID")) {
		u->has_ids = id_pair(line, &u->vendor, &u->device);
	} else if (str_is(key, "PCI_CLASS") && str_hex(line, 0xffffff, &v)) {
		u->class = (uint32_t)v;
		u->has_class = true;
	} else if (str_is(key, "PCI_SUBSYS_ID")) {
		id_pair(line, &u->subvendor, &u->subdevice);
	} else if (str_is(key, "DRIVER") && line.n) {
		u->driver = line;
	}
}

void pci_uevent_parse(struct pci_uevent *u, struct str text)
{
	struct str line;

	*u = (struct pci_uevent){0};
	while (text.n && str_cut(&text, '\n', &line))
		parse_line(u, line);
}
