// SPDX-License-Identifier: GPL-2.0-or-later
// One function, and a plan, for a person.
#include "base/table.h"
#include "ids/names.h"
#include "pci/caps.h"
#include "pci/object.h"
#include "pci/print.h"
#include "pci/reader.h"

#include <stdio.h>

static const char *driver_word(const char *driver)
{
	return driver[0] ? driver : "no driver";
}

static struct pci_addr member_addr(const struct member *m)
{
	return m->dev ? m->dev->addr : m->kept->addr;
}

static const char *step_text(struct arena *mem, const struct member *m)
{
	char address[PCI_ADDR_CAP];

	pci_addr_format(member_addr(m), address);
	switch (m->action) {
	case ACTION_BIND:
		return arena_printf(mem, "%s: %s -> vfio-pci%s%s", address,
			driver_word(m->dev->driver), m->derived ? ", with " : "",
			m->derived ? m->wish->address : "");
	case ACTION_ADOPT:
		return arena_printf(mem, "%s: take over, is on vfio-pci (came from %s)", address,
			m->wish->driver_to_unbind ? m->wish->driver_to_unbind : "?");
	case ACTION_STAY:
		return arena_printf(mem, "%s: stays on vfio-pci", address);
	case ACTION_RELEASE:
		return arena_printf(mem, "%s: %s -> %s", address, driver_word(m->dev->driver),
			driver_word(m->kept->driver));
	case ACTION_FORGET:
		return arena_printf(mem, "%s: forget, it is not there any more", address);
	}
	return "";
}

static bool unit_is_of(const struct unit *u, const struct pci_addr *only)
{
	for (size_t i = 0; i < u->n; i++)
		if (!only || pci_addr_cmp(member_addr(&u->member[i]), *only) == 0)
			return true;
	return false;
}

static void print_unit(struct buf *out, const struct unit *u, struct arena *mem)
{
	const char *verb = u->release ? "release" : "bind";

	if (u->group == PCI_NO_GROUP)
		buf_printf(out, "%s, no IOMMU group:\n", verb);
	else
		buf_printf(out, "%s, IOMMU group %d:\n", verb, u->group);
	for (size_t i = 0; i < u->n; i++) {
		const struct member *m = &u->member[i];

		buf_printf(out, "  %s\n", step_text(mem, m));
		if (m->message)
			buf_printf(out, "    waits: %s: %s\n", reason_name(m->reason), m->message);
	}
}

static void print_verdict(struct buf *out, const struct verdict *v)
{
	buf_printf(out, "refused %s: %s: %s\n",
		v->wish->address[0] ? v->wish->address : v->wish->name, reason_name(v->reason),
		v->message);
	if (v->hint[0])
		buf_printf(out, "  %s\n", v->hint);
}

void print_plan(struct buf *out, const struct pci_state *s, const struct plan *p,
	const struct pci_addr *only)
{
	CLEANUP_ARENA struct arena mem = {0};
	size_t before = out->len;

	if (!only)
		print_nic_steps(out, p);
	for (size_t i = 0; i < p->units; i++)
		if (unit_is_of(&p->unit[i], only))
			print_unit(out, &p->unit[i], &mem);
	for (size_t i = 0; i < p->verdicts; i++) {
		const struct verdict *v = &p->verdict[i];

		if (only && (!v->wish->addr_ok || pci_addr_cmp(v->wish->addr, *only) != 0))
			continue;
		if (!v->accepted)
			print_verdict(out, v);
		else if (v->wish->skip_binding)
			buf_printf(out, "%s: stays on %s (skip-vfio-binding)\n", v->dev->name,
				driver_word(v->dev->driver));
	}
	if (p->releases_held)
		buf_printf(out, "nothing is released: %s\n", p->held_why);
	if (out->len == before)
		buf_str(out, s->wishes ? "nothing to do\n" : "nothing is claimed\n");
}

static const char *action_word(enum action a)
{
	static const char *const words[] = {
		[ACTION_BIND] = "bind",
		[ACTION_ADOPT] = "adopt",
		[ACTION_STAY] = "stay",
		[ACTION_RELEASE] = "release",
		[ACTION_FORGET] = "forget",
	};

	return words[a];
}

static struct json *member_object(struct arena *mem, const struct member *m)
{
	struct json *step = json_object(mem);
	char address[PCI_ADDR_CAP];

	json_set_z(mem, step, "address", pci_addr_format(member_addr(m), address));
	json_set_z(mem, step, "action", action_word(m->action));
	json_set_z(mem, step, "from", m->dev ? m->dev->driver : "");
	json_set_z(mem, step, "to",
		m->action == ACTION_RELEASE || m->action == ACTION_FORGET ? m->kept->driver
									  : "vfio-pci");
	json_set_z(mem, step, "claim", m->wish ? m->wish->name : NULL);
	if (m->message) {
		json_set_z(mem, step, "waitsFor", reason_name(m->reason));
		json_set_z(mem, step, "message", m->message);
	}
	return step;
}

struct json *plan_object(struct arena *mem, const struct plan *p, const struct pci_addr *only)
{
	struct json *plan = json_object(mem), *steps, *refused;

