// SPDX-License-Identifier: GPL-2.0-or-later
// pci.ids and usb.ids: from text to table.
#include "ids/ids_text.h"

#include "base/utf8.h"

enum { NO_PARENT = -1 };

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

static bool is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_clean(struct str name)
{
	uint32_t cp;

	for (size_t i = 0, n; i < name.n; i += n) {
		n = utf8_decode(name.p + i, name.n - i, &cp);
		if (!n || (utf8_is_control(cp) && cp != '\t'))
			return false;
	}
	return true;
}

/* `digits` hex digits and a blank, or nothing behind them. */
static bool starts_with_id(struct str line, size_t digits)
{
	if (line.n < digits)
		return false;
	for (size_t i = 0; i < digits; i++)
		if (!is_hex_digit(line.p[i]))
			return false;
	return line.n == digits || line.p[digits] == ' ' || line.p[digits] == '\t';
}

/* "8086  Intel Corporation". NULL, or what is wrong. */
static const char *id_and_name(struct str line, size_t digits, int *id, struct str *name)
{
	uint64_t v;

	if (!starts_with_id(line, digits) || !str_hex((struct str){line.p, digits}, 0xffff, &v))
		return "no id";
	*id = (int)v;
	*name = str_trim((struct str){line.p + digits, line.n - digits});
	if (!name->n)
		return "an id without a name";
	return is_clean(*name) ? NULL : "a name with control characters, or not in UTF-8";
}

/* "HUT 01  Generic Desktop", "L 0001  Arabic": a section of usb.ids, or one to come. */
static bool is_foreign_section(struct str line)
{
	size_t i = 0;

	while (i < line.n && line.p[i] >= 'A' && line.p[i] <= 'Z')
		i++;
	return i > 0 && i < line.n && line.p[i] == ' ';
}

static const char *parent_line(struct ids_text *t, struct place *at, struct str line)
{
	bool class = str_starts(line, "C ");
	struct str name;
	const char *why;

	at->foreign = !class && !starts_with_id(line, 4) && is_foreign_section(line);
	if (at->foreign)
		return NULL;
	if (class)
		line = (struct str){line.p + 2, line.n - 2};
	why = id_and_name(line, class ? 2 : 4, &at->parent, &name);
	if (why)
		return why;
	if (at->usb)
		at->kind = class ? IDS_USB_CLASSES : IDS_USB_VENDORS;
	else
		at->kind = class ? IDS_PCI_CLASSES : IDS_PCI_VENDORS;
	add(t, at, IDS_NO_CHILD, name);
	return NULL;
}

static const char *child_line(struct ids_text *t, const struct place *at, struct str line)
{
	bool of_vendor = at->kind == IDS_PCI_VENDORS || at->kind == IDS_USB_VENDORS;
	struct str name;
	const char *why;
	int id;

	if (at->foreign)
		return NULL;
	if (at->parent == NO_PARENT)
		return "a device without a vendor";
	why = id_and_name(line, of_vendor ? 4 : 2, &id, &name);
	if (!why)
		add(t, at, id, name);
	return why;
}

/* NULL, or what is wrong with the line. */
static const char *one_line(struct ids_text *t, struct place *at, struct str line)
{
	if (line.n > IDS_MAX_LINE)
		return "over 1023 bytes";
	if (str_ends(line, "\r"))
		line.n--;
	if (!str_trim(line).n || line.p[0] == '#' || str_starts(line, "\t\t"))
		return NULL;
	if (line.p[0] == '\t')
		return child_line(t, at, (struct str){line.p + 1, line.n - 1});
	return parent_line(t, at, line);
}

