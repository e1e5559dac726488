// SPDX-License-Identifier: GPL-2.0-or-later
// Observed objects: PCIDevice and PCIDeviceClaim as contract.md part 1 has them, with conditions.
#ifndef PCI_OBJECT_H
#define PCI_OBJECT_H

#include "pci/plan.h"

/* RFC 3339, UTC, whole seconds. */
const char *object_now(struct arena *mem);

/* The resource name a function is advertised under: the claim's override, the device's own when
 * pooling is off, the name frozen when it was claimed, else by pci.ids. */
const char *object_resource_name(
	const struct pci_state *s, struct arena *mem, const struct pci_dev *d);

/* The verdict on a claim of this function by nobody in particular: what the condition Offered
 * says. */
struct verdict object_offer(const struct pci_state *s, const struct pci_dev *d, struct arena *mem);

/* `old` is the object as it was observed before, or NULL: first-sight driver and transition times
 * come from it. All in `mem`. */
struct json *object_device(const struct pci_state *s, struct arena *mem, const struct pci_dev *d,
	const struct json *old, const char *now);

/* A kept function that is not there any more, from its record. */
struct json *object_absent_device(const struct pci_state *s, struct arena *mem,
	const struct kept *k, const struct json *old, const char *now);

/* `old`, marked absent: all that is known of a function that is gone and has no record. */
struct json *object_gone(struct arena *mem, const struct json *old, const char *now);

/* The status of a user's claim. `v` as planned, `m` as carried out (NULL when refused or
 * skipped).*/
struct json *object_claim(const struct pci_state *s, struct arena *mem, const struct verdict *v,
	const struct member *m, const struct json *old, const char *now);

/* The claim of a function that is in a unit without a claim of its own: pulled in by another
 * function's claim, or waiting to be given back. */
struct json *object_derived_claim(const struct pci_state *s, struct arena *mem,
	const struct member *m, const struct json *old, const char *now);

/* The condition of an observed object; NULL when it has none of this type. */
const struct json *object_find_condition(const struct json *object, enum condition_type t);

/* The claim that a derived one comes from, by name; "" for a user's own. */
const char *object_claim_origin(const struct json *claim);

/* SRIOVNetworkDevice, of a PF, of a wish (a `pf` that is not there is NULL), or of both; `t` is
 * what is said of the wish. */
struct json *object_nic(const struct pci_state *s, struct arena *mem, const struct nic_pf *pf,
	const struct nic_step *t, const struct json *old, const char *now);
/* Why the same wish, unchanged, failed when `old` was observed; NULL when it did not. */
const char *object_nic_failure(const struct json *old, const struct nic_step *t);

#endif
