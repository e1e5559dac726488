// SPDX-License-Identifier: GPL-2.0-or-later
// The built-in table of names, asked line by line; answers are separated by tabs, in the order of
// the questions, and empty where the table knows no name:
//     vvvv:dddd cccc   resource name, description of a PCI function of that class
//     usb vvvv:pppp    the USB vendor's name, the product's name
//     usb cc           the USB class's name
#include "drive.h"
#include "ids/names.h"

static bool read_pair(struct str text, uint64_t pair[2])
{
	struct str first;

	return str_cut(&text, ':', &first) && text.p && str_hex(first, 0xffff, &pair[0]) &&
	       str_hex(text, 0xffff, &pair[1]);
}

static void add_name(struct buf *out, struct str name)
{
	if (name.n)
		buf_add(out, name.p, name.n);
}

static bool answer_pci(const struct ids *ids, struct str pair, struct str class, struct buf *out)
{
	uint64_t id[2], class_id;

	if (!read_pair(pair, id) || !str_hex(class, 0xffff, &class_id))
		return false;
	pci_resource_name(out, ids, (uint16_t)id[0], (uint16_t)id[1]);
	buf_char(out, '\t');
	pci_description(out, ids, (uint16_t)class_id, (uint16_t)id[0], (uint16_t)id[1]);
	return true;
}

static bool answer_usb(const struct ids *ids, struct str what, struct buf *out)
{
	struct ids_name room;
	uint64_t id[2], class;

	if (read_pair(what, id)) {
		add_name(out, ids_usb_vendor(ids, (uint16_t)id[0], &room));
		buf_char(out, '\t');
		add_name(out, ids_usb_product(ids, (uint16_t)id[0], (uint16_t)id[1], &room));
		return true;
	}
	if (!str_hex(what, 0xff, &class))
		return false;
	add_name(out, ids_usb_class(ids, (uint8_t) class, &room));
	return true;
}

static bool answer(const struct ids *ids, struct str line, struct buf *out)
{
	struct str first;

	if (!str_word(&line, &first))
		return false;
	line = str_trim(line);
	if (str_is(first, "usb"))
		return answer_usb(ids, line, out);
	return answer_pci(ids, first, line, out);
}

int drive(const unsigned char *data, size_t len, FILE *out, FILE *why)
{
	struct str rest = {(const char *)data, len}, line;
	CLEANUP_BUF struct buf text = {0};
	struct ids ids;

	ids_builtin(&ids);
	for (unsigned number = 1; rest.n && str_cut(&rest, '\n', &line); number++) {
		if (!answer(&ids, line, &text)) {
			fprintf(why, "line %u: not vvvv:dddd cccc, usb vvvv:pppp, usb cc\n",
				number);
			return 1;
		}
		buf_char(&text, '\n');
	}
	if (text.len)
		fwrite(text.p, 1, text.len, out);
	return 0;
}
