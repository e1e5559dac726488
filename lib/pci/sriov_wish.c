// SPDX-License-Identifier: GPL-2.0-or-later
// How many VFs a NIC is to have (desired/), and what is not finished (kept/).
#include "pci/sriov.h"
#include "pci/wish.h"

enum { NIC_KEPT_FORMAT = 1 };

void nic_wish_of(struct nic_wish *w, enum store_tree tree, const char *name,
	const struct json *object, struct arena *mem)
{
	const struct json *spec = json_get(object, "spec");
	const char *address = json_z(json_get(spec, "address"));
	const char *uid = json_z(json_path(object, "metadata", "uid", NULL));
	uint64_t count;

	*w = (struct nic_wish){
		.name = arena_dup(mem, name, strlen(name)),
		.uid = uid ? uid : "",
		.address = address ? address : "",
		.tree = tree,
		.object = object,
	};
	w->addr_ok = pci_addr_parse(str_of(w->address), &w->addr);
	w->counted = json_u64(json_get(spec, "numVFs"), &count) && count <= UINT16_MAX;
	if (w->counted)
		w->count = (unsigned)count;
}

struct gather {
	struct nic_wish *list;
	size_t n;
	struct arena *mem;
};

static void take_out(struct gather *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (!strcmp(g->list[i].name, name))
			g->list[i--] = g->list[--g->n];
}

static void gather(void *ctx, enum store_tree tree, const char *name, const struct json *object)
{
	struct gather *g = ctx;

	take_out(g, name);
	if (wish_is_leaving(object))
		return;
	g->list = mem_resize(g->list, (g->n + 1) * sizeof(*g->list));
	nic_wish_of(&g->list[g->n++], tree, name, object, g->mem);
}

static int read_tree(
	const struct pci_node *n, enum store_tree tree, struct gather *g, struct err *e)
{
	return wish_objects_each(n, tree, PLURAL_NICS, g->mem, gather, g, e);
}

int nic_wishes_read(const struct pci_node *n, struct arena *mem, struct nic_wish **out,
	size_t *count, struct err *e)
{
	struct gather g = {.mem = mem};
	int rc = read_tree(n, STORE_LOCAL, &g, e);

	*out = NULL;
	*count = 0;
	if (rc == 0)
		rc = read_tree(n, STORE_CLUSTER, &g, e);
	if (rc == 0 && g.n) {
		*out = arena_alloc(mem, g.n * sizeof(**out));
		memcpy(*out, g.list, g.n * sizeof(**out));
		*count = g.n;
	}
	free(g.list);
	return rc;
}

static struct json *new_object(const struct pci_node *n, struct arena *mem, const struct nic_pf *pf)
{
	struct json *object = json_object(mem), *meta;

	json_set_z(mem, object, "apiVersion", KIND_GROUP_VERSION);
	json_set_z(mem, object, "kind", KIND_NIC);
	meta = json_make(mem, object, "metadata");
	json_set_z(mem, meta, "name", pf->name);
	json_set_z(mem, meta, "uid", wish_new_uid(mem));
	json_set_z(mem, json_make(mem, meta, "labels"), "nodename", n->name);
	return object;
}

struct json *nic_wish_new(
	const struct pci_node *n, struct arena *mem, const struct nic_pf *pf, unsigned count)
{
	struct json *object = pf->wish && pf->wish->tree == STORE_LOCAL
				      ? json_copy(mem, pf->wish->object)
				      : new_object(n, mem, pf);
	struct json *meta = json_make(mem, object, "metadata");
	struct json *spec = json_make(mem, object, "spec");
	int64_t generation = 0;

	json_i64(json_get(meta, "generation"), &generation);
	json_set_int(mem, meta, "generation", generation + 1);
	if (pf->interface[0])
		json_set_z(mem, json_make(mem, meta, "annotations"), ANNOTATION_INTERFACE,
			pf->interface);
	json_set_z(mem, spec, "address", pf->dev->name);
	json_set_z(mem, spec, "nodeName", n->name);
	json_set_int(mem, spec, "numVFs", (int64_t)count);
	return object;
}

static bool hex16(const struct json *object, const char *key, uint16_t *out)
{
	uint64_t v;

	if (!str_hex(json_str(json_get(object, key)), 0xffff, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

static bool parse_kept(struct nic_kept *k, const struct json *object)
{
	uint64_t format;

	return json_u64(json_get(object, "formatVersion"), &format) && format == NIC_KEPT_FORMAT &&
	       pci_addr_parse(json_str(json_get(object, "address")), &k->addr) &&
	       hex16(object, "vendorId", &k->vendor) && hex16(object, "deviceId", &k->device);
}

int nic_kept_read_all(const struct pci_node *n, struct arena *mem, struct nic_kept **out,
	size_t *count, struct err *e)
{
	char **names;

	*out = NULL;
	if (store_list(n->store, STORE_KEPT, PLURAL_NICS, mem, &names, count, e) < 0)
		return -1;
	*out = arena_alloc(mem, (*count + 1) * sizeof(**out));
	for (size_t i = 0; i < *count; i++) {
		struct nic_kept *k = &(*out)[i];
		struct json *object = NULL;
		struct err ignored;

		*k = (struct nic_kept){.name = names[i]};
		if (store_read(n->store, STORE_KEPT, PLURAL_NICS, names[i], mem, &object,
			    &ignored) == 0)
			k->readable = parse_kept(k, object);
	}
	return 0;
}

int nic_kept_put(const struct pci_node *n, const struct nic_kept *k, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *object = json_object(&mem);
	char address[PCI_ADDR_CAP];

	json_set_int(&mem, object, "formatVersion", NIC_KEPT_FORMAT);
	json_set_z(&mem, object, "address", pci_addr_format(k->addr, address));
	json_set_z(&mem, object, "vendorId", arena_printf(&mem, "%04x", k->vendor));
	json_set_z(&mem, object, "deviceId", arena_printf(&mem, "%04x", k->device));
	json_set_bool(&mem, object, "autoprobe", true);
	return store_put_now(n->store, STORE_KEPT, PLURAL_NICS, k->name, object, e);
}
