// SPDX-License-Identifier: GPL-2.0-or-later
// What the host itself lives on: which PCI functions carry a mounted disk, swap, the default
// route, the console. All read from files below the root: proc/1/mountinfo, proc/swaps,
// proc/1/net/*, sysfs; never from the namespaces of this process.
#ifndef PCI_HOSTUSE_H
#define PCI_HOSTUSE_H

#include "base/arena.h"
#include "base/root.h"
#include "pci/inventory.h"

/* In order of weight: the first two cannot be overridden. */
enum host_reason {
	HOST_ROOT_DISK,      /* under /, /boot, /usr, or what these are made of */
	HOST_DEFAULT_ROUTE,  /* the NIC that leads out */
	HOST_MANAGEMENT_NIC, /* below mgmt-br or mgmt-bo */
	HOST_VLAN_UPLINK,    /* uplink of a VlanConfig */
	HOST_MOUNTED,        /* any other mounted filesystem */
	HOST_SWAP,
	HOST_BLOCK_HOLDER,    /* dm, md, bcache hold one of its block devices */
	HOST_NETWORK_ADDRESS, /* a NIC with an address or a route of its own */
	HOST_NETWORK_MEMBER,  /* a NIC that is part of a bond, a bridge, or has a VLAN on it */
	HOST_CONSOLE,         /* the only console */
	HOST_UNKNOWN,         /* the files that would tell could not be read */
	HOST_REASONS
};

/* The word used in conditions and on the command line ("RootDisk", "DefaultRoute",
 * "ManagementNIC", "VlanUplink", "Mounted", "Swap", "BlockHolder", "NetworkAddress",
 * "NetworkMember", "Console", "HostUseUnknown"). */
const char *host_reason_name(enum host_reason r);
bool host_reason_final(enum host_reason r); /* cannot be overridden */

/* One reason for one function. `chain` names the way from the function to what uses it:
 * "0000:02:00.0 → nvme0n1 → dm-0 → /var". Every block device and interface between the two is
 * named, but partitions only where they are what is used ("nvme0n1 → nvme0n1p2 → /boot"). It is
 * text: no control characters, valid UTF-8. */
struct host_use {
	struct pci_addr addr;
	enum host_reason reason;
	const char *chain;
};

/* Sorted by address, then by reason, then what says most first (/ before /boot); each (address,
 * reason, chain) once. A block device that is mounted in many places has one use, with the first of
 * them. Owns its strings. */
struct host_uses {
	struct host_use *use;
	size_t n;
	struct arena mem;
};

/* `uplinks`: names of NICs that a VlanConfig of this node names, may be NULL. What cannot be read
 * becomes HOST_UNKNOWN uses of the functions it might concern, not an error. */
int host_uses_scan(struct host_uses *h, const struct root *r, const struct pci_inventory *inv,
	const char *const *uplinks, size_t n_uplinks, struct err *e);
void host_uses_free(struct host_uses *h);

/* The uses of one function: count, and the first in *first. */
size_t host_uses_of(const struct host_uses *h, struct pci_addr a, const struct host_use **first);

#endif
