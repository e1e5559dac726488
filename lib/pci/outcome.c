// SPDX-License-Identifier: GPL-2.0-or-later
// How an order came out.
#include "pci/outcome.h"

#include "pci/object.h"
#include "pci/session.h"

#include <poll.h>

enum { LOOK_AGAIN_MS = 100 };

/* A claim as it is observed. */
struct seen {
	const char *name;
	const struct json *object;
};

struct view {
	const struct pci_node *node;
	struct arena *mem;
	struct seen *claim;
	size_t n;
};

static int view_read(struct view *v, const struct pci_node *n, struct arena *mem, struct err *e)
{
	char **names;

	*v = (struct view){.node = n, .mem = mem};
	if (store_list(n->store, STORE_OBSERVED, PLURAL_CLAIMS, mem, &names, &v->n, e) < 0)
		return -1;
	v->claim = arena_alloc(mem, (v->n + 1) * sizeof(*v->claim));
	for (size_t i = 0; i < v->n; i++) {
		struct json *object = NULL;
		struct err ignored; /* it may go while it is read */

		store_read(
			n->store, STORE_OBSERVED, PLURAL_CLAIMS, names[i], mem, &object, &ignored);
		v->claim[i] = (struct seen){names[i], object};
	}
	return 0;
}

static const struct json *claim_of(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->claim[i].name, name))
			return v->claim[i].object;
	return NULL;
}

static bool is_true(const struct json *condition)
{
	return str_is(json_str(json_get(condition, "status")), "True");
}

static bool has_reason(const struct json *condition, enum reason r)
{
	return str_is(json_str(json_get(condition, "reason")), reason_name(r));
}

static const char *text_of(const struct json *object, const char *key)
{
	const char *z = json_z(json_get(object, key));

	return z ? z : "";
}

static const char *address_of(const struct json *claim)
{
	return text_of(json_get(claim, "spec"), "address");
}

/* What a condition that is not true says. */
static void set_why(struct outcome *o, const struct json *claim, const struct json *condition)
{
	enum reason r;
	bool waits = !reason_parse(json_str(json_get(condition, "reason")), &r) || reason_waits(r);

	o->kind = waits ? OUTCOME_WAITS : OUTCOME_FAILED;
	o->what = address_of(claim);
	o->reason = text_of(condition, "reason");
	o->message = text_of(condition, "message");
}

/* The claim on disk is the one that was looked at. */
static bool is_current(const struct view *v, const char *name, const struct json *claim)
{
	static const enum store_tree trees[] = {STORE_CLUSTER, STORE_LOCAL};
	struct json *wish = NULL;
	struct err ignored;

	for (size_t i = 0; i < ARRAY_LEN(trees) && !wish; i++)
		store_read(v->node->store, trees[i], PLURAL_CLAIMS, name, v->mem, &wish, &ignored);
	return wish && json_equal(json_get(wish, "spec"), json_get(claim, "spec")) &&
	       json_equal(json_path(wish, "metadata", "uid", NULL),
		       json_path(claim, "metadata", "uid", NULL)) &&
	       json_equal(json_path(wish, "metadata", "annotations", NULL),
		       json_path(claim, "metadata", "annotations", NULL));
}

static void look_at_claim(const struct view *v, const char *name, struct outcome *o)
{
	const struct json *claim = claim_of(v, name);
	const struct json *accepted = object_find_condition(claim, COND_ACCEPTED);
	const struct json *bound = object_find_condition(claim, COND_BOUND);

	if (!claim || !is_current(v, name, claim))
		return;
	set_why(o, claim, bound);
	if (is_true(accepted) && is_true(bound)) {
		o->kind = OUTCOME_DONE;
		o->skipped = has_reason(bound, REASON_BINDING_SKIPPED);
	} else if (accepted && !is_true(accepted)) {
		set_why(o, claim, accepted);
		o->kind = OUTCOME_REFUSED;
	}
}

/* The function itself, and those that came with it and wait to be given back. */
static void look_at_release(const struct view *v, const char *name, struct outcome *o)
{
	o->kind = OUTCOME_DONE;
	for (size_t i = 0; i < v->n; i++) {
		const struct json *claim = v->claim[i].object;
		const struct json *released = object_find_condition(claim, COND_RELEASED);
		const char *from = object_claim_origin(claim);
		bool own = !strcmp(v->claim[i].name, name);

		if (released && (own || !strcmp(from, name))) {
			set_why(o, claim, released);
			return;
		}
		if (own && !from[0]) /* still as it was claimed */
			o->kind = OUTCOME_WAITS;
		else if (own)
			o->with = address_of(claim_of(v, from));
	}
}

static int look(const struct pci_node *n, enum order_kind kind, struct outcome *out, size_t count,
	struct arena *mem, struct err *e)
{
	struct view v;

	if (view_read(&v, n, mem, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct outcome *o = &out[i];

		*o = (struct outcome){
			.addr = o->addr, .name = o->name, .what = "", .reason = "", .message = ""};
		if (kind == ORDER_CLAIM)
			look_at_claim(&v, o->name, o);
		else
			look_at_release(&v, o->name, o);
	}
	return 0;
}

static const struct outcome *first_waiting(const struct outcome *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (out[i].kind == OUTCOME_WAITS)
			return &out[i];
	return NULL;
}

/* What keeps a release waiting and is in no condition. */
static int say_what_holds(const struct pci_node *n, struct outcome *out, size_t count,
	struct arena *mem, struct err *e)
{
	struct pci_state s;
	struct plan p;

	if (pci_state_read(&s, n, e) < 0)
		return -1;
	plan_make(&p, &s, NULL);
	for (size_t i = 0; i < count && p.releases_held; i++)
		if (out[i].kind == OUTCOME_WAITS && !out[i].message[0])
			out[i].message = arena_printf(mem, "nothing is released: %s", p.held_why);
	plan_free(&p);
	pci_state_free(&s);
	return 0;
}

static void tell_wait(const struct pci_node *n, const struct outcome *o, int64_t left, bool *told)
{
	if (*told || !o->message[0])
		return;
	pci_progress(n, "%s; waiting up to %lld s", o->message, (long long)(left + 999) / 1000);
	*told = true;
}

int await_orders(const struct pci_node *n, const struct kmodules *k, enum order_kind kind,
	const char *const *name, const struct pci_addr *a, size_t count, int timeout_ms,
	struct arena *mem, struct outcome *out, struct err *e)
{
	int64_t deadline = session_clock() + timeout_ms;
	bool told = false, held;

	for (size_t i = 0; i < count; i++)
		out[i] = (struct outcome){.addr = a[i], .name = name[i]};
	for (;;) {
		const struct outcome *waiting;
		int64_t left;

		arena_free(mem);
		if (session_try(n, k, &held, e) < 0 || look(n, kind, out, count, mem, e) < 0)
			return -1;
		waiting = first_waiting(out, count);
		left = deadline - session_clock();
		if (!waiting)
			return 0;
		if (left <= 0 || (held && kind == ORDER_RELEASE))
			return kind == ORDER_RELEASE ? say_what_holds(n, out, count, mem, e) : 0;
		tell_wait(n, waiting, left, &told);
		poll(NULL, 0, left < LOOK_AGAIN_MS ? (int)left : LOOK_AGAIN_MS);
	}
}
