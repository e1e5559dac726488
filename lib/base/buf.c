// SPDX-License-Identifier: GPL-2.0-or-later
// A growing byte buffer with a bound.
#include "base/buf.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

void buf_free(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
	b->full = false;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->full = false;
}

char *buf_room(struct buf *b, size_t n)
{
	size_t need = b->len + n + 1;

	if (need < b->len || (b->max && b->len + n > b->max)) {
		b->full = true;
		return NULL;
	}
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap : 64;

		while (cap < need && cap <= SIZE_MAX / 2)
			cap *= 2;
		cap = cap < need ? need : cap;
		b->p = mem_resize(b->p, cap);
		b->cap = cap;
	}
	return b->p + b->len;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	char *at = buf_room(b, n);

	if (!at || !n)
		return;
	memcpy(at, p, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_pad(struct buf *b, char c, size_t n)
{
	char *at = buf_room(b, n);

	if (!at || !n)
		return;
	memset(at, c, n);
	b->len += n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t left = b->cap > b->len ? b->cap - b->len : 0;
	va_list ap;
	int n;
	char *at;

	va_start(ap, fmt);
	n = vsnprintf(left ? b->p + b->len : NULL, left, fmt, ap);
	va_end(ap);
	if (n < 0 || !(at = buf_room(b, (size_t)n)))
		return;
	if ((size_t)n >= left) {
		va_start(ap, fmt);
		vsnprintf(at, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

/* Most text is printable ASCII: runs of it are copied at once. */
static size_t plain_run(struct str text)
{
	size_t n = 0;

	while (n < text.n && ((text.p[n] >= ' ' && text.p[n] < 0x7f) || text.p[n] == '\n'))
		n++;
	return n;
}

void buf_text(struct buf *b, struct str text)
{
	while (text.n) {
		uint32_t cp = 0;
		size_t n = plain_run(text);

		if (!n) {
			n = utf8_decode(text.p, text.n, &cp);
			if (!n || utf8_is_control(cp)) {
				buf_char(b, '?');
				text.p += n ? n : 1;
				text.n -= n ? n : 1;
				continue;
			}
		}
		buf_add(b, text.p, n);
		text.p += n;
		text.n -= n;
	}
}

const char *buf_z(struct buf *b)
{
	if (!b->p)
		b->p = mem_resize(NULL, b->cap = 64);
	b->p[b->len] = 0;
	return b->p;
}

struct str buf_slice(const struct buf *b)
{
	return (struct str){b->p ? b->p : "", b->len};
}
