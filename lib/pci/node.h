// SPDX-License-Identifier: GPL-2.0-or-later
// What every part of a pass needs to know of its node.
#ifndef PCI_NODE_H
#define PCI_NODE_H

#include "base/root.h"
#include "ids/ids.h"
#include "pci/addr.h"
#include "store/store.h"

struct reader;

/* All borrowed; made by the applet. */
struct pci_node {
	const struct root *root;
	struct reader
		*reader; /* pci/reader.h; NULL: what takes privilege is read in this process */
	const struct store *store;
	const struct ids *ids;
	const char *name;
	/* Called for each thing done, with a line for a person; may be NULL. */
	void (*progress)(void *arg, const char *line);
	void *progress_arg;
};

void pci_progress(const struct pci_node *n, const char *fmt, ...) PRINTF(2, 3);

#define KIND_GROUP_VERSION "devices.harvesterhci.io/v1beta1"
#define PLURAL_DEVICES "pcidevices"
#define PLURAL_CLAIMS "pcideviceclaims"

/* "<node>-<address without ':' and '.'>" in `mem`: the name of a PCIDevice and of its claim. */
const char *pci_object_name(struct arena *mem, const char *node, struct pci_addr a);

#endif
