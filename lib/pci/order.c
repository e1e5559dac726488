// SPDX-License-Identifier: GPL-2.0-or-later
// Orders become wishes.
#include "pci/order.h"

#include "pci/resolve.h"

void order_free(struct order *o)
{
	free(o->refusal);
	arena_free(&o->mem);
	*o = (struct order){0};
}

static void refuse(struct order *o, struct refusal r)
{
	o->refusal = mem_resize(o->refusal, (o->refusals + 1) * sizeof(r));
	o->refusal[o->refusals++] = r;
}

/* The verdict's texts may live in another arena. */
static void refuse_verdict(struct order *o, const struct verdict *v)
{
	const char *what = v->wish->address[0] ? v->wish->address : v->wish->name;

	refuse(o, (struct refusal){.what = arena_dup(&o->mem, what, strlen(what)),
			  .reason = v->reason,
			  .message = arena_dup(&o->mem, v->message, strlen(v->message)),
			  .hint = arena_dup(&o->mem, v->hint, strlen(v->hint))});
}

/* By where the function is, or where it was when it was claimed. */
static const struct wish *wish_at(const struct pci_state *s, struct pci_addr a, struct arena *mem)
{
	const struct wish *w = pci_state_wish(s, a);

	return w ? w : pci_state_wish_named(s, pci_object_name(mem, s->node->name, a));
}

void order_wish(const struct pci_state *s, struct pci_addr a, const char *user,
	const char *override, struct arena *mem, struct wish *w)
{
	const struct wish *old = pci_state_wish(s, a);

	if (!old) {
		wish_of(w, STORE_LOCAL, pci_object_name(mem, s->node->name, a),
			wish_new(s->node, mem, a, user, override), mem);
		return;
	}
	*w = *old;
	if (override)
		wish_override(w, mem, override);
}

static void refuse_cluster_override(struct order *o, const struct wish *w, const char *override)
{
	refuse(o, (struct refusal){.what = arena_dup(&o->mem, w->address, strlen(w->address)),
			  .reason = REASONS,
			  .message = "the claim is the cluster's; it is overridden there",
			  .hint = arena_printf(&o->mem,
				  "kubectl annotate pcideviceclaims.devices.harvesterhci.io %s "
				  "%s=%s",
				  w->name, ANNOTATION_OVERRIDE, override)});
}

/* Who claims it anew has looked at the group. */
static void accept_group(const struct pci_state *s, struct wish *w, int group, struct arena *mem)
{
	char mark[GROUP_MARK_CAP];

	resolve_group_mark(resolve_group(s, group, mem), mark);
	wish_annotate(w, mem, ANNOTATION_GROUP, mark);
}

static int claim_one(struct order *o, const struct pci_state *s, size_t i, struct pci_addr a,
	const char *user, const char *override, struct store_batch *b, struct err *e)
{
	struct verdict v;
	struct wish w;

	order_wish(s, a, user, override, &o->mem, &w);
	o->name[i] = arena_dup(&o->mem, w.name, strlen(w.name));
	v = plan_judge(s, &w, &o->mem);
	if (v.reason == REASON_GROUP_CHANGED && w.tree == STORE_LOCAL) {
		accept_group(s, &w, v.dev->group, &o->mem);
		v = plan_judge(s, &w, &o->mem);
	}
	if (!v.accepted) {
		refuse_verdict(o, &v);
		return 0;
	}
	if (w.tree == STORE_LOCAL)
		return store_put(b, STORE_LOCAL, PLURAL_CLAIMS, w.name, w.object, e);
	if (override)
		refuse_cluster_override(o, &w, override);
	return 0;
}

static int write_order(
	const struct order *o, const struct pci_state *s, struct store_batch *b, struct err *e)
{
	if (o->refusals)
		return 0;
	if (s->sentinel == STORE_NEW && store_sentinel_write(s->node->store, s->node->name, e) < 0)
		return -1;
	return store_commit(b, e) < 0 ? -1 : 0;
}

int order_claims(struct order *o, const struct pci_node *n, const struct pci_addr *a, size_t count,
	const char *user, const char *override, struct err *e)
{
	struct store_batch *b;
	struct pci_state s;
	int rc = 0;

	if (pci_state_read(&s, n, e) < 0)
		return -1;
	b = store_batch_new(n->store);
	o->name = arena_alloc(&o->mem, count * sizeof(*o->name));
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = claim_one(o, &s, i, a[i], user, override, b, e);
	if (rc == 0)
		rc = write_order(o, &s, b, e);
	store_batch_free(b);
	pci_state_free(&s);
	return rc;
}

/* There is no wish: nothing to take away, unless the function waits to be given back already. */
static void release_unclaimed(
	struct order *o, const struct pci_state *s, const struct plan *p, struct pci_addr a)
{
	const struct member *m = plan_member(p, a);
	char address[PCI_ADDR_CAP];
	const char *what = arena_printf(&o->mem, "%s", pci_addr_format(a, address));

	if (m && !m->wish)
		return;
	if (m)
		refuse(o, (struct refusal){.what = what,
				  .reason = REASONS,
				  .message = arena_printf(&o->mem,
					  "claimed with %s, of the same IOMMU group",
					  m->wish->address),
				  .hint = arena_printf(
					  &o->mem, "pcid release %s", m->wish->address)});
	else
		refuse(o, (struct refusal){.what = what,
				  .reason = REASONS,
				  .message = arena_printf(
					  &o->mem, "not claimed on node %s", s->node->name),
				  .hint = "see 'pcid list'"});
}

static int release_one(struct order *o, const struct pci_state *s, const struct plan *p, size_t i,
	struct pci_addr a, struct store_batch *b, struct err *e)
{
	const struct wish *w = wish_at(s, a, &o->mem);
	const struct kept *k = pci_state_kept(s, a);
	const char *name = w ? w->name : k ? k->name : pci_object_name(&o->mem, s->node->name, a);

	o->name[i] = arena_dup(&o->mem, name, strlen(name));
	if (!w) {
		release_unclaimed(o, s, p, a);
		return 0;
	}
	if (w->tree == STORE_CLUSTER) {
		refuse(o, (struct refusal){.what = arena_printf(&o->mem, "%s", w->address),
				  .reason = REASONS,
				  .message = "the claim is the cluster's; it is released there",
				  .hint = arena_printf(&o->mem,
					  "kubectl delete pcideviceclaims.devices.harvesterhci.io "
					  "%s",
					  w->name)});
		return 0;
	}
	if (s->sentinel != STORE_OURS) {
		refuse_verdict(o, plan_verdict(p, a));
		return 0;
	}
	return store_remove(b, STORE_LOCAL, PLURAL_CLAIMS, w->name, e);
}

int order_releases(struct order *o, const struct pci_node *n, const struct pci_addr *a,
	size_t count, struct err *e)
{
	struct store_batch *b;
	struct pci_state s;
	struct plan p;
	int rc = 0;

	if (pci_state_read(&s, n, e) < 0)
		return -1;
	plan_make(&p, &s, NULL);
	b = store_batch_new(n->store);
	o->name = arena_alloc(&o->mem, count * sizeof(*o->name));
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = release_one(o, &s, &p, i, a[i], b, e);
	if (rc == 0 && !o->refusals && store_commit(b, e) < 0)
		rc = -1;
	store_batch_free(b);
	plan_free(&p);
	pci_state_free(&s);
	return rc;
}
