// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of the doctor share: the look while it lasts, and the parsers of what it reads.
#ifndef PCI_DOCTOR_IMPL_H
#define PCI_DOCTOR_IMPL_H

#include "pci/doctor.h"
#include "pci/plan.h"

/* One look. */
struct look {
	struct doctor *out;
	const struct pci_node *node;
	const struct root *root;
	const struct kmodules *kmodules;
	struct pci_inventory inv;
	const struct pci_dev **by_group; /* all functions, by IOMMU group, then address */
	struct pci_state state;
	struct plan plan;
	bool has_inventory;
	bool has_state; /* `state` and `plan` are there; their functions are others than `inv`'s */
	const char *cmdline; /* proc/cmdline, "" when it cannot be read */
};

/* A finding; all texts are copied. found_todo() says what to do about the last one. */
void found(struct look *l, enum doctor_level level, enum doctor_topic topic, const char *subject,
	const char *fmt, ...) PRINTF(5, 6);
void found_todo(struct look *l, const char *fmt, ...) PRINTF(2, 3);

/* "sys/bus/pci/devices/<address>/<name>", read whole into out: as root_read(). */
ssize_t look_attribute(
	const struct look *l, const struct pci_dev *d, const char *name, char *out, size_t cap);

/* On a claim, or pulled in by one; false when the claims cannot be read. */
bool look_is_claimed(const struct look *l, const struct pci_dev *d);
/* Not claimed, and a claim of it would be accepted. */
bool look_is_claimable(const struct look *l, const struct pci_dev *d);
/* The claim on the function accepted, or pulling it in; NULL: it is not to be bound. */
const struct member *look_member(const struct look *l, const struct pci_dev *d);

/* Calls back for each entry of a directory but . and .., in no order; 0, or -1 and errno. */
int look_entries(const struct look *l, const char *dir, void (*each)(void *ctx, const char *name),
	void *ctx);

/* "a, b, c and 5 more"; `{0}` is empty. */
struct listing {
	struct buf text;
	size_t n, more;
};
void listing_add(struct listing *s, const char *word);
const char *listing_text(struct listing *s); /* owned by the listing */

/* The checks, in this order. */
void doctor_check_iommu(struct look *l);
void doctor_check_remapping(struct look *l);
void doctor_check_modules(struct look *l);
void doctor_check_groups(struct look *l);
void doctor_check_devices(struct look *l);
void doctor_check_claims(struct look *l);
void doctor_check_agents(struct look *l);
void doctor_check_early(struct look *l);

/* Parsers of what others write. */

enum doctor_cpu { CPU_UNKNOWN, CPU_INTEL, CPU_AMD, CPU_ARM };
/* proc/cpuinfo: vendor_id of x86, "CPU implementer" of arm. */
enum doctor_cpu doctor_cpu(struct str cpuinfo);

/* The last of `words` (NULL at the end) that an argument "key=word[,word]" of a kernel command line
 * names; NULL when none does. What follows "--" is init's. */
const char *doctor_cmdline_word(struct str cmdline, const char *key, const char *const *words);

/* proc/interrupts of x86: is one of them remapped ("IR-PCI-MSI"), plain, or neither? */
enum doctor_remapping { REMAPPING_UNKNOWN, REMAPPING_ON, REMAPPING_OFF };
enum doctor_remapping doctor_remapping(struct str interrupts);

/* reserved_regions of a group (Documentation/ABI/testing/sysfs-kernel-iommu_groups): "first last
 * type" a line. The number of type "direct", the first of them in *first; others, direct-relaxable
 * too, and what is no such line, are passed over. */
struct reserved {
	uint64_t first, last;
};
size_t doctor_reserved_direct(struct str text, struct reserved *first);

/* proc/locks (fs/locks.c): the pid of who holds a flock on the file; 0 when nobody does, -1 when
 * the holder is in a pid namespace that this one does not see. */
long doctor_lock_holder(struct str locks, uint64_t major, uint64_t minor, uint64_t inode);

#endif
