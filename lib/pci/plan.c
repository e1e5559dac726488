// SPDX-License-Identifier: GPL-2.0-or-later
// Verdicts become transactions: one unit per IOMMU group.
#include "pci/plan.h"

#include <stdio.h>

static struct unit *unit_of(struct plan *p, int group, bool release)
{
	struct unit *u;

	for (size_t i = 0; i < p->units; i++)
		if (p->unit[i].group == group && p->unit[i].release == release &&
			group != PCI_NO_GROUP)
			return &p->unit[i];
	p->unit = mem_resize(p->unit, (p->units + 1) * sizeof(*p->unit));
	u = &p->unit[p->units++];
	*u = (struct unit){.group = group, .release = release};
	return u;
}

static struct member *find_member(const struct plan *p, struct pci_addr a)
{
	for (size_t i = 0; i < p->units; i++) {
		for (size_t j = 0; j < p->unit[i].n; j++) {
			struct member *m = &p->unit[i].member[j];

			if (pci_addr_cmp(m->dev ? m->dev->addr : m->kept->addr, a) == 0)
				return m;
		}
	}
	return NULL;
}

static void add_member(struct plan *p, int group, bool release, struct member m)
{
	struct unit *u = unit_of(p, group, release);

	m.done = m.action == ACTION_STAY;
	m.reason = REASON_PENDING;
	u->member = mem_resize(u->member, (u->n + 1) * sizeof(*u->member));
	u->member[u->n++] = m;
}

static enum action bind_action(const struct pci_dev *d, const struct kept *kept)
{
	if (strcmp(d->driver, "vfio-pci") != 0)
		return ACTION_BIND;
	if (!kept)
		return ACTION_ADOPT;
	return kept->verified ? ACTION_STAY : ACTION_BIND;
}

/* The user's own claim on a peer goes before one that pulls it in. */
static const struct wish *owner_of(
	const struct pci_state *s, const struct pci_dev *d, const struct wish *puller)
{
	const struct wish *own;

	if (puller->addr_ok && pci_addr_cmp(puller->addr, d->addr) == 0)
		return puller;
	own = pci_state_wish(s, d->addr);
	return own ? own : puller;
}

static void add_closure(struct plan *p, const struct pci_state *s, const struct verdict *v)
{
	const struct pci_dev *const *peer;
	size_t n = pci_state_group(s, v->dev->group, &peer);

	for (size_t i = 0; i < n; i++) {
		const struct pci_dev *d = peer[i];
		const struct kept *kept;
		const struct wish *owner;

		if (!plan_in_closure(d, v->dev) || find_member(p, d->addr))
			continue;
		kept = pci_state_kept(s, d->addr);
		owner = owner_of(s, d, v->wish);
		add_member(p, d->group, false,
			(struct member){.dev = d,
				.kept = kept,
				.wish = owner,
				.derived =
					!owner->addr_ok || pci_addr_cmp(owner->addr, d->addr) != 0,
				.action = bind_action(d, kept)});
	}
}

/* A wish on the record's own function, or on a function of its group: then it is not given back,
 * be the wish accepted or not. */
static bool is_wanted(const struct plan *p, const struct kept *k, const struct pci_dev *d)
{
	for (size_t i = 0; i < p->verdicts; i++) {
		const struct verdict *v = &p->verdict[i];

		if (!strcmp(v->wish->name, k->name) ||
			(v->wish->addr_ok && pci_addr_cmp(v->wish->addr, k->addr) == 0))
			return true;
		if (v->dev && d && d->group != PCI_NO_GROUP && v->dev->group == d->group)
			return true;
	}
	return false;
}

/* Its directory is not there; one that is there and cannot be read is not gone. */
static bool is_gone(const struct pci_state *s, struct pci_addr a)
{
	char path[64], address[PCI_ADDR_CAP];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", pci_addr_format(a, address));
	return !root_exists(s->node->root, path);
}

static bool group_has_unreadable(const struct pci_state *s, const struct pci_dev *d)
{
	const struct pci_dev *const *peer;
	size_t n = d->group == PCI_NO_GROUP ? 0 : pci_state_group(s, d->group, &peer);

	for (size_t i = 0; i < n; i++)
		if (pci_state_unreadable(s, peer[i]->addr))
			return true;
	return false;
}

