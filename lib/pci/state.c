// SPDX-License-Identifier: GPL-2.0-or-later
// All that a pass decides from, read once.
#include "pci/state.h"

#include "pci/resolve.h"

#include <stdio.h>

#define PLURAL_VLANCONFIGS "vlanconfigs"
#define ANNOTATION_MATCHED_NODES "network.harvesterhci.io/matched-nodes"

/* contract.md 5: the annotation is a JSON list of node names; without it all nodes match. */
static bool matches_node(const struct json *object, const char *node, struct arena *mem)
{
	struct str text = json_str(
		json_path(object, "metadata", "annotations", ANNOTATION_MATCHED_NODES, NULL));
	const struct json *nodes;
	struct err ignored;

	if (!text.p)
		return true;
	nodes = json_parse(mem, text.p, text.n, &ignored);
	if (!json_is(nodes, JSON_ARRAY))
		return true;
	json_each (name, nodes)
		if (str_is(json_str(name), node))
			return true;
	return false;
}

struct uplinks {
	const char **name;
	size_t n;
};

static void add_uplink(struct uplinks *u, const char *name)
{
	if (!name)
		return;
	u->name = mem_resize(u->name, (u->n + 1) * sizeof(*u->name));
	u->name[u->n++] = name;
}

static int read_uplinks(
	const struct pci_node *n, struct arena *mem, struct uplinks *u, struct err *e)
{
	char **names;
	size_t count;

	if (store_list(n->store, STORE_CLUSTER, PLURAL_VLANCONFIGS, mem, &names, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json *object;

		if (store_read(n->store, STORE_CLUSTER, PLURAL_VLANCONFIGS, names[i], mem, &object,
			    e) < 0)
			return -1;
		if (!object || !matches_node(object, n->name, mem))
			continue;
		json_each (nic, json_path(object, "spec", "uplink", "nics", NULL))
			add_uplink(u, json_z(nic));
	}
	return 0;
}

static int read_uses(struct pci_state *s, struct err *e)
{
	struct uplinks u = {0};
	int rc = read_uplinks(s->node, &s->mem, &u, e);

	if (rc == 0)
		rc = host_uses_scan(&s->uses, s->node->root, &s->inv, u.name, u.n, e);
	free(u.name);
	return rc;
}

/* A NIC whose VFs the inventory does not show may have some all the same. */
static void read_vf_count(const struct root *r, struct pci_dev *d)
{
	char path[64 + PCI_ADDR_CAP], text[32];
	uint64_t v;
	ssize_t n;

	if (d->vfs || d->is_vf || d->class >> 16 != 0x02)
		return;
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/sriov_numvfs", d->name);
	n = root_read(r, path, text, sizeof(text));
	if (n > 0 && str_u64((struct str){text, (size_t)n}, UINT16_MAX, &v))
		d->vfs = (unsigned)v;
}

static void index_groups(struct pci_state *s)
{
	s->by_group = arena_alloc(&s->mem, (s->inv.n + 1) * sizeof(*s->by_group));
	for (size_t i = 0; i < s->inv.n; i++)
		s->by_group[i] = &s->inv.dev[i];
	if (s->inv.n)
		qsort(s->by_group, s->inv.n, sizeof(*s->by_group), pci_by_group);
}

int pci_state_read(struct pci_state *s, const struct pci_node *n, struct err *e)
{
	*s = (struct pci_state){.node = n};
	if (pci_scan(&s->inv, n->root, e) < 0 || read_uses(s, e) < 0 ||
		wishes_read(n, &s->mem, &s->wish, &s->wishes, e) < 0 ||
		kept_read_all(n, &s->mem, &s->kept, &s->kepts, e) < 0 ||
		last_uses_read(n, &s->mem, &s->last, &s->lasts, e) < 0 ||
		node_name_read(n, &s->mem, &s->node_was, e) < 0 || sriov_read(s, e) < 0) {
		pci_state_free(s);
		return -1;
	}
	for (size_t i = 0; i < s->inv.n; i++)
		read_vf_count(n->root, &s->inv.dev[i]);
	index_groups(s);
	resolve_records(s);
	early_report_read(n, &s->mem, &s->early);
	s->settled = settled_is(n);
	s->sentinel = store_sentinel(n->store, n->name, s->machine, sizeof(s->machine));
	return 0;
}

void pci_state_free(struct pci_state *s)
{
	pci_inventory_free(&s->inv);
	host_uses_free(&s->uses);
	arena_free(&s->mem);
}

size_t pci_state_group(const struct pci_state *s, int group, const struct pci_dev *const **first)
{
	size_t low = 0, high = s->inv.n, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->by_group[mid]->group < group)
			low = mid + 1;
		else
			high = mid;
	}
	*first = s->by_group + low;
	while (low + n < s->inv.n && s->by_group[low + n]->group == group)
		n++;
	return n;
}

const struct wish *pci_state_wish(const struct pci_state *s, struct pci_addr a)
{
	for (size_t i = 0; i < s->wishes; i++)
		if (s->wish[i].addr_ok && pci_addr_cmp(s->wish[i].addr, a) == 0)
			return &s->wish[i];
	return NULL;
}

const struct kept *pci_state_kept(const struct pci_state *s, struct pci_addr a)
{
	for (size_t i = 0; i < s->kepts; i++)
		if (s->kept[i].readable && pci_addr_cmp(s->kept[i].addr, a) == 0)
			return &s->kept[i];
	return NULL;
}

const struct wish *pci_state_wish_named(const struct pci_state *s, const char *name)
{
	for (size_t i = 0; i < s->wishes; i++)
		if (!strcmp(s->wish[i].name, name))
			return &s->wish[i];
	return NULL;
}

const struct kept *pci_state_kept_named(const struct pci_state *s, const char *name)
{
	for (size_t i = 0; i < s->kepts; i++)
		if (s->kept[i].readable && !strcmp(s->kept[i].name, name))
			return &s->kept[i];
	return NULL;
}

const struct kept *pci_state_ours(const struct pci_state *s, const struct pci_dev *d)
{
	const struct kept *k = pci_state_kept(s, d->addr);

	return k && kept_is(k, d) ? k : NULL;
}

bool pci_state_unreadable(const struct pci_state *s, struct pci_addr a)
{
	CLEANUP_ARENA struct arena mem = {0};

	for (size_t i = 0; i < s->kepts; i++)
		if (!s->kept[i].readable &&
			!strcmp(s->kept[i].name, pci_object_name(&mem, s->node->name, a)))
			return true;
	return false;
}

enum reason pci_state_forbids(
	const struct pci_state *s, const struct pci_dev *d, const struct wish *w, const char **text)
{
	const struct host_use *use;
	size_t n = host_uses_of(&s->uses, d->addr, &use);

	for (size_t i = 0; i < n; i++) {
		enum reason reason = (enum reason)use[i].reason;

		if (w && wish_overrides(w, reason))
			continue;
		*text = use[i].chain;
		return reason;
	}
	return REASONS;
}

bool pci_state_is_kept_out(const struct pci_state *s, const struct pci_dev *d)
{
	const struct host_use *use;
	size_t n = host_uses_of(&s->uses, d->addr, &use);

	for (size_t i = 0; i < n; i++)
		if (use[i].reason == HOST_MANAGEMENT_NIC || use[i].reason == HOST_VLAN_UPLINK)
			return true;
	return false;
}

bool pci_state_has_object(const struct pci_state *s, const struct pci_dev *d)
{
	if (pci_is_bridge(d) || pci_state_is_kept_out(s, d))
		return false;
	return d->class >> 16 != 0x02 || d->vfs == 0;
}
