// SPDX-License-Identifier: GPL-2.0-or-later
// The verdict on one claim: what the host lives on, what the kernel cannot do, whose it is.
#include "pci/plan.h"
#include "pci/resolve.h"

#include <stdio.h>

static struct verdict refuse(struct verdict v, enum reason r, const char *message, const char *hint)
{
	v.accepted = false;
	v.reason = r;
	v.message = message;
	v.hint = hint;
	return v;
}

bool plan_in_closure(const struct pci_dev *d, const struct pci_dev *claimed)
{
	if (pci_is_bridge(d))
		return false;
	return !pci_is_bridge_function(d) || d == claimed;
}

/* "" for the claimed function itself, else a word on why a peer matters. */
static const char *peer_word(
	struct arena *mem, const struct pci_dev *d, const struct pci_dev *claimed)
{
	if (d == claimed)
		return "";
	return arena_printf(mem, "%s shares IOMMU group %d: ", d->name, d->group);
}

static struct verdict refuse_host_use(
	struct verdict v, enum reason r, const char *chain, const char *peer, struct arena *mem)
{
	const char *name = reason_name(r);

	return refuse(v, r, arena_printf(mem, "%sthe host lives on it: %s", peer, chain),
		reason_can_override(r)
			? arena_printf(mem,
				  "free it first (unmount, swapoff, take the NIC out of use), or, "
				  "knowing what breaks: --override %s",
				  name)
			: "this cannot be overridden");
}

/* Something a vfio group cannot have beside it: a 06xx function that a host driver holds. pcieport
 * and pci-stub are fine (drivers with driver_managed_dma, include/linux/pci.h). */
static bool holds_group(const struct pci_dev *d)
{
	return d->driver[0] && strcmp(d->driver, "pcieport") != 0 &&
	       strcmp(d->driver, "pci-stub") != 0 && !pci_is_user_driver(d->driver);
}

static bool is_adoptable(const struct pci_state *s, const struct pci_dev *d)
{
	const struct wish *own = pci_state_wish(s, d->addr);

	if (!strcmp(d->driver, "vfio-pci") && early_took(&s->early, d->addr))
		return true;
	return !strcmp(d->driver, "vfio-pci") && own && own->passthrough && own->driver_to_unbind &&
	       own->driver_to_unbind[0];
}

static struct verdict refuse_unreadable(struct verdict v, const char *name, struct arena *mem)
{
	return refuse(v, REASON_KEPT_UNREADABLE,
		arena_printf(mem,
			"kept/" PLURAL_DEVICES " has a record of %s that cannot be understood",
			name),
		"a newer vfiobox wrote it, or it is damaged; nothing is bound or released");
}

/* Another claim's name, or its record's, is the one that this function's would have. */
static const char *name_holder(
	const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	const char *name = pci_object_name(mem, s->node->name, d->addr);
	const struct kept *k = pci_state_kept_named(s, name);

	return k && pci_addr_cmp(k->addr, d->addr) != 0 && !pci_state_kept(s, d->addr) ? name
										       : NULL;
}

static struct verdict refuse_name(struct verdict v, const struct pci_state *s, const char *name,
	const char *peer, struct arena *mem)
{
	char now[PCI_ADDR_CAP];

	pci_addr_format(pci_state_kept_named(s, name)->addr, now);
	return refuse(v, REASON_NAME_TAKEN,
		arena_printf(
			mem, "%sthe claim %s is of a device that sits at %s now", peer, name, now),
		"release that one first (pcid release, with where it is now)");
}

/* Rule 7: before the system is up its own use of things cannot be seen. */
static const struct last_use *last_use_of(
	const struct pci_state *s, const struct pci_dev *d, const struct wish *w, struct arena *mem)
{
	for (size_t i = 0; !s->settled && i < s->lasts; i++) {
		const struct last_use *u = &s->last[i];
		const char *slot;

		if (u->vendor != d->vendor || u->device != d->device ||
			wish_overrides(w, (enum reason)u->reason))
			continue;
		slot = identity_slot(s->node->root, d, mem);
		if (u->slot[0] && slot[0] ? !strcmp(u->slot, slot)
					  : pci_addr_cmp(u->addr, d->addr) == 0)
			return u;
	}
	return NULL;
}

