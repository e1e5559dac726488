// SPDX-License-Identifier: GPL-2.0-or-later
// Wishes: the claims of this node in desired/.
#include "pci/wish.h"

#include <stdio.h>
#include <sys/random.h>

static const char *annotation(const struct json *object, const char *key)
{
	return json_z(json_path(object, "metadata", "annotations", key, NULL));
}

void wish_of(struct wish *w, enum store_tree tree, const char *name, const struct json *object,
	struct arena *mem)
{
	const struct json *spec = json_get(object, "spec"), *status = json_get(object, "status");
	const char *override = annotation(object, ANNOTATION_OVERRIDE);
	const char *user = json_z(json_get(spec, "userName"));
	const char *uid = json_z(json_path(object, "metadata", "uid", NULL));
	const char *driver = json_z(json_get(status, "kernelDriverToUnbind"));

	*w = (struct wish){
		.name = arena_dup(mem, name, strlen(name)),
		.address = json_z(json_get(spec, "address")),
		.user = user ? user : "",
		.uid = uid ? uid : "",
		.tree = tree,
		.no_pooling = json_bool(json_get(spec, "disableResourcePooling"), false),
		.skip_binding = annotation(object, ANNOTATION_SKIP_BINDING) != NULL,
		.resource = annotation(object, ANNOTATION_RESOURCE_NAME),
		.group = annotation(object, ANNOTATION_GROUP),
		.passthrough = json_bool(json_get(status, "passthroughEnabled"), false),
		.driver_to_unbind = driver,
		.object = object,
	};
	if (!w->address)
		w->address = "";
	if (w->resource && !*w->resource)
		w->resource = NULL;
	w->addr_ok = pci_addr_parse(str_of(w->address), &w->addr);
	if (override && !reasons_parse(str_of(override), &w->overrides))
		w->overrides = 0;
}

bool wish_overrides(const struct wish *w, enum reason r)
{
	return reason_can_override(r) && (w->overrides >> r & 1);
}

struct gather {
	struct wish *list;
	size_t n, cap;
	struct arena *mem;
};

static bool is_of_node(const struct json *object, const char *node)
{
	return str_is(json_str(json_path(object, "spec", "nodeName", NULL)), node);
}

static void put(struct gather *g, const struct wish *w)
{
	for (size_t i = 0; i < g->n; i++) {
		if (!strcmp(g->list[i].name, w->name)) {
			g->list[i] = *w;
			return;
		}
	}
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 16;
		g->list = mem_resize(g->list, g->cap * sizeof(*g->list));
	}
	g->list[g->n++] = *w;
}

/* The cluster's object counts, also while it is on its way out: it hides a local one. */
static void take_out(struct gather *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (!strcmp(g->list[i].name, name))
			g->list[i--] = g->list[--g->n];
}

int wish_objects_each(const struct pci_node *n, enum store_tree tree, const char *plural,
	struct arena *mem, wish_object_fn *fn, void *ctx, struct err *e)
{
	char **names;
	size_t count;

	if (store_list(n->store, tree, plural, mem, &names, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json *object;

		if (store_read(n->store, tree, plural, names[i], mem, &object, e) < 0)
			return -1;
		if (object && is_of_node(object, n->name))
			fn(ctx, tree, names[i], object);
	}
	return 0;
}

bool wish_is_leaving(const struct json *object)
{
	return json_path(object, "metadata", "deletionTimestamp", NULL) != NULL;
}

static void gather(void *ctx, enum store_tree tree, const char *name, const struct json *object)
{
	struct gather *g = ctx;
	struct wish w;

	if (wish_is_leaving(object)) {
		take_out(g, name);
		return;
	}
	wish_of(&w, tree, name, object, g->mem);
	put(g, &w);
}

static int read_tree(
	const struct pci_node *n, enum store_tree tree, struct gather *g, struct err *e)
{
	return wish_objects_each(n, tree, PLURAL_CLAIMS, g->mem, gather, g, e);
}

int wishes_read(const struct pci_node *n, struct arena *mem, struct wish **out, size_t *count,
	struct err *e)
{
	struct gather g = {.mem = mem};

	*out = NULL;
	*count = 0;
	if (read_tree(n, STORE_LOCAL, &g, e) < 0 || read_tree(n, STORE_CLUSTER, &g, e) < 0) {
		free(g.list);
		return -1;
	}
	if (g.n) {
		*out = arena_alloc(mem, g.n * sizeof(**out));
		memcpy(*out, g.list, g.n * sizeof(**out));
		*count = g.n;
	}
	free(g.list);
	return 0;
}

const char *wish_new_uid(struct arena *mem)
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return NULL;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	return arena_printf(mem,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}

struct json *wish_new(const struct pci_node *n, struct arena *mem, struct pci_addr a,
	const char *user, const char *override)
{
	struct json *object = json_object(mem), *meta, *spec;
	char address[PCI_ADDR_CAP];

	json_set_z(mem, object, "apiVersion", KIND_GROUP_VERSION);
	json_set_z(mem, object, "kind", "PCIDeviceClaim");
	meta = json_make(mem, object, "metadata");
	json_set_z(mem, meta, "name", pci_object_name(mem, n->name, a));
	json_set_z(mem, meta, "uid", wish_new_uid(mem));
	json_set_z(mem, json_make(mem, meta, "labels"), "nodename", n->name);
	if (override)
		json_set_z(mem, json_make(mem, meta, "annotations"), ANNOTATION_OVERRIDE, override);
	spec = json_make(mem, object, "spec");
	json_set_z(mem, spec, "address", pci_addr_format(a, address));
	json_set_z(mem, spec, "nodeName", n->name);
	json_set_z(mem, spec, "userName", user);
	return object;
}

void wish_annotate(struct wish *w, struct arena *mem, const char *key, const char *value)
{
	struct json *object = json_copy(mem, w->object);
	struct json *meta = json_make(mem, object, "metadata");
	struct pci_addr addr = w->addr; /* it may have moved from spec.address */

	json_set_z(mem, json_make(mem, meta, "annotations"), key, value);
	wish_of(w, w->tree, w->name, object, mem);
	if (w->addr_ok)
		w->addr = addr;
}

void wish_override(struct wish *w, struct arena *mem, const char *override)
{
	wish_annotate(w, mem, ANNOTATION_OVERRIDE, override);
}
