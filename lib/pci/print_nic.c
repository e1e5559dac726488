// SPDX-License-Identifier: GPL-2.0-or-later
// NICs with SR-IOV and their VFs, for a person.
#include "base/table.h"
#include "pci/object.h"
#include "pci/print.h"

static const struct nic_step *step_of(const struct plan *p, const struct nic_pf *pf)
{
	for (size_t i = 0; i < p->nics; i++)
		if (p->nic[i].pf == pf)
			return &p->nic[i];
	return NULL;
}

static bool is_listed(const struct nic_pf *pf)
{
	return !pf->kept_out || pf->wish;
}

static void cell(struct table *t, const char *text)
{
	table_cell(t, text[0] ? text : "-");
}

static const char *status_text(const struct nic_pf *pf, const struct nic_step *t, struct arena *mem)
{
	const char *word = pf && pf->vfs ? "enabled" : "disabled";

	if (!t || t->done)
		return word;
	return arena_printf(mem, "%s, %u wanted: %s", word, t->to, reason_name(t->reason));
}

static void row(struct table *table, const struct nic_pf *pf, const struct nic_step *t, bool wide,
	struct arena *mem)
{
	cell(table, pf ? pf->interface : "");
	cell(table, pf ? pf->dev->name : t->wish->address);
	cell(table, pf && pf->counted ? arena_printf(mem, "%u", pf->vfs) : "");
	cell(table, pf ? arena_printf(mem, "%u", pf->total) : "");
	cell(table, pf ? pf->dev->driver : "");
	cell(table, status_text(pf, t, mem));
	if (!wide)
		return;
	cell(table, t ? t->wish->name : pf->name);
	cell(table, t && !t->done ? t->message : "");
}

void print_nics(struct buf *out, const struct pci_state *s, const struct plan *p, bool wide)
{
	static const char *const head[] = {
		"INTERFACE", "ADDRESS", "VFS", "TOTAL", "DRIVER", "STATUS", "NAME", "NOTE"};
	CLEANUP_TABLE struct table t = {0};
	CLEANUP_ARENA struct arena mem = {0};

	table_head(&t, head, ARRAY_LEN(head) - (wide ? 0 : 2));
	for (size_t i = 0; i < s->sriov.pfs; i++)
		if (is_listed(&s->sriov.pf[i]))
			row(&t, &s->sriov.pf[i], step_of(p, &s->sriov.pf[i]), wide, &mem);
	for (size_t i = 0; i < p->nics; i++)
		if (!p->nic[i].pf)
			row(&t, NULL, &p->nic[i], wide, &mem);
	table_print(&t, out);
}

static void add_object(struct arena *mem, struct json *items, const struct pci_state *s,
	const struct nic_pf *pf, const struct nic_step *t, const char *now)
{
	const char *name = t ? t->wish->name : pf->name;
	struct json *old = NULL;
	struct err ignored;

	store_read(s->node->store, STORE_OBSERVED, PLURAL_NICS, name, mem, &old, &ignored);
	json_add(mem, items, object_nic(s, mem, pf, t, old, now));
}

struct json *list_nics(struct arena *mem, const struct pci_state *s, const struct plan *p)
{
	struct json *list = json_object(mem), *items;
	const char *now = object_now(mem);

	json_set_z(mem, list, "apiVersion", "v1");
	json_set_z(mem, list, "kind", "List");
	json_make(mem, list, "metadata");
	items = json_set(mem, list, "items", json_array(mem));
	for (size_t i = 0; i < s->sriov.pfs; i++) {
		const struct nic_pf *pf = &s->sriov.pf[i];

		if (is_listed(pf) && pf->name[0])
			add_object(mem, items, s, pf, step_of(p, pf), now);
	}
	for (size_t i = 0; i < p->nics; i++)
		if (!p->nic[i].pf)
			add_object(mem, items, s, NULL, &p->nic[i], now);
	return list;
}

void print_nic_names(struct buf *out, const struct pci_state *s, const struct plan *p)
{
	CLEANUP_ARENA struct arena mem = {0};
	const struct json *items = json_get(list_nics(&mem, s, p), "items");

	json_each (object, items)
		buf_printf(out, "sriovnetworkdevice.devices.harvesterhci.io/%s\n",
			json_z(json_path(object, "metadata", "name", NULL)));
}

void print_nic_steps(struct buf *out, const struct plan *p)
{
	CLEANUP_ARENA struct arena mem = {0};

	for (size_t i = 0; i < p->nics; i++) {
		const struct nic_step *t = &p->nic[i];
		const char *label = sriov_label(t, &mem);

		if (t->done)
			continue;
		if (!t->accepted)
			buf_printf(out, "refused VFs of %s: %s: %s\n  %s\n", label,
				reason_name(t->reason), t->message, t->hint);
		else if (t->from == t->to)
			buf_printf(out, "VFs of %s: %s\n", label, t->message);
		else
			buf_printf(out, "VFs of %s: %u ->%s %u\n", label, t->from,
				t->from && t->to ? " 0 ->" : "", t->to);
	}
}

void add_nic_steps(struct arena *mem, struct json *plan, const struct plan *p)
{
	struct json *steps = json_set(mem, plan, "vfs", json_array(mem));
	struct json *refused = json_get(plan, "refused");

	for (size_t i = 0; i < p->nics; i++) {
		const struct nic_step *t = &p->nic[i];
		struct json *step = json_object(mem);

		if (t->done)
			continue;
		json_set_z(mem, step, "name", t->wish->name);
		json_set_z(mem, step, "address", t->pf ? t->pf->dev->name : t->wish->address);
		if (t->accepted) {
			json_set_int(mem, step, "from", t->from);
			json_set_int(mem, step, "to", t->to);
			json_add(mem, steps, step);
			continue;
		}
		json_set_z(mem, step, "reason", reason_name(t->reason));
		json_set_z(mem, step, "message", t->message);
		json_set_z(mem, step, "hint", t->hint);
		json_add(mem, refused, step);
	}
}

void print_nic(struct buf *out, const struct json *object)
{
	const struct json *vfs = json_path(object, "status", "vfAddresses", NULL);
	const char *interface =
		json_z(json_path(object, "metadata", "annotations", ANNOTATION_INTERFACE, NULL));
	size_t n = json_count(vfs);

	if (!interface)
		interface = json_z(json_path(object, "spec", "address", NULL));
	if (!n) {
		buf_printf(out, "%s: no VFs\n", interface ? interface : "?");
		return;
	}
	buf_printf(out, "%s: %zu VF%s:", interface ? interface : "?", n, n == 1 ? "" : "s");
	json_each (vf, vfs)
		buf_printf(out, " %.*s", STR_ARG(json_str(vf)));
	buf_char(out, '\n');
}
