// SPDX-License-Identifier: GPL-2.0-or-later
// pci.ids and usb.ids: from text to table.
#include "ids/ids_text.h"

#include "ids/ids_table.h"

enum { NONE = -1 };

/* A name: of a parent (child == NONE) or of a child. */
struct ids_entry {
	enum ids_kind kind;
	int parent, child;
	struct str name;
	uint32_t order; /* in which it came: the last of its like counts */
	uint32_t at;    /* where its text is in the table */
};

/* Where the reader is. */
struct place {
	bool usb, foreign; /* foreign: below a section that is not ours */
	enum ids_kind kind;
	int parent;
};

static void add(struct ids_text *t, const struct place *at, int child, struct str name)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 1024;
		t->entry = mem_resize(t->entry, t->cap * sizeof(*t->entry));
	}
	t->entry[t->n] = (struct ids_entry){at->kind, at->parent, child, name, (uint32_t)t->n, 0};
	t->n++;
}

/* "8086  Intel Corporation": `digits` hex digits, blanks, a name. */
static bool id_and_name(struct str line, size_t digits, int *id, struct str *name)
{
	uint64_t v;

	if (line.n <= digits || (line.p[digits] != ' ' && line.p[digits] != '\t'))
		return false;
	for (size_t i = 0; i < digits; i++)
		if (line.p[i] == 'x' || line.p[i] == 'X')
			return false;
	if (!str_hex((struct str){line.p, digits}, 0xffff, &v))
		return false;
	*name = str_trim((struct str){line.p + digits, line.n - digits});
	*id = (int)v;
	return name->n > 0 && name->n <= UINT16_MAX;
}

/* "HUT 01  Generic Desktop", "L 0001  Arabic": a section of usb.ids, or one to come. */
static bool is_foreign_section(struct str line)
{
	size_t i = 0;

	while (i < line.n && line.p[i] >= 'A' && line.p[i] <= 'Z')
		i++;
	return i > 0 && i < line.n && line.p[i] == ' ';
}

static bool top_line(struct ids_text *t, struct place *at, struct str line)
{
	struct str name;

	at->foreign = false;
	if (str_starts(line, "C ")) {
		at->kind = at->usb ? IDS_USB_CLASSES : IDS_PCI_CLASSES;
		line = (struct str){line.p + 2, line.n - 2};
		if (!id_and_name(line, 2, &at->parent, &name))
			return false;
	} else if (id_and_name(line, 4, &at->parent, &name)) {
		at->kind = at->usb ? IDS_USB_VENDORS : IDS_PCI_VENDORS;
	} else {
		at->foreign = is_foreign_section(line);
		return at->foreign;
	}
	add(t, at, NONE, name);
	return true;
}

static bool child_line(struct ids_text *t, const struct place *at, struct str line)
{
	bool of_vendor = at->kind == IDS_PCI_VENDORS || at->kind == IDS_USB_VENDORS;
	struct str name;
	int id;

	if (at->foreign)
		return true;
	if (at->parent == NONE || !id_and_name(line, of_vendor ? 4 : 2, &id, &name))
		return false;
	add(t, at, id, name);
	return true;
}

static bool one_line(struct ids_text *t, struct place *at, struct str line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (!str_trim(line).n || line.p[0] == '#' || str_starts(line, "\t\t"))
		return true;
	if (line.p[0] == '\t')
		return child_line(t, at, (struct str){line.p + 1, line.n - 1});
	return top_line(t, at, line);
}

int ids_text_add(struct ids_text *t, const char *p, size_t n, bool usb, struct err *e)
{
	struct place at = {.usb = usb, .parent = NONE};
	struct str rest = {p, n}, line;

	if (n > IDS_MAX_TEXT)
		return err_set(e, "over 16 MiB");
	for (unsigned number = 1; rest.n && str_cut(&rest, '\n', &line); number++)
		if (!one_line(t, &at, line))
			return err_set(e, "line %u: no id and name", number);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct ids_entry *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->child != y->child)
		return x->child < y->child ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static bool same_place(const struct ids_entry *x, const struct ids_entry *y)
{
	return x->kind == y->kind && x->parent == y->parent && x->child == y->child;
}

static void keep_last(struct ids_text *t)
{
	size_t n = 0;

	if (t->n)
		qsort(t->entry, t->n, sizeof(*t->entry), by_place);
	for (size_t i = 0; i < t->n; i++)
		if (i + 1 == t->n || !same_place(&t->entry[i], &t->entry[i + 1]))
			t->entry[n++] = t->entry[i];
	t->n = n;
}

