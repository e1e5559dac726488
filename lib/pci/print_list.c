// SPDX-License-Identifier: GPL-2.0-or-later
// The list of functions and the tree of groups.
#include "base/table.h"
#include "ids/names.h"
#include "pci/object.h"
#include "pci/print.h"

#include <stdio.h>

int pci_filter_init(struct pci_filter *f, const char *class, const char *vendor, const char *driver,
	const char *group, struct err *e)
{
	uint64_t v;

	*f = (struct pci_filter){class, vendor, driver, -1};
	if (class && (strlen(class) < 2 || strlen(class) > 6 ||
			     !str_hex(str_of(class), 0xffffff, &v) || strchr(class, 'x')))
		return err_set(e, "--class %s: 2 to 6 hex digits, 03 or 0200 for instance", class);
	if (vendor && (strlen(vendor) != 4 || !str_hex(str_of(vendor), 0xffff, &v)))
		return err_set(e, "--vendor %s: 4 hex digits, 10de for instance", vendor);
	if (!group)
		return 0;
	if (!str_u64(str_of(group), INT32_MAX, &v))
		return err_set(e, "--group %s: a number", group);
	f->group = (long)v;
	return 0;
}

static bool has_hex_prefix(unsigned v, int digits, const char *prefix)
{
	char hex[8];

	snprintf(hex, sizeof(hex), "%0*x", digits, v & 0xffffff);
	return strncasecmp(hex, prefix, strlen(prefix)) == 0;
}

bool pci_filter_takes(const struct pci_filter *f, const struct pci_dev *d)
{
	if (pci_is_bridge(d))
		return false;
	if (f->class && !has_hex_prefix(d->class, 6, f->class))
		return false;
	if (f->vendor && !has_hex_prefix(d->vendor, 4, f->vendor))
		return false;
	if (f->driver && strcmp(d->driver[0] ? d->driver : "none", f->driver) != 0)
		return false;
	return f->group < 0 || d->group == f->group;
}

static const char *claim_word(const struct plan *p, const struct pci_dev *d)
{
	const struct verdict *v = plan_verdict(p, d->addr);
	const struct member *m = plan_member(p, d->addr);

	if (m && !m->wish)
		return "releasing";
	if (m && m->derived)
		return m->action == ACTION_STAY ? "derived" : "pending";
	if (v && !v->accepted)
		return "refused";
	if (v && v->wish->skip_binding)
		return "skipped";
	if (m)
		return m->action == ACTION_STAY ? "bound" : "pending";
	return "-";
}

/* Why it must not be given away, or how its claim stands where that is not plain. */
static const char *note_of(
	const struct pci_state *s, const struct plan *p, const struct pci_dev *d, struct arena *mem)
{
	const struct verdict *claim = plan_verdict(p, d->addr);
	const struct member *m = plan_member(p, d->addr);
	struct verdict v;

	if (m && m->message)
		return arena_printf(mem, "%s: %s", reason_name(m->reason), m->message);
	if (m && m->wish && m->derived)
		return arena_printf(mem, "with %s", m->wish->address);
	if (m)
		return "";
	v = claim ? *claim : object_offer(s, d, mem);
	return v.accepted ? "" : arena_printf(mem, "%s: %s", reason_name(v.reason), v.message);
}

static void cell_text(struct table *t, const char *text)
{
	table_cell(t, text[0] ? text : "-");
}

static void cell_number(struct table *t, int v)
{
	char text[16], *at = text + sizeof(text) - 1;

	if (v < 0) {
		table_cell(t, "-");
		return;
	}
	*at = 0;
	do
		*--at = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	table_cell(t, at);
}

static void row(struct table *t, const struct pci_state *s, const struct plan *p,
	const struct pci_dev *d, bool wide, struct arena *mem)
{
	CLEANUP_BUF struct buf text = {0};

	table_cell(t, d->name);
	buf_printf(&text, "%04x", pci_class_id(d));
	table_cell(t, buf_z(&text));
	cell_text(t, d->driver);
	cell_number(t, d->group);
	cell_number(t, d->numa);
	table_cell(t, object_resource_name(s, mem, d));
	table_cell(t, claim_word(p, d));
	if (wide) {
		buf_clear(&text);
		buf_printf(&text, "%04x:%04x", d->vendor, d->device);
		table_cell(t, buf_z(&text));
		buf_clear(&text);
		pci_description(
			&text, s->node->ids, (uint16_t)pci_class_id(d), d->vendor, d->device);
		table_cell(t, buf_z(&text));
		table_cell(t, pci_object_name(mem, s->node->name, d->addr));
	}
	table_cell(t, note_of(s, p, d, mem));
}

