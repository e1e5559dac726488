// SPDX-License-Identifier: GPL-2.0-or-later
// observed/ after a pass.
#include "pci/observe.h"

#include "pci/object.h"

/* One kind while it is written: what is there now, and which of it stays. */
struct kind {
	const char *plural;
	char **names;
	bool *stays;
	size_t n;
};

struct writing {
	const struct pci_state *before; /* as the pass decided from */
	struct pci_state after;
	const struct plan *plan;
	struct store_batch *batch;
	const char *now;
	struct arena *mem;
	struct kind device, claim, nic;
};

static int kind_init(struct writing *w, struct kind *k, const char *plural, struct err *e)
{
	k->plural = plural;
	if (store_list(w->before->node->store, STORE_OBSERVED, plural, w->mem, &k->names, &k->n,
		    e) < 0)
		return -1;
	k->stays = arena_alloc(w->mem, (k->n + 1) * sizeof(*k->stays));
	return 0;
}

/* names is sorted. */
static bool mark(struct kind *k, const char *name)
{
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(k->names[mid], name);

		if (c == 0) {
			k->stays[mid] = true;
			return true;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* What was observed before; damaged is as good as absent: it is written again. */
static const struct json *old_object(struct writing *w, struct kind *k, const char *name)
{
	struct json *old = NULL;
	struct err ignored;

	if (mark(k, name))
		store_read(w->before->node->store, STORE_OBSERVED, k->plural, name, w->mem, &old,
			&ignored);
	return old;
}

static int put_device(struct writing *w, const struct pci_dev *d, struct err *e)
{
	const char *name = pci_object_name(w->mem, w->before->node->name, d->addr);
	const struct json *old = old_object(w, &w->device, name);

	return store_put(w->batch, STORE_OBSERVED, PLURAL_DEVICES, name,
		object_device(&w->after, w->mem, d, old, w->now), e);
}

static int put_devices(struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->after.inv.n; i++) {
		const struct pci_dev *d = &w->after.inv.dev[i];

		if (pci_state_has_object(&w->after, d) && put_device(w, d, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < w->after.kepts; i++) {
		const struct kept *k = &w->after.kept[i];

		if (!k->readable || pci_find(&w->after.inv, k->addr))
			continue;
		if (store_put(w->batch, STORE_OBSERVED, PLURAL_DEVICES, k->name,
			    object_absent_device(&w->after, w->mem, k,
				    old_object(w, &w->device, k->name), w->now),
			    e) < 0)
			return -1;
	}
	return 0;
}

/* A claimed function that is gone and was never bound: its PCIDevice stays, for the claim's sake.
 */
static int put_absent(struct writing *w, const struct wish *wish, struct err *e)
{
	const char *name = pci_object_name(w->mem, w->before->node->name, wish->addr);
	const struct json *old;

	if (pci_find(&w->after.inv, wish->addr) || pci_state_kept(&w->after, wish->addr))
		return 0;
	old = old_object(w, &w->device, name);
	return !old ? 0
		    : store_put(w->batch, STORE_OBSERVED, PLURAL_DEVICES, name,
			      object_gone(w->mem, old, w->now), e);
}

static int put_absents(struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->after.wishes; i++)
		if (w->after.wish[i].addr_ok && put_absent(w, &w->after.wish[i], e) < 0)
			return -1;
	return 0;
}

static int put_claims(struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->plan->verdicts; i++) {
		const struct verdict *v = &w->plan->verdict[i];
		const struct member *m = v->accepted && !v->wish->skip_binding
						 ? plan_member(w->plan, v->wish->addr)
						 : NULL;
		const struct json *old = old_object(w, &w->claim, v->wish->name);

		if (store_put(w->batch, STORE_OBSERVED, PLURAL_CLAIMS, v->wish->name,
			    object_claim(&w->after, w->mem, v, m, old, w->now), e) < 0)
			return -1;
	}
	return 0;
}

/* A function that is back, or gone, has no claim any more. */
static bool has_derived_claim(const struct member *m)
{
	return m->wish ? m->derived : !m->done;
}

static int put_derived_claims(struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->plan->units; i++) {
		const struct unit *u = &w->plan->unit[i];

		for (size_t j = 0; j < u->n; j++) {
			const struct member *m = &u->member[j];
			const char *name;

			if (!has_derived_claim(m))
				continue;
			name = m->kept ? m->kept->name
				       : pci_object_name(
						 w->mem, w->before->node->name, m->dev->addr);
			if (store_put(w->batch, STORE_OBSERVED, PLURAL_CLAIMS, name,
				    object_derived_claim(&w->after, w->mem, m,
					    old_object(w, &w->claim, name), w->now),
				    e) < 0)
				return -1;
		}
	}
	return 0;
}