static bool wants_vfs(const struct pci_state *s, const struct pci_dev *d)
{
	const struct nic_pf *pf = sriov_pf_at(s, d->addr);

	return pf && pf->wish && pf->wish->count;
}

/* One function of the closure; REASON_ACCEPTED when nothing is in the way. */
static struct verdict judge_member(
	struct verdict v, const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	const struct kept *kept = pci_state_kept(s, d->addr);
	const char *peer = peer_word(mem, d, v.dev), *chain, *name;
	const struct last_use *last;
	enum reason r;

	if (pci_state_unreadable(s, d->addr))
		return refuse_unreadable(v, d->name, mem);
	if (kept && !kept_is(kept, d))
		return refuse(v, REASON_IDENTITY_MISMATCH,
			arena_printf(mem, "%s%s", peer,
				kept->mismatch ? kept->mismatch : "another device"),
			"release the claim, look where the device went (pcid list), claim that");
	name = name_holder(s, d, mem);
	if (name)
		return refuse_name(v, s, name, peer, mem);
	if (kept && !strcmp(d->driver, "vfio-pci"))
		return v;
	last = last_use_of(s, d, v.wish, mem);
	if (last)
		return refuse_host_use(v, (enum reason)last->reason,
			arena_printf(mem, "%s, in the last boot", d->name), peer, mem);
	r = pci_state_forbids(s, d, v.wish, &chain);
	if (r != REASONS)
		return refuse_host_use(v, r, chain, peer, mem);
	if (d->vfs)
		return refuse(v, REASON_PF_HAS_VFS,
			arena_printf(mem, "%s%s is a PF with %u VFs: binding it would destroy them",
				peer, d->name, d->vfs),
			sriov_pf_at(s, d->addr)
				? arena_printf(mem,
					  "claim the VFs, or remove them first: pcid vfs %s 0",
					  d->name)
				: "claim the VFs, or remove them first (write 0 to its "
				  "sriov_numvfs)");
	if (!kept && wants_vfs(s, d))
		return refuse(v, REASON_PF_HAS_VFS,
			arena_printf(mem, "%s%s is a PF that is to have VFs", peer, d->name),
			arena_printf(
				mem, "claim the VFs, or give them up: pcid vfs %s 0", d->name));
	if (pci_is_user_driver(d->driver) && !is_adoptable(s, d))
		return refuse(v, REASON_BOUND_BY_ANOTHER,
			arena_printf(mem, "%s%s is on %s, and vfiobox did not put it there", peer,
				d->name, d->driver),
			"it is left alone; whoever bound it has to give it back first");
	return v;
}

static struct verdict judge_peer(
	struct verdict v, const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	if (plan_in_closure(d, v.dev))
		return judge_member(v, s, d, mem);
	if (!pci_is_bridge(d) && holds_group(d))
		return refuse(v, REASON_GROUP_HOST_DRIVER,
			arena_printf(mem,
				"%s (class %04x) shares IOMMU group %d and is held by host driver "
				"%s",
				d->name, pci_class_id(d), d->group, d->driver),
			"the group cannot be given to a VM while that driver holds it");
	return v;
}

/* The heaviest reason of the group is the one that is said; of equals, the claimed function's. */
static struct verdict judge_group(struct verdict v, const struct pci_state *s, struct arena *mem)
{
	const struct pci_dev *const *peer;
	size_t n = pci_state_group(s, v.dev->group, &peer);
	struct verdict worst = judge_peer(v, s, v.dev, mem);

	for (size_t i = 0; i < n; i++) {
		struct verdict one = judge_peer(v, s, peer[i], mem);

		if (!one.accepted && (worst.accepted || one.reason < worst.reason))
			worst = one;
	}
	return worst;
}

/* A group that is not what it was when a bind of it was verified: a kernel, a firmware or a card
 * has changed it, and somebody has to look (reference: groups of another kernel have held the boot
 * disk). */
static struct verdict judge_change(struct verdict v, const struct pci_state *s, struct arena *mem)
{
	const struct kept *k = pci_state_kept(s, v.dev->addr);
	const char *now;
	char mark[GROUP_MARK_CAP];

