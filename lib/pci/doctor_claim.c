// SPDX-License-Identifier: GPL-2.0-or-later
// The claims as the plan has them: accepted or refused, bound or waiting; and what is to go back.
#include "pci/bind.h"
#include "pci/doctor_impl.h"
#include "pci/pass.h"

static const char *driver_word(const char *driver)
{
	return driver[0] ? driver : "no driver";
}

static void check_sentinel(struct look *l)
{
	const char *dir = l->node->store->state;

	switch (l->state.sentinel) {
	case STORE_OURS:
		found(l, DOCTOR_OK, TOPIC_STATE, "", "%s is this machine's, with %zu claims", dir,
			l->state.wishes);
		break;
	case STORE_NEW:
		found(l, DOCTOR_OK, TOPIC_STATE, "", "nothing was ever claimed: %s is empty", dir);
		break;
	case STORE_MISSING:
		found(l, DOCTOR_PROBLEM, TOPIC_STATE, "",
			"%s has things in it, and no file desired/machine that can be read: "
			"nothing is bound or released",
			dir);
		found_todo(l, "see whether its disk is mounted; if it is this machine's, put the "
			      "file back from a backup");
		break;
	case STORE_FOREIGN:
		found(l, DOCTOR_PROBLEM, TOPIC_STATE, "",
			"%s is of another machine (%s): nothing is bound or released", dir,
			l->state.machine);
		found_todo(l, "mount this machine's own state directory, or move this one away "
			      "and claim anew");
		break;
	}
}

static void check_records(struct look *l)
{
	for (size_t i = 0; i < l->state.kepts; i++) {
		const struct kept *k = &l->state.kept[i];

		if (k->readable)
			continue;
		found(l, DOCTOR_PROBLEM, TOPIC_KEPT, k->name,
			"the record in %s/kept/" PLURAL_DEVICES
			" cannot be understood: its function is neither bound nor released",
			l->node->store->state);
		found_todo(l, "if a newer vfiobox wrote it, use that one; if it is damaged, put it "
			      "back from a backup, or remove it once its function is off "
			      "vfio-pci");
	}
}

static void check_verdict(struct look *l, const struct verdict *v)
{
	const char *subject = v->wish->address[0] ? v->wish->address : v->wish->name;

	if (!v->accepted) {
		found(l, DOCTOR_PROBLEM, TOPIC_CLAIM, subject, "the claim is refused: %s: %s",
			reason_name(v->reason), v->message);
		found_todo(l, "%s", v->hint[0] ? v->hint : "see: pcid plan");
	} else if (v->wish->skip_binding) {
		found(l, DOCTOR_OK, TOPIC_CLAIM, subject,
			"claimed, and left on %s (skip-vfio-binding)", driver_word(v->dev->driver));
	}
}

/* What the last pass said of the condition Bound, when that was a failure. */
static const char *last_failure(const struct look *l, const struct pci_dev *d, struct arena *mem)
{
	struct json *object = NULL;
	struct err ignored;

	if (store_read(l->node->store, STORE_OBSERVED, PLURAL_CLAIMS,
		    pci_object_name(mem, l->node->name, d->addr), mem, &object, &ignored) < 0)
		return NULL;
	json_each (c, json_path(object, "status", "conditions", NULL)) {
		const char *reason = json_z(json_get(c, "reason"));
		const char *message = json_z(json_get(c, "message"));

		if (str_is(json_str(json_get(c, "type")), condition_type_name(COND_BOUND)) &&
			str_is(json_str(json_get(c, "status")), "False") && reason && message &&
			strcmp(reason, reason_name(REASON_PENDING)) != 0)
			return arena_printf(mem, "%s: %s", reason, message);
	}
	return NULL;
}

static void say_unbound(struct look *l, const struct member *m, const char *with)
{
	CLEANUP_ARENA struct arena mem = {0};
	const char *why = last_failure(l, m->dev, &mem);
	bool half = !strcmp(m->dev->driver, VFIO_PCI);

	found(l, DOCTOR_PROBLEM, TOPIC_CLAIM, m->dev->name,
		"claimed%s and not bound yet: it is on %s%s%s%s", with, driver_word(m->dev->driver),
		half ? ", which was not verified" : "", why ? "; the last pass said: " : "",
		why ? why : "");
	found_todo(l, "%s", why ? "see to what is said there, then: pcid apply" : "pcid apply");
}

static void check_bound(struct look *l, const struct member *m)
{
	CLEANUP_ARENA struct arena mem = {0};
	const char *with = m->derived ? arena_printf(&mem, " with %s", m->wish->address) : "";
	char override[64];

	switch (m->action) {
	case ACTION_BIND:
		say_unbound(l, m, with);
		break;
	case ACTION_ADOPT:
		found(l, DOCTOR_NOTE, TOPIC_CLAIM, m->dev->name,
			"claimed%s and on vfio-pci by another agent: the next pass takes it over",
			with);
		found_todo(l, "pcid apply");
		break;
	case ACTION_STAY:
	case ACTION_RELEASE:
	case ACTION_FORGET:
		found(l, DOCTOR_OK, TOPIC_CLAIM, m->dev->name, "claimed%s, on vfio-pci", with);
		if (bind_override_of(l->root, m->dev->name, override, sizeof(override)) < 0 ||
			!strcmp(override, VFIO_PCI))
			break;
		found(l, DOCTOR_NOTE, TOPIC_OVERRIDE, m->dev->name,
			"driver_override is \"%s\", not vfio-pci as it was set: somebody changed "
			"it, and another driver may take the function",
			override);
		found_todo(
			l, "echo vfio-pci > /sys/bus/pci/devices/%s/driver_override", m->dev->name);
		break;
	}
}

static void check_release(struct look *l, const struct member *m)
{
	char address[PCI_ADDR_CAP];

	pci_addr_format(m->kept->addr, address);
	if (m->message) {
		found(l, DOCTOR_PROBLEM, TOPIC_RELEASE, address,
			"no claim wants it any more, and it cannot go back yet: %s: %s",
			reason_name(m->reason), m->message);
		found_todo(l, "stop what holds it, then: pcid apply");
		return;
	}
	found(l, DOCTOR_NOTE, TOPIC_RELEASE, address,
		m->action == ACTION_FORGET
			? "no claim wants it any more, and it is gone: only its record is left"
			: "no claim wants it any more: the next pass gives it back");
	found_todo(l, "pcid apply");
}

static void check_units(struct look *l)
{
	pass_mark_held(&l->state, &l->plan);
	for (size_t i = 0; i < l->plan.units; i++) {
		const struct unit *u = &l->plan.unit[i];

		for (size_t j = 0; j < u->n; j++) {
			if (u->release)
				check_release(l, &u->member[j]);
			else
				check_bound(l, &u->member[j]);
		}
	}
}

void doctor_check_claims(struct look *l)
{
	if (!l->has_state)
		return;
	check_sentinel(l);
	check_records(l);
	for (size_t i = 0; i < l->plan.verdicts; i++)
		check_verdict(l, &l->plan.verdict[i]);
	check_units(l);
	if (l->plan.releases_held) {
		found(l, DOCTOR_PROBLEM, TOPIC_RELEASE, "",
			"of what no claim wants something stays as it is: %s", l->plan.held_why);
		found_todo(l, "see state and kept; then: pcid apply");
	}
}
