// SPDX-License-Identifier: GPL-2.0-or-later
// The built-in table of names: lines of "vvvv:dddd cccc" give the resource name and the
// description, separated by a tab.
#include "drive.h"
#include "ids/names.h"

static bool read_line(struct str line, uint64_t id[3])
{
	struct str vendor, ids;

	return str_word(&line, &ids) && str_cut(&ids, ':', &vendor) && ids.p &&
	       str_hex(vendor, 0xffff, &id[0]) && str_hex(ids, 0xffff, &id[1]) &&
	       str_hex(str_trim(line), 0xffff, &id[2]);
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct str rest = {(const char *)data, len}, line;
	struct ids ids;

	ids_builtin(&ids);
	while (rest.n && str_cut(&rest, '\n', &line)) {
		CLEANUP_BUF struct buf text = {0};
		uint64_t id[3];

		if (!read_line(line, id)) {
			fprintf(why, "no line of vvvv:dddd cccc\n");
			return 1;
		}
		pci_resource_name(&text, &ids, (uint16_t)id[0], (uint16_t)id[1]);
		buf_char(&text, '\t');
		pci_description(&text, &ids, (uint16_t)id[2], (uint16_t)id[0], (uint16_t)id[1]);
		buf_char(&text, '\n');
		fwrite(text.p, 1, text.len, out);
	}
	return 0;
}
