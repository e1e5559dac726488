// SPDX-License-Identifier: GPL-2.0-or-later
// One pass: releases, then binds.
#include "pci/pass.h"

#include "ids/names.h"
#include "pci/bind.h"
#include "pci/handshake.h"
#include "pci/observe.h"
#include "pci/reader.h"
#include "pci/resolve.h"
#include "pci/sriov_pass.h"

#include <stdio.h>

static void mark_unit(struct unit *u, enum reason r, const char *message)
{
	for (size_t i = 0; i < u->n; i++) {
		if (u->member[i].done)
			continue;
		u->member[i].reason = r;
		u->member[i].message = message;
	}
}

static const char *holder_text(struct plan *p, const struct holder *h)
{
	if (!h->pid)
		return arena_printf(
			&p->mem, "IOMMU group %d may be in use: %s", h->group, h->program);
	return arena_printf(&p->mem, "%s (pid %d) holds IOMMU group %d (/dev/vfio/%d) open",
		h->program, h->pid, h->group, h->group);
}

static size_t releasing(const struct plan *p, const struct pci_dev **out)
{
	size_t n = 0;

	for (size_t i = 0; i < p->units; i++) {
		for (size_t j = 0; p->unit[i].release && j < p->unit[i].n; j++) {
			const struct member *m = &p->unit[i].member[j];

			if (m->action != ACTION_RELEASE || strcmp(m->dev->driver, VFIO_PCI) != 0)
				continue;
			if (out)
				out[n] = m->dev;
			n++;
		}
	}
	return n;
}

/* A group whose device is advertised, or in a pod, goes back as a whole later. */
static void mark_advertised(const struct pci_state *s, struct plan *p)
{
	for (size_t i = 0; i < p->units; i++) {
		struct unit *u = &p->unit[i];

		for (size_t j = 0; u->release && j < u->n; j++) {
			enum reason r;
			const char *why = NULL;

			if (u->member[j].action == ACTION_RELEASE)
				why = handshake_waits_for(
					s->node, u->member[j].kept->name, &p->mem, &r);
			if (why)
				mark_unit(u, r, why);
		}
	}
}

void pass_mark_held(const struct pci_state *s, struct plan *p)
{
	size_t n = releasing(p, NULL), holders;
	const struct pci_dev **dev = arena_alloc(&p->mem, (n + 1) * sizeof(*dev));
	struct holder *h;
	struct err e;

	mark_advertised(s, p);
	releasing(p, dev);
	if (pci_holders(s->node, dev, n, &p->mem, &h, &holders, &e) < 0) {
		for (size_t i = 0; n && i < p->units; i++)
			if (p->unit[i].release)
				mark_unit(&p->unit[i], REASON_IN_USE,
					arena_printf(&p->mem, "may be in use: %s", e.text));
		return;
	}
	for (size_t i = 0; i < p->units; i++)
		for (size_t j = 0; p->unit[i].release && j < holders; j++)
			if (h[j].group == p->unit[i].group)
				mark_unit(&p->unit[i], REASON_IN_USE, holder_text(p, &h[j]));
}

static bool waits(const struct unit *u)
{
	return u->release && u->n && u->member[0].message && reason_waits(u->member[0].reason);
}

/* Records of what is back, or was never taken, go. */
static int drop_records(const struct pci_state *s, struct plan *p, struct err *e)
{
	struct store_batch *b = store_batch_new(s->node->store);
	int rc = 0;

	for (size_t i = 0; i < p->units && rc == 0; i++) {
		for (size_t j = 0; p->unit[i].release && j < p->unit[i].n && rc == 0; j++) {
			struct member *m = &p->unit[i].member[j];

			if (m->action == ACTION_FORGET)
				m->done = true;
			if (m->done)
				rc = store_remove(b, STORE_KEPT, PLURAL_DEVICES, m->kept->name, e);
		}
	}
	if (rc == 0 && store_commit(b, e) < 0)
		rc = -1;
	store_batch_free(b);
	return rc;
}

static int run_releases(
	const struct pci_state *s, struct plan *p, const struct kmodules *k, struct err *e)
{
	pass_mark_held(s, p);
	for (size_t i = 0; i < p->units; i++)
		if (p->unit[i].release && !waits(&p->unit[i]))
			bind_release(s->node, k, &p->unit[i], &p->mem);
	return drop_records(s, p, e);
}

