// SPDX-License-Identifier: GPL-2.0-or-later
// A command line, an argument a line: what the shared parser makes of it.
#include "base/cli.h"
#include "drive.h"

enum { MAX_WORDS = 64 };

static int split(char *text, size_t len, char **argv)
{
	struct str rest = {text, len}, word;
	int n = 0;

	argv[n++] = text + len; /* the empty name of the program */
	while (rest.n && n < MAX_WORDS && str_cut(&rest, '\n', &word)) {
		text[word.p - text + (ptrdiff_t)word.n] = 0;
		argv[n++] = text + (word.p - text);
	}
	argv[n] = NULL;
	return n;
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_FREE char *text = mem_dup((const char *)data, len);
	char *argv[MAX_WORDS + 1];
	const char *timeout, *groups;
	const struct cli_option own[] = {
		{"timeout", true, "claim release", &timeout},
		{"groups", false, "list", &groups},
	};
	struct cli c;
	struct err e;

	if (cli_parse(&c, split(text, len, argv), argv, own, ARRAY_LEN(own), &e) < 0) {
		fprintf(why, "%s\n", e.text);
		return 1;
	}
	fprintf(out, "verb=%s args=%d root=%s node=%s output=%d\n", c.verb ? c.verb : "", c.args,
		c.root, c.node ? c.node : "", (int)c.output);
	return 0;
}
