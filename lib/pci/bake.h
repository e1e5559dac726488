// SPDX-License-Identifier: GPL-2.0-or-later
// The copy of the state that an initramfs carries: what stage 1 of `early` reads.
#ifndef PCI_BAKE_H
#define PCI_BAKE_H

#include "base/buf.h"
#include "pci/node.h"

/* A cpio archive (newc, Documentation/driver-api/early-userspace/buffer-format.rst) that holds
 * etc/vfiobox: the sentinel, the claims, the records. To be given to the kernel as one more initrd.
 * -1 when the state is not known to be this machine's, or cannot be read. */
int bake_archive(const struct pci_node *n, struct buf *out, struct err *e);

/* The same as files below /etc/vfiobox of the root, for a tool that makes an initramfs; what is not
 * in the state any more goes. `count` gets how many files there are. */
int bake_directory(const struct pci_node *n, unsigned *count, struct err *e);

#endif
