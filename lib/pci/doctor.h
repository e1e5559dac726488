// SPDX-License-Identifier: GPL-2.0-or-later
// What keeps a VM of this node from its device, for the person at the shell: one line per thing
// found, with what to do about it. Read from files below the root; changes nothing, holds no lock.
#ifndef PCI_DOCTOR_H
#define PCI_DOCTOR_H

#include "pci/kmodule.h"
#include "pci/node.h"

enum doctor_level { DOCTOR_PROBLEM, DOCTOR_NOTE, DOCTOR_OK };

/* The closed list of topics; scripts may go by these words. */
#define DOCTOR_TOPICS(X)                                                                           \
	X(TOPIC_INVENTORY, "inventory")     /* /sys has the PCI functions */                       \
	X(TOPIC_IOMMU, "iommu")             /* one is at work */                                   \
	X(TOPIC_FIRMWARE, "iommu-firmware") /* none is: does the firmware describe one? */         \
	X(TOPIC_CMDLINE, "iommu-cmdline")   /* none is: does the command line forbid it? */        \
	X(TOPIC_NO_GROUP, "iommu-group")    /* functions without a group all the same */           \
	X(TOPIC_REMAPPING, "interrupt-remapping")                                                  \
	X(TOPIC_MODULE, "vfio-module") /* subject: the module */                                   \
	X(TOPIC_IDS, "vfio-ids")       /* vfio-pci is told to take whole models */                 \
	X(TOPIC_ACS, "acs")            /* why a group has several functions */                     \
	X(TOPIC_RMRR, "rmrr")          /* memory that the firmware keeps for a device */           \
	X(TOPIC_RESET, "reset")        /* how a claimed function is reset */                       \
	X(TOPIC_BOOT_VGA, "boot-vga")                                                              \
	X(TOPIC_STATE, "state") /* the state directory */                                          \
	X(TOPIC_KEPT, "kept")   /* a record that cannot be understood */                           \
	X(TOPIC_CLAIM, "claim")                                                                    \
	X(TOPIC_RELEASE, "release") /* a function that no claim wants any more */                  \
	X(TOPIC_LOCK, "lock")       /* who holds pcid's */                                         \
	X(TOPIC_DRIVERCTL, "driverctl")                                                            \
	X(TOPIC_OVERRIDE, "driver-override") /* set, and not by us; or not any more as we did */   \
	X(TOPIC_FOREIGN, "foreign-driver")   /* on vfio or uio, and not by us */                   \
	X(TOPIC_PLUGIN, "device-plugin")     /* another one's socket for our resource */           \
	X(TOPIC_EARLY, "early")              /* what `pcid early` did in this boot */

enum doctor_topic {
#define X(id, name) id,
	DOCTOR_TOPICS(X)
#undef X
		DOCTOR_TOPIC_COUNT
};

struct finding {
	enum doctor_level level;
	enum doctor_topic topic;
	const char *subject; /* an address, "group 16", a module's or record's name, or "" */
	const char *message; /* what is so: one sentence */
	const char *todo;    /* what to do about it; "" when nothing is to be done */
};

/* Problems first, then notes, then what is well; each in the order of what was looked at. Owns its
 * strings, which are as they were read: what prints them sees to control characters. */
struct doctor {
	struct finding *finding;
	size_t n;
	struct arena mem;
};

/* Always gives an answer: what cannot be read is a finding. */
void doctor_look(struct doctor *d, const struct pci_node *n, const struct kmodules *k);
void doctor_free(struct doctor *d);

bool doctor_has_problem(const struct doctor *d);
const char *doctor_topic_name(enum doctor_topic t);
const char *doctor_level_name(enum doctor_level l);

void doctor_print(struct buf *out, const struct doctor *d);
/* {"kind": "Doctor", "findings": [{level, topic, subject, message, todo}]}, in `mem`. */
struct json *doctor_object(struct arena *mem, const struct doctor *d);

#endif
