// SPDX-License-Identifier: GPL-2.0-or-later
// A growing byte buffer with a bound. All building of text and wire bytes goes through it.
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

/* `{0}` is an empty buffer without a limit. The buffer owns `p`; free with buf_free(). A write
 * over `max` (when not 0) writes nothing and sets `full`; it is checked once, at the end. */
struct buf {
	char *p;
	size_t len, cap, max;
	bool full;
};
#define CLEANUP_BUF __attribute__((cleanup(buf_free)))

void buf_free(struct buf *b);
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *z);
void buf_char(struct buf *b, char c);
void buf_pad(struct buf *b, char c, size_t n); /* n times c */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Text for a terminal: control characters but the newline, and what is not UTF-8, become '?'. */
void buf_text(struct buf *b, struct str text);

/* Room for n more bytes at the end, to be filled by the caller who then adds to `len`;
 * NULL when over `max`. */
char *buf_room(struct buf *b, size_t n);

/* The content as a C string, owned by the buffer; valid until the next change. */
const char *buf_z(struct buf *b);
struct str buf_slice(const struct buf *b);

#endif