static const struct nic_step *step_of(const struct writing *w, const char *name)
{
	for (size_t i = 0; i < w->plan->nics; i++)
		if (!strcmp(w->plan->nic[i].wish->name, name))
			return &w->plan->nic[i];
	return NULL;
}

static int put_nic(struct writing *w, const char *name, const struct nic_pf *pf,
	const struct nic_step *t, struct err *e)
{
	return store_put(w->batch, STORE_OBSERVED, PLURAL_NICS, name,
		object_nic(&w->after, w->mem, pf, t, old_object(w, &w->nic, name), w->now), e);
}

/* Every PF that may have VFs, and every wish, be its NIC there or not. */
static int put_nics(struct writing *w, struct err *e)
{
	const struct sriov *v = &w->after.sriov;

	for (size_t i = 0; i < v->pfs; i++) {
		const struct nic_pf *pf = &v->pf[i];

		if (pf->name[0] && (!pf->kept_out || pf->wish) &&
			put_nic(w, pf->name, pf, step_of(w, pf->name), e) < 0)
			return -1;
	}
	for (size_t i = 0; i < w->plan->nics; i++) {
		const struct nic_step *t = &w->plan->nic[i];
		const struct nic_pf *pf = NULL;

		for (size_t j = 0; j < v->pfs && !pf; j++)
			if (!strcmp(v->pf[j].name, t->wish->name))
				pf = &v->pf[j];
		if (!pf && put_nic(w, t->wish->name, NULL, t, e) < 0)
			return -1;
	}
	return 0;
}

/* With no state directory a wish that was observed is not gone: it may be the directory that is. */
static bool may_be_wished(struct writing *w, const char *name)
{
	struct json *old = NULL;
	struct err ignored;

	return w->before->sentinel != STORE_OURS &&
	       store_read(w->before->node->store, STORE_OBSERVED, PLURAL_NICS, name, w->mem, &old,
		       &ignored) == 0 &&
	       json_path(old, "metadata", "uid", NULL);
}

static int drop_nics(struct writing *w, struct err *e)
{
	for (size_t i = 0; i < w->nic.n; i++)
		if (!w->nic.stays[i] && !may_be_wished(w, w->nic.names[i]) &&
			store_remove(w->batch, STORE_OBSERVED, PLURAL_NICS, w->nic.names[i], e) < 0)
			return -1;
	return 0;
}

static int drop_others(struct writing *w, const struct kind *k, struct err *e)
{
	for (size_t i = 0; i < k->n; i++)
		if (!k->stays[i] &&
			store_remove(w->batch, STORE_OBSERVED, k->plural, k->names[i], e) < 0)
			return -1;
	return 0;
}

/* Rule 1: in doubt nothing is deleted. No state at all, while claims of this boot were observed, is
 * a state disk that went, not a node without claims. */
static bool is_complete_view(const struct writing *w)
{
	if (w->plan->releases_held)
		return false;
	return w->before->sentinel == STORE_OURS ||
	       (w->before->sentinel == STORE_NEW && w->claim.n == 0);
}

static int gather(struct writing *w, struct err *e)
{
	if (kind_init(w, &w->device, PLURAL_DEVICES, e) < 0 ||
		kind_init(w, &w->claim, PLURAL_CLAIMS, e) < 0 ||
		kind_init(w, &w->nic, PLURAL_NICS, e) < 0 || put_devices(w, e) < 0 ||
		put_absents(w, e) < 0 || put_claims(w, e) < 0 || put_derived_claims(w, e) < 0 ||
		put_nics(w, e) < 0)
		return -1;
	if (!is_complete_view(w))
		return 0;
	return drop_others(w, &w->device, e) < 0 || drop_others(w, &w->claim, e) < 0 ||
			       drop_nics(w, e) < 0
		       ? -1
		       : 0;
}

/* Without a boot id (a tree that has none) nothing is marked: nothing then counts as complete. */
static int mark_complete(struct writing *w, struct err *e)
{
	const struct store *s = w->before->node->store;

	if (!is_complete_view(w) || !root_exists(s->root, "proc/sys/kernel/random/boot_id"))
		return 0;
	return store_mark_complete(s, PLURAL_DEVICES, e) < 0 ||
			       store_mark_complete(s, PLURAL_CLAIMS, e) < 0 ||
			       store_mark_complete(s, PLURAL_NICS, e) < 0
		       ? -1
		       : 0;
}

int observe_write(const struct pci_state *s, const struct plan *p, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct writing w = {.before = s, .plan = p, .now = object_now(&mem), .mem = &mem};
	int rc;

	if (pci_state_read(&w.after, s->node, e) < 0)
		return -1;
	w.batch = store_batch_new(s->node->store);
	rc = gather(&w, e);
	if (rc == 0 && store_commit(w.batch, e) < 0)
		rc = -1;
	if (rc == 0)
		rc = mark_complete(&w, e);
	store_batch_free(w.batch);
	pci_state_free(&w.after);
	return rc;
}