	steps = json_set(mem, plan, "steps", json_array(mem));
	refused = json_set(mem, plan, "refused", json_array(mem));
	for (size_t i = 0; i < p->units; i++)
		for (size_t j = 0; unit_is_of(&p->unit[i], only) && j < p->unit[i].n; j++)
			json_add(mem, steps, member_object(mem, &p->unit[i].member[j]));
	for (size_t i = 0; i < p->verdicts; i++) {
		const struct verdict *v = &p->verdict[i];
		struct json *r;

		if (v->accepted ||
			(only && (!v->wish->addr_ok || pci_addr_cmp(v->wish->addr, *only) != 0)))
			continue;
		r = json_object(mem);
		json_set_z(mem, r, "address", v->wish->address);
		json_set_z(mem, r, "reason", reason_name(v->reason));
		json_set_z(mem, r, "message", v->message);
		json_set_z(mem, r, "hint", v->hint);
		json_add(mem, refused, r);
	}
	if (!only)
		add_nic_steps(mem, plan, p);
	return plan;
}

static void line(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, "%-14s %s\n", key, value[0] ? value : "-");
}

static void print_identity(
	struct buf *out, const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	CLEANUP_BUF struct buf text = {0};

	line(out, "Address:", d->name);
	line(out, "Name:", pci_object_name(mem, s->node->name, d->addr));
	pci_description(&text, s->node->ids, (uint16_t)pci_class_id(d), d->vendor, d->device);
	line(out, "Description:", buf_z(&text));
	line(out, "Ids:",
		arena_printf(mem, "%04x:%04x, subsystem %04x:%04x, class %06x", d->vendor,
			d->device, d->subvendor, d->subdevice, (unsigned)d->class));
	line(out, "Resource:", object_resource_name(s, mem, d));
	line(out, "Driver:", d->driver);
	line(out, "NUMA node:", d->numa < 0 ? "" : arena_printf(mem, "%d", d->numa));
}

static void print_attribute(struct buf *out, const struct pci_state *s, const struct pci_dev *d,
	const char *label, const char *name)
{
	char path[128], text[512];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", d->name, name);
	line(out, label, root_read(s->node->root, path, text, sizeof(text)) < 0 ? "" : text);
}

static void print_sriov(struct buf *out, const struct pci_state *s, const struct pci_dev *d)
{
	char pf[PCI_ADDR_CAP], path[128], total[16];

	if (d->is_vf) {
		line(out, "VF of:", pci_addr_format(d->pf, pf));
		return;
	}
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/sriov_totalvfs", d->name);
	if (root_read(s->node->root, path, total, sizeof(total)) < 0)
		return;
	buf_printf(out, "%-14s %u of %s:", "VFs:", d->vfs, total);
	for (size_t i = 0; i < s->inv.n; i++)
		if (s->inv.dev[i].is_vf && pci_addr_cmp(s->inv.dev[i].pf, d->addr) == 0)
			buf_printf(out, " %s", s->inv.dev[i].name);
	buf_char(out, '\n');
}

static void print_peers(
	struct buf *out, const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	const struct pci_dev *const *peer;
	size_t n = pci_state_group(s, d->group, &peer);

	line(out,
		"IOMMU group:", d->group == PCI_NO_GROUP ? "" : arena_printf(mem, "%d", d->group));
	for (size_t i = 0; d->group != PCI_NO_GROUP && i < n; i++)
		if (peer[i] != d)
			buf_printf(out, "  with         %s  %04x  %s%s\n", peer[i]->name,
				pci_class_id(peer[i]), driver_word(peer[i]->driver),
				pci_is_bridge(peer[i]) ? ", a bridge: stays" : "");
}

static void print_users(
	struct buf *out, const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	const struct host_use *use;
	size_t uses = host_uses_of(&s->uses, d->addr, &use), holders;
	struct holder *h;
	struct err e;

	for (size_t i = 0; i < uses; i++)
		line(out, "Host use:",
			arena_printf(mem, "%s: %s", host_reason_name(use[i].reason), use[i].chain));
	if (pci_holders(s->node, &d, 1, mem, &h, &holders, &e) < 0) {
		line(out, "Held by:", arena_printf(mem, "unknown: %s", e.text));
		return;
	}
	for (size_t i = 0; i < holders; i++)
		line(out, "Held by:",
			h[i].pid ? arena_printf(mem, "%s (pid %d)", h[i].program, h[i].pid)
				 : h[i].program);
}

static void print_indented(struct buf *out, struct str text)
{
	struct str one;

	while (text.n && str_cut(&text, '\n', &one))
		if (one.n)
			buf_printf(out, "  %.*s\n", STR_ARG(one));
}

static void print_capabilities(struct buf *out, const struct pci_state *s, const struct pci_dev *d)
{
	CLEANUP_BUF struct buf caps = {0};
	struct err e;

	if (pci_caps_print(&caps, s->node, d->addr, &e) < 0) {
		line(out, "Capabilities:", e.text);
		return;
	}
	if (!caps.len)
		line(out, "Capabilities:", "none can be read");
	else
		buf_str(out, "Capabilities:\n");
	print_indented(out, buf_slice(&caps));
}

void print_function(struct buf *out, const struct pci_state *s, const struct plan *with,
	const struct pci_dev *d)
{
	CLEANUP_ARENA struct arena mem = {0};
	CLEANUP_BUF struct buf plan = {0};

	print_identity(out, s, d, &mem);
	print_attribute(out, s, d, "Reset:", "reset_method");
	print_sriov(out, s, d);
	print_peers(out, s, d, &mem);
	print_users(out, s, d, &mem);
	print_capabilities(out, s, d);
	buf_str(out, pci_state_wish(s, d->addr) ? "Its claim:\n" : "A claim would:\n");
	print_plan(&plan, s, with, &d->addr);
	print_indented(out, buf_slice(&plan));
}