void print_list(struct buf *out, const struct pci_state *s, const struct plan *p,
	const struct pci_filter *f, bool wide)
{
	static const char *const narrow_head[] = {
		"ADDRESS", "CLASS", "DRIVER", "IOMMU", "NUMA", "RESOURCE", "CLAIM", "NOTE"};
	static const char *const wide_head[] = {"ADDRESS", "CLASS", "DRIVER", "IOMMU", "NUMA",
		"RESOURCE", "CLAIM", "IDS", "DESCRIPTION", "NAME", "NOTE"};
	CLEANUP_TABLE struct table t = {0};
	CLEANUP_ARENA struct arena mem = {0};

	if (wide)
		table_head(&t, wide_head, ARRAY_LEN(wide_head));
	else
		table_head(&t, narrow_head, ARRAY_LEN(narrow_head));
	for (size_t i = 0; i < s->inv.n; i++)
		if (pci_filter_takes(f, &s->inv.dev[i]))
			row(&t, s, p, &s->inv.dev[i], wide, &mem);
	table_print(&t, out);
}

void print_names(struct buf *out, const struct pci_state *s, const struct pci_filter *f)
{
	CLEANUP_ARENA struct arena mem = {0};

	for (size_t i = 0; i < s->inv.n; i++)
		if (pci_filter_takes(f, &s->inv.dev[i]))
			buf_printf(out, "pcidevice.devices.harvesterhci.io/%s\n",
				pci_object_name(&mem, s->node->name, s->inv.dev[i].addr));
}

struct json *list_object(
	struct arena *mem, const struct pci_state *s, const struct pci_dev *d, const char *now)
{
	const char *name = pci_object_name(mem, s->node->name, d->addr);
	struct json *old = NULL;
	struct err ignored;

	store_read(s->node->store, STORE_OBSERVED, PLURAL_DEVICES, name, mem, &old, &ignored);
	return object_device(s, mem, d, old, now);
}

struct json *list_objects(struct arena *mem, const struct pci_state *s, const struct pci_filter *f)
{
	struct json *list = json_object(mem), *items;
	const char *now = object_now(mem);

	json_set_z(mem, list, "apiVersion", "v1");
	json_set_z(mem, list, "kind", "List");
	json_make(mem, list, "metadata");
	items = json_set(mem, list, "items", json_array(mem));
	for (size_t i = 0; i < s->inv.n; i++)
		if (pci_filter_takes(f, &s->inv.dev[i]))
			json_add(mem, items, list_object(mem, s, &s->inv.dev[i], now));
	return list;
}

static void group_line(struct buf *out, const struct pci_state *s, const struct pci_dev *d,
	bool last, struct arena *mem)
{
	struct verdict v;

	buf_printf(out, "%s %s  %04x  %-12s  ", last ? "└─" : "├─", d->name, pci_class_id(d),
		d->driver[0] ? d->driver : "-");
	pci_description(out, s->node->ids, (uint16_t)pci_class_id(d), d->vendor, d->device);
	if (pci_is_bridge(d)) {
		buf_str(out, "  (bridge: stays)\n");
		return;
	}
	v = object_offer(s, d, mem);
	if (!v.accepted)
		buf_printf(out, "  [%s: %s]", reason_name(v.reason), v.message);
	buf_char(out, '\n');
}

static bool group_is_wanted(const struct pci_filter *f, const struct pci_dev *const *dev, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pci_filter_takes(f, dev[i]))
			return true;
	return false;
}

void print_groups(struct buf *out, const struct pci_state *s, const struct pci_filter *f)
{
	CLEANUP_ARENA struct arena mem = {0};

	for (size_t i = 0; i < s->inv.n;) {
		int group = s->by_group[i]->group;
		const struct pci_dev *const *dev;
		size_t n = pci_state_group(s, group, &dev);

		if (group_is_wanted(f, dev, n)) {
			if (group == PCI_NO_GROUP)
				buf_str(out, "no IOMMU group\n");
			else
				buf_printf(out, "group %d\n", group);
			for (size_t j = 0; j < n; j++)
				group_line(out, s, dev[j], j + 1 == n, &mem);
		}
		i += n;
	}
}
