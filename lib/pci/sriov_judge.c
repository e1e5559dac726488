// SPDX-License-Identifier: GPL-2.0-or-later
// The verdict on a number of VFs: what the kernel cannot do, whose the VFs are that would go.
#include "pci/reader.h"
#include "pci/state.h"

#include <stdio.h>

const char *sriov_label(const struct nic_step *t, struct arena *mem)
{
	if (!t->pf)
		return t->wish->address[0] ? t->wish->address : t->wish->name;
	if (!t->pf->interface[0])
		return t->pf->dev->name;
	return arena_printf(mem, "%s (%s)", t->pf->interface, t->pf->dev->name);
}

static void refuse(struct nic_step *t, enum reason r, const char *message, const char *hint)
{
	t->accepted = false;
	t->reason = r;
	t->message = message;
	t->hint = hint;
}

static bool is_unreadable(const struct pci_state *s, const char *name)
{
	for (size_t i = 0; i < s->sriov.kepts; i++)
		if (!s->sriov.kept[i].readable && !strcmp(s->sriov.kept[i].name, name))
			return true;
	return false;
}

static const char *why_no_pf(const struct pci_dev *d, struct arena *mem)
{
	char pf[PCI_ADDR_CAP];

	if (d->is_vf)
		return arena_printf(
			mem, "%s is a VF itself, of %s", d->name, pci_addr_format(d->pf, pf));
	if (d->class >> 16 == 0x02)
		return arena_printf(mem, "%s has no SR-IOV, or the firmware keeps it off", d->name);
	return arena_printf(mem, "%s is no NIC (class %04x)", d->name, pci_class_id(d));
}

/* There is no PF for the wish: none of its name, and at its address none that is free. */
static void refuse_absent(struct nic_step *t, const struct pci_state *s, struct arena *mem)
{
	const struct nic_wish *w = t->wish;
	const struct nic_pf *at = w->addr_ok ? sriov_pf_at(s, w->addr) : NULL;
	const struct pci_dev *d = w->addr_ok ? pci_find(&s->inv, w->addr) : NULL;

	if (at)
		refuse(t, REASON_IDENTITY_MISMATCH,
			arena_printf(mem, "%s is %s, and %s wants another number of VFs of it",
				w->address, at->interface[0] ? at->interface : at->name,
				at->wish ? at->wish->name : at->name),
			"keep one of the two SRIOVNetworkDevices");
	else if (d)
		refuse(t, REASON_NO_SRIOV, why_no_pf(d, mem), "see which NICs have VFs: pcid vfs");
	else
		refuse(t, REASON_NOT_FOUND,
			arena_printf(mem, "there is no NIC of the name %s%s%s", w->name,
				w->address[0] ? " or at " : "", w->address),
			"see what there is: pcid vfs");
}

static bool refuse_kept_out(struct nic_step *t, const struct pci_state *s, struct arena *mem)
{
	const struct host_use *use;
	size_t n = host_uses_of(&s->uses, t->pf->dev->addr, &use);

	for (size_t i = 0; t->pf->kept_out && i < n; i++) {
		if (use[i].reason != HOST_MANAGEMENT_NIC && use[i].reason != HOST_VLAN_UPLINK)
			continue;
		refuse(t, (enum reason)use[i].reason,
			arena_printf(mem, "the host lives on it: %s", use[i].chain),
			"its number of VFs is left as it is; take the NIC out of that use first");
		return true;
	}
	return false;
}

/* The wish names one NIC and gives the address of another. */
static bool refuse_other_nic(struct nic_step *t, const struct pci_state *s, struct arena *mem)
{
	const struct nic_pf *at = t->wish->addr_ok ? sriov_pf_at(s, t->wish->addr) : NULL;

	if (!at || at == t->pf)
		return false;
	refuse(t, REASON_IDENTITY_MISMATCH,
		arena_printf(mem, "%s is %s now, and spec.address %s is %s", t->pf->interface,
			t->pf->dev->name, at->dev->name, at->interface),
		"say again which NIC is meant: pcid vfs INTERFACE N, or correct spec.address");
	return true;
}

static const struct kept *kept_of(const struct pci_state *s, const struct pci_dev *d)
{
	return pci_state_kept(s, d->addr);
}

