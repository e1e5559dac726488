// SPDX-License-Identifier: GPL-2.0-or-later
// The closed list of condition types and reasons. What is not here is never written to a status,
// printed as a reason, or taken by --override.
#ifndef PCI_CONDITION_H
#define PCI_CONDITION_H

#include "base/base.h"

enum condition_type {
	COND_OFFERED,  /* PCIDevice: may be claimed */
	COND_PRESENT,  /* PCIDevice: the function is there; written when it is not */
	COND_ACCEPTED, /* claim: nothing forbids it */
	COND_BOUND,    /* claim: the function is on vfio-pci, verified */
	COND_RELEASED, /* claim that is gone: written while its function is not given back */
	COND_APPLIED,  /* SRIOVNetworkDevice: it has the VFs that are wanted */
	CONDITION_TYPES
};

/* Host uses come first, in the order of their weight: see hostuse.h. */
#define PCI_REASONS(X)                                                                             \
	X(REASON_ROOT_DISK, "RootDisk")           /* under /, /boot, /usr; final */                \
	X(REASON_DEFAULT_ROUTE, "DefaultRoute")   /* the NIC that leads out; final */              \
	X(REASON_MANAGEMENT_NIC, "ManagementNIC") /* below mgmt-br or mgmt-bo */                   \
	X(REASON_VLAN_UPLINK, "VlanUplink")       /* uplink of a VlanConfig */                     \
	X(REASON_MOUNTED, "Mounted")              /* any other mounted filesystem */               \
	X(REASON_SWAP, "Swap")                                                                     \
	X(REASON_BLOCK_HOLDER, "BlockHolder")       /* dm, md, bcache hold its block device */     \
	X(REASON_NETWORK_ADDRESS, "NetworkAddress") /* a NIC with an address or route */           \
	X(REASON_NETWORK_MEMBER, "NetworkMember")   /* a NIC in a bond, bridge, under a VLAN */    \
	X(REASON_CONSOLE, "Console")                /* the only console */                         \
	X(REASON_HOST_UNKNOWN, "HostUseUnknown")    /* the files that would tell are unread */     \
	X(REASON_BRIDGE_FUNCTION, "BridgeFunction") /* class 06xx, not a PCI bridge */             \
	/* What forbids a claim and cannot be overridden. */                                       \
	X(REASON_NOT_FOUND, "NotFound") /* no function at the address */                           \
	X(REASON_BRIDGE, "Bridge")      /* a PCI bridge, class 0604 */                             \
	X(REASON_NO_IOMMU_GROUP, "NoIOMMUGroup")                                                   \
	X(REASON_PF_HAS_VFS, "PFHasVFs")                /* binding it would destroy its VFs */     \
	X(REASON_BOUND_BY_ANOTHER, "BoundByAnother")    /* on vfio-pci or uio, and not by us */    \
	X(REASON_GROUP_HOST_DRIVER, "GroupHostDriver")  /* a 06xx function holds the group */      \
	X(REASON_IDENTITY_MISMATCH, "IdentityMismatch") /* another device sits at the address */   \
	X(REASON_KEPT_UNREADABLE, "KeptUnreadable") /* kept/ is damaged or of a later format */    \
	X(REASON_STATE_FOREIGN, "StateForeign")     /* the state directory is not this node's */   \
	X(REASON_NAME_TAKEN, "NameTaken")           /* by a claim that follows a moved device */   \
	X(REASON_GROUP_CHANGED, "GroupChanged")     /* not as at the last verified bind */         \
	X(REASON_NODE_RENAMED, "NodeRenamed")       /* the node had another name */                \
	X(REASON_UNSETTLED, "Unsettled")            /* mounts and network are not up yet */        \
	/* What forbids a number of VFs. */                                                        \
	X(REASON_NO_SRIOV, "NoSRIOV")              /* no NIC, or one without SR-IOV */             \
	X(REASON_INVALID_NUM_VFS, "InvalidNumVFs") /* spec.numVFs is no number */                  \
	X(REASON_TOO_MANY_VFS, "TooManyVFs")       /* over sriov_totalvfs */                       \
	X(REASON_PF_CLAIMED, "PFClaimed")          /* the PF itself is claimed, or ours still */   \
	X(REASON_VF_CLAIMED, "VFClaimed")          /* a VF that would go is claimed */             \
	X(REASON_VF_IN_USE, "VFInUse")             /* a VF that would go is in use */              \
	X(REASON_NO_DRIVER, "NoDriver")            /* the kernel needs the PF's driver for it */   \
	/* How it stands. */                                                                       \
	X(REASON_AVAILABLE, "Available")                                                           \
	X(REASON_CLAIMED, "Claimed")                                                               \
	X(REASON_ACCEPTED, "Accepted")                                                             \
	X(REASON_REFUSED, "Refused") /* see the condition Accepted */                              \
	X(REASON_BOUND, "Bound")                                                                   \
	X(REASON_BINDING_SKIPPED, "BindingSkipped") /* skip-vfio-binding: stays on its driver */   \
	X(REASON_PENDING, "Pending")                /* not done yet */                             \
	X(REASON_MODULE_MISSING, "ModuleMissing")   /* vfio-pci cannot be loaded */                \
	X(REASON_BIND_FAILED, "BindFailed")         /* tried and undone */                         \
	X(REASON_IN_USE, "InUse")                   /* a process holds the group node */           \
	X(REASON_RELEASING, "Releasing")            /* the device plugin has to withdraw it */     \
	X(REASON_ALLOCATED, "Allocated")            /* the kubelet has given it to a pod */        \
	X(REASON_RELEASE_FAILED, "ReleaseFailed")                                                  \
	X(REASON_DRIVER_MISSING, "DriverMissing") /* its host driver did not take it back */       \
	X(REASON_APPLIED, "Applied")                                                               \
	X(REASON_NO_WISH, "NoWish")       /* nobody wants a number of VFs */                       \
	X(REASON_VFS_FAILED, "VFsFailed") /* tried; the kernel did not make them */                \
	X(REASON_ABSENT, "Absent")

enum reason {
#define X(id, name) id,
	PCI_REASONS(X)
#undef X
		REASONS
};

const char *condition_type_name(enum condition_type t);
const char *reason_name(enum reason r);
bool reason_parse(struct str s, enum reason *out); /* exact spelling */
/* Names with commas between them, each of a reason that a person may name as an override, into a
 * bit per reason; false, and nothing set, when one is none. */
bool reasons_parse(struct str s, uint64_t *out);

/* Something else has to happen first; it is looked at again. */
bool reason_waits(enum reason r);

/* May a person override it by naming it: the host uses but the final ones, and BridgeFunction. */
bool reason_can_override(enum reason r);

#endif
