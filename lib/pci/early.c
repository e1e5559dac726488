// SPDX-License-Identifier: GPL-2.0-or-later
// Binding in the initramfs.
#include "pci/early.h"

#include "pci/bind.h"
#include "pci/cmdline.h"
#include "pci/pass.h"

#include <errno.h>
#include <stdio.h>

#define PLURAL_EARLY "early"
enum { CMDLINE_MAX = 64 * 1024 };

struct early {
	struct pci_node node; /* under the name that the state knows */
	const struct kmodules *kmodules;
	struct cmdline cmdline;
	struct early_report report;
	struct pci_state state;
	struct plan plan;
	struct arena mem;
};

/* The name of the node is not known yet where there is no host name: the state says it. */
static void take_name(struct early *x)
{
	struct json *object = NULL;
	struct err ignored;
	const char *name;

	store_read(x->node.store, STORE_KEPT, "node", "name", &x->mem, &object, &ignored);
	name = json_z(json_get(object, "name"));
	if (name && store_name_ok(str_of(name)))
		x->node.name = name;
}

static void read_cmdline(struct early *x)
{
	CLEANUP_BUF struct buf text = {.max = CMDLINE_MAX};

	if (root_slurp(x->node.root, "proc/cmdline", &text) < 0)
		text.len = 0;
	cmdline_parse(&x->cmdline, buf_slice(&text));
	if (x->cmdline.bad[0])
		pci_progress(&x->node, "vfiobox.claim: '%s' is no PCI address", x->cmdline.bad);
}

/* How many boots in a row have begun and not come up; this one is counted where the state can be
 * written. */
static uint64_t count_boot(struct early *x)
{
	struct json *object = NULL, *new = json_object(&x->mem);
	char boot[STORE_BOOT_ID_CAP];
	struct err e;
	uint64_t failed = 0;

	if (store_sentinel(x->node.store, x->node.name, NULL, 0) != STORE_OURS ||
		store_boot_id(x->node.store, boot, sizeof(boot)) < 0)
		return 0;
	if (store_read(x->node.store, STORE_KEPT, PLURAL_EARLY, "boots", &x->mem, &object, &e) < 0)
		pci_progress(&x->node, "%s", e.text);
	json_u64(json_get(object, "begun"), &failed);
	if (str_is(json_str(json_get(object, "bootId")), boot))
		return failed ? failed - 1 : 0;
	json_set_z(&x->mem, new, "bootId", boot);
	json_set_int(&x->mem, new, "begun", (int64_t)failed + 1);
	if (store_put_now(x->node.store, STORE_KEPT, PLURAL_EARLY, "boots", new, &e) < 0)
		pci_progress(&x->node, "%s", e.text);
	return failed;
}

int early_came_up(const struct pci_node *n, struct err *e)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct json *object = NULL;
	uint64_t begun = 0;

	if (store_sentinel(n->store, n->name, NULL, 0) != STORE_OURS)
		return 0;
	if (store_read(n->store, STORE_KEPT, PLURAL_EARLY, "boots", &mem, &object, e) < 0)
		return -1;
	if (!json_u64(json_get(object, "begun"), &begun) || !begun)
		return 0;
	json_set_int(&mem, object, "begun", 0);
	return store_put_now(n->store, STORE_KEPT, PLURAL_EARLY, "boots", object, e);
}

static struct wish *new_wishes(struct early *x)
{
	struct pci_state *s = &x->state;
	struct wish *all = arena_alloc(&s->mem, (s->wishes + x->cmdline.claims + 1) * sizeof(*all));

	if (s->wishes)
		memcpy(all, s->wish, s->wishes * sizeof(*all));
	s->wish = all;
	return all;
}

/* The command line's claims are wishes beside the others. */
static void add_claims(struct early *x)
{
	struct pci_state *s = &x->state;
	struct wish *all = new_wishes(x);

	for (size_t i = 0; i < x->cmdline.claims; i++) {
		struct pci_addr a = x->cmdline.claim[i];
		size_t at = 0;

		while (at < s->wishes && (!all[at].addr_ok || pci_addr_cmp(all[at].addr, a) != 0))
			at++;
		if (at == s->wishes) {
			wish_of(&all[at], STORE_LOCAL, pci_object_name(&s->mem, x->node.name, a),
				wish_new(&x->node, &s->mem, a, "kernel command line", NULL),
				&s->mem);
			s->wishes++;
		}
		all[at].early = true;
	}
}

static void note(struct early *x, struct pci_addr a, const char *name, enum early_result result,
	enum reason reason, const char *message)
{
	char address[PCI_ADDR_CAP];

	early_report_set(&x->report, &x->mem,
		(struct early_function){.addr = a,
			.name = arena_dup(&x->mem, name, strlen(name)),
			.result = result,
			.reason = reason_name(reason),
			.message = arena_dup(&x->mem, message, strlen(message))});
	pci_addr_format(a, address);
	if (result == EARLY_REFUSED || result == EARLY_FAILED)
		pci_progress(
			&x->node, "%s: left alone: %s: %s", address, reason_name(reason), message);
}

