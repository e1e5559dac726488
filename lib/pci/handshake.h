// SPDX-License-Identifier: GPL-2.0-or-later
// Release is a handshake (design rule 6): pcid says Releasing in observed/pcideviceclaims, the
// device plugin withdraws the device and notes that in observed/plugins, then it is unbound.
#ifndef PCI_HANDSHAKE_H
#define PCI_HANDSHAKE_H

#include "pci/condition.h"
#include "pci/node.h"

#define PLURAL_PLUGINS "plugins"
/* In the status of a claim that is released: names this release. */
#define STATUS_RELEASE "release"

/* Why the function of this claim cannot be given back yet, in `mem`: not withdrawn
 * (REASON_RELEASING), or allocated to a pod (REASON_ALLOCATED). NULL: nothing of the kubelet's is
 * in the way. A device plugin that has not run in this boot (observed/plugins has no `complete` of
 * it) has advertised nothing, so the kubelet can have allocated nothing; one that has run is waited
 * for, also while it is down.
 *
 * observed/plugins/<claim>.json, by the device plugin: {"withdrawn": "<status.release>",
 * "allocatedTo": "<namespace>/<pod>" or ""}. */
const char *handshake_waits_for(
	const struct pci_node *n, const char *claim, struct arena *mem, enum reason *r);

/* The name of a release: the one `old` has, else a new one. */
const char *handshake_release(const struct json *old, struct arena *mem);

#endif
