// SPDX-License-Identifier: GPL-2.0-or-later
// SRIOVNetworkDevice: the VFs of a NIC, and whether they are those that are wanted.
#include "pci/object.h"
#include "pci/object_impl.h"

/* What is wanted, else what the kernel has: never a 0 that would take VFs away. */
static void set_spec(struct arena *mem, struct json *object, const struct pci_state *s,
	const struct nic_pf *pf, const struct nic_wish *w)
{
	struct json *spec = json_make(mem, object, "spec");
	bool wanted = w && w->counted;

	json_set_z(mem, spec, "address", pf ? pf->dev->name : w->address);
	json_set_z(mem, spec, "nodeName", s->node->name);
	if (wanted || (pf && pf->counted))
		json_set_int(mem, spec, "numVFs", wanted ? w->count : pf->vfs);
}

static struct json *set_status(
	struct arena *mem, struct json *object, const struct pci_state *s, const struct nic_pf *pf)
{
	struct json *status = json_make(mem, object, "status"), *addresses, *names;
	const struct pci_dev *vf;

	json_set_z(mem, status, "status",
		pf && pf->vfs ? "sriovNetworkDeviceEnabled" : "sriovNetworkDeviceDisabled");
	addresses = json_set(mem, status, "vfAddresses", json_array(mem));
	names = json_set(mem, status, "vfPCIDevices", json_array(mem));
	for (size_t at = 0; pf && (vf = sriov_next_vf(s, pf->dev, &at));) {
		json_add(mem, addresses, json_stringz(mem, vf->name));
		json_add(mem, names,
			json_stringz(mem, pci_object_name(mem, s->node->name, vf->addr)));
	}
	return status;
}

static void set_applied(struct arena *mem, struct json *status, const struct nic_pf *pf,
	const struct nic_step *t, const struct json *old, const char *now)
{
	if (t)
		object_condition(mem, status, old, now, COND_APPLIED, t->done, t->reason,
			t->hint[0] ? arena_printf(mem, "%s; %s", t->message, t->hint) : t->message);
	else
		object_condition(mem, status, old, now, COND_APPLIED, true, REASON_NO_WISH,
			pf->counted ? "nobody wants a number of VFs: it keeps those that it has"
				    : "how many VFs it has cannot be read (sriov_numvfs)");
	if (t && t->reason == REASON_NOT_FOUND)
		object_condition(mem, status, old, now, COND_PRESENT, false, REASON_ABSENT,
			"there is no such NIC; the wish waits for it");
}

struct json *object_nic(const struct pci_state *s, struct arena *mem, const struct nic_pf *pf,
	const struct nic_step *t, const struct json *old, const char *now)
{
	const struct nic_wish *w = t ? t->wish : NULL;
	struct json *object = object_new(mem, KIND_NIC, w ? w->name : pf->name, s->node->name);
	struct json *meta = json_get(object, "metadata");

	if (w)
		object_copy_meta(mem, object, w->object);
	json_set_z(mem, json_make(mem, meta, "labels"), "nodename", s->node->name);
	if (pf && pf->interface[0])
		json_set_z(mem, json_make(mem, meta, "annotations"), ANNOTATION_INTERFACE,
			pf->interface);
	set_spec(mem, object, s, pf, w);
	set_applied(mem, set_status(mem, object, s, pf), pf, t, old, now);
	return object;
}

static bool is_same_wish(const struct json *old, const struct nic_wish *w)
{
	static const char *const keys[] = {"uid", "generation"};
	const struct json *x = json_get(old, "metadata"), *y = json_get(w->object, "metadata");
	uint64_t count;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!json_equal(json_get(x, keys[i]), json_get(y, keys[i])))
			return false;
	return json_u64(json_path(old, "spec", "numVFs", NULL), &count) && count == w->count;
}

const char *object_nic_failure(const struct json *old, const struct nic_step *t)
{
	const struct json *applied = object_find_condition(old, COND_APPLIED);

	if (!is_same_wish(old, t->wish) ||
		json_count(json_path(old, "status", "vfAddresses", NULL)) != t->from ||
		!str_is(json_str(json_get(applied, "reason")), reason_name(REASON_VFS_FAILED)))
		return NULL;
	return json_z(json_get(applied, "message"));
}
