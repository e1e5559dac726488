// SPDX-License-Identifier: GPL-2.0-or-later
// Names of a node's objects, and progress.
#include "pci/node.h"

#include <stdarg.h>
#include <stdio.h>

void pci_progress(const struct pci_node *n, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!n->progress)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n->progress(n->progress_arg, line);
}

const char *pci_object_name(struct arena *mem, const char *node, struct pci_addr a)
{
	return arena_printf(mem, "%s-%04x%02x%02x%x", node, a.domain, a.bus, a.dev & 0x1fu,
		a.fn & 7u);
}
