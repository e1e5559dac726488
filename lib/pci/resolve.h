// SPDX-License-Identifier: GPL-2.0-or-later
// Where the functions of our records are now: a function is its identity, not its address
// (design rule 11).
#ifndef PCI_RESOLVE_H
#define PCI_RESOLVE_H

#include "pci/state.h"

/* Looks for the function of each readable record: at its address, else anywhere in the machine. One
 * that moved and whose identity is unique (a serial number, or the same model in the same slot) is
 * followed: record and claim get its address. Else `mismatch` says what sits there. Part of
 * pci_state_read(). */
void resolve_records(struct pci_state *s);

/* Who is in an IOMMU group, bridges left out: "10de:2484 pci0000:00/01.1/00.0, ...", sorted, in
 * `mem`. */
const char *resolve_group(const struct pci_state *s, int group, struct arena *mem);

enum { GROUP_MARK_CAP = 17 };
/* A short name for such a text, to accept a group by: 16 hex digits (FNV-1a, 64 bits). */
void resolve_group_mark(const char *members, char out[static GROUP_MARK_CAP]);

#endif
