// SPDX-License-Identifier: GPL-2.0-or-later
// All that a pass decides from, read once: the functions, what the host uses, the wishes, what is
// ours.
#ifndef PCI_STATE_H
#define PCI_STATE_H

#include "pci/early_report.h"
#include "pci/hostuse.h"
#include "pci/kept.h"
#include "pci/settled.h"
#include "pci/sriov.h"
#include "pci/wish.h"

struct pci_state {
	const struct pci_node *node;
	struct pci_inventory inv;
	const struct pci_dev **by_group; /* all functions, by IOMMU group, then address */
	struct host_uses uses;
	struct wish *wish;
	size_t wishes;
	struct kept *kept;
	size_t kepts;
	struct last_use *last; /* what the host used in the last boot; counts until it is settled */
	size_t lasts;
	struct early_report early; /* what was taken in the initramfs of this boot */
	bool settled;              /* mounts and network are up (design rule 7) */
	const char *node_was; /* kept/node says another name than this one; NULL: it does not */
	struct sriov sriov;
	enum store_sentinel sentinel;
	char machine[64]; /* what a foreign sentinel says */
	struct arena mem;
};

/* -1 when any part could not be read whole: nothing is decided from half a view. */
int pci_state_read(struct pci_state *s, const struct pci_node *n, struct err *e);
void pci_state_free(struct pci_state *s);

/* NULL when there is none. */
const struct wish *pci_state_wish(const struct pci_state *s, struct pci_addr a);
const struct kept *pci_state_kept(const struct pci_state *s, struct pci_addr a);

/* The record of a function, when it is of this very device; NULL else. */
const struct kept *pci_state_ours(const struct pci_state *s, const struct pci_dev *d);
/* By the name of the claim; NULL when there is none. */
const struct wish *pci_state_wish_named(const struct pci_state *s, const char *name);
const struct kept *pci_state_kept_named(const struct pci_state *s, const char *name);
/* There is a record of the function's name that cannot be understood. */
bool pci_state_unreadable(const struct pci_state *s, struct pci_addr a);

/* The functions of an IOMMU group, sorted by address: count, and where they start in by_group. */
size_t pci_state_group(const struct pci_state *s, int group, const struct pci_dev *const **first);

/* Why the host forbids the function (REASONS when it does not); *text gets the chain. The wish that
 * overrides a reason may be NULL. */
enum reason pci_state_forbids(const struct pci_state *s, const struct pci_dev *d,
	const struct wish *w, const char **text);

/* It is below mgmt-br or mgmt-bo, or an uplink of a VlanConfig. */
bool pci_state_is_kept_out(const struct pci_state *s, const struct pci_dev *d);

/* As today, a management NIC, a VLAN uplink and a NIC's PF with VFs have no object in observed/. */
bool pci_state_has_object(const struct pci_state *s, const struct pci_dev *d);

#endif
