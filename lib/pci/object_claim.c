// SPDX-License-Identifier: GPL-2.0-or-later
// PCIDeviceClaim: how a claim stands.
#include "pci/handshake.h"
#include "pci/object.h"
#include "pci/object_impl.h"

#define ANNOTATION_DERIVED_FROM "vfiobox.io/derived-from"
#define ANNOTATION_DERIVED_UID "vfiobox.io/derived-from-uid"

static const char *bound_text(struct arena *mem, const struct member *m)
{
	char was[PCI_ADDR_CAP], now[PCI_ADDR_CAP];

	if (!m->kept || pci_addr_cmp(m->kept->claim_addr, m->kept->addr) == 0)
		return "on vfio-pci, verified";
	return arena_printf(mem,
		"on vfio-pci, verified; the device was claimed at %s and sits at %s now (%s)",
		pci_addr_format(m->kept->claim_addr, was), pci_addr_format(m->kept->addr, now),
		identity_text(&m->kept->id, mem));
}

static void set_bound(struct arena *mem, struct json *status, const struct member *m,
	const struct json *old, const char *now)
{
	const char *message = m->message ? m->message : "not done yet";

	if (m->done)
		message = bound_text(mem, m);
	json_set_z(mem, status, "kernelDriverToUnbind", m->kept ? m->kept->driver : "");
	json_set_bool(mem, status, "passthroughEnabled", m->done);
	object_condition(mem, status, old, now, COND_BOUND, m->done,
		m->done ? REASON_BOUND : m->reason, message);
}

static void set_skipped(struct arena *mem, struct json *status, const struct verdict *v,
	const struct json *old, const char *now)
{
	json_set_z(mem, status, "kernelDriverToUnbind", v->dev->driver);
	json_set_bool(mem, status, "passthroughEnabled", true);
	object_condition(mem, status, old, now, COND_BOUND, true, REASON_BINDING_SKIPPED,
		"the annotation skip-vfio-binding leaves it on its driver");
}

static void set_refused(const struct pci_state *s, struct arena *mem, struct json *status,
	const struct verdict *v, const struct json *old, const char *now)
{
	const struct kept *k = v->dev ? pci_state_ours(s, v->dev) : NULL;
	bool bound = (k || v->reason == REASON_KEPT_UNREADABLE) && v->dev &&
		     !strcmp(v->dev->driver, "vfio-pci");

	json_set_z(mem, status, "kernelDriverToUnbind", k ? k->driver : "");
	json_set_bool(mem, status, "passthroughEnabled", bound);
	object_condition(mem, status, old, now, COND_BOUND, bound,
		bound ? REASON_BOUND : REASON_REFUSED,
		bound ? "bound before; it stays until the claim goes" : "the claim is refused");
}

static void copy_wish(struct arena *mem, struct json *object, const struct wish *w)
{
	struct json *meta = json_get(object, "metadata");

	object_copy_meta(mem, object, w->object);
	json_set_z(mem, json_make(mem, meta, "labels"), "nodename",
		json_z(json_path(w->object, "spec", "nodeName", NULL)));
	json_set(mem, object, "spec", json_copy(mem, json_get(w->object, "spec")));
}

struct json *object_claim(const struct pci_state *s, struct arena *mem, const struct verdict *v,
	const struct member *m, const struct json *old, const char *now)
{
	struct json *object = object_new(mem, "PCIDeviceClaim", v->wish->name, s->node->name);
	struct json *status;

	copy_wish(mem, object, v->wish);
	status = json_make(mem, object, "status");
	if (v->accepted && m)
		set_bound(mem, status, m, old, now);
	else if (v->accepted)
		set_skipped(mem, status, v, old, now);
	else
		set_refused(s, mem, status, v, old, now);
	object_condition(mem, status, old, now, COND_ACCEPTED, v->accepted, v->reason, v->message);
	return object;
}

static void set_owner(struct arena *mem, struct json *meta, const char *device)
{
	struct json *owners = json_set(mem, meta, "ownerReferences", json_array(mem));
	struct json *owner = json_object(mem);

	json_set_z(mem, owner, "apiVersion", KIND_GROUP_VERSION);
	json_set_z(mem, owner, "kind", "PCIDevice");
	json_set_z(mem, owner, "name", device);
	json_add(mem, owners, owner);
}

static void set_origin(struct arena *mem, struct json *meta, const struct wish *w)
{
	struct json *annotations = json_make(mem, meta, "annotations");

	json_set_z(mem, annotations, ANNOTATION_DERIVED_FROM, w->name);
	json_set_z(mem, annotations, ANNOTATION_DERIVED_UID, w->uid);
}

const char *object_claim_origin(const struct json *claim)
{
	const char *z =
		json_z(json_path(claim, "metadata", "annotations", ANNOTATION_DERIVED_FROM, NULL));

	return z ? z : "";
}

/* What waits to be given back is still known by the claim that pulled it in. */
static void keep_origin(struct arena *mem, struct json *meta, const struct json *old)
{
	static const char *const keys[] = {ANNOTATION_DERIVED_FROM, ANNOTATION_DERIVED_UID};
	struct json *annotations;

	if (!object_claim_origin(old)[0])
		return;
	annotations = json_make(mem, meta, "annotations");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_set(mem, annotations, keys[i],
			json_copy(mem, json_path(old, "metadata", "annotations", keys[i], NULL)));
}

struct json *object_derived_claim(const struct pci_state *s, struct arena *mem,
	const struct member *m, const struct json *old, const char *now)
{
	struct pci_addr a = m->dev ? m->dev->addr : m->kept->addr;
	const char *name = m->kept ? m->kept->name : pci_object_name(mem, s->node->name, a);
	struct json *object = object_new(mem, "PCIDeviceClaim", name, s->node->name);
	struct json *meta = json_get(object, "metadata"), *spec, *status;
	const char *user = json_z(json_path(old, "spec", "userName", NULL));
	const struct pci_dev *d = pci_find(&s->inv, a); /* as it is now */
	char address[PCI_ADDR_CAP];

	set_owner(mem, meta, name);
	if (m->wish)
		set_origin(mem, meta, m->wish);
	else
		keep_origin(mem, meta, old);
	spec = json_make(mem, object, "spec");
	json_set_z(mem, spec, "address", pci_addr_format(a, address));
	json_set_z(mem, spec, "nodeName", s->node->name);
	json_set_z(mem, spec, "userName", m->wish ? m->wish->user : user);
	status = json_make(mem, object, "status");
	if (m->wish) {
		set_bound(mem, status, m, old, now);
		return object;
	}
	json_set_z(mem, status, STATUS_RELEASE, handshake_release(old, mem));
	json_set_z(mem, status, "kernelDriverToUnbind", m->kept->driver);
	json_set_bool(mem, status, "passthroughEnabled", d && !strcmp(d->driver, "vfio-pci"));
	object_condition(mem, status, old, now, COND_RELEASED, false, m->reason,
		m->message ? m->message : "not done yet");
	return object;
}
