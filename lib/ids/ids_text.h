// SPDX-License-Identifier: GPL-2.0-or-later
// The text of pci.ids and usb.ids becomes the table: at build time, and for --ids FILE.
#ifndef IDS_IDS_TEXT_H
#define IDS_IDS_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "ids/ids_table.h"

enum { IDS_NO_CHILD = -1 };

/* A name: of a parent (vendor, class; child == IDS_NO_CHILD) or of a child (device, subclass). */
struct ids_entry {
	enum ids_kind kind;
	int parent, child;
	struct str name;
	uint32_t order; /* in which it came */
	uint32_t text;  /* where it is in the table */
};

/* Gathers names; `{0}` to start with, ids_text_free() at the end. Names are borrowed from the texts
 * until ids_text_table(). */
struct ids_text {
	struct ids_entry *entry;
	size_t n, cap;
	size_t size; /* of the texts */
};

enum {
	IDS_MAX_TEXT = 16 * 1024 * 1024, /* in all */
	IDS_MAX_LINE = 1023,             /* libpci takes no longer one (lib/names-parse.c) */
};

/* Reads one file; `usb`: it is usb.ids. Vendors, devices, classes, subclasses; what lies a level
 * deeper (subsystems, interfaces) and sections of other things (languages, HID usages) are passed
 * over; a vendor that has no device stands too. Of an id that comes twice the last name counts, and
 * the children of both. Lines need no order. -1: "line N: why" where a line is neither. */
int ids_text_add(struct ids_text *t, const char *p, size_t n, bool usb, struct err *e);

/* Cuts the next word off a name, with the blanks before it; false at the end. */
bool ids_text_word(struct str *name, struct str *word);
/* Order of bytes, of two `struct str`, for qsort() and bsearch(). */
int ids_text_compare(const void *a, const void *b);

/* The table of all that was gathered, appended; the same bytes for the same names. `word`: those to
 * have numbers, in the order of ids_text_compare(), each once, in ASCII, at most IDS_MAX_WORDS. -1:
 * more than the table can hold. */
int ids_text_table(
	struct ids_text *t, const struct str *word, size_t words, struct buf *out, struct err *e);
void ids_text_free(struct ids_text *t);

#endif
