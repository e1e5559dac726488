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
	char address[PCI_ADDR_CAP];
	size_t n = strlen(node);
	char *name = arena_alloc(mem, n + 1 + PCI_ADDR_CAP), *at = name + n;

	memcpy(name, node, n);
	*at++ = '-';
	for (const char *c = pci_addr_format(a, address); *c; c++)
		if (*c != ':' && *c != '.')
			*at++ = *c;
	return name;
}
