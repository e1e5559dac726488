// SPDX-License-Identifier: GPL-2.0-or-later
// Aligned text tables: columns stay under their heads, no trailing blanks, no colour.
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/arena.h"
#include "base/buf.h"

/* `{0}` is an empty table; cells are copied; table_free() frees all. Control characters and bytes
 * that are not UTF-8 print as '?', so that a name from outside cannot steer a terminal. */
struct table {
	struct arena mem;
	char **cell;
	size_t n, cap, columns;
};
#define CLEANUP_TABLE __attribute__((cleanup(table_free)))

void table_free(struct table *t);
/* The first row makes the number of columns; later rows have as many cells, one call each. */
void table_head(struct table *t, const char *const *names, size_t columns);
void table_cell(struct table *t, const char *text);
/* Pads by characters of UTF-8, two blanks between columns. */
void table_print(const struct table *t, struct buf *out);

#endif
