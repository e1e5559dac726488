// SPDX-License-Identifier: GPL-2.0-or-later
// Messages of NETLINK_KOBJECT_UEVENT: pci/events.h.
#include "drive.h"

#include "pci/events.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_FREE char *text = mem_dup((const char *)data, len);
	struct kernel_event k;

	if (!kernel_event_parse(&k, (struct str){text, len})) {
		fprintf(why, "no event\n");
		return 1;
	}
	fprintf(out, "%.*s %.*s %.*s\n", STR_ARG(k.action), STR_ARG(k.subsystem), STR_ARG(k.path));
	return 0;
}
