// SPDX-License-Identifier: GPL-2.0-or-later
// Memory that is freed all at once: JSON trees, an inventory, a plan.
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base.h"

struct arena_chunk;

/* `{0}` is an empty arena. It owns everything it gave out until arena_free(). */
struct arena {
	struct arena_chunk *last;
};
#define CLEANUP_ARENA __attribute__((cleanup(arena_free)))

void arena_free(struct arena *a);
void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any object, never NULL */
char *arena_dup(struct arena *a, const char *p, size_t n); /* n bytes and a NUL */
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

#endif
