// SPDX-License-Identifier: GPL-2.0-or-later
// How an order came out: read from observed/, whoever carried it out, a daemon or this process.
#ifndef PCI_OUTCOME_H
#define PCI_OUTCOME_H

#include "pci/kmodule.h"
#include "pci/order.h"

enum outcome_kind {
	OUTCOME_WAITS, /* not looked at yet, or something holds it up */
	OUTCOME_DONE,
	OUTCOME_REFUSED,
	OUTCOME_FAILED,
};

/* Of one address that was ordered. Strings in the arena of await_orders(). */
struct outcome {
	struct pci_addr addr;
	const char *name; /* of its claim; borrowed from the order */
	enum outcome_kind kind;
	const char *what;    /* the address, or a group peer that holds it up */
	const char *reason;  /* by its name, or "" */
	const char *message; /* or "" */
	const char *with;    /* released: the claim it stays with; else NULL */
	bool skipped;        /* claimed: left on its driver */
};

enum order_kind { ORDER_CLAIM, ORDER_RELEASE };

/* `name`, `a`: of an order. Waits until each address has come out, `timeout_ms` at most: does
 * passes itself while no other process holds the lock, else watches what that one does. `out` has
 * `count` outcomes; `mem` is emptied, and holds their texts. -1 when a pass could not be done or
 * nothing can be read. */
int await_orders(const struct pci_node *n, const struct kmodules *k, enum order_kind kind,
	const char *const *name, const struct pci_addr *a, size_t count, int timeout_ms,
	struct arena *mem, struct outcome *out, struct err *e);

#endif
