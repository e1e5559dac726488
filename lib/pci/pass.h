// SPDX-License-Identifier: GPL-2.0-or-later
// One pass: carries a plan out and writes what is so. Idempotent; killed at any point, the next
// pass goes on from what the kernel and kept/ say.
#ifndef PCI_PASS_H
#define PCI_PASS_H

#include "pci/kmodule.h"
#include "pci/plan.h"

/* How many claims and functions did not come to where they should be: refused, failed, waiting. */
struct pass_result {
	unsigned refused, failed, waiting;
	unsigned nics; /* NICs without the VFs that are wanted of them */
};

/* The caller holds the lock. Marks done, reason, message of each member. -1 when the pass itself
 * could not be done (kept/ or observed/ cannot be written): then nothing more is bound. */
int pass_run(const struct pci_state *s, struct plan *p, const struct kmodules *k,
	struct pass_result *out, struct err *e);

/* What is known of a function before it is taken: its record, in the plan's memory. */
const struct kept *pass_record(const struct pci_state *s, struct plan *p, const struct member *m);

/* Marks members of release units whose group is held open (reason InUse), or that the device
 * plugin has not withdrawn; done by pass_run() and
 * by `plan`. */
void pass_mark_held(const struct pci_state *s, struct plan *p);

#endif