/* What the kernel needs of the PF itself. */
static bool refuse_pf(struct nic_step *t, const struct pci_state *s, struct arena *mem)
{
	const struct pci_dev *d = t->pf->dev;
	const struct wish *claim = sriov_claim_on(s, d);

	if (pci_state_unreadable(s, d->addr) || is_unreadable(s, t->wish->name))
		refuse(t, REASON_KEPT_UNREADABLE,
			arena_printf(
				mem, "kept/ has a record of %s that cannot be understood", d->name),
			"a newer vfiobox wrote it, or it is damaged; nothing is changed");
	else if (claim && !claim->skip_binding)
		refuse(t, REASON_PF_CLAIMED,
			arena_printf(mem, "%s itself is claimed%s%s", d->name,
				pci_addr_cmp(claim->addr, d->addr) ? " with " : "",
				pci_addr_cmp(claim->addr, d->addr) ? claim->address : ""),
			arena_printf(mem, "pcid release %s", claim->address));
	else if (kept_of(s, d))
		refuse(t, REASON_PF_CLAIMED, arena_printf(mem, "%s is not given back yet", d->name),
			"pcid apply gives it back as soon as that can be");
	else if (pci_is_user_driver(d->driver))
		refuse(t, REASON_BOUND_BY_ANOTHER,
			arena_printf(mem, "%s is on %s, and vfiobox did not put it there", d->name,
				d->driver),
			"it is left alone; whoever bound it has to give it back first");
	else if (!d->driver[0])
		refuse(t, REASON_NO_DRIVER,
			arena_printf(
				mem, "%s has no driver, and its driver makes the VFs", d->name),
			"load the driver of the NIC");
	else
		return false;
	return true;
}

static const char *holder_of(const struct pci_state *s, const struct pci_dev *vf, struct arena *mem)
{
	struct holder *h;
	size_t n;
	struct err e;

	if (pci_holders(s->node, &vf, 1, mem, &h, &n, &e) < 0)
		return arena_printf(mem, "; it may be held open: %s", e.text);
	if (!n)
		return "";
	return h->pid ? arena_printf(mem, "; %s (pid %d) holds it open", h->program, h->pid)
		      : arena_printf(mem, "; it may be held open: %s", h->program);
}

/* Its driver has made an interface (net/ is there) that is not to be seen from here: a container
 * has it. */
static bool has_hidden_interface(const struct pci_state *s, const struct pci_dev *vf)
{
	char path[64 + PCI_ADDR_CAP], interface[NIC_NAME_CAP];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/net", vf->name);
	if (!root_exists(s->node->root, path))
		return false;
	nic_interface(s->node->root, vf->name, interface);
	return !interface[0];
}

/* A VF that would go, and somebody has. */
static bool refuse_vf(
	struct nic_step *t, const struct pci_state *s, const struct pci_dev *vf, struct arena *mem)
{
	const struct wish *claim = sriov_claim_on(s, vf);
	const char *chain = NULL;

	if (pci_state_unreadable(s, vf->addr))
		refuse(t, REASON_KEPT_UNREADABLE,
			arena_printf(mem, "kept/ has a record of VF %s that cannot be understood",
				vf->name),
			"a newer vfiobox wrote it, or it is damaged; nothing is changed");
	else if (claim)
		refuse(t, REASON_VF_CLAIMED,
			arena_printf(mem, "VF %s is claimed%s%s%s", vf->name,
				pci_addr_cmp(claim->addr, vf->addr) ? " with " : "",
				pci_addr_cmp(claim->addr, vf->addr) ? claim->address : "",
				holder_of(s, vf, mem)),
			arena_printf(mem,
				"another number of VFs takes all %u away first; pcid release %s",
				t->from, claim->address));
	else if (kept_of(s, vf))
		refuse(t, REASON_IN_USE,
			arena_printf(mem, "VF %s is not given back yet%s", vf->name,
				holder_of(s, vf, mem)),
			"pcid apply gives it back as soon as that can be");
	else if (pci_is_user_driver(vf->driver))
		refuse(t, REASON_VF_IN_USE,
			arena_printf(mem, "VF %s is on %s, and vfiobox did not put it there%s",
				vf->name, vf->driver, holder_of(s, vf, mem)),
			"whoever bound it has to give it back first");
	else if (pci_state_forbids(s, vf, NULL, &chain) != REASONS)
		refuse(t, REASON_VF_IN_USE,
			arena_printf(mem, "the host uses VF %s: %s", vf->name, chain),
			"take it out of that use first");
	else if (has_hidden_interface(s, vf))
		refuse(t, REASON_VF_IN_USE,
			arena_printf(mem,
				"the interface of VF %s is in another network namespace: a "
				"container has it",
				vf->name),
			"stop the container first");
	else
		return false;
	return true;
}

