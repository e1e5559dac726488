// SPDX-License-Identifier: GPL-2.0-or-later
// What a person orders on this node: claims and releases, as wishes in desired/local. Judged as
// things are before anything is written; all of an order or nothing.
#ifndef PCI_ORDER_H
#define PCI_ORDER_H

#include "pci/plan.h"

/* One address of an order that is not taken. */
struct refusal {
	const char *what;   /* the address, or the claim's name */
	enum reason reason; /* REASONS: none of the list, `message` says all */
	const char *message;
	const char *hint; /* what to do, or "" */
};

/* `{0}` before an order; order_free() after it. */
struct order {
	struct refusal *refusal;
	size_t refusals;
	const char **name; /* of the claim of each address, in their order */
	struct arena mem;
};
void order_free(struct order *o);

/* The claim somebody is about to make: the one there is, with other overrides if any are named
 * (`override`: reasons with commas, or NULL), else a new local one of `user`. In `mem`. */
void order_wish(const struct pci_state *s, struct pci_addr a, const char *user,
	const char *override, struct arena *mem, struct wish *w);

/* Writes the wishes, or takes them away. 0 also when something was refused: then nothing was
 * written; -1 when the state cannot be read or written. */
int order_claims(struct order *o, const struct pci_node *n, const struct pci_addr *a, size_t count,
	const char *user, const char *override, struct err *e);
int order_releases(struct order *o, const struct pci_node *n, const struct pci_addr *a,
	size_t count, struct err *e);

#endif