/* A VF that was made for a claim: no driver was let near it. */
static bool came_unprobed(const struct pci_state *s, const struct pci_dev *d)
{
	return d->is_vf && !d->driver[0] && sriov_kept_at(s, d->pf);
}

const struct kept *pass_record(const struct pci_state *s, struct plan *p, const struct member *m)
{
	struct kept *k = arena_alloc(&p->mem, sizeof(*k));
	char override[64];
	struct err ignored;
	CLEANUP_BUF struct buf resource = {0};
	const struct wish *own = pci_state_wish(s, m->dev->addr);

	pci_resource_name(&resource, s->node->ids, m->dev->vendor, m->dev->device);
	*k = (struct kept){.name = pci_object_name(&p->mem, s->node->name, m->dev->addr),
		.readable = true,
		.addr = m->dev->addr,
		.claim_addr = m->dev->addr,
		.class = m->dev->class,
		.driver = m->dev->driver,
		.override = "",
		.unprobed = came_unprobed(s, m->dev),
		.resource = arena_dup(&p->mem, resource.p, resource.len),
		.group = ""};
	identity_read(s->node, m->dev, &p->mem, &k->id);
	if (console_find(s->node, m->dev, &p->mem, &k->console, &ignored) < 0)
		k->console.n = 0; /* then the bind says what holds it */
	if (m->action == ACTION_ADOPT) {
		k->driver = own && own->driver_to_unbind ? own->driver_to_unbind : "";
		k->unprobed = !k->driver[0];
		k->group = resolve_group(s, m->dev->group, &p->mem);
		k->verified = true;
		return k;
	}
	if (bind_override_of(s->node->root, m->dev->name, override, sizeof(override)) == 0 &&
		strcmp(override, VFIO_PCI) != 0)
		k->override = arena_dup(&p->mem, override, strlen(override));
	return k;
}

static bool needs_vfio(const struct plan *p)
{
	for (size_t i = 0; i < p->units; i++)
		for (size_t j = 0; !p->unit[i].release && j < p->unit[i].n; j++)
			if (p->unit[i].member[j].action == ACTION_BIND)
				return true;
	return false;
}

/* What the next boot has to know before it can see it. */
static int keep_boot(const struct pci_state *s, struct store_batch *b, struct err *e)
{
	if (!s->settled || s->sentinel != STORE_OURS)
		return 0;
	if (node_name_put(s->node, b, e) < 0)
		return -1;
	return last_uses_put(s->node, &s->inv, &s->uses, b, e);
}

/* The host's console may be on a function that was ours in the boot before, too. */
static bool new_console(const struct pci_state *s, struct plan *p, struct member *m)
{
	struct console_parts parts;
	struct kept *k;
	struct err ignored;

	if (m->action != ACTION_BIND ||
		console_find(s->node, m->dev, &p->mem, &parts, &ignored) < 0 || !parts.n)
		return false;
	k = arena_alloc(&p->mem, sizeof(*k));
	*k = *m->kept;
	k->console = parts;
	m->kept = k;
	return true;
}

/* Every record of every unit is on disk before the first unbind. */
static int keep_all(const struct pci_state *s, struct plan *p, struct err *e)
{
	struct store_batch *b = store_batch_new(s->node->store);
	int rc = keep_boot(s, b, e);

	for (size_t i = 0; i < p->units && rc == 0; i++) {
		for (size_t j = 0; !p->unit[i].release && j < p->unit[i].n && rc == 0; j++) {
			struct member *m = &p->unit[i].member[j];

			if (m->kept && !m->kept->moved && !new_console(s, p, m))
				continue;
			if (!m->kept)
				m->kept = pass_record(s, p, m);
			rc = kept_put(b, m->kept, e);
		}
	}
	if (rc == 0 && store_commit(b, e) < 0)
		rc = -1;
	store_batch_free(b);
	return rc;
}

static bool unit_needs_bind(const struct unit *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->member[i].action == ACTION_BIND)
			return true;
	return false;
}

