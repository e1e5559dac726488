// SPDX-License-Identifier: GPL-2.0-or-later
// Carries out the wishes for numbers of VFs: before claims are planned, since it makes and takes
// away the functions they are for.
#ifndef PCI_SRIOV_PASS_H
#define PCI_SRIOV_PASS_H

#include "pci/plan.h"

/* What was tried and did not come out as wanted. */
struct nic_failure {
	const char *name; /* of the wish */
	enum reason reason;
	const char *message;
};

/* `{0}` before a pass; sriov_done_free() after it. */
struct sriov_done {
	struct nic_failure *failure;
	size_t n;
	bool changed; /* functions came or went: the state is to be read again */
	struct arena mem;
};
void sriov_done_free(struct sriov_done *done);

/* Gives each PF the VFs that are wanted of it, where nothing forbids that: 0 first where it has
 * some, then the number, then a look whether they are there (30 s at most). If the kernel does not
 * make them, the PF goes back to what it had. VFs that a claim waits for come while the kernel's
 * own probing is off, so that no host driver touches them; sriov_settle() turns it on again. What
 * failed in this boot, for the same generation of the wish, is tried again only with `retry`: a
 * failure takes VFs away and makes them again, and each of that wakes a daemon. */
void sriov_run(const struct pci_state *s, bool retry, struct sriov_done *done);

/* The failures of sriov_run(), into a plan that was made after it. */
void sriov_recall(const struct sriov_done *done, struct plan *p);

/* After the claims were bound: probing is as it was before, what no claim wants is probed, and the
 * record goes. -1 when a record cannot be taken away. */
int sriov_settle(const struct pci_state *s, struct err *e);

#endif
