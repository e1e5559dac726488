// SPDX-License-Identifier: GPL-2.0-or-later
// PCIDevice: what a function is, and whether it may be given away.
#include "pci/object.h"

#include "ids/names.h"
#include "pci/object_impl.h"

#include <stdio.h>
#include <time.h>

#define ANNOTATION_DRIVER "harvesterhci.io/pcideviceDriver"
#define LABEL_PARENT_NIC "harvesterhci.io/parent-sriov-network-device"

const char *object_now(struct arena *mem)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_dup(mem, text, strlen(text));
}

const struct json *object_find_condition(const struct json *object, enum condition_type t)
{
	json_each (c, json_path(object, "status", "conditions", NULL))
		if (str_is(json_str(json_get(c, "type")), condition_type_name(t)))
			return c;
	return NULL;
}

void object_condition(struct arena *mem, struct json *status, const struct json *old,
	const char *now, enum condition_type type, bool yes, enum reason reason,
	const char *message)
{
	const char *name = condition_type_name(type), *word = yes ? "True" : "False";
	const struct json *before = object_find_condition(old, type);
	const char *since = json_z(json_get(before, "lastTransitionTime"));
	struct json *list = json_get(status, "conditions"), *c = json_object(mem);

	if (!list)
		list = json_set(mem, status, "conditions", json_array(mem));
	json_set_z(mem, c, "type", name);
	json_set_z(mem, c, "status", word);
	json_set_z(mem, c, "reason", reason_name(reason));
	json_set_z(mem, c, "message", message);
	if (!since || !str_is(json_str(json_get(before, "status")), word))
		since = now;
	json_set_z(mem, c, "lastTransitionTime", since);
	json_add(mem, list, c);
}

struct json *object_new(struct arena *mem, const char *kind, const char *name, const char *node)
{
	struct json *object = json_object(mem), *meta;

	json_set_z(mem, object, "apiVersion", KIND_GROUP_VERSION);
	json_set_z(mem, object, "kind", kind);
	meta = json_make(mem, object, "metadata");
	json_set_z(mem, meta, "name", name);
	json_set_z(mem, json_make(mem, meta, "labels"), "nodename", node);
	return object;
}

