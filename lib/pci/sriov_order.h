// SPDX-License-Identifier: GPL-2.0-or-later
// A person orders a number of VFs on this node: judged as things are, written as a wish in
// desired/local, and how it came out, whoever carried it out.
#ifndef PCI_SRIOV_ORDER_H
#define PCI_SRIOV_ORDER_H

#include "pci/kmodule.h"
#include "pci/order.h"

/* `target`: an interface's name or a PCI address. *wish: the wish that was written, in o->mem; NULL
 * when it was refused: then nothing was written. -1 when the state cannot be read or written. */
int sriov_order(struct order *o, const struct pci_node *n, const char *target, unsigned count,
	const struct json **wish, struct err *e);

/* Does passes while no other process holds the lock, until the wish has come out, `timeout_ms` at
 * most. *seen: its object as it is observed, in `mem`; NULL when nobody has looked at it yet. -1
 * when a pass could not be done. */
int sriov_await(const struct pci_node *n, const struct kmodules *k, const struct json *wish,
	int timeout_ms, struct arena *mem, const struct json **seen, struct err *e);

/* Of an SRIOVNetworkDevice: the condition Applied. */
const struct json *sriov_applied(const struct json *object);
bool sriov_is_applied(const struct json *object);

#endif
