// SPDX-License-Identifier: GPL-2.0-or-later
// What a person reads: the list, the groups, one function, a plan.
#ifndef PCI_PRINT_H
#define PCI_PRINT_H

#include "pci/plan.h"

/* Which functions are listed; NULL or -1: all. PCI bridges never are. */
struct pci_filter {
	const char *class;  /* 2 to 6 hex digits, from the left: "03", "0200" */
	const char *vendor; /* 4 hex digits */
	const char *driver; /* exact, "none" for none */
	long group;
};

/* -1: what is wrong with a value. Text as the user gave it, NULL when not given. */
int pci_filter_init(struct pci_filter *f, const char *class, const char *vendor, const char *driver,
	const char *group, struct err *e);
bool pci_filter_takes(const struct pci_filter *f, const struct pci_dev *d);

void print_list(struct buf *out, const struct pci_state *s, const struct plan *p,
	const struct pci_filter *f, bool wide);
/* "pcidevice.devices.harvesterhci.io/<name>" a line, as kubectl -o name. */
void print_names(struct buf *out, const struct pci_state *s, const struct pci_filter *f);
/* A Kubernetes List of PCIDevices, of all functions that are listed, also those without an object.
 */
struct json *list_objects(struct arena *mem, const struct pci_state *s, const struct pci_filter *f);
/* One of them. */
struct json *list_object(
	struct arena *mem, const struct pci_state *s, const struct pci_dev *d, const char *now);
/* The IOMMU groups as a tree, each with what keeps it from being claimed. */
void print_groups(struct buf *out, const struct pci_state *s, const struct pci_filter *f);

/* All of one function; `with` is the plan with a claim of it. */
void print_function(struct buf *out, const struct pci_state *s, const struct plan *with,
	const struct pci_dev *d);

/* What would be done, in order, and what is refused. `only` not NULL: of this claim. */
void print_plan(struct buf *out, const struct pci_state *s, const struct plan *p,
	const struct pci_addr *only);
struct json *plan_object(struct arena *mem, const struct plan *p, const struct pci_addr *only);

/* NICs with SR-IOV, and wishes for VFs of some that are not there. */
void print_nics(struct buf *out, const struct pci_state *s, const struct plan *p, bool wide);
void print_nic_names(struct buf *out, const struct pci_state *s, const struct plan *p);
struct json *list_nics(struct arena *mem, const struct pci_state *s, const struct plan *p);
/* One of them as it is observed: "enp1s0f0: 2 VFs: 0000:01:10.0 0000:01:10.2". */
void print_nic(struct buf *out, const struct json *object);
/* Parts of a plan: what is not as it is wanted. */
void print_nic_steps(struct buf *out, const struct plan *p);
void add_nic_steps(struct arena *mem, struct json *plan, const struct plan *p);

#endif
