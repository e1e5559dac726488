// SPDX-License-Identifier: GPL-2.0-or-later
// What a pass would do: for each claim whether it is accepted and why not, for each IOMMU group
// what is bound, taken over, given back, in which order. Made from a state alone; changes nothing.
#ifndef PCI_PLAN_H
#define PCI_PLAN_H

#include "pci/state.h"

/* What is said of one claim. */
struct verdict {
	const struct wish *wish;
	const struct pci_dev *dev; /* NULL when there is none at the address */
	bool accepted;
	enum reason reason; /* REASON_ACCEPTED, or why not */
	const char *message;
	const char *hint; /* what to do, or "" */
};

enum action {
	ACTION_BIND,    /* to vfio-pci */
	ACTION_ADOPT,   /* is on vfio-pci by another agent of ours: only the record is made */
	ACTION_STAY,    /* bound and verified: nothing to do */
	ACTION_RELEASE, /* back to the driver it came from */
	ACTION_FORGET,  /* the function is gone, or was never taken: only the record goes */
};

/* One function in a transaction. */
struct member {
	const struct pci_dev *dev; /* NULL: gone */
	const struct kept *kept;   /* its record, or NULL */
	const struct wish *wish;   /* the user's claim on it, or the one that pulls it in; NULL when
				      none is left */
	bool derived;              /* `wish` is on another function of the group */
	enum action action;
	/* Filled by the pass that carries the plan out. */
	bool done;
	enum reason reason; /* why not, or what it waits for */
	const char *message;
};

/* One IOMMU group: all of it or nothing. */
struct unit {
	int group;
	bool release; /* gives back; else binds */
	struct member *member;
	size_t n;
};

struct plan {
	struct verdict *verdict; /* one per wish, in the order of the state's */
	size_t verdicts;
	struct unit *unit; /* releases first, each sorted by group */
	size_t units;
	bool releases_held; /* some records without a wish are left alone, and why: */
	const char *held_why;
	struct nic_step *nic; /* numbers of VFs, one per wish for one */
	size_t nics;
	struct arena mem;
};

/* `extra` (may be NULL) is the claim somebody is about to make: one more wish, or in the place of
 * the one that is there for its function. */
void plan_make(struct plan *p, const struct pci_state *s, const struct wish *extra);
void plan_free(struct plan *p);

const struct verdict *plan_verdict(const struct plan *p, struct pci_addr a);
const struct member *plan_member(const struct plan *p, struct pci_addr a);

/* The verdict on a claim of `d` by `w`; text in `mem`. */
struct verdict plan_judge(const struct pci_state *s, const struct wish *w, struct arena *mem);

/* Is this function part of what a claim of the group takes: all but bridges; of 06xx functions only
 * the one that is claimed itself. */
bool plan_in_closure(const struct pci_dev *d, const struct pci_dev *claimed);

#endif
