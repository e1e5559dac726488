// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the table of names when vfiobox is built:
//     mkids PCI.IDS USB.IDS OUT
// Words that many names share are written once, where that makes the table smaller.
#include "ids/ids_text.h"

#include <stdio.h>

struct words {
	struct str *word;
	size_t n, cap;
};

static void words_add(struct words *w, struct str word)
{
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 1024;
		w->word = mem_resize(w->word, w->cap * sizeof(*w->word));
	}
	w->word[w->n++] = word;
}

static void words_sort(struct words *w)
{
	if (w->n)
		qsort(w->word, w->n, sizeof(*w->word), ids_text_compare);
}

/* All words of all names, each name once, sorted. */
static void gather(const struct ids_text *names, struct words *all)
{
	struct words name = {0};
	struct str rest, word;

	for (size_t i = 0; i < names->n; i++)
		words_add(&name, names->entry[i].name);
	words_sort(&name);
	for (size_t i = 0; i < name.n; i++) {
		if (i && str_eq(name.word[i], name.word[i - 1]))
			continue;
		for (rest = name.word[i]; ids_text_word(&rest, &word);)
			words_add(all, word);
	}
	words_sort(all);
	free(name.word);
}

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= IDS_WORD_CODE)
			return false;
	return true;
}

/* A word costs its text, an end mark and an index entry; each use of it then two bytes. */
static bool pays(struct str word, size_t count, size_t least)
{
	return word.n > 2 && is_ascii(word) &&
	       count * (word.n - 2) >= word.n + 1 + IDS_WORD_SIZE + least;
}

/* Those of `all` that are worth a number, each once. */
static void choose(const struct words *all, size_t least, struct words *chosen)
{
	chosen->n = 0;
	for (size_t i = 0, end; i < all->n; i = end) {
		for (end = i + 1; end < all->n && str_eq(all->word[i], all->word[end]);)
			end++;
		if (pays(all->word[i], end - i, least))
			words_add(chosen, all->word[i]);
	}
}

static int make_table(struct ids_text *names, struct buf *table, struct err *e)
{
	struct words all = {0}, chosen = {0};
	size_t least = 1;
	int rc;

	gather(names, &all);
	do
		choose(&all, least++, &chosen);
	while (chosen.n > IDS_MAX_WORDS);
	rc = ids_text_table(names, chosen.word, chosen.n, table, e);
	free(all.word);
	free(chosen.word);
	return rc;
}

static int read_file(const char *path, struct buf *b, struct err *e)
{
	FILE *f = fopen(path, "rb");
	bool failed;
	size_t n;

	if (!f)
		return err_sys(e, "open %s", path);
	while ((n = fread(buf_room(b, 65536), 1, 65536, f)) > 0)
		b->len += n;
	failed = ferror(f) != 0;
	fclose(f);
	return failed ? err_sys(e, "read %s", path) : 0;
}

static int write_file(const char *path, const struct buf *b, struct err *e)
{
	FILE *f = fopen(path, "wb");
	bool written;

	if (!f)
		return err_sys(e, "open %s", path);
	written = fwrite(b->p, 1, b->len, f) == b->len;
	if (fclose(f) != 0 || !written)
		return err_sys(e, "write %s", path);
	return 0;
}

static int add_file(
	struct ids_text *names, const char *path, struct buf *text, bool usb, struct err *e)
{
	if (read_file(path, text, e) < 0)
		return -1;
	if (ids_text_add(names, text->p, text->len, usb, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

static int make(char **argv, struct err *e)
{
	CLEANUP_BUF struct buf pci = {0}, usb = {0}, table = {0};
	struct ids_text names = {0};
	int rc = 0;

	if (add_file(&names, argv[1], &pci, false, e) < 0 ||
		add_file(&names, argv[2], &usb, true, e) < 0 || make_table(&names, &table, e) < 0)
		rc = -1;
	ids_text_free(&names);
	return rc < 0 ? -1 : write_file(argv[3], &table, e);
}

int main(int argc, char **argv)
{
	struct err e;

	if (argc != 4) {
		fprintf(stderr, "usage: mkids PCI.IDS USB.IDS OUT\n");
		return 2;
	}
	if (make(argv, &e) < 0) {
		fprintf(stderr, "mkids: %s\n", e.text);
		return 1;
	}
	return 0;
}