static void note_unit(struct early *x, const struct unit *u, enum early_result result,
	enum reason reason, const char *message)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct member *m = &u->member[i];
		CLEANUP_ARENA struct arena mem = {0};

		note(x, m->dev->addr, pci_object_name(&mem, x->node.name, m->dev->addr), result,
			reason, message);
	}
}

/* No module to bind with: what has no driver is kept for it. */
static void set_overrides(struct early *x, const struct unit *u, const struct err *why)
{
	struct err e;

	for (size_t i = 0; i < u->n; i++) {
		if (u->member[i].dev->driver[0]) {
			note_unit(x, u, EARLY_FAILED, REASON_MODULE_MISSING, why->text);
			return;
		}
	}
	for (size_t i = 0; i < u->n; i++) {
		if (bind_reserve(x->node.root, u->member[i].dev->name, &e) < 0) {
			note_unit(x, u, EARLY_FAILED, REASON_BIND_FAILED, e.text);
			return;
		}
		pci_progress(
			&x->node, "%s: driver_override set to vfio-pci", u->member[i].dev->name);
	}
	note_unit(x, u, EARLY_OVERRIDE, REASON_PENDING,
		"driver_override is set, vfio-pci is not loaded yet");
}

static void take_unit(struct early *x, struct unit *u)
{
	struct err e = {0};

	for (size_t i = 0; i < u->n; i++)
		if (!u->member[i].kept)
			u->member[i].kept = pass_record(&x->state, &x->plan, &u->member[i]);
	if (bind_load_vfio(x->kmodules, &e) < 0)
		set_overrides(x, u, &e);
	else if (bind_group(&x->node, x->kmodules, u, &e) < 0)
		note_unit(x, u, EARLY_FAILED, REASON_BIND_FAILED, e.text);
	else
		note_unit(x, u, EARLY_BOUND, REASON_BOUND, "bound before a host driver");
}

static void take(struct early *x)
{
	plan_make(&x->plan, &x->state, NULL);
	for (size_t i = 0; i < x->plan.verdicts; i++) {
		const struct verdict *v = &x->plan.verdict[i];

		if (!v->accepted && v->wish->addr_ok)
			note(x, v->wish->addr, v->wish->name, EARLY_REFUSED, v->reason, v->message);
	}
	for (size_t i = 0; i < x->plan.units; i++)
		if (!x->plan.unit[i].release)
			take_unit(x, &x->plan.unit[i]);
	plan_free(&x->plan);
}

static void look(struct early *x)
{
	struct err e;

	if (pci_state_read(&x->state, &x->node, &e) < 0) {
		pci_progress(&x->node, "nothing is bound: %s", e.text);
		x->report.disabled =
			arena_printf(&x->mem, "the state could not be read: %s", e.text);
		return;
	}
	x->state.settled = false;
	add_claims(x);
	take(x);
	pci_state_free(&x->state);
}

/* Boots have failed since: what the first stage took goes back. */
static void give_back(struct early *x)
{
	struct err e;

	for (size_t i = 0; i < x->report.n; i++) {
		struct early_function *f = &x->report.function[i];
		char address[PCI_ADDR_CAP];

		if (!early_took(&x->report, f->addr))
			continue;
		pci_addr_format(f->addr, address);
		if (bind_undo_early(&x->node, address, &e) < 0) {
			pci_progress(&x->node, "%s: %s", address, e.text);
			continue;
		}
		f->result = EARLY_UNDONE;
		pci_progress(&x->node, "%s: given back", address);
	}
}

static void say_disabled(struct early *x, const char *why)
{
	x->report.disabled = why;
	pci_progress(&x->node, "nothing is bound: %s", why);
}

void early_run(const struct pci_node *n, const struct kmodules *k, int stage)
{
	struct early x = {.node = *n, .kmodules = k};
	uint64_t failed;
	struct err e;

	early_report_read(n, &x.mem, &x.report);
	x.report.stage = stage;
	x.report.disabled = NULL;
	take_name(&x);
	read_cmdline(&x);
	failed = stage == 2 ? count_boot(&x) : 0;
	if (x.cmdline.disabled) {
		say_disabled(&x, "vfiobox.disable is on the kernel command line");
	} else if (failed >= EARLY_MAX_FAILED_BOOTS) {
		give_back(&x);
		say_disabled(&x, arena_printf(&x.mem,
					 "turned itself off: the last %llu boots did not come up",
					 (unsigned long long)failed));
	} else {
		look(&x);
	}
	if (early_report_write(n, &x.report, &e) < 0)
		pci_progress(n, "%s", e.text);
	arena_free(&x.mem);
}