/* What keeps a record's function from being given back though no claim wants it; NULL: nothing. */
static const char *what_holds(
	struct plan *p, const struct pci_state *s, const struct kept *k, const struct pci_dev *d)
{
	if (strcmp(k->name, pci_object_name(&p->mem, s->node->name, k->claim_addr)) != 0)
		return arena_printf(&p->mem, "kept/ has %s, a record of another node name than %s",
			k->name, s->node->name);
	if (!d && !is_gone(s, k->addr))
		return arena_printf(&p->mem, "%s is there and cannot be read", k->name);
	if (d && group_has_unreadable(s, d))
		return arena_printf(
			&p->mem, "a record of IOMMU group %d cannot be understood", d->group);
	return NULL;
}

static void hold_releases(struct plan *p, const char *why)
{
	p->releases_held = true;
	p->held_why = why;
}

static void add_release(struct plan *p, const struct pci_state *s, const struct kept *k)
{
	const struct pci_dev *d = pci_find(&s->inv, k->addr);
	struct member m = {.dev = d, .kept = k, .action = ACTION_RELEASE};
	const char *holds;

	if (is_wanted(p, k, d))
		return;
	holds = what_holds(p, s, k, d);
	if (holds) {
		hold_releases(p, holds);
		return;
	}
	if (!d || !kept_is(k, d))
		m.action = ACTION_FORGET;
	add_member(p, d ? d->group : PCI_NO_GROUP, true, m);
}

/* Rule 1: absence of a wish counts only from a complete view. */
static void add_releases(struct plan *p, const struct pci_state *s)
{
	if (s->node_was) {
		hold_releases(p, arena_printf(&p->mem, "the node was %s and is called %s now",
					 s->node_was, s->node->name));
		return;
	}
	if (s->sentinel != STORE_OURS) {
		if (s->kepts)
			hold_releases(p, "the state directory is not known to be complete "
					 "(desired/machine)");
		return;
	}
	for (size_t i = 0; i < s->kepts; i++) {
		if (s->kept[i].readable)
			add_release(p, s, &s->kept[i]);
		else
			hold_releases(p, arena_printf(&p->mem, "the record %s cannot be understood",
						 s->kept[i].name));
	}
}

static int by_order(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	if (x->release != y->release)
		return x->release ? -1 : 1;
	return x->group < y->group ? -1 : x->group > y->group;
}

static bool is_same_wish(const struct wish *x, const struct wish *y)
{
	return y && x->addr_ok && y->addr_ok && pci_addr_cmp(x->addr, y->addr) == 0;
}

static const struct wish *wish_at(const struct pci_state *s, const struct wish *extra, size_t i)
{
	return i < s->wishes && !is_same_wish(&s->wish[i], extra) ? &s->wish[i] : extra;
}

static size_t count_wishes(const struct pci_state *s, const struct wish *extra)
{
	for (size_t i = 0; i < s->wishes; i++)
		if (is_same_wish(&s->wish[i], extra))
			return s->wishes;
	return s->wishes + (extra ? 1 : 0);
}

void plan_make(struct plan *p, const struct pci_state *s, const struct wish *extra)
{
	*p = (struct plan){.held_why = ""};
	p->verdicts = count_wishes(s, extra);
	p->verdict = arena_alloc(&p->mem, (p->verdicts + 1) * sizeof(*p->verdict));
	for (size_t i = 0; i < p->verdicts; i++)
		p->verdict[i] = plan_judge(s, wish_at(s, extra, i), &p->mem);
	for (size_t i = 0; i < p->verdicts; i++) {
		const struct verdict *v = &p->verdict[i];

		if (v->accepted && !v->wish->skip_binding)
			add_closure(p, s, v);
	}
	add_releases(p, s);
	p->nic = sriov_steps(s, &p->mem, &p->nics);
	if (p->units)
		qsort(p->unit, p->units, sizeof(*p->unit), by_order);
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->units; i++)
		free(p->unit[i].member);
	free(p->unit);
	arena_free(&p->mem);
	*p = (struct plan){0};
}

const struct verdict *plan_verdict(const struct plan *p, struct pci_addr a)
{
	for (size_t i = 0; i < p->verdicts; i++)
		if (p->verdict[i].wish->addr_ok && pci_addr_cmp(p->verdict[i].wish->addr, a) == 0)
			return &p->verdict[i];
	return NULL;
}

const struct member *plan_member(const struct plan *p, struct pci_addr a)
{
	return find_member(p, a);
}