	if (!v.accepted || !k || !k->verified || !k->group[0] || !strcmp(v.dev->driver, "vfio-pci"))
		return v;
	now = resolve_group(s, v.dev->group, mem);
	resolve_group_mark(now, mark);
	if (!strcmp(now, k->group) || (v.wish->group && !strcmp(v.wish->group, mark)))
		return v;
	return refuse(v, REASON_GROUP_CHANGED,
		arena_printf(mem, "IOMMU group %d of %s held [%s] when it was last bound, now [%s]",
			v.dev->group, v.dev->name, k->group, now),
		arena_printf(mem,
			"look at it (pcid list --group %d); as it is now it is taken by: pcid "
			"claim %s, in the cluster by the annotation %s=%s",
			v.dev->group, v.dev->name, ANNOTATION_GROUP, mark));
}

/* Rule 7: what was never bound before waits for the system. */
static struct verdict judge_time(struct verdict v, const struct pci_state *s)
{
	const struct kept *k = pci_state_kept(s, v.dev->addr);

	if (!v.accepted || s->settled || v.wish->early || (k && k->verified))
		return v;
	return refuse(v, REASON_UNSETTLED,
		"the system is not up yet, what it lives on cannot be seen",
		"it is bound once mounts and network are up: pcid settled");
}

static struct verdict judge_function(struct verdict v, const struct pci_state *s, struct arena *mem)
{
	const struct wish *w = v.wish;

	if (pci_is_bridge(v.dev))
		return refuse(v, REASON_BRIDGE,
			arena_printf(mem, "%s is a PCI bridge", v.dev->name),
			"claim the functions behind it");
	if (w->skip_binding)
		return v;
	if (v.dev->group == PCI_NO_GROUP)
		return refuse(v, REASON_NO_IOMMU_GROUP,
			arena_printf(
				mem, "%s has no IOMMU group: no IOMMU works for it", v.dev->name),
			"turn on VT-d / AMD-Vi / SMMU in the firmware, and intel_iommu=on on the "
			"kernel "
			"command line of Intel machines");
	if (pci_is_bridge_function(v.dev) && !wish_overrides(w, REASON_BRIDGE_FUNCTION))
		return refuse(v, REASON_BRIDGE_FUNCTION,
			arena_printf(mem, "%s (class %04x) is part of how the machine is wired",
				v.dev->name, pci_class_id(v.dev)),
			"if it is meant, an NVSwitch for one: --override BridgeFunction");
	return judge_time(judge_change(judge_group(v, s, mem), s, mem), s);
}

struct verdict plan_judge(const struct pci_state *s, const struct wish *w, struct arena *mem)
{
	struct verdict v = {.wish = w,
		.accepted = true,
		.reason = REASON_ACCEPTED,
		.message = "nothing is in the way",
		.hint = ""};

	if (w->addr_ok)
		v.dev = pci_find(&s->inv, w->addr);
	if (s->sentinel == STORE_FOREIGN || s->sentinel == STORE_MISSING)
		return refuse(v, REASON_STATE_FOREIGN,
			s->sentinel == STORE_FOREIGN
				? arena_printf(mem, "the state directory is of another machine: %s",
					  s->machine)
				: "the state directory has wishes and no file desired/machine: is "
				  "its "
				  "disk mounted?",
			"look at /var/lib/vfiobox (or VFIOBOX_STATE); nothing is bound or "
			"released");
	if (s->node_was)
		return refuse(v, REASON_NODE_RENAMED,
			arena_printf(mem, "the node was %s and is called %s now", s->node_was,
				s->node->name),
			"name it as before (--node, NODE_NAME), or take the new name: pcid rename");
	if (!w->addr_ok)
		return refuse(v, REASON_NOT_FOUND,
			arena_printf(mem, "spec.address '%s' is no PCI address", w->address),
			"write it as 0000:65:00.0");
	if (pci_state_unreadable(s, w->addr))
		return refuse_unreadable(v, w->address, mem);
	if (!v.dev)
		return refuse(v, REASON_NOT_FOUND,
			arena_printf(mem, "there is no function at %s", w->address),
			"see what there is: pcid list");
	return judge_function(v, s, mem);
}
