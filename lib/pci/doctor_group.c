// SPDX-License-Identifier: GPL-2.0-or-later
// IOMMU groups: why one has several functions, and what the firmware keeps in them.
#include "pci/caps.h"
#include "pci/doctor_impl.h"

#include <errno.h>
#include <stdio.h>

enum { REGIONS_MAX = 1 << 20 };

/* The functions of one group, and what joins them. `seen`: looked at for this group already, by
 * place in the inventory. */
struct group {
	const struct pci_dev *const *member;
	size_t n;
	int number;
	char subject[32];
	int *seen;
	struct listing members, open, conventional, shared, hidden, unreadable;
};

static const struct pci_dev *look_find(const struct look *l, struct str name)
{
	struct pci_addr a;

	return pci_addr_parse(name, &a) ? pci_find(&l->inv, a) : NULL;
}

static bool is_new(const struct look *l, struct group *g, const struct pci_dev *d)
{
	int *seen = &g->seen[d - l->inv.dev];
	bool is = *seen != g->number;

	*seen = g->number;
	return is;
}

static bool is_same_device(const struct pci_dev *x, const struct pci_dev *y)
{
	return x->addr.domain == y->addr.domain && x->addr.bus == y->addr.bus &&
	       x->addr.dev == y->addr.dev && !x->is_vf && !y->is_vf;
}

/* The inventory is sorted: functions of one device stand together. */
static bool is_shared(const struct look *l, const struct pci_dev *d)
{
	const struct pci_dev *first = l->inv.dev, *last = l->inv.dev + l->inv.n - 1;

	return (d > first && is_same_device(d - 1, d)) || (d < last && is_same_device(d, d + 1));
}

static void add_acs(struct look *l, struct group *g, const struct pci_dev *d,
	struct listing *conventional, struct listing *open)
{
	switch (pci_caps_acs(l->node, d->addr, is_shared(l, d))) {
	case PCI_ACS_ON:
		break;
	case PCI_ACS_OFF:
	case PCI_ACS_NONE:
		listing_add(open, d->name);
		break;
	case PCI_ACS_CONVENTIONAL:
		listing_add(conventional, d->name);
		break;
	case PCI_ACS_UNREADABLE:
		listing_add(&g->unreadable, d->name);
		break;
	}
}

/* What of the group DMA of a member passes on the way up. What is there in another group keeps it
 * apart (pci_device_group(), drivers/iommu/iommu.c). Names in the link: all but the last.
 * "../../../devices/pci0000:00/0000:00:1c.0/0000:03:00.0" */
static void add_way_up(struct look *l, struct group *g, const struct pci_dev *d)
{
	char path[64 + PCI_ADDR_CAP], link[4096];
	struct str rest, part;
	ssize_t n;

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", d->name);
	n = root_readlink(l->root, path, link, sizeof(link));
	rest = (struct str){link, n < 0 ? 0 : (size_t)n};
	while (str_cut(&rest, '/', &part)) {
		const struct pci_dev *above = look_find(l, part);

		if (!above || above == d || above->group != g->number || !is_new(l, g, above))
			continue;
		if (pci_is_bridge(above))
			add_acs(l, g, above, &g->conventional, &g->open);
		else
			listing_add(&g->hidden, above->name);
	}
}

/* A device is named once, by the first of its functions. */
static void add_shared(struct look *l, struct group *g, size_t i)
{
	const struct pci_dev *d = g->member[i];
	bool after = i > 0 && is_same_device(g->member[i - 1], d);
	bool before = i + 1 < g->n && is_same_device(d, g->member[i + 1]);

	if (before && !after)
		add_acs(l, g, d, &g->shared, &g->shared);
}

static void add_reason(
	struct buf *why, struct listing *names, const char *before, const char *after)
{
	if (names->n)
		buf_printf(
			why, "%s%s%s%s", why->len ? "; " : "", before, listing_text(names), after);
}

