// SPDX-License-Identifier: GPL-2.0-or-later
// kept/pcidevices/: a function that is ours. The record is on disk before the first unbind and
// goes when the function is back: what has a record may be taken off vfio-pci, nothing else may.
#ifndef PCI_KEPT_H
#define PCI_KEPT_H

#include "pci/console.h"
#include "pci/identity.h"
#include "pci/inventory.h"
#include "pci/node.h"

enum { KEPT_FORMAT = 1 };

/* Strings live in the arena the record was read into; they are never NULL unless it is said. */
struct kept {
	const char *name; /* of the claim it was made for: the address it had then */
	bool readable;    /* false: damaged, or of a format this program does not know: hands off */
	struct pci_addr addr;       /* where the function is, or was last */
	struct pci_addr claim_addr; /* where it was when it was claimed: `name` says this one */
	struct identity id;
	uint32_t class;
	const char *driver;   /* driver of first sight, "" when it had none */
	const char *override; /* driver_override as it was, "" when none */
	const char *resource; /* resource name, frozen at the first claim */
	const char *group;    /* who was in its IOMMU group at the last verified bind, "" unknown */
	bool unprobed;        /* had no driver because none was let near: any may take it back */
	bool verified;        /* a bind was verified */
	struct console_parts console; /* what of the host's console let go for it */
	/* Found out when the state was read, not in the file. */
	bool moved; /* `addr` is not where the file says */
	const char
		*mismatch; /* why the function at `addr` is not it; NULL: it is, or none is there */
};

/* One record from its file; `object` NULL: there is none that can be understood. Borrows both. */
void kept_parse(struct kept *k, const char *name, const struct json *object);

int kept_read_all(const struct pci_node *n, struct arena *mem, struct kept **out, size_t *count,
	struct err *e);
/* Into a batch; what is in it is on disk when the batch is committed. */
int kept_put(struct store_batch *b, const struct kept *k, struct err *e);

/* Same vendor, device and subsystem. */
bool kept_is_model(const struct kept *k, const struct pci_dev *d);
/* What sits at the address is what was kept. */
bool kept_is(const struct kept *k, const struct pci_dev *d);

#endif
