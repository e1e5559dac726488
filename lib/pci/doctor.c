// SPDX-License-Identifier: GPL-2.0-or-later
// The look: what is read for all checks, their order, the findings.
#include "pci/doctor_impl.h"

#include "pci/object.h"

#include <errno.h>
#include <stdio.h>

enum { LISTED_MAX = 8, CMDLINE_MAX = 64 * 1024 };

static const char *const topics[] = {
#define X(id, name) [id] = name,
	DOCTOR_TOPICS(X)
#undef X
};

const char *doctor_topic_name(enum doctor_topic t)
{
	return topics[t];
}

const char *doctor_level_name(enum doctor_level l)
{
	static const char *const names[] = {
		[DOCTOR_PROBLEM] = "problem", [DOCTOR_NOTE] = "note", [DOCTOR_OK] = "ok"};

	return names[l];
}

static const char *copy(struct look *l, const char *text)
{
	return arena_dup(&l->out->mem, text, strlen(text));
}

static const char *format(struct look *l, const char *fmt, va_list ap) PRINTF(2, 0);
static const char *format(struct look *l, const char *fmt, va_list ap)
{
	CLEANUP_FREE char *text = mem_vprintf(fmt, ap);

	return copy(l, text);
}

void found(struct look *l, enum doctor_level level, enum doctor_topic topic, const char *subject,
	const char *fmt, ...)
{
	struct doctor *d = l->out;
	va_list ap;

	va_start(ap, fmt);
	d->finding = mem_resize(d->finding, (d->n + 1) * sizeof(*d->finding));
	d->finding[d->n++] =
		(struct finding){level, topic, copy(l, subject), format(l, fmt, ap), ""};
	va_end(ap);
}

void found_todo(struct look *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	l->out->finding[l->out->n - 1].todo = format(l, fmt, ap);
	va_end(ap);
}

ssize_t look_attribute(
	const struct look *l, const struct pci_dev *d, const char *name, char *out, size_t cap)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", d->name, name);
	return root_read(l->root, path, out, cap);
}

const struct member *look_member(const struct look *l, const struct pci_dev *d)
{
	const struct member *m = l->has_state ? plan_member(&l->plan, d->addr) : NULL;

	return m && m->wish ? m : NULL;
}

bool look_is_claimed(const struct look *l, const struct pci_dev *d)
{
	return l->has_state && (pci_state_wish(&l->state, d->addr) || look_member(l, d));
}

bool look_is_claimable(const struct look *l, const struct pci_dev *d)
{
	CLEANUP_ARENA struct arena mem = {0};

	return l->has_state && !look_is_claimed(l, d) && object_offer(&l->state, d, &mem).accepted;
}

int look_entries(
	const struct look *l, const char *dir, void (*each)(void *ctx, const char *name), void *ctx)
{
	DIR *d = root_opendir(l->root, dir);
	const struct dirent *entry;
	int no;

	if (!d)
		return -1;
	while (errno = 0, (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			each(ctx, entry->d_name);
	no = errno;
	closedir(d);
	errno = no;
	return no ? -1 : 0;
}

void listing_add(struct listing *s, const char *word)
{
	if (++s->n > LISTED_MAX) {
		s->more++;
		return;
	}
	buf_printf(&s->text, "%s%s", s->n > 1 ? ", " : "", word);
}

const char *listing_text(struct listing *s)
{
	if (s->more)
		buf_printf(&s->text, " and %zu more", s->more);
	s->more = 0;
	return buf_z(&s->text);
}

static void read_inventory(struct look *l)
{
	struct err e = {0};

	if (pci_scan(&l->inv, l->root, &e) < 0) {
		l->inv = (struct pci_inventory){0};
		found(l, DOCTOR_PROBLEM, TOPIC_INVENTORY, "", "%s", e.text);
		found_todo(l, "%s", e.hint[0] ? e.hint : "mount /sys below the root");
	} else {
		l->has_inventory = true;
		found(l, DOCTOR_OK, TOPIC_INVENTORY, "", "%zu PCI functions", l->inv.n);
	}
	l->by_group = arena_alloc(&l->out->mem, (l->inv.n + 1) * sizeof(*l->by_group));
	for (size_t i = 0; i < l->inv.n; i++)
		l->by_group[i] = &l->inv.dev[i];
	if (l->inv.n)
		qsort(l->by_group, l->inv.n, sizeof(*l->by_group), pci_by_group);
}

static void read_state(struct look *l)
{
	struct err e = {0};

	if (!l->has_inventory)
		return; /* said already */
	if (pci_state_read(&l->state, l->node, &e) < 0) {
		found(l, DOCTOR_PROBLEM, TOPIC_STATE, "", "%s: of the claims nothing can be said",
			e.text);
		found_todo(l, "%s",
			e.hint[0] ? e.hint : "nothing is bound or released until it can be read");
		return;
	}
	plan_make(&l->plan, &l->state, NULL);
	l->has_state = true;
}

static void read_cmdline(struct look *l)
{
	CLEANUP_BUF struct buf text = {.max = CMDLINE_MAX};

	if (root_slurp(l->root, "proc/cmdline", &text) < 0)
		buf_clear(&text);
	l->cmdline = copy(l, buf_z(&text));
}

static void sort(struct doctor *d)
{
	struct finding *sorted = mem_alloc((d->n + 1) * sizeof(*sorted));
	size_t n = 0;

	for (int level = DOCTOR_PROBLEM; level <= DOCTOR_OK; level++)
		for (size_t i = 0; i < d->n; i++)
			if ((int)d->finding[i].level == level)
				sorted[n++] = d->finding[i];
	free(d->finding);
	d->finding = sorted;
}

void doctor_look(struct doctor *d, const struct pci_node *n, const struct kmodules *k)
{
	struct look l = {.out = d, .node = n, .root = n->root, .kmodules = k};

	*d = (struct doctor){0};
	read_cmdline(&l);
	read_inventory(&l);
	read_state(&l);
	doctor_check_iommu(&l);
	doctor_check_remapping(&l);
	doctor_check_modules(&l);
	doctor_check_groups(&l);
	doctor_check_devices(&l);
	doctor_check_claims(&l);
	doctor_check_agents(&l);
	doctor_check_early(&l);
	sort(d);
	if (l.has_state) {
		plan_free(&l.plan);
		pci_state_free(&l.state);
	}
	pci_inventory_free(&l.inv);
}

void doctor_free(struct doctor *d)
{
	free(d->finding);
	arena_free(&d->mem);
	*d = (struct doctor){0};
}

bool doctor_has_problem(const struct doctor *d)
{
	return d->n && d->finding[0].level == DOCTOR_PROBLEM;
}