static void bind_unit(
	const struct pci_state *s, struct plan *p, const struct kmodules *k, struct unit *u)
{
	struct err e = {0};

	if (unit_needs_bind(u) && bind_group(s->node, k, u, &e) < 0) {
		mark_unit(u, REASON_BIND_FAILED,
			arena_printf(&p->mem, "%s%s%s", e.text, e.hint[0] ? "; " : "", e.hint));
		for (size_t i = 0; i < u->n; i++)
			u->member[i].done = u->member[i].action != ACTION_BIND;
		return;
	}
	for (size_t i = 0; i < u->n; i++)
		u->member[i].done = true;
}

/* After the binds: verified records say so; a function that never was verified and went back to
 * where it was, override and all, has none, whichever pass made it. */
static int settle_record(const struct pci_state *s, struct plan *p, struct store_batch *b,
	struct member *m, struct err *e)
{
	if (m->done && (m->action == ACTION_BIND || !m->kept->verified)) {
		struct kept *k = arena_alloc(&p->mem, sizeof(*k));

		*k = *m->kept;
		k->verified = true;
		k->group = resolve_group(s, m->dev->group, &p->mem);
		m->kept = k;
		return kept_put(b, k, e);
	}
	if (!m->done && !m->kept->verified && bind_is_undone(s->node->root, m))
		return store_remove(b, STORE_KEPT, PLURAL_DEVICES, m->kept->name, e);
	return 0;
}

static int settle_records(const struct pci_state *s, struct plan *p, struct err *e)
{
	struct store_batch *b = store_batch_new(s->node->store);
	int rc = 0;

	for (size_t i = 0; i < p->units; i++)
		for (size_t j = 0; !p->unit[i].release && j < p->unit[i].n && rc == 0; j++)
			rc = settle_record(s, p, b, &p->unit[i].member[j], e);
	if (rc == 0 && store_commit(b, e) < 0)
		rc = -1;
	store_batch_free(b);
	return rc;
}

static void mark_binds(struct plan *p, enum reason r, const struct err *e)
{
	const char *text =
		arena_printf(&p->mem, "%s%s%s", e->text, e->hint[0] ? "; " : "", e->hint);

	for (size_t i = 0; i < p->units; i++)
		if (!p->unit[i].release)
			mark_unit(&p->unit[i], r, text);
}

static int run_binds(
	const struct pci_state *s, struct plan *p, const struct kmodules *k, struct err *e)
{
	bool needs = needs_vfio(p);
	struct err why = {0};

	if (needs && bind_load_vfio(k, &why) < 0) {
		mark_binds(p, REASON_MODULE_MISSING, &why);
		return 0;
	}
	if (keep_all(s, p, e) < 0) {
		mark_binds(p, REASON_BIND_FAILED, e);
		return -1;
	}
	for (size_t i = 0; i < p->units; i++)
		if (!p->unit[i].release)
			bind_unit(s, p, k, &p->unit[i]);
	return settle_records(s, p, e);
}

static void count(const struct plan *p, struct pass_result *out)
{
	*out = (struct pass_result){0};
	for (size_t i = 0; i < p->verdicts; i++)
		out->refused += !p->verdict[i].accepted;
	for (size_t i = 0; i < p->nics; i++)
		out->nics += !p->nic[i].done;
	for (size_t i = 0; i < p->units; i++) {
		for (size_t j = 0; j < p->unit[i].n; j++) {
			const struct member *m = &p->unit[i].member[j];

			if (m->done)
				continue;
			if (m->message && reason_waits(m->reason))
				out->waiting++;
			else
				out->failed++;
		}
	}
}

int pass_run(const struct pci_state *s, struct plan *p, const struct kmodules *k,
	struct pass_result *out, struct err *e)
{
	int rc;
	struct err later;

	if (s->node_was) {
		count(p, out);
		return err_set(e,
			"the node was %s and is called %s now: nothing is bound, released or "
			"written; "
			"name it as before (--node, NODE_NAME), or take the new name: pcid rename",
			s->node_was, s->node->name);
	}
	rc = run_releases(s, p, k, e);

	if (rc == 0)
		rc = run_binds(s, p, k, e);
	if (rc == 0)
		rc = sriov_settle(s, e);
	count(p, out);
	if (observe_write(s, p, rc == 0 ? e : &later) < 0)
		rc = -1;
	return rc;
}
