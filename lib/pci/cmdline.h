// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel command line says to vfiobox.
#ifndef PCI_CMDLINE_H
#define PCI_CMDLINE_H

#include "pci/addr.h"

enum { CMDLINE_MAX_CLAIMS = 64 };

struct cmdline {
	bool disabled; /* vfiobox.disable, or vfiobox.disable=1 (not =0) */
	struct pci_addr claim[CMDLINE_MAX_CLAIMS]; /* vfiobox.claim=ADDR[,ADDR], several add up */
	size_t claims;
	char bad[64]; /* the first address that is none, as far as it fits; "" */
};

/* Words are separated by white space; quotes group as the kernel has it (lib/cmdline.c). What comes
 * after "--" is init's. Claims over CMDLINE_MAX_CLAIMS are left out and `bad` says so. */
void cmdline_parse(struct cmdline *c, struct str text);

#endif