static unsigned count_vfs(const struct pci_state *s, const struct pci_dev *pf)
{
	unsigned n = 0;

	for (size_t at = 0; sriov_next_vf(s, pf, &at);)
		n++;
	return n;
}

/* All VFs go when their number changes; what cannot be read counts as in use. */
static bool refuse_vfs(struct nic_step *t, const struct pci_state *s, struct arena *mem)
{
	unsigned seen = count_vfs(s, t->pf->dev);
	const struct pci_dev *vf;

	for (size_t at = 0; (vf = sriov_next_vf(s, t->pf->dev, &at));)
		if (refuse_vf(t, s, vf, mem))
			return true;
	if (seen == t->from)
		return false;
	refuse(t, REASON_VF_IN_USE,
		arena_printf(mem,
			"it has %u VFs, %u of them are to be seen: the others may be in use",
			t->from, seen),
		"look at sys/bus/pci/devices");
	return true;
}

static void settle(struct nic_step *t, const struct pci_state *s, struct arena *mem)
{
	unsigned seen = count_vfs(s, t->pf->dev);

	t->accepted = true;
	t->hint = "";
	t->done = t->from == t->to && seen == t->to;
	t->reason = t->done ? REASON_APPLIED : REASON_PENDING;
	if (t->done)
		t->message = t->to ? arena_printf(mem, "it has the %u VFs that are wanted", t->to)
				   : "it has no VFs, as is wanted";
	else if (t->from == t->to)
		t->message = arena_printf(mem, "%u of its %u VFs are there", seen, t->to);
	else
		t->message = "not done yet";
}

struct nic_step sriov_judge(const struct pci_state *s, const struct nic_wish *w,
	const struct nic_pf *pf, struct arena *mem)
{
	struct nic_step t = {.wish = w,
		.pf = pf,
		.from = pf ? pf->vfs : 0,
		.to = w->count,
		.message = "",
		.hint = ""};

	if (s->sentinel == STORE_FOREIGN || s->sentinel == STORE_MISSING)
		refuse(&t, REASON_STATE_FOREIGN,
			"the state directory is not known to be complete and of this machine "
			"(desired/machine)",
			"look at /var/lib/vfiobox (or VFIOBOX_STATE); nothing is changed");
	else if (!w->counted)
		refuse(&t, REASON_INVALID_NUM_VFS, "spec.numVFs is no number of VFs",
			"0 to what the NIC can have: pcid vfs");
	else if (!pf)
		refuse_absent(&t, s, mem);
	else if (refuse_kept_out(&t, s, mem) || refuse_other_nic(&t, s, mem))
		return t;
	else if (!pf->counted)
		refuse(&t, REASON_VF_IN_USE, "how many VFs it has cannot be read (sriov_numvfs)",
			"nothing is changed while that is so");
	else if (t.to > pf->total)
		refuse(&t, REASON_TOO_MANY_VFS,
			arena_printf(mem, "%u VFs are wanted, and it can have %u", t.to, pf->total),
			arena_printf(mem, "ask for at most %u, or raise it in the NIC's firmware",
				pf->total));
	else if (t.from == t.to || (!refuse_pf(&t, s, mem) && !(t.from && refuse_vfs(&t, s, mem))))
		settle(&t, s, mem);
	return t;
}

struct nic_step *sriov_steps(const struct pci_state *s, struct arena *mem, size_t *n)
{
	struct nic_step *step = arena_alloc(mem, (s->sriov.wishes + 1) * sizeof(*step));

	*n = s->sriov.wishes;
	for (size_t i = 0; i < *n; i++) {
		const struct nic_wish *w = &s->sriov.wish[i];
		const struct nic_pf *pf = NULL;

		for (size_t j = 0; j < s->sriov.pfs && !pf; j++)
			if (s->sriov.pf[j].wish == w)
				pf = &s->sriov.pf[j];
		step[i] = sriov_judge(s, w, pf, mem);
	}
	return step;
}
