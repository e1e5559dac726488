// SPDX-License-Identifier: GPL-2.0-or-later
// A driver as a program: standard input through drive() to standard output; exit 0 accepted,
// 1 refused, with the reason on standard error, 2 input or output failed.
#include "base/buf.h"

#include <stdio.h>

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why);

static int read_all(struct buf *b)
{
	char part[65536];
	size_t n;

	while ((n = fread(part, 1, sizeof(part), stdin)) > 0)
		buf_add(b, part, n);
	return ferror(stdin);
}

int main(void)
{
	CLEANUP_BUF struct buf input = {0};
	int refused;

	if (read_all(&input)) {
		perror("standard input");
		return 2;
	}
	refused =
		drive((const unsigned char *)(input.len ? input.p : ""), input.len, stdout, stderr);
	if (fflush(stdout) || ferror(stdout)) {
		perror("standard output");
		return 2;
	}
	return refused;
}
