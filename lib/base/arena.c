// SPDX-License-Identifier: GPL-2.0-or-later
// Memory that is freed all at once.
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

enum { CHUNK = 16 * 1024 };

struct arena_chunk {
	struct arena_chunk *prev;
	size_t used, size;
	max_align_t data[];
};

void arena_free(struct arena *a)
{
	struct arena_chunk *c = a->last;

	while (c) {
		struct arena_chunk *prev = c->prev;

		free(c);
		c = prev;
	}
	a->last = NULL;
}

static struct arena_chunk *grow(struct arena *a, size_t n)
{
	size_t size = n > CHUNK ? n : CHUNK;
	struct arena_chunk *c = mem_resize(NULL, sizeof(*c) + size);

	c->used = 0;
	c->size = size;
	c->prev = a->last;
	a->last = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->last;
	size_t align = sizeof(max_align_t) > 16 ? 16 : sizeof(max_align_t);
	void *p;

	if (n > SIZE_MAX / 2)
		n = SIZE_MAX / 2;
	n = (n + align - 1) & ~(align - 1);
	if (!c || c->size - c->used < n)
		c = grow(a, n);
	p = (char *)c->data + c->used;
	c->used += n;
	return memset(p, 0, n);
}

char *arena_dup(struct arena *a, const char *p, size_t n)
{
	char *s = arena_alloc(a, n + 1);

	if (n)
		memcpy(s, p, n);
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char small[256], *s;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof(small))
		return arena_dup(a, small, (size_t)n);
	s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}
