// SPDX-License-Identifier: GPL-2.0-or-later
// An order for VFs becomes a wish.
#include "pci/sriov_order.h"

#include "pci/object.h"
#include "pci/session.h"

#include <poll.h>

enum { LOOK_AGAIN_MS = 100 };

/* An address, or the address of the function that has the interface; "" when there is none. */
static void find_address(
	const struct pci_state *s, const char *target, char out[static PCI_ADDR_CAP])
{
	struct pci_addr a;

	out[0] = 0;
	if (pci_addr_parse_short(str_of(target), &a)) {
		pci_addr_format(a, out);
		return;
	}
	for (size_t i = 0; i < s->inv.n && !out[0]; i++) {
		const struct pci_dev *d = &s->inv.dev[i];
		char interface[NIC_NAME_CAP];

		if (d->class >> 16 != 0x02)
			continue;
		nic_interface(s->node->root, d->name, interface);
		if (!strcasecmp(interface, target))
			memcpy(out, d->name, PCI_ADDR_CAP);
	}
}

static void refuse(
	struct order *o, const char *what, enum reason r, const char *message, const char *hint)
{
	o->refusal = mem_resize(o->refusal, (o->refusals + 1) * sizeof(*o->refusal));
	o->refusal[o->refusals++] =
		(struct refusal){.what = what, .reason = r, .message = message, .hint = hint};
}

/* The texts of a step are in the order's arena, or last as long as the program; those of its label
 * may be the state's. */
static void refuse_step(struct order *o, const struct nic_step *t, const char *target)
{
	const char *label = t->pf ? sriov_label(t, &o->mem) : target;

	refuse(o, arena_dup(&o->mem, label, strlen(label)), t->reason, t->message, t->hint);
}

static void refuse_target(struct order *o, const struct pci_state *s, const char *target)
{
	struct nic_wish w = {.name = "", .uid = "", .counted = true};
	char address[PCI_ADDR_CAP];
	struct nic_step t;

	find_address(s, target, address);
	if (!address[0]) {
		refuse(o, target, REASON_NOT_FOUND, "no PCI function has an interface of that name",
			"see which NICs have VFs: pcid vfs");
		return;
	}
	w.address = arena_dup(&o->mem, address, strlen(address));
	w.addr_ok = pci_addr_parse(str_of(address), &w.addr);
	t = sriov_judge(s, &w, NULL, &o->mem);
	refuse_step(o, &t, target);
}

static void refuse_cluster(struct order *o, const struct nic_pf *pf, unsigned count)
{
	refuse(o, arena_dup(&o->mem, pf->interface, strlen(pf->interface)), REASONS,
		"the number of its VFs is the cluster's; it is changed there",
		arena_printf(&o->mem,
			"kubectl patch " PLURAL_NICS ".devices.harvesterhci.io %s --type merge -p "
			"'{\"spec\":{\"numVFs\":%u}}'",
			pf->name, count));
}

static int write_wish(
	const struct pci_state *s, const char *name, const struct json *object, struct err *e)
{
	if (s->sentinel == STORE_NEW && store_sentinel_write(s->node->store, s->node->name, e) < 0)
		return -1;
	return store_put_now(s->node->store, STORE_LOCAL, PLURAL_NICS, name, object, e);
}

static int order_pf(struct order *o, const struct pci_state *s, const struct nic_pf *pf,
	unsigned count, const struct json **wish, struct err *e)
{
	struct json *object = nic_wish_new(s->node, &o->mem, pf, count);
	struct nic_step t;
	struct nic_wish w;

	nic_wish_of(&w, STORE_LOCAL, pf->name, object, &o->mem);
	t = sriov_judge(s, &w, pf, &o->mem);
	if (pf->wish && pf->wish->tree == STORE_CLUSTER) {
		refuse_cluster(o, pf, count);
	} else if (!t.accepted) {
		refuse_step(o, &t, pf->interface);
	} else if (!pf->name[0]) {
		refuse(o, arena_dup(&o->mem, pf->dev->name, strlen(pf->dev->name)),
			REASON_NO_DRIVER,
			"it has no network interface, by which its SRIOVNetworkDevice is named",
			"see 'ip link', and dmesg of its driver");
	} else {
		*wish = object;
		return write_wish(s, pf->name, object, e);
	}
	return 0;
}

int sriov_order(struct order *o, const struct pci_node *n, const char *target, unsigned count,
	const struct json **wish, struct err *e)
{
	const struct nic_pf *pf = NULL;
	char address[PCI_ADDR_CAP];
	struct pci_addr a;
	struct pci_state s;
	int rc = 0;

	*wish = NULL;
	if (pci_state_read(&s, n, e) < 0)
		return -1;
	find_address(&s, target, address);
	if (pci_addr_parse(str_of(address), &a))
		pf = sriov_pf_at(&s, a);
	if (pf)
		rc = order_pf(o, &s, pf, count, wish, e);
	else
		refuse_target(o, &s, target);
	pci_state_free(&s);
	return rc;
}

const struct json *sriov_applied(const struct json *object)
{
	return object_find_condition(object, COND_APPLIED);
}

bool sriov_is_applied(const struct json *object)
{
	return str_is(json_str(json_get(sriov_applied(object), "status")), "True");
}

/* Still to be looked at, or held up by something that may pass. */
static bool waits(const struct json *seen)
{
	struct str reason = json_str(json_get(sriov_applied(seen), "reason"));

	enum reason r;

	return !sriov_is_applied(seen) && (!reason_parse(reason, &r) || reason_waits(r));
}

static int look(const struct pci_node *n, const struct json *wish, struct arena *mem,
	const struct json **seen, struct err *e)
{
	const struct json *meta = json_get(wish, "metadata"), *its;
	struct json *object;

	*seen = NULL;
	if (store_read(n->store, STORE_OBSERVED, PLURAL_NICS, json_z(json_get(meta, "name")), mem,
		    &object, e) < 0)
		return -1;
	its = json_get(object, "metadata");
	if (json_equal(json_get(its, "uid"), json_get(meta, "uid")) &&
		json_equal(json_get(its, "generation"), json_get(meta, "generation")))
		*seen = object;
	return 0;
}

int sriov_await(const struct pci_node *n, const struct kmodules *k, const struct json *wish,
	int timeout_ms, struct arena *mem, const struct json **seen, struct err *e)
{
	int64_t deadline = session_clock() + timeout_ms;

	for (;;) {
		int64_t left;
		bool held;

		arena_free(mem);
		if (session_try(n, k, &held, e) < 0 || look(n, wish, mem, seen, e) < 0)
			return -1;
		left = deadline - session_clock();
		if (left <= 0 || !waits(*seen))
			return 0;
		poll(NULL, 0, left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS);
	}
}