int ids_text_add(struct ids_text *t, const char *p, size_t n, bool usb, struct err *e)
{
	struct place at = {.usb = usb, .parent = NO_PARENT};
	struct str rest = {p, n}, line;
	const char *why;

	if (n > IDS_MAX_TEXT - t->size)
		return err_set(e, "over 16 MiB");
	t->size += n;
	for (unsigned number = 1; rest.n && str_cut(&rest, '\n', &line); number++) {
		why = one_line(t, &at, line);
		if (why)
			return err_set(e, "line %u: %s", number, why);
	}
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

bool ids_text_word(struct str *name, struct str *word)
{
	size_t n = 0;

	while (n < name->n && name->p[n] == ' ')
		n++;
	while (n < name->n && name->p[n] != ' ')
		n++;
	*word = (struct str){name->p, n};
	*name = (struct str){name->p + n, name->n - n};
	return n > 0;
}

int ids_text_compare(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

static void put16(struct buf *b, unsigned v)
{
	buf_char(b, (char)(v & 0xff));
	buf_char(b, (char)(v >> 8 & 0xff));
}

static void put24(struct buf *b, uint32_t v)
{
	put16(b, v & 0xffff);
	buf_char(b, (char)(v >> 16 & 0xff));
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v & 0xffff);
	put16(b, v >> 16);
}

/* The words that have numbers, and all texts. */
struct texts {
	const struct str *word;
	size_t words;
	struct buf index; /* of the words */
	struct buf pool;
};

static void put_words(struct texts *x)
{
	for (size_t i = 0; i < x->words; i++) {
		put24(&x->index, (uint32_t)x->pool.len);
		buf_add(&x->pool, x->word[i].p, x->word[i].n);
		buf_char(&x->pool, 0);
	}
}

static void put_literal(struct buf *pool, struct str word)
{
	for (size_t i = 0; i < word.n; i++) {
		if ((unsigned char)word.p[i] >= IDS_WORD_CODE)
			buf_char(pool, IDS_LITERAL_CODE);
		buf_char(pool, word.p[i]);
	}
}

static void put_name(struct texts *x, struct str name)
{
	const struct str *known;
	struct str word;

	while (ids_text_word(&name, &word)) {
		known = x->words ? bsearch(&word, x->word, x->words, sizeof(word), ids_text_compare)
				 : NULL;
		if (!known) {
			put_literal(&x->pool, word);
			continue;
		}
		buf_char(&x->pool, (char)(IDS_WORD_CODE | (known - x->word) >> 8));
		buf_char(&x->pool, (char)((known - x->word) & 0xff));
	}
	buf_char(&x->pool, 0);
}

static int by_name(const void *a, const void *b)
{
	const struct ids_entry *x = *(struct ids_entry *const *)a,
			       *y = *(struct ids_entry *const *)b;
	int c = ids_text_compare(&x->name, &y->name);

	return c ? c : by_place(x, y);
}

/* Every text once, sorted; each entry learns where its own is. */
static void put_names(struct ids_text *t, struct texts *x)
{
	CLEANUP_FREE struct ids_entry **order = mem_alloc((t->n + 1) * sizeof(struct ids_entry *));

	for (size_t i = 0; i < t->n; i++)
		order[i] = &t->entry[i];
	if (t->n)
		qsort(order, t->n, sizeof(*order), by_name);
	for (size_t i = 0; i < t->n; i++) {
		if (i && str_eq(order[i]->name, order[i - 1]->name)) {
			order[i]->text = order[i - 1]->text;
			continue;
		}
		order[i]->text = (uint32_t)x->pool.len;
		put_name(x, order[i]->name);
	}
}

/* The records of one kind; a child stands behind its parent in what was gathered. */
struct records {
	struct buf parents, children;
	uint32_t n_parents, n_children;
};

static void put_records(const struct ids_text *t, enum ids_kind kind, struct records *r)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct ids_entry *x = &t->entry[i];

		if (x->kind != kind)
			continue;
		if (x->child == IDS_NO_CHILD) {
			put16(&r->parents, (unsigned)x->parent);
			put24(&r->parents, x->text);
			put24(&r->parents, r->n_children);
			r->n_parents++;
		} else {
			put16(&r->children, (unsigned)x->child);
			put24(&r->children, x->text);
			r->n_children++;
		}
	}
	put16(&r->parents, 0);
	put24(&r->parents, 0);
	put24(&r->parents, r->n_children);
}

static void put_table(
	struct buf *out, const struct records record[IDS_KINDS], const struct texts *x)
{
	size_t words = IDS_HEADER + IDS_KINDS * IDS_KIND_SIZE, at = words;

	for (int k = 0; k < IDS_KINDS; k++)
		words += record[k].parents.len + record[k].children.len;
	put32(out, IDS_MAGIC);
	put32(out, (uint32_t)(words + x->index.len + x->pool.len));
	put32(out, (uint32_t)words);
	put32(out, (uint32_t)x->words);
	put32(out, (uint32_t)(words + x->index.len));
	for (int k = 0; k < IDS_KINDS; k++) {
		put32(out, (uint32_t)at);
		put32(out, record[k].n_parents);
		at += record[k].parents.len;
		put32(out, (uint32_t)at);
		put32(out, record[k].n_children);
		at += record[k].children.len;
	}
	for (int k = 0; k < IDS_KINDS; k++) {
		buf_add(out, record[k].parents.p, record[k].parents.len);
		buf_add(out, record[k].children.p, record[k].children.len);
	}
	buf_add(out, x->index.p, x->index.len);
	buf_add(out, x->pool.p, x->pool.len);
}

int ids_text_table(
	struct ids_text *t, const struct str *word, size_t words, struct buf *out, struct err *e)
{
	struct texts x = {.word = word, .words = words};
	struct records record[IDS_KINDS] = {0};
	bool fits;

	keep_last(t);
	put_words(&x);
	put_names(t, &x);
	for (int k = 0; k < IDS_KINDS; k++)
		put_records(t, (enum ids_kind)k, &record[k]);
	fits = x.pool.len <= IDS_MAX_TEXTS;
	if (fits)
		put_table(out, record, &x);
	for (int k = 0; k < IDS_KINDS; k++) {
		buf_free(&record[k].parents);
		buf_free(&record[k].children);
	}
	buf_free(&x.index);
	buf_free(&x.pool);
	return fits ? 0 : err_set(e, "over 16 MiB of names");
}

void ids_text_free(struct ids_text *t)
{
	free(t->entry);
	*t = (struct ids_text){0};
}
