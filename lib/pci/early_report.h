// SPDX-License-Identifier: GPL-2.0-or-later
// What `early` did, in run/vfiobox/early.json: shown by doctor, and what it bound in this boot is
// ours for the claims that come later.
#ifndef PCI_EARLY_REPORT_H
#define PCI_EARLY_REPORT_H

#include "pci/node.h"

enum early_result {
	EARLY_BOUND,    /* on vfio-pci */
	EARLY_OVERRIDE, /* driver_override is set: vfio-pci takes it as soon as it is loaded */
	EARLY_REFUSED,
	EARLY_FAILED,
	EARLY_UNDONE, /* given back by stage 2, after boots that did not come up */
	EARLY_RESULTS
};
const char *early_result_name(enum early_result r);

struct early_function {
	struct pci_addr addr;
	const char *name; /* of its claim */
	enum early_result result;
	const char *reason, *message;
};

/* Strings in the arena of the reader. */
struct early_report {
	int stage;
	const char *boot_id;  /* of the boot it is of, "" unknown */
	const char *disabled; /* why nothing was done, or NULL */
	struct early_function *function;
	size_t n;
};

enum { EARLY_REPORT_MAX = 1 << 20 };
/* A report from its text, in `mem`. -1 and `e` for anything else, over EARLY_REPORT_MAX bytes too.
 */
int early_report_parse(struct early_report *r, struct arena *mem, struct str text, struct err *e);

/* The report of this boot; an empty one when there is none, or it is of another boot or damaged:
 * nothing is believed to be ours then. */
void early_report_read(const struct pci_node *n, struct arena *mem, struct early_report *out);
int early_report_write(const struct pci_node *n, const struct early_report *r, struct err *e);

/* Early has taken this function in this boot. */
bool early_took(const struct early_report *r, struct pci_addr a);

/* Adds a function, or puts it in the place of what was said of it. */
void early_report_set(struct early_report *r, struct arena *mem, struct early_function f);

#endif