void object_copy_meta(struct arena *mem, struct json *object, const struct json *wish)
{
	const struct json *from = json_get(wish, "metadata");
	struct json *meta = json_get(object, "metadata");
	static const char *const keys[] = {
		"uid", "generation", "labels", "annotations", "ownerReferences"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_set(mem, meta, keys[i], json_copy(mem, json_get(from, keys[i])));
}

static const char *pooled_name(const struct pci_node *n, struct arena *mem, const struct pci_dev *d)
{
	CLEANUP_BUF struct buf b = {0};

	pci_resource_name(&b, n->ids, d->vendor, d->device);
	return arena_dup(mem, b.p, b.len);
}

const char *object_resource_name(
	const struct pci_state *s, struct arena *mem, const struct pci_dev *d)
{
	const struct wish *w = pci_state_wish(s, d->addr);
	const struct kept *k = pci_state_ours(s, d);
	const char *pooled;

	if (w && w->resource)
		return w->resource;
	pooled = k && k->resource[0] ? k->resource : pooled_name(s->node, mem, d);
	if (w && w->no_pooling)
		return arena_printf(mem, "%.*s/%s", (int)strcspn(pooled, "/"), pooled, w->name);
	return pooled;
}

static const char *description(const struct pci_node *n, struct arena *mem, const struct pci_dev *d)
{
	CLEANUP_BUF struct buf b = {0};

	pci_description(&b, n->ids, (uint16_t)pci_class_id(d), d->vendor, d->device);
	return arena_dup(mem, b.p, b.len);
}

/* The driver at first sight: of the record, else of this boot's first look, never vfio-pci. */
static const char *first_driver(
	const struct pci_state *s, const struct pci_dev *d, const struct json *old)
{
	const struct kept *k = pci_state_ours(s, d);
	const char *seen =
		json_z(json_path(old, "metadata", "annotations", ANNOTATION_DRIVER, NULL));

	if (k)
		return k->driver;
	if (seen && *seen)
		return seen;
	return pci_is_user_driver(d->driver) ? "" : d->driver;
}

static void set_parent(
	const struct pci_state *s, struct arena *mem, const struct pci_dev *d, struct json *object)
{
	const struct nic_pf *pf = d->is_vf && d->class >> 16 == 0x02 ? sriov_pf_at(s, d->pf) : NULL;

	if (pf && pf->name[0])
		json_set_z(mem, json_path(object, "metadata", "labels", NULL), LABEL_PARENT_NIC,
			pf->name);
}

struct verdict object_offer(const struct pci_state *s, const struct pci_dev *d, struct arena *mem)
{
	struct wish *nobody = arena_alloc(mem, sizeof(*nobody));
	const struct wish *own = pci_state_wish(s, d->addr);

	*nobody = (struct wish){.name = "",
		.addr = d->addr,
		.addr_ok = true,
		.address = d->name,
		.user = "",
		.uid = "",
		.skip_binding = own && own->skip_binding};
	return plan_judge(s, nobody, mem);
}

static const char *hex(struct arena *mem, unsigned v)
{
	return arena_printf(mem, "%04x", v);
}

static struct json *set_status(
	const struct pci_state *s, struct arena *mem, const struct pci_dev *d, struct json *object)
{
	struct json *status = json_make(mem, object, "status");

	json_set_z(mem, status, "address", d->name);
	json_set_z(mem, status, "vendorId", hex(mem, d->vendor));
	json_set_z(mem, status, "deviceId", hex(mem, d->device));
	json_set_z(mem, status, "classId", hex(mem, pci_class_id(d)));
	json_set_z(mem, status, "iommuGroup",
		d->group == PCI_NO_GROUP ? "" : arena_printf(mem, "%d", d->group));
	json_set_z(mem, status, "nodeName", s->node->name);
	json_set_z(mem, status, "resourceName", object_resource_name(s, mem, d));
	json_set_z(mem, status, "description", description(s->node, mem, d));
	json_set_z(mem, status, "kernelDriverInUse", d->driver);
	json_set_int(mem, status, "numaNode", d->numa);
	return status;
}

static struct json *device(const struct pci_state *s, struct arena *mem, const struct pci_dev *d,
	const struct json *old, const char *name)
{
	const struct wish *w = pci_state_wish(s, d->addr);
	struct json *object = object_new(mem, "PCIDevice", name, s->node->name);
	struct json *meta = json_get(object, "metadata");
	const char *driver = first_driver(s, d, old);

	set_parent(s, mem, d, object);
	if (driver[0])
		json_set_z(mem, json_make(mem, meta, "annotations"), ANNOTATION_DRIVER, driver);
	if (w && w->resource)
		json_set_z(mem, json_make(mem, meta, "annotations"), ANNOTATION_RESOURCE_NAME,
			w->resource);
	json_make(mem, object, "spec");
	return object;
}

struct json *object_device(const struct pci_state *s, struct arena *mem, const struct pci_dev *d,
	const struct json *old, const char *now)
{
	struct json *object = device(s, mem, d, old, pci_object_name(mem, s->node->name, d->addr));
	struct json *status = set_status(s, mem, d, object);
	struct verdict v = object_offer(s, d, mem);

	if (!v.accepted)
		object_condition(mem, status, old, now, COND_OFFERED, false, v.reason, v.message);
	else if (pci_state_wish(s, d->addr) || pci_state_kept(s, d->addr))
		object_condition(mem, status, old, now, COND_OFFERED, true, REASON_CLAIMED,
			"claimed on this node");
	else
		object_condition(mem, status, old, now, COND_OFFERED, true, REASON_AVAILABLE,
			"nothing on the host needs it");
	return object;
}

static void set_absent(
	struct arena *mem, struct json *status, const struct json *old, const char *now)
{
	object_condition(mem, status, old, now, COND_OFFERED, false, REASON_ABSENT,
		"the function is not there");
	object_condition(mem, status, old, now, COND_PRESENT, false, REASON_ABSENT,
		"the function was claimed and is not there any more; the claim waits for it");
}

struct json *object_absent_device(const struct pci_state *s, struct arena *mem,
	const struct kept *k, const struct json *old, const char *now)
{
	struct pci_dev d = {.addr = k->addr,
		.vendor = k->id.vendor,
		.device = k->id.device,
		.subvendor = k->id.subvendor,
		.subdevice = k->id.subdevice,
		.class = k->class,
		.group = PCI_NO_GROUP,
		.numa = PCI_NO_NODE,
		.driver = ""};
	struct json *object, *status;

	pci_addr_format(k->addr, d.name);
	object = device(s, mem, &d, old, k->name);
	status = set_status(s, mem, &d, object);
	set_absent(mem, status, old, now);
	return object;
}

struct json *object_gone(struct arena *mem, const struct json *old, const char *now)
{
	struct json *object = json_copy(mem, old), *status = json_make(mem, object, "status");

	json_remove(status, "conditions");
	set_absent(mem, status, old, now);
	return object;
}
