// SPDX-License-Identifier: GPL-2.0-or-later
// pcid as a daemon: one instance, no polling. A pass when something says that things changed, and
// again, ever later, while something waits.
#ifndef PCI_DAEMON_H
#define PCI_DAEMON_H

#include "pci/kmodule.h"
#include "pci/node.h"

/* Runs until SIGTERM or SIGINT: 0. -1 when it cannot start (another instance holds the lock) or go
 * on: the sandbox lets it into the state directory that was there when it started, so that it ends,
 * to be started again, when another one is mounted there. A pass that fails is said and tried
 * again; it does not end the daemon. `once`: ends, with 0, after the first pass that leaves nothing
 * to wait for. */
int daemon_run(const struct pci_node *n, const struct kmodules *k, bool once, struct err *e);

#endif
