// SPDX-License-Identifier: GPL-2.0-or-later
// Where the functions of our records are now.
#include "pci/resolve.h"

#include <stdio.h>

/* A function that may be what a record is of. */
struct candidate {
	const struct pci_dev *dev;
	enum identity_match match;
	size_t n; /* how many there are as good */
};

/* Is it the very function, as far as can be told. Without anything to tell by it is the address
 * that counts, as for records of before slots were kept. */
static bool is_it(const struct kept *k, const struct identity *now)
{
	switch (identity_compare(&k->id, now)) {
	case IDENTITY_SERIAL:
	case IDENTITY_SLOT:
		return true;
	case IDENTITY_MODEL:
		return !k->id.slot[0] || !now->slot[0];
	default:
		return false;
	}
}

static struct candidate find_elsewhere(struct pci_state *s, const struct kept *k)
{
	struct candidate best = {NULL, IDENTITY_OTHER, 0};

	for (size_t i = 0; i < s->inv.n; i++) {
		const struct pci_dev *d = &s->inv.dev[i];
		enum identity_match match;
		struct identity id;

		if (!kept_is_model(k, d) || pci_addr_cmp(d->addr, k->addr) == 0)
			continue;
		identity_read(s->node, d, &s->mem, &id);
		match = identity_compare(&k->id, &id);
		if (match > best.match)
			best = (struct candidate){d, match, 0};
		if (match != IDENTITY_OTHER && match == best.match)
			best.n++;
	}
	return best;
}

static void follow(struct kept *k, const struct pci_dev *d)
{
	k->addr = d->addr;
	k->moved = true;
}

/* The claim means the function of its record, in this pass and in all that come after it. */
static void point_wish(struct pci_state *s, const struct kept *k)
{
	for (size_t i = 0; i < s->wishes; i++)
		if (!strcmp(s->wish[i].name, k->name))
			s->wish[i].addr = k->addr;
}

static const char *what_sits_there(struct pci_state *s, const struct kept *k,
	const struct pci_dev *d, const struct identity *now, const struct candidate *c)
{
	const char *there, *elsewhere = "";

	if (kept_is_model(k, d))
		there = arena_printf(&s->mem,
			"%s is another %04x:%04x now (%s), the claim was for one with %s", d->name,
			d->vendor, d->device, identity_text(now, &s->mem),
			identity_text(&k->id, &s->mem));
	else
		there = arena_printf(&s->mem,
			"%s is %04x:%04x now, the claim was for %04x:%04x: another device sits at "
			"the address",
			d->name, d->vendor, d->device, k->id.vendor, k->id.device);
	if (c->dev)
		elsewhere = arena_printf(&s->mem,
			"; %s is of the claim's model, and nothing tells that it is the same "
			"device",
			c->dev->name);
	return arena_printf(&s->mem, "%s%s", there, elsewhere);
}

static bool is_there(
	struct pci_state *s, const struct kept *k, const struct pci_dev *d, struct identity *now)
{
	*now = (struct identity){.dsn = "", .nvme = "", .mac = "", .slot = ""};
	if (!d || !kept_is_model(k, d))
		return false;
	identity_read(s->node, d, &s->mem, now);
	return is_it(k, now);
}

static void resolve_one(struct pci_state *s, struct kept *k)
{
	const struct pci_dev *d = pci_find(&s->inv, k->addr);
	struct candidate c;
	struct identity now;

	if (is_there(s, k, d, &now))
		return;
	c = find_elsewhere(s, k);
	if (c.n == 1 && c.match >= IDENTITY_SLOT)
		follow(k, c.dev);
	else if (d)
		k->mismatch = what_sits_there(s, k, d, &now, &c);
}

void resolve_records(struct pci_state *s)
{
	for (size_t i = 0; i < s->kepts; i++) {
		struct kept *k = &s->kept[i];

		if (!k->readable)
			continue;
		resolve_one(s, k);
		if (pci_addr_cmp(k->addr, k->claim_addr) != 0)
			point_wish(s, k);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *resolve_group(const struct pci_state *s, int group, struct arena *mem)
{
	CLEANUP_BUF struct buf out = {0};
	const struct pci_dev *const *peer;
	size_t n = pci_state_group(s, group, &peer), kept = 0;
	const char **text = arena_alloc(mem, (n + 1) * sizeof(*text));

	for (size_t i = 0; i < n; i++)
		if (!pci_is_bridge(peer[i]))
			text[kept++] = arena_printf(mem, "%04x:%04x %s", peer[i]->vendor,
				peer[i]->device, identity_slot(s->node->root, peer[i], mem));
	qsort(text, kept, sizeof(*text), by_text);
	for (size_t i = 0; i < kept; i++) {
		if (i)
			buf_str(&out, ", ");
		buf_str(&out, text[i]);
	}
	return out.len ? arena_dup(mem, out.p, out.len) : "";
}

void resolve_group_mark(const char *members, char out[static GROUP_MARK_CAP])
{
	uint64_t h = 0xcbf29ce484222325u;

	for (const char *c = members; *c; c++)
		h = (h ^ (uint8_t)*c) * 0x100000001b3u;
	snprintf(out, GROUP_MARK_CAP, "%016llx", (unsigned long long)h);
}
