// SPDX-License-Identifier: GPL-2.0-or-later
// Binding in the initramfs, before a host driver is there to probe (design rule 7). Stage 1, before
// udev: from the copy of the state that is baked into the image, and the kernel command line.
// Stage 2, with the state directory mounted: what is left. Only functions of an earlier verified
// bind, or named on the command line; never anything that would fail the boot.
#ifndef PCI_EARLY_H
#define PCI_EARLY_H

#include "pci/early_report.h"
#include "pci/kmodule.h"

#define EARLY_BAKED "/etc/vfiobox"
enum { EARLY_MAX_FAILED_BOOTS = 2 };

/* Does what one stage has to, says it to `n`'s progress, and leaves the report. Never fails: what
 * went wrong is said and in the report. `n` has the store of the stage. */
void early_run(const struct pci_node *n, const struct kmodules *k, int stage);

/* The boot came up: the counter of those that did not begins anew. Nothing where the state
 * directory is not known to be this machine's. */
int early_came_up(const struct pci_node *n, struct err *e);

#endif
