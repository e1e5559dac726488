// SPDX-License-Identifier: GPL-2.0-or-later
// The text of pci.ids and usb.ids becomes the table: at build time, and for --ids FILE.
#ifndef IDS_IDS_TEXT_H
#define IDS_IDS_TEXT_H

#include "base/buf.h"
#include "base/err.h"

/* Gathers names; `{0}` to start with, ids_text_free() at the end. Names are borrowed from the texts
 * until ids_text_table(). */
struct ids_entry;
struct ids_text {
	struct ids_entry *entry;
	size_t n, cap;
};

enum { IDS_MAX_TEXT = 16 * 1024 * 1024 };

/* Reads one file; `usb`: it is usb.ids. Vendors, devices, classes, subclasses; what lies a level
 * deeper (subsystems, interfaces) and sections of other things (languages, HID usages) are passed
 * over. Of an id that comes twice the last name counts. -1: "line N: why". */
int ids_text_add(struct ids_text *t, const char *p, size_t n, bool usb, struct err *e);

/* The table of all that was gathered; the same bytes for the same names. */
void ids_text_table(struct ids_text *t, struct buf *out);
void ids_text_free(struct ids_text *t);

#endif
