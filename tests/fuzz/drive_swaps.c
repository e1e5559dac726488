// SPDX-License-Identifier: GPL-2.0-or-later
// Driver of the parser of /proc/swaps: prints type and path of each.
#include "drive.h"
#include "pci/mountinfo.h"

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	CLEANUP_ARENA struct arena mem = {0};
	struct swap *swap;
	struct err e;
	size_t n;

	if (swaps_parse(&mem, &swap, &n, (struct str){(const char *)data, len}, &e) < 0) {
		fprintf(why, "%s\n", e.text);
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s %s\n", swap[i].is_file ? "file" : "partition", swap[i].path);
	return 0;
}
