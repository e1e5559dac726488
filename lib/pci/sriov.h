// SPDX-License-Identifier: GPL-2.0-or-later
// Virtual functions of NICs: the PFs, how many VFs each is to have, whether that may be done now.
// Part of the state that a pass decides from; nothing here changes anything.
#ifndef PCI_SRIOV_H
#define PCI_SRIOV_H

#include "pci/condition.h"
#include "pci/inventory.h"
#include "pci/node.h"

struct pci_state;
struct wish;

#define PLURAL_NICS "sriovnetworkdevices"
#define KIND_NIC "SRIOVNetworkDevice"
#define ANNOTATION_INTERFACE "sriov.devices.harvesterhi.io/interface-name" /* sic */

/* The interface's name as the kernel spells it; IFNAMSIZ and more. */
enum { NIC_NAME_CAP = 32 };

/* A wish for a number of VFs: an SRIOVNetworkDevice in desired/. Strings live in the arena it was
 * read into. */
struct nic_wish {
	const char *name, *uid;
	const char *address; /* spec.address, "" when there is none */
	struct pci_addr addr;
	bool addr_ok;
	bool counted; /* spec.numVFs is a number of VFs */
	unsigned count;
	enum store_tree tree;
	const struct json *object;
};

/* kept/sriovnetworkdevices/: VFs are being made with the kernel's sriov_drivers_autoprobe off. On
 * disk before it is turned off; goes when it is on again and the unclaimed VFs were probed. */
struct nic_kept {
	const char *name;
	bool readable; /* false: damaged, or of a later format: hands off */
	struct pci_addr addr;
	uint16_t vendor, device;
};

/* A physical function of class 02 with sriov_totalvfs over 0. */
struct nic_pf {
	const struct pci_dev *dev;
	const char *interface; /* "" when it has none: no driver, or in another network namespace */
	const char *name;      /* of its object; "" without an interface and a wish */
	bool kept_out;         /* a management NIC or VLAN uplink: no object, no VFs */
	bool counted;          /* sriov_numvfs reads as a number */
	unsigned vfs, total;
	const struct nic_wish *wish; /* or NULL */
};

/* Part of struct pci_state, in its arena. */
struct sriov {
	struct nic_pf *pf; /* sorted by address */
	size_t pfs;
	struct nic_wish *wish;
	size_t wishes;
	struct nic_kept *kept;
	size_t kepts;
};

/* After the functions and the host's uses were read. -1 when a wish cannot be read: it may be any
 * (design rule 1). */
int sriov_read(struct pci_state *s, struct err *e);

/* The wishes of this node; the cluster's win by name, one with a deletionTimestamp is none. */
int nic_wishes_read(const struct pci_node *n, struct arena *mem, struct nic_wish **out,
	size_t *count, struct err *e);
void nic_wish_of(struct nic_wish *w, enum store_tree tree, const char *name,
	const struct json *object, struct arena *mem);
/* A local wish for `count` VFs: the one there is with another count, else a new one. Each call
 * makes a new generation. In `mem`. */
struct json *nic_wish_new(
	const struct pci_node *n, struct arena *mem, const struct nic_pf *pf, unsigned count);

int nic_kept_read_all(const struct pci_node *n, struct arena *mem, struct nic_kept **out,
	size_t *count, struct err *e);
int nic_kept_put(const struct pci_node *n, const struct nic_kept *k, struct err *e);

/* The interface of a NIC's function: of several (VF representors, ports) the first that is no
 * representor. */
void nic_interface(const struct root *r, const char *address, char out[static NIC_NAME_CAP]);
/* "<node>-<interface in lower case>"; what is no part of an object's name becomes '-'. */
const char *nic_object_name(struct arena *mem, const char *node, const char *interface);

/* A number that sysfs has of a function; false when it is not to be read. */
bool nic_attribute(const struct root *r, const char *address, const char *name, unsigned *out);

const struct nic_pf *sriov_pf_at(const struct pci_state *s, struct pci_addr a);
/* By interface as the kernel spells it; NULL when there is none. */
const struct nic_pf *sriov_pf_named(const struct pci_state *s, const char *interface);
const struct nic_kept *sriov_kept_at(const struct pci_state *s, struct pci_addr a);
/* The VFs of it that the inventory has: the first at or after `*from`, which moves behind it. */
const struct pci_dev *sriov_next_vf(
	const struct pci_state *s, const struct pci_dev *pf, size_t *from);
/* A claim wants the function, or one of its IOMMU group; NULL: none. */
const struct wish *sriov_claim_on(const struct pci_state *s, const struct pci_dev *d);

/* What is said of one wish. */
struct nic_step {
	const struct nic_wish *wish;
	const struct nic_pf *pf; /* NULL: there is none */
	unsigned from, to;
	bool accepted;
	bool done;          /* it has as many as are wanted, and all are there */
	enum reason reason; /* why not, or what it waits for; REASON_APPLIED when done */
	const char *message;
	const char *hint; /* what to do, or "" */
};

/* The verdict on a wish; texts in `mem`. */
struct nic_step sriov_judge(const struct pci_state *s, const struct nic_wish *w,
	const struct nic_pf *pf, struct arena *mem);
/* One step per wish, in their order. */
struct nic_step *sriov_steps(const struct pci_state *s, struct arena *mem, size_t *n);

/* "enp1s0f0 (0000:01:00.0)", or what there is of both. */
const char *sriov_label(const struct nic_step *t, struct arena *mem);

#endif
