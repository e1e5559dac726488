// SPDX-License-Identifier: GPL-2.0-or-later
// Aligned text tables.
#include "base/table.h"

#include "base/utf8.h"

void table_free(struct table *t)
{
	arena_free(&t->mem);
	free(t->cell);
	*t = (struct table){0};
}

static char *harmless(struct arena *a, const char *text)
{
	size_t n = strlen(text), to = 0;
	char *copy = arena_dup(a, text, n);
	uint32_t cp;

	while (n) {
		size_t len = utf8_decode(text, n, &cp);

		if (!len || utf8_is_control(cp)) {
			copy[to++] = '?';
			len = len ? len : 1;
		} else {
			memcpy(copy + to, text, len);
			to += len;
		}
		text += len;
		n -= len;
	}
	copy[to] = 0;
	return copy;
}

void table_cell(struct table *t, const char *text)
{
	char *copy = harmless(&t->mem, text);

	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->cell = mem_resize(t->cell, t->cap * sizeof(*t->cell));
	}
	t->cell[t->n++] = copy;
}

void table_head(struct table *t, const char *const *names, size_t columns)
{
	t->columns = columns;
	for (size_t i = 0; i < columns; i++)
		table_cell(t, names[i]);
}

static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *t, struct buf *out)
{
	size_t *width = mem_alloc(t->columns * sizeof(*width));

	for (size_t i = 0; i < t->n; i++) {
		size_t w = width_of(t->cell[i]);

		if (w > width[i % t->columns])
			width[i % t->columns] = w;
	}
	for (size_t i = 0; i < t->n; i++) {
		size_t col = i % t->columns;

		buf_str(out, t->cell[i]);
		if (col + 1 < t->columns)
			buf_pad(out, ' ', width[col] + 2 - width_of(t->cell[i]));
		else
			buf_char(out, '\n');
		while (col + 1 == t->columns && out->len > 1 && out->p[out->len - 2] == ' ') {
			out->p[out->len - 2] = '\n';
			out->len--;
		}
	}
	free(width);
}
