// SPDX-License-Identifier: GPL-2.0-or-later
// Makes the table of names when vfiobox is built:
//     mkids PCI.IDS USB.IDS OUT
#include "ids/ids_text.h"

#include <stdio.h>

static int read_file(const char *path, struct buf *b, struct err *e)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		return err_sys(e, "open %s", path);
	while ((n = fread(buf_room(b, 65536), 1, 65536, f)) > 0)
		b->len += n;
	fclose(f);
	return 0;
}

static int write_file(const char *path, const struct buf *b, struct err *e)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		return err_sys(e, "open %s", path);
	if (fwrite(b->p, 1, b->len, f) != b->len || fclose(f) != 0)
		return err_sys(e, "write %s", path);
	return 0;
}

static int make(char **argv, struct err *e)
{
	CLEANUP_BUF struct buf pci = {0}, usb = {0}, table = {0};
	struct ids_text names = {0};

	if (read_file(argv[1], &pci, e) < 0 || read_file(argv[2], &usb, e) < 0)
		return -1;
	if (ids_text_add(&names, pci.p, pci.len, false, e) < 0)
		return err_wrap(e, "%s", argv[1]);
	if (ids_text_add(&names, usb.p, usb.len, true, e) < 0)
		return err_wrap(e, "%s", argv[2]);
	ids_text_table(&names, &table);
	ids_text_free(&names);
	return write_file(argv[3], &table, e);
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