static int by_name(const void *a, const void *b)
{
	const struct ids_entry *x = *(struct ids_entry *const *)a,
			       *y = *(struct ids_entry *const *)b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = memcmp(x->name.p, y->name.p, n);

	if (c)
		return c;
	return x->name.n < y->name.n ? -1 : x->name.n > y->name.n;
}

/* Every text once, sorted; each entry learns where its own is. */
static void pool_names(struct ids_text *t, struct buf *pool, uint32_t base)
{
	CLEANUP_FREE struct ids_entry **order = mem_alloc((t->n + 1) * sizeof(struct ids_entry *));

	for (size_t i = 0; i < t->n; i++)
		order[i] = &t->entry[i];
	if (t->n)
		qsort(order, t->n, sizeof(*order), by_name);
	for (size_t i = 0; i < t->n; i++) {
		if (i && str_eq(order[i]->name, order[i - 1]->name)) {
			order[i]->at = order[i - 1]->at;
			continue;
		}
		order[i]->at = base + (uint32_t)pool->len;
		buf_add(pool, order[i]->name.p, order[i]->name.n);
	}
}

static void put16(struct buf *b, unsigned v)
{
	buf_char(b, (char)(v & 0xff));
	buf_char(b, (char)(v >> 8 & 0xff));
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v & 0xffff);
	put16(b, v >> 16);
}

/* A child whose parent has no name of its own is left out: it could not be found. */
struct count {
	uint32_t parents, children;
};

static void drop_orphans(struct ids_text *t, struct count count[IDS_KINDS])
{
	const struct ids_entry *parent = NULL;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct ids_entry *x = &t->entry[i];

		if (x->child == NONE) {
			parent = x;
			count[x->kind].parents++;
		} else if (parent && parent->kind == x->kind && parent->parent == x->parent) {
			count[x->kind].children++;
		} else {
			continue;
		}
		t->entry[n] = *x;
		if (x == parent)
			parent = &t->entry[n];
		n++;
	}
	t->n = n;
}

static void put_parents(const struct ids_text *t, struct buf *out, enum ids_kind kind)
{
	uint32_t children = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct ids_entry *x = &t->entry[i];

		if (x->kind != kind)
			continue;
		if (x->child != NONE) {
			children++;
			continue;
		}
		put32(out, x->at);
		put16(out, (unsigned)x->parent);
		put16(out, (unsigned)x->name.n);
		put32(out, children);
	}
	put32(out, 0);
	put16(out, 0);
	put16(out, 0);
	put32(out, children);
}

static void put_children(const struct ids_text *t, struct buf *out, enum ids_kind kind)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct ids_entry *x = &t->entry[i];

		if (x->kind != kind || x->child == NONE)
			continue;
		put32(out, x->at);
		put16(out, (unsigned)x->child);
		put16(out, (unsigned)x->name.n);
	}
}

void ids_text_table(struct ids_text *t, struct buf *out)
{
	CLEANUP_BUF struct buf pool = {0};
	struct count count[IDS_KINDS] = {0};
	uint32_t at = IDS_HEADER + IDS_KINDS * IDS_KIND_SIZE, names = at;

	keep_last(t);
	drop_orphans(t, count);
	for (int k = 0; k < IDS_KINDS; k++)
		names += (count[k].parents + 1) * IDS_PARENT_SIZE +
			 count[k].children * IDS_CHILD_SIZE;
	pool_names(t, &pool, names);
	put32(out, IDS_MAGIC);
	put32(out, names + (uint32_t)pool.len);
	for (int k = 0; k < IDS_KINDS; k++) {
		put32(out, at);
		put32(out, count[k].parents);
		at += (count[k].parents + 1) * IDS_PARENT_SIZE;
		put32(out, at);
		put32(out, count[k].children);
		at += count[k].children * IDS_CHILD_SIZE;
	}
	for (int k = 0; k < IDS_KINDS; k++) {
		put_parents(t, out, (enum ids_kind)k);
		put_children(t, out, (enum ids_kind)k);
	}
	buf_add(out, pool.p, pool.len);
}

void ids_text_free(struct ids_text *t)
{
	free(t->entry);
	*t = (struct ids_text){0};
}
