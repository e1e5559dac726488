// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel command line says to vfiobox.
#include "pci/cmdline.h"

#include <stdio.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The next word, quotes and all; false at the end. */
static bool next_word(struct str *rest, struct str *word)
{
	bool quoted = false;
	size_t n = 0;

	while (rest->n && is_blank(rest->p[0])) {
		rest->p++;
		rest->n--;
	}
	while (n < rest->n && (quoted || !is_blank(rest->p[n])))
		quoted ^= rest->p[n++] == '"';
	*word = (struct str){rest->p, n};
	rest->p += n;
	rest->n -= n;
	return n > 0;
}

static struct str unquoted(struct str s)
{
	if (s.n && s.p[0] == '"') {
		s.p++;
		s.n--;
	}
	if (s.n && s.p[s.n - 1] == '"')
		s.n--;
	return s;
}

static void note_bad(struct cmdline *c, struct str address)
{
	if (!c->bad[0])
		snprintf(c->bad, sizeof(c->bad), "%.*s", STR_ARG(address));
}

static void add_claims(struct cmdline *c, struct str list)
{
	struct str one;

	while (list.n && str_cut(&list, ',', &one)) {
		if (c->claims == CMDLINE_MAX_CLAIMS ||
			!pci_addr_parse_short(one, &c->claim[c->claims]))
			note_bad(c, one);
		else
			c->claims++;
	}
}

void cmdline_parse(struct cmdline *c, struct str text)
{
	struct str word, key;

	*c = (struct cmdline){0};
	while (next_word(&text, &word) && !str_is(word, "--")) {
		word = unquoted(word);
		if (!str_cut(&word, '=', &key))
			continue;
		if (str_is(key, "vfiobox.disable"))
			c->disabled = !word.p || !str_is(unquoted(word), "0");
		else if (str_is(key, "vfiobox.claim") && word.p)
			add_claims(c, unquoted(word));
	}
}