static void say_group(struct look *l, struct group *g)
{
	CLEANUP_BUF struct buf why = {0};

	add_reason(&why, &g->open, "no ACS on the way up at ", "");
	add_reason(&why, &g->conventional, "all behind ", " is on a conventional PCI bus");
	add_reason(&why, &g->hidden, "", " sends for all behind it under its own name");
	add_reason(&why, &g->shared, "no ACS between the functions of the device at ", "");
	add_reason(&why, &g->unreadable, "the extended configuration space of ",
		" cannot be read, which would tell of ACS: run it as root");
	if (!why.len)
		buf_str(&why, "what is seen of ACS does not explain it");
	found(l, DOCTOR_NOTE, TOPIC_ACS, g->subject, "%s are one group: %s",
		listing_text(&g->members), buf_z(&why));
	found_todo(l, "they go to one VM or none: claim them together; another slot, or ACS in "
		      "the firmware setup, may part them");
}

static void free_group(struct group *g)
{
	struct listing *all[] = {
		&g->members, &g->open, &g->conventional, &g->shared, &g->hidden, &g->unreadable};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_free(&all[i]->text);
}

static void check_acs(struct look *l, struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (!pci_is_bridge(g->member[i]))
			listing_add(&g->members, g->member[i]->name);
	if (g->members.n < 2)
		return;
	for (size_t i = 0; i < g->n; i++) {
		if (pci_is_bridge(g->member[i]))
			continue;
		add_way_up(l, g, g->member[i]);
		add_shared(l, g, i);
	}
	say_group(l, g);
}

/* Reserved regions. */

static bool any_member(const struct look *l, const struct group *g,
	bool (*is)(const struct look *l, const struct pci_dev *d))
{
	for (size_t i = 0; i < g->n; i++)
		if (!pci_is_bridge(g->member[i]) && is(l, g->member[i]))
			return true;
	return false;
}

/* drivers/iommu/intel/iommu.c, device_is_rmrr_locked(); newer kernels refuse it as
 * "Firmware has requested this device have a 1:1 IOMMU mapping". */
static void say_direct(
	struct look *l, const struct group *g, const struct reserved *r, bool claimed)
{
	found(l, claimed ? DOCTOR_PROBLEM : DOCTOR_NOTE, TOPIC_RMRR, g->subject,
		"the firmware keeps memory at 0x%llx-0x%llx for a device of it%s (region type "
		"direct): the kernel refuses it to a VM, \"ineligible for IOMMU domain attach due "
		"to platform RMRR requirement\"",
		(unsigned long long)r->first, (unsigned long long)r->last,
		claimed ? ", which is claimed" : "");
	found_todo(l, "turn off in the firmware setup what shares memory with the device (HPE: "
		      "exclude its slot with conrep), or update the firmware");
}

static void check_reserved(struct look *l, const struct group *g)
{
	CLEANUP_BUF struct buf text = {.max = REGIONS_MAX};
	struct reserved first;
	char path[96];

	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/reserved_regions", g->number);
	if (root_slurp(l->root, path, &text) < 0) {
		if (any_member(l, g, look_is_claimed)) {
			found(l, DOCTOR_NOTE, TOPIC_RMRR, g->subject,
				"/%s cannot be read: %s; whether the firmware keeps memory for a "
				"device of it is not known",
				path, strerror(errno));
			found_todo(l, "if a VM does not start: dmesg | grep -i rmrr");
		}
		return;
	}
	if (!doctor_reserved_direct(buf_slice(&text), &first))
		return;
	if (any_member(l, g, look_is_claimed))
		say_direct(l, g, &first, true);
	else if (any_member(l, g, look_is_claimable))
		say_direct(l, g, &first, false);
}

void doctor_check_groups(struct look *l)
{
	CLEANUP_FREE int *seen = mem_alloc((l->inv.n + 1) * sizeof(*seen));

	for (size_t i = 0; i < l->inv.n; i++)
		seen[i] = PCI_NO_GROUP;
	for (size_t i = 0, n; i < l->inv.n; i += n) {
		struct group g = {
			.member = l->by_group + i, .number = l->by_group[i]->group, .seen = seen};

		for (n = 1; i + n < l->inv.n && l->by_group[i + n]->group == g.number; n++)
			;
		if (g.number == PCI_NO_GROUP)
			continue;
		g.n = n;
		snprintf(g.subject, sizeof(g.subject), "group %d", g.number);
		check_acs(l, &g);
		check_reserved(l, &g);
		free_group(&g);
	}
}
